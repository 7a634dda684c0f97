//! Arrays in JSON: lists of lists of numbers.

use std::path::Path;

use serde_json::Value as Json;

use super::stored::Stored;
use crate::{ReadError, json};

/// What the file must hold.
const RULE: &str = "predictions in JSON must be lists of people, joints and coordinates, of one length each";
/// Deepest nesting.
const MAX_DEPTH: usize = 8;

/// The array called `name` in the JSON text `bytes` of `path`, or the only one.
///
/// # Errors
/// When there is none, or lists of one level differ in length.
pub(super) fn read(path: &Path, bytes: &[u8], name: &str) -> Result<Stored, ReadError> {
    let value: Json = json::parse(path, RULE, bytes)?;
    let value = match &value {
        Json::Object(object)
            if object.contains_key("annotations") || object.contains_key("instance_info") =>
        {
            return Err(results(path, "an object of annotations or results"));
        }
        Json::Object(object) => {
            let arrays: Vec<&str> =
                object.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name.as_str()).collect();
            &object[super::choose(path, name, &arrays)?.as_str()]
        }
        other => other,
    };
    if value.get(0).is_some_and(Json::is_object) {
        return Err(results(path, "a list of objects: detections, not an array"));
    }
    let (mut dims, mut level) = (Vec::new(), Some(value));
    while let Some(Json::Array(list)) = level {
        dims.push(list.len());
        level = list.first();
    }
    let mut values = Vec::new();
    gather(value, &dims, &mut values, "").map_err(|found| ReadError::unexpected(path, RULE, found))?;
    Ok(Stored { dims, values, column_major: false, drops_ones: false })
}

fn results(path: &Path, found: &str) -> ReadError {
    ReadError::unexpected(path, RULE, found)
        .advised("read detections with `motionmill ingest coco-results FILE --people PEOPLE`")
}

/// Adds the numbers of `value`, whose lists have the lengths `dims`; null is `NaN`.
fn gather(value: &Json, dims: &[usize], values: &mut Vec<f64>, place: &str) -> Result<(), String> {
    match (value, dims) {
        (Json::Array(list), [length, rest @ ..]) if list.len() == *length && dims.len() <= MAX_DEPTH => {
            let mut items = list.iter().enumerate();
            items.try_for_each(|(at, item)| gather(item, rest, values, &format!("{place}[{at}]")))
        }
        (Json::Array(list), [length, ..]) => {
            Err(format!("{} items in {place}, where others have {length}", list.len()))
        }
        (Json::Null, []) => {
            values.push(f64::NAN);
            Ok(())
        }
        (_, []) => match json::record::<Number>(value) {
            Ok(Number(number)) => {
                values.push(number);
                Ok(())
            }
            Err(error) => Err(format!("{place}: {error}")),
        },
        (other, _) => Err(format!("`{other}` at {place}, where others have a list")),
    }
}

/// A number, in any of the spellings of one.
#[derive(serde::Deserialize)]
struct Number(#[serde(deserialize_with = "json::number")] f64);
