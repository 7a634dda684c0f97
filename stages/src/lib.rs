//! The steps of the pipeline: one file per stage, folders in dataflow order.
//!
//! `ingest` selects and maps rows of `people` (`check` looks for errors in them) -> `augment` composes geometry and
//! samples pixels once -> `encode` makes training targets -> `infer` runs a network -> `decode` turns its maps into
//! keypoints -> `evaluate` scores them. For motion: `window` makes signals of readings and windows of signals ->
//! `infer` embeds them -> `verify` models people and scores sessions -> `evaluate`. `network` opens what `infer` and
//! `decode` run. [`registry`] lists every stage under the name it has in a plan; [`unit_sum`] says in which order numbers
//! are added over rows.

pub mod augment;
pub mod check;
pub mod decode;
pub mod encode;
pub mod evaluate;
pub mod infer;
pub mod ingest;
pub mod network;
pub mod registry;
pub mod stage;
pub mod unit_sum;
pub mod verify;
pub mod window;

pub use stage::{BuildContext, FanOut, Outcome, Stage, StageError};
