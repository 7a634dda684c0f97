//! What the outputs of a network hold, one file a kind: the keys of its card, their check against the network, and the
//! columns that are made of what it gives.
//!
//! | kind | the network gives | table |
//! |---|---|---|
//! | [`heatmaps`] | a map a joint, maybe with offsets | `heatmaps` |
//! | [`simcc`] | bins along x and along y a joint | `simcc` |
//! | [`coordinates`] | numbers: x, y, scores of one person | `coordinates` |
//! | [`detections`] | numbers: boxes, scores and joints of any number of people | `detections` |

pub mod coordinates;
pub mod detections;
pub mod heatmaps;
pub mod simcc;
pub mod space;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use schemas::Skeleton;
use serde::{Deserialize, Serialize};

use self::coordinates::CoordinatesOutput;
use self::detections::DetectionsOutput;
use self::heatmaps::HeatmapOutput;
use self::simcc::SimccOutput;
use super::flip::Flip;
use crate::network::NetworkError;
use crate::network::card::ImageInput;
use crate::network::ports::Port;

/// One output head of a network, by what it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Output {
    /// One map per joint, highest where the network places the joint.
    Heatmaps(HeatmapOutput),
    /// Two vectors per joint, highest at its x and at its y.
    Simcc(SimccOutput),
    /// The places of one person's joints.
    Coordinates(CoordinatesOutput),
    /// Boxes, scores and places of the joints of several people.
    Detections(DetectionsOutput),
}

/// What a card says of all its outputs, which are of one kind.
pub(super) struct Card<'a> {
    /// The picture that the network reads.
    pub input: &'a ImageInput,
    /// The skeleton of its joints.
    pub skeleton: &'static Skeleton,
}

/// The columns that outputs of one kind make.
pub(super) trait Columns: Send + Sync {
    /// The table that its rows belong to.
    fn table(&self) -> &'static str;

    /// The columns beside those of the samples.
    fn fields(&self) -> Vec<Field>;

    /// How many rows a sample gives.
    fn rows_a_sample(&self) -> usize;

    /// What the schema metadata says beside the skeleton.
    fn metadata(&self) -> Option<(String, String)> {
        None
    }

    /// Begins the columns of `samples` samples.
    fn start<'a>(&'a self, samples: usize) -> Box<dyn Collect + 'a>;
}

/// Columns in the making.
pub(super) trait Collect {
    /// Takes the numbers that the network gave for `sample`, in the order of the card's outputs and their names; those of the
    /// mirrored picture after those of the plain one.
    fn take(&mut self, sample: usize, mirrored: bool, given: &[&[f32]]);

    /// The columns, in the order of [`Columns::fields`].
    fn columns(self: Box<Self>) -> Vec<ArrayRef>;
}

impl Output {
    /// The kind, as a card spells it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Heatmaps(_) => "heatmaps",
            Self::Simcc(_) => "simcc",
            Self::Coordinates(_) => "coordinates",
            Self::Detections(_) => "detections",
        }
    }

    /// The network's names of what it reads.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Heatmaps(output) => output.names(),
            Self::Simcc(output) => vec![&output.x, &output.y],
            Self::Coordinates(output) => output.names(),
            Self::Detections(output) => output.names(),
        }
    }

    pub(super) fn validate(&self, card: &Card<'_>) -> Result<(), NetworkError> {
        match self {
            Self::Heatmaps(output) => output.validate(card.skeleton),
            Self::Simcc(output) => output.validate(),
            Self::Coordinates(output) => output.validate(card.skeleton),
            Self::Detections(output) => output.validate(),
        }
    }

    pub(super) fn check_ports(&self, card: &Card<'_>, outputs: &[Port]) -> Result<(), NetworkError> {
        match self {
            Self::Heatmaps(output) => output.check_ports(outputs),
            Self::Simcc(output) => output.check_ports(card, outputs),
            Self::Coordinates(output) => output.check_ports(outputs),
            Self::Detections(output) => output.check_ports(card, outputs),
        }
    }
}

/// The columns of `outputs`, all of one kind, from the dimensions that a run of `rows` rows gave, in the order of their
/// names.
///
/// # Errors
/// When an output is of another shape than the card says, or cannot be averaged with the mirrored one.
pub(super) fn columns(
    outputs: &[Output],
    card: &Card<'_>,
    rows: usize,
    dimensions: &[Vec<i64>],
    flip: Option<Flip>,
) -> Result<Box<dyn Columns>, NetworkError> {
    macro_rules! all_of {
        ($kind:ident) => {{
            let of_kind = |output: &Output| match output {
                Output::$kind(output) => Some(output.clone()),
                _ => None,
            };
            outputs.iter().filter_map(of_kind).collect::<Vec<_>>()
        }};
    }
    Ok(match outputs[0] {
        Output::Heatmaps(_) => Box::new(heatmaps::columns(all_of!(Heatmaps), card, rows, dimensions, flip)?),
        Output::Simcc(_) => Box::new(simcc::columns(all_of!(Simcc), card, rows, dimensions, flip)?),
        Output::Coordinates(_) => {
            Box::new(coordinates::columns(all_of!(Coordinates), card, rows, dimensions, flip)?)
        }
        Output::Detections(_) => {
            Box::new(detections::columns(all_of!(Detections), card, rows, dimensions, flip)?)
        }
    })
}

/// Checks the number of an output head.
fn check_head(output: &str, head: i32) -> Result<(), NetworkError> {
    if head < 1 {
        return Err(NetworkError::Head { output: output.to_owned(), found: head });
    }
    Ok(())
}

/// Numbers of the heads of `samples` samples, each of which has all `heads`.
fn head_column(heads: &(impl Iterator<Item = i32> + Clone), samples: usize) -> ArrayRef {
    let all = (0..samples).flat_map(|_| heads.clone());
    std::sync::Arc::new(arrow::array::Int32Array::from_iter_values(all))
}

#[cfg(test)]
mod tests;
