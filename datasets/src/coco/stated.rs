//! What a row of `people` keeps of the COCO file that it came from.

use schemas::tables::people::Person;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// Key of `attributes` below which the reader of COCO keeps what no column holds.
pub(crate) const KEY: &str = "coco";
/// Key below it of how crowded the picture is.
pub(super) const CROWD_INDEX: &str = "crowd_index";

/// What the annotation and its image state.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Stated {
    /// Number of the image in the file.
    #[serde(default)]
    pub image_id: Option<i64>,
    /// `[x, y, width, height]` of the person, px of the image.
    #[serde(default)]
    pub bbox: Option<[f64; 4]>,
    /// Area of the person's outline, px².
    #[serde(default)]
    pub area: Option<f64>,
    /// Number of the annotation in the file.
    #[serde(default)]
    pub annotation_id: Option<i64>,
    /// How many joints the annotation says that it has.
    #[serde(default)]
    pub num_keypoints: Option<f64>,
    /// How crowded the picture is, 0 to 1: the mean over its people of the joints of others in a person's box, by the
    /// person's own (`CrowdPose`).
    #[serde(default)]
    pub crowd_index: Option<f64>,
}

/// Gives `person` the centre and scale of the box `[x, y, width, height]`, px, where it has none, and says so in
/// `attributes`. A box without an extent, such as four zeros or -1, says nothing.
pub(crate) fn place_by_box(
    person: &mut Person,
    [x, y, width, height]: [f64; 4],
    attributes: &mut Map<String, Json>,
) {
    if !(width > 0.0 && height > 0.0) {
        return;
    }
    if person.center.is_none() {
        person.center = Some([x + width / 2.0, y + height / 2.0]);
        attributes.insert("center_means".into(), "centre of the box".into());
    }
    if person.scale.is_none() {
        person.scale = Some(width.max(height) / 200.0);
        attributes.insert("scale_means".into(), "longer side of the box / 200 px".into());
    }
}

impl Stated {
    /// What `person` came with; nothing where it did not come from COCO.
    pub fn of(person: &Person) -> Self {
        person.attributes.as_deref().map(Self::in_attributes).unwrap_or_default()
    }

    /// What a person whose column `attributes` holds `text` came with.
    fn in_attributes(text: &str) -> Self {
        let attributes = Some(text).filter(|text| text.contains("\"coco\""));
        let parsed = attributes.and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
        let coco = parsed.and_then(|mut object| object.remove(KEY));
        coco.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }
}

/// The box `[x1, y1, x2, y2]`, px of the image, that a person's column `attributes` states, where it has an extent.
pub fn stated_box(attributes: &str) -> Option<[f64; 4]> {
    let [x, y, width, height] = Stated::in_attributes(attributes).bbox?;
    (width > 0.0 && height > 0.0).then_some([x, y, x + width, y + height])
}
