//! Means and deviations of channels, summed in an order that does not depend on batches.

use crate::unit_sum::Add;

/// Count, means and sums of squared differences of C channels.
///
/// Source: Chan, Golub and `LeVeque`, Updating formulae and a pairwise algorithm for computing sample variances
/// (1979): the two-pass sums of one stretch, and the merging of two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    /// Samples.
    pub count: u64,
    /// `[C]`.
    pub mean: Vec<f64>,
    /// Sums of squared differences from the mean, `[C]`.
    squares: Vec<f64>,
}

impl Moments {
    /// Those of no sample.
    pub(super) fn none(channels: usize) -> Self {
        Self { count: 0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Those of one signal, `[length, C]`.
    pub(super) fn of(signal: &[f32], channels: usize) -> Self {
        let mut moments = Self::none(channels);
        let count = signal.len() / channels.max(1);
        if count == 0 {
            return moments;
        }
        // Differences from the first sample keep a large offset, such as gravity, out of the sums, and make those
        // of a channel that never changes exactly nothing.
        let (first, size) = (&signal[..channels], count as f64);
        for sample in signal.chunks_exact(channels) {
            for ((sum, value), first) in moments.mean.iter_mut().zip(sample).zip(first) {
                *sum += f64::from(*value) - f64::from(*first);
            }
        }
        for (mean, first) in moments.mean.iter_mut().zip(first) {
            *mean = *mean / size + f64::from(*first);
        }
        for sample in signal.chunks_exact(channels) {
            for ((sum, value), mean) in moments.squares.iter_mut().zip(sample).zip(&moments.mean) {
                let difference = f64::from(*value) - mean;
                *sum += difference * difference;
            }
        }
        moments.count = count as u64;
        moments
    }

    /// Standard deviations, `[C]`, with the count as divisor.
    pub(super) fn deviation(&self) -> Vec<f64> {
        self.squares.iter().map(|sum| (sum / self.count.max(1) as f64).sqrt()).collect()
    }
}

/// Those of the samples of both; the order of merging shows in the last bits.
impl Add for Moments {
    fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let total = self.count + other.count;
        let share = other.count as f64 / total as f64;
        for channel in 0..self.mean.len() {
            let difference = other.mean[channel] - self.mean[channel];
            self.mean[channel] += difference * share;
            self.squares[channel] +=
                other.squares[channel] + difference * difference * (self.count as f64 * share);
        }
        self.count = total;
    }
}

/// Takes `mean` off each sample of `signal`, `[length, C]`, and divides by `deviation`; a channel whose deviation is
/// 0 is only centred, since it has no scale.
pub(super) fn standardise(signal: &mut [f32], mean: &[f64], deviation: &[f64]) {
    let scale: Vec<f64> =
        deviation.iter().map(|spread| if *spread > 0.0 { 1.0 / spread } else { 1.0 }).collect();
    for sample in signal.chunks_exact_mut(mean.len().max(1)) {
        for ((value, mean), scale) in sample.iter_mut().zip(mean).zip(&scale) {
            *value = ((f64::from(*value) - mean) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_deviation_is_that_of_numpy() {
        // np.array([[1, 10], [2, 10], [4, 10], [9, 10.0]]).mean(0), .std(0)
        let moments = Moments::of(&[1.0, 10.0, 2.0, 10.0, 4.0, 10.0, 9.0, 10.0], 2);
        assert_eq!((moments.count, &moments.mean[..]), (4, &[4.0, 10.0][..]));
        let deviation = moments.deviation();
        assert!((deviation[0] - 3.082_207_001_484_488).abs() < 1e-15 && deviation[1] == 0.0);
    }

    #[test]
    fn a_small_spread_on_a_large_offset_is_kept() {
        // Steps of f32 at 2^20 are 1/8.
        let signal: Vec<f32> = (0..4_000).map(|at| 1_048_576.0 + (at % 2) as f32 / 8.0).collect();
        assert!((Moments::of(&signal, 1).deviation()[0] - 0.0625).abs() < 1e-12);
    }

    #[test]
    fn a_channel_without_spread_is_centred() {
        let mut signal = [9.81_f32, 1.0, 9.81, 3.0];
        let moments = Moments::of(&signal, 2);
        standardise(&mut signal, &moments.mean, &moments.deviation());
        assert_eq!(signal, [0.0, -1.0, 0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn merging_is_summing(
            signal in prop::collection::vec(-50.0_f32..50.0, 1..200),
            cuts in prop::collection::vec(0_usize..200, 0..5),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(signal.len())).collect();
            cuts.extend([0, signal.len()]);
            cuts.sort_unstable();
            let mut merged = Moments::none(1);
            cuts.windows(2).for_each(|pair| merged.add(&Moments::of(&signal[pair[0]..pair[1]], 1)));
            let whole = Moments::of(&signal, 1);
            prop_assert_eq!(merged.count, whole.count);
            prop_assert!((merged.mean[0] - whole.mean[0]).abs() < 1e-10);
            prop_assert!((merged.deviation()[0] - whole.deviation()[0]).abs() < 1e-10);
        }
    }
}
