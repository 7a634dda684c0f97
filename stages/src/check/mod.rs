//! Checks annotations: contradictions, outliers, duplicates and leaks in a table `people`.
//!
//! [`rule`] names the rules in their order, [`rules`] has one file for each, [`config`] their thresholds. [`Check`]
//! reads the table three times: [`survey`] lists the pictures and learns how long limbs are in each data set
//! ([`body`], [`spread`]), then every rule sees every person. Most findings are suspicions with a value; none changes
//! a row. Findings do not depend on the order of rows, batches or threads.

mod body;
mod config;
mod error;
mod pictures;
mod rule;
mod rules;
mod seen;
mod spread;
mod step;
mod summary;
mod survey;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub use config::{
    CROSSED_LIMBS, CheckConfig, DUPLICATE_DISTANCE, HEAD_SIGMA, INVERSION_WIDTH, LEAST_JOINTS, LEAST_PEOPLE,
    LIMB_SIGMA, MARGIN_PX, MOST_PICTURE_BITS, PICTURE_BITS, SCALE_SIGMA,
};
pub use error::CheckError;
pub use rule::Rule;
pub use step::{Check, Checked};
pub use summary::{RuleSummary, format_summary};
