//! Expectation maximisation for a mixture with diagonal covariance, from a given start.
//!
//! Source: Dempster, Laird, Rubin 1977; the equations are those of Bishop, Pattern Recognition and Machine Learning
//! (2006), section 9.2. A variance that falls below its floor is set to it: of all allowed variances, the floor is
//! then the likeliest, so the likelihood still never decreases. A component with fewer than [`LEAST_FRAMES`] keeps
//! its mean and variances and only changes its weight.

use super::blocks::{FrameSource, fold_blocks};
use super::density::Densities;
use super::error::VerifyError;
use super::gaussians::Gaussians;
use super::responsibilities::Responsibilities;
use super::statistics::{Order, Statistics};
use crate::stage::StageError;
use crate::unit_sum::UnitSum;

/// Frames that a component must have, counted by share, for its mean and variances to be estimated.
pub const LEAST_FRAMES: f64 = 1e-6;

/// How to iterate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Iterations at most.
    pub iterations: usize,
    /// It stops when the mean log-likelihood of a frame, in nats, increases by less than this; 0 for never.
    pub tolerance: f64,
    /// The least variance of each dimension, `[D]`.
    pub floor: Vec<f64>,
    /// What is added to every variance, like `reg_covar` in scikit-learn; above 0 the likelihood may decrease.
    pub regularisation: f64,
}

/// A fitted mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The mixture.
    pub gaussians: Gaussians,
    /// Mean log-likelihood of a frame, in nats, before each iteration and after the last.
    pub log_likelihoods: Vec<f64>,
    /// Frames that it was fitted on.
    pub frames: u64,
    /// Components that did not move in the last iteration because they have almost no frames.
    pub idle: usize,
}

/// Fits a mixture to all frames of `source`, which are read once more than there are iterations.
///
/// # Errors
/// When frames and start do not fit together, there are fewer frames than components, or reading fails.
pub fn fit(source: &dyn FrameSource, start: Gaussians, options: &Options) -> Result<Fit, StageError> {
    let dimensions = source.dimensions();
    if options.floor.len() != dimensions {
        let floors = options.floor.len();
        return Err(StageError::step(VerifyError::Floors { floors, dimensions }));
    }
    let mut gaussians = start;
    let (mut log_likelihoods, mut idle) = (Vec::new(), 0);
    loop {
        let densities = Densities::for_frames(&gaussians, dimensions)?;
        let done = log_likelihoods.len() == options.iterations;
        let statistics = expectation(source, &densities, (!done).then_some(Order::Second))?;
        enough_frames(statistics.frames, gaussians.components())?;
        let mean = statistics.log_likelihood / statistics.frames as f64;
        let gain = log_likelihoods.last().map(|last| mean - last);
        log_likelihoods.push(mean);
        if done || options.tolerance > 0.0 && gain.is_some_and(|gain| gain < options.tolerance) {
            return Ok(Fit { gaussians, log_likelihoods, frames: statistics.frames, idle });
        }
        (gaussians, idle) = maximisation(&gaussians, &statistics, options)?;
    }
}

/// Whether `frames` are enough for `components`.
///
/// # Errors
/// When they are not; the message has both numbers.
pub fn enough_frames(frames: u64, components: usize) -> Result<(), StageError> {
    if frames < components as u64 {
        return Err(StageError::step(VerifyError::FewFrames { frames, components }));
    }
    Ok(())
}

/// The sum of the log-likelihoods of all frames of `source`, in nats, and their number.
///
/// # Errors
/// When frames and mixture do not fit together, or reading fails.
pub fn log_likelihood(source: &dyn FrameSource, gaussians: &Gaussians) -> Result<(f64, u64), StageError> {
    let densities = Densities::for_frames(gaussians, source.dimensions())?;
    let statistics = expectation(source, &densities, None)?;
    Ok((statistics.log_likelihood, statistics.frames))
}

/// Sums over all frames; without an order only their number and log-likelihood.
pub(super) fn expectation(
    source: &dyn FrameSource,
    densities: &Densities,
    order: Option<Order>,
) -> Result<Statistics, StageError> {
    let mut total = UnitSum::default();
    match order {
        Some(order) => fold_blocks(
            source.blocks(),
            || (Responsibilities::default(), Vec::new()),
            |(near, buffer), block| {
                let mut sums = Statistics::new(densities, order);
                near.for_each_slab(densities, block, |_, frames, near| {
                    sums.add_slab(densities, frames, near, buffer);
                });
                sums
            },
            |sums, block| {
                total.add(block.unit, sums);
                Ok(())
            },
        )?,
        None => fold_blocks(
            source.blocks(),
            Responsibilities::default,
            |near, block| {
                let mut sums = Statistics::without_sums(densities);
                near.for_each_slab(densities, block, |_, _, near| sums.count_frames(near));
                sums
            },
            |sums, block| {
                total.add(block.unit, sums);
                Ok(())
            },
        )?,
    }
    Ok(total.total().unwrap_or_else(|| Statistics::without_sums(densities)))
}

/// The likeliest mixture for these shares, and how many components kept their place.
fn maximisation(
    before: &Gaussians,
    statistics: &Statistics,
    options: &Options,
) -> Result<(Gaussians, usize), StageError> {
    let (dimensions, mut idle) = (before.dimensions(), 0);
    let (mut means, mut variances) = (before.means().to_vec(), before.variances().to_vec());
    let total: f64 = (0..before.components()).map(|component| statistics.count(component)).sum();
    let weights = (0..before.components()).map(|component| statistics.count(component) / total).collect();
    for component in 0..before.components() {
        if statistics.count(component) < LEAST_FRAMES {
            idle += 1;
            continue;
        }
        let row = component * dimensions..(component + 1) * dimensions;
        let mean = statistics.mean(component);
        let spread = statistics.spread(component, &mean);
        for ((variance, spread), floor) in variances[row.clone()].iter_mut().zip(spread).zip(&options.floor) {
            *variance = spread.max(*floor) + options.regularisation;
        }
        means[row].copy_from_slice(&mean);
    }
    Ok((Gaussians::new(weights, means, variances)?, idle))
}
