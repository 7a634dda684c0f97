//! The records of a COCO file, as stored there.

use schemas::tables::regions::Why;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

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

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Json::deserialize(deserializer)?;
        let (mut image_id, mut bbox) = (None, None);
        if let Json::Object(object) = &mut value {
            if !object.get("iscrowd").is_some_and(is_set) {
                object.shift_remove("segmentation");
            }
            image_id = object.get("image_id").and_then(Json::as_i64);
            bbox = object.get("bbox").and_then(|bbox| serde_json::from_value(bbox.clone()).ok());
        }
        Ok(match serde_json::from_value(value) {
            Ok(sound) => Self::Sound(sound),
            Err(error) => Self::Unsound(Unsound { detail: error.to_string(), image_id, bbox }),
        })
    }
}

/// Whether a flag is neither 0 nor one of the ways to write it.
fn is_set(flag: &Json) -> bool {
    match flag {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::String(text) => !["", "0", "false"].contains(&text.as_str()),
        other => other.as_f64() != Some(0.0),
    }
}

/// One picture.
#[derive(Deserialize)]
pub(super) struct Image {
    pub id: i64,
    pub file_name: String,
    #[serde(default)]
    pub width: Option<i32>,
    #[serde(default)]
    pub height: Option<i32>,
    #[serde(default, rename = "motionmill")]
    pub kept: Kept,
}

/// One person, or a crowd.
#[derive(Deserialize)]
pub(super) struct Annotation {
    #[serde(default)]
    pub id: Option<i64>,
    pub image_id: i64,
    pub category_id: i64,
    #[serde(default)]
    pub bbox: Option<[f64; 4]>,
    #[serde(default)]
    pub area: Option<f64>,
    #[serde(default)]
    pub iscrowd: i64,
    /// The outline of a crowd; of others it is not kept.
    #[serde(default)]
    pub segmentation: Option<Json>,
    /// `[3K]`: x, y, visibility.
    #[serde(default)]
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
