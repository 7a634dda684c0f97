//! What a plan says of the stage `infer`, and how sessions are made of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{check_ports, inputs_of, map_size, outputs_of};
use super::flip;
use super::gather::Gather;
use super::model_card::ModelCard;
use super::providers::{Network, Provider, choose, start};
use super::runtime::Runtime;
use super::session::{Fed, Pool, Worker};
use super::stage::Infer;
use crate::{BuildContext, StageError};

/// Rows a call on the processor: one. Larger calls compute blank rows to fill up a batch of odd length.
pub const DEFAULT_BATCH_CPU: usize = 1;
/// Rows a call on a card, where small calls leave most of it idle.
pub const DEFAULT_BATCH_DEVICE: usize = 16;
/// Sessions on a card: while one computes, another one's rows are copied.
pub const DEFAULT_SESSIONS_DEVICE: usize = 2;
/// Threads of one session: one, since the runner already runs as many sessions as there are threads.
pub const DEFAULT_INTRA_THREADS: NonZeroUsize = NonZeroUsize::MIN;

/// Which network runs, and on what.
///
/// ```
/// let config: stages::infer::InferConfig = toml::from_str(r#"
///     model = "models/cpm-mobile/cpm_mobile.onnx"
///     provider = "cuda"
///     fall_back = true
/// "#)?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferConfig {
    /// The `.onnx` file.
    #[schemars(extend("format" = "path"))]
    pub model: PathBuf,
    /// Its model card; by default the `.toml` of the same stem beside it.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// What computes.
    #[serde(default)]
    pub provider: Provider,
    /// Numbers of the cards to use; ignored by `cpu`.
    #[serde(default = "first_device")]
    pub devices: Vec<i32>,
    /// Whether a slower provider may take over where `provider` does not start.
    #[serde(default)]
    pub fall_back: bool,
    /// Rows a call; by default what the network fixes, else [`DEFAULT_BATCH_CPU`] or [`DEFAULT_BATCH_DEVICE`].
    ///
    /// Every call has this many rows, the last one of a batch filled up with blank ones.
    #[serde(default)]
    pub batch: Option<NonZeroUsize>,
    /// Sessions on the processor, or on each card; by default one a thread, or [`DEFAULT_SESSIONS_DEVICE`].
    #[serde(default)]
    pub sessions: Option<NonZeroUsize>,
    /// Threads of one session.
    #[serde(default = "default_intra_threads")]
    pub intra_threads: NonZeroUsize,
    /// Whether each row runs mirrored as well and its maps, mirrored back and left and right joints swapped, are
    /// averaged with the others (stacked hourglass, `src/train.lua`; no px of shift between the two).
    ///
    /// Mirroring the crop must map the grid of the maps onto itself: a card whose `origin` is another than
    /// (W - 1 - stride x (w - 1)) / 2, (stride - 1) / 2 where W = stride x w, is refused.
    #[serde(default)]
    pub flip_average: bool,
    /// Whether the pixels stay in the rows.
    #[serde(default)]
    pub keep_image: bool,
    /// The file of ONNX Runtime; by default it is searched for.
    #[serde(default)]
    #[schemars(extend("format" = "path"))]
    pub library: Option<PathBuf>,
}

fn first_device() -> Vec<i32> {
    vec![0]
}

fn default_intra_threads() -> NonZeroUsize {
    DEFAULT_INTRA_THREADS
}

impl InferConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            card: None,
            provider: Provider::default(),
            devices: first_device(),
            fall_back: false,
            batch: None,
            sessions: None,
            intra_threads: DEFAULT_INTRA_THREADS,
            flip_average: false,
            keep_image: false,
            library: None,
        }
    }

    /// The files that are read: the network and its card.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let card = self.card.clone().unwrap_or_else(|| ModelCard::path_beside(&self.model));
        vec![self.model.clone(), card]
    }

    /// Loads the network into its sessions and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<Infer, StageError> {
        let model = context.folder.join(&self.model);
        if let Err(source) = std::fs::File::open(&model) {
            return Err(StageError::File { what: "network", path: model, source });
        }
        let card_path = match &self.card {
            Some(path) => context.folder.join(path),
            None => ModelCard::path_beside(&model),
        };
        let card = ModelCard::read(&card_path)?;
        let skeleton = card.skeleton()?;
        let devices = if self.provider.has_device() { &self.devices[..] } else { &[0] };
        let Some(first_device) = devices.first() else {
            return Err(StageError::config(
                "`devices` is empty",
                "name the cards to use, such as `devices = [0]`",
            ));
        };
        let library = self.library.as_ref().map(|path| context.folder.join(path));
        let runtime = Runtime::load(library.as_deref())?;

        let (network, threads) = (Network::File(&model), self.intra_threads.get());
        let (first, running) =
            choose(runtime, self.provider, *first_device, self.fall_back, threads, network)
                .map_err(|error| naming(error, &model))?;
        let fixed = check_ports(&card, &inputs_of(&first), &outputs_of(&first))
            .map_err(|error| naming(error, &card_path))?;
        let rows = rows_a_call(fixed, self.batch, running.provider)?;

        let on_card = running.provider.has_device();
        let devices = if on_card { devices } else { &[0] };
        let per_device = self.sessions.map_or(
            if on_card { DEFAULT_SESSIONS_DEVICE } else { context.threads.max(1) },
            NonZeroUsize::get,
        );
        let bind =
            |session, device: i32| Worker::new(session, &Fed::by(&card), rows, on_card.then_some(device));
        let mut workers = vec![bind(first, *first_device).map_err(|error| naming(error, &model))?];
        // Cards take turns, so that the first sessions handed out lie on different ones.
        for device in (0..per_device).flat_map(|_| devices).skip(1) {
            let session = start(runtime, running.provider, *device, threads, network).map_err(|reason| {
                let message = format!("session {} on device {device}: {reason}", workers.len() + 1);
                StageError::Inference { message, hint: Some("lower `sessions`".to_owned()) }
            })?;
            workers.push(bind(session, *device).map_err(|error| naming(error, &model))?);
        }
        let map_size = common_map_size(&card, &mut workers[0]).map_err(|error| naming(error, &card_path))?;
        if self.flip_average {
            flip::check_symmetry(&card, map_size[1]).map_err(|error| naming(error, &card_path))?;
        }
        Ok(Infer {
            gather: Gather::new(&card.input),
            sessions: workers.len(),
            pool: Pool::new(workers),
            rows,
            card,
            skeleton,
            map_size,
            running,
            flip_average: self.flip_average,
            keep_image: self.keep_image,
            runtime,
        })
    }
}

/// Rows of a call to a network that takes `fixed` rows, any if `None`, where a plan asks for `batch`.
///
/// # Errors
/// When the two contradict each other.
pub fn rows_a_call(
    fixed: Option<usize>,
    batch: Option<NonZeroUsize>,
    provider: Provider,
) -> Result<usize, StageError> {
    match (fixed, batch.map(NonZeroUsize::get)) {
        (Some(0), _) => Err(StageError::config("the network takes 0 rows a call", "export it again")),
        (Some(fixed), Some(asked)) if fixed != asked => Err(StageError::config(
            format!("`batch = {asked}`, but the network takes {fixed} rows a call"),
            "leave `batch` out, or export the network with a free first dimension",
        )),
        (Some(fixed), _) => Ok(fixed),
        (None, Some(asked)) => Ok(asked),
        (None, None) if provider.has_device() => Ok(DEFAULT_BATCH_DEVICE),
        (None, None) => Ok(DEFAULT_BATCH_CPU),
    }
}

/// The error with the file that it is about at the end.
pub fn naming(error: StageError, path: &Path) -> StageError {
    let with_path = |message: String| format!("{message}: `{}`", path.display());
    match error {
        StageError::Config { message, hint } => StageError::Config { message: with_path(message), hint },
        StageError::Inference { message, hint } => {
            StageError::Inference { message: with_path(message), hint }
        }
        other => other,
    }
}

/// Height and width of the maps, which must be those of every output that the card names.
fn common_map_size(card: &ModelCard, worker: &mut Worker) -> Result<[usize; 2], StageError> {
    let mut sizes = Vec::new();
    let rows = worker.rows();
    worker.run(&Gather::new(&card.input), &[], |outputs| {
        let named = card.outputs.iter().zip(outputs);
        sizes = named.map(|(output, (shape, _))| map_size(output, &card.input, rows, shape)).collect();
    })?;
    let sizes = sizes.into_iter().collect::<Result<Vec<_>, _>>()?;
    match sizes.iter().position(|size| *size != sizes[0]) {
        None => Ok(sizes[0]),
        Some(other) => Err(StageError::config(
            format!(
                "output `{}` has maps of {:?} px, output `{}` of {:?} px; the rows of one table have one size",
                card.outputs[0].name, sizes[0], card.outputs[other].name, sizes[other]
            ),
            "name outputs of one size in the model card, and the others in a card of their own",
        )),
    }
}
