//! Running an ONNX network on samples or windows.
//!
//! [`model_card`] describes a network's inputs and outputs, [`heads`] what the outputs hold, by kind; [`flip`] averages with the mirrored run, [`config`]
//! builds [`stage`], the stage of a plan. [`families`] has cards of well-known networks. [`sequence`] does the same for networks that read windows of a signal.
//! What all networks share is in [`crate::network`].

pub mod config;
pub mod families;
pub mod flip;
pub mod heads;
pub mod model_card;
pub mod sequence;
pub mod stage;

pub use config::InferConfig;
pub use flip::FlipRule;
pub use model_card::ModelCard;
pub use sequence::{EmbedConfig, SequenceCard};
pub use stage::Infer;

#[cfg(test)]
mod tests;
