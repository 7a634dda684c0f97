//! `people` to the MPII JSON of `HRNet` and mmpose: `[{image, center, scale, joints, joints_vis}]`.
//!
//! Pixels count from 1, as in MPII. `joints_vis` is 1 where a joint is annotated, hidden or not, so what is hidden is
//! lost; a joint that is not annotated is -1, -1 with 0, as in the published files.

use std::path::{Path, PathBuf};

use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::images::ImageNames;
use super::{ExportError, Exported, OneSkeleton, Piece, is_person, people_of};

/// Stage name in rejects.
const FORMAT: &str = "export hrnet";

/// The number of the first pixel, as MATLAB counts.
const FIRST_PIXEL: f64 = 1.0;

/// How the file is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder that `image` is relative to; the file's name alone if not given.
    pub images: Option<PathBuf>,
    /// Replace the target.
    pub overwrite: bool,
}

/// Writes the people of `batches`, of the skeleton `mpii16`, to the file `target`.
///
/// Rejects are people without centre or scale, which no reader of the format can do without, and images without
/// people.
///
/// # Errors
/// When the target is there, a batch cannot be read or is not of `people`, the skeleton is another, or names of images
/// clash.
pub fn write(
    batches: impl IntoIterator<Item = Piece>,
    target: &Path,
    options: &Options,
) -> Result<Exported, ExportError> {
    let mut file = AtomicFile::create(target, options.overwrite)?;
    let mut names = ImageNames::below(options.images.as_deref());
    let (mut exported, mut skeleton, mut hidden) = (Exported::default(), OneSkeleton::default(), 0);
    file.put("[")?;
    for batch in batches {
        let (found, people) = people_of(&batch?)?;
        skeleton.check(found)?;
        if found != &MPII16 {
            let (format, expected) = ("the MPII JSON of HRNet", MPII16.name);
            return Err(ExportError::OtherSkeleton { format, expected, found: found.name });
        }
        for person in &people {
            if !is_person(person) {
                exported.reject(FORMAT, person, "image without people", "the format lists people");
                continue;
            }
            let (Some(center), Some(scale)) = (person.center, person.scale) else {
                exported.reject(FORMAT, person, "no centre or scale", "the format cannot do without");
                continue;
            };
            file.put(if exported.written == 0 { "\n" } else { ",\n" })?;
            file.put_json(&entry(person, &names.of(&person.image_path)?, center, scale))?;
            hidden +=
                person.pose.visibility.iter().filter(|seen| **seen == schemas::Visibility::Occluded).count();
            exported.written += 1;
        }
    }
    skeleton.get()?;
    file.put("\n]\n")?;
    file.finish()?;
    exported.note(hidden as u64, "joints are hidden, which the format cannot say; they stand as annotated");
    Ok(exported)
}

fn entry(person: &Person, image: &str, center: [f64; 2], scale: f64) -> Json {
    let joints = 0..person.pose.keypoints.len();
    let from_one = |point: [f64; 2]| point.map(|value| value + FIRST_PIXEL);
    let known = |joint: usize| person.pose.joint(joint).map(from_one);
    json!({
        "joints_vis": joints.clone().map(|joint| u8::from(known(joint).is_some())).collect::<Vec<u8>>(),
        "joints": joints.map(|joint| known(joint).unwrap_or([-1.0; 2])).collect::<Vec<[f64; 2]>>(),
        "image": image,
        "scale": scale,
        "center": from_one(center),
    })
}
