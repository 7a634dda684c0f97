//! `keypoints` to the array that MPII evaluators read: `preds`, `[N, K, 2]` double, in a MAT v5 file.
//!
//! Row n is person n of the people, image rows without a person not counted; pixels count from 1. Joints have the
//! order of the people's skeleton, so predictions of another skeleton are rearranged by name. Joints that were not
//! predicted are `NaN`, which no threshold accepts.
//!
//! Or to the structure `pred` that MPII's evaluation of the test set takes, one element for each image of the people in their
//! order: see [`crate::predictions`] and the source named there. Joints that were not predicted are left out of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::keypoints::PredictedPose;
use serde::{Deserialize, Serialize};

use super::atomic::AtomicFile;
use super::joined::{Joined, People};
use super::{Encode, Export, ExportError, Predicted};
use crate::matlab::{self, Packing, Value};
use crate::predictions::submission;
use crate::sink::Exported;

/// Name of the array.
pub(super) const ARRAY: &str = "preds";

/// Stage name in rejects.
const FORMAT: &str = "preds";

/// The number of the first pixel, as MATLAB counts.
const FIRST_PIXEL: f64 = 1.0;

/// Which of the two files of MPII is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum PredsForm {
    /// The array `preds`, N x K x 2, which evaluators of the validation set read.
    #[default]
    Array,
    /// The structure `pred`, which is submitted for the test set.
    Submission,
}

/// The array `preds` of N x K x 2 in a .mat, as MPII evaluators read it, or MPII's submission, from a table of keypoints.
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
    /// The array that evaluators read, or the structure that is submitted.
    #[serde(default, skip_serializing_if = "is_array")]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
    pub form: PredsForm,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_array(form: &PredsForm) -> bool {
    *form == PredsForm::Array
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
        let write = match self.form {
            PredsForm::Array => encode,
            PredsForm::Submission => submit,
        };
        Ok(Box::new(Joined::new(&self.path, self.head, write)?))
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

/// The structure `pred`: `annorect(i)` is the person of number i - 1, as MPII's annotation has it.
fn submit(
    predicted: Predicted,
    (skeleton, people): &People,
    file: &mut AtomicFile,
    exported: &mut Exported,
) -> Result<(), ExportError> {
    let mut images: Vec<(&str, Vec<Option<Value>>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for person in people {
        places.entry(&person.image_path).or_insert_with(|| {
            images.push((&person.image_path, Vec::new()));
            images.len() - 1
        });
    }
    let mut missed = 0;
    for (person, prediction) in predicted.of(people, skeleton, FORMAT, exported) {
        let rects = &mut images[places[person.image_path.as_str()]].1;
        let number =
            person.person_index.and_then(|number| usize::try_from(number).ok()).unwrap_or(rects.len());
        if rects.len() <= number {
            rects.resize(number + 1, None);
        }
        missed += u64::from(prediction.is_none());
        rects[number] = prediction.map(|prediction| points(&prediction));
    }
    let count = images.len();
    let elements = images.into_iter().map(|(path, rects)| {
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        let filled = rects.iter().map(|rect| vec![rect.clone().unwrap_or_else(Value::empty)]);
        let rects = Value::structs(&[1, rects.len()], &["annopoints"], filled);
        vec![Value::record([("name", Value::text(&name))]), rects]
    });
    let pred = Value::structs(&[1, count], &["image", "annorect"], elements);
    file.put(matlab::to_bytes(&[(submission::VARIABLE, &pred)], Packing::Zlib)?)?;
    let note = format!(
        "`{}` is a structure of {count} images (`{}`), pixels from 1",
        submission::VARIABLE,
        skeleton.name
    );
    exported.notes.insert(0, note);
    exported.note(missed, "people have no prediction; they have no points");
    Ok(())
}

/// The points of a prediction that were found, each with its joint, and its score where there is one.
fn points(prediction: &PredictedPose) -> Value {
    let found = |(_, point): &(usize, &[f64; 2])| point.iter().all(|value| value.is_finite());
    let scores = prediction.score.as_ref();
    let fields: &[&str] = if scores.is_some() { &["x", "y", "id", "score"] } else { &["x", "y", "id"] };
    let rows: Vec<Vec<Value>> = prediction
        .keypoints
        .iter()
        .enumerate()
        .filter(found)
        .map(|(joint, [x, y])| {
            let place = [x + submission::FIRST_PIXEL, y + submission::FIRST_PIXEL, joint as f64];
            place.into_iter().chain(scores.map(|scores| scores[joint])).map(Value::scalar).collect()
        })
        .collect();
    Value::record([("point", Value::structs(&[1, rows.len()], fields, rows))])
}
