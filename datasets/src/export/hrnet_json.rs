//! `people` to the MPII JSON of `HRNet` and mmpose: `[{image, center, scale, joints, joints_vis}]`.
//!
//! Pixels count from 1, as in MPII. `joints_vis` is 1 where a joint is annotated, hidden or not, so which joints are
//! hidden is lost; a joint that is not annotated is -1, -1 with 0, as in the published files.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::columns::skeleton_of;
use schemas::skeleton::MPII16;
use schemas::tables::people::Person;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::atomic::AtomicFile;
use super::images::ImageNames;
use super::{Encode, Export, ExportError, Target, expect_people, is_person, people_of};
use crate::sink::Exported;

/// Stage name in rejects.
const FORMAT: &str = "hrnet";

/// The number of the first pixel, as MATLAB counts.
const FIRST_PIXEL: f64 = 1.0;

/// MPII JSON of `HRNet` and mmpose, of a table of people (mpii16).
///
/// Rejects are people without centre or scale, which every reader of the format needs, and images without
/// people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct HrnetExport {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "FILE"))]
    pub path: PathBuf,
    /// Folder that image names are made relative to; bare file names if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: Option<PathBuf>,
}

impl Export for HrnetExport {
    const FORMAT: &'static str = FORMAT;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        expect_people(inputs)?;
        let found = skeleton_of(&inputs[0])?;
        if found != &*MPII16 {
            let (format, expected) = ("the MPII JSON of HRNet", MPII16.name);
            return Err(ExportError::OtherSkeleton { format, expected, found: found.name });
        }
        Ok(())
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        let mut file = AtomicFile::create(&self.path)?;
        file.put("[")?;
        let names = ImageNames::below(self.images.as_deref());
        Ok(Box::new(Encoder { file, names, rows: 0, hidden: 0 }))
    }
}

struct Encoder {
    file: AtomicFile,
    names: ImageNames,
    /// Rows that came.
    rows: u64,
    /// Joints that are hidden.
    hidden: u64,
}

impl Encode for Encoder {
    fn put(&mut self, _: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError> {
        let (_, people) = people_of(batch)?;
        self.rows += people.len() as u64;
        for person in &people {
            if !is_person(person) {
                exported.reject(FORMAT, person, "image without people", "the format lists people");
                continue;
            }
            let (Some(center), Some(scale)) = (person.center, person.scale) else {
                exported.reject(FORMAT, person, "no centre or scale", "the format cannot do without");
                continue;
            };
            self.file.put(if exported.written == 0 { "\n" } else { ",\n" })?;
            self.file.put_json(&entry(person, &self.names.of(&person.image_path)?, center, scale))?;
            let hidden = person.pose.visibility.iter().filter(|seen| **seen == Visibility::Occluded);
            self.hidden += hidden.count() as u64;
            exported.written += 1;
        }
        Ok(())
    }

    fn end(mut self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError> {
        if self.rows == 0 {
            return Err(ExportError::Empty);
        }
        self.file.put("\n]\n")?;
        exported.note(
            self.hidden,
            "joints are hidden, which the format cannot express; they are written as annotated",
        );
        Ok(Target::File(self.file))
    }
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
