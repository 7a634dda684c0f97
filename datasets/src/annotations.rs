//! What every reader of an annotation file returns, and how it fails.

use std::path::{Path, PathBuf};

use schemas::skeleton::SkeletonError;
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;
use schemas::{Fault, Hinted, SchemaError, Skeleton};

use crate::shards::ShardError;

/// All that one annotation file says.
#[derive(Debug)]
pub struct Annotations {
    /// The skeleton of every pose in `people`.
    pub skeleton: &'static Skeleton,
    /// One entry per person, and one for each image without people, in the file's order.
    pub people: Vec<Person>,
    /// How many images the file lists.
    pub images: usize,
    /// Records that could not be read, each with the reason; together with `people` they are all records of the
    /// file.
    pub rejects: Vec<Reject>,
}

/// Why a file could not be read at all.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum ReadError {
    /// The system refused.
    #[error("{source}: `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A table could not be read.
    #[error(transparent)]
    Table(#[from] ShardError),
    /// A table lacks a column, or has one of another type.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A file of a skeleton is not sound.
    #[error("{error}: `{}`", path.display())]
    Skeleton { path: PathBuf, error: SkeletonError },
    /// The bytes are not what the format says, or end too early.
    #[error("not a readable {format} file: {detail}: `{}`", path.display())]
    Malformed { format: &'static str, detail: String, path: PathBuf },
    /// The file is valid but holds something else.
    #[error("{expected}, found {found}: `{}`", path.display())]
    Unexpected { expected: String, found: String, path: PathBuf },
    /// An error whose hint depends on what was found.
    #[error("{error}")]
    Advised { error: Box<ReadError>, hint: String },
    /// More units than a run can have.
    #[error("a source has at most {most} units, found {count}")]
    ManyUnits { count: u64, most: u64 },
}

impl ReadError {
    /// The error of `source` at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// The error of bytes at `path` that are no `format`.
    pub fn malformed(path: &Path, format: &'static str, detail: impl Into<String>) -> Self {
        Self::Malformed { format, detail: detail.into(), path: path.to_owned() }
    }

    /// The error of serde at `path`, whose content must follow `rule`.
    pub fn json(path: &Path, rule: &str, error: &serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => Self::unexpected(path, rule, error.to_string()),
            _ => Self::malformed(path, "JSON", error.to_string()),
        }
    }

    /// The same error, with the key or call that mends it.
    #[must_use]
    pub fn advised(self, hint: impl Into<String>) -> Self {
        Self::Advised { error: Box::new(self), hint: hint.into() }
    }

    /// The error of a sound file at `path` that holds something else.
    pub fn unexpected(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unexpected { expected: expected.into(), found: found.into(), path: path.to_owned() }
    }
}

impl Hinted for ReadError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Table(ShardError::NoManifest { .. }) => {
                Some("make the table with `motionmill ingest` or `motionmill run`".to_owned())
            }
            Self::Table(error) => error.hint(),
            Self::Schema(SchemaError::Skeleton(error)) | Self::Skeleton { error, .. } => error.hint(),
            Self::Advised { hint, .. } => Some(hint.clone()),
            Self::ManyUnits { .. } => {
                Some("raise `batch_rows` or `unit_batches` of the plan's runner".to_owned())
            }
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Table(error) => error.fault(),
            Self::Advised { error, .. } => error.fault(),
            Self::Schema(SchemaError::Skeleton(error)) | Self::Skeleton { error, .. } => error.fault(),
            Self::Schema(error) => error.fault(),
            _ => Fault::File,
        }
    }
}
