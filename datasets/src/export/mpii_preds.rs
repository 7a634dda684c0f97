//! `keypoints` to the array that evaluators of MPII read: `preds`, `[N, K, 2]` double, in a MAT v5 file.
//!
//! Row n is person n of the people, image rows without a person not counted; pixels count from 1. Joints have the
//! order of the people's skeleton, so predictions of another skeleton are arranged by name. What was not predicted is
//! `NaN`, which no threshold accepts.

use std::path::Path;

use schemas::Skeleton;
use schemas::tables::people::Person;

use super::atomic::AtomicFile;
use super::{ExportError, Exported, Predicted};
use crate::matlab::{self, Packing, Value};

/// Name of the array.
pub const ARRAY: &str = "preds";

/// Stage name in rejects.
const FORMAT: &str = "export preds";

/// The number of the first pixel, as MATLAB counts.
const FIRST_PIXEL: f64 = 1.0;

/// Writes what is `predicted` of `people`, whose joints have the order of `skeleton`, to the file `target`.
///
/// Rejects are predictions of nobody, second ones and those of other stages.
///
/// # Errors
/// When the target is there and `overwrite` is not set, or the system refuses.
pub fn write(
    predicted: Predicted,
    people: &[Person],
    skeleton: &'static Skeleton,
    target: &Path,
    overwrite: bool,
) -> Result<Exported, ExportError> {
    let mut file = AtomicFile::create(target, overwrite)?;
    let mut exported = Exported::default();
    let pairs = predicted.of(people, skeleton, FORMAT, &mut exported);
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
    file.finish()?;
    exported
        .notes
        .insert(0, format!("`{ARRAY}` is {count} x {joints} x 2 (`{}`), pixels from 1", skeleton.name));
    exported.note(missed, "people have no prediction; their rows are NaN");
    Ok(exported)
}
