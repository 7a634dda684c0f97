//! What a stage is: a pure function of its rows, checked before a row flows.

use std::path::PathBuf;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use schemas::SchemaError;
use schemas::columns::strings;
use schemas::tables::rejects::Reject;

use crate::evaluate::EvaluateError;

/// A step from rows to rows.
///
/// A stage knows nothing of the runner: the same object serves a plan, a notebook and a data loader, from many
/// threads at once. Its output depends on the rows and its configuration alone, never on how rows are batched.
pub trait Stage: Send + Sync {
    /// The schema that rows have after this stage, if they come with `input`.
    ///
    /// # Errors
    /// When the stage cannot work on such rows; the message names the column.
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError>;

    /// Processes `batch`. Rows that cannot be used come back as rejects, the others in order.
    ///
    /// # Errors
    /// Only where no row can be processed at all: the wrong schema, a network that fails.
    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError>;

    /// How many rows leave for one that enters and is not rejected.
    fn fan_out(&self) -> usize {
        1
    }

    /// What takes part and may change the bytes, by name: decoder, runtime, provider. It goes into the manifest.
    fn engines(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// A step that needs all rows of its inputs before it can give any: an evaluation.
///
/// The runner keeps the needed columns of each input on disk until the last row has come.
pub trait Aggregate: Send + Sync {
    /// What the inputs are, in the order in which a plan names them.
    fn inputs(&self) -> &'static [&'static str];

    /// Indices of the columns of input number `input` that are needed.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError>;

    /// The schema of the rows that it gives.
    fn output_schema(&self) -> SchemaRef;

    /// Works on all rows of each input; `run` is the hash of the run, for tables that name it.
    ///
    /// # Errors
    /// When the inputs do not belong together.
    fn run(&self, inputs: &[Vec<RecordBatch>], run: &str) -> Result<Gathered, StageError>;
}

/// What came of all rows.
#[derive(Debug)]
pub struct Gathered {
    /// The rows that go on.
    pub rows: RecordBatch,
    /// Rows that could not be used, with the reason.
    pub rejects: Vec<Reject>,
    /// What a reader of the rows must know.
    pub notes: Vec<String>,
}

/// What came of one batch: `rows.num_rows() == (rows in - rejects.len()) * fan_out`, always.
#[derive(Debug)]
pub struct Outcome {
    /// The rows that go on.
    pub rows: RecordBatch,
    /// The rows that do not, with the reason.
    pub rejects: Vec<Reject>,
}

impl Outcome {
    /// All rows go on.
    pub fn all(rows: RecordBatch) -> Self {
        Self { rows, rejects: Vec::new() }
    }
}

/// What a stage may know when it is built.
#[derive(Debug, Clone)]
pub struct BuildContext {
    /// Name of the stage in the plan; part of the key of its random draws.
    pub name: String,
    /// Seed of the run; part of the key of every random draw.
    pub seed: u64,
    /// How many threads will call the stage at once.
    pub threads: usize,
    /// Folder against which the plan's relative paths are resolved.
    pub folder: PathBuf,
}

/// Why a stage could not be built or run.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The rows do not have what the stage needs.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The configuration contradicts itself or the machine.
    #[error("{message}")]
    Config {
        /// What is wrong.
        message: String,
        /// What to change.
        hint: Option<String>,
    },
    /// A file could not be read.
    #[error("cannot read the {what}: {source}: `{}`", path.display())]
    File {
        /// What the file is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The inference runtime failed.
    #[error("{message}")]
    Inference {
        /// What failed, with what the runtime said.
        message: String,
        /// What to change.
        hint: Option<String>,
    },
    /// Tables could not be scored.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Arrow refused to build a batch.
    #[error("cannot build the output rows: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl StageError {
    /// A configuration error with a hint.
    pub fn config(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Config { message: message.into(), hint: Some(hint.into()) }
    }

    /// What to change, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config { hint, .. } | Self::Inference { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}

/// Rows `kept` of `batch`, in that order.
///
/// # Errors
/// When Arrow cannot gather them.
pub fn take_rows(batch: &RecordBatch, kept: &[usize]) -> Result<RecordBatch, StageError> {
    if kept.len() == batch.num_rows() && kept.iter().enumerate().all(|(at, row)| at == *row) {
        return Ok(batch.clone());
    }
    Ok(take_record_batch(batch, &UInt64Array::from_iter_values(kept.iter().map(|row| *row as u64)))?)
}

/// The reject of row `row` of `batch`, with its id and provenance where the batch carries them.
pub fn reject(
    batch: &RecordBatch,
    row: usize,
    stage: &str,
    reason: &str,
    detail: impl Into<String>,
) -> Reject {
    let text = |name: &str| strings(batch, name).ok().map(|array| array.value(row).to_owned());
    Reject {
        stage: stage.to_owned(),
        reason: reason.to_owned(),
        sample_id: text("sample_id"),
        source_file: text("source_file"),
        source_record: text("source_record"),
        detail: detail.into(),
    }
}
