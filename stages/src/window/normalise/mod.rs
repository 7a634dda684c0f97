//! Removes the scale of signals: z = (x - mean) / deviation, channel by channel.
//!
//! [`session`] needs no fit; [`fit`] gives `normalisers` that [`apply`] uses.

pub mod apply;
pub mod fit;
mod moments;
pub mod session;
#[cfg(test)]
mod tests;

pub use apply::{ApplyNormaliser, ApplyNormaliserConfig};
pub use fit::{FitNormaliser, FitNormaliserConfig, FitPer};
pub use session::{Normalise, NormaliseConfig, NormalisePer};
