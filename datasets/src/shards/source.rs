//! A table on disk as a source.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TableReader;
use crate::ReadError;
use crate::source::{OpenSource, Source};

/// A table folder that motionmill wrote, or one Parquet file.
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
}

impl TableSource {
    fn reader(&self) -> Result<TableReader, ReadError> {
        Ok(TableReader::open(&self.path, self.split.as_deref())?)
    }
}

impl Source for TableSource {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(self.reader()?.schema().clone())
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(self.reader()?.into())
    }
}
