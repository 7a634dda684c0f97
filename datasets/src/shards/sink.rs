//! A table folder as a sink.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::units::Count;
use serde::{Deserialize, Serialize};

use super::{Claiming, Provenance, TableFolder, TableOptions, shard_mib};
use crate::export::ExportError;
use crate::sink::{Sink, Target, Written};

/// A table folder of Parquet shards with a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct ParquetSink {
    /// The folder; it must either not exist or hold the result of the same plan.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "DIR"))]
    pub path: PathBuf,
    /// Size in memory, MiB, at which a unit of the run begins its next shard.
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
    const IN_UNITS: bool = true;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, _inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Ok(())
    }

    fn complete(&self, provenance: &Provenance, deep: bool) -> Result<Option<Written>, ExportError> {
        let Some(manifest) = TableFolder::complete_of(&self.path, provenance) else { return Ok(None) };
        if deep {
            manifest.check_shards(&self.path, &|_| ())?;
        }
        Ok(Some(Written { rows: manifest.rows, shards: Some(manifest.shards.len()) }))
    }

    fn claim(
        &self,
        inputs: &[SchemaRef],
        provenance: Provenance,
        claim: Claiming,
    ) -> Result<Target, ExportError> {
        let shard_bytes = u64::from(self.shard_mib.get()) << 20;
        let options = TableOptions { shard_bytes, claim, ..TableOptions::default() };
        Ok(Target::Table(TableFolder::claim(&self.path, &inputs[0], provenance, &options)?))
    }
}
