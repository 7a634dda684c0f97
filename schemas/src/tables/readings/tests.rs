//! Sessions to rows and back.

use super::*;
use proptest::prelude::*;

fn track(first_nanos: i64, count: usize) -> Track {
    let ramp: Vec<f64> = (0..count).map(|at| at as f64).collect();
    Track {
        stamp_nanos: (0..count as i64).map(|at| first_nanos + 10 * at).collect(),
        x: ramp.clone(),
        y: ramp.clone(),
        z: ramp,
        activity: Vec::new(),
        source_file: "log.csv".to_owned(),
    }
}

fn session(name: &str) -> Session {
    Session {
        key: SessionKey {
            dataset: "d".into(),
            subject: "s".into(),
            device: String::new(),
            session: name.into(),
        },
        activities: vec!["walk".into()],
        tracks: vec![
            (Sensor::Accelerometer, Track { activity: vec![0; 3], ..track(5, 3) }),
            (Sensor::Gyroscope, Track { activity: vec![0; 2], ..track(7, 2) }),
        ],
    }
}

#[test]
fn a_batch_gives_its_sessions_back() {
    let batches = ["a", "b"].map(|name| to_batch(session(name)));
    let batch = arrow::compute::concat_batches(&schema(), &batches).unwrap();
    let views = sessions(&batch).unwrap();
    assert_eq!(views.len(), 2);
    assert_eq!((views[1].id(), views[1].rows.clone()), ("s-b".to_owned(), 5..10));
    assert_eq!(views[1].tracks[1].stamp_nanos.as_ref(), [7, 17]);
    assert_eq!(views[0].tracks[0].axes[2].as_ref(), [0.0, 1.0, 2.0]);
    assert_eq!(views[0].activity.as_deref(), Some("walk"));
}

proptest! {
    #[test]
    fn runs_are_those_of_the_plain_way(
        keys in prop::collection::vec((0_i32..4, 1_usize..600), 0..12),
        names in prop::collection::vec("[ab]?", 1..5),
        null in -1_i32..5,
        cut in 0_usize..40,
    ) {
        let keys = keys.iter().flat_map(|(key, count)| std::iter::repeat_n(*key, *count));
        let keys: Int32Array = keys
            .map(|key| (null < 4 && key != null).then_some(key % names.len() as i32))
            .collect();
        // One that is never null has no list of nulls.
        let keys = if keys.null_count() == 0 { Int32Array::new(keys.values().clone(), None) } else { keys };
        let names = StringArray::from(names);
        let labels = Labels { keys: Some(&keys), names: &names };
        let rows = cut.min(keys.len())..keys.len();
        let plain = runs(rows.clone(), |a, b| labels.get(a) == labels.get(b));
        prop_assert_eq!(labels.runs(rows), plain);
    }
}

#[test]
fn parts_tell_where_activity_and_file_change() {
    let file = |name: &str, track: Track| Track { source_file: name.to_owned(), ..track };
    let tracks = vec![
        (Sensor::Accelerometer, file("a0.csv", track(0, 2))),
        (Sensor::Accelerometer, file("a1.csv", track(100, 2))),
        (Sensor::Gyroscope, Track { activity: vec![0, 0, 1], ..file("g0.csv", track(0, 3)) }),
        (Sensor::Gyroscope, Track { activity: vec![1, 2], ..file("g1.csv", track(100, 2)) }),
    ];
    let activities = ["walk", "sit", ""].map(str::to_owned).to_vec();
    let batch = to_batch(Session { activities, tracks, ..session("a") });
    let files = labels(&batch, "source_file").unwrap();
    let found: Vec<_> = (0..9).map(|row| files.get(row).unwrap()).collect();
    assert_eq!(found[..4], ["a0.csv", "a0.csv", "a1.csv", "a1.csv"]);
    assert_eq!(found[4..], ["g0.csv", "g0.csv", "g0.csv", "g1.csv", "g1.csv"]);
    let view = &sessions(&batch).unwrap()[0];
    assert_eq!((view.tracks.len(), view.tracks[0].stamp_nanos.len()), (2, 4));
    let parts: Vec<_> = view
        .parts
        .iter()
        .map(|part| (part.first_nanos, part.activity.as_deref(), part.source_file.as_deref().unwrap()))
        .collect();
    let expected = [
        (0, Some("walk"), "g0.csv"),
        (20, Some("sit"), "g0.csv"),
        (100, Some("sit"), "g1.csv"),
        (110, None, "g1.csv"),
    ];
    assert_eq!(parts, expected);
    assert_eq!(view.activity, None);
}

#[test]
fn interleaved_sensors_are_put_together() {
    let batch = to_batch(session("a"));
    let order = arrow::array::UInt64Array::from(vec![0, 3, 1, 4, 2]);
    let mixed = arrow::compute::take_record_batch(&batch, &order).unwrap();
    let views = sessions(&mixed).unwrap();
    assert_eq!(views[0].tracks[0].stamp_nanos.as_ref(), [5, 15, 25]);
    assert_eq!(views[0].tracks[1].stamp_nanos.as_ref(), [7, 17]);
}
