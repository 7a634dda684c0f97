//! Boxes of a detector as people: COCO results with `bbox`, such as the detection files of the high-resolution network's code.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{fixed_list, schema_with, skeleton_of, with_column};
use schemas::tables::keypoints::{BOX, DETECTION_SCORE};
use schemas::tables::people::{self, Person, Pose};
use schemas::tables::rejects::Reject;
use schemas::tables::{in_space, vector_array};
use serde::{Deserialize, Serialize};

use super::DATASET;
use super::entry::Entry;
use super::image_keys::{ImageKeys, Unjoined};
use crate::ReadError;
use crate::export::all_people;
use crate::json::{self, Key};
use crate::source::{OpenSource, Source};

/// What the file must be.
const RULE: &str = "boxes must be a list of objects with `image_id`, `bbox` and `score`";
/// A scale of 1 stands for a person this high, in px of the image.
const PX_PER_SCALE: f64 = 200.0;

/// Boxes of people that a detector saw (COCO results with `bbox`), joined to the pictures of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct BoxesConfig {
    /// The file: a JSON list of `{image_id, category_id, bbox: [x, y, width, height], score}`, maybe packed by gzip.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Number of the category of people.
    #[serde(default = "person")]
    #[cfg_attr(feature = "clap", arg(long, default_value_t = person(), value_name = "NUMBER"))]
    pub category_id: i64,
    /// Boxes with a lower score are left out.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, default_value_t = 0.0, value_name = "NUMBER"))]
    pub minimum_score: f64,
}

/// COCO's number of people.
fn person() -> i64 {
    1
}

/// One box.
#[derive(Deserialize)]
struct Detected {
    #[serde(alias = "file_name", alias = "image_path")]
    image_id: Key,
    #[serde(default, deserialize_with = "json::maybe_whole")]
    category_id: Option<i64>,
    #[serde(deserialize_with = "json::numbers")]
    bbox: Vec<f64>,
    #[serde(default, deserialize_with = "json::maybe_number")]
    score: Option<f64>,
}

impl Source for BoxesConfig {
    const INPUTS: &'static [&'static str] = &["people"];

    fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(with_box_fields(&people::schema(skeleton_of(&inputs[0])?)))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.file.clone()]
    }

    fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let refused = |rule: &str, found: String| ReadError::unexpected(&self.file, rule.to_owned(), found);
        let (skeleton, shown) = all_people(&inputs[0]).map_err(|error| {
            refused("boxes need the people whose pictures they are of", error.to_string())
        })?;
        let (keys, numbers) = ImageKeys::new(&shown)
            .map_err(|error| refused("boxes must be of one set of images", error.to_string()))?;
        // Of each picture, the first row stands for it.
        let mut pictures: HashMap<i64, &Person> = HashMap::new();
        for (person, number) in shown.iter().zip(numbers) {
            pictures.entry(number).or_insert(person);
        }
        let text = json::read(&self.file)?;
        let entries: Vec<Entry<Detected>> = json::parse(&self.file, RULE, &text)?;
        let mut found = Found::new(&self.file, skeleton.len());
        for (row, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Unsound(other) => found.reject(row, "record of another shape", other.detail),
                Entry::Sound(one) => self.take(row, &one, &keys, &pictures, &mut found),
            }
        }
        let Found { people, boxes, scores, rejects, below, .. } = found;
        let batch = people::to_batch(skeleton, &people);
        let [corners, score] = fields();
        let array = vector_array(boxes.iter().map(|corners| Some(&corners[..])), 4);
        let batch = with_column(&batch, corners, array).map_err(ReadError::from)?;
        let scores = scores.into_iter().collect::<Float64Array>();
        let batch = with_column(&batch, score, Arc::new(scores)).map_err(ReadError::from)?;
        let least = self.minimum_score;
        let notes =
            (below > 0).then(|| format!("{below} boxes have a score below {least}, and are left out"));
        Ok(OpenSource::from(vec![batch]).with(rejects, notes.into_iter().collect()))
    }
}

impl BoxesConfig {
    fn take(
        &self,
        row: usize,
        one: &Detected,
        keys: &ImageKeys,
        pictures: &HashMap<i64, &Person>,
        found: &mut Found,
    ) {
        if let Some(category) = one.category_id.filter(|category| *category != self.category_id) {
            return found.reject(row, "another category", format!("category {category}"));
        }
        let [x, y, width, height] = one.bbox[..] else {
            let detail = format!("`bbox` must be 4 numbers, found {}", one.bbox.len());
            return found.reject(row, "record of another shape", detail);
        };
        let is_box = one.bbox.iter().all(|value| value.is_finite()) && width > 0.0 && height > 0.0;
        if !is_box {
            return found.reject(row, "no box", format!("`bbox` is {:?}", one.bbox));
        }
        if one.score.is_some_and(|score| !score.is_finite()) {
            return found.reject(row, "no score", format!("`score` is {:?}", one.score));
        }
        if one.score.is_some_and(|score| score < self.minimum_score) {
            found.below += 1;
            return;
        }
        let picture = match keys.find(&one.image_id) {
            Ok(number) => pictures[&number],
            Err(Unjoined { reason, detail }) => return found.reject(row, reason, detail),
        };
        found.add(row, picture, [x, y, x + width, y + height], one.score);
    }
}

/// What came of the file.
struct Found {
    file: String,
    joints: usize,
    people: Vec<Person>,
    boxes: Vec<[f64; 4]>,
    scores: Vec<Option<f64>>,
    rejects: Vec<Reject>,
    /// Boxes that were left out for their score.
    below: u64,
    /// By the id of a picture's first row, its boxes so far.
    counts: HashMap<String, i32>,
}

impl Found {
    fn new(file: &Path, joints: usize) -> Self {
        Self {
            file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            joints,
            people: Vec::new(),
            boxes: Vec::new(),
            scores: Vec::new(),
            rejects: Vec::new(),
            below: 0,
            counts: HashMap::new(),
        }
    }

    fn reject(&mut self, row: usize, reason: &str, detail: String) {
        self.rejects.push(Reject {
            stage: DATASET.to_owned(),
            reason: reason.to_owned(),
            sample_id: None,
            source_file: Some(self.file.clone()),
            source_record: Some(format!("[{row}]")),
            detail,
            rows: 1,
        });
    }

    fn add(&mut self, row: usize, picture: &Person, corners: [f64; 4], score: Option<f64>) {
        let number = self.counts.entry(picture.sample_id.clone()).or_default();
        let [x1, y1, x2, y2] = corners;
        self.people.push(Person {
            sample_id: format!("{}-d{number}", picture.sample_id),
            dataset: picture.dataset.clone(),
            split: picture.split.clone(),
            image_path: picture.image_path.clone(),
            image_size: picture.image_size,
            person_index: Some(*number),
            center: Some([f64::midpoint(x1, x2), f64::midpoint(y1, y2)]),
            scale: Some((x2 - x1).max(y2 - y1) / PX_PER_SCALE),
            pose: Pose::unknown(self.joints),
            source_file: self.file.clone(),
            source_record: format!("[{row}]"),
            ..Person::default()
        });
        *number += 1;
        self.boxes.push(corners);
        self.scores.push(score);
    }
}

fn fields() -> [Field; 2] {
    [
        in_space(Field::new(BOX, fixed_list(DataType::Float64, 4), false), "image"),
        Field::new(DETECTION_SCORE, DataType::Float64, true),
    ]
}

fn with_box_fields(schema: &SchemaRef) -> SchemaRef {
    Arc::new(fields().into_iter().fold(schema.as_ref().clone(), |schema, field| schema_with(&schema, field)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;
    use schemas::columns::vectors_f64;
    use schemas::skeleton::COCO17;

    fn read(text: &str, minimum_score: f64) -> Result<OpenSource, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("boxes.json");
        std::fs::write(&file, text).unwrap();
        let shown = [person("a.jpg", 0), person("a.jpg", 1), person("b.jpg", 0)];
        BoxesConfig { file, category_id: 1, minimum_score }.open(&[vec![people::to_batch(&COCO17, &shown)]])
    }

    #[test]
    fn boxes_become_people_of_their_pictures() {
        let text = r#"[
            {"image_id": "a.jpg", "category_id": 1, "bbox": [10, 20, 40, 100], "score": 0.9},
            {"image_id": "b.jpg", "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.2},
            {"image_id": "a.jpg", "category_id": 18, "bbox": [0, 0, 10, 10], "score": 0.9},
            {"image_id": "a.jpg", "bbox": [1, 2, 30, 10], "score": 0.5},
            {"image_id": "c.jpg", "bbox": [1, 2, 30, 10], "score": 0.5},
            {"image_id": "a.jpg", "bbox": [1, 2, 0, 10], "score": 0.5},
            {"image_id": "a.jpg", "bbox": [1, 2, 3], "score": 0.5}
        ]"#;
        let source = read(text, 0.3).unwrap();
        let reasons: Vec<&str> = source.rejects().iter().map(|reject| reject.reason.as_str()).collect();
        assert_eq!(
            reasons,
            ["another category", "image not in the people", "no box", "record of another shape"]
        );
        let batch = source.chunks(9).next().unwrap().unwrap().load.now().unwrap().batches.remove(0);
        let rows = people::from_batch(&batch).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].center, rows[0].scale), (Some([30.0, 70.0]), Some(0.5)));
        assert_eq!(rows[1].person_index, Some(1));
        assert_ne!(rows[0].sample_id, rows[1].sample_id);
        assert_eq!(rows[0].pose.annotated(), 0);
        let boxes = vectors_f64(&batch, BOX, 4).unwrap();
        assert_eq!(boxes.row(0).unwrap(), [10.0, 20.0, 50.0, 120.0]);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(read("{}", 0.0).unwrap_err().to_string().contains("boxes must be a list"));
    }
}
