//! Why trials could not be scored at all.

use crate::stage::StageError;

/// Why trials could not be scored at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// There is nothing to score.
    #[error("there are no trials to score")]
    Empty,
    /// No trial is of the split.
    #[error("no trial has both probe and client in split `{split}`; the splits of the probes are {present}")]
    EmptySplit {
        /// The split that was asked for.
        split: String,
        /// The splits that are there, in backticks.
        present: String,
    },
    /// One of the two kinds of trials is missing, so one of the two error rates has no denominator.
    #[error("{of} have {genuine} genuine and {impostor} impostor trials; error rates need both kinds")]
    OneKind {
        /// Which trials, in words.
        of: String,
        /// Genuine trials with a finite score.
        genuine: u64,
        /// Impostor trials with a finite score.
        impostor: u64,
    },
    /// A score is NaN or infinite where no row can be rejected.
    #[error("{count} of {of} scores are not finite; a threshold needs finite scores")]
    NotFinite {
        /// Scores that are not finite.
        count: usize,
        /// All scores.
        of: usize,
    },
}

impl From<VerificationError> for StageError {
    fn from(error: VerificationError) -> Self {
        let hint = match &error {
            VerificationError::Empty => "check that the stage that scores has clients and probes",
            VerificationError::EmptySplit { .. } => "name one of these splits in `split`",
            VerificationError::OneKind { .. } => {
                "enrol and probe at least two people of the split, each with a session of their own"
            }
            VerificationError::NotFinite { .. } => "remove the scores that are NaN or infinite",
        };
        Self::data(error.to_string(), hint)
    }
}
