//! Why maps could not be drawn.

use schemas::{Fault, Hinted};

/// Why maps could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum EncodeError {
    /// Keypoints are not measured in the crop yet.
    #[error("`encode_heatmaps` draws keypoints in px of the crop, and they are in px of the image")]
    NotWarped,
    /// A map would cover a part of a pixel.
    #[error("`stride` {stride} does not divide the crop, {width} x {height} px")]
    Stride { stride: u32, width: u32, height: u32 },
}

impl Hinted for EncodeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotWarped => "put the stage `warp` before it".into(),
            Self::Stride { .. } => "choose a stride that divides both sides".into(),
        })
    }

    fn fault(&self) -> Fault {
        Fault::Config
    }
}
