//! The graph of a plan, checked as a whole before a row is read: every edge carries a schema.

mod check;
mod joined;
mod print;
mod size;

pub use print::print_graph;
pub use print::type_name;
pub(crate) use size::value_bytes;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datasets::ReadError;
use datasets::export::ExportError;
use datasets::source::OpenSource;
use schemas::Hinted;
use schemas::units::grouped;
use stages::stage::Aggregate;
use stages::{Stage, StageError};

use crate::plan::{Plan, SinkConfig, SourceConfig};

/// A checked plan, ready to run.
pub struct Graph {
    /// Nodes in dataflow order: each comes after all its inputs.
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

impl Node {
    /// The node's source, opened; a node that is not a source gives no rows.
    ///
    /// # Errors
    /// When a file cannot be read, or its rows have another schema than when the graph was checked.
    pub fn open(&self) -> Result<Arc<OpenSource>, GraphError> {
        let source = match &self.work {
            Work::Source(config) => Arc::new(config.open(&[]).map_err(|error| self.unreadable(error))?),
            Work::Given(source) => Arc::clone(source),
            _ => Arc::default(),
        };
        if self.is_source() && source.schema() != self.schema {
            return Err(GraphError::Changed { node: self.name.clone() });
        }
        Ok(source)
    }

    /// Whether rows begin here.
    pub fn is_source(&self) -> bool {
        matches!(self.work, Work::Source(_) | Work::Given(_))
    }

    /// The error of reading it.
    pub fn unreadable(&self, source: ReadError) -> GraphError {
        GraphError::Source { node: self.name.clone(), source }
    }
}

/// What a node does.
pub enum Work {
    /// Reads rows from files, which are opened when a run begins.
    Source(SourceConfig),
    /// Gives rows that are there.
    Given(Arc<OpenSource>),
    /// Turns rows into rows.
    Rows(Box<dyn Stage>),
    /// Turns all rows of its inputs into rows: a stage, or a source that joins its files to them.
    Aggregate(Box<dyn Aggregate>),
    /// Writes rows.
    Sink(SinkConfig),
}

impl Work {
    /// The names of the inputs of a node that needs all rows at once.
    pub fn inputs(&self) -> &'static [&'static str] {
        match self {
            Self::Aggregate(aggregate) => aggregate.inputs(),
            Self::Sink(sink) => sink.inputs(),
            _ => &[],
        }
    }
}

/// A plan that cannot be run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum GraphError {
    /// An input that is no source and no stage.
    #[error("`{node}` takes its rows from `{input}`, but there is no source or stage of that name")]
    UnknownInput { node: String, input: String, known: Vec<String> },
    /// A stage or sink without inputs.
    #[error("`{node}` has no inputs")]
    NoInput { node: String },
    /// Two nodes of one name.
    #[error("`{node}` is both a source and a stage")]
    Twice { node: String },
    /// Stages that wait for each other.
    #[error("the stages {} wait for each other", nodes.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))]
    Cycle { nodes: Vec<String> },
    /// A plan that writes nothing.
    #[error("the plan has no sinks")]
    NoSink,
    /// Two sinks at one place.
    #[error("the sinks `{first}` and `{second}` write to the same place: `{}`", path.display())]
    SamePath { first: String, second: String, path: PathBuf },
    /// An aggregate with too many or too few inputs.
    #[error("`{node}` takes {} ({}), found {found}", expected.len(), expected.join(", "))]
    InputCount { node: String, expected: &'static [&'static str], found: usize },
    /// Inputs of one stage that do not have one schema.
    #[error("`{node}` takes rows from `{first}` and `{second}`, which differ: {detail}")]
    MixedInputs { node: String, first: String, second: String, detail: String },
    /// Inputs of one stage that follow two skeletons.
    #[error("`{node}` takes rows from `{first}` and `{second}`, whose skeletons are `{}` and `{}`", skeletons[0], skeletons[1])]
    TwoSkeletons { node: String, first: String, second: String, skeletons: [String; 2] },
    /// A stage cannot be built from its configuration.
    #[error("cannot build the stage `{node}`")]
    Build {
        node: String,
        #[source]
        source: StageError,
    },
    /// A stage cannot take the rows of its input.
    #[error("on the edge `{from}` -> `{to}`")]
    Edge {
        from: String,
        to: String,
        #[source]
        source: StageError,
    },
    /// A source cannot be read.
    #[error("cannot read the source `{node}`")]
    Source {
        node: String,
        #[source]
        source: ReadError,
    },
    /// The files of a source are not those that the graph was checked with.
    #[error("the rows of the source `{node}` have changed since the plan was checked")]
    Changed { node: String },
    /// The rows of a batch take more memory than the plan allows.
    #[error(
        "`{node}`: a full batch of {} rows of {} bytes each takes {} MiB, and `runner.memory_mib` is {memory_mib}",
        grouped(*rows), grouped(*row_bytes), grouped(rows.saturating_mul(*row_bytes).div_ceil(1 << 20))
    )]
    Memory { node: String, rows: u64, row_bytes: u64, memory_mib: u32 },
    /// A sink cannot write the rows of its inputs.
    #[error("the sink `{node}` cannot write these rows")]
    Sink {
        node: String,
        #[source]
        source: ExportError,
    },
}

impl GraphError {
    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownInput { known, .. } => {
                Some(format!("the sources and stages are {}", known.join(", ")))
            }
            Self::Build { source, .. } | Self::Edge { source, .. } => source.hint(),
            Self::NoSink => {
                Some("add `[sinks.NAME]` with `inputs` and `write.parquet = { path = .. }`".to_owned())
            }
            Self::TwoSkeletons { .. } => {
                Some("map them to one with `map_skeleton`, or use them separately".to_owned())
            }
            Self::Memory { .. } => Some(
                "make the rows smaller or fewer, lower `runner.batch_rows`, or raise `runner.memory_mib`"
                    .to_owned(),
            ),
            Self::Source { source, .. } => source.hint(),
            Self::Sink { source, .. } => source.hint(),
            _ => None,
        }
    }
}

impl Graph {
    /// The engines used besides motionmill, one line each: `onnxruntime: 1.31.1, cpu`.
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
