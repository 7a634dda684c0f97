//! MPII as a list of people in JSON: the forms of `HRNet` and of the convolutional pose machine.

use std::collections::HashMap;

use schemas::skeleton::MPII16;
use serde_json::Value as Json;

use super::{Fault, Found, Origin, SHAPE, distinct, fill_others, hrnet, joint_self};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, json};

/// The key below which jsonlab keeps a list that has a name; the empty name is common.
const ROOT_KEYS: [&str; 2] = ["root", ""];
const RULE: &str = "MPII annotations in JSON must be a list of people";

/// Every person of the list in `bytes`.
pub(super) fn read(source: &Origin<'_>, bytes: &[u8]) -> Result<Found, ReadError> {
    let entries = list(json::parse(source.path, RULE, bytes)?)
        .map_err(|found| ReadError::unexpected(source.path, RULE, found))?;
    let mut ids = UniqueIds::default();
    let mut counts: HashMap<String, i32> = HashMap::new();
    let (mut people, mut rejects, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (mut numbered, mut others) = (true, false);
    for (row, value) in entries.into_iter().enumerate() {
        let record = format!("entry {row}");
        let parsed =
            if value.get("joint_self").is_some() { joint_self::entry(&value) } else { hrnet::entry(&value) };
        let read = parsed.map_err(|detail| Fault { reason: SHAPE, detail }).and_then(|entry| {
            let count = counts.entry(entry.image.clone()).or_default();
            let number = entry.person_index.unwrap_or(*count);
            *count += 1;
            numbered &= entry.person_index.is_some();
            others |= entry.states_others;
            let mut person = source.person(&entry.image, Some(number), record.clone())?;
            (entry.fill)(&mut person)?;
            Ok((person, entry.image))
        });
        match read {
            Ok((mut person, image)) => {
                let dataset = person.dataset.clone();
                person.sample_id = ids.of(&dataset, &image, person.person_index);
                people.push(person);
                names.push(image);
            }
            Err(fault) => rejects.push(source.reject(None, record, fault)),
        }
    }
    if !others {
        fill_others(&mut people, &names);
    }
    let images = distinct(&names);
    Ok(Found { annotations: Annotations { skeleton: &MPII16, people, images, rejects }, names, numbered })
}

/// The list itself, or the one below a root.
fn list(value: Json) -> Result<Vec<Json>, String> {
    match value {
        Json::Array(list) => Ok(list),
        Json::Object(mut object) => {
            let root = ROOT_KEYS.into_iter().find_map(|key| object.shift_remove(key));
            match root {
                Some(Json::Array(list)) => Ok(list),
                // jsonlab writes a list of one as the one.
                Some(one @ Json::Object(_)) => Ok(vec![one]),
                _ if object.contains_key("annotations") => {
                    Err("an object with `annotations`: read it as `coco`".to_owned())
                }
                _ => Err("another value".to_owned()),
            }
        }
        _ => Err("another value".to_owned()),
    }
}
