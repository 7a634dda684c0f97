//! `people` to COCO keypoints JSON.
//!
//! `{annotations: [{id, image_id, category_id, bbox, area, iscrowd, num_keypoints, keypoints}], images: [{id,
//! file_name, width, height}], categories: [{id, name, keypoints, skeleton}]}`. Annotations are numbered by their
//! rows, from 1; images as [`ImageIds`] says. Pixels count from 0 and visibility is 0, 1 or 2, as in the tables; a
//! joint that is not annotated is 0, 0, 0. What COCO has no place for (`sample_id`, `center`, `scale`, `head_box`,
//! ...) stands below the key `motionmill`, which our reader takes up and others pass over.
//!
//! Without outlines, `area` is that of the box, so the object keypoint similarity is milder than on COCO itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use schemas::Skeleton;
use schemas::tables::people::Person;
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::images::{ImageNames, Sizes};
use super::{ExportError, Exported, OneSkeleton, Piece, is_person, people_of};
use crate::coco::{BoxRule, ImageIds, Kept, PersonBox};

/// Number of the one category.
pub const CATEGORY_ID: i64 = 1;

/// Stage name in rejects.
const FORMAT: &str = "export coco";

/// How the file is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder that `file_name` is relative to; the file's name alone if not given.
    pub images: Option<PathBuf>,
    /// What boxes are made from where the source states none.
    pub bbox: BoxRule,
    /// Replace the target.
    pub overwrite: bool,
}

/// Writes the people of `batches` to the file `target`.
///
/// Rejects are people of whom no box can be made, and rows whose picture is neither there nor of stated size.
///
/// # Errors
/// When the target is there, a batch cannot be read or is not of `people`, or names or numbers of images clash.
pub fn write(
    batches: impl IntoIterator<Item = Piece>,
    target: &Path,
    options: &Options,
) -> Result<Exported, ExportError> {
    let mut file = AtomicFile::create(target, options.overwrite)?;
    let mut names = ImageNames::below(options.images.as_deref());
    let (mut ids, mut sizes, mut skeleton) = (ImageIds::default(), Sizes::default(), OneSkeleton::default());
    let (mut images, mut image_rows) = (Vec::<Json>::new(), HashMap::<i64, usize>::new());
    let (mut exported, mut rows, mut annotations) = (Exported::default(), 0_u64, 0_u64);
    file.put("{\"annotations\":[")?;
    for batch in batches {
        let (found, people) = people_of(&batch?)?;
        skeleton.check(found)?;
        for person in &people {
            rows += 1;
            let id = ids.of(person)?;
            let size = match sizes.of(&person.image_path, person.image_size) {
                Ok(size) => size,
                Err((reason, detail)) => {
                    exported.reject(FORMAT, person, reason, detail);
                    continue;
                }
            };
            let row = if let Some(row) = image_rows.get(&id) {
                *row
            } else {
                let name = names.of(&person.image_path)?;
                images.push(json!({ "id": id, "file_name": name, "width": size[0], "height": size[1] }));
                image_rows.insert(id, images.len() - 1);
                images.len() - 1
            };
            if !is_person(person) {
                images[row]["motionmill"] = json!(kept(person));
                exported.written += 1;
                continue;
            }
            let Some(found) = PersonBox::of(person, options.bbox, Some(size)) else {
                let detail = "neither joints nor centre and scale make a box in the picture";
                exported.reject(FORMAT, person, "no box", detail);
                continue;
            };
            file.put(if annotations == 0 { "\n" } else { ",\n" })?;
            file.put_json(&annotation(rows, id, person, &found))?;
            annotations += 1;
            exported.written += 1;
        }
    }
    file.put("\n],\n\"images\":[")?;
    for (row, image) in images.iter().enumerate() {
        file.put(if row == 0 { "\n" } else { ",\n" })?;
        file.put_json(image)?;
    }
    file.put("\n],\n\"categories\":")?;
    file.put_json(&json!([category(skeleton.get()?)]))?;
    file.put("}\n")?;
    file.finish()?;
    exported.note(sizes.stated, "pictures are not there; their sizes are those that the annotations state");
    Ok(exported)
}

/// The one category: the skeleton, whose limbs COCO counts from 1.
pub(super) fn category(skeleton: &Skeleton) -> Json {
    let limbs: Vec<[usize; 2]> = skeleton.limbs.iter().map(|&(a, b)| [a + 1, b + 1]).collect();
    json!({
        "id": CATEGORY_ID, "name": "person", "supercategory": "person",
        "keypoints": skeleton.joints, "skeleton": limbs,
    })
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
    }
}
