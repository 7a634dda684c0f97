//! `encode_simcc`: the labels of a network that classifies the column and the row of each joint.
//!
//! Source: `SimCC` (Li et al., ECCV 2022) as in mmpose, `codecs/simcc_label.py`, which `RTMPose` is trained with.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{fixed_list, schema_with, with_column};
use schemas::tables::samples::{SIMCC_WEIGHT, SIMCC_X, SIMCC_Y};
use schemas::units::{BinsPerPixel, Probability, Spread};
use serde::{Deserialize, Serialize};

use super::crops::{Crops, listed, numbers, weight_field};
use super::patch::RADIUS_IN_SIGMAS;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Default bins per px of the crop: 2 (`SimCC`, `RTMPose`).
pub const SPLIT_RATIO: BinsPerPixel = BinsPerPixel::constant(2.0);

/// Which labels are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeSimccConfig {
    /// Bins per px of the crop, along both axes.
    #[serde(default = "split_ratio")]
    pub split_ratio: BinsPerPixel,
    /// How a joint is spread over the bins.
    pub label: Label,
}

fn split_ratio() -> BinsPerPixel {
    SPLIT_RATIO
}

/// How a joint is spread over the bins of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A Gaussian about the joint's bin.
    Gaussian(GaussianLabel),
    /// All at the joint's bin, or nearly.
    OneHot(OneHot),
}

/// exp(-d² / 2σ²) of the distance d to the joint's bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianLabel {
    /// Spread along x and along y in bins. `RTMPose`: `[4.9, 5.66]` for crops of 192 x 256, `[6.0, 6.93]` for 288 x 384.
    pub sigma: [Spread; 2],
    /// Whether it is divided by σ √(2π), so that its sum is 1 where all of it is in the crop.
    #[serde(default = "normalise")]
    pub normalise: bool,
}

fn normalise() -> bool {
    true
}

/// 1 at the joint's bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneHot {
    /// The part that is taken from the joint's bin and shared out to the others.
    #[serde(default = "no_smoothing")]
    pub smoothing: Probability,
}

fn no_smoothing() -> Probability {
    Probability::constant(0.0)
}

/// The stage. It rejects no row: a joint that is not annotated, or whose label lies outside the crop, has zeros and the weight 0.
#[derive(Debug, Clone, Copy)]
pub struct EncodeSimcc {
    config: EncodeSimccConfig,
}

impl EncodeSimccConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> EncodeSimcc {
        EncodeSimcc { config: *self }
    }
}

impl EncodeSimcc {
    /// Bins along x and along y: at least one.
    fn bins(self, crops: Crops) -> [usize; 2] {
        let bins = |side: u32| (f64::from(side) * self.config.split_ratio.get()).round_ties_even();
        crops.size.map(|side| bins(side).max(1.0) as usize)
    }

    fn fields(self, crops: Crops) -> [Field; 3] {
        let [columns, rows] = self.bins(crops);
        let labels = |name: &str, bins: usize| {
            Field::new(name, fixed_list(fixed_list(DataType::Float32, bins), crops.joints), false)
        };
        [labels(SIMCC_X, columns), labels(SIMCC_Y, rows), weight_field(SIMCC_WEIGHT, crops.joints)]
    }
}

impl Label {
    /// Fills the labels of a joint in the bins `bin` along both axes, of which there are so many as the labels are long; says
    /// whether it counts.
    fn fill(&self, bin: [f64; 2], labels: [&mut [f32]; 2]) -> bool {
        match self {
            Self::Gaussian(gaussian) => gaussian.fill(bin, labels),
            Self::OneHot(one_hot) => one_hot.fill(bin, labels),
        }
    }
}

impl GaussianLabel {
    fn fill(&self, bin: [f64; 2], labels: [&mut [f32]; 2]) -> bool {
        let sigma = self.sigma.map(Spread::get);
        let touches = |axis: usize, bins: usize| {
            let radius = RADIUS_IN_SIGMAS * sigma[axis];
            bin[axis] - radius < bins as f64 && bin[axis] + radius + 1.0 >= 0.0
        };
        if !(touches(0, labels[0].len()) && touches(1, labels[1].len())) {
            return false;
        }
        for ((label, bin), sigma) in labels.into_iter().zip(bin).zip(sigma) {
            let whole = if self.normalise { sigma * libm::sqrt(2.0 * std::f64::consts::PI) } else { 1.0 };
            for (at, value) in label.iter_mut().enumerate() {
                let squared = (at as f64 - bin).powi(2);
                *value = (libm::exp(-squared / (2.0 * sigma * sigma)) / whole) as f32;
            }
        }
        true
    }
}

impl OneHot {
    fn fill(self, bin: [f64; 2], labels: [&mut [f32]; 2]) -> bool {
        if bin.iter().zip(&labels).any(|(bin, label)| !(*bin >= 0.0 && *bin < label.len() as f64)) {
            return false;
        }
        let smoothing = self.smoothing.get();
        for (label, bin) in labels.into_iter().zip(bin) {
            // A single bin has no others to share with.
            let others = (label.len() as f64 - 1.0).max(1.0);
            label.fill((smoothing / others) as f32);
            label[bin as usize] = (1.0 - smoothing) as f32;
        }
        true
    }
}

impl Stage for EncodeSimcc {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let crops = Crops::of(input, "encode_simcc")?;
        let with = |schema: Schema, field: Field| schema_with(&schema, field);
        Ok(Arc::new(self.fields(crops).into_iter().fold(input.as_ref().clone(), with)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let crops = Crops::of(batch.schema_ref(), "encode_simcc")?;
        let ([columns, rows], joints) = (self.bins(crops), crops.joints);
        let ratio = self.config.split_ratio.get();
        let all = batch.num_rows() * joints;
        let (mut x, mut y) = (vec![0.0; all * columns], vec![0.0; all * rows]);
        let mut weights = vec![0.0; all];
        let poses = crops.poses(batch)?;
        let points = poses.iter().flat_map(|pose| (0..joints).map(|joint| pose.joint(joint)));
        let labels = x.chunks_exact_mut(columns).zip(y.chunks_exact_mut(rows)).zip(&mut weights);
        for (point, ((x, y), weight)) in points.zip(labels) {
            let Some(point) = point else { continue };
            // As numpy's `around`: halves go to the even bin.
            if self.config.label.fill(point.map(|value| (value * ratio).round_ties_even()), [x, y]) {
                *weight = 1.0;
            }
        }
        let columns =
            [listed(numbers(x, columns), joints), listed(numbers(y, rows), joints), numbers(weights, joints)];
        let mut out = batch.clone();
        for (field, column) in self.fields(crops).into_iter().zip(columns) {
            out = with_column(&out, field, column)?;
        }
        Ok(Outcome::all(out))
    }
}

#[cfg(test)]
#[path = "simcc_tests.rs"]
mod tests;
