//! Sources of a plan, opened from Python.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow_pyarrow::ToPyArrow;
use datasets::imu::Loaded;
use datasets::registry::SourceConfig;
use datasets::source::{Chunk, Chunks, OpenSource};
use pyo3::prelude::*;
use rayon::prelude::*;
use schemas::tables::rejects::{self, Reject};

use crate::error::detached;
use crate::pool::pool;
use crate::rows::{batch_to_python, table_to_python, tables_of};
use crate::value::config_of;

/// Rows, rejects, notes.
type Everything<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vec<String>);

/// An open source.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeSource {
    kind: String,
    source: OpenSource,
}

#[pymethods]
impl NativeSource {
    /// Opens what `value`, the right side of `read.KIND`, names; `inputs` are the tables that it joins its file to.
    #[new]
    #[pyo3(signature = (kind, value, inputs = Vec::new()))]
    #[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
    fn new(
        py: Python<'_>,
        kind: &str,
        value: &Bound<'_, PyAny>,
        inputs: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let config: SourceConfig = config_of(kind, value)?;
        let (schemas, inputs) = tables_of(kind, config.inputs(), &inputs)?;
        let source = detached(py, || {
            config.schema(&schemas)?;
            config.open(&inputs)
        })?;
        Ok(Self { kind: kind.to_owned(), source })
    }

    /// The schema of its rows.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.source.schema().to_pyarrow(py)
    }

    /// All rows, in order, with rejects and notes.
    fn all<'py>(&self, py: Python<'py>) -> PyResult<Everything<'py>> {
        let (batches, rejects, notes) = detached(py, || self.load_all())?;
        let table = table_to_python(py, self.source.schema().clone(), batches)?;
        Ok((table, batch_to_python(py, &rejects::to_batch(&rejects))?, notes))
    }

    /// The rows batch by batch.
    fn batches(&self, rows: usize) -> NativeBatches {
        let cursor = Cursor {
            chunks: self.source.chunks(rows.max(1)),
            ready: VecDeque::new(),
            rejects: self.source.rejects().to_vec(),
            notes: self.source.notes().to_vec(),
        };
        NativeBatches { kind: self.kind.clone(), cursor: Mutex::new(cursor) }
    }
}

impl NativeSource {
    fn load_all(&self) -> anyhow::Result<(Vec<RecordBatch>, Vec<Reject>, Vec<String>)> {
        let rows = pipeline::plan::DEFAULT_BATCH_ROWS.get() as usize * 32;
        let chunks: Vec<Chunk> = self.source.chunks(rows).collect::<Result<_, _>>()?;
        let load = |chunk: Chunk| loaded(chunk, &self.kind);
        let loaded = pool()?.install(|| chunks.into_par_iter().map(load).collect::<Result<Vec<_>, _>>())?;
        let (mut batches, mut rejects) = (Vec::new(), self.source.rejects().to_vec());
        let mut notes = self.source.notes().to_vec();
        for piece in loaded {
            batches.extend(piece.batches);
            rejects.extend(piece.rejects);
            notes.extend(piece.notes);
        }
        Ok((batches, rejects, notes))
    }
}

fn loaded(chunk: Chunk, kind: &str) -> anyhow::Result<Loaded> {
    chunk.load.now().with_context(|| format!("cannot read the source `{kind}`"))
}

/// The batches of a source, one after the other.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeBatches {
    kind: String,
    cursor: Mutex<Cursor>,
}

struct Cursor {
    chunks: Chunks,
    ready: VecDeque<RecordBatch>,
    rejects: Vec<Reject>,
    notes: Vec<String>,
}

#[pymethods]
impl NativeBatches {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = detached(py, || self.next())?;
        next.map(|batch| batch_to_python(py, &batch)).transpose()
    }

    /// The rejects so far.
    #[getter]
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        batch_to_python(py, &rejects::to_batch(&cursor.rejects))
    }

    /// The notes on the rows so far.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).notes.clone()
    }
}

impl NativeBatches {
    fn next(&self) -> anyhow::Result<Option<RecordBatch>> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(batch) = cursor.ready.pop_front() {
                return Ok(Some(batch));
            }
            let Some(chunk) = cursor.chunks.next() else { return Ok(None) };
            let piece = loaded(chunk?, &self.kind)?;
            cursor.ready.extend(piece.batches);
            cursor.rejects.extend(piece.rejects);
            cursor.notes.extend(piece.notes);
        }
    }
}
