//! Why targets could not be made.

use schemas::{Fault, Hinted};

/// Why targets could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum EncodeError {
    /// Keypoints are not measured in the crop yet.
    #[error("`{stage}` takes keypoints in px of the crop, and they are in px of the image")]
    NotWarped { stage: &'static str },
    /// A map would cover a part of a pixel.
    #[error("`stride` {stride} does not divide the crop, {width} x {height} px")]
    Stride { stride: u32, width: u32, height: u32 },
}

impl Hinted for EncodeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotWarped { .. } => "put the stage `warp` before it".into(),
            Self::Stride { .. } => "choose a stride that divides both sides".into(),
        })
    }

    fn fault(&self) -> Fault {
        Fault::Config
    }
}
