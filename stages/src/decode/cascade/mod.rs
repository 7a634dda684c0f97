//! A second network that looks again where a first one saw each joint (Tompson et al., CVPR 2015, section 4).
//!
//! [`card`] describes the second network's inputs and outputs -> [`config`] opens it -> [`stage`] runs it: the stage
//! `refine`.

pub mod card;
pub mod config;
pub mod stage;

pub use card::FineCard;
pub use config::RefineConfig;
pub use stage::RefineJoints;

#[cfg(test)]
mod tests;
