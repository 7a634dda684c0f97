//! What a person does, from readings to windows; and logs whose stamps are out of order or come in bursts.

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Float32Type;
use schemas::columns::{column, longs, strings};
use schemas::tables::readings::{Sensor, Session, Track};
use schemas::tables::rejects::total_rows;
use schemas::tables::signals::signals;

use super::fixtures::{context, cut, readings, session, steps, waves};
use super::{ResampleConfig, WindowConfig};
use crate::stage::{Outcome, Stage};

const MS: i64 = 1_000_000;

fn resampled(plan: &str, batch: &RecordBatch) -> Outcome {
    toml::from_str::<ResampleConfig>(plan).unwrap().build(&context("r")).unwrap().run(batch).unwrap()
}

fn windows(plan: &str, signals: &RecordBatch) -> RecordBatch {
    let plan = format!("blocks = 1\nblock_samples = 100\nblock_hop_samples = 100\n{plan}");
    let stage = toml::from_str::<WindowConfig>(&plan).unwrap().build(&context("w")).unwrap();
    let rows = stage.run(signals).unwrap().rows;
    assert_eq!(rows.schema(), stage.output_schema(&signals.schema()).unwrap());
    let parts: Vec<_> = cut(signals, 1).iter().map(|part| stage.run(part).unwrap().rows).collect();
    assert_eq!(arrow::compute::concat_batches(&rows.schema(), &parts).unwrap(), rows);
    rows
}

fn texts<'a>(rows: &'a RecordBatch, name: &str) -> Vec<Option<&'a str>> {
    let texts: &StringArray = strings(rows, name).unwrap();
    texts.iter().collect()
}

/// A session of 20 s in two files, of whose readings at 100 Hz the first 1,000 are walking, the next 500 unknown, and the
/// rest sitting.
fn two_activities() -> RecordBatch {
    let tracks = |sensor: Sensor| {
        let part = |first: i64, file: &str, activity: Vec<i32>| Track {
            activity,
            ..waves(&steps(first, 10 * MS, 1000), file)
        };
        let second = [vec![1; 500], vec![2; 500]].concat();
        [(sensor, part(0, "a.csv", vec![0; 1000])), (sensor, part(10_000 * MS, "b.csv", second))]
    };
    let tracks = Sensor::ALL.into_iter().flat_map(tracks).collect();
    let activities = ["walk", "", "sit"].map(str::to_owned).to_vec();
    readings([Session { activities, tracks, ..session("a", Track::default(), Track::default()) }])
}

#[test]
fn a_window_has_the_activity_and_the_file_of_its_samples() {
    let signals = resampled("", &two_activities()).rows;
    assert_eq!(signals.num_rows(), 1);
    assert_eq!(
        (texts(&signals, "activity"), texts(&signals, "source_file")),
        (vec![None], vec![Some("a.csv")])
    );
    let rows = windows("stride_samples = 100", &signals);
    let walk = [Some("walk"); 5];
    // 10 s of walking, 5 s of nothing, 5 s of sitting, in windows of 2 s; the last sample of all is 19.98 s.
    assert_eq!(texts(&rows, "activity"), [&walk[..], &[None, None, None, Some("sit"), Some("sit")]].concat());
    assert_eq!(texts(&rows, "source_file"), [&[Some("a.csv"); 5][..], &[Some("b.csv"); 5]].concat());
    assert!(rows.column_by_name("parts").is_none() && rows.column_by_name("activity_share").is_none());
    // The window from 14 to 16 s: half of it is unknown.
    let rows = windows("stride_samples = 100\nactivity_share = 0.5", &signals);
    assert_eq!(texts(&rows, "activity")[7..], [Some("sit"); 3]);
    let shares = column(&rows, "activity_share").unwrap().as_primitive::<Float32Type>();
    assert_eq!(shares.values()[..], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 1.0, 1.0]);
    let rows = windows("stride_samples = 100\nactivity_share = 0.51", &signals);
    assert_eq!(texts(&rows, "activity")[7..], [None, Some("sit"), Some("sit")]);
}

#[test]
fn stages_between_keep_what_the_windows_need() {
    let signals = resampled("", &two_activities()).rows;
    let features: super::FeaturesConfig = toml::from_str("channels = [\"magnitude\"]").unwrap();
    let features = features.build(&context("f")).unwrap().run(&signals).unwrap().rows;
    let plain = windows("stride_samples = 100", &signals);
    assert_eq!(texts(&windows("stride_samples = 100", &features), "activity"), texts(&plain, "activity"));
    // Signals of earlier tables have no parts: their own activity counts.
    let places: Vec<usize> =
        (0..signals.num_columns()).filter(|at| signals.schema().field(*at).name() != "parts").collect();
    let rows = windows("stride_samples = 100", &signals.project(&places).unwrap());
    assert_eq!(texts(&rows, "activity"), [None; 10]);
}

#[test]
fn late_readings_are_dropped_or_sorted_as_a_key_says() {
    let mut stamps = steps(0, 20 * MS, 200);
    stamps.swap(50, 51);
    stamps.swap(120, 122);
    let batch = readings([session("a", waves(&stamps, "a"), waves(&steps(0, 20 * MS, 200), "g"))]);
    let dropped = resampled("low_pass = false", &batch);
    let late = |outcome: &Outcome| {
        let late = outcome.rejects.iter().filter(|reject| reject.reason == "backward stamp");
        late.map(|reject| reject.rows).sum::<u64>()
    };
    assert_eq!(late(&dropped), 3);
    let sorted = resampled("low_pass = false\nlate_readings = \"sort\"", &batch);
    assert_eq!((late(&sorted), total_rows(&sorted.rejects), sorted.taken), (0, 0, Some(400)));
    let plain =
        readings([session("a", waves(&steps(0, 20 * MS, 200), "a"), waves(&steps(0, 20 * MS, 200), "g"))]);
    let plain = resampled("low_pass = false", &plain).rows;
    assert_eq!(signals(&sorted.rows).unwrap().row(0), signals(&plain).unwrap().row(0));
}

#[test]
fn bursts_made_unique_take_as_many_samples_as_they_last() {
    for tiny in [1, 1_000, 100_000, MS] {
        let stamps: Vec<i64> = (0..1000).map(|at| at / 10 * 100 * MS + at % 10 * tiny).collect();
        let batch = readings([session("a", waves(&stamps, "a"), waves(&stamps, "g"))]);
        let outcome = resampled("", &batch);
        assert_eq!((outcome.taken, outcome.rejects.len()), (Some(2000), 0), "{tiny}");
        let samples = signals(&outcome.rows).unwrap().row(0);
        assert!((495..=497).contains(&(samples.len() / 6)), "{tiny}: {}", samples.len() / 6);
        assert!(samples.iter().all(|sample| sample.is_finite()));
        assert_eq!(longs(&outcome.rows, "start_nanos").unwrap().values()[..], [0]);
    }
}

/// What is dropped of a sensor that lies in two files names neither as its own.
#[test]
fn rejects_of_several_files_name_none() {
    let track = |first: i64, file: &str| waves(&steps(first, 10 * MS, 100), file);
    let tracks =
        vec![(Sensor::Accelerometer, track(0, "a.csv")), (Sensor::Accelerometer, track(1000 * MS, "b.csv"))];
    let batch = readings([Session { tracks, ..session("a", Track::default(), Track::default()) }]);
    let outcome = resampled("", &batch);
    assert_eq!(
        (outcome.rejects[0].reason.as_str(), outcome.rejects[0].source_file.as_deref()),
        ("sensor missing", None)
    );
    let batch = readings([session("a", track(0, "a.csv"), Track::default())]);
    assert_eq!(resampled("", &batch).rejects[0].source_file.as_deref(), Some("a.csv"));
}
