//! One stage as a Python object.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow_pyarrow::ToPyArrow;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use rayon::prelude::*;
use schemas::tables::rejects::{self, Reject};
use stages::registry::{StageConfig, Step};
use stages::stage::{Aggregate, Rows};
use stages::{BuildContext, FanOut, Outcome, Stage, StageError};

use crate::error::{Kind, detached, exception, to_python};
use crate::pool::pool;
use crate::rows::{Given, batch_to_python, schema_of, table_to_python};
use crate::value::config_of;

/// Rows of a table that one thread takes at a time: the batch of a plan that names none.
const TABLE_ROWS: usize = pipeline::plan::DEFAULT_BATCH_ROWS.get() as usize;

/// The names of all stages, in dataflow order.
#[pyfunction]
pub(crate) fn stage_kinds() -> Vec<&'static str> {
    StageConfig::KINDS.to_vec()
}

/// A stage, ready to be called from any thread.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeStage {
    config: StageConfig,
    name: String,
    seed: u64,
    step: Step,
    /// The schema of rows that passed the check; rows of one table are checked once.
    checked: RwLock<Option<SchemaRef>>,
}

#[pymethods]
impl NativeStage {
    /// Builds the stage `kind` from `value`, what a plan has to the right of `run.KIND =`.
    #[new]
    fn new(
        py: Python<'_>,
        kind: &str,
        value: &Bound<'_, PyAny>,
        name: String,
        seed: u64,
        threads: usize,
    ) -> PyResult<Self> {
        let config: StageConfig = config_of(kind, value)?;
        let context = BuildContext { name: name.clone(), seed, threads, folder: PathBuf::new() };
        let step = detached(py, || config.build(&context))?;
        Ok(Self { config, name, seed, step, checked: RwLock::new(None) })
    }

    /// The stage's name in a plan.
    #[getter]
    fn kind(&self) -> &'static str {
        self.config.kind()
    }

    /// All keys with their values, in JSON: what a plan has to the right of `run.KIND =`.
    #[getter]
    fn config(&self) -> PyResult<String> {
        let keyed = serde_json::to_value(&self.config).map_err(to_python)?;
        let value = keyed.get(self.config.kind());
        Ok(value.map_or_else(|| format!("\"{}\"", self.config.kind()), ToString::to_string))
    }

    /// The engines that may change the bytes: name and version.
    #[getter]
    fn engines(&self) -> Vec<(String, String)> {
        match &self.step {
            Step::Rows(stage) => stage.engines(),
            Step::Aggregate(_) => Vec::new(),
        }
    }

    /// Its inputs, in order; `None` if it takes rows batch by batch.
    #[getter]
    fn inputs(&self) -> Option<Vec<&'static str>> {
        match &self.step {
            Step::Rows(_) => None,
            Step::Aggregate(aggregate) => Some(aggregate.inputs().to_vec()),
        }
    }

    /// The schema of its output for rows of `schemas`.
    #[pyo3(signature = (*schemas))]
    fn output_schema<'py>(
        &self,
        py: Python<'py>,
        schemas: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given: Vec<SchemaRef> =
            schemas.iter().map(|schema| schema_of(&schema)).collect::<PyResult<_>>()?;
        self.check_count(given.len())?;
        let schema = match &self.step {
            Step::Rows(stage) => stage.output_schema(&given[0]),
            Step::Aggregate(aggregate) => narrowed_schemas(aggregate.as_ref(), &given)
                .and_then(|narrowed| aggregate.output_schema(&narrowed)),
        };
        schema.map_err(to_python)?.to_pyarrow(py)
    }

    /// Runs it on `inputs`; returns rows, rejects and notes.
    #[pyo3(signature = (*inputs))]
    fn run<'py>(&self, py: Python<'py>, inputs: &Bound<'py, PyTuple>) -> PyResult<Outcomes<'py>> {
        let mut given: Vec<Given> = inputs.iter().map(|rows| Given::of(&rows)).collect::<PyResult<_>>()?;
        self.check_count(given.len())?;
        match &self.step {
            Step::Rows(stage) => match given.swap_remove(0) {
                Given::Batch(batch) => {
                    let outcome = detached(py, || self.run_batch(stage.as_ref(), &batch))?;
                    let rows = batch_to_python(py, &outcome.rows)?;
                    Ok((rows, rejects_to_python(py, &outcome.rejects)?, Vec::new()))
                }
                table @ Given::Table(..) => {
                    let schema = table.schema();
                    let made = detached(py, || run_table(stage.as_ref(), &schema, &table.into_batches()))?;
                    let (schema, batches, rejects) = made;
                    let rows = table_to_python(py, schema, batches)?;
                    Ok((rows, rejects_to_python(py, &rejects)?, Vec::new()))
                }
            },
            Step::Aggregate(aggregate) => {
                let made = detached(py, || self.run_aggregate(aggregate.as_ref(), given))?;
                let Gathered { schema, batches, rejects, notes } = made;
                let rows = table_to_python(py, schema, batches)?;
                Ok((rows, rejects_to_python(py, &rejects)?, notes))
            }
        }
    }
}

/// Rows, rejects, notes.
type Outcomes<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vec<String>);

struct Gathered {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rejects: Vec<Reject>,
    notes: Vec<String>,
}

impl NativeStage {
    fn check_count(&self, found: usize) -> PyResult<()> {
        let words = match &self.step {
            Step::Rows(_) if found == 1 => return Ok(()),
            Step::Rows(_) => format!("`{}` takes one batch or table, found {found}", self.name),
            Step::Aggregate(aggregate) => {
                let expected = aggregate.inputs();
                if expected.len() == found {
                    return Ok(());
                }
                let (count, names) = (expected.len(), expected.join(", "));
                format!("`{}` takes {count} ({names}), found {found}", self.name)
            }
        };
        Err(exception(Kind::Config, &words, None))
    }

    /// Checks rows of `schema` as a plan checks them before it runs.
    fn check(&self, stage: &dyn Stage, schema: &SchemaRef) -> Result<(), StageError> {
        let known = self.checked.read().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| known == schema) {
            return Ok(());
        }
        drop(known);
        stage.output_schema(schema)?;
        *self.checked.write().unwrap_or_else(PoisonError::into_inner) = Some(SchemaRef::clone(schema));
        Ok(())
    }

    fn run_batch(&self, stage: &dyn Stage, batch: &RecordBatch) -> Result<Outcome, StageError> {
        self.check(stage, batch.schema_ref())?;
        stage.run(batch)
    }

    fn run_aggregate(&self, aggregate: &dyn Aggregate, given: Vec<Given>) -> anyhow::Result<Gathered> {
        let schemas: Vec<SchemaRef> = given.iter().map(Given::schema).collect();
        let schema = aggregate.output_schema(&narrowed_schemas(aggregate, &schemas)?)?;
        let mut inputs: Vec<Vec<RecordBatch>> = Vec::new();
        for (number, (rows, schema)) in given.into_iter().zip(&schemas).enumerate() {
            let needed = aggregate.needed_columns(number, schema)?;
            let batches = rows.into_batches();
            inputs.push(batches.iter().map(|batch| batch.project(&needed)).collect::<Result<_, _>>()?);
        }
        let inputs: Vec<&dyn Rows> = inputs.iter().map(|rows| rows as &dyn Rows).collect();
        let mut batches = Vec::new();
        let mut give = |batch| {
            batches.push(batch);
            Ok(())
        };
        let run = self.hash()?;
        let gathered = pool()?.install(|| aggregate.run(&inputs, &run, &mut give))?;
        Ok(Gathered { schema, batches, rejects: gathered.rejects, notes: gathered.notes })
    }

    /// What tables that name their run have there: a hash of all that the stage was built from.
    fn hash(&self) -> anyhow::Result<String> {
        let text = serde_json::to_string(&(&self.config, &self.name, self.seed))?;
        Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
    }
}

/// Runs on all `batches`: side by side where each row stands for itself, else on all as one.
fn run_table(
    stage: &dyn Stage,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> anyhow::Result<(SchemaRef, Vec<RecordBatch>, Vec<Reject>)> {
    let schema_out = stage.output_schema(schema)?;
    let outcomes = match stage.fan_out() {
        FanOut::Each(_) | FanOut::ByRow => {
            let pieces: Vec<RecordBatch> = batches.iter().flat_map(pieces).collect();
            pool()?
                .install(|| pieces.par_iter().map(|piece| stage.run(piece)).collect::<Result<Vec<_>, _>>())?
        }
        FanOut::Varies => vec![stage.run(&concat_batches(schema, batches)?)?],
    };
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        rows.push(outcome.rows);
        rejects.extend(outcome.rejects);
    }
    Ok((schema_out, rows, rejects))
}

/// `batch` in pieces of at most [`TABLE_ROWS`] rows, one at least.
fn pieces(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    let starts = (0..rows.max(1)).step_by(TABLE_ROWS);
    starts.map(|start| batch.slice(start, TABLE_ROWS.min(rows - start))).collect()
}

fn narrowed_schemas(aggregate: &dyn Aggregate, given: &[SchemaRef]) -> Result<Vec<SchemaRef>, StageError> {
    let narrowed = given.iter().enumerate().map(|(number, schema)| {
        let needed = aggregate.needed_columns(number, schema)?;
        Ok(SchemaRef::new(schema.project(&needed)?))
    });
    narrowed.collect()
}

/// The table `rejects` without rows, which most calls give.
static NONE_REJECTED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn rejects_to_python<'py>(py: Python<'py>, rejects: &[Reject]) -> PyResult<Bound<'py, PyAny>> {
    if !rejects.is_empty() {
        return batch_to_python(py, &rejects::to_batch(rejects));
    }
    let none = || batch_to_python(py, &rejects::to_batch(&[])).map(Bound::unbind);
    Ok(NONE_REJECTED.get_or_try_init(py, none)?.bind(py).clone())
}
