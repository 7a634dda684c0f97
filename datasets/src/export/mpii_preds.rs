//! `keypoints` to the array that MPII evaluators read: `preds`, `[N, K, 2]` double, in a MAT v5 file.
//!
//! Row n is person n of the people, image rows without a person not counted; pixels count from 1. Joints have the
//! order of the people's skeleton, so predictions of another skeleton are rearranged by name. Joints that were not
//! predicted are `NaN`, which no threshold accepts.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::atomic::AtomicFile;
use super::joined::{Joined, People};
use super::{Encode, Export, ExportError, Predicted};
use crate::matlab::{self, Packing, Value};
use crate::sink::Exported;

/// Name of the array.
pub(super) const ARRAY: &str = "preds";

/// Stage name in rejects.
const FORMAT: &str = "preds";

/// The number of the first pixel, as MATLAB counts.
const FIRST_PIXEL: f64 = 1.0;

/// The array `preds` of N x K x 2 in a .mat, as MPII evaluators read it, from a table of keypoints.
///
/// The people determine order and joints. Rejects are predictions without a person, second predictions of a
/// person and those of other heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct PredsExport {
    /// The file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "FILE"))]
    pub path: PathBuf,
    /// The output head, from 1; each person's last if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, alias = "stage", value_name = "NUMBER"))]
    pub head: Option<i32>,
}

impl Export for PredsExport {
    const FORMAT: &'static str = FORMAT;
    const INPUTS: &'static [&'static str] = &["keypoints", "people"];

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Joined::check(inputs)
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        Ok(Box::new(Joined::new(&self.path, self.head, encode)?))
    }
}

fn encode(
    predicted: Predicted,
    (skeleton, people): &People,
    file: &mut AtomicFile,
    exported: &mut Exported,
) -> Result<(), ExportError> {
    let pairs = predicted.of(people, skeleton, FORMAT, exported);
    let (count, joints) = (pairs.len(), skeleton.len());
    let mut values = vec![f64::NAN; count * joints * 2];
    let mut missed = 0;
    for (row, (_, prediction)) in pairs.iter().enumerate() {
        let Some(prediction) = prediction else {
            missed += 1;
            continue;
        };
        for (joint, point) in prediction.keypoints.iter().enumerate() {
            for (axis, value) in point.iter().enumerate() {
                // MATLAB's order: the first index runs fastest.
                values[row + count * (joint + joints * axis)] = value + FIRST_PIXEL;
            }
        }
    }
    let array = Value::array(&[count, joints, 2], values);
    file.put(matlab::to_bytes(&[(ARRAY, &array)], Packing::Zlib)?)?;
    exported
        .notes
        .insert(0, format!("`{ARRAY}` is {count} x {joints} x 2 (`{}`), pixels from 1", skeleton.name));
    exported.note(missed, "people have no prediction; their rows are NaN");
    Ok(())
}
