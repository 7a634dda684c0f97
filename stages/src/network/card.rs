//! What all model cards share: TOML files beside a network that describe its inputs and outputs.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use schemas::Skeleton;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use crate::StageError;

/// Order of a tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[N, C, H, W]`
    Nchw,
    /// `[N, H, W, C]`
    Nhwc,
}

impl Layout {
    /// The dimensions of `channels` maps of `height` x `width` px, -1 for the rows.
    pub fn dimensions(self, channels: i64, [height, width]: [i64; 2]) -> [i64; 4] {
        match self {
            Self::Nchw => [-1, channels, height, width],
            Self::Nhwc => [-1, height, width, channels],
        }
    }

    /// Rows, channels, height and width of `dimensions`; `None` where there are not four.
    pub fn sizes(self, dimensions: &[i64]) -> Option<[i64; 4]> {
        match (self, dimensions) {
            (Self::Nchw, &[rows, channels, height, width])
            | (Self::Nhwc, &[rows, height, width, channels]) => Some([rows, channels, height, width]),
            _ => None,
        }
    }

    /// Copies channel `channel` out of `channels` of one row's `given` maps to `map`, `[h, w]`.
    pub fn copy_channel(self, given: &[f32], channels: usize, channel: usize, map: &mut [f32]) {
        match self {
            Self::Nchw => map.copy_from_slice(&given[channel * map.len()..][..map.len()]),
            Self::Nhwc => {
                for (value, given) in map.iter_mut().zip(given[channel..].iter().step_by(channels)) {
                    *value = *given;
                }
            }
        }
    }
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
    /// 16-bit floats, normalised by the card's mean and std.
    Float16,
    /// Bytes, 0 to 255; any normalisation is in the graph.
    Uint8,
    /// 32-bit integers, 0 to 255; any normalisation is in the graph.
    Int32,
}

impl Element {
    /// Its name in messages, which is ONNX Runtime's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Uint8 => "uint8",
            Self::Int32 => "int32",
        }
    }

    /// Whether the card's mean and std apply.
    fn is_normalised(self) -> bool {
        matches!(self, Self::Float32 | Self::Float16)
    }
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
    /// Where width and height of the network are free: what both must be multiples of. A plan may then choose other sides
    /// than the two above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<NonZeroU32>,
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
    /// The position of its dimension of one channel.
    pub layout: Layout,
}

impl ImageInput {
    /// Checks size and normalisation.
    ///
    /// # Errors
    /// When a number is out of range.
    pub fn validate(&self) -> Result<(), NetworkError> {
        let Self { width, height, mean, std, .. } = self;
        if *width == 0 || *height == 0 {
            return Err(NetworkError::NoPixels { width: *width, height: *height });
        }
        if std.iter().any(|std| !(std.is_finite() && *std > 0.0)) {
            return Err(NetworkError::NotPositive { key: "input.std", found: format!("{std:?}") });
        }
        if mean.iter().any(|mean| !mean.is_finite()) {
            return Err(NetworkError::MeanNotFinite { found: *mean });
        }
        if !self.element.is_normalised() && (*mean != [0.0; 3] || *std != unit_std()) {
            return Err(NetworkError::NormalisedBytes { element: self.element.name() });
        }
        self.check_multiple(*width, *height)
    }

    /// Checks that sides are multiples of what the card says.
    fn check_multiple(&self, width: u32, height: u32) -> Result<(), NetworkError> {
        match self.multiple {
            Some(multiple) if width % multiple != 0 || height % multiple != 0 => {
                Err(NetworkError::NoMultiple { width, height, multiple: multiple.get() })
            }
            _ => Ok(()),
        }
    }

    /// The same input with other sides, where they are free.
    ///
    /// # Errors
    /// When the card does not say that they are, or they are not multiples of what it says.
    pub fn resized(&self, [width, height]: [u32; 2]) -> Result<Self, NetworkError> {
        if self.multiple.is_none() && [width, height] != [self.width, self.height] {
            return Err(NetworkError::FixedSides { width: self.width, height: self.height });
        }
        self.check_multiple(width, height)?;
        Ok(Self { width, height, ..self.clone() })
    }

    /// The element type's name.
    pub fn element_name(&self) -> &'static str {
        self.element.name()
    }

    /// The dimensions, -1 for the rows.
    pub fn dimensions(&self) -> [i64; 4] {
        self.layout.dimensions(3, [self.height, self.width].map(i64::from))
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

/// Checks that no two outputs of a card, which has some, are of one name.
///
/// # Errors
/// When there is no output, or two have one name.
pub fn check_outputs<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), NetworkError> {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if known.contains(&name) {
            return Err(NetworkError::OutputTwice { output: name.to_owned() });
        }
        known.push(name);
    }
    if known.is_empty() { Err(NetworkError::NoOutput) } else { Ok(()) }
}

/// The skeleton called `name`, or that of the file `name`.
///
/// # Errors
/// When there is none of that name, or the file is none.
pub fn skeleton_called(name: &str) -> Result<&'static Skeleton, NetworkError> {
    Ok(datasets::skeleton_called(name)?)
}

/// The key of a card that names its skeleton, or a file of one.
const SKELETON: &str = "skeleton";

/// The file of the skeleton that the card at `path` names, if it names one; relative paths start from the card's folder.
///
/// A card that cannot be read names none: reading it says what is wrong.
pub(super) fn skeleton_of_card(path: &Path) -> Option<PathBuf> {
    let text = datasets::files::read_to_string(path).ok()?;
    skeleton_beside(path, &toml::from_str(&text).ok()?)
}

fn skeleton_beside(path: &Path, card: &toml::Table) -> Option<PathBuf> {
    let file = datasets::skeleton_file(card.get(SKELETON)?.as_str()?)?;
    Some(path.parent().unwrap_or(Path::new("")).join(file))
}

/// Reads the card at `path` and checks it with `validate`.
///
/// # Errors
/// When the file cannot be read, is no such card, or contradicts itself; the message names the file and the key.
pub fn read_card<T: DeserializeOwned>(
    path: &Path,
    validate: impl FnOnce(&T) -> Result<(), NetworkError>,
) -> Result<T, StageError> {
    let failed = |source| StageError::File { what: "model card", path: path.to_owned(), source };
    let text = datasets::files::read_to_string(path).map_err(failed)?;
    parse_card(&text, path, validate)
}

/// The card in `text`, the file `path`, checked with `validate`.
///
/// # Errors
/// As [`read_card`].
pub fn parse_card<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    validate: impl FnOnce(&T) -> Result<(), NetworkError>,
) -> Result<T, StageError> {
    let unread = |error: toml::de::Error| NetworkError::NoCard {
        reason: error.to_string().trim_end().to_owned(),
        path: path.to_owned(),
    };
    let mut card: T = toml::from_str(text).map_err(unread)?;
    let mut table: toml::Table = toml::from_str(text).map_err(unread)?;
    if let Some(file) = skeleton_beside(path, &table) {
        table.insert(SKELETON.to_owned(), file.to_string_lossy().into_owned().into());
        card = table.try_into().map_err(unread)?;
    }
    validate(&card).map_err(|error| error.at(path))?;
    Ok(card)
}
