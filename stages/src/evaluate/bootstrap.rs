//! 95 % intervals by resampling people.
//!
//! People are drawn, not joints, since the joints of one person succeed and fail together. The draws depend only on
//! the seed, the number of the resample and the number of people, so two models scored on the same people are
//! scored on the same resamples. Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13,
//! the percentile method.

use rayon::prelude::*;
use schemas::random::KeyedRandom;

/// Share of resamples below the lower and above the upper end of an interval, for 95 % between them.
const TAIL: f64 = 0.025;
/// Key of the draws of the people who are scored.
pub const KEY: &str = "bootstrap";

/// The percentile interval of each number of `statistic`, `[M]`; `None` where it is undefined in every resample.
///
/// `statistic` maps weights of people, how often each was drawn, `[N]`, to numbers, `[M]`, with `NaN` where one is
/// undefined; `values` is the statistic of everyone drawn once. An interval that misses its value, as can happen
/// with a handful of people, is widened to it.
pub fn intervals(
    people: usize,
    resamples: u32,
    seed: u64,
    values: &[f64],
    statistic: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Option<[f64; 2]>> {
    let drawn: Vec<Vec<f64>> = (0..resamples)
        .into_par_iter()
        .map(|resample| statistic(&draw(people, seed, KEY, resample)))
        .collect();
    ends(&drawn, values)
}

/// How often each of `people` is drawn in resample number `resample`, `[N]`; `key` names who they are.
pub fn draw(people: usize, seed: u64, key: &str, resample: u32) -> Vec<u32> {
    let mut random = KeyedRandom::new(seed, "evaluate", key, resample as i32);
    let mut weights = vec![0; people];
    for _ in 0..people {
        weights[random.index(people)] += 1;
    }
    weights
}

/// The percentile interval of each of `values`, `[M]`, from the resamples `drawn`, `[R, M]`, as [`intervals`] gives it.
pub fn ends(drawn: &[Vec<f64>], values: &[f64]) -> Vec<Option<[f64; 2]>> {
    let interval = |(at, value): (usize, &f64)| {
        let mut numbers: Vec<f64> =
            drawn.iter().map(|row| row[at]).filter(|number| !number.is_nan()).collect();
        if numbers.is_empty() || value.is_nan() {
            return None;
        }
        numbers.sort_unstable_by(f64::total_cmp);
        Some([percentile(&numbers, TAIL).min(*value), percentile(&numbers, 1.0 - TAIL).max(*value)])
    };
    values.par_iter().enumerate().map(interval).collect()
}

/// The number below which this share of the ascending `numbers` lies, between neighbours by straight line.
fn percentile(numbers: &[f64], share: f64) -> f64 {
    let place = share * (numbers.len() - 1) as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(numbers.len() - 1);
    numbers[below] + (numbers[above] - numbers[below]) * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let numbers: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(percentile(&numbers, 0.025), 2.5);
        assert_eq!(percentile(&[7.0], 0.975), 7.0);
    }

    #[test]
    fn the_interval_of_a_share_is_that_of_the_binomial() {
        // 1,000 people of whom 30 % are right: standard error 1.449 points, so 27.16 to 32.84.
        let share = |weights: &[u32]| vec![f64::from(weights[..300].iter().sum::<u32>()) / 10.0];
        let [low, high] = intervals(1_000, 4_000, 3, &[30.0], share)[0].unwrap();
        assert!((low - 27.16).abs() < 0.25 && (high - 32.84).abs() < 0.25, "{low} to {high}");
    }

    #[test]
    fn an_undefined_number_has_no_interval() {
        let statistic = |_: &[u32]| vec![f64::NAN, 1.0];
        assert_eq!(intervals(3, 20, 1, &[2.0, 1.0], statistic), [None, Some([1.0, 1.0])]);
    }
}
