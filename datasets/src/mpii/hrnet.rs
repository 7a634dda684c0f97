//! `{train,valid,test}.json` of `HRNet` and mmpose.

use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::entry::{self, attributes};
use super::{Fault, SHAPE, is_finite, stated_center, stated_scale, visible_if};
use crate::json;

/// One person. Centre and scale are MPII's own; pixels count from 1.
#[derive(Deserialize)]
struct Entry {
    #[serde(deserialize_with = "json::text")]
    image: String,
    #[serde(default, deserialize_with = "json::maybe_numbers")]
    center: Option<[f64; 2]>,
    #[serde(default, deserialize_with = "json::maybe_number")]
    scale: Option<f64>,
    #[serde(default, deserialize_with = "json::points")]
    joints: Vec<[f64; 2]>,
    /// Whether annotated, hidden joints included.
    #[serde(default, deserialize_with = "json::flags")]
    joints_vis: Vec<bool>,
    #[serde(flatten)]
    more: Map<String, Json>,
}

/// The entry `value`. Test files have no joints.
pub(super) fn entry(value: &Json) -> Result<entry::Entry, String> {
    let entry: Entry = json::record(value)?;
    Ok(entry::Entry {
        image: entry.image.clone(),
        person_index: None,
        states_others: false,
        fill: Box::new(|person| fill(person, entry)),
    })
}

fn fill(person: &mut Person, entry: Entry) -> Result<(), Fault> {
    person.center = stated_center(entry.center).map(|center| center.map(|value| value - 1.0));
    person.scale = stated_scale(entry.scale);
    let joints = entry.joints.len();
    if ![0, MPII16.len()].contains(&joints) || entry.joints_vis.len() != joints {
        let detail = format!(
            "`joints` has {joints} points and `joints_vis` {} flags; there must be 16 of each",
            entry.joints_vis.len()
        );
        return Err(Fault { reason: SHAPE, detail });
    }
    for (joint, (point, seen)) in entry.joints.iter().zip(&entry.joints_vis).enumerate() {
        if *seen && !is_finite(point) {
            return Err(Fault::not_finite(format!("`joints[{joint}]` is ({}, {})", point[0], point[1])));
        }
        person.pose.set(joint, point.map(|value| value - 1.0), visible_if(*seen));
    }
    let said = [("visibility_means", "annotated"), ("person_index_means", "order in the file")];
    person.attributes = Some(attributes(entry.more, &said));
    Ok(())
}
