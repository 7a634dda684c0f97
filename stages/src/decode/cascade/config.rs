//! What a plan says of the stage `refine`, and how sessions are made of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::card::FineCard;
use super::stage::RefineJoints;
use crate::infer::ModelCard;
use crate::infer::check::{inputs_of, outputs_of};
use crate::infer::config::{DEFAULT_INTRA_THREADS, DEFAULT_SESSIONS_DEVICE, naming, rows_a_call};
use crate::infer::gather::Gather;
use crate::infer::providers::{Network, Provider, choose, start};
use crate::infer::runtime::Runtime;
use crate::infer::session::{Pool, Worker};
use crate::{BuildContext, StageError};

/// Which second network looks again, and on what it runs.
///
/// ```
/// let config: stages::decode::RefineConfig = toml::from_str("model = 'fine.onnx'")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefineConfig {
    /// The `.onnx` file.
    #[schemars(extend("format" = "path"))]
    pub model: PathBuf,
    /// Its card; by default the `.toml` of the same stem beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// What computes.
    #[serde(default)]
    pub provider: Provider,
    /// Number of the card to use; ignored by `cpu`.
    #[serde(default)]
    pub device: i32,
    /// Whether a slower provider may take over where `provider` does not start.
    #[serde(default)]
    pub fall_back: bool,
    /// Rows a call; by default what the network fixes, else one on the processor and 16 on a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<NonZeroUsize>,
    /// The file of ONNX Runtime; by default it is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub library: Option<PathBuf>,
}

impl RefineConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            card: None,
            provider: Provider::default(),
            device: 0,
            fall_back: false,
            batch: None,
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
    pub fn build(&self, context: &BuildContext) -> Result<RefineJoints, StageError> {
        let model = context.folder.join(&self.model);
        if let Err(source) = std::fs::File::open(&model) {
            return Err(StageError::File { what: "network", path: model, source });
        }
        let card_path = self.card.as_ref().map(|path| context.folder.join(path));
        let card_path = card_path.unwrap_or_else(|| ModelCard::path_beside(&model));
        let card = FineCard::read(&card_path)?;
        let skeleton = card.skeleton()?;
        let library = self.library.as_ref().map(|path| context.folder.join(path));
        let runtime = Runtime::load(library.as_deref())?;

        let (network, threads) = (Network::File(&model), DEFAULT_INTRA_THREADS.get());
        let (first, running) = choose(runtime, self.provider, self.device, self.fall_back, threads, network)
            .map_err(|error| naming(error, &model))?;
        let fixed = card
            .check_ports(&inputs_of(&first), &outputs_of(&first))
            .map_err(|error| naming(error, &card_path))?;
        let rows = rows_a_call(fixed, self.batch, running.provider)?;
        let on_card = running.provider.has_device();
        let bind = |session| {
            let worker = Worker::new(session, &card.fed(), rows, on_card.then_some(self.device));
            worker.map_err(|error| naming(error, &model))
        };
        let mut workers = vec![bind(first)?];
        let sessions = if on_card { DEFAULT_SESSIONS_DEVICE } else { context.threads.max(1) };
        for _ in 1..sessions {
            let session = start(runtime, running.provider, self.device, threads, network)
                .map_err(|message| StageError::Inference { message, hint: None })?;
            workers.push(bind(session)?);
        }
        let gather = Gather::new(&card.input);
        let mut size = Ok([0; 2]);
        workers[0].run(&gather, &[], |outputs| size = card.map_size(rows, outputs[0].0))?;
        let map_size = size.map_err(|error| naming(error, &card_path))?;
        let name = context.name.clone();
        Ok(RefineJoints {
            name,
            card,
            skeleton,
            gather,
            pool: Pool::new(workers),
            rows,
            map_size,
            running,
            runtime,
        })
    }
}
