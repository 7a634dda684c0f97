//! Why tables could not be scored at all.

use schemas::{Fault, Hinted, SchemaError};

use super::protocol::Protocol;
use crate::StageError;

/// Why tables could not be scored at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// Two people of the truth bear one id.
    #[error("the truth holds `{sample_id}` twice; every person needs an id of its own")]
    DuplicateTruth {
        /// The id.
        sample_id: String,
    },
    /// One output head of one model predicts one person twice.
    #[error(
        "model `{model}`, head {head}, predicts `{sample_id}` twice; one row a person and head is scored"
    )]
    DuplicatePrediction {
        /// The model.
        model: String,
        /// The output head, from 1.
        head: i32,
        /// The id.
        sample_id: String,
    },
    /// A pose has another number of joints than its skeleton.
    #[error("{side} `{sample_id}` has {found} joints; `{skeleton}` has {expected}")]
    JointCount {
        /// `truth` or `prediction`.
        side: &'static str,
        /// The id.
        sample_id: String,
        /// Joints of the pose.
        found: usize,
        /// Name of the skeleton.
        skeleton: &'static str,
        /// Joints of the skeleton.
        expected: usize,
    },
    /// A skeleton lacks a joint that the protocol needs.
    #[error("`{protocol}` needs the joint `{joint}`, which the {side}'s skeleton `{skeleton}` lacks")]
    MissingJoint {
        /// The protocol.
        protocol: Protocol,
        /// The joint.
        joint: &'static str,
        /// `truth` or `prediction`.
        side: &'static str,
        /// Name of the skeleton.
        skeleton: &'static str,
    },
    /// The truth has nobody in the split.
    #[error("the truth has no people in split `{split}`; its splits are {present}")]
    EmptySplit {
        /// The split that was asked for.
        split: String,
        /// The splits that are there.
        present: String,
    },
    /// There is nothing to score.
    #[error("there are no {side} rows to score")]
    Empty {
        /// `truth` or `prediction`.
        side: &'static str,
    },
    /// Batches of one table follow different skeletons.
    #[error("the {side} batches follow two skeletons, `{first}` and `{other}`; map them to one first")]
    MixedSkeletons {
        /// `truth` or `prediction`.
        side: &'static str,
        /// Skeleton of the first batch.
        first: &'static str,
        /// Skeleton of another.
        other: &'static str,
    },
    /// Two predictions are of different people.
    #[error("no person of the truth is predicted by both; there is nothing to compare")]
    NothingShared,
    /// A comparison is of one output head with one other.
    #[error("a comparison needs the predictions of one output head on each side, found {count}")]
    SeveralHeads {
        /// How many there are.
        count: usize,
    },
    /// Presence needs numbers that only heatmaps give.
    #[error(
        "`presence` needs `score` or `heatmap_mean`, and the predictions of model `{model}` have neither"
    )]
    NoHeatmapScores {
        /// The model.
        model: String,
    },
    /// A table lacks a column.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl Hinted for EvaluateError {
    fn fault(&self) -> Fault {
        if matches!(self, Self::Schema(_)) { Fault::Schema } else { Fault::Data }
    }
}

impl From<EvaluateError> for StageError {
    fn from(error: EvaluateError) -> Self {
        Self::step(error)
    }
}
