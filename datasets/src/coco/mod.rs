//! COCO keypoints: annotations into people, results into predictions, and what both share with the writers.
//!
//! Coordinates of COCO count from 0, as ours do, and its visibility is ours. Not kept: outlines (`segmentation`),
//! licences, addresses and dates of the images.

mod category;
mod entry;
mod image_ids;
mod oks;
mod person_box;
mod reading;
mod results;
mod stated;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError};
use category::Category;
use entry::{Annotation, Entry, Image};
use reading::Reading;

pub(crate) use entry::Kept;
pub use image_ids::{ImageIds, SameImageId};
pub use oks::{oks, sigmas};
pub use person_box::{BoxRule, BoxSource, PersonBox};
pub use results::{DETECTION_SCORE, ResultOptions, Results, read_results};
pub use stated::Stated;

/// Name of the data set in ids and rows unless told otherwise.
pub const DATASET: &str = "coco";

/// Split of people of a file whose name tells none.
const NO_SPLIT: &str = "unassigned";

/// How the file is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder that the file names of the images are relative to.
    pub images: PathBuf,
    /// Name of the category to read, where several have keypoints.
    pub category: Option<String>,
    /// Name of the data set, for files in COCO's format that are not COCO; [`DATASET`] if not given.
    pub dataset: Option<String>,
    /// The split of all people; else the file's name tells (`train`, `val`, `test`), else they are `unassigned`.
    pub split: Option<String>,
}

#[derive(Deserialize)]
struct File {
    images: Vec<Entry<Image>>,
    annotations: Vec<Entry<Annotation>>,
    categories: Vec<Category>,
}

/// People of the COCO keypoint annotations at `path`.
///
/// Rows follow the file's order of images, in an image that of its annotations; an image without annotations has one
/// row without a person. People without keypoints stay, unlabelled. A crowd is no person: it is a reject, as are
/// annotations of other categories, of unknown images or of another shape. `center` is that of the box and `scale`
/// its longer side / 200 px, for COCO states neither; files that motionmill wrote carry their own. Box, area and the
/// numbers of image and annotation stand in `attributes` below `coco`.
///
/// # Errors
/// When the file cannot be read, is no COCO annotation file, has two images of one number, or not one category with
/// the keypoints of a known skeleton.
pub fn read(path: &Path, options: &Options) -> Result<Annotations, ReadError> {
    let bytes = std::fs::read(path).map_err(|error| ReadError::io(path, error))?;
    let rule = "COCO annotations must be an object with `images`, `annotations` and `categories`";
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(ReadError::unexpected(path, rule, "a list (results of a model?)"));
    }
    let file: File = serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ReadError::unexpected(path, rule, error.to_string()),
        _ => ReadError::malformed(path, "JSON", error.to_string()),
    })?;
    drop(bytes);
    let (category, skeleton) = category::choose(&file.categories, options.category.as_deref())
        .map_err(|found| ReadError::unexpected(path, category::RULE, found))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reading = Reading {
        dataset: options.dataset.as_deref().unwrap_or(DATASET),
        split: options.split.as_deref().unwrap_or_else(|| split_of(&name)),
        images: &options.images,
        file: name.clone(),
        category,
        skeleton,
        ids: UniqueIds::default(),
        rejects: Vec::new(),
    };
    let (images, annotations) = (reading.sound_images(path, file.images)?, file.annotations);
    let people = reading.people(&images, annotations);
    Ok(Annotations { skeleton, people, images: images.len(), rejects: reading.rejects })
}

/// The split that the file's name tells.
fn split_of(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let splits = [("train", "train"), ("val", "validation"), ("test", "test")];
    splits.into_iter().find(|(part, _)| name.contains(part)).map_or(NO_SPLIT, |(_, split)| split)
}

#[cfg(test)]
mod tests;
