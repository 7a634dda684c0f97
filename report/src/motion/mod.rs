//! Pictures of motion: signals over time, the quality of logs, and how well people are told apart.
//!
//! [`signal_sheet`] draws rows of `readings`, `signals` or `windows`, [`quality_sheet`] those of `quality`, and
//! [`verification_sheet`] trials. Rows come in, pixels go out: nothing is written here.

mod block_bars;
mod quality;
mod signals;
mod traces;
mod verification;

#[cfg(test)]
mod tests;

pub use block_bars::Blocks;
pub use quality::{DEFAULT_ROWS as DEFAULT_QUALITY_ROWS, quality_sheet};
pub use signals::{SignalOptions, signal_sheet};
pub use verification::{VerificationSheetOptions, verification_sheet};
