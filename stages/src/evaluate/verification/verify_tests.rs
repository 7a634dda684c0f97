//! Trials scored from plain rows and as a step of a plan.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use schemas::tables::metrics::Metric;
use schemas::tables::trials::{self, Trial};

use super::fixtures::{self, SESSIONS, trial, trials as made};
use super::score::{CLIENT_GROUP, CURVE_GROUP, VALIDATION_GROUP};
use super::{VerificationError, VerificationOptions, VerifyConfig, evaluate_verification};
use crate::evaluate::Evaluation;
use crate::stage::{Aggregate, BuildContext, Gathered, StageError};

fn quick() -> VerificationOptions {
    VerificationOptions { resamples: 30, points: 20, ..VerificationOptions::default() }
}

fn both() -> Evaluation {
    evaluate_verification(&made("test", 10, 1), Some(&made("validation", 8, 2)), &quick()).unwrap()
}

/// The row of `metric` without a group, or with `group`.
fn row<'a>(metrics: &'a [Metric], metric: &str, group: Option<&str>) -> Option<&'a Metric> {
    metrics.iter().find(|row| row.metric == metric && row.group.as_deref() == group)
}

fn value(metrics: &[Metric], metric: &str, group: Option<&str>) -> f64 {
    row(metrics, metric, group).unwrap_or_else(|| panic!("no `{metric}`")).value
}

fn run(batches: &[RecordBatch], plan: &str) -> Result<(Vec<Metric>, Gathered), StageError> {
    let config: VerifyConfig = toml::from_str(plan).unwrap();
    let context = BuildContext { name: "verify".into(), seed: 0, threads: 1, folder: ".".into() };
    fixtures::run(&config.build(&context)?, batches)
}

#[test]
fn a_block_has_all_its_numbers() {
    let Evaluation { metrics, notes, rejects } = both();
    assert!(notes.is_empty() && rejects.is_empty(), "{notes:?}");
    let own = |metric| value(&metrics, metric, None);
    let (far, frr, hter) = (own("far"), own("frr"), own("hter"));
    assert!((hter - f64::midpoint(far, frr)).abs() < 1e-12);
    assert_eq!(row(&metrics, "hter", None).unwrap().threshold, Some(own("threshold")));
    assert_eq!(own("genuine_trials"), 10.0 * SESSIONS as f64);
    assert_eq!(own("impostor_trials"), 90.0 * SESSIONS as f64);
    assert_eq!(value(&metrics, "genuine_trials", Some(VALIDATION_GROUP)), 8.0 * SESSIONS as f64);
    for name in ["eer", "eer_validation", "eer_per_client", "eer_per_session"] {
        let row = row(&metrics, name, Some("linear")).unwrap();
        assert!(row.ci_low.unwrap() <= row.value && row.value <= row.ci_high.unwrap(), "{row:?}");
    }
    // Clients differ in level, so thresholds of their own help.
    assert!(value(&metrics, "eer_per_client", Some("linear")) + 3.0 < value(&metrics, "eer", Some("linear")));
    let clients: Vec<f64> = metrics
        .iter()
        .filter(|row| row.group.as_deref().is_some_and(|group| group.starts_with(CLIENT_GROUP)))
        .map(|row| row.value)
        .collect();
    let mean = clients.iter().sum::<f64>() / 10.0;
    assert_eq!(clients.len(), 10);
    assert!((mean - value(&metrics, "eer_per_client", Some("linear"))).abs() < 1e-9);
    assert!(metrics.iter().all(|row| (row.model.as_str(), row.dataset.as_str()) == ("gmm", "made")));
}

#[test]
fn the_curve_falls_from_all_to_none() {
    let Evaluation { metrics, .. } = both();
    let points = |name: &str| -> Vec<(f64, f64)> {
        let of = |row: &&Metric| row.metric == name && row.group.as_deref() == Some(CURVE_GROUP);
        metrics.iter().filter(of).map(|row| (row.threshold.unwrap(), row.value)).collect()
    };
    let (far, frr) = (points("far"), points("frr"));
    assert!(far.len() == frr.len() && (10..=20).contains(&far.len()));
    assert_eq!((far[0].1, frr[0].1), (100.0, 0.0));
    assert_eq!((far[far.len() - 1].1, frr[frr.len() - 1].1), (0.0, 100.0));
    assert!(far.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 >= pair[1].1));
}

#[test]
fn a_session_whose_client_stands_out_has_no_error() {
    // One genuine trial above all impostors of its session, whatever the other sessions score.
    let mut rows = Vec::new();
    for (session, level) in [0.0, 50.0, -50.0].into_iter().enumerate() {
        for client in 0..4 {
            let genuine = client == 0;
            let score = level + if genuine { 1.0 } else { -1.0 - client as f64 };
            rows.push(Trial { genuine, score, ..trial("test", client, 0, session) });
        }
    }
    let Evaluation { metrics, notes, .. } = evaluate_verification(&rows, None, &quick()).unwrap();
    assert_eq!(value(&metrics, "eer_per_session", Some("linear")), 0.0);
    assert!(value(&metrics, "eer", Some("linear")) > 20.0);
    // One client has no impostor trial, three have no genuine one.
    assert!(notes.iter().any(|note| note.contains("4 of 4 clients")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("no HTER")), "{notes:?}");
    assert!(row(&metrics, "eer_per_client", Some("linear")).is_none());
    assert!(row(&metrics, "hter", None).is_none() && row(&metrics, "threshold", None).is_none());
}

#[test]
fn models_and_normalisations_are_blocks_of_their_own() {
    let mut rows = made("test", 6, 1);
    let zt =
        rows.clone().into_iter().map(|row| Trial { normalisation: "zt".into(), score: -row.score, ..row });
    let other = rows.clone().into_iter().map(|row| Trial { model: "other".into(), ..row });
    let more: Vec<Trial> = zt.chain(other).collect();
    rows.extend(more);
    let metrics = evaluate_verification(&rows, None, &quick()).unwrap().metrics;
    let mut eers = BTreeMap::new();
    for row in metrics.iter().filter(|row| row.metric == "eer" && row.group.as_deref() == Some("linear")) {
        eers.insert((row.protocol.as_str(), row.model.as_str()), row.value);
    }
    assert_eq!(eers.len(), 3);
    assert_eq!(eers[&("verification", "gmm")], eers[&("verification", "other")]);
    assert!(eers[&("verification-zt", "gmm")] > 50.0);
}

#[test]
fn scores_that_are_no_numbers_are_rejected_and_the_rest_is_scored() {
    let mut rows = made("test", 5, 1);
    rows[3].score = f64::NAN;
    rows[9].score = f64::INFINITY;
    let Evaluation { metrics, rejects, notes } = evaluate_verification(&rows, None, &quick()).unwrap();
    assert_eq!(rejects.len(), 2);
    assert!(rejects.iter().all(|reject| reject.reason == "score not finite"));
    assert!(rejects[0].detail.contains("client `test-00` and session `0` of `test-01`"), "{rejects:?}");
    assert!(notes[0].starts_with("2 trials"), "{notes:?}");
    let all = value(&metrics, "genuine_trials", None) + value(&metrics, "impostor_trials", None);
    assert_eq!(all as usize + 2, rows.len());
    let none: Vec<Trial> = rows.into_iter().map(|row| Trial { score: f64::NAN, ..row }).collect();
    let error = evaluate_verification(&none, None, &quick()).unwrap_err();
    assert_eq!(error, VerificationError::NotFinite { count: 75, of: 75 });
}

#[test]
fn a_missing_kind_is_an_error_with_counts() {
    let rows: Vec<Trial> = made("test", 4, 1).into_iter().filter(|row| !row.genuine).collect();
    let error = evaluate_verification(&rows, None, &quick()).unwrap_err().to_string();
    assert!(error.contains("0 genuine and 36 impostor") && error.contains("split `test`"), "{error}");
    let error = evaluate_verification(&made("test", 4, 1), Some(&rows), &quick()).unwrap_err().to_string();
    assert!(error.contains("validation split `test`"), "{error}");
}

#[test]
fn trials_across_splits_are_not_scored() {
    let mut rows = made("test", 5, 1);
    let plain = evaluate_verification(&rows, None, &quick()).unwrap().metrics;
    rows.push(Trial { client_split: "train".into(), score: 99.0, ..trial("test", 1, 2, 0) });
    let Evaluation { metrics, notes, .. } = evaluate_verification(&rows, None, &quick()).unwrap();
    assert_eq!(metrics, plain);
    assert!(notes[0].starts_with("1 trials across splits"), "{notes:?}");
}

#[test]
fn the_order_of_rows_and_batches_does_not_show() {
    let mut rows = made("test", 8, 1);
    rows.extend(made("validation", 6, 2));
    rows.extend(made("train", 3, 3));
    let turned: Vec<Trial> = rows.iter().rev().cloned().collect();
    let plan = "resamples = 40\npoints = 15";
    let (whole, gathered) = run(&[trials::to_batch(&rows)], plan).unwrap();
    let parts: Vec<RecordBatch> = turned.chunks(7).map(trials::to_batch).collect();
    assert_eq!(whole, run(&parts, plan).unwrap().0);
    assert!(gathered.notes.iter().any(|note| note.ends_with("`train` 27")), "{:?}", gathered.notes);
    let options = VerificationOptions { resamples: 40, points: 15, run: "hash".into(), ..quick() };
    let plain =
        evaluate_verification(&made("test", 8, 1), Some(&made("validation", 6, 2)), &options).unwrap();
    assert_eq!(whole, plain.metrics);
}

#[test]
fn the_same_numbers_come_from_any_number_of_threads() {
    let score = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(both).metrics
    };
    assert_eq!(score(1), score(5));
}

#[test]
fn a_split_without_trials_is_named_with_those_that_are_there() {
    let (batch, more) = (trials::to_batch(&made("evaluation", 4, 1)), trials::to_batch(&made("train", 4, 1)));
    let error = run(&[batch.clone(), more], "").unwrap_err();
    assert!(
        error.to_string().contains("split `test`") && error.to_string().contains("`evaluation`"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("`split`"));
    let (_, gathered) = run(&[batch], "split = 'evaluation'").unwrap();
    assert!(gathered.notes.iter().any(|note| note.contains("no HTER")));
    let error = run(&[trials::to_batch(&[])], "").unwrap_err();
    assert_eq!(error.to_string(), "there are no trials to score");
}

#[test]
fn the_threshold_can_come_from_a_table_of_its_own() {
    // Both tables call their one split the same.
    let all = |rows: Vec<Trial>| -> Vec<Trial> {
        rows.into_iter().map(|row| Trial { split: "all".into(), client_split: "all".into(), ..row }).collect()
    };
    let (test, validation) = (all(made("test", 8, 1)), all(made("validation", 6, 2)));
    let config: VerifyConfig =
        toml::from_str("validation_apart = true\nresamples = 40\npoints = 15").unwrap();
    let context = BuildContext { name: "verify".into(), seed: 0, threads: 1, folder: ".".into() };
    let step = config.build(&context).unwrap();
    assert_eq!(step.inputs(), ["trials", "validation"]);
    let tables = [&test, &validation].map(|rows| vec![trials::to_batch(rows)]);
    let mut metrics = Vec::new();
    let mut give = |batch| {
        metrics.extend(schemas::tables::metrics::from_batch(&batch)?);
        Ok(())
    };
    step.run(&[&tables[0], &tables[1]], "hash", &mut give).unwrap();
    let options = VerificationOptions { resamples: 40, points: 15, run: "hash".into(), ..quick() };
    assert_eq!(metrics, evaluate_verification(&test, Some(&validation), &options).unwrap().metrics);
    assert!(step.run(&[&tables[0]], "hash", &mut |_| Ok(())).is_err());
}

#[test]
fn a_plan_is_checked_where_it_stands() {
    assert!(toml::from_str::<VerifyConfig>("eer = 'mean'").unwrap_err().to_string().contains("`rocch`"));
    assert!(toml::from_str::<VerifyConfig>("treshold = 1").is_err());
    for plan in ["split = 'validation'", "resamples = 1000000", "points = 1", "points = 20000"] {
        assert!(run(&[trials::to_batch(&[])], plan).unwrap_err().hint().is_some(), "{plan}");
    }
    let lacking = trials::to_batch(&made("test", 3, 1)).project(&[0, 1, 2, 3]).unwrap();
    assert!(run(&[lacking], "").unwrap_err().to_string().contains("`subject`"));
}
