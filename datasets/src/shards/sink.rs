//! A table folder as a sink.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::units::Count;
use serde::{Deserialize, Serialize};

use super::{Manifest, Provenance, Started, TableWriter, WriterOptions, shard_mib};
use crate::export::ExportError;
use crate::sink::{Exported, Sink, SinkWriter, Start, Written};

/// A table folder of Parquet shards with a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct ParquetSink {
    /// The folder; it must either not exist or hold the result of the same plan.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "DIR"))]
    pub path: PathBuf,
    /// Size in memory, MiB, at which the shards are closed.
    #[serde(default = "shard_mib")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "MIB", default_value_t = shard_mib()))]
    pub shard_mib: Count,
}

impl ParquetSink {
    /// The table folder `path`, with shards of [`SHARD_BYTES`].
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), shard_mib: shard_mib() }
    }
}

impl Sink for ParquetSink {
    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, _inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Ok(())
    }

    fn start(&self, inputs: &[SchemaRef], provenance: Provenance, force: bool) -> Result<Start, ExportError> {
        let shard_bytes = u64::from(self.shard_mib.get()) << 20;
        let options = WriterOptions { shard_bytes, force, ..WriterOptions::default() };
        Ok(match TableWriter::start(&self.path, &inputs[0], provenance, options)? {
            Started::Complete(manifest) => Start::Complete(written(&manifest)),
            Started::From { writer, next_batch } => Start::Begun(Box::new(TableSink { writer, next_batch })),
        })
    }
}

fn written(manifest: &Manifest) -> Written {
    Written { rows: manifest.rows, shards: Some(manifest.shards.len()) }
}

struct TableSink {
    writer: Box<TableWriter>,
    next_batch: u64,
}

impl SinkWriter for TableSink {
    fn next_batch(&self) -> u64 {
        self.next_batch
    }

    fn write(&mut self, number: u64, _input: usize, rows: &RecordBatch) -> Result<bool, ExportError> {
        Ok(self.writer.write(number, rows)?)
    }

    fn cut(&mut self, next: u64) -> Result<(), ExportError> {
        self.writer.pass(next);
        Ok(self.writer.cut()?)
    }

    /// A table has a place for every row; what it was given is counted when it is complete.
    fn close(&mut self) -> Result<Exported, ExportError> {
        Ok(Exported::default())
    }

    fn complete(self: Box<Self>, rejects: &BTreeMap<String, u64>) -> Result<Written, ExportError> {
        Ok(written(&self.writer.finish(rejects.clone())?))
    }
}
