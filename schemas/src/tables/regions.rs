//! Regions of a picture in which people are not told apart, or are not known: crowds, parts to ignore, people whose
//! annotation could not be read.
//!
//! A trainer must not take them for background, and a score must not count what is detected there. They stand in
//! `attributes` of every row of `people` of the picture, below the key [`KEY`]; a picture that shows nothing else has
//! one row without a person.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::people::Person;

/// Key of `attributes`.
pub const KEY: &str = "regions";

/// Why people are not annotated one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Many people, annotated as one: `iscrowd` of COCO.
    Crowd,
    /// Left out by the annotators, as `ignore_regions` of `PoseTrack`.
    Ignore,
    /// A person whose annotation was rejected.
    Rejected,
    /// A person of a category that was not read.
    Unread,
}

/// One region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Why it is one.
    pub why: Why,
    /// `[x, y, width, height]`, px of the image; `None` where it may be anywhere in the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f64; 4]>,
    /// Area, px² of the image, where it is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<f64>,
    /// Its outline as COCO writes `segmentation`: polygons, px of the image, or run lengths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Json>,
    /// Its number among all annotations of the picture, where it has one: scores that break ties by their order need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<i32>,
    /// Joints of a crowd that are annotated all the same, `[3K]`: x, y in px of the image, visibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypoints: Option<Vec<f64>>,
}

impl Region {
    /// A region of unknown place.
    pub fn somewhere(why: Why) -> Self {
        Self { why, bbox: None, area: None, outline: None, index: None, keypoints: None }
    }

    /// A region in the box `[x, y, width, height]`, px of the image, if there is one.
    pub fn at(why: Why, bbox: Option<[f64; 4]>) -> Self {
        Self { bbox, ..Self::somewhere(why) }
    }
}

/// The regions of the picture of `person`.
pub fn of(person: &Person) -> Vec<Region> {
    in_attributes(person.attributes.as_deref())
}

/// The regions that `attributes` of a row tell.
pub fn in_attributes(attributes: Option<&str>) -> Vec<Region> {
    let Some(text) = attributes.filter(|text| text.contains("\"regions\"")) else { return Vec::new() };
    let object = serde_json::from_str::<Map<String, Json>>(text).ok();
    let regions = object.and_then(|mut object| object.remove(KEY));
    regions.and_then(|regions| serde_json::from_value(regions).ok()).unwrap_or_default()
}

/// Adds `regions` to the attributes of each of `people`, who are those of one picture.
pub fn add(people: &mut [Person], regions: &[Region]) {
    if regions.is_empty() {
        return;
    }
    for person in people {
        let text = person.attributes.as_deref().unwrap_or("{}");
        let mut object = serde_json::from_str::<Map<String, Json>>(text).unwrap_or_default();
        let all: Vec<Region> = of(person).into_iter().chain(regions.iter().cloned()).collect();
        object.insert(KEY.to_owned(), serde_json::to_value(all).expect("a region is plain data"));
        person.attributes = Some(Json::Object(object).to_string());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::skeleton::LSP14;
    use crate::tables::people::Pose;

    fn person(attributes: Option<&str>) -> Person {
        Person {
            sample_id: "a".into(),
            dataset: "x".into(),
            split: "train".into(),
            image_path: "a.jpg".into(),
            person_index: Some(0),
            pose: Pose::unknown(LSP14.len()),
            attributes: attributes.map(str::to_owned),
            source_file: "a.json".into(),
            source_record: "1".into(),
            ..Person::default()
        }
    }

    #[test]
    fn regions_come_back_beside_what_else_is_stated() {
        let crowd = Region {
            area: Some(12.5),
            outline: Some(json!({ "size": [3, 4], "counts": [0, 12] })),
            ..Region::at(Why::Crowd, Some([1.0, 2.0, 3.0, 4.0]))
        };
        let lost = Region::somewhere(Why::Rejected);
        for attributes in [None, Some(r#"{"coco":{"image_id":7}}"#)] {
            let mut people = [person(attributes)];
            add(&mut people, std::slice::from_ref(&crowd));
            add(&mut people, std::slice::from_ref(&lost));
            assert_eq!(of(&people[0]), [crowd.clone(), lost.clone()]);
            let text = people[0].attributes.as_deref().unwrap();
            assert_eq!(text.contains("image_id"), attributes.is_some(), "{text}");
        }
    }

    #[test]
    fn most_people_have_none() {
        let mut people = [person(Some(r#"{"regions":"none"}"#)), person(None)];
        assert!(people.iter().all(|person| of(person).is_empty()));
        add(&mut people, &[]);
        assert_eq!(people[1].attributes, None);
    }
}
