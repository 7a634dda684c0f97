//! The card of the second network of a cascade, held against the network itself before a row flows.
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
use crate::infer::check::{Port, dimensions_text, expect, no_others, port};
use crate::infer::model_card::{ImageInput, Layout, read_card, skeleton_called};
use crate::infer::session::Fed;

/// What the second network is, eats and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineCard {
    /// Short name of the cascade; it stands in the column `model` of every prediction.
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
    /// One map a joint of the window about its point, highest where the joint is believed to be.
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
    /// Number of the output; rows keep the number of the first network's.
    #[serde(default = "first")]
    pub stage: i32,
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
    pub fn skeleton(&self) -> Result<&'static Skeleton, StageError> {
        skeleton_called(&self.skeleton)
    }

    /// The one output.
    pub fn output(&self) -> &OffsetsOutput {
        &self.outputs[0]
    }

    /// Checks what a card can be checked for without its network.
    ///
    /// # Errors
    /// When a number is out of range, or channels and joints do not agree.
    pub fn validate(&self) -> Result<(), StageError> {
        self.input.validate()?;
        let (joints, output) = (self.skeleton()?.len(), self.output());
        let OffsetsOutput { name, stride, center, channels, .. } = output;
        if *channels != joints {
            let skeleton = &self.skeleton;
            return Err(StageError::config(
                format!(
                    "output `{name}` has {channels} channels, but skeleton `{skeleton}` has {joints} joints"
                ),
                "correct `channels` or `skeleton` in the model card",
            ));
        }
        if !(stride.is_finite() && *stride > 0.0 && center.is_finite()) {
            let message = format!("output `{name}`: `stride` {stride} and `center` {center} give no place");
            return Err(StageError::Config { message, hint: None });
        }
        Ok(())
    }

    /// What the network is fed and gives.
    pub fn fed(&self) -> Fed<'_> {
        Fed {
            image: &self.input,
            center_map: None,
            points: Some((&self.points.name, self.output().channels)),
            outputs: vec![&self.output().name],
        }
    }

    /// Checks that the network has what the card names, and no input besides; gives the rows that it wants in a call, or
    /// `None` where it takes any.
    ///
    /// # Errors
    /// When a name is absent, or a type or a dimension is another one; the message says what was expected and found.
    pub fn check_ports(&self, inputs: &[Port], outputs: &[Port]) -> Result<Option<usize>, StageError> {
        let output = self.output();
        let joints = output.channels as i64;
        let image = port(inputs, &self.input.name, "input")?;
        let rows = expect(image, "input", self.input.element_name(), &self.input.dimensions())?;
        let points = expect(port(inputs, &self.points.name, "input")?, "input", "float32", &[-1, joints, 2])?;
        no_others(inputs, &[&self.input.name, &self.points.name], "an image and the places of joints")?;
        let dimensions = match output.layout {
            Layout::Nchw => [-1, joints, -1, -1],
            Layout::Nhwc => [-1, -1, -1, joints],
        };
        expect(port(outputs, &output.name, "output")?, "output", "float32", &dimensions)?;
        match (rows, points) {
            (Some(rows), Some(points)) if rows != points => Err(StageError::config(
                format!("the network takes {rows} pictures a call, but the places of {points}"),
                "export it with one number of rows, or a free one",
            )),
            _ => Ok(rows.or(points)),
        }
    }

    /// Height and width of the fine maps, from the dimensions that a run of `rows` rows gave.
    ///
    /// # Errors
    /// When the run gave other rows or channels than it should, or maps without the card's centre.
    pub fn map_size(&self, rows: usize, dimensions: &[i64]) -> Result<[usize; 2], StageError> {
        let OffsetsOutput { name, channels, center, layout, .. } = self.output();
        let found = match (layout, dimensions) {
            (Layout::Nchw, [rows, channels, height, width])
            | (Layout::Nhwc, [rows, height, width, channels]) => [*rows, *channels, *height, *width],
            _ => [-1; 4],
        };
        let [found_rows, found_channels, height, width] = found;
        if [found_rows, found_channels] != [rows as i64, *channels as i64] || height < 1 || width < 1 {
            return Err(StageError::config(
                format!(
                    "output `{name}`: {rows} rows of {channels} maps are expected, a run gave {}",
                    dimensions_text(dimensions)
                ),
                "correct `layout` or `channels` in the model card",
            ));
        }
        if !(0.0..height.min(width) as f64).contains(center) {
            return Err(StageError::config(
                format!("output `{name}`: `center` {center} lies outside its maps of {width} x {height} px"),
                "correct `center` in the model card",
            ));
        }
        Ok([height as usize, width as usize])
    }
}
