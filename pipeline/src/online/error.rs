//! Why samples could not be made on the fly.

use datasets::shards::ShardError;
use schemas::{Hinted, SchemaError};
use stages::StageError;

use crate::graph::GraphError;
use crate::plan::PlanError;
use crate::runner::RunError;

/// Why samples could not be made on the fly.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum OnlineError {
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan cannot be run.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A stage failed as a whole, or lost rows.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A table could not be read.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A table does not have what is asked of it.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The plan has no source or sink of this name.
    #[error("the plan has no {what} `{name}`; there are {known}")]
    Unknown { what: &'static str, name: String, known: String },
    /// There are several sinks or sources, and none was named.
    #[error("the plan has several {what}s: {known}")]
    Several { what: &'static str, known: String },
    /// The plan is not a linear chain from people to the sink.
    #[error("`{node}` {detail}, so its rows cannot be made one by one")]
    NotStraight { node: String, detail: String },
    /// There is no such row.
    #[error("there is no row {index}: the data set has {length}")]
    Index { index: usize, length: usize },
    /// An epoch that no copy can have.
    #[error("an epoch must be at most {}, found `{epoch}`", i32::MAX)]
    Epoch { epoch: u64 },
    /// Settings of an epoch that contradict each other.
    #[error("{message}")]
    Setting { message: String },
    /// A picture in a table could not be decoded.
    #[error("the picture of sample `{sample_id}` cannot be used: {detail}")]
    Picture { sample_id: String, detail: String },
    /// A condition is evaluated in a forked process.
    #[error("the stage `{stage}` uses threads that a forked process does not have")]
    Forked { stage: String },
    /// A thread panicked: a bug.
    #[error("a batch could not be made: {detail}; this is a bug in motionmill")]
    Panicked { detail: String },
    /// The threads could not be started.
    #[error("cannot start threads: {detail}")]
    Threads { detail: String },
}

impl OnlineError {
    /// The stage `stage` failed as a whole.
    pub(super) fn stage(stage: &str, source: StageError) -> Self {
        RunError::Stage { stage: stage.to_owned(), source }.into()
    }

    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Graph(error) => error.hint(),
            Self::Run(error) => error.hint(),
            Self::Shard(error) => error.hint(),
            Self::Several { what, .. } => Some(format!("name the {what}")),
            Self::NotStraight { .. } => {
                Some("write the samples with `motionmill run` and read the shards".to_owned())
            }
            Self::Forked { .. } => Some(
                "start the workers anew (`multiprocessing_context=\"spawn\"`), or put the stage before `repeat`"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the machine or motionmill is the cause, not the input or the plan.
    pub fn is_internal(&self) -> bool {
        match self {
            Self::Run(error) => error.is_internal(),
            Self::Panicked { .. } | Self::Threads { .. } => true,
            _ => false,
        }
    }
}
