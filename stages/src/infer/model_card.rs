//! The model card: what a network eats and gives, in words that an `.onnx` file has no place for.
//!
//! A TOML file beside the network, of the same stem:
//!
//! ```
//! let card: stages::infer::ModelCard = toml::from_str(r#"
//!     name = "pose-machine"
//!     skeleton = "cpm14"            # order of the joints; see `schemas::skeleton`
//!     source = "where the network comes from"
//!     license = "Apache-2.0"
//!
//!     [input]
//!     name = "image"                # the network's own name for it
//!     layout = "nhwc"               # or "nchw"
//!     colour = "bgr"                # or "rgb"
//!     element = "float32"           # or "uint8": levels 0 to 255 as they are
//!     width = 368                   # px
//!     height = 368
//!     mean = [128.0, 128.0, 128.0]  # per channel in the order of `colour`, on the scale 0 to 255:
//!     std = [256.0, 256.0, 256.0]   # value = (level - mean) / std
//!
//!     [center_map]                  # only where the network asks whom to look at
//!     name = "center"
//!     sigma = 21.0                  # input px
//!     layout = "nhwc"
//!
//!     [[outputs]]                   # in the order in which their rows shall leave
//!     name = "stage_6"
//!     kind = "heatmaps"
//!     layout = "nchw"
//!     stage = 6                     # number of the output head, from 1
//!     stride = 8.0                  # input px per map px
//!     origin = 3.5                  # input px of the centre of map px 0
//!     channels = 15                 # all of them; without the background, as many as the skeleton has joints
//!     background = 14               # index of the channel to drop
//! "#)?;
//! card.validate()?;
//! assert_eq!(card.skeleton()?.len(), 14);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::{Path, PathBuf};

use schemas::Skeleton;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::StageError;

/// What a network is, eats and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Short name; it stands in the column `model` of every prediction.
    pub name: String,
    /// Name of the skeleton whose joints the maps follow.
    pub skeleton: String,
    /// Where the network comes from.
    #[serde(default)]
    pub source: String,
    /// Under which terms it may be used.
    #[serde(default)]
    pub license: String,
    /// The image input.
    pub input: ImageInput,
    /// The input that tells the network whom to look at, where it has one.
    #[serde(default)]
    pub center_map: Option<CenterMapInput>,
    /// The outputs to keep, in the order in which their rows leave; the network may have others.
    pub outputs: Vec<HeatmapOutput>,
}

/// Order of a tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[N, C, H, W]`
    Nchw,
    /// `[N, H, W, C]`
    Nhwc,
}

/// Order of an image's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// Type of an image's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// 32-bit floats, normalised by the card's mean and std.
    Float32,
    /// Bytes, 0 to 255; any normalisation is in the graph.
    Uint8,
}

/// What an output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// One map a joint, highest where the joint is believed to be.
    Heatmaps,
}

/// The image input of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageInput {
    /// The network's own name for it.
    pub name: String,
    /// Order of its dimensions.
    pub layout: Layout,
    /// Order of its channels.
    pub colour: Colour,
    /// Type of its numbers.
    pub element: Element,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Subtracted from a level, per channel in the order of `colour`, on the scale 0 to 255.
    #[serde(default)]
    pub mean: [f64; 3],
    /// The difference is divided by it, per channel in the order of `colour`.
    #[serde(default = "unit_std")]
    pub std: [f64; 3],
}

fn unit_std() -> [f64; 3] {
    [1.0; 3]
}

/// A Gaussian, not truncated, at the person's centre: float32, `[N, 1, H, W]` or `[N, H, W, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterMapInput {
    /// The network's own name for it.
    pub name: String,
    /// Standard deviation in input px; 21 for the convolutional pose machines.
    pub sigma: f64,
    /// Where its dimension of one channel stands.
    pub layout: Layout,
}

/// One output head of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatmapOutput {
    /// The network's own name for it.
    pub name: String,
    /// What it holds.
    pub kind: OutputKind,
    /// Order of its dimensions.
    pub layout: Layout,
    /// Number of the output head, from 1.
    pub stage: i32,
    /// Input px per map px.
    pub stride: f64,
    /// Input px of the centre of map px 0, along both axes.
    pub origin: f64,
    /// How many channels it has, background included.
    pub channels: usize,
    /// Index of the background channel, which is dropped.
    #[serde(default)]
    pub background: Option<usize>,
}

impl ModelCard {
    /// Where the card of the network `model` lies unless a plan says otherwise: same folder and stem, `.toml`.
    pub fn path_beside(model: &Path) -> PathBuf {
        model.with_extension("toml")
    }

    /// Reads and validates a card.
    ///
    /// # Errors
    /// When the file cannot be read, is no card, or contradicts itself; the message names the file and the key.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        read_card(path, Self::validate)
    }

    /// The skeleton whose joints the maps follow.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn skeleton(&self) -> Result<&'static Skeleton, StageError> {
        skeleton_called(&self.skeleton)
    }

    /// Checks what a card can be checked for without its network.
    ///
    /// # Errors
    /// When a number is out of range, or channels and joints do not agree.
    pub fn validate(&self) -> Result<(), StageError> {
        let wrong = |message: String| Err(StageError::Config { message, hint: None });
        let joints = self.skeleton()?.len();
        self.input.validate()?;
        if let Some(map) = &self.center_map
            && !(map.sigma.is_finite() && map.sigma > 0.0)
        {
            return wrong(format!("`center_map.sigma` must be positive, found `{}`", map.sigma));
        }
        if self.outputs.is_empty() {
            return wrong("the card names no output".to_owned());
        }
        for (index, output) in self.outputs.iter().enumerate() {
            if self.outputs[..index].iter().any(|other| other.name == output.name) {
                return wrong(format!("output `{}` is named twice", output.name));
            }
            output.validate(&self.skeleton, joints)?;
        }
        Ok(())
    }
}

/// The skeleton called `name`.
///
/// # Errors
/// When there is none of that name.
pub fn skeleton_called(name: &str) -> Result<&'static Skeleton, StageError> {
    Skeleton::named(name).map_err(|error| StageError::Config { message: error.to_string(), hint: None })
}

/// Reads the card at `path` and holds it against itself by `validate`.
///
/// # Errors
/// When the file cannot be read, is no such card, or contradicts itself; the message names the file and the key.
pub fn read_card<T: DeserializeOwned>(
    path: &Path,
    validate: impl FnOnce(&T) -> Result<(), StageError>,
) -> Result<T, StageError> {
    let text = std::fs::read_to_string(path).map_err(|source| StageError::File {
        what: "model card",
        path: path.to_path_buf(),
        source,
    })?;
    let card: T = toml::from_str(&text).map_err(|error| StageError::Config {
        message: format!(
            "cannot read the model card: {}: `{}`",
            error.to_string().trim_end(),
            path.display()
        ),
        hint: None,
    })?;
    validate(&card).map_err(|error| StageError::Config {
        message: format!("{error}: `{}`", path.display()),
        hint: error.hint(),
    })?;
    Ok(card)
}

impl ImageInput {
    /// Checks size and normalisation.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn validate(&self) -> Result<(), StageError> {
        let wrong = |message: String| Err(StageError::Config { message, hint: None });
        if self.width == 0 || self.height == 0 {
            return wrong(format!("the input is {} x {} px", self.width, self.height));
        }
        if self.std.iter().any(|std| !(std.is_finite() && *std > 0.0)) {
            return wrong(format!("`input.std` must be positive, found {:?}", self.std));
        }
        if self.mean.iter().any(|mean| !mean.is_finite()) {
            return wrong(format!("`input.mean` must be finite, found {:?}", self.mean));
        }
        if self.element == Element::Uint8 && (self.mean != [0.0; 3] || self.std != unit_std()) {
            return Err(StageError::config(
                "a uint8 input is not normalised, but the card gives `mean` or `std`",
                "leave `input.mean` and `input.std` out, or set `input.element = \"float32\"`",
            ));
        }
        Ok(())
    }
}

impl HeatmapOutput {
    fn validate(&self, skeleton: &str, joints: usize) -> Result<(), StageError> {
        let wrong = |message: String| Err(StageError::Config { message, hint: None });
        let name = &self.name;
        if self.stage < 1 {
            return wrong(format!("output `{name}`: `stage` counts from 1, found `{}`", self.stage));
        }
        if !(self.stride.is_finite() && self.stride > 0.0 && self.origin.is_finite()) {
            let (stride, origin) = (self.stride, self.origin);
            return wrong(format!("output `{name}`: `stride` {stride} and `origin` {origin} give no place"));
        }
        if self.background.is_some_and(|index| index >= self.channels) {
            return wrong(format!(
                "output `{name}`: `background` is no index of its {} channels",
                self.channels
            ));
        }
        let kept = self.channels - usize::from(self.background.is_some());
        if kept != joints {
            return Err(StageError::config(
                format!(
                    "output `{name}` keeps {kept} channels, but skeleton `{skeleton}` has {joints} joints"
                ),
                "correct `channels`, `background` or `skeleton` in the model card",
            ));
        }
        Ok(())
    }

    /// Channels that are kept, in order: all but the background.
    pub fn kept_channels(&self) -> impl Iterator<Item = usize> {
        let background = self.background;
        (0..self.channels).filter(move |channel| Some(*channel) != background)
    }
}

#[cfg(test)]
#[path = "model_card_tests.rs"]
mod tests;
