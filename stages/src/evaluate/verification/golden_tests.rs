//! Figures of other people's code, `testdata/bob_measure.py`, and a bootstrap computed another way.

use serde::Deserialize;

use super::fixtures::trials;
use super::{Curve, EerMethod, VerificationOptions, equal_error, evaluate_verification};

#[derive(Deserialize)]
struct Case {
    name: String,
    genuine: Vec<f64>,
    impostor: Vec<f64>,
    threshold: f64,
    far: f64,
    frr: f64,
    midpoint: f64,
    rocch: f64,
    linear: f64,
    test_far: f64,
    test_frr: f64,
    hter: f64,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("testdata/bob_measure.json")).unwrap()
}

#[test]
fn rates_and_thresholds_are_those_of_bob_measure_and_scikit_learn() {
    let cases = cases();
    assert_eq!(cases.len(), 9);
    for (at, case) in cases.iter().enumerate() {
        let curve = Curve::of(&case.genuine, &case.impostor).unwrap();
        let of = |method| equal_error(&curve, method);
        let near = |what: &str, found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-12, "{} {what}: {found}, expected {expected}", case.name);
        };
        near("linear", of(EerMethod::Linear).rate, case.linear);
        near("rocch", of(EerMethod::Rocch).rate, case.rocch);
        near("midpoint", of(EerMethod::Midpoint).rate, case.midpoint);
        near("threshold", of(EerMethod::Linear).threshold, case.threshold);
        let [far, frr] = curve.rates_at(case.threshold);
        near("far", far, case.far);
        near("frr", frr, case.frr);
        let next = &cases[(at + 1) % cases.len()];
        let other = Curve::of(&next.genuine, &next.impostor).unwrap();
        let [far, frr] = other.rates_at(of(EerMethod::Midpoint).threshold);
        near("far of the next", far, case.test_far);
        near("frr of the next", frr, case.test_frr);
        near("hter", f64::midpoint(far, frr), case.hter);
    }
}

#[test]
fn an_interval_covers_what_other_clients_would_give() {
    // The spread of the EER over 60 sets of 25 fresh clients, against the width of one set's interval.
    let eer = |seed, resamples| {
        let options = VerificationOptions { resamples, points: 0, ..VerificationOptions::default() };
        let metrics = evaluate_verification(&trials("test", 25, seed), None, &options).unwrap().metrics;
        metrics.into_iter().find(|metric| metric.metric == "eer").unwrap()
    };
    let fresh: Vec<f64> = (100..160).map(|seed| eer(seed, 0).value).collect();
    let mean = fresh.iter().sum::<f64>() / 60.0;
    let deviation = (fresh.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 59.0).sqrt();
    let one = eer(1, 400);
    let width = one.ci_high.unwrap() - one.ci_low.unwrap();
    let expected = 2.0 * 1.96 * deviation;
    assert!((0.6..1.6).contains(&(width / expected)), "width {width}, expected {expected}");
}
