//! Which person of an image each detection belongs to, and the rows that come of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::with_column;
use schemas::sample_id::{file_stem, sanitised};
use schemas::tables::keypoints::{self, DETECTION_SCORE, IMAGE_PATH, PredictedPose};
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};

use super::candidates::Candidates;
use super::detections::Detection;
use super::image_keys::{ImageKeys, Unjoined};
use super::{BoxRule, DATASET, PersonBox, oks, sigmas};
use crate::ReadError;

/// What is done with a detection that belongs to no person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// It is a reject.
    #[default]
    Reject,
    /// It is a row with an id of its own; rows stand in the order of the file, with the column `image_path`.
    Keep,
}

/// A sound detection: its record, points `[K]`, their scores `[K]`, its own score.
struct Found {
    row: usize,
    keypoints: Vec<[f64; 2]>,
    score: Vec<f64>,
    whole: Option<f64>,
    /// Number of its image.
    image: Option<i64>,
}

/// People and the detections that came so far.
pub(super) struct Joining<'a> {
    people: &'a [Person],
    skeleton: &'static Skeleton,
    file: String,
    by_id: HashMap<&'a str, usize>,
    images: ImageKeys,
    of_image: HashMap<i64, Vec<usize>>,
    /// The first row of each image.
    first_of_image: HashMap<i64, usize>,
    unmatched: Unmatched,
    /// Detections of each image that are nobody's yet.
    waiting: HashMap<i64, Vec<Found>>,
    /// By person.
    taken: Vec<Option<Found>>,
    /// Those that are nobody's, where they are kept.
    nobodys: Vec<Found>,
    rejects: Vec<(usize, Reject)>,
}

impl<'a> Joining<'a> {
    pub(super) fn new(
        path: &Path,
        people: &'a [Person],
        skeleton: &'static Skeleton,
        unmatched: Unmatched,
    ) -> Result<Self, ReadError> {
        let (images, numbers) = ImageKeys::new(people).map_err(|error| {
            ReadError::unexpected(path, "results must be of one set of images", error.to_string())
        })?;
        let mut of_image: HashMap<i64, Vec<usize>> = HashMap::new();
        let mut first_of_image = HashMap::new();
        for (index, (person, id)) in people.iter().zip(numbers).enumerate() {
            let someone = person.person_index.is_some() || person.pose.annotated() > 0;
            of_image.entry(id).or_default().extend(someone.then_some(index));
            first_of_image.entry(id).or_insert(index);
        }
        Ok(Self {
            people,
            skeleton,
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            by_id: people.iter().enumerate().map(|(index, one)| (one.sample_id.as_str(), index)).collect(),
            images,
            of_image,
            first_of_image,
            unmatched,
            waiting: HashMap::new(),
            taken: people.iter().map(|_| None).collect(),
            nobodys: Vec::new(),
            rejects: Vec::new(),
        })
    }

    pub(super) fn reject(&mut self, row: usize, sample_id: Option<String>, reason: &str, detail: String) {
        let reject = Reject {
            stage: DATASET.to_owned(),
            reason: reason.to_owned(),
            sample_id,
            source_file: Some(self.file.clone()),
            source_record: Some(format!("[{row}]")),
            detail,
            rows: 1,
        };
        self.rejects.push((row, reject));
    }

    /// Gives `detection` to the person whom it names, or lets it wait for its image.
    pub(super) fn take(&mut self, row: usize, detection: &Detection) {
        let Detection { image_id, score: whole, sample_id, .. } = detection;
        let (whole, sample_id) = (*whole, sample_id.clone());
        let (keypoints, score) = match detection.points(self.skeleton) {
            Ok(found) => found,
            Err(detail) => return self.reject(row, sample_id, "record of another shape", detail),
        };
        let image = self.images.find(image_id);
        let found = Found { row, keypoints, score, whole, image: image.as_ref().ok().copied() };
        let Some(id) = sample_id else {
            match image {
                Ok(image) => self.waiting.entry(image).or_default().push(found),
                Err(Unjoined { reason, detail }) => self.reject(row, None, reason, detail),
            }
            return;
        };
        match self.by_id.get(id.as_str()) {
            None => self.nobodys(found, Some(id), "no person with this id", format!("image {image_id}")),
            Some(&person) if self.taken[person].is_some() => {
                let detail = "the first detection is kept".to_owned();
                self.nobodys(found, Some(id), "detected twice", detail);
            }
            Some(&person) => self.taken[person] = Some(found),
        }
    }

    /// Keeps `found`, which belongs to nobody, where such detections are kept and its image is known; else it is a reject.
    fn nobodys(&mut self, found: Found, sample_id: Option<String>, reason: &str, detail: String) {
        if self.unmatched == Unmatched::Keep && found.image.is_some() {
            self.nobodys.push(found);
        } else {
            self.reject(found.row, sample_id, reason, detail);
        }
    }

    pub(super) fn match_images(&mut self) {
        let mut images: Vec<i64> = self.waiting.keys().copied().collect();
        images.sort_unstable();
        let sigmas = sigmas(self.skeleton);
        for image in images {
            let mut detections: Vec<Option<Found>> =
                self.waiting.remove(&image).unwrap_or_default().into_iter().map(Some).collect();
            let everybody = self.of_image[&image].clone();
            let alone = everybody.len() == 1;
            let keypoints = detections.iter().map(|one| one.as_ref().map(|one| &one.keypoints[..]));
            let near = Candidates::new(keypoints, alone);
            let mut pairs = Vec::new();
            for person in everybody.into_iter().filter(|person| self.taken[*person].is_none()) {
                let area = PersonBox::of(&self.people[person], BoxRule::default(), None);
                let area = area.map_or(1.0, |found| found.area);
                for number in near.of(&self.people[person].pose) {
                    let Some(found) = &detections[number] else { continue };
                    let alike = oks(&self.people[person].pose, area, &found.keypoints, &sigmas);
                    if alike > 0.0 || alone {
                        pairs.push((alike, found.whole.unwrap_or(0.0), person, number));
                    }
                }
            }
            // The sort is stable, so what is equal stays in the order of people, then detections.
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
            for (_, _, person, number) in pairs {
                if self.taken[person].is_none() && detections[number].is_some() {
                    self.taken[person] = detections[number].take();
                }
            }
            for found in detections.into_iter().flatten() {
                let detail = format!("image {image}, score {}", found.whole.unwrap_or(f64::NAN));
                self.nobodys(found, None, "detection of nobody", detail);
            }
        }
    }

    /// Who was missed, and what was kept.
    pub(super) fn notes(&self) -> Vec<String> {
        let labelled =
            |(person, found): &(&Person, &Option<Found>)| found.is_none() && person.pose.annotated() > 0;
        let missed = self.people.iter().zip(&self.taken).filter(labelled).count();
        let (nobodys, kept) = (self.nobodys.len(), "detections belong to nobody; kept as rows of their own");
        let missed = (missed > 0).then(|| format!("{missed} labelled people have no detection"));
        missed.into_iter().chain((nobodys > 0).then(|| format!("{nobodys} {kept}"))).collect()
    }

    pub(super) fn rejects(mut self) -> Vec<Reject> {
        self.rejects.sort_by_key(|(row, _)| *row);
        self.rejects.into_iter().map(|(_, reject)| reject).collect()
    }

    /// The prediction of the row `row` of the people, with its own id if it is theirs.
    fn pose(&self, found: Found, row: usize, sample_id: String, model: &str) -> PredictedPose {
        let person = &self.people[row];
        PredictedPose {
            sample_id,
            split: Some(person.split.clone()),
            head: 1,
            keypoints: found.keypoints,
            score: Some(found.score),
            model: model.to_owned(),
            detection_score: found.whole,
            image_path: Some(person.image_path.clone()),
            ..PredictedPose::default()
        }
    }

    /// One row for each person who was found, in the order of the people.
    pub(super) fn people(&mut self, model: &str) -> RecordBatch {
        let taken = std::mem::take(&mut self.taken).into_iter().enumerate();
        let poses = taken.filter_map(|(person, found)| {
            Some(self.pose(found?, person, self.people[person].sample_id.clone(), model))
        });
        let poses: Vec<PredictedPose> = poses.collect();
        with_scores(&keypoints::to_batch(self.skeleton, &poses), &poses)
    }

    /// One row for each detection of an image of the people, in the order of the file.
    pub(super) fn detections(&mut self, model: &str) -> RecordBatch {
        let taken = std::mem::take(&mut self.taken).into_iter().enumerate();
        let taken = taken.filter_map(|(person, found)| Some((person, found?)));
        let mut rows: Vec<(usize, PredictedPose)> = taken
            .map(|(person, found)| {
                (found.row, self.pose(found, person, self.people[person].sample_id.clone(), model))
            })
            .collect();
        for found in std::mem::take(&mut self.nobodys) {
            let Some(&first) = found.image.and_then(|image| self.first_of_image.get(&image)) else {
                continue;
            };
            let stem = file_stem(&self.people[first].image_path);
            let mut id = sanitised(&format!("{stem}-detection-{}", found.row));
            while self.by_id.contains_key(id.as_str()) {
                id.push('_');
            }
            rows.push((found.row, self.pose(found, first, id, model)));
        }
        rows.sort_unstable_by_key(|(row, _)| *row);
        let poses: Vec<PredictedPose> = rows.into_iter().map(|(_, pose)| pose).collect();
        let batch = with_scores(&keypoints::to_batch(self.skeleton, &poses), &poses);
        let paths: StringArray = poses.iter().map(|pose| pose.image_path.as_deref()).collect();
        with_column(&batch, Field::new(IMAGE_PATH, DataType::Utf8, true), Arc::new(paths))
            .expect("as many paths as predictions")
    }
}

/// `batch` of `poses` with their detections' scores.
fn with_scores(batch: &RecordBatch, poses: &[PredictedPose]) -> RecordBatch {
    let whole: Float64Array = poses.iter().map(|pose| pose.detection_score).collect();
    let field = Field::new(DETECTION_SCORE, DataType::Float64, true);
    with_column(batch, field, Arc::new(whole)).expect("as many scores as predictions")
}
