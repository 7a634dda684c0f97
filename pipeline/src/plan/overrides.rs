//! `--set key=value`: changing single values of a plan from the command line.

use std::str::FromStr;

use super::PlanError;

/// Most parts of a dotted key: 32; the deepest keys of a plan have some six.
const MOST_PARTS: usize = 32;

/// One `--set`: a dotted key and a TOML value; a value that is not valid TOML is taken as text.
#[derive(Debug, Clone)]
pub struct Override {
    key: String,
    value: toml::Value,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected `key=value`")?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(format!("`{key}` is not a dotted key"));
        }
        let parts = key.split('.').count();
        if parts > MOST_PARTS {
            return Err(format!("a key has at most {MOST_PARTS} parts, found {parts}"));
        }
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
        let value = parsed.and_then(|mut table| table.remove("value"));
        let value =
            value.unwrap_or_else(|| toml::Value::String(text[key.len()..].trim()[1..].trim().to_owned()));
        Ok(Self { key: key.to_owned(), value })
    }
}

/// `text` with `overrides` applied; without any, the text as it is, so that errors point into the file.
///
/// # Errors
/// When the text is not TOML, or a key leads through a value that is no table.
pub fn apply(text: &str, origin: &str, overrides: &[Override]) -> Result<String, PlanError> {
    if overrides.is_empty() {
        return Ok(text.to_owned());
    }
    let invalid = |error: &dyn std::fmt::Display| PlanError::Invalid {
        origin: origin.to_owned(),
        message: error.to_string(),
    };
    let mut table: toml::Table = toml::from_str(text).map_err(|error| invalid(&error))?;
    for Override { key, value } in overrides {
        let mut place = &mut table;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                place.insert(part.to_owned(), value.clone());
                break;
            }
            let next = place.entry(part.to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place = next.as_table_mut().ok_or_else(|| PlanError::Override {
                key: key.clone(),
                reason: format!("`{part}` is a value, not a table"),
            })?;
        }
    }
    toml::to_string(&table).map_err(|error| invalid(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, sets: &[&str]) -> toml::Table {
        let overrides: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
        toml::from_str(&apply(text, "test", &overrides).unwrap()).unwrap()
    }

    #[test]
    fn a_key_deeper_than_any_plan_is_refused() {
        let key = |parts: usize| format!("{}=1", vec!["a"; parts].join("."));
        assert_eq!(key(33).parse::<Override>().unwrap_err(), "a key has at most 32 parts, found 33");
        assert!(set("", &[&key(32)])["a"].is_table());
    }

    #[test]
    fn values_keep_their_types_and_bare_words_are_text() {
        let table = set("seed = 1\n[a.b]\nc = 2", &["seed=9", "a.b.c=[1, 2]", "a.d=people/test", "a.e=0.5"]);
        assert_eq!(table["seed"].as_integer(), Some(9));
        assert_eq!(table["a"]["b"]["c"].as_array().unwrap().len(), 2);
        assert_eq!(table["a"]["d"].as_str(), Some("people/test"));
        assert_eq!(table["a"]["e"].as_float(), Some(0.5));
    }

    #[test]
    fn a_key_through_a_value_is_refused() {
        let overrides = ["seed.x=1".parse().unwrap()];
        let message = apply("seed = 1", "test", &overrides).unwrap_err().to_string();
        assert_eq!(message, "cannot set `seed.x`: `seed` is a value, not a table");
        assert!("seed".parse::<Override>().is_err() && ".a=1".parse::<Override>().is_err());
    }
}
