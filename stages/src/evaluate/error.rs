//! Why tables could not be scored at all.

use schemas::{Fault, Hinted, SchemaError};

use super::protocol::Protocol;
use crate::StageError;

/// Why tables could not be scored at all; `side` is `truth` or `prediction`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum EvaluateError {
    /// Two people of the truth have the same id.
    #[error("the truth holds `{sample_id}` twice; every person needs an id of its own")]
    DuplicateTruth { sample_id: String },
    /// One output head of one model predicts one person twice.
    #[error(
        "model `{model}`, head {head}, predicts `{sample_id}` twice; one row per person and head is scored"
    )]
    DuplicatePrediction { model: String, head: i32, sample_id: String },
    /// A pose has another number of joints than its skeleton.
    #[error("{side} `{sample_id}` has {found} joints; `{skeleton}` has {expected}")]
    JointCount {
        side: &'static str,
        sample_id: String,
        found: usize,
        skeleton: &'static str,
        expected: usize,
    },
    /// A skeleton lacks a joint that the protocol needs.
    #[error("`{protocol}` needs the joint `{joint}`, which the {side}'s skeleton `{skeleton}` lacks")]
    MissingJoint { protocol: Protocol, joint: &'static str, side: &'static str, skeleton: &'static str },
    /// The truth has nobody in the split.
    #[error("the truth has no people in split `{split}`; its splits are {present}")]
    EmptySplit { split: String, present: String },
    /// There is nothing to score.
    #[error("there are no {side} rows to score")]
    Empty { side: &'static str },
    /// Batches of one table follow different skeletons.
    #[error("the {side} batches follow two skeletons, `{first}` and `{other}`; map them to one first")]
    MixedSkeletons { side: &'static str, first: &'static str, other: &'static str },
    /// Two predictions are of different people.
    #[error("no person of the truth is predicted by both; there is nothing to compare")]
    NothingShared,
    /// A comparison takes one output head and one other.
    #[error("a comparison needs the predictions of one output head on each side, found {count}")]
    SeveralHeads { count: usize },
    /// The score of a prediction cannot be put into an order.
    #[error("the prediction `{sample_id}` has the `{column}` {found}; scores must be finite numbers")]
    ScoreNotFinite { sample_id: String, column: &'static str, found: String },
    /// Two people of the truth are one annotation.
    #[error("the truth holds annotation {id} of `{file}` twice, the second time as `{sample_id}`")]
    DuplicateAnnotation { sample_id: String, id: i64, file: String },
    /// A spread is given for a joint that the truth does not have.
    #[error("`sigmas` names the joint `{joint}`, which the truth's skeleton `{skeleton}` lacks")]
    StrangeSigma { joint: String, skeleton: &'static str },
    /// Spreads are given to protocols that have no use for them.
    #[error(
        "`{stage}` gives `sigmas`, which only `coco-oks` has a use for, and its protocols are {protocols}"
    )]
    SigmasUnused { stage: String, protocols: String },
    /// Presence needs numbers that only heatmaps give.
    #[error(
        "`presence` needs `score` or `heatmap_mean`, and the predictions of model `{model}` have neither"
    )]
    NoHeatmapScores { model: String },
    /// No protocol is named.
    #[error("`{stage}` has no protocol to score by")]
    NoProtocol { stage: String },
    /// Rows would be scored by one protocol twice.
    #[error("`{stage}` names the protocol `{protocol}` twice")]
    ProtocolTwice { stage: String, protocol: Protocol },
    /// A number that takes long and adds nothing; `usual` is enough.
    #[error("`{stage}`: `{key}` must be at most {most}, found `{found}`")]
    AboveMost { stage: String, key: &'static str, most: u32, found: u32, usual: u32 },
    /// A table lacks a column.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl Hinted for EvaluateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoProtocol { .. } => {
                let names = Protocol::ALL.map(|protocol| format!("`{protocol}`")).join(", ");
                Some(format!("name one or more in `protocols`: {names}"))
            }
            Self::ProtocolTwice { .. } => Some("name it once in `protocols`".into()),
            Self::AboveMost { key, usual, .. } => Some(format!("set `{key} = {usual}`")),
            Self::ScoreNotFinite { .. } => Some(
                "leave such rows out with a `filter`, or give each prediction a `detection_score`".into(),
            ),
            Self::DuplicateAnnotation { .. } => {
                Some("read the annotation file once, and give each annotation an `id` of its own".into())
            }
            Self::StrangeSigma { .. } => {
                Some("name joints as the skeleton does; the others keep its sigmas".into())
            }
            Self::SigmasUnused { .. } => Some("leave `sigmas` out, or add `coco-oks` to `protocols`".into()),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoProtocol { .. }
            | Self::ProtocolTwice { .. }
            | Self::AboveMost { .. }
            | Self::StrangeSigma { .. }
            | Self::SigmasUnused { .. } => Fault::Config,
            Self::Schema(_) => Fault::Schema,
            _ => Fault::Data,
        }
    }
}

impl From<EvaluateError> for StageError {
    fn from(error: EvaluateError) -> Self {
        Self::step(error)
    }
}
