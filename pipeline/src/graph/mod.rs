//! The graph of a plan, checked as a whole before a row is read: every edge carries a schema.

mod check;
mod print;
mod sessions;
mod source;

pub use print::print_graph;
pub use print::type_name;
pub use sessions::{READ_ROWS, SessionError, WholeSessions};
pub use source::{Chunk, Chunks, Load, Source};

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use datasets::ReadError;
use datasets::shards::ShardError;
use stages::stage::Aggregate;
use stages::{Stage, StageError};

use crate::plan::{Plan, SinkConfig};

/// A checked plan, ready to run.
pub struct Graph {
    /// Nodes in dataflow order: each stands behind all its inputs.
    pub nodes: Vec<Node>,
    /// The plan it was made from.
    pub plan: Plan,
}

/// A source, stage or sink of the graph.
pub struct Node {
    /// Its name in the plan.
    pub name: String,
    /// The kind of stage, source or sink, as the plan spells it.
    pub kind: &'static str,
    /// Indices of the nodes whose rows it takes.
    pub inputs: Vec<usize>,
    /// The schema of the rows that leave it (or that it writes).
    pub schema: SchemaRef,
    /// What it does.
    pub work: Work,
}

/// What a node does.
pub enum Work {
    /// Gives rows.
    Source(Source),
    /// Turns rows into rows.
    Rows(Box<dyn Stage>),
    /// Turns all rows of its inputs into rows.
    Aggregate(Box<dyn Aggregate>),
    /// Writes rows.
    Sink(SinkConfig),
}

/// A plan that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// An input that is no source and no stage.
    #[error("`{node}` takes its rows from `{input}`, but there is no source or stage of that name")]
    UnknownInput {
        /// Who asks.
        node: String,
        /// For what.
        input: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A stage or sink without inputs.
    #[error("`{node}` has no inputs")]
    NoInput {
        /// The node.
        node: String,
    },
    /// Two nodes of one name.
    #[error("`{node}` is both a source and a stage")]
    Twice {
        /// The name.
        node: String,
    },
    /// Stages that wait for each other.
    #[error("the stages {} wait for each other", nodes.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))]
    Cycle {
        /// The stages on the cycle or behind it.
        nodes: Vec<String>,
    },
    /// A plan that writes nothing.
    #[error("the plan has no sinks")]
    NoSink,
    /// Two sinks at one place.
    #[error("the sinks `{first}` and `{second}` write to the same folder: `{}`", path.display())]
    SamePath {
        /// One sink.
        first: String,
        /// The other.
        second: String,
        /// The folder.
        path: PathBuf,
    },
    /// An aggregate with too many or too few inputs.
    #[error("`{node}` takes {} ({}), found {found}", expected.len(), expected.join(", "))]
    InputCount {
        /// The node.
        node: String,
        /// What it takes.
        expected: &'static [&'static str],
        /// How many inputs the plan gives it.
        found: usize,
    },
    /// Inputs of one stage that do not have one schema.
    #[error("`{node}` takes rows from `{first}` and `{second}`, which differ: {detail}")]
    MixedInputs {
        /// The node.
        node: String,
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The first difference.
        detail: String,
    },
    /// A stage cannot be built from its configuration.
    #[error("cannot build the stage `{node}`")]
    Build {
        /// The stage.
        node: String,
        /// Why.
        #[source]
        source: StageError,
    },
    /// A stage cannot take the rows of its input.
    #[error("on the edge `{from}` -> `{to}`")]
    Edge {
        /// Who gives the rows.
        from: String,
        /// Who cannot take them.
        to: String,
        /// Why.
        #[source]
        source: StageError,
    },
    /// A table source cannot be opened.
    #[error("cannot open the source `{node}`")]
    Table {
        /// The source.
        node: String,
        /// Why.
        #[source]
        source: ShardError,
    },
    /// An annotation file cannot be read.
    #[error("cannot read the source `{node}`")]
    Annotations {
        /// The source.
        node: String,
        /// Why.
        #[source]
        source: ReadError,
    },
}

impl GraphError {
    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownInput { known, .. } => {
                Some(format!("the sources and stages are {}", known.join(", ")))
            }
            Self::Build { source, .. } | Self::Edge { source, .. } => source.hint().map(str::to_owned),
            Self::NoSink => {
                Some("add `[sinks.NAME]` with `inputs` and `write.parquet = { path = .. }`".to_owned())
            }
            Self::Table { source: ShardError::NoManifest { .. }, .. } => {
                Some("make the table with `motionmill ingest` or `motionmill run`".to_owned())
            }
            _ => None,
        }
    }
}

impl Graph {
    /// What takes part besides motionmill, one line each: `onnxruntime: 1.31.1, cpu`.
    pub fn engines(&self) -> Vec<String> {
        let stages = self.nodes.iter().filter_map(|node| match &node.work {
            Work::Rows(stage) => Some(stage.engines()),
            _ => None,
        });
        let mut engines: Vec<String> =
            stages.flatten().map(|(name, engine)| format!("{name}: {engine}")).collect();
        engines.sort();
        engines.dedup();
        engines
    }
}
