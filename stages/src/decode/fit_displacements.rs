//! `fit_displacements`: how far predictions miss each joint, which is where the next stage of a cascade begins.

use std::collections::HashMap;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{field, points, skeleton_of, strings, visibilities};
use schemas::tables::displacements::{self, Displacement};
use schemas::tables::people::Pose;
use serde::{Deserialize, Serialize};

use super::error::DecodeError;
use crate::augment::focus::diameter::{Diameter, ends};
use crate::augment::focus::stage::LEAST_DIAMETER;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};
use crate::unit_sum::{Add, UnitSum};
use crate::verify::frames::TRAIN;

/// Keys of the stage `fit_displacements`.
///
/// ```
/// let config: stages::decode::FitDisplacementsConfig = toml::from_str("split = 'validation'")?;
/// assert_eq!(config.diameter, ["left_shoulder", "right_hip"]);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitDisplacementsConfig {
    /// The two joints between which a pose is measured, as of the stage `focus`.
    #[serde(default = "ends")]
    pub diameter: [String; 2],
    /// The split of the people that it is fitted on; by default `train`.
    #[serde(default = "train")]
    pub split: String,
}

fn train() -> String {
    TRAIN.to_owned()
}

impl FitDisplacementsConfig {
    /// The step.
    pub fn build(&self, context: &BuildContext) -> FitDisplacements {
        FitDisplacements { name: context.name.clone(), config: self.clone() }
    }
}

/// Mean and deviation of predicted - true place, along x and y, of each joint of the predictions (`DeepPose`, section 3.2).
///
/// People are joined by `sample_id`, joints by name. **Inferred**: lengths are in diameters of the annotated pose; the paper
/// states a normal distribution and no unit. Every prediction of a person counts, of whatever head or copy; joints that are
/// not annotated, or not predicted, do not.
#[derive(Debug, Clone)]
pub struct FitDisplacements {
    name: String,
    config: FitDisplacementsConfig,
}

/// The people of the split, by id.
#[derive(Default)]
struct Truth {
    people: HashMap<String, Measured>,
    /// How many have no diameter.
    without: u64,
}

/// Diameter in px, and the places in px of the image that are annotated, in the order of the truth's skeleton.
struct Measured {
    diameter: f64,
    places: Vec<Option<[f64; 2]>>,
}

/// Count, sum and sum of squares of one joint's displacements, along x and y.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: i64,
    sum: [f64; 2],
    squares: [f64; 2],
}

/// Those of all joints, `[K]`.
struct AllMoments(Vec<Moments>);

impl Add for AllMoments {
    fn add(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            ours.count += theirs.count;
            for axis in 0..2 {
                ours.sum[axis] += theirs.sum[axis];
                ours.squares[axis] += theirs.squares[axis];
            }
        }
    }
}

impl Moments {
    fn push(&mut self, displacement: [f64; 2]) {
        self.count += 1;
        for (axis, value) in displacement.into_iter().enumerate() {
            self.sum[axis] += value;
            self.squares[axis] += value * value;
        }
    }

    fn row(&self, joint: &str) -> Displacement {
        let count = self.count as f64;
        let mean = self.sum.map(|sum| sum / count);
        // Rounding may leave a variance of a constant just below 0.
        let deviation =
            [0, 1].map(|axis| (self.squares[axis] / count - mean[axis] * mean[axis]).max(0.0).sqrt());
        let ([mean_x, mean_y], [deviation_x, deviation_y]) = (mean, deviation);
        Displacement { joint: joint.to_owned(), mean_x, mean_y, deviation_x, deviation_y, count: self.count }
    }
}

/// Compares the predictions of `batch`; gives how many were of people of the truth.
fn compare(
    batch: &RecordBatch,
    truth: &Truth,
    from: &[Option<usize>],
    moments: &mut AllMoments,
) -> Result<u64, StageError> {
    let ids = strings(batch, "sample_id")?;
    let mut known = 0;
    for (row, places) in points(batch, "keypoints")?.iter().enumerate() {
        let Some(person) = truth.people.get(ids.value(row)) else { continue };
        known += 1;
        for (joint, [x, y]) in places.iter().enumerate() {
            let Some([true_x, true_y]) = from[joint].and_then(|at| person.places[at]) else { continue };
            let off = [(x - true_x) / person.diameter, (y - true_y) / person.diameter];
            if off.iter().all(|value| value.is_finite()) {
                moments.0[joint].push(off);
            }
        }
    }
    Ok(known)
}

impl FitDisplacements {
    fn truth(&self, rows: &dyn Rows) -> Result<Truth, StageError> {
        let skeleton = skeleton_of(&rows.schema())?;
        let diameter = Diameter::of(skeleton, &self.config.diameter)?;
        let mut truth = Truth::default();
        for batch in rows.scan() {
            let batch = batch?;
            let (ids, splits) = (strings(&batch, "sample_id")?, strings(&batch, "split")?);
            let seen = visibilities(&batch, "visibility", skeleton.len())?;
            let poses = std::iter::zip(points(&batch, "keypoints")?, seen);
            for (row, (keypoints, visibility)) in poses.enumerate() {
                if splits.is_null(row) || splits.value(row) != self.config.split {
                    continue;
                }
                let pose = Pose { keypoints, visibility };
                let places: Vec<_> = (0..skeleton.len()).map(|joint| pose.joint(joint)).collect();
                let id = ids.value(row).to_owned();
                match diameter.px(|joint| places[joint]).filter(|px| *px >= LEAST_DIAMETER && px.is_finite())
                {
                    None => truth.without += 1,
                    Some(diameter) => {
                        if truth.people.insert(id.clone(), Measured { diameter, places }).is_some() {
                            return Err(DecodeError::PersonTwice { id }.into());
                        }
                    }
                }
            }
        }
        Ok(truth)
    }

    fn rows(&self, skeleton: &Skeleton, moments: &AllMoments) -> Result<Vec<Displacement>, StageError> {
        let row = |(joint, moments): (&&str, &Moments)| {
            if moments.count > 0 {
                return Ok(moments.row(joint));
            }
            let (joint, split) = ((*joint).to_owned(), self.config.split.clone());
            Err(DecodeError::NeverCompared { joint, split }.into())
        };
        skeleton.joints.iter().zip(&moments.0).map(row).collect()
    }
}

impl AllRows for FitDisplacements {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["people", "keypoints"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        let needed: &[&str] = if input == 0 {
            &["sample_id", "split", "keypoints", "visibility"]
        } else {
            &["sample_id", "keypoints"]
        };
        let skeleton = skeleton_of(schema)?;
        if input == 0 {
            Diameter::of(skeleton, &self.config.diameter)?;
        }
        let index = |name: &&str| -> Result<usize, StageError> {
            field(schema, name)?;
            Ok(schema.index_of(name)?)
        };
        let mut columns = needed.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        columns.sort_unstable();
        Ok(columns)
    }

    fn output_schema(&self, [people, predictions]: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        in_image(people, "people")?;
        in_image(predictions, "keypoints")?;
        Ok(displacements::schema())
    }

    fn run(
        &self,
        [people, predictions]: [&dyn Rows; 2],
        _run: &str,
        give: &mut Give<'_>,
    ) -> Result<Gathered, StageError> {
        let truth = self.truth(people)?;
        let skeleton = skeleton_of(&predictions.schema())?;
        let from = skeleton.indices_in(skeleton_of(&people.schema())?);
        let (mut sum, mut rows, mut known) = (UnitSum::default(), 0, 0);
        for batch in predictions.scan_units() {
            let (unit, batch) = batch?;
            let moments = sum.open(unit, || AllMoments(vec![Moments::default(); skeleton.len()]));
            rows += batch.num_rows() as u64;
            known += compare(&batch, &truth, &from, moments)?;
        }
        let none = AllMoments(vec![Moments::default(); skeleton.len()]);
        give(displacements::to_batch(&self.rows(skeleton, &sum.total().unwrap_or(none))?))?;
        let (name, split) = (&self.name, &self.config.split);
        let mut notes =
            vec![format!("`{name}`: learnt from {known} predictions of people of split `{split}`")];
        if rows > known {
            notes.push(format!(
                "`{name}`: {} predictions are of nobody who is measured there; not used",
                rows - known
            ));
        }
        if truth.without > 0 {
            notes.push(format!("`{name}`: {} people of the split have no diameter; not used", truth.without));
        }
        Ok(Gathered { rejects: Vec::new(), notes })
    }
}

/// Refuses keypoints in px of a crop.
fn in_image(schema: &Schema, input: &'static str) -> Result<(), StageError> {
    if crate::augment::geometry::space_of_keypoints(schema) == Some("crop") {
        return Err(DecodeError::InCrop { input }.into());
    }
    Ok(())
}

#[cfg(test)]
#[path = "fit_displacements_tests.rs"]
mod tests;
