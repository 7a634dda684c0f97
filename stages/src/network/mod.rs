//! ONNX networks: what `infer`, `embed` and `refine` share.
//!
//! [`search`] finds ONNX Runtime and [`runtime`] loads it, once per process. [`providers`] selects the hardware, and
//! [`engine`] and [`tensorrt`] have the keys of a plan for it and opens a network with its sessions, which a [`pool`] lends to
//! threads. [`card`] reads model cards, [`framing`] what they say of crops, [`ports`] checks them against the network. [`pictures`] runs networks that
//! read crops, which [`gather`] converts to their layout. [`external`] finds the files beside a network that hold its
//! weights. [`doctor`] reports what works on this machine.

pub mod card;
pub mod doctor;
pub mod engine;
pub mod error;
pub mod external;
pub mod framing;
pub mod gather;
pub mod pictures;
pub mod pool;
mod port;
pub mod ports;
pub mod providers;
pub mod runtime;
pub mod search;
pub mod tensorrt;

pub use engine::{EngineConfig, Files, Opened};
pub use error::NetworkError;
pub use providers::Provider;
pub use runtime::Runtime;
pub use tensorrt::TensorrtConfig;
