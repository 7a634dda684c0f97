//! 95 % intervals by resampling the clients of both splits, each split separately.
//!
//! The draws of the test clients are those of [`bootstrap`](super::super::bootstrap), so an interval of the test split
//! alone equals that module's; those of the validation clients have their own key. Impostors' sessions are not
//! resampled: an interval is about other clients, tried by the same people.

use rayon::prelude::*;

use super::super::bootstrap::{KEY, draw, ends};

/// Keys of the draws: those of the test clients, those of the validation clients.
const KEYS: [&str; 2] = [KEY, "bootstrap-validation"];

/// The percentile interval of each number of `statistic`, `[M]`; `None` where it is undefined in every resample.
///
/// `statistic` maps how often each client was drawn, `[test clients]` and `[validation clients]`, to numbers, `[M]`,
/// NaN where one is undefined; `values` is the statistic of everyone drawn once, and an interval that misses its
/// value is widened to it.
pub fn intervals(
    people: [usize; 2],
    resamples: u32,
    seed: u64,
    values: &[f64],
    statistic: impl Fn([&[u32]; 2]) -> Vec<f64> + Sync,
) -> Vec<Option<[f64; 2]>> {
    let drawn: Vec<Vec<f64>> = (0..resamples)
        .into_par_iter()
        .map(|resample| {
            let weights = [0, 1].map(|split| draw(people[split], seed, KEYS[split], resample));
            statistic([&weights[0], &weights[1]])
        })
        .collect();
    ends(&drawn, values)
}

#[cfg(test)]
mod tests {
    use super::super::super::bootstrap;
    use super::*;

    #[test]
    fn test_clients_are_drawn_as_everywhere_and_validation_clients_by_themselves() {
        let count = |weights: &[u32]| f64::from(weights[..30].iter().sum::<u32>());
        let both = |[test, validation]: [&[u32]; 2]| vec![count(test), count(validation)];
        let ends = intervals([100, 100], 500, 3, &[30.0, 30.0], both);
        let alone = bootstrap::intervals(100, 500, 3, &[30.0], |weights| vec![count(weights)]);
        assert_eq!(ends[0], alone[0]);
        assert_ne!(ends[1], alone[0]);
        let [low, high] = ends[1].unwrap();
        // 100 draws of whom 30 % count: standard deviation 4.58.
        assert!((low - 21.0).abs() < 3.0 && (high - 39.0).abs() < 3.0, "{low} to {high}");
    }

    #[test]
    fn a_split_without_anyone_is_drawn_empty() {
        let ends = intervals([2, 0], 10, 1, &[0.0], |[_, validation]| vec![validation.len() as f64]);
        assert_eq!(ends, [Some([0.0, 0.0])]);
    }
}
