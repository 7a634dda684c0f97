//! Random numbers keyed by what they are used for, never by when they are drawn.
//!
//! A draw depends on (seed, stage name, sample id, copy number) alone, so order, threads, batch size and machine
//! never affect the output. The stream is `ChaCha8` (counter-based) under the BLAKE3 hash of the key; the
//! distributions are written out here because those of `rand` may change between its versions.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng};

/// A stream of random numbers for one key.
#[derive(Debug)]
pub struct KeyedRandom(ChaCha8Rng);

impl KeyedRandom {
    /// The stream of (`seed`, `stage`, `sample_id`, `copy`).
    ///
    /// ```
    /// use schemas::random::KeyedRandom;
    /// let mut first = KeyedRandom::new(7, "scale", "mpii-000001-0", 0);
    /// let mut again = KeyedRandom::new(7, "scale", "mpii-000001-0", 0);
    /// assert_eq!(first.uniform(0.7, 1.3), again.uniform(0.7, 1.3));
    /// ```
    pub fn new(seed: u64, stage: &str, sample_id: &str, copy: i32) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(&copy.to_le_bytes());
        hasher.update(&(stage.len() as u64).to_le_bytes());
        hasher.update(stage.as_bytes());
        hasher.update(sample_id.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A number from [0, 1), 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number from [`low`, `high`).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whether an event of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An index from `0..count`.
    pub fn index(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// A number of the standard normal distribution (Box-Muller, one of the pair).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_key_changes_the_stream() {
        let draw = |seed, stage, id, copy| KeyedRandom::new(seed, stage, id, copy).unit();
        let base = draw(1, "flip", "a", 0);
        assert_ne!(base, draw(2, "flip", "a", 0));
        assert_ne!(base, draw(1, "scale", "a", 0));
        assert_ne!(base, draw(1, "flip", "b", 0));
        assert_ne!(base, draw(1, "flip", "a", 1));
        assert_ne!(draw(1, "fl", "ipa", 0), draw(1, "flip", "a", 0));
    }

    #[test]
    fn the_stream_is_pinned() {
        // A change here changes every augmented data set ever made: it needs a major version.
        let mut random = KeyedRandom::new(7, "scale", "mpii-000001-0", 0);
        let drawn: Vec<String> = (0..3).map(|_| format!("{:.12}", random.unit())).collect();
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [&str; 3] = ["0.238660014841", "0.821005397026", "0.689404318494"];

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = KeyedRandom::new(3, "test", "x", 0);
        let count = 20_000;
        let normal: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let mean = normal.iter().sum::<f64>() / count as f64;
        let variance = normal.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean}, variance {variance}");
        let share = (0..count).filter(|_| random.happens(0.4)).count() as f64 / count as f64;
        assert!((share - 0.4).abs() < 0.02, "share {share}");
    }
}
