//! Samples of a plan and rows of shards, made on threads of their own.
#![expect(clippy::needless_pass_by_value, reason = "arguments come from Python as values")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_pyarrow::ToPyArrow;
use pipeline::online::{
    Batch, Chain, ChainOptions, DEFAULT_AHEAD, Feed, Next, OnlineError, People, Pictures, Shards, Share,
    Stream, chain_stream, shard_stream,
};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use schemas::tables::rejects::{self, Reject};

use crate::error::{Kind, detached, exception, to_python};
use crate::plan::plan_of;
use crate::rows::{Given, batch_to_python};

/// How long a wait for a batch lasts before it is asked whether the user has interrupted.
const PATIENCE: Duration = Duration::from_millis(50);

/// Adds what is here to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NativeChain>()?;
    module.add_class::<NativeShards>()?;
    module.add_class::<NativeStream>()
}

/// `error` as the exception of its kind.
fn raise(error: OnlineError) -> PyErr {
    match error {
        OnlineError::Plan(error) => to_python(error),
        OnlineError::Graph(error) => to_python(error),
        OnlineError::Run(error) => to_python(error),
        OnlineError::Shard(error) => to_python(error),
        OnlineError::Schema(error) => to_python(error),
        OnlineError::Index { .. } => PyIndexError::new_err(error.to_string()),
        _ => {
            let kind = match &error {
                _ if error.is_internal() => Kind::Internal,
                OnlineError::Picture { .. } => Kind::Data,
                _ => Kind::Config,
            };
            exception(kind, &error.to_string(), error.hint().as_deref())
        }
    }
}

fn rejects_to_python<'py>(py: Python<'py>, rejects: &[Reject]) -> PyResult<Bound<'py, PyAny>> {
    batch_to_python(py, &rejects::to_batch(rejects))
}

/// Number of an epoch as a copy's.
fn copy_of(epoch: u64) -> PyResult<i32> {
    i32::try_from(epoch).map_err(|_| raise(OnlineError::Epoch { epoch }))
}

/// Planes normalised by `(mean, deviation)`, or levels without.
fn pictures(planes: Option<([f32; 3], [f32; 3])>) -> PyResult<Pictures> {
    match planes {
        None => Ok(Pictures::Levels),
        Some((mean, deviation)) if deviation.iter().all(|d| d.is_finite() && *d != 0.0) => {
            Ok(Pictures::Planes { mean, deviation })
        }
        Some((_, deviation)) => {
            let message = format!("`deviation` must be finite and not 0, found {deviation:?}");
            Err(raise(OnlineError::Setting { message }))
        }
    }
}

/// The keys of one epoch of a loader.
fn feed(keys: &Bound<'_, PyDict>) -> PyResult<Feed> {
    let mut feed = Feed::default();
    for (key, value) in keys {
        let key: String = key.extract()?;
        let number = || value.extract::<usize>();
        match key.as_str() {
            "shuffle" => feed.shuffle = value.extract()?,
            "epoch" => feed.epoch = copy_of(value.extract()?)?,
            "batch_size" => feed.batch_size = number()?,
            "drop_last" => feed.drop_last = value.extract()?,
            "rank" => feed.share.rank = number()?,
            "world_size" => feed.share.world_size = number()?,
            "worker" => feed.share.worker = number()?,
            "workers" => feed.share.workers = number()?,
            "start" => feed.start = number()?,
            "threads" => feed.threads = number()?,
            "ahead" => feed.ahead = value.extract::<Option<usize>>()?.unwrap_or(DEFAULT_AHEAD),
            "buffer" => feed.buffer = number()?,
            _ => {
                let message = format!("unknown key `{key}`");
                return Err(raise(OnlineError::Setting { message }));
            }
        }
    }
    let Share { world_size, workers, .. } = feed.share;
    for (name, value) in [("world_size", world_size), ("workers", workers), ("threads", feed.threads)] {
        if value == 0 {
            let message = format!("`{name}` must be at least 1, found `0`");
            return Err(raise(OnlineError::Setting { message }));
        }
    }
    Ok(feed)
}

/// A plan asked row by row.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeChain(Arc<Chain>);

#[pymethods]
impl NativeChain {
    /// Opens the part of `plan` that leads to `sink`. `people` is a dictionary: the name of a source (`None` for the only
    /// one) and what is read in its place.
    #[new]
    #[pyo3(signature = (plan, overrides, *, people=None, split=None, sink=None, seed=None, planes=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        py: Python<'_>,
        plan: &Bound<'_, PyAny>,
        overrides: &Bound<'_, PyDict>,
        people: Option<&Bound<'_, PyDict>>,
        split: Option<String>,
        sink: Option<String>,
        seed: Option<u64>,
        planes: Option<([f32; 3], [f32; 3])>,
    ) -> PyResult<Self> {
        let plan = plan_of(py, plan, overrides)?;
        let mut sources = Vec::new();
        for (name, given) in people.iter().flat_map(|people| people.iter()) {
            let name: Option<String> = name.extract()?;
            let people = match given.extract::<PathBuf>() {
                Ok(path) => People::Table { path, split: split.clone() },
                Err(_) => People::Rows(Given::of(&given)?.into_batches()),
            };
            sources.push((name, people));
        }
        let options = ChainOptions { sink, people: sources, seed, pictures: pictures(planes)? };
        let chain = detached(py, || anyhow::Ok(Chain::open(plan, options)))?.map_err(raise)?;
        Ok(Self(Arc::new(chain)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The schema of the samples.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.schema().as_ref().to_pyarrow(py)
    }

    /// The rows that were selected, in the order of their numbers.
    #[getter]
    fn people<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        batch_to_python(py, self.0.people())
    }

    /// The rows that were not selected, with the reason.
    #[getter]
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rejects_to_python(py, self.0.rejects())
    }

    /// The seed of all draws.
    #[getter]
    fn seed(&self) -> u64 {
        self.0.seed()
    }

    /// Equal if the samples are equal: a hash of the plan and of the ids of the rows.
    #[getter]
    fn content_hash(&self) -> String {
        self.0.content_hash()
    }

    /// The samples of the rows `indices` in `epoch`, and the rejects.
    fn samples<'py>(
        &self,
        py: Python<'py>,
        indices: Vec<usize>,
        epoch: u64,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let epoch = copy_of(epoch)?;
        let outcome = detached(py, || anyhow::Ok(self.0.samples(&indices, epoch)))?.map_err(raise)?;
        Ok((batch_to_python(py, &outcome.rows)?, rejects_to_python(py, &outcome.rejects)?))
    }

    /// The rows of each batch of an epoch.
    #[pyo3(signature = (**keys))]
    fn order(&self, py: Python<'_>, keys: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<Vec<usize>>> {
        let feed = keys.map(feed).transpose()?.unwrap_or_default();
        detached(py, || anyhow::Ok(feed.of_chain(&self.0)))?.map_err(raise)
    }

    /// The batches of an epoch, made on threads of their own.
    #[pyo3(signature = (**keys))]
    fn epoch(&self, py: Python<'_>, keys: Option<&Bound<'_, PyDict>>) -> PyResult<NativeStream> {
        let (feed, chain) = (keys.map(feed).transpose()?.unwrap_or_default(), Arc::clone(&self.0));
        let stream = detached(py, || anyhow::Ok(chain_stream(chain, &feed)))?.map_err(raise)?;
        Ok(NativeStream::new(stream))
    }
}

/// A table on disk, any rows of which can be read.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeShards(Arc<Shards>);

#[pymethods]
impl NativeShards {
    /// Opens the table at `path`; `keep` row groups stay in memory.
    #[new]
    #[pyo3(signature = (path, *, split=None, columns=None, planes=None, keep=8))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        split: Option<String>,
        columns: Option<Vec<String>>,
        planes: Option<([f32; 3], [f32; 3])>,
        keep: usize,
    ) -> PyResult<Self> {
        let pictures = pictures(planes)?;
        let opened =
            detached(py, || anyhow::Ok(Shards::open(&path, split.as_deref(), columns, pictures, keep)))?;
        Ok(Self(Arc::new(opened.map_err(raise)?)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The schema of the rows.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.schema().as_ref().to_pyarrow(py)
    }

    /// Rows of each row group.
    #[getter]
    fn group_rows(&self) -> Vec<usize> {
        self.0.group_rows()
    }

    /// Equal if the rows are equal.
    #[getter]
    fn content_hash(&self) -> String {
        self.0.content_hash()
    }

    /// The rows `indices`, in that order.
    fn rows<'py>(&self, py: Python<'py>, indices: Vec<usize>) -> PyResult<Bound<'py, PyAny>> {
        let rows = detached(py, || anyhow::Ok(self.0.rows(&indices)))?.map_err(raise)?;
        batch_to_python(py, &rows)
    }

    /// The rows of each batch of an epoch.
    #[pyo3(signature = (**keys))]
    fn order(&self, py: Python<'_>, keys: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<Vec<usize>>> {
        let feed = keys.map(feed).transpose()?.unwrap_or_default();
        detached(py, || anyhow::Ok(feed.of_shards(&self.0)))?.map_err(raise)
    }

    /// The batches of an epoch, made on threads of their own.
    #[pyo3(signature = (**keys))]
    fn epoch(&self, py: Python<'_>, keys: Option<&Bound<'_, PyDict>>) -> PyResult<NativeStream> {
        let (feed, shards) = (keys.map(feed).transpose()?.unwrap_or_default(), Arc::clone(&self.0));
        let stream = detached(py, || anyhow::Ok(shard_stream(shards, &feed)))?.map_err(raise)?;
        Ok(NativeStream::new(stream))
    }
}

/// The batches of an epoch, in order.
#[pyclass(frozen, module = "motionmill._native")]
pub struct NativeStream(Mutex<Option<Arc<Stream<Batch>>>>);

impl NativeStream {
    fn new(stream: Stream<Batch>) -> Self {
        Self(Mutex::new(Some(Arc::new(stream))))
    }

    fn stream(&self) -> Option<Arc<Stream<Batch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Number, rows and rejects of a batch.
type Made<'py> = (usize, Bound<'py, PyAny>, Bound<'py, PyAny>);

#[pymethods]
impl NativeStream {
    /// Waits for the next batch; `None` after the last one. A signal ends the wait.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Made<'py>>> {
        let Some(stream) = self.stream() else { return Ok(None) };
        loop {
            match detached(py, || anyhow::Ok(stream.next_within(PATIENCE)))? {
                Next::Ready(Ok(Batch { number, rows, rejects })) => {
                    let rows = batch_to_python(py, &rows)?;
                    return Ok(Some((number, rows, rejects_to_python(py, &rejects)?)));
                }
                Next::Ready(Err(error)) => return Err(raise(error)),
                Next::Waiting => py.check_signals()?,
                Next::End => return Ok(None),
            }
        }
    }

    /// Ends the threads; each finishes its current batch.
    fn stop(&self, py: Python<'_>) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(stream));
    }
}
