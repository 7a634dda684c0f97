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
//!     [crop]                        # how the network wants its crop; see the stage `crop`
//!     frame = { person = { height = 234.3 } }
//!     border = 128
//!
//!     [center_map]                  # only where the network needs the person's centre
//!     name = "center"
//!     sigma = 21.0                  # input px
//!     layout = "nhwc"
//!
//!     [[outputs]]                   # in the order in which their rows shall leave
//!     name = "stage_6"
//!     kind = "heatmaps"             # or "simcc", "coordinates", "detections": see `infer::heads`
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

use super::flip::Flip;
use super::heads::{self, Card as Outline, Columns, Output};
use crate::StageError;
use crate::network::NetworkError;
use crate::network::card::{
    CenterMapInput, ImageInput, check_outputs, parse_card, read_card, skeleton_called,
};
use crate::network::framing::CropCard;
use crate::network::pictures::PicturePorts;
use crate::network::ports::{Port, expect, fixed_rows, no_others};

/// What a network is, reads and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Short name; it is written to the column `model` of every prediction.
    pub name: String,
    /// Name of the skeleton whose joints the outputs follow.
    pub skeleton: String,
    /// Where the network comes from.
    #[serde(default)]
    pub source: String,
    /// Under which terms it may be used.
    #[serde(default)]
    pub license: String,
    /// The image input.
    pub input: ImageInput,
    /// How the network wants its crop, where the card says so; the stage `crop` can take it from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<CropCard>,
    /// The input that tells the network which person to look at, if it has one.
    #[serde(default)]
    pub center_map: Option<CenterMapInput>,
    /// The outputs to keep, in the order of their rows; the network may have others.
    pub outputs: Vec<Output>,
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

    /// The card in `text`, which is to be the file `path`.
    ///
    /// # Errors
    /// When it is no card, or contradicts itself.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, StageError> {
        parse_card(text, path, Self::validate)
    }

    /// Holds the card against a network with these ports, whose run gave `shapes` by output.
    ///
    /// # Errors
    /// When they do not fit together.
    pub(super) fn check(
        &self,
        inputs: &[Port],
        outputs: &[Port],
        shapes: &[(String, Vec<i64>)],
    ) -> Result<(), NetworkError> {
        let rows = self.check_ports(inputs, outputs)?.unwrap_or(1);
        let of = |name: &str| shapes.iter().find(|(known, _)| known == name).map(|(_, shape)| shape.clone());
        let dimensions: Vec<Vec<i64>> = self.outputs.iter().flat_map(Output::names).filter_map(of).collect();
        self.check_shapes(rows, &dimensions)
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
        self.input.validate()?;
        if let Some(map) = &self.center_map
            && !(map.sigma.is_finite() && map.sigma > 0.0)
        {
            let found = map.sigma.to_string();
            return Err(NetworkError::NotPositive { key: "center_map.sigma", found });
        }
        check_outputs(self.outputs.iter().flat_map(Output::names))?;
        let kind = self.outputs[0].kind();
        if let Some(other) = self.outputs.iter().find(|output| output.kind() != kind) {
            return Err(NetworkError::MixedKinds { first: kind, other: other.kind() });
        }
        let card = self.outline()?;
        self.outputs.iter().try_for_each(|output| output.validate(&card))
    }

    /// What the kinds of outputs need to know of the card.
    fn outline(&self) -> Result<Outline<'_>, NetworkError> {
        Ok(Outline { input: &self.input, skeleton: self.skeleton()? })
    }

    /// What the network is fed and gives.
    pub fn ports(&self) -> PicturePorts<'_> {
        PicturePorts {
            image: &self.input,
            center_map: self.center_map.as_ref(),
            points: None,
            outputs: self.outputs.iter().flat_map(Output::names).collect(),
            any_shape: matches!(self.outputs[0], Output::Detections(_)),
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
        let card = self.outline()?;
        self.outputs.iter().try_for_each(|output| output.check_ports(&card, outputs))?;
        match fixed_rows(&fed)? {
            // A call of several pictures has no shape, where each may hold another number of people.
            None if matches!(self.outputs[0], Output::Detections(_)) => Ok(Some(1)),
            rows => Ok(rows),
        }
    }

    /// Checks the dimensions that a run of `rows` rows gave, those of each output in the order of their names.
    ///
    /// # Errors
    /// When they are not what the card says.
    pub fn check_shapes(&self, rows: usize, dimensions: &[Vec<i64>]) -> Result<(), NetworkError> {
        self.columns(rows, dimensions, None).map(|_| ())
    }

    /// The columns that the outputs make, from the dimensions that a run of `rows` rows gave; `flip` says that rows are also
    /// run mirrored.
    ///
    /// # Errors
    /// When the dimensions of an output are not what the card says, or rows cannot be averaged with mirrored ones.
    pub(super) fn columns(
        &self,
        rows: usize,
        dimensions: &[Vec<i64>],
        flip: Option<Flip>,
    ) -> Result<Box<dyn Columns>, NetworkError> {
        heads::columns(&self.outputs, &self.outline()?, rows, dimensions, flip)
    }
}

#[cfg(test)]
#[path = "model_card_tests.rs"]
mod tests;
