//! Where rows of a plan go.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::units::Count;
use serde::{Deserialize, Serialize};

/// What a sink writes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SinkConfig {
    /// A table folder of Parquet shards with a manifest.
    Parquet {
        /// The folder; it must not exist, or hold the result of the same plan.
        #[schemars(extend("format" = "path"))]
        path: PathBuf,
        /// Size in memory, MiB, at which the shards are closed.
        #[serde(default = "default_shard_mib")]
        shard_mib: Count,
    },
}

fn default_shard_mib() -> Count {
    Count::constant((datasets::shards::SHARD_BYTES >> 20) as u32)
}
