//! COCO keypoints: annotations into people, results into predictions, and what both share with the writers.
//!
//! COCO's coordinates count from 0 and its visibility has the same codes, as in the tables. Not kept: outlines
//! (`segmentation`) of people, licences, and the URLs and dates of images.

mod boxes;
mod candidates;
mod categories;
mod category;
pub mod detections;
mod entry;
mod image_ids;
mod image_keys;
mod joining;
mod oks;
mod person_box;
mod reading;
mod results;
mod stated;

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::tables::people;
use serde::{Deserialize, Serialize};

use crate::pictures::Pictures;
use crate::source::{OpenSource, Source};
use crate::split_names::split_of;
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, json, skeleton_called, skeleton_file};
use category::Category;
use entry::{Annotation, Entry, Image};
use reading::Reading;

pub use boxes::BoxesConfig;
pub(crate) use entry::Kept;
pub use image_ids::{ImageIds, SameImageId};
pub use oks::{oks, sigmas};
pub use person_box::{BoxRule, BoxSource, PersonBox};
pub use results::{CocoResultsConfig, ResultOptions, Results, Unmatched, read_results};
pub(crate) use stated::{KEY as STATED_KEY, place_by_box};
pub use stated::{Stated, stated_box};

/// Name of the data set in ids and rows if none is given.
pub const DATASET: &str = "coco";

/// COCO keypoints, or another data set in its format.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct CocoConfig {
    /// The annotation file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// Folder of the images; they may be missing: only stages that need pixels read them.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// Name of the category, where several have keypoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub category: Option<String>,
    /// The skeleton whose order the keypoints have: its name, or a file of one's own. By default the known one with the
    /// joints of the category, else the one that the file itself states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "skeleton"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub skeleton: Option<String>,
    /// Name of the data set, if it is not COCO itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub dataset: Option<String>,
    /// The split of all people; by default told by a word of the file's name (`train`, `val`, `test`), else `unassigned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub split: Option<String>,
}

impl Source for CocoConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        let categories = categories::of_file(&self.annotations)?;
        Ok(people::schema(self.choose(&categories)?.1))
    }

    fn files(&self) -> Vec<PathBuf> {
        let skeleton = self.skeleton.as_deref().and_then(skeleton_file);
        skeleton.into_iter().chain([self.annotations.clone()]).collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(read(self)?.into())
    }
}

impl CocoConfig {
    /// Number and skeleton of the category that is read.
    fn choose(&self, categories: &[Category]) -> Result<(i64, &'static Skeleton), ReadError> {
        let told = self.skeleton.as_deref().map(skeleton_called).transpose()?;
        category::choose(categories, self.category.as_deref(), told).map_err(|(rule, found)| {
            let error = ReadError::unexpected(&self.annotations, rule, found);
            error.advised("choose with `category`, or name the skeleton with `skeleton`")
        })
    }
}

/// What the file must be.
const RULE: &str = "COCO annotations must be an object with `images`, `annotations` and `categories`";

#[derive(Deserialize)]
struct File {
    images: Vec<Entry<Image>>,
    annotations: Vec<Entry<Annotation>>,
    categories: Vec<Category>,
}

/// People of the COCO keypoint annotations of `config`.
///
/// Rows follow the file's order of images, and within an image the order of annotations; an image without
/// annotations gives one row without a person. People without keypoints are kept, unlabelled. Crowds are
/// [regions](schemas::tables::regions) of their picture; so are people who are rejected, or of a category that is not read,
/// so that nobody takes them for background: a picture that shows nothing else has no row. Rejects are annotations of
/// other categories, of unknown images or of another shape. `center` is that of the box and
/// `scale` its longer side / 200 px, since COCO states neither; files that motionmill wrote state both. Box, area
/// and the ids of image and annotation are in `attributes` under `coco`.
///
/// # Errors
/// When the file cannot be read, is no COCO annotation file, has two images of one number, or not one category to choose: see
/// the keys `category` and `skeleton` of [`CocoConfig`].
pub fn read(config: &CocoConfig) -> Result<Annotations, ReadError> {
    let path = &*config.annotations;
    let bytes = json::read(path)?;
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ReadError::unexpected(path, RULE, "a list (results of a model?)"));
    }
    let file: File = json::parse(path, RULE, &bytes)?;
    drop(bytes);
    read_file(config, file)
}

/// As [`read`], of the content `value` of the file.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_value(config: &CocoConfig, value: serde_json::Value) -> Result<Annotations, ReadError> {
    let file = serde_json::from_value(value);
    read_file(config, file.map_err(|error| ReadError::json(&config.annotations, RULE, &error))?)
}

fn read_file(config: &CocoConfig, file: File) -> Result<Annotations, ReadError> {
    let path = &*config.annotations;
    let (category, skeleton) = config.choose(&file.categories)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reading = Reading {
        dataset: config.dataset.as_deref().unwrap_or(DATASET),
        split: config.split.as_deref().unwrap_or_else(|| split_of(&name)),
        pictures: Pictures::new(&config.images),
        file: name.clone(),
        category,
        skeleton,
        people_elsewhere: category::of_people(&file.categories, category),
        ids: UniqueIds::default(),
        rejects: Vec::new(),
    };
    let (images, annotations) = (reading.sound_images(path, file.images)?, file.annotations);
    let people = reading.people(&images, annotations);
    Ok(Annotations { skeleton, people, images: images.len(), rejects: reading.rejects })
}

#[cfg(test)]
mod tests;
