//! The statistical back end of verification: whether the movement is the client's, judged by a likelihood
//! ratio.
//!
//! `fit_projection` and `project` reduce embeddings to their principal components -> `fit_background` describes the
//! whole population by a mixture of Gaussians -> `adapt` moves it towards each client's enrolment -> `score` tests
//! clients on probes -> `normalise_scores` puts the scores of all clients and sessions on one scale.
//!
//! Below the stages: [`frames`] selects rows and makes [`blocks`] of them, [`responsibilities`] is the expectation step
//! on [`density`], [`statistics`] holds its sums, and [`em`] and [`map`] use these. All sums are taken in an order that
//! depends neither on threads nor on batches.

pub mod adapt;
pub mod blocks;
mod client_trials;
pub mod cohort;
pub mod density;
pub mod em;
mod enrolment;
mod error;
pub mod fit_background;
pub mod fit_projection;
pub mod fitted;
pub mod frames;
pub mod gaussians;
pub mod k_means;
pub mod map;
pub mod moments;
pub mod normalise_scores;
pub mod pools;
mod product;
pub mod project;
pub mod ratio;
pub(crate) mod rechunk;
pub mod responsibilities;
pub mod score;
pub mod statistics;
mod sums;
mod survey;
pub mod trial_rows;

pub use adapt::{Adapt, AdaptConfig, Parameter};
pub use error::VerifyError;
pub use fit_background::{FitBackground, FitBackgroundConfig};
pub use fit_projection::{FitProjection, FitProjectionConfig};
pub use normalise_scores::{Kind, NormaliseScores, NormaliseScoresConfig};
pub use pools::Pool;
pub use project::{Project, ProjectConfig};
pub use score::{Pooling, Score, ScoreConfig};

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod mixture_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod unit_tests;
