//! Detections as programs write them.
//!
//! | form | written by | an entry |
//! |---|---|---|
//! | a list | COCO's evaluation, mmpose (`CocoMetric`), `motionmill export coco-results` | `{image_id, category_id, keypoints: [3K], score}` |
//! | a list | `AlphaPose` | the same, with the file name as `image_id` |
//! | a list, or `{instance_info: [..]}` | mmpose's inferencer and demos, one file for each picture | `{keypoints: [K, 2], keypoint_scores: [K], bbox, bbox_score}`; the picture is that of the file's name |
//! | a list | mmpose 0.x, `tools/test.py --out` | `{preds: [N, K, 3], boxes: [N, 6], image_paths: [N]}`, a batch each |
//! | a folder of such files | `AlphaPose` with `--sep`, mmpose | |
//!
//! `AlphaPose`'s forms `cmu` and `open`, and `OpenPose`'s own, have joints in another order and are refused. Sources:
//! `AlphaPose`, `docs/output.md`; mmpose, `apis/inferencers` and `evaluation/metrics/coco_metric.py` (the form with
//! `instance_info` is inferred from its demos).

use std::fs;
use std::path::{Path, PathBuf};

use schemas::Skeleton;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};

use super::entry::{Entry, Unsound};
use crate::ReadError;
use crate::json::{self, Key};

/// What the file must be.
const RULE: &str = "COCO results must be a list of detections";
/// The key of an entry that names its picture.
const ID: &str = "image_id";
/// Keys that do so where that one is absent.
const OTHER_NAMES: [&str; 2] = ["file_name", "image_path"];

/// One detection.
#[derive(Deserialize)]
pub(super) struct Detection {
    #[serde(alias = "file_name", alias = "image_path")]
    pub image_id: Key,
    #[serde(default, deserialize_with = "category")]
    pub category_id: i64,
    /// `[3K]`: x, y and a score of the joint; or `[2K]`, where the scores stand apart.
    #[serde(deserialize_with = "json::numbers")]
    keypoints: Vec<f64>,
    /// `[K]`.
    #[serde(default, deserialize_with = "json::numbers")]
    keypoint_scores: Vec<f64>,
    #[serde(default, alias = "bbox_score", deserialize_with = "json::maybe_number")]
    pub score: Option<f64>,
    /// Only our own writer says whose detection it is.
    #[serde(default, deserialize_with = "json::maybe_text")]
    pub sample_id: Option<String>,
}

fn category<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(json::maybe_whole(deserializer)?.unwrap_or_default())
}

impl Detection {
    /// Points `[K]`, `NaN` where not found, and their scores `[K]`.
    pub(super) fn points(&self, skeleton: &Skeleton) -> Result<(Vec<[f64; 2]>, Vec<f64>), String> {
        let joints = skeleton.len();
        let (width, apart) = match (self.keypoints.len(), self.keypoint_scores.len()) {
            (count, 0) if count == 3 * joints => (3, false),
            (count, scores) if count == 2 * joints && scores == joints => (2, true),
            (count, scores) => {
                let beside =
                    if scores > 0 { format!(" beside {scores} `keypoint_scores`") } else { String::new() };
                return Err(format!(
                    "`keypoints` has {count} numbers{beside}; there must be 3 for each of {joints} joints (`{}`)",
                    skeleton.name
                ));
            }
        };
        let points = self.keypoints.chunks_exact(width);
        let place = |point: &[f64]| {
            let found =
                point.iter().all(|value| value.is_finite()) && point.iter().any(|value| *value != 0.0);
            if found { [point[0], point[1]] } else { [f64::NAN; 2] }
        };
        let score = |point: &[f64]| if point[2].is_finite() { point[2] } else { 0.0 };
        let scores = if apart { self.keypoint_scores.clone() } else { points.clone().map(score).collect() };
        Ok((points.map(place).collect(), scores))
    }
}

/// An entry of a list of results.
enum Listed {
    /// It names its picture, or should.
    Named(Entry<Detection>),
    /// The file names its picture.
    Unnamed(Json),
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Json::deserialize(deserializer)?;
        let Json::Object(object) = &mut value else { return Ok(Self::Named(Entry::of(value))) };
        let has = |name: &str| object.contains_key(name);
        let named = has(ID) || OTHER_NAMES.into_iter().any(has);
        if !named && (has("keypoint_scores") || has("instances") || has("preds")) {
            return Ok(Self::Unnamed(value));
        }
        if has(ID) {
            for name in OTHER_NAMES {
                object.shift_remove(name);
            }
        }
        Ok(Self::Named(Entry::of(value)))
    }
}

/// The detections of the file `path`, or of the files of the folder `path` in the order of their names.
pub(super) fn read(path: &Path) -> Result<Vec<Entry<Detection>>, ReadError> {
    let mut entries = Vec::new();
    for file in files(path)? {
        let text = json::read(&file)?;
        let list = if text.trim_ascii_start().first() == Some(&b'[') {
            json::parse(&file, RULE, &text)?
        } else {
            list_of(&file, json::parse(&file, RULE, &text)?)?
        };
        drop(text);
        entries.extend(of_list(&file, list)?);
    }
    Ok(entries)
}

/// The files of `path`: itself, or the JSON files in it, in the order of their names.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |error| ReadError::io(path, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        files.push(entry.map_err(io)?.path());
    }
    files.retain(|file| json::is_named_so(file));
    files.sort();
    if files.is_empty() {
        return Err(ReadError::unexpected(path, "a folder of results must hold JSON files", "none"));
    }
    Ok(files)
}

/// The list in the object `object` of `path`.
fn list_of(path: &Path, mut object: Map<String, Json>) -> Result<Vec<Listed>, ReadError> {
    let refuse = |found: &str| ReadError::unexpected(path, RULE, found);
    if object.contains_key("people") || object.contains_key("bodies") {
        let hint = "write results in COCO's form: for AlphaPose, run it with `--format coco`";
        return Err(refuse("people of OpenPose, whose joints have another order").advised(hint));
    }
    if object.contains_key("annotations") {
        let hint = "read it with `motionmill ingest coco --annotations FILE`";
        return Err(refuse("an object with `annotations`: annotations, not results").advised(hint));
    }
    match object.shift_remove("instance_info") {
        Some(list @ Json::Array(_)) => {
            serde_json::from_value(list).map_err(|error| ReadError::json(path, RULE, &error))
        }
        _ => Err(refuse("an object")),
    }
}

/// The detections of `list`; those that name no picture are of the one that is called like the file `path`.
fn of_list(path: &Path, list: Vec<Listed>) -> Result<Vec<Entry<Detection>>, ReadError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    let of_file = |mut value: Json| {
        if let Json::Object(object) = &mut value {
            object.insert(ID.to_owned(), stem.into());
        }
        Entry::of(value)
    };
    let (mut entries, several) = (Vec::with_capacity(list.len()), list.len() > 1);
    for listed in list {
        match listed {
            Listed::Named(entry) => entries.push(entry),
            Listed::Unnamed(mut value) => match value.get_mut("instances").map(Json::take) {
                Some(Json::Array(_)) if several => {
                    let found = "the frames of a video, which name no pictures";
                    let hint = "run mmpose on the pictures, so that it writes a file for each";
                    return Err(ReadError::unexpected(path, RULE, found).advised(hint));
                }
                Some(Json::Array(instances)) => entries.extend(instances.into_iter().map(of_file)),
                _ if value.get("preds").is_some() => match batch(&value) {
                    Some(detections) => entries.extend(detections.into_iter().map(Entry::of)),
                    None => entries.push(Entry::Unsound(Unsound {
                        detail: "`preds` and `image_paths` must be lists of one length".to_owned(),
                        image_id: None,
                        bbox: None,
                    })),
                },
                _ => entries.push(of_file(value)),
            },
        }
    }
    Ok(entries)
}

/// Place of the score in a box of mmpose: centre, scale and area come before.
const BOX_SCORE: usize = 5;

/// The detections of a batch of mmpose.
fn batch(value: &Json) -> Option<Vec<Json>> {
    let (poses, paths) = (value["preds"].as_array()?, value["image_paths"].as_array()?);
    let score = |row: usize| value["boxes"][row][BOX_SCORE].clone();
    let one = |(row, (pose, path)): (usize, (&Json, &Json))| json!({ ID: path, "keypoints": pose, "score": score(row) });
    (poses.len() == paths.len()).then(|| poses.iter().zip(paths).enumerate().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::COCO17;
    use serde_json::json;

    fn read_value(name: &str, value: &Json) -> Result<Vec<Detection>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        let entries = read(&path).map_err(|error| error.to_string())?;
        entries
            .into_iter()
            .map(|entry| match entry {
                Entry::Sound(one) => Ok(one),
                Entry::Unsound(found) => Err(found.detail),
            })
            .collect()
    }

    #[test]
    fn every_form_gives_the_same_detection() {
        let flat: Vec<f64> = (0..17).flat_map(|joint| [f64::from(joint) + 1.0, 5.0, 0.5]).collect();
        let nested: Vec<[f64; 2]> = (0..17).map(|joint| [f64::from(joint) + 1.0, 5.0]).collect();
        let triples: Vec<&[f64]> = flat.chunks(3).collect();
        let inferred = json!({ "keypoints": nested, "keypoint_scores": vec![0.5; 17], "bbox": [[1, 2, 3, 4]], "bbox_score": 0.25 });
        for value in [
            json!([{ "image_id": "walk.jpg", "category_id": 1, "keypoints": flat, "score": 0.25 }]),
            json!([{ "image_id": "walk.jpg", "keypoints": triples, "score": "0.25", "box": [1, 2, 3, 4], "idx": [0.0] }]),
            json!([{ "file_name": "walk.jpg", "keypoints": flat, "score": 0.25 }]),
            json!([inferred]),
            json!([{ "preds": [triples], "boxes": [[0, 0, 1, 1, 9, 0.25]], "image_paths": ["walk.jpg"], "bbox_ids": [0] }]),
            json!({ "meta_info": {}, "instance_info": [inferred] }),
            json!({ "instance_info": [{ "frame_id": 1, "instances": [inferred] }] }),
        ] {
            let found = read_value("walk.json", &value).unwrap();
            let [one] = &found[..] else { panic!("one detection of {value}") };
            assert!(
                matches!(&one.image_id, Key::Text(name) if name == "walk.jpg" || name == "walk"),
                "{value}"
            );
            let (points, scores) = one.points(&COCO17).unwrap();
            assert_eq!((points[16], scores[16], one.score), ([17.0, 5.0], 0.5, Some(0.25)), "{value}");
        }
    }

    #[test]
    fn what_was_not_found_has_no_place() {
        let mut keypoints = vec![json!(3.0); 51];
        for (at, value) in [(0, 0), (1, 0), (2, 0)] {
            keypoints[at] = json!(value);
        }
        keypoints[3] = Json::Null;
        let found = read_value("a.json", &json!([{ "image_id": 1, "keypoints": keypoints }])).unwrap();
        let (points, _) = found[0].points(&COCO17).unwrap();
        assert!(points[0][0].is_nan() && points[1][0].is_nan() && points[2] == [3.0, 3.0]);
    }

    #[test]
    fn other_forms_are_named() {
        let message = |value: &Json| read_value("a.json", value).err().unwrap();
        assert!(message(&json!({ "version": 1.3, "people": [] })).contains("found people of OpenPose"));
        assert!(message(&json!({ "images": [], "annotations": [] })).contains("annotations, not results"));
        assert!(message(&json!({ "a": 1 })).contains("found an object"));
        let frame = json!({ "frame_id": 1, "instances": [] });
        assert!(message(&json!({ "instance_info": [frame, frame] })).contains("frames of a video"));
        assert!(message(&json!([{ "keypoints": [] }])).contains("missing field `image_id`"));
        assert_eq!(
            message(&json!([{ "image_id": 1, "keypoints": [1, "x", 2] }])).split(':').next(),
            Some("`keypoints[1]`")
        );
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).err().unwrap().to_string().contains("must hold JSON files, found none"));
        for name in ["b", "a"] {
            let value = json!([{ "image_id": format!("{name}.jpg"), "keypoints": [], "score": 1 }]);
            fs::write(folder.path().join(format!("{name}.json")), value.to_string()).unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let found = read(folder.path()).unwrap();
        let names = found.iter().map(|entry| match entry {
            Entry::Sound(one) => one.image_id.to_string(),
            Entry::Unsound(found) => found.detail.clone(),
        });
        assert_eq!(names.collect::<Vec<_>>(), ["`a.jpg`", "`b.jpg`"]);
    }
}
