//! Why a run ended before its end.

use std::path::PathBuf;

use datasets::export::ExportError;
use datasets::shards::ShardError;
use schemas::Hinted;
use schemas::units::grouped;
use stages::StageError;

use super::allowed::MostRejects;
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
    /// Two places of the plan that must lie apart.
    #[error("{second} must not be, contain or lie inside {first}: `{}`, `{}`", paths[1].display(), paths[0].display())]
    Overlap { first: String, second: String, paths: [PathBuf; 2] },
    /// The plan needs more memory than it is given.
    #[error("{what} takes {needed_mib} MiB, and `memory_mib` is {memory_mib}")]
    Memory { what: String, needed_mib: u64, memory_mib: u32 },
    /// Units of an array that are not done.
    #[error("{missing} of {units} units are not done, the first is unit {first}")]
    Missing { missing: u64, units: u64, first: u64 },
    /// All of something was lost; the tables are complete.
    #[error("nothing was kept: {what}")]
    Lost { what: String, rejects: Vec<String> },
    /// More was rejected than the caller allows; the tables are complete.
    #[error("{} of {} rows were rejected, more than {most}", grouped(*rejected), grouped(*read))]
    Rejects { rejected: u64, read: u64, most: MostRejects, rejects: Vec<String> },
    /// A failure before which rows had been rejected.
    #[error("{source}")]
    After { rejects: Vec<String>, source: Box<RunError> },
    /// A thread panicked: a bug.
    #[error("a thread stopped unexpectedly: {detail}; this is a bug in motionmill")]
    Panicked { detail: String },
    /// The caller has cancelled the run.
    #[error("the run was interrupted: {done} of {units} units are done")]
    Cancelled { done: u64, units: u64 },
    /// The threads could not be started.
    #[error("cannot start threads: {detail}")]
    Threads { detail: String },
}

impl RunError {
    /// This error, which came after those rejects.
    pub(super) fn after(self, rejects: Vec<String>) -> Self {
        if rejects.is_empty() { self } else { Self::After { rejects, source: Box::new(self) } }
    }

    /// The rejects that led to it, a line for each reason.
    pub fn rejects(&self) -> &[String] {
        match self {
            Self::Lost { rejects, .. } | Self::Rejects { rejects, .. } | Self::After { rejects, .. } => {
                rejects
            }
            _ => &[],
        }
    }

    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::After { source, .. } => source.hint(),
            Self::Rejects { .. } => Some(
                "`motionmill inspect` of the table of rejects lists them; `--fail-on-rejects` says how many may be"
                    .to_owned(),
            ),
            Self::Lost { rejects, .. } if !rejects.is_empty() => {
                Some("`motionmill inspect` of the table of rejects lists them by reason".to_owned())
            }
            Self::Stage { source, .. } => source.hint(),
            Self::Shard(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Sink { source, .. } => source.hint(),
            Self::Cancelled { .. } => Some("run it again: it resumes where it stopped".to_owned()),
            Self::Overlap { .. } => Some("choose places that lie apart".to_owned()),
            Self::Memory { needed_mib, .. } => Some(format!(
                "give it more, `[runner] memory_mib = {}`, or take fewer rows at a time, `batch_rows`",
                needed_mib.next_power_of_two()
            )),
            Self::Missing { .. } => Some(
                "run the missing parts of the array again, `--shard I/N`, or the whole plan, which does what is missing"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether an output belongs to other work, done or at work.
    pub(super) fn is_claimed(&self) -> bool {
        if let Self::After { source, .. } = self {
            return source.is_claimed();
        }
        let (Self::Shard(error) | Self::Sink { source: ExportError::Table(error), .. }) = self else {
            return false;
        };
        matches!(error, ShardError::Exists { .. } | ShardError::Locked { .. })
    }

    /// Whether motionmill or the machine is the cause, not the input or the plan.
    pub fn is_internal(&self) -> bool {
        match self {
            Self::After { source, .. } => source.is_internal(),
            _ => matches!(self, Self::LostRows { .. } | Self::Threads { .. } | Self::Panicked { .. }),
        }
    }

    /// Whether the same command may succeed later: not the input or the plan is the cause, but the machine, another
    /// run, or a bug.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Cancelled { .. } => true,
            Self::After { source, .. } => source.is_passing(),
            Self::Shard(error) | Self::Sink { source: ExportError::Table(error), .. } => shard_passes(error),
            Self::Sink { source: ExportError::Io { source, .. }, .. } => system_passes(source),
            _ => self.is_internal(),
        }
    }
}

fn shard_passes(error: &ShardError) -> bool {
    match error {
        ShardError::Locked { .. } => true,
        ShardError::Io { source, .. } => system_passes(source),
        _ => false,
    }
}

fn system_passes(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        Interrupted, QuotaExceeded, ResourceBusy, StaleNetworkFileHandle, StorageFull, TimedOut,
    };
    matches!(
        error.kind(),
        StorageFull | QuotaExceeded | ResourceBusy | StaleNetworkFileHandle | TimedOut | Interrupted
    )
}
