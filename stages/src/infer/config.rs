//! What a plan says of the stage `infer`.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::units::Pixels;
use serde::{Deserialize, Serialize};

use super::flip::{Flip, FlipRule};
use super::model_card::ModelCard;
use super::stage::Infer;
use crate::network::pictures::PictureWorker;
use crate::network::ports::{inputs_of, outputs_of};
use crate::network::{EngineConfig, Files};
use crate::{BuildContext, StageError};

/// Which network runs, and on what.
///
/// ```
/// let config: stages::infer::InferConfig = toml::from_str(r#"
///     model = "models/cpm-mobile/cpm_mobile.onnx"
///     engine = { provider = "cuda", fall_back = true }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// What runs the network.
    #[serde(default)]
    pub engine: EngineConfig,
    /// Width and height of the crops in px, for a network whose sides are free; by default those of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[Pixels; 2]>,
    /// Whether each row is also run mirrored and its maps, mirrored back and with left and right joints swapped,
    /// are averaged with the others (stacked hourglass, `src/train.lua`; no shift in px between the two).
    ///
    /// Bins along x and coordinates are averaged likewise. Mirroring the crop must map the grid of the maps onto itself: a
    /// card whose `origin` is not (W - 1 - stride x (w - 1)) / 2, (stride - 1) / 2 where W = stride x w, is refused, unless
    /// `flip_rule` says otherwise.
    #[serde(default)]
    pub flip_average: bool,
    /// How mirrored outputs are laid over the plain ones.
    #[serde(default)]
    pub flip_rule: FlipRule,
    /// Whether the pixels stay in the rows.
    #[serde(default)]
    pub keep_image: bool,
}

impl InferConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        let engine = EngineConfig::default();
        Self {
            model: model.into(),
            card: None,
            engine,
            size: None,
            flip_average: false,
            flip_rule: FlipRule::default(),
            keep_image: false,
        }
    }

    /// The network and its card.
    pub fn files(&self) -> Files {
        Files::of(&self.model, self.card.as_ref())
    }

    /// Loads the network into its sessions and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<Infer, StageError> {
        let files = self.files().found(context)?;
        let mut card = ModelCard::read(&files.card)?;
        if let Some(size) = self.size {
            let resized = card.input.resized(size.map(Pixels::get));
            card.input = resized.map_err(|error| error.at(&files.card))?;
        }
        let skeleton = card.skeleton()?;
        let network = self.engine.open(
            &files,
            context,
            |session| card.check_ports(&inputs_of(session), &outputs_of(session)),
            |session, rows, device| PictureWorker::new(session, &card.ports(), rows, device),
        )?;
        let shapes = network.with(PictureWorker::shapes)?;
        let flip = self.flip_average.then_some(Flip { rule: self.flip_rule });
        let columns = card.columns(network.rows(), &shapes, flip).map_err(|error| error.at(&files.card))?;
        let Self { flip_average, keep_image, .. } = *self;
        Ok(Infer { card, skeleton, network, columns, flip_average, keep_image })
    }
}
