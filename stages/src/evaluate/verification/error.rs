//! Why trials could not be scored at all.

use schemas::tables::embeddings::CLASSES_KEY;
use schemas::{Fault, Hinted};

use super::identification::DEFAULT_SHARE;
use crate::stage::StageError;

/// Why trials could not be scored at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum VerificationError {
    /// There is nothing to score.
    #[error("there are no trials to score")]
    Empty,
    /// No trial is of the split.
    #[error("no trial has both probe and client in split `{split}`; the splits of the probes are {present}")]
    EmptySplit { split: String, present: String },
    /// One of the two kinds of trials is missing, so one of the two error rates has no denominator.
    #[error("{of} have {genuine} genuine and {impostor} impostor trials; error rates need both kinds")]
    OneKind { of: String, genuine: u64, impostor: u64 },
    /// A score is NaN or infinite where no row can be rejected.
    #[error("{count} of {of} scores are not finite; a threshold needs finite scores")]
    NotFinite { count: usize, of: usize },
    /// The threshold would be that of the trials that are scored.
    #[error("`{stage}` takes its threshold from the split `{split}` that it scores")]
    OneSplit { stage: String, split: String },
    /// A single point is no curve.
    #[error("`{stage}`: a curve has two ends, so `points` cannot be `1`")]
    OnePoint { stage: String, usual: u32 },
    /// The right class is never in a share of nothing.
    #[error("`{stage}`: no class is in the top share `0`")]
    NoShare { stage: String },
    /// The numbers of an embedding are not scores.
    #[error("the embeddings do not say which subjects their numbers are scores of")]
    NoClasses,
    /// The metadata of the embeddings was not written by us.
    #[error("`{CLASSES_KEY}` is not a list of subjects: {error}")]
    ClassList { error: String },
    /// Each score needs a class.
    #[error("there are {classes} classes and {scores} scores a frame")]
    ClassCount { classes: usize, scores: usize },
    /// Two classes have one name.
    #[error("only {names} of the {classes} classes have a name of their own")]
    ClassNames { names: usize, classes: usize },
    /// Frames of one sequence must follow each other to be pooled.
    #[error("frames of sequence {sequence} of session `{session}` of `{subject}` stand apart")]
    Apart { sequence: i32, session: String, subject: String },
    /// No row can be ranked.
    #[error(
        "there are no class scores{} to rank",
        split.as_ref().map_or_else(String::new, |split| format!(" in split `{split}`"))
    )]
    NoScores { split: Option<String> },
}

impl Hinted for VerificationError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "check that the stage that scores has clients and probes".into(),
            Self::EmptySplit { .. } => "name one of these splits in `split`".into(),
            Self::OneKind { .. } => {
                "enrol and probe at least two people of the split, each with a session of their own".into()
            }
            Self::NotFinite { .. } => "remove the scores that are NaN or infinite".into(),
            Self::OneSplit { .. } => {
                "name two splits in `validation` and `split`; the EER needs no threshold of another split"
                    .into()
            }
            Self::OnePoint { usual, .. } => format!("set `points = {usual}`, or 0 for no curve"),
            Self::NoShare { .. } => format!("set `share = {DEFAULT_SHARE}`"),
            Self::NoClasses => {
                "give the classes of the network in its card, and take the output that scores classes".into()
            }
            Self::ClassList { .. } => return None,
            Self::ClassCount { .. } | Self::ClassNames { .. } => {
                "name each class once, in the order of the scores".into()
            }
            Self::Apart { .. } => "keep the order of the rows, or pool by frame: `pool = 'frame'`".into(),
            Self::NoScores { .. } => {
                "check `split`, and that the subjects are among the classes of the network".into()
            }
        })
    }

    fn fault(&self) -> Fault {
        match self {
            Self::OneSplit { .. }
            | Self::OnePoint { .. }
            | Self::NoShare { .. }
            | Self::NoClasses
            | Self::ClassList { .. }
            | Self::ClassCount { .. }
            | Self::ClassNames { .. } => Fault::Config,
            _ => Fault::Data,
        }
    }
}

impl From<VerificationError> for StageError {
    fn from(error: VerificationError) -> Self {
        Self::step(error)
    }
}
