//! The keys of a plan that say what runs a network, and how a network is opened with them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ort::session::Session;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::card::skeleton_of_card;
use super::external::weights;
use super::pool::SessionPool;
use super::providers::{Network, Provider, Running, Start, first_session, session};
use super::runtime::Runtime;
use super::tensorrt::TensorrtConfig;
use crate::{BuildContext, StageError};

/// Rows per call on the CPU: one. Larger calls compute blank rows to fill up a batch of odd length.
pub const DEFAULT_BATCH_CPU: usize = 1;
/// Rows per call on a GPU, where small calls leave most of it idle.
pub const DEFAULT_BATCH_DEVICE: usize = 16;
/// Sessions on a GPU: while one computes, another one's rows are copied.
pub const DEFAULT_SESSIONS_DEVICE: usize = 2;
/// Threads of one session: one, since the runner already runs as many sessions as there are threads.
pub const DEFAULT_INTRA_THREADS: NonZeroUsize = NonZeroUsize::MIN;

/// What runs a network: `engine = { .. }` of the stages `infer`, `embed` and `refine`. Only `provider` and
/// `tensorrt.fp16` can change the results.
///
/// ```
/// let engine: stages::network::EngineConfig = toml::from_str("provider = 'cuda'\nfall_back = true")?;
/// assert_eq!(engine.devices, [0]);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// What computes.
    pub provider: Provider,
    /// Numbers of the GPUs to use; ignored by `cpu`.
    pub devices: Vec<i32>,
    /// Whether a slower provider may be used if `provider` does not start.
    pub fall_back: bool,
    /// Rows per call; by default what the network fixes, else 1 on the CPU and 16 on a GPU. Every call has this
    /// many rows; the last one of a batch is filled up with blank rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<NonZeroUsize>,
    /// Sessions on the CPU, or on each GPU; by default one per thread, or 2 on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<NonZeroUsize>,
    /// Threads of one session.
    pub intra_threads: NonZeroUsize,
    /// How `TensorRT` builds its engines, where it computes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensorrt: Option<TensorrtConfig>,
    /// The file of ONNX Runtime; by default it is searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub library: Option<PathBuf>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            provider: Provider::default(),
            devices: vec![0],
            fall_back: false,
            batch: None,
            sessions: None,
            intra_threads: DEFAULT_INTRA_THREADS,
            tensorrt: None,
            library: None,
        }
    }
}

/// Where a network and its card lie.
#[derive(Debug, Clone)]
pub struct Files {
    /// The `.onnx` file.
    pub model: PathBuf,
    /// Its card.
    pub card: PathBuf,
}

impl Files {
    /// The network `model` and `card`; where none is named, the `.toml` of the same stem beside the network.
    pub fn of(model: &Path, card: Option<&PathBuf>) -> Self {
        let card = card.cloned().unwrap_or_else(|| model.with_extension("toml"));
        Self { model: model.to_owned(), card }
    }

    /// The same, relative to the folder of a plan.
    ///
    /// # Errors
    /// When the network cannot be read, or has weights outside its folder.
    pub fn found(&self, context: &BuildContext) -> Result<Self, StageError> {
        let [model, card] = [&self.model, &self.card].map(|path| context.folder.join(path));
        weights(&model)?;
        Ok(Self { model, card })
    }

    /// Both, the file of the card's skeleton, and the files beside the network that hold its weights, to be hashed.
    ///
    /// # Errors
    /// When the network cannot be read, or has weights outside its folder.
    pub fn all(self) -> Result<Vec<PathBuf>, StageError> {
        let weights = weights(&self.model)?;
        let skeleton = skeleton_of_card(&self.card).into_iter().collect();
        Ok([vec![self.model, self.card], skeleton, weights].concat())
    }
}

/// A network with its sessions, each with a worker `W` that owns its tensors.
pub struct Opened<W> {
    pool: SessionPool<W>,
    sessions: usize,
    rows: usize,
    running: Running,
    runtime: &'static Runtime,
}

impl EngineConfig {
    /// Opens the network of `files` with its sessions.
    ///
    /// `check` checks the network against its card and returns the rows per call that the network fixes; `bind` makes
    /// the worker of a session, from the rows per call and the GPU in use, if any.
    ///
    /// # Errors
    /// When the runtime, the provider or a device is missing, or the network and its card do not fit together.
    pub fn open<W>(
        &self,
        files: &Files,
        context: &BuildContext,
        check: impl FnOnce(&Session) -> Result<Option<usize>, NetworkError>,
        bind: impl Fn(Session, usize, Option<i32>) -> Result<W, NetworkError>,
    ) -> Result<Opened<W>, NetworkError> {
        let devices = if self.provider.has_device() { &self.devices[..] } else { &[0] };
        let Some(&first_device) = devices.first() else { return Err(NetworkError::NoDevices) };
        let library = self.library.as_ref().map(|path| context.folder.join(path));
        let runtime = Runtime::load(library.as_deref())?;
        let at_model = |error: NetworkError| error.at(&files.model);
        if self.tensorrt.is_some() && self.provider != Provider::Tensorrt {
            return Err(NetworkError::NotTensorrt { provider: self.provider.name() });
        }
        let mut tuning = self.tensorrt.clone().unwrap_or_default();
        tuning.cache = tuning.cache.map(|cache| context.folder.join(cache));
        let network = Network::File(&files.model);
        let start = |device| Start { device, intra_threads: self.intra_threads.get(), tensorrt: &tuning };
        let (first, running) =
            first_session(runtime, self.provider, start(first_device), self.fall_back, network)
                .map_err(at_model)?;
        let fixed = check(&first).map_err(|error| error.at(&files.card))?;
        let rows = rows_a_call(fixed, self.batch, running.provider)?;
        let on_card = running.provider.has_device();
        let devices = if on_card { devices } else { &[0] };
        let usual = if on_card { DEFAULT_SESSIONS_DEVICE } else { context.threads.max(1) };
        let per_device = self.sessions.map_or(usual, NonZeroUsize::get);
        let bind = |session, device: i32| bind(session, rows, on_card.then_some(device)).map_err(at_model);
        let mut workers = vec![bind(first, first_device)?];
        // Cards take turns, so that the first sessions handed out lie on different ones.
        for &device in (0..per_device).flat_map(|_| devices).skip(1) {
            let session = session(runtime, running.provider, start(device), network)
                .map_err(|reason| NetworkError::Session { number: workers.len() + 1, device, reason })?;
            workers.push(bind(session, device)?);
        }
        Ok(Opened { sessions: workers.len(), pool: SessionPool::new(workers), rows, running, runtime })
    }
}

impl<W> Opened<W> {
    /// Calls `work` with a worker that nobody else uses meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&mut W) -> T) -> T {
        self.pool.with(work)
    }

    /// Rows per call.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The provider in use, for output and manifest: `cpu`, or `cpu (fell back: ...)`.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// What [`crate::Stage::engines`] returns. Sessions and threads are not included: they do not change the
    /// results.
    pub fn engines(&self) -> Vec<(String, String)> {
        vec![("onnxruntime".to_owned(), format!("{}, {}", self.runtime.version(), self.running))]
    }

    /// Network, provider, sessions, rows per call and library in one line.
    pub fn describe(&self, name: &str) -> String {
        let Self { running, sessions, rows, .. } = self;
        let runtime = self.runtime.describe();
        format!("`{name}` on {running}: {sessions} session(s), {rows} row(s) per call, {runtime}")
    }
}

/// Rows of a call to a network that takes `fixed` rows, any if `None`, where a plan asks for `batch`.
fn rows_a_call(
    fixed: Option<usize>,
    batch: Option<NonZeroUsize>,
    provider: Provider,
) -> Result<usize, NetworkError> {
    match (fixed, batch.map(NonZeroUsize::get)) {
        (Some(0), _) => Err(NetworkError::NoRows),
        (Some(fixed), Some(asked)) if fixed != asked => Err(NetworkError::FixedRows { asked, fixed }),
        (Some(rows), _) | (None, Some(rows)) => Ok(rows),
        (None, None) if provider.has_device() => Ok(DEFAULT_BATCH_DEVICE),
        (None, None) => Ok(DEFAULT_BATCH_CPU),
    }
}
