//! The keys of `embed`, and how the network is loaded.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::card::SequenceCard;
use super::ports::check_sequence_ports;
use super::stage::Embed;
use super::worker::SequenceWorker;
use crate::infer::config::DEFAULT_BATCH_CPU;
use crate::infer::model_card::ModelCard;
use crate::infer::providers::{Network, Provider, choose, start};
use crate::infer::runtime::Runtime;
use crate::infer::session::Pool;
use crate::{BuildContext, StageError};

/// Keys of the stage `embed`: which network reads the windows, and on what it runs.
///
/// ```
/// let config: stages::infer::EmbedConfig = toml::from_str("model = 'dcwrnn.onnx'\noutput = 'features'")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbedConfig {
    /// The `.onnx` file.
    #[schemars(extend("format" = "path"))]
    pub model: PathBuf,
    /// Its card; by default the `.toml` of the same stem beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// The output to keep, by its name in the card; the card's first by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What computes.
    #[serde(default)]
    pub provider: Provider,
    /// Number of the card to use; ignored by `cpu`.
    #[serde(default)]
    pub device: i32,
    /// Whether a slower provider may take over where `provider` does not start.
    #[serde(default)]
    pub fall_back: bool,
    /// Windows a call; by default what the network fixes, else one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<NonZeroUsize>,
    /// Whether a network with states goes on where the window before ended: the windows of a stretch run one after
    /// the other, and only the first begins from zeros. By default each one does.
    #[serde(default)]
    pub carry_state: bool,
    /// The file of ONNX Runtime; by default it is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub library: Option<PathBuf>,
}

impl EmbedConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            card: None,
            output: None,
            provider: Provider::default(),
            device: 0,
            fall_back: false,
            batch: None,
            carry_state: false,
            library: None,
        }
    }

    /// The files that are read: the network and its card.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let card = self.card.clone().unwrap_or_else(|| ModelCard::path_beside(&self.model));
        vec![self.model.clone(), card]
    }

    /// Loads the network, one session a thread, and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<Embed, StageError> {
        let model = context.folder.join(&self.model);
        if let Err(source) = std::fs::File::open(&model) {
            return Err(StageError::File { what: "network", path: model, source });
        }
        let card_path = self.card.as_ref().map(|path| context.folder.join(path));
        let card_path = card_path.unwrap_or_else(|| ModelCard::path_beside(&model));
        let card = SequenceCard::read(&card_path)?;
        let output = card.output(self.output.as_deref())?.clone();
        if self.carry_state && card.states.is_empty() {
            return Err(StageError::config(
                format!("`carry_state` is set, but the card names no states: `{}`", card_path.display()),
                "leave `carry_state` out, or name the network's `[[states]]` in its card",
            ));
        }
        let library = self.library.as_ref().map(|path| context.folder.join(path));
        let runtime = Runtime::load(library.as_deref())?;
        let network = Network::File(&model);
        let (first, running) = choose(runtime, self.provider, self.device, self.fall_back, 1, network)?;
        let fixed = check_sequence_ports(&card, &output, &first).map_err(|error| at(error, &card_path))?;
        let rows = match (fixed, self.batch.map(NonZeroUsize::get)) {
            (Some(fixed), Some(asked)) if fixed != asked => {
                return Err(StageError::config(
                    format!("`batch = {asked}`, but the network takes {fixed} windows a call"),
                    "leave `batch` out, or export the network with a free first dimension",
                ));
            }
            (fixed, asked) => fixed.or(asked).unwrap_or(DEFAULT_BATCH_CPU).max(1),
        };
        let mut workers = vec![SequenceWorker::new(first, &card, &output, rows, self.carry_state)?];
        for _ in 1..context.threads.max(1) {
            let session = start(runtime, running.provider, self.device, 1, network)
                .map_err(|message| StageError::Inference { message, hint: None })?;
            workers.push(SequenceWorker::new(session, &card, &output, rows, self.carry_state)?);
        }
        let carry = self.carry_state;
        Ok(Embed { card, output, carry, pool: Pool::new(workers), rows, running, runtime })
    }
}

fn at(error: StageError, path: &Path) -> StageError {
    match error {
        StageError::Config { message, hint } => {
            StageError::Config { message: format!("{message}: `{}`", path.display()), hint }
        }
        other => other,
    }
}
