//! `focus`: a crop around single joints of a pose, in which the next stage of a cascade looks for that joint again
//! (`DeepPose`, section 3.2).
//!
//! [`config`] and [`joints`] hold the keys, [`diameter`] measures a pose, [`spread`] says where predictions would lie; [`stage`] lays the
//! crops.

pub mod config;
pub mod diameter;
pub mod joints;
pub mod spread;
pub mod stage;

pub use config::FocusConfig;
pub use joints::Joints;
pub use stage::{Focus, JOINT_INDEX};

#[cfg(test)]
mod tests;
