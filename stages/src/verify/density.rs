//! Log densities of a mixture, prepared for many frames.
//!
//! `log p(x, i) = c_i - sum over D of (x - mean_i)² / (2 variance_i)`. Written as a product of the features
//! `[1, x - o, (x - o)²]` with coefficients of the component it is one matrix product for all frames and components;
//! o is the mean of the mixture, which keeps the terms, and so what they cancel, small.

use nalgebra::RealField;

use super::error::VerifyError;
use super::gaussians::Gaussians;
use super::product::{Strided, multiply};
use super::sums::{exponentials, largest, scaled_distance};
use crate::stage::StageError;

/// How far below the best log density a component may lie and still count; exp(-40) is 4e-18.
pub const NEAR_NATS: f64 = 40.0;
/// A mixture made ready: M components of which L have a weight above zero, D dimensions, K = 1 + 2 D features.
#[derive(Debug, Clone)]
pub struct Densities {
    dimensions: usize,
    components: usize,
    /// The component of each of the L, rising.
    pub(super) live: Vec<u32>,
    /// o, `[D]`.
    pub(super) origin: Vec<f64>,
    /// log weight - log of the normal density's divisor, `[L]`.
    constants: Vec<f64>,
    /// `[L, D]`.
    means: Vec<f64>,
    /// 1 / (2 variance), `[L, D]`.
    halves: Vec<f64>,
    /// `[L, K]`.
    coefficients: Vec<f64>,
    /// The same in single precision.
    single: Vec<f32>,
    /// The largest coefficient of each feature by magnitude, `[K]`.
    pub(super) reach: Vec<f64>,
}

impl Densities {
    /// Makes `gaussians` ready. A component of weight 0 takes no part.
    pub fn new(gaussians: &Gaussians) -> Self {
        let dimensions = gaussians.dimensions();
        let (mut live, mut constants) = (Vec::new(), Vec::new());
        let (mut means, mut halves) = (Vec::new(), Vec::new());
        let rows =
            gaussians.means().chunks_exact(dimensions).zip(gaussians.variances().chunks_exact(dimensions));
        for ((component, weight), (mean, variance)) in gaussians.weights().iter().enumerate().zip(rows) {
            if *weight > 0.0 {
                let logs: f64 = variance.iter().map(|v| libm::log(2.0 * std::f64::consts::PI * v)).sum();
                live.push(component as u32);
                constants.push(libm::log(*weight) - 0.5 * logs);
                means.extend_from_slice(mean);
                halves.extend(variance.iter().map(|v| 0.5 / v));
            }
        }
        let origin = gaussians.center();
        let coefficients = coefficients(&origin, &constants, &means, &halves);
        let mut reach = vec![0.0_f64; 1 + 2 * dimensions];
        for row in coefficients.chunks_exact(reach.len()) {
            reach.iter_mut().zip(row).for_each(|(most, number)| *most = most.max(number.abs()));
        }
        let single = coefficients.iter().map(|number| *number as f32).collect();
        let components = gaussians.components();
        Self { dimensions, components, live, origin, constants, means, halves, coefficients, single, reach }
    }

    /// As [`Self::new`], if frames have as many numbers as the mixture.
    ///
    /// # Errors
    /// When they have not.
    pub fn for_frames(gaussians: &Gaussians, found: usize) -> Result<Self, StageError> {
        let dimensions = gaussians.dimensions();
        if dimensions != found {
            let (model, rows) = ("mixture", "frames");
            return Err(StageError::step(VerifyError::MixtureWidth { model, dimensions, rows, found }));
        }
        Ok(Self::new(gaussians))
    }

    /// M.
    pub fn components(&self) -> usize {
        self.components
    }

    /// D.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// K = 1 + 2 D.
    pub fn features(&self) -> usize {
        1 + 2 * self.dimensions
    }

    /// The component of live index `index`.
    pub fn component(&self, index: u32) -> u32 {
        self.live[index as usize]
    }

    /// The log-likelihood of `frame`, `[D]`, with no other components than `components`.
    pub fn log_likelihood(&self, frame: &[f64], components: &[u32]) -> f64 {
        let live = components.iter().filter_map(|component| self.live.binary_search(component).ok());
        let mut logs: Vec<f64> = live.map(|index| self.log_density(index, frame)).collect();
        let best = largest(&logs, f64::NEG_INFINITY);
        best + libm::log(exponentials(&mut logs, best, -NEAR_NATS))
    }

    /// log p(x, i) of the live component `index`.
    pub(super) fn log_density(&self, index: usize, frame: &[f64]) -> f64 {
        let row = index * self.dimensions;
        self.constants[index] - scaled_distance(frame, &self.means[row..], &self.halves[row..])
    }

    /// The log densities of n frames of features, `[n, K]`, as `[n, L]`, in double precision.
    pub(super) fn doubles(&self, features: &[f64], out: &mut [f64]) {
        self.product(&self.coefficients, features, out);
    }

    /// As [`Self::doubles`], in single precision.
    pub(super) fn singles(&self, features: &[f32], out: &mut [f32]) {
        self.product(&self.single, features, out);
    }

    fn product<T: RealField + Copy>(&self, coefficients: &[T], features: &[T], out: &mut [T]) {
        let (width, rows) = (self.features(), features.len() / self.features());
        let coefficients = Strided::new(coefficients, self.live.len(), width, width);
        multiply(Strided::new(features, rows, width, width), coefficients.transposed(), T::zero(), out);
    }
}

/// The coefficients of `[1, x - o, (x - o)²]`, `[L, K]`.
fn coefficients(origin: &[f64], constants: &[f64], means: &[f64], halves: &[f64]) -> Vec<f64> {
    let dimensions = origin.len();
    let mut all = Vec::with_capacity(constants.len() * (1 + 2 * dimensions));
    let rows = means.chunks_exact(dimensions).zip(halves.chunks_exact(dimensions));
    for (constant, (mean, half)) in constants.iter().zip(rows) {
        let offset = || mean.iter().zip(origin).map(|(mean, origin)| mean - origin);
        all.push(constant - offset().zip(half).map(|(m, h)| m * m * h).sum::<f64>());
        all.extend(offset().zip(half).map(|(m, h)| 2.0 * m * h));
        all.extend(half.iter().map(|h| -h));
    }
    all
}
