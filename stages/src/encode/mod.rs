//! Training targets and stored pixels: maps, labels of columns and rows, coordinates, masks for the loss, encoded images.
//!
//! | paper | targets |
//! |---|---|
//! | convolutional pose machines | `gaussian`, sigma 7 px, stride 8, background, both label sets, centre map of sigma 21 |
//! | stacked hourglass | `patch`, sigma 1.75, radius 3, at the truncated place, stride 4; missing joints are zero maps |
//! | `HRNet` | `patch`, sigma 2, radius 6, at the nearest place, stride 4; missing joints are masked |
//! | `RePose` | `gaussian`, sigma 5 px, stride 1; missing joints are masked |
//! | UDP, DARK | `udp` or `dark`, sigma 2, stride 4; missing joints are masked |
//! | `SimCC`, `RTMPose` | `encode_simcc`, 2 bins a px, a Gaussian of sigma 4.9 and 5.66 bins |
//! | `DeepPose` | `encode_coordinates`, from the middle of the crop |

pub mod coordinates;
mod crops;
mod error;
pub mod fractional;
pub mod gaussian;
pub mod heatmaps;
pub mod image;
pub mod loss_mask;
pub mod patch;
pub mod simcc;

pub use coordinates::{EncodeCoordinates, EncodeCoordinatesConfig};
pub use error::EncodeError;
pub use heatmaps::{EncodeHeatmaps, EncodeHeatmapsConfig};
pub use image::{EncodeImage, EncodeImageConfig};
pub use loss_mask::{EncodeLossMask, EncodeLossMaskConfig};
pub use simcc::{EncodeSimcc, EncodeSimccConfig};
