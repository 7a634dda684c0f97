//! The keys of `embed`, and how the network is loaded.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::card::SequenceCard;
use super::stage::Embed;
use super::worker::SequenceWorker;
use crate::network::ports::{inputs_of, outputs_of};
use crate::network::{EngineConfig, Files, NetworkError};
use crate::{BuildContext, StageError};

/// Keys of the stage `embed`: which network reads the windows, and what runs it.
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
    /// What runs the network.
    #[serde(default)]
    pub engine: EngineConfig,
    /// Whether a network with states continues where the previous window ended: the windows of a stretch run one
    /// after the other, and only the first begins from zeros. By default every window begins from zeros.
    #[serde(default)]
    pub carry_state: bool,
}

impl EmbedConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        let engine = EngineConfig::default();
        Self { model: model.into(), card: None, output: None, engine, carry_state: false }
    }

    /// The network and its card.
    pub fn files(&self) -> Files {
        Files::of(&self.model, self.card.as_ref())
    }

    /// Loads the network into its sessions and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<Embed, StageError> {
        let (files, carry) = (self.files().found(context)?, self.carry_state);
        let card = SequenceCard::read(&files.card)?;
        let output = card.output(self.output.as_deref())?.clone();
        if carry && card.states.is_empty() {
            return Err(NetworkError::NoStates.at(&files.card).into());
        }
        let network = self.engine.open(
            &files,
            context,
            |session| card.check_ports(&output, &inputs_of(session), &outputs_of(session)),
            |session, rows, _| SequenceWorker::new(session, &card, &output, rows, carry),
        )?;
        Ok(Embed { card, output, carry, network })
    }
}
