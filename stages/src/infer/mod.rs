//! Running an ONNX network on samples or windows: runtime, provider, model card, session pool, stage.
//!
//! [`search`] finds ONNX Runtime and [`runtime`] loads it, once a process -> [`providers`] picks what computes ->
//! [`model_card`] says what the network eats and gives, [`check`] holds that against the network itself ->
//! [`gather`] turns raw crops into its input, [`session`] runs it, [`flip`] averages with the mirrored run -> [`config`] builds [`stage`], the step of a plan. [`doctor`]
//! tells a person what works on this machine. [`sequence`] does the same for networks that read windows of a signal.

pub mod check;
pub mod config;
pub mod doctor;
pub mod flip;
pub mod gather;
pub mod model_card;
pub mod providers;
pub mod runtime;
pub mod search;
pub mod sequence;
pub mod session;
pub mod stage;

pub use config::InferConfig;
pub use model_card::ModelCard;
pub use providers::Provider;
pub use runtime::Runtime;
pub use sequence::{EmbedConfig, SequenceCard};
pub use stage::Infer;

#[cfg(test)]
mod tests;
