//! COCO results: a model's detections, joined to the people that it was shown.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{schema_with, skeleton_of, with_column};
use schemas::tables::keypoints::{self, DETECTION_SCORE, PredictedPose};
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};

use super::candidates::Candidates;
use super::detections::{self, Detection};
use super::entry::Entry;
use super::image_keys::{ImageKeys, Unjoined};
use super::{BoxRule, DATASET, PersonBox, oks, sigmas};
use crate::ReadError;
use crate::export::all_people;
use crate::predictions::model_name;
use crate::source::{OpenSource, Source};

/// COCO results JSON, of `AlphaPose` or mmpose too: detections, matched to the people they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct CocoResultsConfig {
    /// The file, or a folder of such files.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Number of the category, where the file has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NUMBER"))]
    pub category_id: Option<i64>,
    /// What made the predictions; the file's name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub model: Option<String>,
}

impl Source for CocoResultsConfig {
    const INPUTS: &'static [&'static str] = &["people"];

    fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        let schema = keypoints::schema(skeleton_of(&inputs[0])?);
        Ok(Arc::new(schema_with(&schema, Field::new(DETECTION_SCORE, DataType::Float64, true))))
    }

    fn files(&self) -> Vec<PathBuf> {
        // Those of a folder are found when it is opened.
        if self.file.is_dir() { Vec::new() } else { vec![self.file.clone()] }
    }

    fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (skeleton, people) = all_people(&inputs[0]).map_err(|error| {
            ReadError::unexpected(
                &self.file,
                "COCO results need the people they belong to",
                error.to_string(),
            )
        })?;
        let model = model_name(self.model.as_ref(), &self.file);
        let options = ResultOptions { category: self.category_id, model };
        let Results { batch, rejects, notes } = read_results(&self.file, &people, skeleton, &options)?;
        let files = if self.file.is_dir() { detections::files(&self.file)? } else { Vec::new() };
        Ok(OpenSource::from(vec![batch]).with(rejects, notes).with_files(files))
    }
}

/// How results are read.
#[derive(Debug, Clone, Default)]
pub struct ResultOptions {
    /// Number of the category to read, where the file has several.
    pub category: Option<i64>,
    /// What made the predictions.
    pub model: String,
}

/// Results as a table.
#[derive(Debug)]
pub struct Results {
    /// Rows of the table `keypoints`, in the order of the people, with the column [`DETECTION_SCORE`].
    pub batch: RecordBatch,
    /// Detections that belong to nobody, each with the reason; together with the rows they are all detections
    /// of the file.
    pub rejects: Vec<Reject>,
    /// What a reader of the table must know.
    pub notes: Vec<String>,
}

/// Reads the COCO results at `path` for `people`, whose joints they have in the order of `skeleton`.
///
/// A detection that states a `sample_id` belongs to that person. The others of an image are matched greedily: first
/// the pair of person and detection with the largest object keypoint similarity, then the largest of the rest; ties
/// go by score, then by order. If an image has one person, the detection with the largest similarity is theirs,
/// however small it is; otherwise the similarity must be above 0. Of more than 256 detections in an image, a person is
/// compared with the 64 whose middles are nearest. An image is identified by its number, as [`super::ImageIds`] counts
/// them, by its file name, or by that without ending. The third number of a point becomes the joint's `score`; a point of
/// three zeros was not found.
///
/// [`super::detections`] lists the forms in which detections come.
///
/// # Errors
/// When the file cannot be read or is no list of detections, detections are of several categories and `options`
/// choose none, or two images of the people have one number.
pub fn read_results(
    path: &Path,
    people: &[Person],
    skeleton: &'static Skeleton,
    options: &ResultOptions,
) -> Result<Results, ReadError> {
    let entries = detections::read(path)?;
    let category = only_category(&entries, options.category).map_err(|found| {
        ReadError::unexpected(path, "results must be of one category, or one be chosen", found)
    })?;
    let mut joining = Joining::new(path, people, skeleton)?;
    for (row, entry) in entries.into_iter().enumerate() {
        match entry {
            Entry::Unsound(found) => joining.reject(row, None, "record of another shape", found.detail),
            Entry::Sound(one) if category.is_some_and(|category| one.category_id != category) => {
                joining.reject(row, None, "another category", format!("category {}", one.category_id));
            }
            Entry::Sound(one) => joining.take(row, &one),
        }
    }
    joining.match_images();
    Ok(joining.finish(&options.model))
}

/// The category to read; `None` where all have the same.
fn only_category(entries: &[Entry<Detection>], wanted: Option<i64>) -> Result<Option<i64>, String> {
    let sound = entries.iter().filter_map(|entry| match entry {
        Entry::Sound(one) => Some(one.category_id),
        Entry::Unsound(_) => None,
    });
    let mut numbers: Vec<i64> = sound.collect::<HashSet<_>>().into_iter().collect();
    numbers.sort_unstable();
    if wanted.is_some() || numbers.len() < 2 {
        return Ok(wanted);
    }
    Err(numbers.iter().map(|number| format!("`{number}`")).collect::<Vec<_>>().join(", "))
}

/// A sound detection: its record, points `[K]`, their scores `[K]`, its own score.
struct Found {
    row: usize,
    keypoints: Vec<[f64; 2]>,
    score: Vec<f64>,
    whole: Option<f64>,
}

struct Joining<'a> {
    people: &'a [Person],
    skeleton: &'static Skeleton,
    file: String,
    by_id: HashMap<&'a str, usize>,
    images: ImageKeys,
    of_image: HashMap<i64, Vec<usize>>,
    /// Detections of each image that are nobody's yet.
    waiting: HashMap<i64, Vec<Found>>,
    /// By person.
    taken: Vec<Option<Found>>,
    rejects: Vec<(usize, Reject)>,
}

impl<'a> Joining<'a> {
    fn new(path: &Path, people: &'a [Person], skeleton: &'static Skeleton) -> Result<Self, ReadError> {
        let (images, numbers) = ImageKeys::new(people).map_err(|error| {
            ReadError::unexpected(path, "results must be of one set of images", error.to_string())
        })?;
        let mut of_image: HashMap<i64, Vec<usize>> = HashMap::new();
        for (index, (person, id)) in people.iter().zip(numbers).enumerate() {
            let someone = person.person_index.is_some() || person.pose.annotated() > 0;
            of_image.entry(id).or_default().extend(someone.then_some(index));
        }
        Ok(Self {
            people,
            skeleton,
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            by_id: people.iter().enumerate().map(|(index, one)| (one.sample_id.as_str(), index)).collect(),
            images,
            of_image,
            waiting: HashMap::new(),
            taken: people.iter().map(|_| None).collect(),
            rejects: Vec::new(),
        })
    }

    fn reject(&mut self, row: usize, sample_id: Option<String>, reason: &str, detail: String) {
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
    fn take(&mut self, row: usize, detection: &Detection) {
        let Detection { image_id, score: whole, sample_id, .. } = detection;
        let (whole, sample_id) = (*whole, sample_id.clone());
        let (keypoints, score) = match detection.points(self.skeleton) {
            Ok(found) => found,
            Err(detail) => return self.reject(row, sample_id, "record of another shape", detail),
        };
        let found = Found { row, keypoints, score, whole };
        let Some(id) = sample_id else {
            match self.images.find(image_id) {
                Ok(image) => self.waiting.entry(image).or_default().push(found),
                Err(Unjoined { reason, detail }) => self.reject(row, None, reason, detail),
            }
            return;
        };
        match self.by_id.get(id.as_str()) {
            None => {
                self.reject(row, Some(id), "no person with this id", format!("image {image_id}"));
            }
            Some(&person) if self.taken[person].is_some() => {
                self.reject(row, Some(id), "detected twice", "the first detection is kept".to_owned());
            }
            Some(&person) => self.taken[person] = Some(found),
        }
    }

    fn match_images(&mut self) {
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
                self.reject(found.row, None, "detection of nobody", detail);
            }
        }
    }

    fn finish(mut self, model: &str) -> Results {
        self.rejects.sort_by_key(|(row, _)| *row);
        let (mut poses, mut missed) = (Vec::new(), 0);
        for (person, found) in self.people.iter().zip(self.taken) {
            let Some(Found { keypoints, score, whole, .. }) = found else {
                missed += usize::from(person.pose.annotated() > 0);
                continue;
            };
            poses.push(PredictedPose {
                sample_id: person.sample_id.clone(),
                split: Some(person.split.clone()),
                head: 1,
                keypoints,
                score: Some(score),
                model: model.to_owned(),
                detection_score: whole,
                ..PredictedPose::default()
            });
        }
        let whole: Float64Array = poses.iter().map(|pose| pose.detection_score).collect();
        let field = Field::new(DETECTION_SCORE, DataType::Float64, true);
        let batch = with_column(&keypoints::to_batch(self.skeleton, &poses), field, Arc::new(whole));
        let batch = batch.expect("as many scores as predictions");
        let notes = (missed > 0).then(|| format!("{missed} labelled people have no detection"));
        let rejects = self.rejects.into_iter().map(|(_, reject)| reject).collect();
        Results { batch, rejects, notes: notes.into_iter().collect() }
    }
}
