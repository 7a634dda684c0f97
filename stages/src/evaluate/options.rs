//! How poses are scored, and the result.

use schemas::tables::metrics::Metric;
use schemas::tables::rejects::Reject;

use super::oks::Sigmas;
use super::protocol::Protocol;

/// How often people are resampled for the intervals; 1,000 is the usual minimum for a 95 % percentile interval
/// (Efron and Tibshirani 1993, section 13.3).
pub const DEFAULT_RESAMPLES: u32 = 1_000;

/// How to score.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// By which protocol.
    pub protocol: Protocol,
    /// Only people of this split of the truth; `None` for all.
    pub split: Option<String>,
    /// How often people (or pictures, where all of a picture is compared) are resampled for the intervals; 0 for no
    /// intervals.
    pub resamples: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// Hash of the run; every row states it.
    pub run: String,
    /// Spreads of joints for `coco-oks` that are not the skeleton's own.
    pub sigmas: Sigmas,
}

impl EvaluateOptions {
    /// The usual way to score by `protocol`: everyone, 1,000 resamples, seed 0.
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            split: None,
            resamples: DEFAULT_RESAMPLES,
            seed: 0,
            run: String::new(),
            sigmas: Sigmas::new(),
        }
    }
}

/// What came of scoring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// The numbers, by model and head; within these joints, groups, areas.
    pub metrics: Vec<Metric>,
    /// Notes on the numbers: who was not scored, who counted as wrong.
    pub notes: Vec<String>,
    /// People who could not be scored and do not count, with the reason.
    pub rejects: Vec<Reject>,
}
