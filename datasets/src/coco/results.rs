//! COCO results: a model's detections, joined to the people that it was shown.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{schema_with, skeleton_of};
use schemas::tables::keypoints::{self, DETECTION_SCORE, IMAGE_PATH};
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};

use super::detections::{self, Detection};
use super::entry::Entry;
use super::joining::{Joining, Unmatched};
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
    /// What is done with detections that belong to nobody. `coco-oks` and `crowdpose` count them as false people, so keep
    /// them for these.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t, value_name = "RULE"))]
    pub unmatched: Unmatched,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_default(unmatched: &Unmatched) -> bool {
    *unmatched == Unmatched::default()
}

impl Source for CocoResultsConfig {
    const INPUTS: &'static [&'static str] = &["people"];

    fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        let schema = keypoints::schema(skeleton_of(&inputs[0])?);
        let schema = schema_with(&schema, Field::new(DETECTION_SCORE, DataType::Float64, true));
        Ok(Arc::new(match self.unmatched {
            Unmatched::Reject => schema,
            Unmatched::Keep => schema_with(&schema, Field::new(IMAGE_PATH, DataType::Utf8, true)),
        }))
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
        let options = ResultOptions { category: self.category_id, model, unmatched: self.unmatched };
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
    /// What is done with detections of nobody.
    pub unmatched: Unmatched,
}

/// Results as a table.
#[derive(Debug)]
pub struct Results {
    /// Rows of the table `keypoints` with the column [`DETECTION_SCORE`], in the order of the people. With
    /// [`Unmatched::Keep`] in the order of the file, with the column [`IMAGE_PATH`] too.
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
    let mut joining = Joining::new(path, people, skeleton, options.unmatched)?;
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
    let notes = joining.notes();
    let batch = match options.unmatched {
        Unmatched::Reject => joining.people(&options.model),
        Unmatched::Keep => joining.detections(&options.model),
    };
    Ok(Results { batch, rejects: joining.rejects(), notes })
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
