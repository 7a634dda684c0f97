//! The model card: what a network's inputs and outputs mean, which an `.onnx` file cannot state.
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
//!     [center_map]                  # only where the network needs the person's centre
//!     name = "center"
//!     sigma = 21.0                  # input px
//!     layout = "nhwc"
//!
//!     [[outputs]]                   # in the order in which their rows shall leave
//!     name = "stage_6"
//!     kind = "heatmaps"
//!     layout = "nchw"
//!     head = 6                      # number of the output head, from 1
//!     stride = 8.0                  # input px per map px
//!     origin = 3.5                  # input px of the centre of map px 0
//!     channels = 15                 # all of them; without the background, as many as the skeleton has joints
//!     background = 14               # index of the channel to drop
//! "#)?;
//! card.validate()?;
//! assert_eq!(card.skeleton()?.len(), 14);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use schemas::Skeleton;
use serde::{Deserialize, Serialize};

use crate::StageError;
use crate::network::NetworkError;
use crate::network::card::{CenterMapInput, ImageInput, Layout, check_outputs, read_card, skeleton_called};
use crate::network::pictures::PicturePorts;
use crate::network::ports::{Port, expect, fixed_rows, no_others};

/// What a network is, reads and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Short name; it is written to the column `model` of every prediction.
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
    /// The input that tells the network which person to look at, if it has one.
    #[serde(default)]
    pub center_map: Option<CenterMapInput>,
    /// The outputs to keep, in the order of their rows; the network may have others.
    pub outputs: Vec<HeatmapOutput>,
}

/// What an output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// One map per joint, highest where the network places the joint.
    Heatmaps,
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
    /// Number of the output head, from 1; cards of earlier versions call it `stage`.
    #[serde(alias = "stage")]
    pub head: i32,
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
    /// Reads and validates a card.
    ///
    /// # Errors
    /// When the file cannot be read, is not a card, or contradicts itself; the message names the file and the
    /// key.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        read_card(path, Self::validate)
    }

    /// The skeleton whose joints the maps follow.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn skeleton(&self) -> Result<&'static Skeleton, NetworkError> {
        skeleton_called(&self.skeleton)
    }

    /// Checks everything that can be checked without the network.
    ///
    /// # Errors
    /// When a number is out of range, or channels and joints do not agree.
    pub fn validate(&self) -> Result<(), NetworkError> {
        let joints = self.skeleton()?.len();
        self.input.validate()?;
        if let Some(map) = &self.center_map
            && !(map.sigma.is_finite() && map.sigma > 0.0)
        {
            let found = map.sigma.to_string();
            return Err(NetworkError::NotPositive { key: "center_map.sigma", found });
        }
        check_outputs(self.outputs.iter().map(|output| &output.name))?;
        self.outputs.iter().try_for_each(|output| output.validate(&self.skeleton, joints))
    }

    /// What the network is fed and gives.
    pub fn ports(&self) -> PicturePorts<'_> {
        PicturePorts {
            image: &self.input,
            center_map: self.center_map.as_ref(),
            points: None,
            outputs: self.outputs.iter().map(|output| output.name.as_str()).collect(),
        }
    }

    /// Checks that the network has what the card names, and no input besides; gives the rows of a call that it fixes, or
    /// `None` where it takes any.
    ///
    /// # Errors
    /// When a name is absent, or a type or a dimension is another one; the message says what was expected and found.
    pub fn check_ports(&self, inputs: &[Port], outputs: &[Port]) -> Result<Option<usize>, NetworkError> {
        let Self { input, center_map, .. } = self;
        let mut fed = vec![expect(inputs, "input", &input.name, input.element_name(), &input.dimensions())?];
        if let Some(map) = center_map {
            let dimensions = map.layout.dimensions(1, [input.height, input.width].map(i64::from));
            fed.push(expect(inputs, "input", &map.name, "float32", &dimensions)?);
        }
        let named: Vec<&str> = fed.iter().map(|port| port.name.as_str()).collect();
        no_others(inputs, &named, "an image and a centre map")?;
        for output in &self.outputs {
            let dimensions = output.layout.dimensions(output.channels as i64, [-1; 2]);
            expect(outputs, "output", &output.name, "float32", &dimensions)?;
        }
        fixed_rows(&fed)
    }

    /// Height and width of the maps, which must be those of every output, from the dimensions that a run of `rows` rows
    /// gave.
    ///
    /// # Errors
    /// When they differ, or those of an output are not what the card says.
    pub fn map_size(&self, rows: usize, dimensions: &[Vec<i64>]) -> Result<[usize; 2], NetworkError> {
        let named = self.outputs.iter().zip(dimensions);
        let sizes = named.map(|(output, found)| output.map_size(&self.input, rows, found));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        match sizes.iter().position(|size| *size != sizes[0]) {
            None => Ok(sizes[0]),
            Some(at) => Err(NetworkError::MapSizes {
                first: self.outputs[0].name.clone(),
                size: sizes[0],
                other: self.outputs[at].name.clone(),
                other_size: sizes[at],
            }),
        }
    }
}

impl HeatmapOutput {
    fn validate(&self, skeleton: &str, joints: usize) -> Result<(), NetworkError> {
        let Self { head, stride, origin, channels, background, .. } = *self;
        let output = self.name.clone();
        if head < 1 {
            return Err(NetworkError::Head { output, found: head });
        }
        if !(stride.is_finite() && stride > 0.0 && origin.is_finite()) {
            return Err(NetworkError::NoPlace { output, stride, key: "origin", value: origin });
        }
        if background.is_some_and(|index| index >= channels) {
            return Err(NetworkError::Background { output, channels });
        }
        let kept = channels - usize::from(background.is_some());
        if kept != joints {
            return Err(NetworkError::Channels { output, kept, skeleton: skeleton.to_owned(), joints });
        }
        Ok(())
    }

    /// Height and width of its maps, from the dimensions that a run of `rows` rows gave.
    ///
    /// # Errors
    /// When the run gave other rows or channels than it should, or maps that cover another area than the stride says.
    pub fn map_size(
        &self,
        input: &ImageInput,
        rows: usize,
        dimensions: &[i64],
    ) -> Result<[usize; 2], NetworkError> {
        let Self { name, layout, stride, channels, .. } = self;
        let [height, width] = maps_of(name, *layout, rows, *channels, dimensions)?;
        for (axis, found, input_px) in [("height", height, input.height), ("width", width, input.width)] {
            let cells = f64::from(input_px) / stride;
            if (found as f64 - cells).abs() > 1.0 {
                let (output, stride) = (name.clone(), *stride);
                return Err(NetworkError::Stride { output, stride, axis, input_px, cells, found });
            }
        }
        Ok([height as usize, width as usize])
    }

    /// Channels that are kept, in order: all but the background.
    pub fn kept_channels(&self) -> impl Iterator<Item = usize> {
        let background = self.background;
        (0..self.channels).filter(move |channel| Some(*channel) != background)
    }
}

/// Height and width of the maps of `output`, from the dimensions that a run of `rows` rows gave.
///
/// # Errors
/// When the run gave other rows or channels than it should.
pub fn maps_of(
    output: &str,
    layout: Layout,
    rows: usize,
    channels: usize,
    dimensions: &[i64],
) -> Result<[i64; 2], NetworkError> {
    match layout.sizes(dimensions) {
        Some([found_rows, found_channels, height, width])
            if [found_rows, found_channels] == [rows as i64, channels as i64] && height > 0 && width > 0 =>
        {
            Ok([height, width])
        }
        _ => Err(NetworkError::OtherShape {
            output: output.to_owned(),
            rows,
            expected: format!("{channels} maps"),
            found: dimensions.to_vec(),
            keys: "`layout` or `channels`",
        }),
    }
}

#[cfg(test)]
#[path = "model_card_tests.rs"]
mod tests;
