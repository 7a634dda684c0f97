//! Access to values with errors that name the place in the file.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use super::value::{Structs, Value};
use crate::ReadError;

/// A value and its place in the file, such as `RELEASE.annolist(17).annorect(1).annopoints`.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: &'a Value,
    trail: Rc<Trail<'a>>,
}

/// One element of a struct array and its place in the file.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    structs: &'a Structs,
    index: usize,
    trail: Rc<Trail<'a>>,
}

/// Steps from the variable to a value; written out only in messages. Numbers are MATLAB's, from 1.
#[derive(Debug)]
enum Trail<'a> {
    Variable(&'a str),
    Field(Rc<Trail<'a>>, &'a str),
    Element(Rc<Trail<'a>>, usize),
    Cell(Rc<Trail<'a>>, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, number) => write!(f, "{parent}({number})"),
            Self::Cell(parent, number) => write!(f, "{parent}{{{number}}}"),
        }
    }
}

/// A value that is not what a reader needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` must be {expected}, found {found}")]
pub struct AccessError {
    /// Where in the file, as MATLAB would write it.
    pub place: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl AccessError {
    /// The error of a whole file at `path`.
    pub fn in_file(self, path: &Path) -> ReadError {
        ReadError::unexpected(path, format!("`{}` must be {}", self.place, self.expected), self.found)
    }
}

/// The variable `name` of `variables`, as [`super::read`] gives them.
///
/// # Errors
/// When there is none; the message lists those that are there.
pub fn variable<'a>(variables: &'a [(String, Value)], name: &'a str) -> Result<Node<'a>, AccessError> {
    let found = variables.iter().find(|(other, _)| other == name);
    let (name, value) = found.ok_or_else(|| AccessError {
        place: name.to_owned(),
        expected: "a variable of the file".into(),
        found: listed(variables),
    })?;
    Ok(Node { value, trail: Rc::new(Trail::Variable(name)) })
}

/// Names and shapes of `variables` in words.
pub fn listed(variables: &[(String, Value)]) -> String {
    if variables.is_empty() {
        return "no variables at all".into();
    }
    let all: Vec<String> =
        variables.iter().map(|(name, value)| format!("`{name}` ({})", value.shape())).collect();
    all.join(", ")
}

impl<'a> Node<'a> {
    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The place in the file.
    pub fn place(&self) -> String {
        self.trail.to_string()
    }

    /// Size along each dimension.
    pub fn dims(&self) -> &'a [usize] {
        self.value.dims()
    }

    /// Whether some dimension is zero.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// The error of this value where `expected` was needed.
    pub fn refuse(&self, expected: impl Into<String>) -> AccessError {
        let found = match (self.value.as_f64(), self.value.as_str()) {
            (Some(number), _) => number.to_string(),
            (_, Some(text)) => format!("`{text}`"),
            _ => self.value.shape(),
        };
        AccessError { place: self.place(), expected: expected.into(), found }
    }

    fn structs(&self) -> Result<&'a Structs, AccessError> {
        match self.value {
            Value::Struct(structs) => Ok(structs),
            _ => Err(self.refuse("a struct array")),
        }
    }

    /// The elements of a struct array, in column-major order; the empty array has none, whatever its class.
    ///
    /// # Errors
    /// When the value is no struct array.
    pub fn rows(&self) -> Result<Vec<Row<'a>>, AccessError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let structs = self.structs()?;
        let element = |row| Rc::new(Trail::Element(Rc::clone(&self.trail), row + 1));
        Ok((0..structs.len()).map(|row| Row { structs, index: row, trail: element(row) }).collect())
    }

    /// The one element of a 1x1 struct.
    ///
    /// # Errors
    /// When the value is no struct array of one element.
    pub fn row(&self) -> Result<Row<'a>, AccessError> {
        let structs = self.structs()?;
        if structs.len() != 1 {
            return Err(self.refuse("one struct"));
        }
        Ok(Row { structs, index: 0, trail: Rc::clone(&self.trail) })
    }

    /// The cells of a cell array, in column-major order.
    ///
    /// # Errors
    /// When the value is no cell array.
    pub fn cells(&self) -> Result<Vec<Self>, AccessError> {
        let Value::Cell { values, .. } = self.value else { return Err(self.refuse("a cell array")) };
        let cell = |index| Rc::new(Trail::Cell(Rc::clone(&self.trail), index + 1));
        Ok(values.iter().enumerate().map(|(index, value)| Node { value, trail: cell(index) }).collect())
    }

    /// The one number of a 1x1 array.
    ///
    /// # Errors
    /// When the value is no such array.
    pub fn number(&self) -> Result<f64, AccessError> {
        self.value.as_f64().ok_or_else(|| self.refuse("one number"))
    }

    /// The one finite number of a 1x1 array.
    ///
    /// # Errors
    /// When the value is no such array, `NaN` or infinite.
    pub fn finite(&self) -> Result<f64, AccessError> {
        self.value
            .as_f64()
            .filter(|number| number.is_finite())
            .ok_or_else(|| self.refuse("one finite number"))
    }

    /// All numbers of the array, column-major.
    ///
    /// # Errors
    /// When the value holds no numbers.
    pub fn numbers(&self) -> Result<Vec<f64>, AccessError> {
        self.value.as_f64s().ok_or_else(|| self.refuse("an array of numbers"))
    }

    /// The text of a string.
    ///
    /// # Errors
    /// When the value is no char array of at most one row.
    pub fn text(&self) -> Result<String, AccessError> {
        self.value.as_str().ok_or_else(|| self.refuse("a string"))
    }
}

impl<'a> Row<'a> {
    /// The place in the file.
    pub fn place(&self) -> String {
        self.trail.to_string()
    }

    /// Names of the fields, in the file's order.
    pub fn fields(&self) -> &'a [String] {
        &self.structs.fields
    }

    /// The field `name`, or `None` where the struct has no such field.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let column = self.structs.fields.iter().position(|field| field == name)?;
        let value = self.structs.values.get(self.index * self.structs.fields.len() + column)?;
        let field = self.structs.fields[column].as_str();
        Some(Node { value, trail: Rc::new(Trail::Field(Rc::clone(&self.trail), field)) })
    }

    /// The field `name`, or `None` where it is absent or empty.
    pub fn filled(&self, name: &str) -> Option<Node<'a>> {
        self.get(name).filter(|node| !node.is_empty())
    }

    /// The field `name`.
    ///
    /// # Errors
    /// When the struct has no such field.
    pub fn require(&self, name: &str) -> Result<Node<'a>, AccessError> {
        self.get(name).ok_or_else(|| AccessError {
            place: self.place(),
            expected: format!("a struct with the field `{name}`"),
            found: format!("the fields {:?}", self.structs.fields),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place() {
        let rect = Value::structs(&[1, 2], &["scale"], [vec![Value::empty()], vec![Value::text("tall")]]);
        let variables = vec![("RELEASE".to_owned(), Value::record([("annorect", rect)]))];
        let release = variable(&variables, "RELEASE").unwrap().row().unwrap();
        let rows = release.require("annorect").unwrap().rows().unwrap();
        assert!(rows[0].filled("scale").is_none());
        let error = rows[1].require("scale").unwrap().number().unwrap_err();
        assert_eq!(error.to_string(), "`RELEASE.annorect(2).scale` must be one number, found `tall`");
        let error = variable(&variables, "release").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`release` must be a variable of the file, found `RELEASE` (struct 1x1)"
        );
    }
}
