//! Names that repeat from line to line, each kept once.

use std::collections::HashMap;

/// The names of one column, numbered in the order in which they first appear.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    names: Vec<String>,
    numbers: HashMap<String, i32>,
    /// The number and the bytes of the name that came last: a log says the same for thousands of lines.
    last: Option<i32>,
    last_name: Vec<u8>,
}

impl Labels {
    /// All names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name called `number`.
    pub(super) fn name(&self, number: i32) -> &str {
        usize::try_from(number).ok().and_then(|at| self.names.get(at)).map_or("", String::as_str)
    }

    /// The number of `name`.
    pub(super) fn number(&mut self, name: &str) -> i32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as i32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The number of the field at the start of `rest`, up to `separator`, and its length.
    ///
    /// `None` for a field that must be looked at with care: empty, with blanks around it, not UTF-8.
    #[inline]
    pub(super) fn field(&mut self, rest: &[u8], separator: u8) -> Option<(i32, usize)> {
        if let Some(last) = self.last
            && rest.starts_with(&self.last_name)
            && rest.get(self.last_name.len()).is_none_or(|byte| *byte == separator)
        {
            return Some((last, self.last_name.len()));
        }
        self.new_field(rest, separator)
    }

    #[cold]
    fn new_field(&mut self, rest: &[u8], separator: u8) -> Option<(i32, usize)> {
        let length = memchr::memchr(separator, rest).unwrap_or(rest.len());
        let field = str::from_utf8(&rest[..length]).ok()?;
        if field.is_empty() || field.trim() != field {
            return None;
        }
        let number = self.number(field);
        self.last = Some(number);
        self.last_name.clear();
        self.last_name.extend_from_slice(field.as_bytes());
        Some((number, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_as_they_appear() {
        let mut labels = Labels::default();
        assert_eq!(labels.field(b"walk,1", b','), Some((0, 4)));
        assert_eq!(labels.field(b"walking,1", b','), Some((1, 7)));
        assert_eq!(labels.field(b"walk", b','), Some((0, 4)));
        assert_eq!(labels.field(b"walk,", b','), Some((0, 4)));
        assert_eq!((labels.names().len(), labels.name(1), labels.name(7)), (2, "walking", ""));
        for odd in [&b",1"[..], b" walk,1", b"walk ,1", b"\xff,1"] {
            assert_eq!(labels.field(odd, b','), None);
        }
    }
}
