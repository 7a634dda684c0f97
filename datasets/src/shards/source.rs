//! A table on disk as a source.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TableReader;
use crate::ReadError;
use crate::source::{OpenSource, Source};

/// A table folder that motionmill wrote, or one Parquet file, or a folder of files that another program wrote again.
///
/// Types that other programs choose for the same values are brought back; what a file no longer says is told by its
/// columns, or by `like`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct TableSource {
    /// The folder or file.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// One split of the folder; all if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub split: Option<String>,
    /// The table that the file was made of, where another program has written it again and no longer says what it holds: a
    /// table folder, or one Parquet file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "TABLE"))]
    pub like: Option<PathBuf>,
}

impl TableSource {
    fn reader(&self) -> Result<TableReader, ReadError> {
        let like = self.like.as_deref().map(|like| TableReader::open(like, None)).transpose()?;
        let like = like.as_ref().map(|table| table.schema().as_ref());
        Ok(TableReader::open_like(&self.path, self.split.as_deref(), like)?)
    }
}

impl Source for TableSource {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(self.reader()?.schema().clone())
    }

    fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.path).chain(&self.like).cloned().collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(self.reader()?.into())
    }
}
