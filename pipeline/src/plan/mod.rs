//! The plan file: named sources, stages with inputs, and sinks, in TOML.
//!
//! ```toml
//! seed = 7
//!
//! [sources.people]
//! read.table = { path = "people", split = "test" }
//!
//! [stages.kept]
//! inputs = ["people"]
//! run.filter = { where = "annotated_joints >= 8" }
//!
//! [sinks.selection]
//! inputs = ["kept"]
//! write.parquet = { path = "selection" }
//! ```
//!
//! Relative paths of a plan file start from its own folder, whatever key they stand in; those of `--set`, and of plans that
//! are no files, start from the current folder, as in a shell.

mod overrides;
mod paths;
mod read;

pub use datasets::registry::{SinkConfig, SourceConfig};
pub use overrides::{Override, apply};

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemas::units::Count;
use serde::{Deserialize, Serialize};
use stages::registry::StageConfig;

/// Rows of a batch: enough to fill a network's batch, few enough that a batch of maps stays near 10 MB.
pub const DEFAULT_BATCH_ROWS: Count = Count::constant(32);
/// Batches of a unit: with batches of 32 rows, 2,048 rows are done or not done, and make a shard at least.
pub const DEFAULT_UNIT_BATCHES: Count = Count::constant(64);
/// Memory for batches in flight and for shards that are being written, MiB.
pub const DEFAULT_MEMORY_MIB: Count = Count::constant(512);

/// A whole plan.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Seed of all random draws; 0 if not given.
    #[serde(default)]
    pub seed: u64,
    /// How the work is divided; no setting here changes the value of a row.
    #[serde(default)]
    pub runner: RunnerConfig,
    /// Folder of the rejects table; by default beside the first sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<PathBuf>,
    /// Where rows come from; sources are read in the order of their names.
    pub sources: BTreeMap<String, SourceNode>,
    /// What is done to them.
    #[serde(default)]
    pub stages: BTreeMap<String, StageNode>,
    /// Where they go.
    pub sinks: BTreeMap<String, SinkNode>,
}

/// How the work is cut up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunnerConfig {
    /// Rows of a batch.
    pub batch_rows: Count,
    /// Batches of a unit: the part of a source that is done or not done, on one machine, with shards of its own.
    pub unit_batches: Count,
    /// Memory for batches in flight and for shards that are being written, MiB. It changes no byte of the output.
    pub memory_mib: Count,
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            batch_rows: DEFAULT_BATCH_ROWS,
            unit_batches: DEFAULT_UNIT_BATCHES,
            memory_mib: DEFAULT_MEMORY_MIB,
        }
    }
}

/// `[sources.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceNode {
    /// The sources and stages whose rows it joins its file to, such as the people that predictions belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What is read.
    pub read: SourceConfig,
}

/// `[stages.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageNode {
    /// The sources and stages whose rows it takes. Several inputs of one schema are processed one after the
    /// other.
    pub inputs: Vec<String>,
    /// What is done.
    pub run: StageConfig,
}

/// `[sinks.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkNode {
    /// The sources and stages whose rows it takes. A sink of one table takes several inputs of one schema one after
    /// the other.
    pub inputs: Vec<String>,
    /// What is written.
    pub write: SinkConfig,
}

/// A plan that cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan: {source}: `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// No recipe has this name.
    #[error("no recipe is called `{name}`; there are {recipes}")]
    UnknownRecipe { name: String, recipes: String },
    /// The text is not a valid plan. The message points at the place.
    #[error("the plan is not valid: `{origin}`\n{message}")]
    Invalid { origin: String, message: String },
    /// `--set` does not name a place in the plan.
    #[error("cannot set `{key}`: {reason}")]
    Override { key: String, reason: String },
}

impl Plan {
    /// The plan with the source `name`, which joins its file to the rows of `inputs`.
    #[must_use]
    pub fn with_source(mut self, name: &str, inputs: &[&str], read: SourceConfig) -> Self {
        self.sources.insert(name.to_owned(), SourceNode { inputs: owned(inputs), read });
        self
    }

    /// The plan with the stage `name`, which takes the rows of `inputs`.
    #[must_use]
    pub fn with_stage(mut self, name: &str, inputs: &[&str], run: StageConfig) -> Self {
        self.stages.insert(name.to_owned(), StageNode { inputs: owned(inputs), run });
        self
    }

    /// The plan with the sink `name`, which takes the rows of `inputs`.
    #[must_use]
    pub fn with_sink(mut self, name: &str, inputs: &[&str], write: SinkConfig) -> Self {
        self.sinks.insert(name.to_owned(), SinkNode { inputs: owned(inputs), write });
        self
    }

    /// Reads the plan in `text`, from `origin`, after `overrides`.
    ///
    /// # Errors
    /// When it is not valid TOML, has an unknown key, or a value out of its range; the message points at the value.
    pub fn parse(text: &str, origin: &str, overrides: &[Override]) -> Result<Self, PlanError> {
        let resolved = apply(text, origin, overrides)?;
        let origin = if overrides.is_empty() { origin.to_owned() } else { format!("{origin}, after --set") };
        toml::from_str(&resolved).map_err(|error| PlanError::Invalid { origin, message: error.to_string() })
    }

    /// Hash of the plan's content in canonical form; comments, layout and `memory_mib` do not count.
    pub fn hash(&self) -> String {
        let mut plan = self.clone();
        plan.runner.memory_mib = DEFAULT_MEMORY_MIB;
        let canonical = serde_json::to_string(&plan).expect("a plan is plain data");
        blake3::hash(canonical.as_bytes()).to_hex().to_string()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
