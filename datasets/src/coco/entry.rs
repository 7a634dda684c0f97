//! The records of a COCO file, as stored there.

use std::path::PathBuf;

use schemas::tables::regions::Why;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use crate::json;

/// A record that may be of another shape; the outlines, by far the largest part, are dropped while it is read.
pub(super) enum Entry<T> {
    Sound(T),
    Unsound(Unsound),
}

/// What is known of a record of another shape.
pub(super) struct Unsound {
    pub detail: String,
    /// Its picture and its box, where these can be read.
    pub image_id: Option<i64>,
    pub bbox: Option<[f64; 4]>,
}

impl<T: DeserializeOwned> Entry<T> {
    /// The record `value`; an id that it has leads what is wrong with it.
    pub(super) fn of(mut value: Json) -> Self {
        let (mut image_id, mut bbox) = (None, None);
        if let Json::Object(object) = &mut value {
            if !object.get("iscrowd").is_some_and(|flag| json::flag(flag).unwrap_or(true)) {
                object.shift_remove("segmentation");
            }
            image_id = object.get("image_id").and_then(|id| json::whole(id).ok());
            bbox = object.get("bbox").and_then(|bbox| json::maybe_numbers(bbox).ok()).flatten();
        }
        match json::record(&value) {
            Ok(sound) => Self::Sound(sound),
            Err(detail) => Self::Unsound(Unsound {
                detail: match value.get("id") {
                    Some(id) => format!("id {id}: {detail}"),
                    None => detail,
                },
                image_id,
                bbox,
            }),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(Json::deserialize(deserializer)?))
    }
}

/// One picture.
#[derive(Deserialize)]
pub(super) struct Image {
    #[serde(deserialize_with = "json::whole")]
    pub id: i64,
    #[serde(deserialize_with = "json::text")]
    pub file_name: String,
    #[serde(default, deserialize_with = "json::maybe_size")]
    pub width: Option<i32>,
    #[serde(default, deserialize_with = "json::maybe_size")]
    pub height: Option<i32>,
    /// How crowded the picture is, 0 to 1, in the files of `CrowdPose`.
    #[serde(default, rename = "crowdIndex", deserialize_with = "json::maybe_number")]
    pub crowd_index: Option<f64>,
    /// Where the picture lies; the reader sets it.
    #[serde(skip)]
    pub path: PathBuf,
    #[serde(default, rename = "motionmill")]
    pub kept: Kept,
}

/// One person, or a crowd.
#[derive(Deserialize)]
pub(super) struct Annotation {
    #[serde(default, deserialize_with = "json::maybe_whole")]
    pub id: Option<i64>,
    #[serde(deserialize_with = "json::whole")]
    pub image_id: i64,
    #[serde(deserialize_with = "json::whole")]
    pub category_id: i64,
    #[serde(default, deserialize_with = "json::maybe_numbers")]
    pub bbox: Option<[f64; 4]>,
    #[serde(default, deserialize_with = "json::maybe_number")]
    pub area: Option<f64>,
    #[serde(default, deserialize_with = "json::flag")]
    pub iscrowd: bool,
    /// The outline of a crowd; of others it is not kept.
    #[serde(default)]
    pub segmentation: Option<Json>,
    /// `[3K]`: x, y, visibility; `NaN` where null.
    #[serde(default, deserialize_with = "json::numbers")]
    pub keypoints: Vec<f64>,
    #[serde(default, rename = "motionmill")]
    pub kept: Kept,
    #[serde(flatten)]
    pub more: Map<String, Json>,
}

/// What a row of `people` says and COCO has no place for: our writer puts it under the key `motionmill` of an
/// annotation, or of an image without people, and other readers ignore it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// Id of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_id: Option<String>,
    /// Data set of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Split of the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Number of the person in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_index: Option<i32>,
    /// Rough centre, px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center: Option<[f64; 2]>,
    /// Person height / 200 px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// `[x1, y1, x2, y2]`, px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_box: Option<[f64; 4]>,
    /// `[x1, y1, x2, y2]`, px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torso_box: Option<[f64; 4]>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// Why an annotation is one of a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Why>,
}
