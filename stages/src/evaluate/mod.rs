//! Scores by named protocols: `PCKh`, PCK, PCP, presence of joints.
//!
//! [`protocol`] names the protocols and [`rules`] states in one table what each of them counts; `truth` keeps the people
//! and `scoring` scores predictions as they come; [`measure`] turns each pair into normalised errors; [`curves`] and
//! [`presence`] turn errors into rates; [`bootstrap`] gives each rate its interval; [`table`] prints. [`oks`] compares whole pictures
//! instead: average precision and recall. [`pairs`] joins
//! tables in memory, and [`scored`] holds who counts, for closer analysis: [`error_types`], [`slices`], [`worst`], and
//! [`compare`] for two predictions of the same people. `step` is the evaluation as a stage of a plan.
//!
//! All functions are pure: the same tables give the same numbers, whatever the order of people or the number of
//! threads.

pub mod any_skeleton;
pub mod bootstrap;
pub mod compare;
pub mod config;
pub mod curves;
mod error;
pub mod error_types;
mod joined;
pub mod match_people;
pub mod measure;
mod metric_rows;
mod numbered;
pub mod oks;
mod options;
mod output_head;
pub mod pairs;
mod places;
mod pose;
pub mod presence;
pub mod protocol;
mod roster;
pub mod rules;
pub mod scored;
mod scoring;
pub mod slices;
mod step;
pub mod table;
mod truth;
pub mod verification;
pub mod worst;

#[doc(hidden)]
pub mod fixtures;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod real_data_tests;

pub use compare::{Comparison, Difference, compare_poses};
pub use config::{Evaluate, EvaluateConfig};
pub use error::EvaluateError;
pub use error_types::{ErrorType, error_types};
pub use match_people::{MatchPeople, MatchPeopleConfig};
pub use options::{DEFAULT_RESAMPLES, EvaluateOptions, Evaluation};
pub use output_head::OutputHead;
pub use pose::evaluate_pose;
pub use protocol::{Protocol, UnknownProtocol};
pub use scored::ScoredPoses;
pub use slices::{Slice, slices};
pub use table::format_table;
pub use worst::{Worst, worst};
