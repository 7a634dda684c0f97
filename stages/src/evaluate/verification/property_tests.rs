//! Laws of error rates.

use proptest::prelude::*;
use schemas::random::KeyedRandom;

use super::{Curve, EerMethod, equal_error};

/// Genuine and impostor scores on a coarse grid, so that many are equal.
fn scores() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let list = || prop::collection::vec((-12..12_i32).prop_map(|v| f64::from(v) / 4.0), 1..40);
    (list(), list())
}

fn rates(genuine: &[f64], impostor: &[f64]) -> [f64; 3] {
    let curve = Curve::of(genuine, impostor).unwrap();
    EerMethod::ALL.map(|method| equal_error(&curve, method).rate)
}

/// Whether two steps are equally near to equal errors, so that the threshold is a choice.
fn is_tied((genuine, impostor): &(Vec<f64>, Vec<f64>)) -> bool {
    let curve = Curve::of(genuine, impostor).unwrap();
    let mut distances: Vec<i128> = (0..curve.len()).map(|step| curve.difference(step).abs()).collect();
    distances.sort_unstable();
    distances[0] == distances[1]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn equal_errors_survive_any_growing_map((genuine, impostor) in scores()) {
        let map = |list: &[f64]| list.iter().map(|v| libm::exp(v / 3.0) * 5.0 + v).collect::<Vec<f64>>();
        prop_assert_eq!(rates(&genuine, &impostor), rates(&map(&genuine), &map(&impostor)));
    }

    #[test]
    fn false_accepts_fall_and_false_rejects_rise(
        (genuine, impostor) in scores(),
        thresholds in prop::collection::vec(-4.0..4.0_f64, 2..12),
    ) {
        let curve = Curve::of(&genuine, &impostor).unwrap();
        let mut thresholds = thresholds;
        thresholds.sort_by(f64::total_cmp);
        for pair in thresholds.windows(2) {
            let ([far, frr], [later_far, later_frr]) = (curve.rates_at(pair[0]), curve.rates_at(pair[1]));
            prop_assert!(later_far <= far && later_frr >= frr);
        }
        for threshold in thresholds {
            let share = |list: &[f64], wrong: &dyn Fn(f64) -> bool| {
                list.iter().filter(|score| wrong(**score)).count() as f64 / list.len() as f64
            };
            let [far, frr] = curve.rates_at(threshold);
            prop_assert_eq!(far, share(&impostor, &|score| score >= threshold));
            prop_assert_eq!(frr, share(&genuine, &|score| score < threshold));
        }
    }

    #[test]
    fn turned_scores_and_swapped_kinds_give_the_same_rate(pair in scores()) {
        let (genuine, impostor) = &pair;
        let turn = |list: &[f64]| list.iter().map(|v| -v).collect::<Vec<f64>>();
        let [linear, rocch, midpoint] = rates(genuine, impostor);
        let [linear_turned, rocch_turned, midpoint_turned] = rates(&turn(impostor), &turn(genuine));
        prop_assert!((linear - linear_turned).abs() < 1e-12);
        prop_assert!((rocch - rocch_turned).abs() < 1e-12);
        prop_assert!(is_tied(&pair) || (midpoint - midpoint_turned).abs() < 1e-12);
    }

    #[test]
    fn the_hull_is_never_worse_and_never_above_half((genuine, impostor) in scores()) {
        let [linear, rocch, midpoint] = rates(&genuine, &impostor);
        prop_assert!(rocch <= linear + 1e-12 && rocch <= 0.5 + 1e-12);
        prop_assert!([linear, rocch, midpoint].iter().all(|rate| (0.0..=1.0).contains(rate)));
    }

    #[test]
    fn separable_scores_have_no_error((genuine, impostor) in scores()) {
        let high: Vec<f64> = genuine.iter().map(|v| v + 100.0).collect();
        prop_assert_eq!(rates(&high, &impostor), [0.0; 3]);
    }

    #[test]
    fn every_threshold_belongs_to_its_step((genuine, impostor) in scores()) {
        let curve = Curve::of(&genuine, &impostor).unwrap();
        for step in 0..curve.len() {
            prop_assert_eq!(curve.rates_at(curve.threshold(step)), curve.rates(step));
        }
    }
}

#[test]
fn scores_of_one_distribution_are_a_coin_toss() {
    let mut random = KeyedRandom::new(1, "test", "coin", 0);
    let mut draw = |count: usize| (0..count).map(|_| random.normal()).collect::<Vec<f64>>();
    for rate in rates(&draw(3_000), &draw(9_000)) {
        assert!((rate - 0.5).abs() < 0.03, "{rate}");
    }
}

#[test]
fn normal_scores_have_the_rate_of_the_formula() {
    // Genuine N(2, 1), impostor N(0, 1): both errors are Phi(-1) = 0.158655 at threshold 1.
    let mut random = KeyedRandom::new(2, "test", "normal", 0);
    let mut draw = |mean: f64| (0..20_000).map(|_| mean + random.normal()).collect::<Vec<f64>>();
    for rate in rates(&draw(2.0), &draw(0.0)) {
        assert!((rate - 0.158_655).abs() < 0.008, "{rate}");
    }
}
