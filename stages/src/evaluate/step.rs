//! Evaluation as an aggregate of the runner: which columns it needs, and what it gives.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::columns::{field, skeleton_of};
use schemas::tables::metrics;

use super::config::Evaluate;
use crate::stage::{Aggregate, Gathered, StageError};

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
    (["sample_id", "keypoints"], ["stage", "split", "score", "heatmap_mean", "model"]);

impl Aggregate for Evaluate {
    fn inputs(&self) -> &'static [&'static str] {
        &["truth", "predictions"]
    }

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

    fn output_schema(&self) -> SchemaRef {
        metrics::schema()
    }

    fn run(&self, inputs: &[Vec<RecordBatch>], run: &str) -> Result<Gathered, StageError> {
        let [truth, predictions] = inputs else { unreachable!("the runner gives each input") };
        let evaluation = self.score(truth, predictions, run)?;
        let (rejects, notes) = (evaluation.rejects, evaluation.notes);
        Ok(Gathered { rows: metrics::to_batch(&evaluation.metrics), rejects, notes })
    }
}
