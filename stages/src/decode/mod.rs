//! From heatmaps back to keypoints in image px.
//!
//! [`peak`] finds the highest px of a map, [`refine`] places the joint between px, [`upsample`] enlarges a map as the
//! convolutional pose machines do; [`stage`] takes the result through the crop's transform back into the image.
//! [`summed`] finds the highest px of the image in the sum of maps of several scales, for the stage [`merge_scales`].
//! [`cascade`] refines joints with a second network, for the stage `refine`. [`merge_joints`] puts predictions from crops
//! around single joints together, and [`fit_displacements`] learns how far predictions are off. [`table`] makes the output rows. Before
//! all that, [`spatial`] can make the maps of the joints agree with each other.

pub mod cascade;
mod error;
pub mod fit_displacements;
pub mod merge_joints;
pub mod merge_scales;
pub mod peak;
pub mod refine;
pub mod spatial;
pub mod stage;
pub mod summed;
pub mod table;
pub mod upsample;

pub use cascade::{FineCard, RefineConfig, RefineJoints};
pub use error::DecodeError;
pub use fit_displacements::{FitDisplacements, FitDisplacementsConfig};
pub use merge_joints::{MergeJoints, MergeJointsConfig};
pub use merge_scales::{MergeScales, MergeScalesConfig};
pub use refine::Refine;
pub use spatial::{FitSpatialModel, FitSpatialModelConfig, SpatialModel, SpatialModelConfig};
pub use stage::{Decode, DecodeConfig, Rule};
