//! Values as JSON, for what a source says that no column holds.

use serde_json::{Map, Value as Json};

use super::value::{Numbers, Structs, Value};

impl Value {
    /// The value as JSON: an empty array is `null`, a single element is not wrapped in a list, several are a flat
    /// list in column-major order (or a list of rows where both dimensions of a numeric matrix exceed 1), a struct is
    /// an object. `NaN` and infinities are `null`.
    pub fn to_json(&self) -> Json {
        if self.is_empty() {
            return Json::Null;
        }
        match self {
            Self::Numeric { dims, numbers } => match dims[..] {
                [rows, columns] if rows > 1 && columns > 1 => (0..rows)
                    .map(|row| {
                        (0..columns).map(|column| number(numbers, column * rows + row)).collect::<Json>()
                    })
                    .collect(),
                _ => one_or_list((0..numbers.len()).map(|index| number(numbers, index))),
            },
            Self::Logical { values, .. } => one_or_list(values.iter().map(|value| Json::Bool(*value))),
            Self::Char { dims, units } => match self.as_str() {
                Some(text) => Json::String(text),
                None => (0..dims[0])
                    .map(|row| {
                        let line: Vec<u16> = units.iter().skip(row).step_by(dims[0]).copied().collect();
                        Json::String(String::from_utf16_lossy(&line).trim_end().to_owned())
                    })
                    .collect(),
            },
            Self::Cell { values, .. } => values.iter().map(Self::to_json).collect(),
            Self::Struct(structs) => one_or_list((0..structs.len()).map(|row| object(structs, row))),
        }
    }
}

fn one_or_list(mut values: impl ExactSizeIterator<Item = Json>) -> Json {
    if values.len() == 1 { values.next().unwrap_or_default() } else { values.collect() }
}

/// Whole numbers are written as such, whatever their class.
fn number(numbers: &Numbers, index: usize) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = match numbers {
        Numbers::Int64(values) => return values[index].into(),
        Numbers::UInt64(values) => return values[index].into(),
        // The shortest decimal of the f32, not the digits of its f64 twin.
        Numbers::Single(values) => values[index].to_string().parse().unwrap_or(f64::NAN),
        _ => numbers.get(index).unwrap_or(f64::NAN),
    };
    if value.fract() == 0.0 && value.abs() < EXACT { (value as i64).into() } else { value.into() }
}

fn object(structs: &Structs, row: usize) -> Json {
    let member = |name: &String| Some((name.clone(), structs.field(row, name)?.to_json()));
    Json::Object(structs.fields.iter().filter_map(member).collect::<Map<String, Json>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes_are_kept() {
        let members = [
            ("id", Value::array(&[1, 1], vec![7_u8])),
            ("box", Value::array(&[1, 3], vec![0.1_f32, 2.0, f32::NAN])),
            ("matrix", Value::array(&[2, 3], vec![1_i16, 2, 3, 4, 5, 6])),
            ("name", Value::text("surfing")),
            ("lines", Value::Char { dims: vec![2, 2], units: "acb ".encode_utf16().collect() }),
            ("list", Value::cell(&[1, 2], vec![Value::text("a"), Value::empty()])),
            ("flag", Value::Logical { dims: vec![1, 1], values: vec![true] }),
            ("big", Value::array(&[1, 1], vec![u64::MAX])),
        ];
        assert_eq!(
            Value::record(members).to_json(),
            json!({
                "id": 7, "box": [0.1, 2, null], "matrix": [[1, 3, 5], [2, 4, 6]], "name": "surfing",
                "lines": ["ab", "c"], "list": ["a", null], "flag": true, "big": u64::MAX
            })
        );
    }
}
