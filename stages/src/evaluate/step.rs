//! Evaluation as an aggregate of the runner: which columns it needs, and what it returns.

use arrow::datatypes::SchemaRef;
use schemas::columns::{field, skeleton_of};
use schemas::tables::metrics;

use super::config::Evaluate;
use crate::stage::{AllRows, Gathered, Give, Number, Rows, StageError};

/// Columns of the truth: without those of the first list there is nothing to score, those of the second serve some
/// protocols or name what is scored.
const TRUTH: ([&str; 3], [&str; 3]) =
    (["sample_id", "keypoints", "visibility"], ["dataset", "split", "head_box"]);

/// Columns of the predictions, as those of the truth.
const PREDICTIONS: ([&str; 2], [&str; 2]) = (["sample_id", "keypoints"], ["head", "model"]);

/// Columns of the predictions that presence is told from.
const EVIDENCE: [&str; 2] = ["score", "heatmap_mean"];

impl AllRows for Evaluate {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["truth", "predictions"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        let (needed, useful): (&[&str], &[&str]) =
            if input == 0 { (&TRUTH.0, &TRUTH.1) } else { (&PREDICTIONS.0, &PREDICTIONS.1) };
        for name in needed {
            field(schema, name)?;
        }
        skeleton_of(schema)?;
        let evidence: &[&str] = if input == 1 && self.needs_evidence() { &EVIDENCE } else { &[] };
        let wanted = |name: &str| [needed, useful, evidence].iter().any(|names| names.contains(&name));
        Ok((0..schema.fields().len()).filter(|&index| wanted(schema.field(index).name())).collect())
    }

    fn output_schema(&self, _inputs: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        Ok(metrics::schema())
    }

    fn run(
        &self,
        [truth, predictions]: [&dyn Rows; 2],
        run: &str,
        give: &mut Give<'_>,
    ) -> Result<Gathered, StageError> {
        let evaluation = self.score(truth, predictions, run)?;
        give(metrics::to_batch(&evaluation.metrics))?;
        Ok(Gathered { rejects: evaluation.rejects, notes: evaluation.notes })
    }
}
