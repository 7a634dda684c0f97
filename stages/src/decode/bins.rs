//! Reading `SimCC`: a joint is at the highest bin along each axis.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Float32Type;
use schemars::JsonSchema;
use schemas::columns::{column, field, numbers, wrong_type};
use schemas::tables::simcc;
use serde::{Deserialize, Serialize};

use super::peak::peak_and_mean;
use super::reading::{Predictions, Reading};
use crate::StageError;

/// How the heights of the two highest bins become the score of a joint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BinScore {
    /// The lower of the two, and a joint whose score is not above 0 has no place (`get_simcc_maximum` of mmpose).
    #[default]
    Lower,
    /// Their mean.
    Mean,
    /// Their product, for bins that are probabilities.
    Product,
}

/// The bins of a batch.
pub struct Bins<'a> {
    /// x and y.
    axes: [Axis<'a>; 2],
    ratios: &'a [f64],
    joints: usize,
    score: BinScore,
}

struct Axis<'a> {
    column: &'a ArrayRef,
    values: &'a [f32],
    bins: usize,
}

impl<'a> Axis<'a> {
    fn open(batch: &'a RecordBatch, name: &str, joints: usize) -> Result<Self, StageError> {
        let column = column(batch, name)?;
        let expected = format!("vectors [{joints}, bins] of Float32");
        let shape = simcc::vectors_shape(field(batch.schema_ref(), name)?.data_type());
        let mut inner = column;
        while let Some(list) = inner.as_fixed_size_list_opt() {
            inner = list.values();
        }
        match (shape, inner.as_primitive_opt::<Float32Type>()) {
            (Some([found, bins]), Some(values)) if found == joints && bins > 0 => {
                Ok(Self { column, values: values.values(), bins })
            }
            _ => Err(wrong_type(name, &expected, column.data_type()).into()),
        }
    }

    /// The highest bin of vector `at` and its height; `None` where nothing is finite.
    fn highest(&self, at: usize) -> Option<(usize, f64)> {
        let (peak, _) = peak_and_mean(&self.values[at * self.bins..][..self.bins], self.bins);
        peak.map(|peak| (peak.x, f64::from(peak.value)))
    }
}

impl<'a> Bins<'a> {
    /// The bins of `batch`.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn open(batch: &'a RecordBatch, score: BinScore) -> Result<Self, StageError> {
        let joints = schemas::columns::skeleton_of(batch.schema_ref())?.len();
        let axes = [Axis::open(batch, simcc::SIMCC_X, joints)?, Axis::open(batch, simcc::SIMCC_Y, joints)?];
        Ok(Self { axes, ratios: numbers(batch, simcc::SPLIT_RATIO)?.values(), joints, score })
    }
}

impl Predictions for Bins<'_> {
    fn refusal(&self, row: usize) -> Option<(&'static str, String)> {
        let absent = self.axes.iter().any(|axis| axis.column.is_null(row));
        absent.then(|| ("no bins", "the row has no bins".to_owned()))
    }

    fn read(&mut self, row: usize, channel: usize) -> Reading {
        let nothing = Reading { point_in_crop: [f64::NAN; 2], score: f64::NAN, mean: f64::NAN };
        let at = row * self.joints + channel;
        let [x, y] = self.axes.each_ref().map(|axis| axis.highest(at));
        let (Some((x, of_x)), Some((y, of_y))) = (x, y) else { return nothing };
        let score = match self.score {
            BinScore::Lower => of_x.min(of_y),
            BinScore::Mean => f64::midpoint(of_x, of_y),
            BinScore::Product => of_x * of_y,
        };
        if self.score == BinScore::Lower && score <= 0.0 {
            return Reading { score, ..nothing };
        }
        let ratio = self.ratios[row];
        Reading { point_in_crop: [x as f64 / ratio, y as f64 / ratio], score, ..nothing }
    }

    fn person_score(&self, _: usize) -> Option<f64> {
        None
    }
}
