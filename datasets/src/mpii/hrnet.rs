//! `{train,valid,test}.json` of `HRNet` and mmpose.

use std::collections::HashMap;

use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{DATASET, Fault, Found, Origin, distinct, fill_others, visible_if};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError};

/// One person. Centre and scale are MPII's own; pixels count from 1.
#[derive(Deserialize)]
struct Entry {
    image: String,
    center: Option<[f64; 2]>,
    scale: Option<f64>,
    #[serde(default)]
    joints: Vec<[f64; 2]>,
    /// 1 where annotated, hidden joints included.
    #[serde(default)]
    joints_vis: Vec<f64>,
    #[serde(flatten)]
    more: Map<String, Json>,
}

/// Every entry of the list in `bytes`. Test files have no joints.
pub(super) fn read(source: &Origin<'_>, bytes: &[u8]) -> Result<Found, ReadError> {
    let entries: Json = serde_json::from_slice(bytes)
        .map_err(|error| ReadError::malformed(source.path, "JSON", error.to_string()))?;
    let Json::Array(entries) = entries else {
        let rule = "MPII annotations in JSON must be a list of people";
        return Err(ReadError::unexpected(source.path, rule, "another value"));
    };
    let mut ids = UniqueIds::default();
    let mut counts: HashMap<String, i32> = HashMap::new();
    let (mut people, mut rejects, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (row, entry) in entries.into_iter().enumerate() {
        let record = format!("entry {row}");
        let shape =
            |error: serde_json::Error| Fault { reason: "record of another shape", detail: error.to_string() };
        let read = serde_json::from_value(entry).map_err(shape).and_then(|entry: Entry| {
            let count = counts.entry(entry.image.clone()).or_default();
            let mut person = source.person(&entry.image, Some(*count), record.clone());
            *count += 1;
            fill(&mut person, &entry)?;
            Ok((person, entry.image))
        });
        match read {
            Ok((mut person, image)) => {
                person.sample_id = ids.of(DATASET, &image, person.person_index);
                people.push(person);
                names.push(image);
            }
            Err(fault) => rejects.push(source.reject(None, record, fault)),
        }
    }
    fill_others(&mut people, &names);
    let images = distinct(&names);
    Ok(Found {
        annotations: Annotations { skeleton: &MPII16, people, images, rejects },
        names,
        numbered: false,
    })
}

fn fill(person: &mut Person, entry: &Entry) -> Result<(), Fault> {
    person.center = entry.center.map(|center| center.map(|value| value - 1.0));
    person.scale = entry.scale;
    let joints = entry.joints.len();
    if ![0, MPII16.len()].contains(&joints) || entry.joints_vis.len() != joints {
        let detail =
            format!("{joints} joints with {} visibilities; there must be 16 of each", entry.joints_vis.len());
        return Err(Fault { reason: "record of another shape", detail });
    }
    for (joint, (point, visible)) in entry.joints.iter().zip(&entry.joints_vis).enumerate() {
        person.pose.set(joint, point.map(|value| value - 1.0), visible_if(*visible > 0.0));
    }
    let mut attributes = entry.more.clone();
    attributes.insert("visibility_means".into(), "annotated".into());
    attributes.insert("person_index_means".into(), "order in the file".into());
    person.attributes = Some(Json::Object(attributes).to_string());
    Ok(())
}
