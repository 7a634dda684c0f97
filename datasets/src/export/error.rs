//! Why nothing was exported.

use std::path::{Path, PathBuf};

use schemas::{Fault, Hinted, SchemaError};

use crate::coco::SameImageId;
use crate::matlab::WriteError;
use crate::shards::ShardError;

/// Why nothing was exported; the target is unchanged.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum ExportError {
    /// The system refused.
    #[error("cannot {action}: {source}: `{}`", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// The target is there already.
    #[error("the target exists: `{}`", path.display())]
    Exists { path: PathBuf },
    /// The target is a folder that no export made, or a file where a folder must be; it is not replaced.
    #[error("the target is a {} that no export made: `{}`", if path.is_dir() { "folder" } else { "file" }, path.display())]
    NotOurs { path: PathBuf },
    /// Nothing says what was written there.
    #[error("there is no record of what was written: `{}`", path.display())]
    NoRecord { path: PathBuf },
    /// The table could not be read.
    #[error(transparent)]
    Table(#[from] ShardError),
    /// The table lacks a column, or has one of another type.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The table is another one.
    #[error("the table must be `{expected}`, found `{found}`")]
    OtherTable { expected: &'static str, found: String },
    /// There is no row, so there is no skeleton either.
    #[error("no row can be written")]
    Empty,
    /// Batches of two skeletons.
    #[error("all rows must have one skeleton, found `{first}` and `{second}`")]
    TwoSkeletons { first: &'static str, second: &'static str },
    /// The format has a skeleton of its own.
    #[error("{format} holds `{expected}` keypoints, found `{found}`")]
    OtherSkeleton { format: &'static str, expected: &'static str, found: &'static str },
    /// Two pictures with the same name, where only names are written.
    #[error("two images are called `{name}`: `{first}` and `{second}`")]
    SameName { name: String, first: String, second: String },
    /// An image that does not lie below the folder that names are relative to.
    #[error("the image does not lie below `{}`: `{image}`", folder.display())]
    Outside { folder: PathBuf, image: String },
    /// Two images of one number.
    #[error(transparent)]
    SameImageId(#[from] SameImageId),
    /// The pixels of the samples are not image files.
    #[error("the column `image` must hold image files, found {found}")]
    RawPixels { found: String },
    /// The system refused, or Arrow did.
    #[error("cannot write the Arrow file: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// An array could not be written.
    #[error(transparent)]
    Matlab(#[from] WriteError),
}

impl ExportError {
    /// The error of `action` at `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl Hinted for ExportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => "choose another place, or replace it with `--force`".into(),
            Self::NotOurs { .. } => "choose another place".into(),
            Self::NoRecord { .. } => {
                "name a table folder, or a file or folder that `motionmill export` or a plan wrote".into()
            }
            Self::OtherTable { expected: "people", found } if found == "samples" => {
                "joints must be in px of the image: name the table of people that the samples were made from"
                    .into()
            }
            Self::OtherTable { expected, .. } => format!("name a table `{expected}`"),
            Self::OtherSkeleton { expected, .. } => {
                format!(
                    "map the table first: a plan with the stage `map_skeleton = {{ to = \"{expected}\" }}`"
                )
            }
            Self::SameName { .. } => {
                "name the folder that both lie below, so that names are unique: `--images DIR`".into()
            }
            Self::Outside { .. } => "name a folder that all images lie below: `--images DIR`".into(),
            Self::SameImageId(_) => {
                "export each source on its own, with `--split` or from its own table".into()
            }
            Self::RawPixels { .. } => "end the plan of the samples with the stage `encode_image`".into(),
            Self::Table(error) => return error.hint(),
            Self::Io { .. }
            | Self::Schema(_)
            | Self::Empty
            | Self::TwoSkeletons { .. }
            | Self::Arrow(_)
            | Self::Matlab(_) => return None,
        })
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Io { .. } | Self::Exists { .. } | Self::NotOurs { .. } | Self::NoRecord { .. } => {
                Fault::File
            }
            Self::Table(error) => error.fault(),
            Self::Schema(_) | Self::OtherTable { .. } | Self::OtherSkeleton { .. } => Fault::Schema,
            _ => Fault::Data,
        }
    }
}
