//! Why a run ended before its end.

use datasets::ReadError;
use datasets::shards::ShardError;
use stages::StageError;

use crate::graph::SessionError;

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A table could not be read or written.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// Sessions of a table could not be put together.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// A stage could not work at all.
    #[error("the stage `{stage}` failed")]
    Stage {
        /// The stage.
        stage: String,
        /// Why.
        #[source]
        source: StageError,
    },
    /// A stage lost rows or made some up: a bug.
    #[error(
        "the stage `{stage}` lost rows: {rows_in} in, {rejected} rejected, {rows_out} out, where {rule}; this is a bug \
         in motionmill"
    )]
    LostRows {
        /// The stage.
        stage: String,
        /// Rows that entered.
        rows_in: usize,
        /// Rows that left.
        rows_out: usize,
        /// Rows that were rejected.
        rejected: usize,
        /// What should hold.
        rule: String,
    },
    /// A file of a source could not be read on the way.
    #[error("cannot read the source `{node}`")]
    Source {
        /// The source.
        node: String,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Whoever asked for the run wants it to end.
    #[error("the run was interrupted")]
    Cancelled,
    /// The threads could not be started.
    #[error("cannot start threads: {detail}")]
    Threads {
        /// What the system said.
        detail: String,
    },
}

impl RunError {
    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Stage { source, .. } => source.hint().map(str::to_owned),
            Self::Shard(error) => shard_hint(error),
            Self::Cancelled => Some("run it again: it goes on where it stopped".to_owned()),
            _ => None,
        }
    }

    /// Whether the machine or motionmill is at fault, not the input or the plan.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::LostRows { .. } | Self::Threads { .. })
    }
}

/// What to change after `error`, where that is known.
pub(crate) fn shard_hint(error: &ShardError) -> Option<String> {
    match error {
        ShardError::Exists { .. } => Some("choose another folder, or replace it with `--force`".to_owned()),
        ShardError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            Some("free some space and run the same command again: it goes on where it stopped".to_owned())
        }
        ShardError::NoManifest { .. } => {
            Some("only `motionmill ingest` and `motionmill run` make table folders".to_owned())
        }
        _ => None,
    }
}
