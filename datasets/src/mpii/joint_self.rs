//! `mpii_annotations.json` of pytorch-pose and `MPI_annotations.json` of the convolutional pose machine, and
//! `LEEDS_annotations.json` of both, which holds LSP and LSPET in MPII's joints.
//!
//! Source: `miscs/gen_mpii.m` and `miscs/gen_lsp.m` of pytorch-pose, after `training/genJSON.m` of the pose machine. An
//! entry has `joint_self`, 16 x 3 of x, y (from 1) and 1 where the joint is visible. Joints that are not annotated are
//! filled up with zeros, so only 0, 0, 0 is one of them; another place with 0 is a hidden joint. Centre and scale are MPII's
//! own. In `LEEDS`, pelvis and thorax are no annotations: one program writes zeros that it calls visible, the other the middles
//! of hips and shoulders. LSPET says nothing of hidden joints; its 0 is a joint without annotation.

use std::sync::Arc;

use schemas::Visibility;
use schemas::skeleton::MPII16;
use schemas::tables::people::{Person, Pose};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::entry::{self, OWN, attributes};
use super::{Fault, SHAPE, is_finite, stated_center, stated_scale};
use crate::json;

/// One person, and those beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "json::maybe_text")]
    dataset: Option<String>,
    #[serde(default, rename = "isValidation", deserialize_with = "validation")]
    is_validation: Option<bool>,
    #[serde(rename = "img_paths", deserialize_with = "json::text")]
    image: String,
    #[serde(default, rename = "img_width", deserialize_with = "json::maybe_size")]
    width: Option<i32>,
    #[serde(default, rename = "img_height", deserialize_with = "json::maybe_size")]
    height: Option<i32>,
    #[serde(default, deserialize_with = "json::maybe_numbers")]
    objpos: Option<[f64; 2]>,
    #[serde(default, rename = "scale_provided", deserialize_with = "json::maybe_number")]
    scale: Option<f64>,
    #[serde(rename = "joint_self", deserialize_with = "json::points")]
    joints: Vec<[f64; 3]>,
    #[serde(default, rename = "joint_others")]
    others: Json,
    /// From 1.
    #[serde(default, rename = "people_index", deserialize_with = "json::maybe_whole")]
    people_index: Option<i64>,
    #[serde(flatten)]
    more: Map<String, Json>,
}

fn validation<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    json::flag(deserializer).map(Some)
}

/// Whose annotations an entry holds.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    /// MPII's, or those of a data set that is written like it.
    Mpii,
    Lsp,
    Lspet,
}

/// The entry `value`.
pub(super) fn entry(value: &Json) -> Result<entry::Entry, String> {
    let entry: Entry = json::record(value)?;
    let number =
        entry.people_index.map(|number| i32::try_from(number - 1).ok().filter(|number| *number >= 0));
    let person_index = match number {
        Some(None) => return Err("`people_index` must be a number from 1".to_owned()),
        other => other.flatten(),
    };
    Ok(entry::Entry {
        image: entry.image.clone(),
        person_index,
        states_others: true,
        fill: Box::new(|person| fill(person, entry)),
    })
}

fn fill(person: &mut Person, entry: Entry) -> Result<(), Fault> {
    let shape = |detail: String| Fault { reason: SHAPE, detail };
    let named = entry.dataset.as_deref().unwrap_or_default().to_ascii_lowercase();
    let origin = match named.as_str() {
        "leeds" if entry.image.to_ascii_lowercase().contains("lspet") => Origin::Lspet,
        "leeds" => Origin::Lsp,
        _ => Origin::Mpii,
    };
    person.dataset = match origin {
        Origin::Lsp => "lsp".to_owned(),
        Origin::Lspet => "lspet".to_owned(),
        Origin::Mpii if named.is_empty() || named.starts_with("mpi") => OWN.to_owned(),
        Origin::Mpii => named,
    };
    // What is held back of LSP is its test set.
    let held_back = if origin == Origin::Mpii { "validation" } else { "test" };
    if let Some(held) = entry.is_validation {
        if held { held_back } else { "train" }.clone_into(&mut person.split);
    }
    person.image_size = entry.width.zip(entry.height).map(<[i32; 2]>::from);
    person.center = stated_center(entry.objpos).map(|center| center.map(|value| value - 1.0));
    person.scale = stated_scale(entry.scale);
    person.pose = pose(&entry.joints, origin).map_err(|detail| shape(format!("`joint_self`: {detail}")))?;
    let others =
        poses(&entry.others).ok_or_else(|| shape("`joint_others` must be lists of 16 points".to_owned()))?;
    for joints in &others {
        let pose = pose(joints, origin).map_err(|detail| shape(format!("`joint_others`: {detail}")))?;
        if pose.annotated() > 0 {
            person.others.push(Arc::new(pose));
        }
    }
    person.attributes = Some(attributes(entry.more, &[]));
    Ok(())
}

/// The pose of 16 points with flags.
fn pose(joints: &[[f64; 3]], origin: Origin) -> Result<Pose, String> {
    let mut pose = Pose::unknown(MPII16.len());
    if joints.len() != MPII16.len() {
        return Err(format!("{} points; there must be 16", joints.len()));
    }
    for (joint, &[x, y, flag]) in joints.iter().enumerate() {
        let invented = origin != Origin::Mpii && ["pelvis", "thorax"].contains(&MPII16.joints[joint]);
        let visibility = match (flag, origin) {
            _ if invented || [x, y, flag] == [0.0; 3] => Visibility::NotAnnotated,
            (0.0, Origin::Lspet) => Visibility::NotAnnotated,
            (0.0, _) => Visibility::Occluded,
            (1.0, _) => Visibility::Visible,
            _ => return Err(format!("joint {joint} has the flag {flag}; it must be 0 or 1")),
        };
        if visibility.is_annotated() && !is_finite(&[x, y]) {
            return Err(format!("joint {joint} is at ({x}, {y})"));
        }
        pose.set(joint, [x - 1.0, y - 1.0], visibility);
    }
    Ok(pose)
}

/// The points of other people: none, one, or a list of several; `None` where it is something else.
fn poses(value: &Json) -> Option<Vec<Vec<[f64; 3]>>> {
    match value {
        Json::Null => Some(Vec::new()),
        Json::Object(object) if object.is_empty() => Some(Vec::new()),
        Json::Array(list) if list.is_empty() => Some(Vec::new()),
        Json::Array(list) => match points(value) {
            Some(one) => Some(vec![one]),
            // Several, or one in a list of its own.
            None => list.iter().map(poses).collect::<Option<Vec<_>>>().map(|lists| lists.concat()),
        },
        _ => None,
    }
}

fn points(value: &Json) -> Option<Vec<[f64; 3]>> {
    let point = |point: &Json| {
        let numbers: Option<Vec<f64>> = point.as_array()?.iter().map(Json::as_f64).collect();
        <[f64; 3]>::try_from(numbers?.as_slice()).ok()
    };
    value.as_array()?.iter().map(point).collect()
}
