//! `fit_projection`: a principal component analysis of the embeddings of one split.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use nalgebra::{DMatrix, SymmetricEigen};
use schemars::JsonSchema;
use schemas::columns::strings;
use schemas::tables::embeddings;
use schemas::tables::models::{self, Projection};
use schemas::units::Count;
use serde::{Deserialize, Serialize};

use super::error::VerifyError;
use super::frames::{Frames, TRAIN, chosen, needed_columns};
use super::moments::{Moments, Scatter, moments};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};

/// Components of the Abacus paper, which projects its features to 100 numbers (arXiv 1511.03908).
pub const PROJECTED: Count = Count::constant(100);
/// Most numbers of an embedding: the covariance of 4,096 takes 128 MiB, and its eigenvalues minutes.
pub const MOST_DIMENSIONS: usize = 4096;
/// Steps after which the search for one eigenvalue gives up; a handful is usual.
const STEPS_PER_EIGENVALUE: usize = 100;

/// Keys of the stage `fit_projection`.
///
/// ```
/// let config: stages::verify::FitProjectionConfig = toml::from_str("components = 20")?;
/// assert_eq!(config.split, "train");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitProjectionConfig {
    /// P, how many numbers each frame is projected to; by default 100.
    pub components: Count,
    /// The split that it is fitted on; by default `train`.
    pub split: String,
}

impl Default for FitProjectionConfig {
    fn default() -> Self {
        Self { components: PROJECTED, split: TRAIN.to_owned() }
    }
}

impl FitProjectionConfig {
    /// The step.
    ///
    /// # Errors
    /// Never; the count is in range by its type.
    pub fn build(&self, context: &BuildContext) -> Result<FitProjection, StageError> {
        let (components, splits) = (self.components.get() as usize, vec![self.split.clone()]);
        Ok(FitProjection { name: context.name.clone(), components, splits })
    }
}

/// Fits one [`Projection`] to all frames of a split, in one pass.
#[derive(Debug, Clone)]
pub struct FitProjection {
    name: String,
    components: usize,
    splits: Vec<String>,
}

impl AllRows for FitProjection {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["embeddings"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        needed_columns(schema, &["split", "subject"])
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        let dimensions = embeddings::dimensions(inputs[0])?;
        if self.components > dimensions {
            let (stage, components) = (self.name.clone(), self.components);
            return Err(StageError::step(VerifyError::ManyComponents { stage, components, dimensions }));
        }
        if dimensions > MOST_DIMENSIONS {
            let (stage, most) = (self.name.clone(), MOST_DIMENSIONS);
            return Err(StageError::step(VerifyError::WideEmbeddings { stage, dimensions, most }));
        }
        Ok(models::projection_schema(dimensions, self.components))
    }

    fn run(&self, inputs: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schema = inputs[0].schema();
        self.output_schema([&schema])?;
        let dimensions = embeddings::dimensions(&schema)?;
        let mut subjects = BTreeSet::new();
        let pick = |batch: &RecordBatch| {
            let (serves, names) = (chosen(batch, &self.splits, None)?, strings(batch, "subject")?);
            let tag = |(row, serves): (usize, bool)| {
                if serves && !subjects.contains(names.value(row)) {
                    subjects.insert(names.value(row).to_owned());
                }
                serves.then_some(0)
            };
            Ok(serves.into_iter().enumerate().map(tag).collect())
        };
        let mut frames = Frames::new(inputs[0], dimensions, &self.name, Box::new(pick));
        let moments = moments(&mut frames, dimensions, Scatter::Full, |_| ())?;
        let rejects = std::mem::take(&mut frames.rejects);
        drop(frames);
        let subjects: Vec<String> = subjects.into_iter().collect();
        let projection = self.principal(&moments, subjects)?;
        let share = projection.variance.iter().sum::<f64>() / projection.total_variance;
        let note = format!(
            "{} of {dimensions} components keep {:.2} % of the variance of {} frames of {} subjects",
            self.components,
            100.0 * share,
            projection.frames,
            projection.subjects.len(),
        );
        give(projection.to_batch())?;
        Ok(Gathered { rejects, notes: vec![note] })
    }
}

impl FitProjection {
    /// The first principal components of frames with these moments.
    fn principal(&self, moments: &Moments, subjects: Vec<String>) -> Result<Projection, StageError> {
        let (frames, dimensions) = (moments.frames, moments.mean.len());
        let split = || self.splits[0].clone();
        if frames <= self.components as u64 {
            let (split, components) = (split(), self.components);
            return Err(StageError::step(VerifyError::FewDirections { split, frames, components }));
        }
        let covariance: Vec<f64> = moments.scatter.iter().map(|sum| sum / (frames - 1) as f64).collect();
        let total_variance = (0..dimensions).map(|at| covariance[at * dimensions + at]).sum();
        let matrix = DMatrix::from_vec(dimensions, dimensions, covariance);
        let steps = STEPS_PER_EIGENVALUE * dimensions;
        let eigen = SymmetricEigen::try_new(matrix, f64::EPSILON, steps)
            .ok_or_else(|| StageError::step(VerifyError::NoEigenvalues { split: split(), steps }))?;
        let mut order: Vec<usize> = (0..dimensions).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let mut directions = Vec::with_capacity(self.components * dimensions);
        for &at in &order[..self.components] {
            let direction = eigen.eigenvectors.column(at);
            let largest =
                direction.iter().fold(0.0_f64, |most, v| if v.abs() > most.abs() { *v } else { most });
            directions.extend(direction.iter().map(|v| v * largest.signum()));
        }
        // An eigenvalue of a direction without variance may come out a rounding below 0.
        let variance = order[..self.components].iter().map(|&at| eigen.eigenvalues[at].max(0.0)).collect();
        Ok(Projection {
            frames: i64::try_from(frames).unwrap_or(i64::MAX),
            subjects,
            mean: moments.mean.clone(),
            directions,
            variance,
            total_variance,
        })
    }
}
