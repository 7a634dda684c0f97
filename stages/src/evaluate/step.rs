//! Evaluation as an aggregate of the runner: which columns it needs, and what it returns.

use arrow::datatypes::SchemaRef;
use schemas::columns::{field, skeleton_of};
use schemas::skeleton::Skeleton;
use schemas::tables::{keypoints, metrics};

use super::config::Evaluate;
use super::error::EvaluateError;
use super::oks::sigmas_of;
use super::protocol::Protocol;
use crate::stage::{AllRows, Gathered, Give, Number, Rows, StageError};

/// Columns of the truth: without those of the first list there is nothing to score, those of the second serve some
/// protocols or name what is scored.
const TRUTH: ([&str; 3], [&str; 3]) =
    (["sample_id", "keypoints", "visibility"], ["dataset", "split", "head_box"]);

/// Columns of the predictions, as those of the truth.
const PREDICTIONS: ([&str; 2], [&str; 2]) = (["sample_id", "keypoints"], ["head", "model"]);

/// Columns of the predictions that presence is told from.
const EVIDENCE: [&str; 2] = ["score", "heatmap_mean"];

/// Columns of the truth that tell the box of a person.
const BOXES: [&str; 3] = ["attributes", "center", "scale"];

/// Columns of the truth that tell who else is in a picture, where and how large.
const PICTURES: [&str; 8] = [
    "image_path",
    "image_size",
    "person_index",
    "attributes",
    "center",
    "scale",
    "source_file",
    "source_record",
];

/// Columns of the predictions that tell their picture, and their order in it.
const DETECTIONS: [&str; 3] = [keypoints::IMAGE_PATH, keypoints::DETECTION_SCORE, "score"];

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
        let any = |is_one: fn(Protocol) -> bool| self.protocols().iter().any(|protocol| is_one(*protocol));
        let of_pictures = any(Protocol::is_of_pictures);
        if input == 0 && of_pictures {
            field(schema, "image_path")?;
            self.check_sigmas(skeleton_of(schema)?)?;
        }
        let mut wanted = vec![needed, useful];
        for (of_input, is_wanted, names) in [
            (1, self.needs_evidence(), &EVIDENCE[..]),
            (0, any(|protocol| protocol == Protocol::PckBbox), &BOXES[..]),
            (0, of_pictures, &PICTURES[..]),
            (1, of_pictures, &DETECTIONS[..]),
        ] {
            if input == of_input && is_wanted {
                wanted.push(names);
            }
        }
        let wanted = |name: &str| wanted.iter().any(|names| names.contains(&name));
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

impl Evaluate {
    /// Refuses spreads of joints that the truth does not have, before a row is read.
    fn check_sigmas(&self, skeleton: &Skeleton) -> Result<(), EvaluateError> {
        let strange = |joint| EvaluateError::StrangeSigma { joint, skeleton: skeleton.name };
        sigmas_of(skeleton, &self.sigmas()).map(drop).map_err(strange)
    }
}
