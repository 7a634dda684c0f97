//! The frames of each component: how many, and the sums of their numbers and squares.

use super::density::Densities;
use super::product::{Strided, multiply};
use super::responsibilities::{Responsibilities, fill_features};
use super::sums::add_scaled;
use crate::unit_sum::Add;

/// Which sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Numbers of frames and sums.
    First,
    /// Sums of squares too.
    Second,
}

impl Order {
    /// Sums that are kept of each component, of D = `dimensions`.
    fn width(self, dimensions: usize) -> usize {
        match self {
            Self::First => 1 + dimensions,
            Self::Second => 1 + 2 * dimensions,
        }
    }
}

/// Sums over frames, each weighted by its share of the component.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    order: Order,
    dimensions: usize,
    /// Frames so far.
    pub frames: u64,
    /// Sum of their log-likelihoods.
    pub log_likelihood: f64,
    /// Of each component the sum of `[1, x - o]` or `[1, x - o, (x - o)²]`, `[M, W]`.
    sums: Vec<f64>,
    /// o, `[D]`.
    origin: Vec<f64>,
}

impl Statistics {
    /// No frames yet.
    pub fn new(densities: &Densities, order: Order) -> Self {
        let dimensions = densities.dimensions();
        let sums = vec![0.0; densities.components() * order.width(dimensions)];
        Self { order, dimensions, frames: 0, log_likelihood: 0.0, sums, origin: densities.origin.clone() }
    }

    /// No frames yet, of which only the number and the log-likelihoods are to be kept.
    pub fn without_sums(densities: &Densities) -> Self {
        let dimensions = densities.dimensions();
        let (sums, origin) = (Vec::new(), densities.origin.clone());
        Self { order: Order::First, dimensions, frames: 0, log_likelihood: 0.0, sums, origin }
    }

    /// Counts frames and adds their log-likelihoods.
    pub fn count_frames(&mut self, near: &Responsibilities) {
        self.frames += near.log_likelihoods.len() as u64;
        self.log_likelihood += near.log_likelihoods.iter().sum::<f64>();
    }

    /// Adds the slab `frames`, `[n, D]`, whose components are `near`.
    pub fn add_slab(
        &mut self,
        densities: &Densities,
        frames: &[f64],
        near: &Responsibilities,
        buffer: &mut Vec<f64>,
    ) {
        self.count_frames(near);
        let width = self.order.width(self.dimensions);
        if near.dense {
            let (count, live) = (near.log_likelihoods.len(), densities.live.len());
            buffer.resize(live * width, 0.0);
            let features = Strided::new(&near.features, count, width, densities.features());
            multiply(Strided::new(&near.matrix, count, live, live).transposed(), features, 0.0, buffer);
            for (component, row) in densities.live.iter().zip(buffer.chunks_exact(width)) {
                add_scaled(row_of(&mut self.sums, *component, width), 1.0, row);
            }
            return;
        }
        let mut first = 0;
        for (frame, end) in frames.chunks_exact(self.dimensions).zip(&near.ends) {
            self.add_shares(densities, frame, &near.indices[first..*end], &near.shares[first..*end], buffer);
            first = *end;
        }
    }

    /// Adds one frame that belongs to live components `indices` by `shares`.
    pub fn add_frame(
        &mut self,
        densities: &Densities,
        frame: &[f64],
        (indices, shares, log_likelihood): (&[u32], &[f64], f64),
        buffer: &mut Vec<f64>,
    ) {
        self.frames += 1;
        self.log_likelihood += log_likelihood;
        self.add_shares(densities, frame, indices, shares, buffer);
    }

    fn add_shares(
        &mut self,
        densities: &Densities,
        frame: &[f64],
        indices: &[u32],
        shares: &[f64],
        buffer: &mut Vec<f64>,
    ) {
        let width = self.order.width(self.dimensions);
        buffer.resize(densities.features(), 0.0);
        fill_features(frame, &self.origin, buffer);
        for (index, share) in indices.iter().zip(shares) {
            let component = densities.live[*index as usize];
            add_scaled(row_of(&mut self.sums, component, width), *share, &buffer[..width]);
        }
    }

    /// M.
    pub fn components(&self) -> usize {
        self.sums.len() / self.order.width(self.dimensions)
    }

    /// How many frames belong to `component`, each by its share.
    pub fn count(&self, component: usize) -> f64 {
        self.sums[component * self.order.width(self.dimensions)]
    }

    /// The mean of the frames of `component`, `[D]`; not a number where it has none.
    pub fn mean(&self, component: usize) -> Vec<f64> {
        let count = self.count(component);
        let sums = self.row(component)[1..=self.dimensions].iter();
        sums.zip(&self.origin).map(|(sum, origin)| origin + sum / count).collect()
    }

    /// The mean of (x - `about`)² of the frames of `component`, `[D]`, at least 0.
    ///
    /// # Panics
    /// When only sums of the first order were kept.
    pub fn spread(&self, component: usize, about: &[f64]) -> Vec<f64> {
        assert_eq!(self.order, Order::Second, "sums of squares were kept");
        let count = self.count(component);
        let (sums, squares) = self.row(component)[1..].split_at(self.dimensions);
        let offsets = about.iter().zip(&self.origin).map(|(about, origin)| about - origin);
        let spread = |((sum, square), offset): ((&f64, &f64), f64)| {
            (square / count - 2.0 * offset * sum / count + offset * offset).max(0.0)
        };
        sums.iter().zip(squares).zip(offsets).map(spread).collect()
    }

    fn row(&self, component: usize) -> &[f64] {
        let width = self.order.width(self.dimensions);
        &self.sums[component * width..(component + 1) * width]
    }
}

/// Both are sums over the same mixture.
impl Add for Statistics {
    fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.log_likelihood += other.log_likelihood;
        add_scaled(&mut self.sums, 1.0, &other.sums);
    }
}

fn row_of(sums: &mut [f64], component: u32, width: usize) -> &mut [f64] {
    let first = component as usize * width;
    &mut sums[first..first + width]
}
