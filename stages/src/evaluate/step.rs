//! Evaluation as an aggregate of the runner: which columns it needs, and what it returns.

use arrow::datatypes::SchemaRef;
use schemas::columns::{field, skeleton_of};
use schemas::tables::metrics;

use super::config::Evaluate;
use crate::stage::{AllRows, Gathered, Give, Number, Rows, StageError};

/// Columns of the truth: without those of the first list there is nothing to score, those of the second serve some
/// protocols.
const TRUTH: ([&str; 3], [&str; 9]) = (
    ["sample_id", "keypoints", "visibility"],
    [
        "dataset",
        "split",
        "image_path",
        "person_index",
        "center",
        "scale",
        "head_box",
        "torso_box",
        "attributes",
    ],
);

/// Columns of the predictions, as those of the truth.
const PREDICTIONS: ([&str; 2], [&str; 5]) =
    (["sample_id", "keypoints"], ["head", "split", "score", "heatmap_mean", "model"]);

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
        let wanted = |name: &str| needed.contains(&name) || useful.contains(&name);
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
        let all = |rows: &dyn Rows| rows.scan().collect::<Result<Vec<_>, _>>();
        let evaluation = self.score(&all(truth)?, &all(predictions)?, run)?;
        give(metrics::to_batch(&evaluation.metrics))?;
        Ok(Gathered { rejects: evaluation.rejects, notes: evaluation.notes })
    }
}
