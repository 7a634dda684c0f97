//! Why a table folder could not be written or read.

use std::path::{Path, PathBuf};

use schemas::{Fault, Hinted, SchemaError};

/// Why a table folder could not be written or read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum ShardError {
    /// The system refused.
    #[error("cannot {action}: {source}: `{}`", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// Parquet refused.
    #[error("cannot {action}: {source}: `{}`", path.display())]
    Parquet { action: &'static str, path: PathBuf, source: parquet::errors::ParquetError },
    /// The folder has no complete manifest.
    #[error("not a table folder, there is no `manifest.json`: `{}`", path.display())]
    NoManifest { path: PathBuf },
    /// The manifest is not what this version writes.
    #[error("the manifest is not readable: {detail}: `{}`", path.display())]
    BadManifest { detail: String, path: PathBuf },
    /// The output exists already, made by other work.
    #[error("the output folder exists and holds {holds}: `{}`", path.display())]
    Exists { holds: String, path: PathBuf },
    /// A split's name cannot be part of a file name.
    #[error("a split must be named with letters, digits and `_`, found `{split}`")]
    BadSplit { split: String },
    /// The table is of another version.
    #[error("{source}: `{}`", path.display())]
    OtherVersion { source: SchemaError, path: PathBuf },
    /// A file changed since the manifest was written.
    #[error("a shard does not match its manifest, {detail}: `{}`", path.display())]
    Stale { detail: String, path: PathBuf },
}

impl ShardError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(super) fn parquet(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { action, path, source }
    }
}

impl Hinted for ShardError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("choose another folder, or replace it with `--force`".to_owned()),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("free some space and run the same command again: it resumes where it stopped".to_owned())
            }
            Self::NoManifest { .. } => {
                Some("only `motionmill ingest` and `motionmill run` make table folders".to_owned())
            }
            Self::OtherVersion { source, .. } => source.hint(),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::BadSplit { .. }) { Fault::Config } else { Fault::File }
    }
}
