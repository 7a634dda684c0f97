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
    /// Another run is writing it.
    #[error("another run is at work there ({holder}): `{}`", path.display())]
    Locked { holder: String, path: PathBuf },
    /// What is there was not made by motionmill.
    #[error("the output cannot be written, {what}: `{}`", path.display())]
    Foreign { what: &'static str, path: PathBuf },
    /// More splits than a table can have.
    #[error("a table has at most {most} splits: `{}`", path.display())]
    ManySplits { most: usize, path: PathBuf },
    /// The output exists already, made by other work.
    #[error("the output folder exists and holds {holds}: `{}`", path.display())]
    Exists { holds: String, path: PathBuf },
    /// A split's name cannot be part of a file name.
    #[error("a split must be named with letters, digits and `_`, found `{split}`")]
    BadSplit { split: String },
    /// The table is of another version.
    #[error("{source}: `{}`", path.display())]
    OtherVersion { source: SchemaError, path: PathBuf },
    /// A file of another program that does not hold what a table holds.
    #[error("the file was written by another program, and cannot be read as a table: {detail}: `{}`", path.display())]
    Adopted { detail: String, path: PathBuf },
    /// Two rows of a table of people have one id.
    #[error("two people have the id `{id}`: `{}`", path.display())]
    SameId { id: String, path: PathBuf },
    /// A file is not the one that was written.
    #[error("the file is damaged, {detail}: `{}`", path.display())]
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
            Self::SameId { .. } => Some(
                "ids begin with the name of the data set: read each file by a name of its own, such as `--dataset walk`"
                    .to_owned(),
            ),
            Self::Adopted { path, .. } => Some(format!(
                "name the table that it was made of: `like = \"TABLE\"` beside `path` in the plan, or `motionmill ingest table \
                 --path {} --like TABLE --out NEW`",
                path.display()
            )),
            Self::Locked { .. } => {
                Some("wait until it has ended, then run the same command again".to_owned())
            }
            Self::Foreign { .. } => {
                Some("choose another folder, or move what is there; `--force` does not replace it".to_owned())
            }
            Self::Stale { .. } => {
                Some("make the table again: the command that made it, with `--force`".to_owned())
            }
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::BadSplit { .. } | Self::ManySplits { .. }) {
            Fault::Config
        } else {
            Fault::File
        }
    }
}
