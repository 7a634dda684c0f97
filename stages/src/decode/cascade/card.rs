//! The card of the second network of a cascade, checked against the network itself before any row flows.
//!
//! A TOML file beside the network, of the same stem:
//!
//! ```
//! let card: stages::decode::FineCard = toml::from_str(r#"
//!     name = "tompson-fine"
//!     skeleton = "flic9"            # that of the first network; K joints
//!
//!     [input]                       # the picture, as in the card of any network that reads samples
//!     name = "image"
//!     layout = "nchw"
//!     colour = "rgb"
//!     element = "float32"
//!     width = 320                   # px
//!     height = 240
//!
//!     [points]                      # float32 [N, K, 2]: where the first network saw each joint, x and y in whole px of the
//!     name = "points"               # crop, in the order of the skeleton
//!
//!     [[outputs]]                   # one
//!     name = "offsets"
//!     kind = "offsets"
//!     layout = "nchw"               # [N, K, h, w]
//!     stride = 1.0                  # px of the crop per px of the map
//!     center = 18.0                 # px of the map, along both axes, that lies on the point
//!     channels = 9                  # K
//! "#)?;
//! card.validate()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use schemas::Skeleton;
use serde::{Deserialize, Serialize};

use crate::StageError;
use crate::network::NetworkError;
use crate::network::card::{ImageInput, Layout, maps_of, read_card, skeleton_called};
use crate::network::pictures::PicturePorts;
use crate::network::ports::{Port, expect, fixed_rows, no_others};

/// The second network, its inputs and its outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineCard {
    /// Short name of the cascade; it is written to the column `model` of every prediction.
    pub name: String,
    /// Name of the skeleton whose joints points and maps follow.
    pub skeleton: String,
    /// Where the network comes from.
    #[serde(default)]
    pub source: String,
    /// Under which terms it may be used.
    #[serde(default)]
    pub license: String,
    /// The image input.
    pub input: ImageInput,
    /// The input of the places to look at.
    pub points: PointsInput,
    /// The one output.
    pub outputs: [OffsetsOutput; 1],
}

/// Where to look: float32 `[N, K, 2]`, x and y in whole px of the crop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsInput {
    /// The network's own name for it.
    pub name: String,
}

/// What the output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetsKind {
    /// One map per joint of the window around its point, highest where the network places the joint.
    Offsets,
}

/// The fine maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetsOutput {
    /// The network's own name for it.
    pub name: String,
    /// What it holds.
    pub kind: OffsetsKind,
    /// Order of its dimensions.
    pub layout: Layout,
    /// Number of the output; rows keep the number of the first network's. Cards of earlier versions call it `stage`.
    #[serde(default = "first", alias = "stage")]
    pub head: i32,
    /// Px of the crop per px of the map.
    pub stride: f64,
    /// The px of the map, along both axes, that lies on the point.
    pub center: f64,
    /// How many channels it has: as many as the skeleton has joints.
    pub channels: usize,
}

fn first() -> i32 {
    1
}

impl FineCard {
    /// Reads and validates a card.
    ///
    /// # Errors
    /// When the file cannot be read, is no such card, or contradicts itself; the message names the file and the key.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        read_card(path, Self::validate)
    }

    /// The skeleton whose joints points and maps follow.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn skeleton(&self) -> Result<&'static Skeleton, NetworkError> {
        skeleton_called(&self.skeleton)
    }

    /// The one output.
    pub fn output(&self) -> &OffsetsOutput {
        &self.outputs[0]
    }

    /// Checks everything that can be checked without the network.
    ///
    /// # Errors
    /// When a number is out of range, or channels and joints do not agree.
    pub fn validate(&self) -> Result<(), NetworkError> {
        self.input.validate()?;
        let joints = self.skeleton()?.len();
        let OffsetsOutput { stride, center, channels, .. } = *self.output();
        let output = self.output().name.clone();
        if channels != joints {
            let skeleton = self.skeleton.clone();
            return Err(NetworkError::Channels { output, kept: channels, skeleton, joints });
        }
        if !(stride.is_finite() && stride > 0.0 && center.is_finite()) {
            return Err(NetworkError::NoPlace { output, stride, key: "center", value: center });
        }
        Ok(())
    }

    /// What the network is fed and gives.
    pub fn ports(&self) -> PicturePorts<'_> {
        PicturePorts {
            image: &self.input,
            center_map: None,
            points: Some((&self.points.name, self.output().channels)),
            outputs: vec![&self.output().name],
            any_shape: false,
        }
    }

    /// Checks that the network has what the card names, and no input besides; gives the rows that it wants in a call, or
    /// `None` where it takes any.
    ///
    /// # Errors
    /// When a name is absent, or a type or a dimension is another one; the message says what was expected and found.
    pub fn check_ports(&self, inputs: &[Port], outputs: &[Port]) -> Result<Option<usize>, NetworkError> {
        let (image, points, output) = (&self.input, &self.points.name, self.output());
        let joints = output.channels as i64;
        let fed = [
            expect(inputs, "input", &image.name, image.element_name(), &image.dimensions())?,
            expect(inputs, "input", points, "float32", &[-1, joints, 2])?,
        ];
        no_others(inputs, &[&image.name, points], "an image and the places of joints")?;
        expect(outputs, "output", &output.name, "float32", &output.layout.dimensions(joints, [-1; 2]))?;
        fixed_rows(&fed)
    }

    /// Height and width of the fine maps, from the dimensions that a run of `rows` rows gave.
    ///
    /// # Errors
    /// When the run gave other rows or channels than it should, or maps without the card's centre.
    pub fn map_size(&self, rows: usize, dimensions: &[i64]) -> Result<[usize; 2], NetworkError> {
        let OffsetsOutput { name, channels, center, layout, .. } = self.output();
        let [height, width] = maps_of(name, *layout, rows, *channels, dimensions)?;
        if !(0.0..height.min(width) as f64).contains(center) {
            let (output, center) = (name.clone(), *center);
            return Err(NetworkError::CenterOutside { output, center, width, height });
        }
        Ok([height as usize, width as usize])
    }
}
