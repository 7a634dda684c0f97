//! People in the frames of videos: Penn Action, JHMDB, `PoseTrack`.
//!
//! An id names the video as well as the frame, since frames of all videos have the same numbers.

mod jhmdb;
mod penn_action;
mod posetrack;

use std::fs;
use std::path::{Path, PathBuf};

use schemas::Skeleton;
use schemas::tables::people::{Person, Pose};
use serde_json::{Map, Value as Json, json};

use crate::ReadError;
use crate::coco::{STATED_KEY, place_by_box};

pub use jhmdb::{JhmdbConfig, read as read_jhmdb};
pub use penn_action::{PennActionConfig, read as read_penn_action};
pub use posetrack::{PosetrackConfig, read as read_posetrack};

/// How deep folders of annotations are searched: JHMDB has one for each action and, in it, one for each video.
const MAX_DEPTH: usize = 3;

/// The files below `path` that `takes` takes by their names, in the order of their paths; `path` itself where it is a file.
fn files_below(path: &Path, what: &str, takes: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, ReadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut open) = (Vec::new(), vec![(path.to_owned(), 0)]);
    while let Some((folder, depth)) = open.pop() {
        let io = |error| ReadError::io(&folder, error);
        for entry in fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            // macOS leaves files like `._0001.mat` in archives.
            if last_name(&path).starts_with('.') {
                continue;
            }
            if path.is_dir() {
                if depth < MAX_DEPTH {
                    open.push((path, depth + 1));
                }
            } else if takes(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(ReadError::unexpected(path, format!("a folder with {what}"), "none"));
    }
    Ok(found)
}

/// The files that a configuration names; those of a folder are found when it is opened.
fn named_files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { Vec::new() } else { vec![path.to_owned()] }
}

/// Name of the file or folder at the end of `path`.
fn last_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A frame of which nothing but its video is known.
fn blank(skeleton: &Skeleton, dataset: &str, source_file: String, source_record: String) -> Person {
    Person {
        sample_id: String::new(),
        dataset: dataset.to_owned(),
        split: crate::split_names::NO_SPLIT.to_owned(),
        image_path: String::new(),
        image_size: None,
        person_index: Some(0),
        center: None,
        scale: None,
        head_box: None,
        torso_box: None,
        pose: Pose::unknown(skeleton.len()),
        others: Vec::new(),
        activity: None,
        attributes: None,
        source_file,
        source_record,
    }
}

/// Places `person` by the box `[x1, y1, x2, y2]` in px from 0, which is kept.
fn place(person: &mut Person, [x1, y1, x2, y2]: [f64; 4], attributes: &mut Map<String, Json>) {
    let xywh = [x1, y1, x2 - x1, y2 - y1];
    if xywh.iter().all(|value| value.is_finite()) && xywh[2] > 0.0 && xywh[3] > 0.0 {
        place_by_box(person, xywh, attributes);
        attributes.insert(STATED_KEY.into(), json!({ "bbox": xywh }));
    }
}

#[cfg(test)]
mod tests;
