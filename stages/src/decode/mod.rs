//! From what a network gave back to keypoints in image px.
//!
//! [`stage`] reads predictions by their kind and takes them through the crop's transform back into the image: [`maps`] are
//! heatmaps, [`bins`] are `SimCC`, [`places`] are coordinates, and [`people`] chooses among the candidates of a detector, whom
//! [`as_people`] makes rows of people.
//! For maps, [`peak`] finds the highest px, [`refine`] places the joint between px, and [`upsample`] enlarges a map as the
//! convolutional pose machines do.
//! [`summed`] finds the highest px of the image in the sum of maps of several scales, for the stage [`merge_scales`].
//! [`cascade`] refines joints with a second network, for the stage `refine`. [`table`] makes the output rows. Before
//! all that, [`spatial`] can make the maps of the joints agree with each other.

pub mod as_people;
pub mod bins;
pub mod cascade;
pub mod dark;
mod error;
pub mod maps;
pub mod merge_scales;
pub mod peak;
pub mod people;
pub mod places;
pub mod reading;
pub mod refine;
pub mod rule;
pub mod spatial;
pub mod stage;
pub mod summed;
pub mod table;
pub mod upsample;

pub use as_people::{AsPeople, AsPeopleConfig};
pub use cascade::{FineCard, RefineConfig, RefineJoints};
pub use error::DecodeError;
pub use merge_scales::{MergeScales, MergeScalesConfig};
pub use refine::Refine;
pub use rule::Rule;
pub use spatial::{FitSpatialModel, FitSpatialModelConfig, SpatialModel, SpatialModelConfig};
pub use stage::{Decode, DecodeConfig};
