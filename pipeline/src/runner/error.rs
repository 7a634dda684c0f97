//! Why a run ended before its end.

use datasets::export::ExportError;
use datasets::shards::ShardError;
use schemas::Hinted;
use stages::StageError;

use crate::graph::GraphError;

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum RunError {
    /// A table could not be read or written.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A stage could not work at all.
    #[error("the stage `{stage}` failed")]
    Stage {
        stage: String,
        #[source]
        source: StageError,
    },
    /// A stage lost rows or made some up: a bug.
    #[error(
        "the stage `{stage}` lost rows: {rows_in} in, {rejected} rejected, {rows_out} out, where {rule}; this is a bug \
         in motionmill"
    )]
    LostRows { stage: String, rows_in: usize, rows_out: usize, rejected: usize, rule: String },
    /// A source could not be opened, or not read during the run.
    #[error(transparent)]
    Source(#[from] GraphError),
    /// A sink could not be written.
    #[error("the sink `{node}` failed")]
    Sink {
        node: String,
        #[source]
        source: ExportError,
    },
    /// The caller has cancelled the run.
    #[error("the run was interrupted")]
    Cancelled,
    /// The threads could not be started.
    #[error("cannot start threads: {detail}")]
    Threads { detail: String },
}

impl RunError {
    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Stage { source, .. } => source.hint(),
            Self::Shard(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Sink { source, .. } => source.hint(),
            Self::Cancelled => Some("run it again: it resumes where it stopped".to_owned()),
            _ => None,
        }
    }

    /// Whether the machine or motionmill is the cause, not the input or the plan.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::LostRows { .. } | Self::Threads { .. })
    }
}
