//! Verification and identification of people: error rates of trials, accuracy of class scores.
//!
//! [`curve`] counts both errors at every threshold and [`eer`] computes the equal error rate from it; [`groups`] does
//! so for each client and session separately; `collect` turns rows into blocks and [`score`] turns blocks into rows of
//! the metric table, with the intervals of [`resample`]; [`verify`] does that as a stage of a plan. [`identification`]
//! ranks classes, and [`identify`] does that as a stage. [`compare`] compares two systems. [`table`] prints.

mod collect;
pub mod compare;
pub mod curve;
pub mod eer;
mod error;
pub mod groups;
pub mod identification;
pub mod identify;
pub mod probit;
pub mod resample;
pub mod score;
pub mod series;
pub mod table;
mod tally;
pub mod verify;

#[doc(hidden)]
pub mod fixtures;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod identify_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod verify_tests;

pub use compare::{TrialComparison, compare_trials};
pub use curve::{Curve, Scored};
pub use eer::{EerMethod, EqualError, equal_error};
pub use error::VerificationError;
pub use identification::{Rounding, TopShare, classes_counted, top_share_accuracy};
pub use identify::{Identify, IdentifyConfig};
pub use probit::probit;
pub use score::{VerificationOptions, evaluate_verification};
pub use table::format_verification;
pub use tally::Ranked;
pub use verify::{Verify, VerifyConfig};

/// Name under which trials and frames that cannot be scored are reported.
const NAME: &str = "verification";
