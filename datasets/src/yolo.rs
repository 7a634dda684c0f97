//! Reader of YOLO-pose data sets: a `data.yaml` and one label file per picture.
//!
//! Format: docs.ultralytics.com/datasets/pose. Numbers of a label are fractions of the picture's width and height,
//! so x px = fraction · width, as `ultralytics` scales them; every picture is opened for its size.

mod data_file;
mod labels;

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::crowd;
use schemas::tables::people::{self, Person, Pose};
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::coco::{STATED_KEY, place_by_box};
use crate::pixels;
use crate::source::{OpenSource, Source};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, skeleton_file};
use data_file::{DataFile, Picture, Pictures};
use labels::{Label, labels};

/// Name of the data set in ids and rows if none is given.
const DATASET: &str = "yolo";

/// YOLO-pose: the `data.yaml` of a data set, with its label files and pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct YoloConfig {
    /// The `data.yaml`; it says where pictures are, relative to its own folder.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// The skeleton whose order the keypoints have: its name, or a file of one's own. By default the known one of the
    /// file's `kpt_names` or `flip_idx`, else the one that the file itself states there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "skeleton"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub skeleton: Option<String>,
    /// Name of the category (YOLO's class) to read, where the file has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub category: Option<String>,
    /// Name of the data set; `yolo` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub dataset: Option<String>,
}

impl Source for YoloConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        let file = DataFile::read(&self.annotations)?;
        Ok(people::schema(file.skeleton(self.skeleton.as_deref())?))
    }

    fn files(&self) -> Vec<PathBuf> {
        let skeleton = self.skeleton.as_deref().and_then(skeleton_file);
        skeleton.into_iter().chain([self.annotations.clone()]).collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (annotations, files) = read(self)?;
        Ok(OpenSource::from(annotations).with_files(files))
    }
}

/// People of the data set, and the lists and label files that were read: splits in the order train, validation, test, pictures
/// of a folder by name, those of a list in its order, people in the order of their lines.
///
/// A picture without a label file, or with an empty one, gives one row without a person. `center` is that of the box
/// and `scale` its longer side / 200 px, since the format states neither; the box is in `attributes`. Rejects are
/// lines of another shape or class, and pictures that are missing or unreadable.
///
/// # Errors
/// When the `data.yaml` or a folder or list that it names cannot be read, or its keypoints
/// determine no skeleton.
pub fn read(config: &YoloConfig) -> Result<(Annotations, Vec<PathBuf>), ReadError> {
    let file = DataFile::read(&config.annotations)?;
    let skeleton = file.skeleton(config.skeleton.as_deref())?;
    let class = file.class(config.category.as_deref())?;
    let dataset = config.dataset.as_deref().unwrap_or(DATASET);
    let Pictures { all: pictures, lists } = file.pictures()?;
    let mut ids = UniqueIds::default();
    let mut found = Annotations { skeleton, people: Vec::new(), images: pictures.len(), rejects: Vec::new() };
    let mut files = lists;
    for picture in &pictures {
        let source_file = picture.label.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut reject = |record: String, reason: &str, detail: String| {
            found.rejects.push(Reject {
                stage: DATASET.to_owned(),
                reason: reason.to_owned(),
                source_file: Some(source_file.clone()),
                source_record: Some(record),
                detail,
                ..Reject::default()
            });
        };
        // Trainers turn a picture by its EXIF orientation, so labels are fractions of the turned sides.
        let size = match pixels::size_and_turn(&picture.image) {
            Ok((size, turn)) => turn.turned(size),
            Err(error) => {
                reject(picture.image.display().to_string(), error.reason(), error.to_string());
                continue;
            }
        };
        let text = match crate::files::read_to_string(&picture.label) {
            Ok(text) => {
                files.push(picture.label.clone());
                text
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ReadError::io(&picture.label, error)),
        };
        let mut of_picture = Vec::new();
        for (line, label) in labels(&text, skeleton.len(), file.dimensions(), size) {
            let record = format!("line {line}");
            match label {
                Err(detail) => reject(record, "record of another shape", detail),
                Ok(label) if class.is_some_and(|class| class != label.class) => {
                    reject(record, "another class", format!("class {}", label.class));
                }
                Ok(label) => of_picture.push(person(&label, picture, size, record)),
            }
        }
        if text.trim().is_empty() {
            of_picture.push(blank(picture, size, skeleton.len()));
        }
        for (index, person) in of_picture.iter_mut().enumerate() {
            let image = picture.image.to_string_lossy();
            person.person_index = person.person_index.map(|_| index as i32);
            person.sample_id = ids.of(dataset, &image, person.person_index);
            person.source_file.clone_from(&source_file);
            dataset.clone_into(&mut person.dataset);
        }
        crowd::fill_others(&mut of_picture);
        found.people.extend(of_picture);
    }
    files.sort_unstable();
    Ok((found, files))
}

/// A row of which nothing but the picture is known.
fn blank(picture: &Picture, [width, height]: [u32; 2], joints: usize) -> Person {
    Person {
        split: picture.split.to_owned(),
        image_path: picture.image.to_string_lossy().into_owned(),
        image_size: Some([width as i32, height as i32]),
        pose: Pose::unknown(joints),
        source_record: "picture".to_owned(),
        ..Person::default()
    }
}

fn person(label: &Label, picture: &Picture, size: [u32; 2], record: String) -> Person {
    let mut person = Person {
        person_index: Some(0),
        pose: label.pose.clone(),
        source_record: record,
        ..blank(picture, size, label.pose.keypoints.len())
    };
    let mut attributes = Map::new();
    place_by_box(&mut person, label.box_xywh_px, &mut attributes);
    attributes.insert(STATED_KEY.into(), json!({ "bbox": label.box_xywh_px }));
    person.attributes = Some(Json::Object(attributes).to_string());
    person
}

/// The label file of the picture `image`: below `labels` instead of the last `images` of its path.
fn label_of(image: &Path) -> PathBuf {
    let mut parts: Vec<_> = image.components().map(|part| part.as_os_str().to_owned()).collect();
    if let Some(folder) = parts.iter_mut().rev().skip(1).find(|part| *part == "images") {
        *folder = "labels".into();
    }
    parts.iter().collect::<PathBuf>().with_extension("txt")
}

#[cfg(test)]
mod tests;
