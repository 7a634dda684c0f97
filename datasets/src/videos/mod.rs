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
use schemas::tables::rejects::Reject;
use serde_json::{Map, Value as Json, json};

use crate::coco::{STATED_KEY, place_by_box};
use crate::matlab::AccessError;
use crate::pictures::{Pictures, TwoFiles};
use crate::split_names::NO_SPLIT;
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError};

pub use jhmdb::{JhmdbConfig, read as read_jhmdb};
pub use penn_action::{PennActionConfig, read as read_penn_action};
pub use posetrack::{PosetrackConfig, read as read_posetrack};

/// The reason of rejects of what cannot be read.
const SHAPE: &str = "record of another shape";
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

/// A video in a file of MATLAB.
trait Video {
    fn frames(&self) -> usize;

    /// Puts what frame `frame`, from 0, shows into `person`; else the reason of a reject and its detail.
    fn show(&self, frame: usize, person: &mut Person) -> Result<(), (&'static str, String)>;
}

/// A data set of such videos on its way to people.
struct Reading {
    dataset: &'static str,
    pictures: Pictures,
    ids: UniqueIds,
    found: Annotations,
}

impl Reading {
    fn new(dataset: &'static str, skeleton: &'static Skeleton, images: &Path) -> Self {
        let found = Annotations { skeleton, people: Vec::new(), images: 0, rejects: Vec::new() };
        Self { dataset, pictures: Pictures::new(images), ids: UniqueIds::default(), found }
    }

    /// Adds the frames of `video`, each a row or a reject; one that cannot be read is one reject. `names` gives, for the
    /// number of a frame from 1, the name of its picture and what its id says.
    fn add<V: Video>(
        &mut self,
        source_file: &str,
        video: Result<V, AccessError>,
        names: impl Fn(usize) -> [String; 2],
    ) {
        let reject = |record: String, reason: &str, detail: String| Reject {
            stage: self.dataset.to_owned(),
            reason: reason.to_owned(),
            source_file: Some(source_file.to_owned()),
            source_record: Some(record),
            detail,
            ..Reject::default()
        };
        let video = match video {
            Ok(video) => video,
            Err(error) => {
                self.found.images += 1;
                let reject = reject("video".to_owned(), SHAPE, error.to_string());
                return self.found.rejects.push(reject);
            }
        };
        self.found.images += video.frames();
        for frame in 0..video.frames() {
            let record = format!("frame {}", frame + 1);
            let [picture, id] = names(frame + 1);
            let mut person = Person {
                dataset: self.dataset.to_owned(),
                split: NO_SPLIT.to_owned(),
                person_index: Some(0),
                pose: Pose::unknown(self.found.skeleton.len()),
                source_file: source_file.to_owned(),
                source_record: record.clone(),
                ..Person::default()
            };
            let shown = video.show(frame, &mut person);
            let picture = self.pictures.find(&picture).map_err(|two| (TwoFiles::REASON, two.to_string()));
            match shown.and(picture) {
                Ok(picture) => {
                    person.sample_id = self.ids.of(self.dataset, &id, Some(0));
                    person.image_path = picture.to_string_lossy().into_owned();
                    self.found.people.push(person);
                }
                Err((reason, detail)) => self.found.rejects.push(reject(record, reason, detail)),
            }
        }
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
