//! From people to samples: the geometry is composed first, pixels are sampled once.
//!
//! [`crop`] frames each person and adds the geometry columns; [`scale`], [`rotate`], [`shift`], [`flip`] and [`colour`]
//! touch no pixel, they draw from a stream keyed by (seed, stage, sample, copy) and multiply into `crop_from_image` or
//! `colour_matrix`; [`search_scales`] repeats each at fixed scales; [`warp`] reads the image and makes pixels and
//! keypoints of the crop. [`focus`] lays crops around single joints of a pose in the place of [`crop`].
//!
//! | paper | crop | scale | rotate | flip | colour |
//! |---|---|---|---|---|---|
//! | convolutional pose machines | person 234.3 px in 368 | uniform 0.7 to 1.3 | uniform 40 degrees | 0.5 | none |
//! | stacked hourglass | person 204.8 px in 256, 15/200 down | 2^ε, ε of spread 0.25 up to 0.5 | normal 30 up to 60, in 0.4 | 0.5 | gain 0.6 to 1.4 |

pub mod colour;
pub mod crop;
mod error;
pub mod flip;
pub mod focus;
pub mod frame;
pub mod geometry;
pub mod keyed;
#[cfg(test)]
mod laws;
pub mod planar;
pub mod ranges;
pub mod rotate;
pub mod scale;
pub mod search_scales;
pub mod shift;
pub mod warp;

pub use colour::{Colour, ColourConfig};
pub use crop::{Crop, CropConfig};
pub use error::AugmentError;
pub use flip::{Flip, FlipConfig};
pub use focus::{Focus, FocusConfig};
pub use frame::Frame;
pub use planar::planar_f32;
pub use rotate::{Rotate, RotateConfig};
pub use scale::{Scale, ScaleConfig};
pub use search_scales::{SearchScales, SearchScalesConfig};
pub use shift::{Shift, ShiftConfig};
pub use warp::{Warp, WarpConfig};
