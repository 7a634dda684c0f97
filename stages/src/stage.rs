//! What a stage is: a pure function of its rows, checked before any row flows.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use schemas::columns::strings;
use schemas::tables::rejects::Reject;
use schemas::{Fault, Hinted, SchemaError};

/// A step from rows to rows.
///
/// A stage knows nothing about the runner: the same object serves a plan, a notebook and a data loader, from
/// many threads at once. Its output depends only on the rows and its configuration, never on how rows are
/// batched.
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

    /// How many rows come out for each that goes in and is not rejected.
    fn fan_out(&self) -> FanOut {
        FanOut::Each(1)
    }

    /// The engines that may change the bytes, by name: decoder, runtime, provider. They are recorded in the
    /// manifest.
    fn engines(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// How the rows that leave a stage follow from those that enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FanOut {
    /// Each row that is not rejected gives this many.
    Each(usize),
    /// Each row stands for itself and gives a number of its own, none among them: [`Outcome::taken`] says how many rows were
    /// used; where it does not, each gave one.
    ByRow,
    /// Many rows of a session become a few, or one row becomes many: [`Outcome::taken`] says how many were
    /// used.
    Varies,
}

/// A step that needs all rows of its inputs before it can return any: a fit, an evaluation.
///
/// The runner keeps the needed columns of each input on disk until the last row has come. The number of inputs is part
/// of the step's type; [`Aggregate`] is the same for any number.
pub trait AllRows: Send + Sync {
    /// How many inputs there are: [`Number`].
    type Count: Count;

    /// What the inputs are, in the order in which a plan names them.
    const INPUTS: &'static <Self::Count as Count>::Names;

    /// Indices of the columns of input number `input` that are needed.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError>;

    /// The schema of its output for inputs of these schemas.
    ///
    /// # Errors
    /// When the inputs do not fit together.
    fn output_schema(&self, inputs: <Self::Count as Count>::Of<&SchemaRef>) -> Result<SchemaRef, StageError>;

    /// Works on all rows of each input, which may be read as often as needed, and passes its output to `give`,
    /// batch by batch. `run` is the hash of the run, for tables that name it.
    ///
    /// It is called within the run's thread pool. Its output must not depend on how the inputs are batched.
    ///
    /// # Errors
    /// When the inputs do not belong together, or `give` fails.
    fn run(
        &self,
        inputs: <Self::Count as Count>::Of<&dyn Rows>,
        run: &str,
        give: &mut Give<'_>,
    ) -> Result<Gathered, StageError>;
}

/// How many inputs a step over all rows has.
pub trait Count: 'static {
    /// As many values as there are inputs.
    type Of<T>;

    /// A name for each input.
    type Names: AsRef<[&'static str]> + 'static;

    /// `items`, if they are as many.
    fn of<T>(items: Vec<T>) -> Option<Self::Of<T>>;
}

/// `N` inputs.
pub struct Number<const N: usize>;

impl<const N: usize> Count for Number<N> {
    type Of<T> = [T; N];
    type Names = [&'static str; N];

    fn of<T>(items: Vec<T>) -> Option<[T; N]> {
        items.try_into().ok()
    }
}

/// A step over all rows of any number of inputs; the methods are those of [`AllRows`].
pub trait Aggregate: Send + Sync {
    /// [`AllRows::INPUTS`].
    fn inputs(&self) -> &'static [&'static str];

    /// [`AllRows::needed_columns`].
    ///
    /// # Errors
    /// When a column is missing or of another type.
    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError>;

    /// [`AllRows::output_schema`].
    ///
    /// # Errors
    /// When the inputs do not fit together, or are more or fewer.
    fn output_schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, StageError>;

    /// [`AllRows::run`].
    ///
    /// # Errors
    /// When the inputs do not belong together, or are more or fewer, or `give` fails.
    fn run(&self, inputs: &[&dyn Rows], run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError>;
}

impl<S: AllRows> Aggregate for S {
    fn inputs(&self) -> &'static [&'static str] {
        S::INPUTS.as_ref()
    }

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        AllRows::needed_columns(self, input, schema)
    }

    fn output_schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, StageError> {
        AllRows::output_schema(self, counted::<S, _>(inputs.iter().collect())?)
    }

    fn run(&self, inputs: &[&dyn Rows], run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        AllRows::run(self, counted::<S, _>(inputs.to_vec())?, run, give)
    }
}

/// As many inputs as the step `S` has.
fn counted<S: AllRows, T>(inputs: Vec<T>) -> Result<<S::Count as Count>::Of<T>, StageError> {
    let (expected, found) = (S::INPUTS.as_ref(), inputs.len());
    S::Count::of(inputs).ok_or(StageError::InputCount { expected, found })
}

/// Takes a batch that an aggregate has made.
pub type Give<'a> = dyn FnMut(RecordBatch) -> Result<(), StageError> + 'a;

/// Rows from the first one on, batch by batch.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + 'a>;

/// Rows from the first one on, batch by batch, each with the number of its unit.
pub type UnitScan<'a> = Box<dyn Iterator<Item = Result<(u64, RecordBatch), StageError>> + Send + 'a>;

/// All rows of one input of an aggregate.
pub trait Rows: Sync {
    /// Their schema.
    fn schema(&self) -> SchemaRef;

    /// The rows from the first one on, batch by batch.
    fn scan(&self) -> Scan<'_>;

    /// The rows of [`scan`](Self::scan) in order, in batches that never span two units, each with the number of its unit;
    /// numbers ascend. Where units begin follows from the plan alone: neither from threads nor from batches. Sums over
    /// rows are made of the sums of units, see [`UnitSum`](crate::unit_sum::UnitSum). By default all rows are one unit.
    fn scan_units(&self) -> UnitScan<'_> {
        Box::new(self.scan().map(|batch| Ok((0, batch?))))
    }
}

/// Rows in memory.
impl Rows for Vec<RecordBatch> {
    fn schema(&self) -> SchemaRef {
        self.first().map_or_else(|| SchemaRef::new(Schema::empty()), RecordBatch::schema)
    }

    fn scan(&self) -> Scan<'_> {
        Box::new(self.iter().cloned().map(Ok))
    }
}

/// The outcome of a step over all rows, besides its output.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Rows that could not be used, with the reason.
    pub rejects: Vec<Reject>,
    /// What a reader of the rows must know.
    pub notes: Vec<String>,
}

/// The outcome of one batch: rows in = rows taken + rows rejected, always.
#[derive(Debug)]
pub struct Outcome {
    /// The rows that go on.
    pub rows: RecordBatch,
    /// The rows that do not, with the reason.
    pub rejects: Vec<Reject>,
    /// How many input rows went into `rows`, where [`FanOut::Varies`] or [`FanOut::ByRow`].
    pub taken: Option<usize>,
    /// What the summary of the run says, `7 WHAT`, by what it says: how many rows of this batch it is true of.
    pub told: BTreeMap<&'static str, u64>,
}

impl Outcome {
    /// All rows go on.
    pub fn all(rows: RecordBatch) -> Self {
        Self::some(rows, Vec::new())
    }

    /// Some rows go on.
    pub fn some(rows: RecordBatch, rejects: Vec<Reject>) -> Self {
        Self { rows, rejects, taken: None, told: BTreeMap::new() }
    }
}

/// What a stage is given when it is built.
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
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum StageError {
    /// The rows do not have what the stage needs.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A step over all rows was given more or fewer tables than it takes.
    #[error("the step takes {} tables ({}), found {found}", expected.len(), expected.join(", "))]
    InputCount { expected: &'static [&'static str], found: usize },
    /// A file could not be read.
    #[error("cannot read the {what}: {source}: `{}`", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    /// The step's own error.
    #[error(transparent)]
    Step(StepError),
    /// A table that was stored on disk could not be read back.
    #[error(transparent)]
    Shard(#[from] datasets::shards::ShardError),
    /// The receiver of the rows has stopped, and reports the reason itself.
    #[error("the run was stopped")]
    Stopped,
    /// Arrow refused to build a batch.
    #[error("cannot build the output rows: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// The error of a step, in a type of its own.
#[derive(Debug)]
pub struct StepError(Box<dyn Hinted + Send + Sync>);

impl StepError {
    /// The error itself.
    pub fn error(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl StageError {
    /// The error of a step.
    pub fn step(error: impl Hinted + Send + Sync + 'static) -> Self {
        Self::Step(StepError(Box::new(error)))
    }

    /// What to change, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Schema(error) => error.hint(),
            Self::Step(error) => error.0.hint(),
            Self::Shard(error) => error.hint(),
            _ => None,
        }
    }

    /// Where the error comes from; `None` where a run was stopped.
    pub fn fault(&self) -> Option<Fault> {
        Some(match self {
            Self::Schema(error) => error.fault(),
            Self::InputCount { .. } => Fault::Config,
            Self::File { .. } => Fault::File,
            Self::Arrow(_) => Fault::Data,
            Self::Step(error) => error.0.fault(),
            Self::Shard(error) => error.fault(),
            Self::Stopped => return None,
        })
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
        rows: 1,
    }
}
