//! Why crops could not be made or changed.

use schemas::{Fault, Hinted};

/// Why crops could not be made or changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum AugmentError {
    /// The stage is to do nothing.
    #[error("`colour` changes nothing")]
    NoColour,
    /// There is no factor between the two.
    #[error("`min` must not be above `max`, found `{min}` and `{max}`")]
    MinAboveMax { min: f64, max: f64 },
    /// Samples would be shown at no scale.
    #[error("`factors` is empty")]
    NoFactors,
    /// Samples would be made at one scale twice.
    #[error("`factors` has `{factor}` twice, which would count twice")]
    FactorTwice { factor: f64 },
    /// The samples have several scales already.
    #[error("the rows have a column `{column}` already")]
    ScalesMade { column: &'static str },
    /// What `stage` writes about the `things` that it makes is lost.
    #[error("column `{column}` does not say `{key}` in its metadata")]
    NotSaid { column: &'static str, key: &'static str, things: &'static str, stage: &'static str },
    /// Neither plan nor card.
    #[error("`{stage}`: neither the plan nor a card says `{key}`")]
    Unsaid { stage: String, key: &'static str },
    /// An image without people has no box.
    #[error("`{stage}`: `keep_empty` needs a frame of the whole image")]
    NobodyToFrame { stage: String },
    /// A crop of a crop.
    #[error("the rows are crops already")]
    CropsMade,
    /// Geometry after pixels.
    #[error("the pixels were already sampled, so the geometry can no longer change")]
    Sampled,
    /// Arrow's lists hold less than 2 GiB.
    #[error("{crops} crops of {width} x {height} px in one batch exceed 2 GiB")]
    LargeBatch { crops: usize, width: u32, height: u32 },
}

impl Hinted for AugmentError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoColour => "give at least one of `gain`, `brightness`, `contrast`, `saturation`".into(),
            Self::MinAboveMax { .. } => "swap the two".into(),
            Self::NoFactors => "leave it out, or name factors such as `[1.0]`".into(),
            Self::FactorTwice { .. } => "leave one of the two out".into(),
            Self::ScalesMade { .. } => "use `search_scales` once, with all factors".into(),
            Self::NotSaid { things, stage, .. } => format!("make the {things} with the stage `{stage}`"),
            Self::Unsaid { key, .. } => format!("name `{key}`, or `card`, the model card of the network"),
            Self::NobodyToFrame { .. } => "leave it out, or set `frame = \"whole_image\"`".into(),
            Self::CropsMade => "use `crop` once, before `warp`".into(),
            Self::Sampled => "put this stage before `warp`".into(),
            Self::LargeBatch { .. } => "make the batches smaller".into(),
        })
    }

    fn fault(&self) -> Fault {
        Fault::Config
    }
}
