//! The spatial model: joints pass each other messages about where they may be, before maps become keypoints.
//!
//! [`fit`] learns from people, with [`histogram`], where each joint lies relative to each other one and to the
//! [`torso`]; [`stage`] has it [`load`]ed and runs it on the maps of a network: [`messages`] goes once from every joint
//! to every other one, each message a [`convolve`]d map.

pub mod convolve;
pub mod fit;
pub mod histogram;
pub mod load;
pub mod messages;
pub mod stage;
pub mod torso;

pub use fit::{FitSpatialModel, FitSpatialModelConfig};
pub use messages::Form;
pub use stage::{SpatialModel, SpatialModelConfig};
pub use torso::Torso;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
