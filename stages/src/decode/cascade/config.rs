//! Keys of the stage `refine`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::card::FineCard;
use super::stage::RefineJoints;
use crate::network::pictures::PictureWorker;
use crate::network::ports::{inputs_of, outputs_of};
use crate::network::{EngineConfig, Files};
use crate::{BuildContext, StageError};

/// Which second network refines the joints, and what runs it.
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
    /// What runs the network.
    #[serde(default)]
    pub engine: EngineConfig,
}

impl RefineConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self { model: model.into(), card: None, engine: EngineConfig::default() }
    }

    /// The network and its card.
    pub fn files(&self) -> Files {
        Files::of(&self.model, self.card.as_ref())
    }

    /// Loads the network into its sessions and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<RefineJoints, StageError> {
        let files = self.files().found(context)?;
        let card = FineCard::read(&files.card)?;
        let skeleton = card.skeleton()?;
        let network = self.engine.open(
            &files,
            context,
            |session| card.check_ports(&inputs_of(session), &outputs_of(session)),
            |session, rows, device| PictureWorker::new(session, &card.ports(), rows, device),
        )?;
        let map_size = card.map_size(network.rows(), &network.with(PictureWorker::shapes)?[0]);
        let map_size = map_size.map_err(|error| error.at(&files.card))?;
        Ok(RefineJoints { name: context.name.clone(), card, skeleton, network, map_size })
    }
}
