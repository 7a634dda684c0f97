//! From the records of a COCO file to rows.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use schemas::tables::crowd;
use schemas::tables::people::{Person, Pose};
use schemas::tables::regions::{self, Region, Why};
use schemas::tables::rejects::Reject;
use schemas::{Skeleton, Visibility};
use serde_json::{Map, Value as Json, json};

use super::DATASET;
use super::entry::{Annotation, Entry, Image, Kept};
use super::stated::{CROWD_INDEX, KEY, place_by_box};
use crate::ReadError;
use crate::pictures::{Pictures, TwoFiles};
use crate::unique_ids::UniqueIds;

/// What leads the detail of a reject: the number of the annotation, by which it is found in the file.
fn named(id: Option<i64>) -> String {
    id.map_or_else(String::new, |id| format!("id {id}: "))
}

/// What `attributes` say of `image`.
fn stated_of(image: &Image) -> Map<String, Json> {
    let mut coco = Map::new();
    coco.insert("image_id".into(), image.id.into());
    if let Some(index) = image.crowd_index {
        coco.insert(CROWD_INDEX.into(), index.into());
    }
    coco
}

/// One file on its way to people.
pub(super) struct Reading<'a> {
    pub dataset: &'a str,
    pub split: &'a str,
    pub pictures: Pictures,
    pub file: String,
    pub category: i64,
    pub skeleton: &'static Skeleton,
    /// Other categories that are of people.
    pub people_elsewhere: HashSet<i64>,
    pub ids: UniqueIds,
    pub rejects: Vec<Reject>,
}

/// The annotations of one image.
#[derive(Default)]
struct OfImage {
    /// Each with its number in the image and its place in the file.
    people: Vec<(i32, usize, Annotation)>,
    /// How many have a number: people and crowds.
    numbered: i32,
    regions: Vec<Region>,
}

impl Reading<'_> {
    fn reject(&mut self, record: String, reason: &str, detail: String) {
        self.rejects.push(Reject {
            stage: DATASET.to_owned(),
            reason: reason.to_owned(),
            source_file: Some(self.file.clone()),
            source_record: Some(record),
            detail,
            ..Reject::default()
        });
    }

    /// The images that can be read.
    ///
    /// # Errors
    /// When two have one number.
    pub(super) fn sound_images(
        &mut self,
        path: &Path,
        entries: Vec<Entry<Image>>,
    ) -> Result<Vec<Image>, ReadError> {
        let (mut images, mut numbers) = (Vec::with_capacity(entries.len()), HashSet::new());
        for (row, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Sound(mut image) => {
                    if !numbers.insert(image.id) {
                        let found = format!("`{}` twice", image.id);
                        return Err(ReadError::unexpected(path, "an image's `id` must be its own", found));
                    }
                    match self.pictures.find(&image.file_name) {
                        Ok(found) => image.path = found,
                        Err(error) => {
                            let detail = format!("id {}: `file_name`: {error}", image.id);
                            self.reject(format!("images[{row}]"), TwoFiles::REASON, detail);
                            continue;
                        }
                    }
                    images.push(image);
                }
                Entry::Unsound(found) => {
                    self.reject(format!("images[{row}]"), "record of another shape", found.detail);
                }
            }
        }
        Ok(images)
    }

    /// The people of the annotations `entries` of `images`.
    pub(super) fn people(&mut self, images: &[Image], entries: Vec<Entry<Annotation>>) -> Vec<Person> {
        let known: HashSet<i64> = images.iter().map(|image| image.id).collect();
        let mut of_image: HashMap<i64, OfImage> = HashMap::new();
        for (row, entry) in entries.into_iter().enumerate() {
            let record = || format!("annotations[{row}]");
            match entry {
                Entry::Unsound(found) => {
                    if let Some(image) = found.image_id {
                        let region = Region::at(Why::Rejected, found.bbox);
                        of_image.entry(image).or_default().regions.push(region);
                    }
                    self.reject(record(), "record of another shape", found.detail);
                }
                Entry::Sound(one) if one.category_id != self.category => {
                    let named = named(one.id);
                    let detail =
                        format!("{named}`category_id` is {} instead of {}", one.category_id, self.category);
                    if self.people_elsewhere.contains(&one.category_id) {
                        let region = Region::at(Why::Unread, one.bbox);
                        of_image.entry(one.image_id).or_default().regions.push(region);
                    }
                    self.reject(record(), "another category", detail);
                }
                Entry::Sound(one) if !known.contains(&one.image_id) => {
                    let detail =
                        format!("{}`image_id` {} is not the `id` of an image", named(one.id), one.image_id);
                    self.reject(record(), "image not listed", detail);
                }
                Entry::Sound(one) if one.iscrowd => {
                    let why = one.kept.region.unwrap_or(Why::Crowd);
                    let (bbox, area, outline) = (one.bbox, one.area, one.segmentation);
                    // Crowds rarely have joints, so that nearly all state none.
                    let is_labelled = one.keypoints.chunks_exact(3).any(|point| point[2] > 0.0);
                    let is_whole = one.keypoints.len() == 3 * self.skeleton.len()
                        && one.keypoints.iter().all(|number| number.is_finite());
                    let keypoints = (is_labelled && is_whole).then_some(one.keypoints);
                    let image = of_image.entry(one.image_id).or_default();
                    let index = one.kept.person_index.or(Some(image.numbered));
                    image.regions.push(Region { why, bbox, area, outline, index, keypoints });
                    image.numbered += 1;
                }
                Entry::Sound(one) => {
                    let image = of_image.entry(one.image_id).or_default();
                    image.people.push((image.numbered, row, one));
                    image.numbered += 1;
                }
            }
        }
        let mut people = Vec::new();
        for image in images {
            let first = people.len();
            let found = of_image.remove(&image.id);
            let is_blank = found.is_none();
            let OfImage { people: annotations, mut regions, .. } = found.unwrap_or_default();
            for (index, row, annotation) in annotations {
                let bbox = annotation.bbox;
                match self.person(image, index, row, annotation) {
                    Ok(person) => people.push(person),
                    Err((reason, detail)) => {
                        regions.push(Region::at(Why::Rejected, bbox));
                        self.reject(format!("annotations[{row}]"), reason, detail);
                    }
                }
            }
            // A picture of whose people nothing is known has no row: it is none without people.
            let is_stated = |region: &Region| matches!(region.why, Why::Crowd | Why::Ignore);
            if people.len() == first && (is_blank || regions.iter().any(is_stated)) {
                let person = self.blank(image, image.kept.clone());
                people.push(Person { sample_id: self.id(&image.kept, image, None), ..person });
            }
            regions::add(&mut people[first..], &regions);
            crowd::fill_others(&mut people[first..]);
        }
        people
    }

    /// A row of which nothing but the image, and what our writer kept, is known.
    fn blank(&self, image: &Image, kept: Kept) -> Person {
        Person {
            dataset: kept.dataset.unwrap_or_else(|| self.dataset.to_owned()),
            split: kept.split.unwrap_or_else(|| self.split.to_owned()),
            image_path: image.path.to_string_lossy().into_owned(),
            image_size: image.width.zip(image.height).map(|(width, height)| [width, height]),
            person_index: kept.person_index,
            center: kept.center,
            scale: kept.scale,
            head_box: kept.head_box,
            torso_box: kept.torso_box,
            pose: Pose::unknown(self.skeleton.len()),
            activity: kept.activity,
            attributes: Some(json!({ KEY: stated_of(image) }).to_string()),
            source_file: self.file.clone(),
            source_record: format!("image {}", image.id),
            ..Person::default()
        }
    }

    fn person(
        &mut self,
        image: &Image,
        index: i32,
        row: usize,
        annotation: Annotation,
    ) -> Result<Person, (&'static str, String)> {
        let pose = self
            .pose(&annotation.keypoints)
            .map_err(|detail| ("record of another shape", format!("{}{detail}", named(annotation.id))))?;
        let sample_id = self.id(&annotation.kept, image, Some(index));
        let mut person = Person { sample_id, pose, ..self.blank(image, annotation.kept) };
        person.person_index.get_or_insert(index);
        let mut attributes = Map::new();
        if let Some(found) = annotation.bbox {
            place_by_box(&mut person, found, &mut attributes);
        }
        let mut coco = stated_of(image);
        coco.insert("annotation_id".into(), json!(annotation.id));
        coco.insert("bbox".into(), json!(annotation.bbox));
        coco.insert("area".into(), json!(annotation.area));
        coco.extend(annotation.more);
        attributes.insert(KEY.into(), coco.into());
        person.attributes = Some(Json::Object(attributes).to_string());
        person.source_record =
            annotation.id.map_or_else(|| format!("annotations[{row}]"), |id| format!("annotation {id}"));
        Ok(person)
    }

    fn id(&mut self, kept: &Kept, image: &Image, index: Option<i32>) -> String {
        match &kept.sample_id {
            Some(id) => self.ids.kept(id),
            None => self.ids.of(self.dataset, &image.file_name, index),
        }
    }

    /// The pose of `[3K]` numbers; unknown where there are none.
    fn pose(&self, numbers: &[f64]) -> Result<Pose, String> {
        let joints = self.skeleton.len();
        let mut pose = Pose::unknown(joints);
        if ![0, 3 * joints].contains(&numbers.len()) {
            return Err(format!(
                "`keypoints` has {} numbers; there must be 3 for each of {joints} joints",
                numbers.len()
            ));
        }
        for (joint, point) in numbers.chunks_exact(3).enumerate() {
            let visibility = match point[2] {
                0.0 => Visibility::NotAnnotated,
                1.0 => Visibility::Occluded,
                2.0 => Visibility::Visible,
                other => {
                    let place = 3 * joint + 2;
                    return Err(format!(
                        "`keypoints[{place}]`: the visibility must be 0, 1 or 2, found {other}"
                    ));
                }
            };
            if visibility.is_annotated() && point[..2].iter().any(|value| !value.is_finite()) {
                return Err(format!(
                    "`keypoints[{}]`: a joint of visibility {} has no place",
                    3 * joint,
                    point[2]
                ));
            }
            pose.set(joint, [point[0], point[1]], visibility);
        }
        Ok(pose)
    }
}
