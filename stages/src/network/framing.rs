//! How a network wants its crop: the section `[crop]` of its card, which the stage `crop` can take from there.

use std::path::Path;

use schemas::units::Grey;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::card::read_card;
use crate::StageError;
use crate::augment::frame::{Frame, Grid};

/// The section `[crop]` of a card.
///
/// ```
/// let crop: stages::network::framing::CropCard = toml::from_str("frame = { box = { margin = 1.25 } }")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropCard {
    /// How the crop is laid around a person, or around the whole picture.
    pub frame: Frame,
    /// Where the middle of what is framed comes to lie.
    #[serde(default)]
    pub grid: Grid,
    /// Level of all channels outside the image.
    #[serde(default = "black")]
    pub border: Grey,
}

fn black() -> Grey {
    Grey::constant(0)
}

/// What a crop needs to know of a card: its size and its section `[crop]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Width and height in px.
    pub size: [u32; 2],
    /// The section.
    pub crop: CropCard,
}

/// The parts of a card that are read here; other stages check the rest.
#[derive(Deserialize)]
struct Outline {
    input: Sides,
    crop: Option<CropCard>,
}

#[derive(Deserialize)]
struct Sides {
    width: u32,
    height: u32,
}

impl Wanted {
    /// Reads the card at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is no card, or has no section `[crop]`.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        let checked = |card: &Outline| match (card.input.width, card.input.height) {
            (0, _) | (_, 0) => {
                Err(NetworkError::NoPixels { width: card.input.width, height: card.input.height })
            }
            _ if card.crop.is_none() => Err(NetworkError::NoCrop),
            _ => Ok(()),
        };
        let card: Outline = read_card(path, checked)?;
        let size = [card.input.width, card.input.height];
        let crop = card.crop.ok_or_else(|| StageError::from(NetworkError::NoCrop.at(path)))?;
        Ok(Self { size, crop })
    }
}
