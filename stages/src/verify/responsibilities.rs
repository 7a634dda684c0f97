//! Which components are near a frame, and with what share: the expectation step.
//!
//! A component whose log density lies [`NEAR_NATS`] below the best one's changes a frame's likelihood by less than
//! the rounding of a double. So the product is first made in single precision, with a bound on its error; only
//! components that may be near are then evaluated in double precision, as (x - mean)², without cancellation. Where
//! many components are near, or the bound is poor, the product is made in double precision for all. Either way a
//! log-likelihood is that of double precision: what is left out changes it by less than M exp(-40), 1e-15 for 256.

use super::blocks::Block;
use super::density::{Densities, NEAR_NATS};
use super::sums::{dot, exponentials, largest};

/// Frames that are worked on at a time, so that their densities stay in the cache.
pub const SLAB_FRAMES: usize = 256;
/// The share of components above which the product in double precision is the faster way (measured, D = 100).
const DENSE_SHARE: f64 = 0.15;
/// The largest error bound of the product in single precision that is worth a look at its result, in nats.
const SINGLE_NATS: f64 = 10.0;

/// What components have to do with the frames of a slab: one task's buffers.
#[derive(Debug, Default)]
pub struct Responsibilities {
    /// log p(x) of each frame, `[n]`.
    pub log_likelihoods: Vec<f64>,
    /// Whether [`Self::matrix`] holds the shares, else the lists do.
    pub dense: bool,
    /// Shares of the L live components, `[n, L]`, where dense; each row sums to 1.
    pub matrix: Vec<f64>,
    /// Features `[1, x - o, (x - o)²]`, `[n, K]`, where dense.
    pub features: Vec<f64>,
    /// Index behind the last entry of each frame, `[n]`, where not dense.
    pub ends: Vec<usize>,
    /// Indices into the live components.
    pub indices: Vec<u32>,
    /// Their shares.
    pub shares: Vec<f64>,
    single_features: Vec<f32>,
    singles: Vec<f32>,
    slack: Vec<f64>,
}

impl Responsibilities {
    /// Calls `each` with every slab of `block`: its number of the first frame, its frames, `[n, D]`, and what is near.
    pub fn for_each_slab(
        &mut self,
        densities: &Densities,
        block: &Block<'_>,
        mut each: impl FnMut(usize, &[f64], &Self),
    ) {
        // A block whose frames are near to many components is so throughout: the quick look is not tried again.
        self.dense = false;
        for (at, frames) in block.numbers.chunks(SLAB_FRAMES * densities.dimensions()).enumerate() {
            self.evaluate(densities, frames);
            each(at * SLAB_FRAMES, frames, self);
        }
    }

    /// Evaluates the slab `frames`, `[n, D]`.
    fn evaluate(&mut self, densities: &Densities, frames: &[f64]) {
        self.log_likelihoods.clear();
        self.dense = self.dense || !self.sparse(densities, frames);
        if self.dense {
            self.all(densities, frames);
        }
    }

    /// Lists the components that are near each frame; `false` if that is not worth it.
    fn sparse(&mut self, densities: &Densities, frames: &[f64]) -> bool {
        let (dimensions, live) = (densities.dimensions(), densities.live.len());
        let count = frames.len() / dimensions;
        if !self.single(densities, frames) {
            return false;
        }
        self.ends.clear();
        self.indices.clear();
        let most = (DENSE_SHARE * (count * live) as f64) as usize + count;
        for (row, slack) in self.singles.chunks_exact(live).zip(&self.slack) {
            let best = f64::from(largest(row, f32::NEG_INFINITY));
            // Both the best and the component itself may be off by the slack.
            let lowest = (best - NEAR_NATS - 2.0 * slack) as f32;
            list_above(row, lowest, &mut self.indices);
            self.ends.push(self.indices.len());
            if self.indices.len() > most {
                return false;
            }
        }
        self.shares.clear();
        self.shares.resize(self.indices.len(), 0.0);
        let mut first = 0;
        for (frame, end) in frames.chunks_exact(dimensions).zip(&self.ends) {
            let shares = &mut self.shares[first..*end];
            for (share, index) in shares.iter_mut().zip(&self.indices[first..*end]) {
                *share = densities.log_density(*index as usize, frame);
            }
            self.log_likelihoods.push(normalise(shares));
            first = *end;
        }
        true
    }

    /// Log densities in single precision, with the error that each frame's may have; `false` if it is large.
    fn single(&mut self, densities: &Densities, frames: &[f64]) -> bool {
        let (dimensions, width) = (densities.dimensions(), densities.features());
        self.slack.clear();
        self.single_features.clear();
        // Rounding of K products and their sum, of features and of coefficients, in units of 2^-24 of the terms.
        let rounding = (width + 4) as f64 * f64::from(f32::EPSILON) / 2.0;
        let mut offsets = vec![0.0; width];
        for frame in frames.chunks_exact(dimensions) {
            fill_features(frame, &densities.origin, &mut offsets);
            self.single_features.extend(offsets.iter().map(|feature| *feature as f32));
            for feature in &mut offsets {
                *feature = feature.abs();
            }
            let slack = rounding * dot(&offsets, &densities.reach);
            // Written so that a bound that is not a number is refused too.
            if slack.partial_cmp(&SINGLE_NATS) != Some(std::cmp::Ordering::Less) {
                return false;
            }
            self.slack.push(slack);
        }
        self.singles.resize(self.slack.len() * densities.live.len(), 0.0);
        densities.singles(&self.single_features, &mut self.singles);
        true
    }

    /// The shares of all components.
    fn all(&mut self, densities: &Densities, frames: &[f64]) {
        let (dimensions, width, live) = (densities.dimensions(), densities.features(), densities.live.len());
        let count = frames.len() / dimensions;
        self.features.resize(count * width, 0.0);
        for (frame, features) in frames.chunks_exact(dimensions).zip(self.features.chunks_exact_mut(width)) {
            fill_features(frame, &densities.origin, features);
        }
        self.matrix.resize(count * live, 0.0);
        densities.doubles(&self.features, &mut self.matrix);
        self.log_likelihoods.extend(self.matrix.chunks_exact_mut(live).map(normalise));
    }

    /// Calls `each` with every frame of the slab, from 0, the live components near it and their shares.
    pub fn for_each_frame(&self, mut each: impl FnMut(usize, &mut dyn Iterator<Item = (u32, f64)>)) {
        let live = self.matrix.len() / self.log_likelihoods.len().max(1);
        let mut first = 0;
        for frame in 0..self.log_likelihoods.len() {
            if self.dense {
                let row = self.matrix[frame * live..(frame + 1) * live].iter().enumerate();
                each(
                    frame,
                    &mut row.filter(|(_, share)| **share > 0.0).map(|(at, share)| (at as u32, *share)),
                );
            } else {
                let range = first..self.ends[frame];
                first = range.end;
                let shares = self.shares[range.clone()].iter().copied();
                each(frame, &mut self.indices[range].iter().copied().zip(shares));
            }
        }
    }
}

/// `[1, x - o, (x - o)²]` of one frame.
pub fn fill_features(frame: &[f64], origin: &[f64], features: &mut [f64]) {
    features[0] = 1.0;
    let (offsets, squares) = features[1..].split_at_mut(frame.len());
    for (((offset, square), number), origin) in offsets.iter_mut().zip(squares).zip(frame).zip(origin) {
        *offset = number - origin;
        *square = *offset * *offset;
    }
}

/// Indices of the numbers of `row` that are at least `lowest`.
fn list_above(row: &[f32], lowest: f32, indices: &mut Vec<u32>) {
    const STEP: usize = 16;
    for (step, numbers) in row.chunks(STEP).enumerate() {
        if largest(numbers, f32::NEG_INFINITY) >= lowest {
            let first = (step * STEP) as u32;
            let near = numbers.iter().zip(first..).filter(|(number, _)| **number >= lowest);
            indices.extend(near.map(|(_, index)| index));
        }
    }
}

/// Turns log densities into shares that sum to 1, or 0 beyond [`NEAR_NATS`]; gives the log of their sum.
fn normalise(numbers: &mut [f64]) -> f64 {
    let best = largest(numbers, f64::NEG_INFINITY);
    let sum = exponentials(numbers, best, -NEAR_NATS);
    let share = 1.0 / sum;
    for number in numbers.iter_mut() {
        *number *= share;
    }
    best + libm::log(sum)
}
