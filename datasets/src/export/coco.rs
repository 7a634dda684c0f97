//! `people` to COCO keypoints JSON.
//!
//! `{annotations: [{id, image_id, category_id, bbox, area, iscrowd, num_keypoints, keypoints}], images: [{id,
//! file_name, width, height}], categories: [{id, name, keypoints, skeleton}]}`. Annotations are numbered by their
//! rows, from 1; images as [`ImageIds`] says. Pixels count from 0 and visibility is 0, 1 or 2, as in the tables; a
//! joint that is not annotated is 0, 0, 0. What COCO has no place for (`sample_id`, `center`, `scale`, `head_box`,
//! ...) stands under the key `motionmill`, which our reader uses and others ignore.
//!
//! Regions in which people are not told apart, or not known, are annotations with `iscrowd` 1 and numbers behind those of
//! the rows: scores count nothing there. One of unknown place is the whole picture.
//!
//! Without outlines, `area` is that of the box, so object keypoint similarities are higher than on COCO itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::tables::people::Person;
use schemas::tables::regions::{self, Region, Why};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::images::{ImageNames, Sizes, TURNED};
use super::{Encode, Export, ExportError, NO_BOX, OneSkeleton, Target, expect_people, is_person, people_of};
use crate::coco::{BoxRule, ImageIds, Kept, PersonBox};
use crate::pixels::OrientationRule;
use crate::sink::Exported;

/// Number of the one category.
pub(super) const CATEGORY_ID: i64 = 1;

/// Stage name in rejects.
const FORMAT: &str = "coco";

/// COCO keypoints JSON, of a table of people.
///
/// Rejects are people for whom no box can be made, and rows whose picture is missing and whose size is not
/// stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct CocoExport {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "FILE"))]
    pub path: PathBuf,
    /// Folder that image names are made relative to; bare file names if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: Option<PathBuf>,
    /// How a person's box is made, if the source states none.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t, value_name = "RULE"))]
    pub bbox: BoxRule,
    /// What is done with a picture whose EXIF orientation turns it.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t, value_name = "RULE"))]
    pub orientation: OrientationRule,
}

impl Export for CocoExport {
    const FORMAT: &'static str = FORMAT;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        expect_people(inputs)
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        let mut file = AtomicFile::create(&self.path)?;
        file.put("{\"annotations\":[")?;
        Ok(Box::new(Encoder {
            file,
            bbox: self.bbox,
            names: ImageNames::below(self.images.as_deref()),
            ids: ImageIds::default(),
            sizes: Sizes::by(self.orientation),
            skeleton: OneSkeleton::default(),
            images: Vec::new(),
            image_rows: HashMap::new(),
            regions: Vec::new(),
            rows: 0,
            annotations: 0,
        }))
    }
}

struct Encoder {
    file: AtomicFile,
    bbox: BoxRule,
    names: ImageNames,
    ids: ImageIds,
    sizes: Sizes,
    skeleton: OneSkeleton,
    images: Vec<Json>,
    /// By the image's number: its place in `images`.
    image_rows: HashMap<i64, usize>,
    /// By the image's number and size.
    regions: Vec<(i64, [u32; 2], Region)>,
    /// Rows that came.
    rows: u64,
    /// People in the file.
    annotations: u64,
}

impl Encode for Encoder {
    fn put(&mut self, _: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError> {
        let (found, people) = people_of(batch)?;
        self.skeleton.check(found)?;
        people.iter().try_for_each(|person| self.person(person, exported))
    }

    fn end(self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError> {
        let Self { mut file, images, skeleton, sizes, regions, rows, annotations, .. } = *self;
        for (number, (image, size, region)) in (0..).zip(&regions) {
            file.put(if annotations + number == 0 { "\n" } else { ",\n" })?;
            file.put_json(&crowd(rows + number + 1, *image, *size, region, skeleton.get()?))?;
        }
        exported.note(
            regions.len() as u64,
            "regions of people who are not told apart, or not known, have `iscrowd` 1",
        );
        file.put("\n],\n\"images\":[")?;
        for (row, image) in images.iter().enumerate() {
            file.put(if row == 0 { "\n" } else { ",\n" })?;
            file.put_json(image)?;
        }
        file.put("\n],\n\"categories\":")?;
        file.put_json(&json!([category(skeleton.get()?)]))?;
        file.put("}\n")?;
        exported.note(sizes.turned, TURNED);
        exported.note(sizes.stated, "image files are missing; their sizes are taken from the annotations");
        Ok(Target::File(file))
    }
}

impl Encoder {
    fn person(&mut self, person: &Person, exported: &mut Exported) -> Result<(), ExportError> {
        self.rows += 1;
        let id = self.ids.of(person)?;
        let size = match self.sizes.of(&person.image_path, person.image_size) {
            Ok(size) => size,
            Err((reason, detail)) => {
                exported.reject(FORMAT, person, reason, detail);
                return Ok(());
            }
        };
        let row = if let Some(row) = self.image_rows.get(&id) {
            *row
        } else {
            let name = self.names.of(&person.image_path)?;
            self.images.push(json!({ "id": id, "file_name": name, "width": size[0], "height": size[1] }));
            self.image_rows.insert(id, self.images.len() - 1);
            self.regions.extend(regions::of(person).into_iter().map(|region| (id, size, region)));
            self.images.len() - 1
        };
        if !is_person(person) {
            self.images[row]["motionmill"] = json!(kept(person));
            exported.written += 1;
            return Ok(());
        }
        let Some(found) = PersonBox::of(person, self.bbox, Some(size)) else {
            exported.reject(FORMAT, person, "no box", NO_BOX);
            self.regions.push((id, size, Region::somewhere(Why::Rejected)));
            return Ok(());
        };
        self.file.put(if self.annotations == 0 { "\n" } else { ",\n" })?;
        self.file.put_json(&annotation(self.rows, id, person, &found))?;
        self.annotations += 1;
        exported.written += 1;
        Ok(())
    }
}

/// The one category: the skeleton, whose limbs COCO counts from 1.
pub(super) fn category(skeleton: &Skeleton) -> Json {
    let limbs: Vec<[usize; 2]> = skeleton.limbs.iter().map(|&(a, b)| [a + 1, b + 1]).collect();
    let mut category = json!({
        "id": CATEGORY_ID, "name": "person", "supercategory": "person",
        "keypoints": skeleton.joints, "skeleton": limbs,
    });
    // Our reader finds its pairs, spreads and groups there; others do without.
    if Skeleton::named(skeleton.name).is_err() {
        category["motionmill"] = json!({ "skeleton": skeleton.to_definition() });
    }
    category
}

fn annotation(number: u64, image: i64, person: &Person, found: &PersonBox) -> Json {
    let joints = person.pose.keypoints.len();
    let triple = |joint| match person.pose.joint(joint) {
        Some([x, y]) => [json!(x), json!(y), json!(person.pose.visibility[joint].code())],
        None => [json!(0), json!(0), json!(0)],
    };
    json!({
        "id": number,
        "image_id": image,
        "category_id": CATEGORY_ID,
        "bbox": found.xywh,
        "area": found.area,
        "iscrowd": 0,
        "num_keypoints": person.pose.annotated(),
        "keypoints": (0..joints).flat_map(triple).collect::<Vec<Json>>(),
        "bbox_from": found.source,
        "motionmill": kept(person),
    })
}

/// The annotation of `region` of the picture `image` of `size` px.
fn crowd(number: u64, image: i64, size: [u32; 2], region: &Region, skeleton: &Skeleton) -> Json {
    let [x, y, width, height] = region.bbox.unwrap_or([0.0, 0.0, f64::from(size[0]), f64::from(size[1])]);
    let (joints, labelled) = match &region.keypoints {
        Some(joints) => (json!(joints), joints.chunks_exact(3).filter(|point| point[2] > 0.0).count()),
        None => (json!(vec![0; 3 * skeleton.len()]), 0),
    };
    let mut annotation = json!({
        "id": number,
        "image_id": image,
        "category_id": CATEGORY_ID,
        "bbox": [x, y, width, height],
        "area": region.area.unwrap_or(width * height),
        "iscrowd": 1,
        "num_keypoints": labelled,
        "keypoints": joints,
        // Its number, which tells its place among the annotations of the picture.
        "motionmill": Kept { region: Some(region.why), person_index: region.index, ..Kept::default() },
    });
    if let Some(outline) = &region.outline {
        annotation["segmentation"] = outline.clone();
    }
    annotation
}

fn kept(person: &Person) -> Kept {
    Kept {
        sample_id: Some(person.sample_id.clone()),
        dataset: Some(person.dataset.clone()),
        split: Some(person.split.clone()),
        person_index: person.person_index,
        center: person.center,
        scale: person.scale,
        head_box: person.head_box,
        torso_box: person.torso_box,
        activity: person.activity.clone(),
        region: None,
    }
}
