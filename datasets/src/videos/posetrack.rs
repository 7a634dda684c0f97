//! Reader of `PoseTrack` 2018 and 2021: `posetrack_data/annotations/{train,val}/000342_mpii_test.json`, one file for each
//! video, in COCO's format with more keys.
//!
//! Source: the description of the format that comes with the data set (Andriluka and others, 2018), and `PoseTrack21`,
//! `doc/dataset_structure.md`. The third number of a point says whether the joint is annotated, not whether it
//! is hidden. Numbers of images and people are those of their video; ears have no annotations. `is_labeled` is false of
//! frames that nobody looked at: they are no images without people.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::skeleton::POSETRACK17;
use schemas::tables::people;
use schemas::tables::regions::Why;
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{files_below, last_name, named_files};
use crate::coco::{self, CocoConfig};
use crate::source::{OpenSource, Source};
use crate::split_names::{NO_SPLIT, split_of};
use crate::{Annotations, ReadError, json};

/// Name of the data set in ids, rows and rejects.
const DATASET: &str = "posetrack";
/// What a file must be.
const RULE: &str = "PoseTrack annotations must be an object with `images`, `annotations` and `categories`";
/// Key of `attributes` below which stands what the data set says of a frame.
const KEY: &str = "posetrack";
/// Keys of an image that are kept there.
const KEPT: [&str; 4] = ["vid_id", "frame_id", "nframes", "is_labeled"];
/// Code of a joint that COCO calls visible.
const VISIBLE: f64 = 2.0;

/// `PoseTrack` 2018 and 2021: a folder of JSON files, one for each video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct PosetrackConfig {
    /// The folder of the annotations, or one file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PATH"))]
    pub annotations: PathBuf,
    /// The folder that holds `images`; it may be missing: only stages that need pixels read it.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// The split of all people; by default told by the folders of pictures and annotations, else `unassigned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub split: Option<String>,
}

impl Source for PosetrackConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&POSETRACK17))
    }

    fn files(&self) -> Vec<PathBuf> {
        named_files(&self.annotations)
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (found, files) = read(self)?;
        Ok(OpenSource::from(found).with_files(files))
    }
}

/// People of the videos of `config`, and the files of a folder, in the order of files, frames and annotations.
///
/// As [`coco::read`], but: ids name video, frame and person; joints are visible where they are annotated; the head's box is
/// `head_box`; track and head box stand in `attributes` below `coco`, video and frame below `posetrack`; what is to be ignored
/// are regions of the picture, see [`schemas::tables::regions`]. Frames that are not labelled are rejects.
///
/// # Errors
/// When the folder or a file cannot be read, there is no file, or one has another skeleton.
pub fn read(config: &PosetrackConfig) -> Result<(Annotations, Vec<PathBuf>), ReadError> {
    let files = files_below(&config.annotations, "JSON files", json::is_named_so)?;
    let mut all = Annotations { skeleton: &POSETRACK17, people: Vec::new(), images: 0, rejects: Vec::new() };
    for path in &files {
        let mut video: Video = json::parse(path, RULE, &json::read(path)?)?;
        let split = config.split.clone().unwrap_or_else(|| video.split(path).to_owned());
        let (about, unlabelled) = video.prepare();
        let coco = CocoConfig {
            annotations: path.clone(),
            images: config.images.clone(),
            category: None,
            skeleton: None,
            dataset: Some(DATASET.to_owned()),
            split: Some(split),
        };
        let content = json!({ "images": video.images, "annotations": video.annotations, "categories": video.categories });
        let mut found = coco::read_value(&coco, content)?;
        if found.skeleton != &*POSETRACK17 {
            let found = format!("`{}`", found.skeleton.name);
            return Err(ReadError::unexpected(path, "PoseTrack annotations must have its skeleton", found)
                .advised("read it with `motionmill ingest coco --annotations FILE`"));
        }
        for person in &mut found.people {
            let mut attributes: Map<String, Json> = person
                .attributes
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            let image = attributes.get(coco::STATED_KEY).and_then(|coco| coco["image_id"].as_i64());
            if let Some(about) = image.and_then(|image| about.get(&image)) {
                attributes.insert(KEY.into(), Json::Object(about.clone()));
            }
            attributes.insert("visibility_means".into(), "annotated".into());
            person.attributes = Some(Json::Object(attributes).to_string());
        }
        let source_file = last_name(path);
        found.rejects.extend(unlabelled.into_iter().map(|name| Reject {
            reason: "frame not labelled".to_owned(),
            source_file: Some(source_file.clone()),
            source_record: Some(format!("image `{name}`")),
            detail: "`is_labeled` is false: nobody looked for people in it".to_owned(),
            ..Reject::default()
        }));
        all.rejects
            .extend(found.rejects.into_iter().map(|reject| Reject { stage: DATASET.to_owned(), ..reject }));
        all.images += found.images;
        all.people.extend(found.people);
    }
    let files = if config.annotations.is_dir() { files } else { Vec::new() };
    Ok((all, files))
}

/// One file.
#[derive(Deserialize)]
struct Video {
    images: Vec<Json>,
    #[serde(default)]
    annotations: Vec<Json>,
    #[serde(default)]
    categories: Vec<Json>,
}

/// What is kept of an image, by its number.
type About = HashMap<i64, Map<String, Json>>;

impl Video {
    /// The split that a folder of the pictures names, else the folder of the file `path`: the name of a video may hold `test`
    /// and be of the validation split.
    fn split(&self, path: &Path) -> &'static str {
        let picture = self.images.first().and_then(|image| image["file_name"].as_str()).unwrap_or_default();
        let mut folders: Vec<&str> = picture.split(['/', '\\']).collect();
        // The last two are the video and the frame.
        folders.truncate(folders.len().saturating_sub(2));
        let of_file = path.parent().map(last_name).unwrap_or_default();
        folders
            .into_iter()
            .chain([of_file.as_str()])
            .map(split_of)
            .find(|split| *split != NO_SPLIT)
            .unwrap_or(NO_SPLIT)
    }

    /// Makes it what COCO's reader reads; what is kept of its images, and names of frames that are not labelled.
    fn prepare(&mut self) -> (About, Vec<String>) {
        let (mut about, mut unlabelled) = (About::new(), Vec::new());
        let mut names: HashMap<i64, String> = HashMap::new();
        let annotated: Vec<Option<i64>> =
            self.annotations.iter().map(|one| number(&one["image_id"])).collect();
        let with_people: HashSet<i64> = annotated.iter().flatten().copied().collect();
        self.images.retain_mut(|image| {
            // What is of another shape, COCO's reader rejects.
            let (Some(id), Some(file)) = (number(&image["id"]), image["file_name"].as_str()) else {
                return true;
            };
            let file = file.to_owned();
            if image["is_labeled"] == Json::Bool(false) && !with_people.contains(&id) {
                unlabelled.push(file);
                return false;
            }
            let name = name_of(&file);
            image["motionmill"] = json!({ "sample_id": format!("{DATASET}-{name}") });
            names.insert(id, name);
            let kept = KEPT.into_iter().filter_map(|key| Some((key.to_owned(), image.get(key)?.clone())));
            about.insert(id, kept.collect());
            true
        });
        let mut counts: HashMap<i64, usize> = HashMap::new();
        for (annotation, image) in self.annotations.iter_mut().zip(annotated) {
            let Some((image, name)) = image.and_then(|image| Some((image, names.get(&image)?))) else {
                continue;
            };
            let count = counts.entry(image).or_default();
            let mut kept = json!({ "sample_id": format!("{DATASET}-{name}-{count}") });
            *count += 1;
            if let Some([x, y, width, height]) = four(&annotation["bbox_head"]) {
                kept["head_box"] = json!([x, y, x + width, y + height]);
            }
            annotation["motionmill"] = kept;
            for visibility in annotation["keypoints"].as_array_mut().into_iter().flatten().skip(2).step_by(3)
            {
                if visibility.as_f64() == Some(1.0) {
                    *visibility = json!(VISIBLE);
                }
            }
        }
        if self.categories.iter().all(|category| category["keypoints"].as_array().is_none_or(Vec::is_empty)) {
            let id = self.categories.first().map_or(json!(1), |category| category["id"].clone());
            self.categories = vec![json!({ "id": id, "name": "person", "keypoints": POSETRACK17.joints })];
        }
        let category = self.categories[0]["id"].clone();
        self.annotations.extend(self.images.iter().flat_map(|image| ignored(image, &category)));
        (about, unlabelled)
    }
}

/// The regions of `image` that are to be ignored, as crowds of COCO: a polygon each, by its x and its y.
fn ignored(image: &Json, category: &Json) -> Vec<Json> {
    let lists = |key: &str| -> Vec<Vec<f64>> {
        let lists = image[key].as_array().into_iter().flatten();
        lists.filter_map(|list| list.as_array()?.iter().map(Json::as_f64).collect()).collect()
    };
    let polygon = |(xs, ys): (Vec<f64>, Vec<f64>)| {
        let ends = |values: &[f64]| {
            let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
            values.iter().fold((low, high), |(low, high), value| (low.min(*value), high.max(*value)))
        };
        let ((left, right), (top, bottom)) = (ends(&xs), ends(&ys));
        let outline: Vec<f64> = std::iter::zip(xs, ys).flat_map(|(x, y)| [x, y]).collect();
        json!({
            "image_id": image["id"], "category_id": category, "iscrowd": 1, "segmentation": [outline],
            "bbox": [left, top, right - left, bottom - top], "motionmill": { "region": Why::Ignore },
        })
    };
    let both = std::iter::zip(lists("ignore_regions_x"), lists("ignore_regions_y"));
    both.filter(|(xs, ys)| xs.len() == ys.len() && xs.len() > 2).map(polygon).collect()
}

fn number(value: &Json) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64))
}

/// Four numbers of a box with an extent.
fn four(value: &Json) -> Option<[f64; 4]> {
    let numbers: Option<Vec<f64>> = value.as_array()?.iter().map(Json::as_f64).collect();
    <[f64; 4]>::try_from(numbers?.as_slice()).ok().filter(|xywh| xywh[2] > 0.0 && xywh[3] > 0.0)
}

/// Video and frame: the last two parts of a path, without ending.
fn name_of(file: &str) -> String {
    let mut parts: Vec<&str> = file.rsplit(['/', '\\']).take(2).collect();
    parts.reverse();
    let name = parts.join("-");
    name.rsplit_once('.').map_or(name.as_str(), |(name, _)| name).to_owned()
}
