//! From heatmaps back to keypoints in image px.
//!
//! [`peak`] finds the highest px of a map, [`refine`] places the joint between px, [`upsample`] enlarges a map as the
//! convolutional pose machines do; [`stage`] takes the result through the crop's transform back into the image.

pub mod peak;
pub mod refine;
pub mod stage;
pub mod upsample;

pub use refine::Refine;
pub use stage::{Decode, DecodeConfig, Rule};
