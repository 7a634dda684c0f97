//! `resample` as a stage: golden numbers, accounting, laws.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use proptest::prelude::*;
use schemas::columns::{longs, strings};
use schemas::tables::readings::Track;
use schemas::tables::rejects::total_rows;
use schemas::tables::signals::{RAW_CHANNELS, channels, signals};

use super::super::fixtures::{context, readings, session, steps, track, waves};
use super::filters::{TOO_FAST, TOO_LONG};
use super::*;

const MS: i64 = 1_000_000;

fn stage(plan: &str) -> Resample {
    toml::from_str::<ResampleConfig>(plan).unwrap().build(&context("resample")).unwrap()
}

fn reasons(outcome: &Outcome) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for reject in &outcome.rejects {
        *counts.entry(&reject.reason[..]).or_insert(0) += reject.rows;
    }
    counts
}

fn ids(rows: &RecordBatch) -> Vec<&str> {
    strings(rows, "sample_id").unwrap().iter().flatten().collect()
}

fn accounts(batch: &RecordBatch, outcome: &Outcome) -> bool {
    outcome.taken.unwrap() as u64 + total_rows(&outcome.rejects) == batch.num_rows() as u64
}

#[test]
fn the_defaults_are_those_of_the_paper_where_it_says() {
    let stage = stage("");
    assert_eq!((stage.rate_hz, stage.limits.max_gap_nanos, stage.low_pass), (50.0, 200 * MS, true));
    let schema = stage.output_schema(&readings::schema()).unwrap();
    assert_eq!(channels(&schema).unwrap(), RAW_CHANNELS);
    assert_eq!(signals::rate_hz(&schema).unwrap(), 50.0);
    assert_eq!(stage.fan_out(), FanOut::Varies);
}

#[test]
fn keys_that_contradict_are_refused() {
    let fails = |plan: &str| toml::from_str::<ResampleConfig>(plan).unwrap().build(&context("r")).is_err();
    assert!(fails("sensors = []"));
    assert!(fails("max_gap_ms = 1e9"));
    assert!(toml::from_str::<ResampleConfig>("rate_hz = 0").is_err());
    assert!(toml::from_str::<ResampleConfig>("sensors = [\"barometer\"]").is_err());
    assert!(toml::from_str::<ResampleConfig>("interpolation = \"cubic\"").is_err());
}

#[test]
fn rates_and_gaps_without_measure_are_refused_under_their_key() {
    for (plan, rule) in [
        ("rate_hz = 1e-9", "a rate must be from 0.001 to 100000 Hz, found `1e-9`"),
        ("rate_hz = 1e9", "a rate must be from 0.001 to 100000 Hz, found `1000000000`"),
        ("rate_hz = 1e300", "a rate must be from 0.001 to 100000 Hz, found `1e300`"),
        ("max_gap_ms = 1e300", "this number must be from 1e-9 to 1e9, found `1e300`"),
        ("clock_jump_seconds = inf", "this number must be from 1e-9 to 1e9, found `inf`"),
    ] {
        let message = toml::from_str::<ResampleConfig>(plan).unwrap_err().to_string();
        assert!(message.contains(rule), "{message}");
    }
}

#[test]
fn stamps_a_nanosecond_apart_cost_no_more_than_others() {
    // The filter of a sensor of 1 GHz would have 360 million taps.
    let dense = |at: i64| (at, [at as f64, 0.0, 1.0]);
    let one = || track((0..3000).map(dense), "a.csv");
    let batch = readings([session("dense", one(), one())]);
    let outcome = stage("").run(&batch).unwrap();
    assert!(accounts(&batch, &outcome));
    assert_eq!((outcome.rows.num_rows(), reasons(&outcome)), (0, BTreeMap::from([(TOO_FAST, 6000)])));
    assert_eq!(stage("low_pass = false").run(&batch).unwrap().rows.num_rows(), 1);
    assert_eq!(stage("rate_hz = 100000").run(&batch).unwrap().rows.num_rows(), 1);
}

#[test]
fn a_signal_out_of_proportion_to_its_readings_is_rejected() {
    // A reading each second for two hours, at 100 kHz: 720 million samples.
    let sparse = |at: i64| (at * 1000 * MS, [at as f64, 0.0, 1.0]);
    let one = || track((0..7200).map(sparse), "a.csv");
    let batch = readings([session("sparse", one(), one())]);
    let outcome = stage("rate_hz = 90000\nmax_gap_ms = 1100").run(&batch).unwrap();
    assert!(accounts(&batch, &outcome));
    assert_eq!((outcome.rows.num_rows(), reasons(&outcome)), (0, BTreeMap::from([(TOO_LONG, 14400)])));
    assert_eq!(stage("max_gap_ms = 1100").run(&batch).unwrap().rows.num_rows(), 1);
}

/// The same as in Python, to 1e-6:
///
/// ```python
/// import numpy as np
/// i = np.arange(12)
/// ta = 1_000_000_007 + i * 17_000_000 + (i * i * 1_234_567) % 5_000_000
/// tg = 1_004_000_000 + i * 19_000_000 + (i * i * 7_654_321) % 6_000_000
/// va, vg = (i * i * 37) % 101 / 10 - 4, (i * i * 53) % 97 / 20
/// start = max(ta[0], tg[0]); grid = start + 20_000_000 * np.arange(20)
/// grid = grid[grid <= min(ta[-1], tg[-1])]
/// np.interp(grid, ta, va), np.interp(grid, tg, vg)
/// ```
#[test]
fn samples_are_those_of_numpy() {
    let at = 0..12_i64;
    let a = at.clone().map(|i| {
        let value = ((i * i * 37) % 101) as f64 / 10.0 - 4.0;
        (1_000_000_007 + i * 17 * MS + (i * i * 1_234_567) % (5 * MS), [value, -value, 0.0])
    });
    let g = at.map(|i| {
        let value = ((i * i * 53) % 97) as f64 / 20.0;
        (1_004_000_000 + i * 19 * MS + (i * i * 7_654_321) % (6 * MS), [0.0, value, 2.0 * value])
    });
    let batch = readings([session("one", track(a, "a.csv"), track(g, "g.csv"))]);
    let outcome = stage("low_pass = false").run(&batch).unwrap();
    let rows = &outcome.rows;
    assert_eq!(ids(rows), ["s1-phone-one-000"]);
    assert_eq!(longs(rows, "start_nanos").unwrap().value(0), 1_004_000_000);
    let found = signals(rows).unwrap();
    let samples: Vec<&[f32]> = found.row(0).chunks_exact(6).collect();
    assert_eq!(samples.len(), GOLDEN.len());
    for (sample, [a, g]) in samples.iter().zip(GOLDEN) {
        for (found, expected) in sample.iter().zip([a, -a, 0.0, 0.0, g, 2.0 * g]) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
    assert!(accounts(&batch, &outcome));
}

const GOLDEN: [[f64; 2]; 10] = [
    [-3.188_356_153, 0.000_000_000],
    [-0.021_526_794, 2.566_049_012],
    [0.046_766_850, 1.130_760_293],
    [2.282_955_856, 4.444_916_949],
    [-1.390_497_428, 3.572_024_820],
    [-2.135_632_520, 3.206_542_589],
    [4.479_953_925, 3.263_462_963],
    [1.009_890_236, 3.938_816_169],
    [2.644_726_555, 3.869_214_301],
    [0.576_705_463, 1.883_806_549],
];

/// The same as in Python, to 1e-6:
///
/// ```python
/// import numpy as np, scipy.signal
/// i = np.arange(60)
/// t, v = i * 10_000_000 + (i * i * 1_234_567) % 4_000_000, (i * i * 37) % 101 / 10 - 4
/// M = int(np.ceil(2 * 1e9 / np.median(np.diff(t)) / 50))
/// half = int(np.ceil((60 - 7.95) / 2.285 / (np.pi * 0.4 / M) / 2))
/// taps = scipy.signal.firwin(2 * half + 1, 1 / M, window=("kaiser", 0.1102 * (60 - 8.7)))
/// n = (t[-1] - t[0]) * 50 // 1_000_000_000 + 1
/// x = np.interp(t[0] + np.round(np.arange((n - 1) * M + 1) * 1e9 / (50 * M)), t, v)
/// np.convolve(np.pad(x, half, mode="reflect", reflect_type="odd"), taps, mode="valid")[::M]
/// ```
#[test]
fn filtered_samples_are_those_of_scipy_up_to_the_ends() {
    let log = (0..60_i64).map(|i| {
        let value = ((i * i * 37) % 101) as f64 / 10.0 - 4.0;
        (i * 10 * MS + (i * i * 1_234_567) % (4 * MS), [value, 0.0, -value])
    });
    let batch = readings([session("one", track(log, "a.csv"), Track::default())]);
    let rows = stage("sensors = [\"accelerometer\"]").run(&batch).unwrap().rows;
    let found = signals(&rows).unwrap().row(0).to_vec();
    assert_eq!(found.len(), 3 * FILTERED.len());
    for (sample, expected) in found.chunks_exact(3).zip(FILTERED) {
        assert!((f64::from(sample[0]) - expected).abs() < 1e-6, "{sample:?} {expected}");
        assert!(sample[1] == 0.0 && (f64::from(sample[2]) + expected).abs() < 1e-6);
    }
}

const FILTERED: [f64; 30] = [
    -4.000_000_000,
    0.357_477_388,
    0.862_371_931,
    0.359_592_426,
    3.092_041_229,
    1.033_485_070,
    3.121_118_435,
    3.577_754_047,
    3.200_136_424,
    3.293_764_085,
    0.087_314_286,
    1.284_753_966,
    0.479_778_008,
    2.104_591_180,
    -2.450_045_889,
    -0.785_462_665,
    -0.243_988_140,
    3.220_616_287,
    3.294_199_577,
    2.580_911_991,
    -0.655_815_730,
    0.120_633_208,
    -0.276_597_497,
    0.116_876_905,
    -2.446_932_516,
    4.279_446_603,
    2.011_224_041,
    -2.849_974_706,
    1.134_267_280,
    -0.576_597_893,
];

#[test]
fn each_reading_that_is_not_used_is_counted_by_its_reason() {
    let mut a: Vec<(i64, [f64; 3])> = steps(0, 10 * MS, 100).into_iter().map(|at| (at, [1.0; 3])).collect();
    a[3].1[1] = f64::NAN;
    a[10].0 = a[9].0;
    a[20].0 = a[18].0;
    a[50].0 = 900_000 * MS;
    let g = waves(&steps(100 * MS, 10 * MS, 100), "g.csv");
    let batch = readings([session("one", track(a, "a.csv"), g)]);
    let outcome = stage("").run(&batch).unwrap();
    let expected = BTreeMap::from([
        ("not finite", 1),
        ("duplicate stamp", 1),
        ("backward stamp", 1),
        ("stretch too short", 1),
        // 9 before the start (two others of the first ten are gone) and the end of the gyroscope; the hole of the
        // wild stamp, from 490 to 510 ms, costs one.
        ("outside the common span", 8 + 11),
    ]);
    assert_eq!(reasons(&outcome), expected);
    assert_eq!(ids(&outcome.rows), ["s1-phone-one-000", "s1-phone-one-001"]);
    let reject = &outcome.rejects[0];
    assert_eq!(reject.source_file.as_deref(), Some("a.csv"));
    assert_eq!(reject.detail, "1 reading of the accelerometer in session `s1-phone-one`");
    assert!(accounts(&batch, &outcome));
}

#[test]
fn a_gap_is_never_drawn_over() {
    let mut stamps = steps(0, 20 * MS, 50);
    stamps.extend(steps(980 * MS + 201 * MS, 20 * MS, 50));
    let whole = steps(0, 20 * MS, 120);
    let batch = readings([session("one", waves(&whole, "a"), waves(&stamps, "g"))]);
    let outcome = stage("").run(&batch).unwrap();
    let starts: Vec<i64> = longs(&outcome.rows, "start_nanos").unwrap().values().to_vec();
    assert_eq!(starts, [0, 1181 * MS]);
    let lengths: Vec<usize> = (0..2).map(|row| signals(&outcome.rows).unwrap().row(row).len() / 6).collect();
    assert_eq!(lengths, [50, 50]);
    let outcome = stage("max_gap_ms = 201").run(&batch).unwrap();
    assert_eq!(outcome.rows.num_rows(), 1);
}

#[test]
fn sessions_that_lack_a_sensor_are_rejected_and_others_go_on() {
    let stamps = steps(0, 20 * MS, 30);
    let missing = session("a", waves(&stamps, "a.csv"), Track::default());
    let batch = readings([missing, session("b", waves(&stamps, "a.csv"), waves(&stamps, "g.csv"))]);
    let outcome = stage("").run(&batch).unwrap();
    assert_eq!((ids(&outcome.rows), outcome.taken), (vec!["s1-phone-b-000"], Some(60)));
    assert_eq!(reasons(&outcome), BTreeMap::from([("sensor missing", 30)]));
    // One sensor is enough where no other is asked for.
    let outcome = stage("sensors = [\"accelerometer\"]").run(&batch).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.taken), (2, Some(60)));
    assert_eq!(reasons(&outcome), BTreeMap::from([("sensor not asked for", 30)]));
    assert_eq!(channels(outcome.rows.schema_ref()).unwrap(), &RAW_CHANNELS[..3]);
    let nothing = stage("").run(&batch.slice(0, 0)).unwrap();
    assert_eq!((nothing.rows.num_rows(), nothing.taken), (0, Some(0)));
}

#[test]
fn a_schema_of_another_table_is_refused_by_column() {
    let other = signals::schema(&["a".to_owned()], 50.0);
    let error = stage("").output_schema(&other).unwrap_err().to_string();
    assert!(error.contains("`sensor`"), "{error}");
}

/// The whole stage on a sensor of 200 Hz, against scipy's filter on the same finer grid away from the ends.
#[test]
fn a_fast_sensor_is_filtered_and_a_slow_one_is_not() {
    let fast = steps(0, 5 * MS, 801);
    let tone = |hz: f64| move |at: &i64| (2.0 * std::f64::consts::PI * hz * *at as f64 / 1e9).sin();
    let (low, high) = (tone(4.0), tone(42.0));
    let mixed = fast.iter().map(|at| (*at, [low(at) + high(at), low(at), high(at)]));
    let slow = waves(&steps(0, 20 * MS, 201), "g");
    let batch = readings([session("one", track(mixed, "a"), slow.clone())]);
    let run = |plan: &str| {
        let rows = stage(plan).run(&batch).unwrap().rows;
        signals(&rows).unwrap().row(0).to_vec()
    };
    let (with, without) = (run(""), run("low_pass = false"));
    for (at, sample) in with.chunks_exact(6).enumerate().skip(15).take(170) {
        assert!((sample[0] - sample[1]).abs() < 2e-3 && sample[2].abs() < 2e-3, "{at}: {sample:?}");
        assert!((sample[1] - low(&(at as i64 * 20 * MS)) as f32).abs() < 3e-3);
        assert_eq!(sample[3], slow.x[at] as f32);
    }
    assert!(without.chunks_exact(6).any(|sample| sample[2].abs() > 0.5));
}

prop_compose! {
    /// A log with faults of every kind.
    fn messy()(
        first in -50_i64..50,
        steps in prop::collection::vec((0_u8..40, 0_i64..30, -5.0_f64..5.0), 0..120),
    ) -> Vec<(i64, [f64; 3])> {
        let mut stamp = first * MS;
        steps.into_iter().map(|(kind, step, value)| {
            let value = if kind == 5 { f64::NAN } else { value };
            let wild = stamp;
            stamp += match kind {
                0 => 0,
                1 => -step * MS,
                2 => 400 * MS,
                3 => -5_000 * MS,
                _ => step * MS,
            };
            match kind {
                4 => (wild + 90_000 * MS, [value; 3]),
                _ => (stamp, [value, -value, 1.0]),
            }
        }).collect()
    }
}

proptest! {
    #[test]
    fn every_reading_is_taken_or_rejected(logs in prop::collection::vec((messy(), messy()), 1..4), filter: bool) {
        let named = logs.into_iter().enumerate();
        let sessions: Vec<_> =
            named.map(|(at, (a, g))| session(&at.to_string(), track(a, "a"), track(g, "g"))).collect();
        let batch = readings(sessions.clone());
        let stage = stage(&format!("low_pass = {filter}"));
        let outcome = stage.run(&batch).unwrap();
        prop_assert!(accounts(&batch, &outcome));
        prop_assert!(outcome.rejects.iter().all(|reject| reject.rows > 0));
        let found = signals(&outcome.rows).unwrap();
        for row in 0..outcome.rows.num_rows() {
            prop_assert!(!found.row(row).is_empty());
            // A filter may overshoot its input, never by much.
            let bound = if filter { 12.0 } else { 5.0 };
            prop_assert!(found.row(row).iter().all(|value| value.abs() <= bound));
        }
        // The same rows session by session.
        let parts: Vec<_> = sessions.into_iter().map(|one| stage.run(&readings([one])).unwrap().rows).collect();
        prop_assert_eq!(arrow::compute::concat_batches(&stage.schema(), &parts).unwrap(), outcome.rows);
    }

    #[test]
    fn a_signal_on_the_grid_is_unchanged(
        start in -1_000_000_000_i64..1_000_000_000,
        rate in 1_u32..200,
        values in prop::collection::vec([-40.0_f32..40.0, -40.0_f32..40.0, -40.0_f32..40.0], 2..200),
    ) {
        let rate = f64::from(rate);
        let stamped = values.iter().enumerate().map(|(at, sample)| {
            (super::super::timing::stamp_nanos(start, at, rate), sample.map(f64::from))
        });
        let log = track(stamped, "a");
        let batch = readings([session("one", log.clone(), log)]);
        let outcome = stage(&format!("rate_hz = {rate}\nmax_gap_ms = 1000")).run(&batch).unwrap();
        let found = signals(&outcome.rows).unwrap().row(0).to_vec();
        let expected: Vec<f32> = values.iter().flat_map(|sample| [*sample, *sample]).flatten().collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(outcome.taken, Some(batch.num_rows()));
    }
}
