//! The categories of a COCO file, read without its images and annotations.

use std::fmt;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::RULE;
use super::category::Category;
use crate::{ReadError, files, json};

/// The key, as it stands in the file.
const KEY: &[u8] = b"\"categories\"";

/// Bytes at the end of the file that are searched before it is read from its beginning: COCO's own files end with their
/// categories, of which there are a few kilobytes.
const TAIL_BYTES: u64 = 1 << 20;

/// Bytes at the beginning that tell plain text from a packed or marked file.
const HEAD_BYTES: u64 = 4;

/// The categories of the COCO file `path`.
///
/// Of a file that ends or begins with them, no more than [`TAIL_BYTES`] or what precedes them is read, however
/// large the file is; else it is scanned once, without keeping anything.
///
/// # Errors
/// When the file cannot be read or has no categories.
pub(super) fn of_file(path: &Path) -> Result<Vec<Category>, ReadError> {
    let io = |error| ReadError::io(path, error);
    let mut file = files::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut start).map_err(io)?;
    if start.first() != Some(&b'{') {
        // Packed, marked, or no JSON at all.
        return of_text(path, &json::read(path)?);
    }
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).map_err(io)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(io)?;
    if let Some(found) = in_tail(&tail) {
        return Ok(found);
    }
    file.rewind().map_err(io)?;
    let mut found = None;
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, file));
    let ended = json.deserialize_map(UntilCategories(&mut found));
    match (found, ended) {
        (Some(categories), _) => Ok(categories),
        (None, Ok(())) => Err(ReadError::unexpected(path, RULE, "no `categories`")),
        (None, Err(error)) if error.classify() == serde_json::error::Category::Syntax => {
            of_text(path, &json::read(path)?)
        }
        (None, Err(error)) => Err(ReadError::json(path, RULE, &error)),
    }
}

/// The categories of the whole text `bytes` of `path`.
fn of_text(path: &Path, bytes: &[u8]) -> Result<Vec<Category>, ReadError> {
    #[derive(Deserialize)]
    struct File {
        categories: Option<Vec<Category>>,
    }
    if let Some(found) = in_tail(bytes) {
        return Ok(found);
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(ReadError::unexpected(path, RULE, "a list"));
    }
    let file: File = json::parse(path, RULE, bytes)?;
    file.categories.ok_or_else(|| ReadError::unexpected(path, RULE, "no `categories`"))
}

/// The categories in the last bytes of a file.
///
/// A key is that of the whole file only where all that follows it closes one object and no more: in an inner object,
/// more would follow; in a text, its quotes would be escaped.
fn in_tail(tail: &[u8]) -> Option<Vec<Category>> {
    #[derive(Deserialize)]
    struct Rest {
        categories: Vec<Category>,
    }
    memmem::rfind_iter(tail, KEY).find_map(|at| {
        let rest = [b"{", &tail[at..]].concat();
        serde_json::from_slice::<Rest>(&rest).ok().map(|rest| rest.categories)
    })
}

/// Passes over an object until its categories have come.
struct UntilCategories<'a>(&'a mut Option<Vec<Category>>);

impl<'de> Visitor<'de> for UntilCategories<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "categories" {
                *self.0 = Some(map.next_value()?);
                // Nothing that follows is wanted; the error ends the reading.
                return Err(A::Error::custom("read as far as needed"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let found = of_file(file.path()).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|category| category.name).collect())
    }

    #[test]
    fn categories_are_found_wherever_they_stand() {
        let categories = r#""categories": [{"id": 1, "name": "person"}]"#;
        let long = format!("\"{}\"", "x".repeat(2 << 20));
        for text in [
            format!("{{{categories}}}"),
            format!("{{{categories}, \"annotations\": [], \"note\": {long}}}"),
            format!(
                "{{\"images\": [{{{categories}, \"file_name\": {long}}}], {categories}, \"info\": {{}}}}\n"
            ),
            format!("{{\"images\": {long}, {categories}, \"info\": {long}}}"),
            // A later key of the same name in an inner object, and in a text.
            format!(r#"{{{categories}, "info": {{"categories": [], "text": "\"categories\": [] }}"}}}}"#),
        ] {
            assert_eq!(names(&text).unwrap(), ["person"]);
        }
    }

    #[test]
    fn rows_need_not_be_sound() {
        let text = r#"{"images": [oops, "categories": [], "categories": [{"id": 1, "name": "person"}]}"#;
        assert_eq!(names(text).unwrap(), ["person"]);
    }

    #[test]
    fn a_file_without_categories_is_refused() {
        assert!(names("{\"images\": []}").unwrap_err().contains("found no `categories`"));
        assert!(names("[]").unwrap_err().contains("must be an object"));
        assert!(names("{\"images\": [").unwrap_err().contains("not a readable JSON file"));
    }
}
