//! Which column, and what separates columns.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A column, by its name in the header or by its number, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ColumnRef {
    /// The first column of that name.
    Name(String),
    /// The column of that number, from 1.
    Number(u32),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl<'de> Deserialize<'de> for ColumnRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = ColumnRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or its number from 1 to 10000")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ColumnRef, E> {
                Ok(ColumnRef::Name(name.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ColumnRef, E> {
                match number {
                    1..=10_000 => Ok(ColumnRef::Number(number as u32)),
                    _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<ColumnRef, E> {
                self.visit_i64(number.min(i64::MAX as u64) as i64)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// The separator of fields: one ASCII character, but neither a quote nor a character that numbers use. A space stands for any
/// run of spaces and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Separator(u8);

impl Separator {
    /// The character.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Separator {
    fn default() -> Self {
        Self(b',')
    }
}

impl TryFrom<String> for Separator {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_bytes() {
            [byte]
                if matches!(byte, b'\t' | b' '..=b'~')
                    && !byte.is_ascii_alphanumeric()
                    && !b"\"+-.".contains(byte) =>
            {
                Ok(Self(*byte))
            }
            _ => Err(format!(
                "a separator must be one ASCII character, neither quote nor part of a number, found `{text}`"
            )),
        }
    }
}

impl From<Separator> for String {
    fn from(separator: Separator) -> Self {
        char::from(separator.0).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Two {
        column: ColumnRef,
        separator: Separator,
    }

    #[test]
    fn columns_have_names_or_numbers() {
        let two: Two = toml::from_str("column = 3\nseparator = ';'").unwrap();
        assert_eq!((two.column, two.separator.get()), (ColumnRef::Number(3), b';'));
        let two: Two = toml::from_str("column = 'x'\nseparator = \"\\t\"").unwrap();
        assert_eq!((two.column, two.separator.get()), (ColumnRef::Name("x".into()), b'\t'));
        for wrong in
            ["column = 0\nseparator = ','", "column = 1\nseparator = ',,'", "column = 1\nseparator = '.'"]
        {
            assert!(toml::from_str::<Two>(wrong).is_err(), "{wrong}");
        }
    }
}
