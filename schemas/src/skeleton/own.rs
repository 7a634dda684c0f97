//! Skeletons that are not built in, each kept once for as long as the process runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Skeleton;
use super::definition::{Definition, Resolved};
use super::error::SkeletonError;

/// Most different skeletons of one process: they are never given back, and a few are in use at a time.
const MOST: usize = 10_000;

/// Those that were read, by name, then in the order in which they came.
static KEPT: Mutex<BTreeMap<String, Vec<&'static Skeleton>>> = Mutex::new(BTreeMap::new());

/// The skeleton of `definition`: the same for the same content.
///
/// # Errors
/// When a built-in skeleton of this name has other content, or there are too many.
pub(super) fn kept(definition: Resolved) -> Result<&'static Skeleton, SkeletonError> {
    if let Ok(known) = Skeleton::named(&definition.name) {
        return match definition.difference(known) {
            None => Ok(known),
            Some(what) => Err(SkeletonError::NameTaken { name: definition.name, what }),
        };
    }
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let of_name = all.get(&definition.name).into_iter().flatten();
    let is_same = |known: &&'static Skeleton| {
        // A table does not hold the other names that files give to joints.
        let spelt_alike = definition.spellings.is_empty() || definition.spellings == known.spellings;
        spelt_alike && definition.difference(known).is_none()
    };
    if let Some(known) = of_name.copied().find(is_same) {
        return Ok(known);
    }
    if all.values().map(Vec::len).sum::<usize>() >= MOST {
        return Err(SkeletonError::Many { most: MOST });
    }
    let name = definition.name.clone();
    let skeleton: &'static Skeleton = Box::leak(Box::new(definition.leaked()));
    all.entry(name).or_default().push(skeleton);
    Ok(skeleton)
}

/// See [`Skeleton::of_table`].
pub(super) fn of_table(name: &str, text: Option<&str>) -> Result<&'static Skeleton, SkeletonError> {
    match (Skeleton::named(name), text) {
        (Ok(known), None) => Ok(known),
        // Another version may draw other limbs or know other spreads; the order of the joints is the contract.
        (Ok(known), Some(text)) => match joints_of(text)? {
            joints if joints == known.joints => Ok(known),
            _ => Err(SkeletonError::NameTaken { name: name.to_owned(), what: "joints" }),
        },
        (Err(unknown), None) => Err(unknown.into()),
        (Err(_), Some(text)) => {
            let definition = Definition::of_json(text)?;
            if definition.name != name {
                let found = definition.name.chars().take(100).collect();
                return Err(SkeletonError::OtherName { name: name.to_owned(), found });
            }
            kept(definition.resolved()?)
        }
    }
}

/// The joints of a definition, whatever else it states.
fn joints_of(text: &str) -> Result<Vec<String>, SkeletonError> {
    #[derive(serde::Deserialize)]
    struct Joints {
        joints: Vec<String>,
    }
    let read = serde_json::from_str(text);
    read.map(|Joints { joints }| joints).map_err(|error| SkeletonError::Form { reason: error.to_string() })
}
