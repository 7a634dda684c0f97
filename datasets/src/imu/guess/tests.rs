//! Layouts that are guessed and read.

use std::path::Path;

use schemas::tables::readings::{SessionView, sessions};

use super::super::tests::ways::{Way, check, ways};
use super::super::{CsvLogs, Loaded, Logs};
use super::{Guess, guess};
use crate::synthetic::imu::{ImuOptions, csv_logs, write_csv_logs};
use crate::testing::load_all;

/// What the layout `text` makes of the logs in `path`.
fn loaded(path: &Path, text: &str) -> Loaded {
    let declared: CsvLogs = toml::from_str(&format!("path = \"\"\n{text}")).unwrap();
    load_all(&Logs::open_csv(&CsvLogs { path: path.to_owned(), ..declared }).unwrap())
}

fn files(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn guessed(logs: &[(&str, String)]) -> (tempfile::TempDir, Guess) {
    let folder = files(logs);
    let found = guess(folder.path()).unwrap();
    (folder, found)
}

/// What no line can tell, and what is guessed for it instead: the key that is unsure, and the truth.
const UNTOLD: [(&str, &str, &str); 2] = [
    ("zone = \"+02:00\"", "zone = \"UTC\"", "`zone`"),
    ("date_order = \"month_first\"", "date_order = \"day_first\"", "`date_order`"),
];
/// Ways that cannot be guessed: counts without a data sheet, sensors by number.
const NOT_GUESSED: [&str; 2] = ["scales", "sensors by number, one below the other"];

#[test]
fn what_is_guessed_gives_the_readings() {
    for Way { name, text, keys, first_ms } in ways() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s1.csv"), &text).unwrap();
        if NOT_GUESSED.contains(&name) {
            continue;
        }
        let found = guess(folder.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut layout = found.layout.clone();
        for (truth, guess, key) in UNTOLD {
            if keys.contains(truth) {
                assert!(
                    found.unsure.iter().any(|doubt| doubt.starts_with(key)),
                    "{name}: {:?}",
                    found.unsure
                );
                layout = layout.replace(guess, truth);
            }
        }
        check(&format!("{name}\n{}", found.to_text()), &loaded(folder.path(), &layout), first_ms);
        // The whole text, readings included, is a layout.
        assert_eq!(loaded(folder.path(), &found.to_text()).batches.len(), 1, "{name}");
    }
}

#[test]
fn logs_of_the_generator_are_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let options = ImuOptions { subjects: 3, sessions: 2, seconds: 3.0, ..ImuOptions::default() };
    write_csv_logs(folder.path(), &options, 7).unwrap();
    let found = guess(folder.path()).unwrap();
    let truth = load_all(&Logs::open_csv(&csv_logs(folder.path()).unwrap()).unwrap());
    let read = loaded(folder.path(), &found.layout);
    assert_eq!(read.rejects, []);
    let told = |view: &SessionView<'_>| {
        let tracks: Vec<_> =
            view.tracks.iter().map(|track| (track.stamp_nanos.to_vec(), track.axes[1].to_vec())).collect();
        (view.key.subject.clone(), view.key.session.clone(), view.activity.clone(), tracks)
    };
    let all = |loaded: &Loaded| -> Vec<_> {
        loaded
            .batches
            .iter()
            .flat_map(|batch| sessions(batch).unwrap().iter().map(told).collect::<Vec<_>>())
            .collect()
    };
    assert_eq!(all(&read), all(&truth), "{}", found.layout);
}

/// A log of a sensor: stamps in ms, 20 ms apart.
fn log(header: &str, separator: &str, xyz: [f64; 3]) -> String {
    let line = |k: usize| {
        let cells = xyz.map(|value| format!("{}", value + (k % 5) as f64 * value * 1e-3));
        format!("{}{separator}{}\n", 1_600_000_000_000_u64 + 20 * k as u64, cells.join(separator))
    };
    format!("{header}\n{}", (0..60).map(line).collect::<String>())
}

#[test]
fn files_of_each_sensor_are_one_group() {
    let header = "time,x,y,z";
    let mut logs = Vec::new();
    for (name, xyz) in [
        ("Accelerometer", [0.0, 0.6, 9.7]),
        ("Gyroscope", [0.1, 0.2, 0.3]),
        ("Magnetometer", [30.0, 20.0, 1.0]),
    ] {
        for place in ["ann/one", "ann/two", "bob/one"] {
            logs.push((format!("{place}/{name}.csv"), log(header, ",", xyz)));
        }
    }
    let logs: Vec<(&str, String)> = logs.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    let (folder, found) = guessed(&logs);
    assert!(found.layout.contains("pattern = \"{subject}/{session}/{sensor}.csv\""), "{}", found.layout);
    assert!(found.layout.contains("# not read") && found.layout.contains("Magnetometer.csv"));
    let read = loaded(folder.path(), &found.layout);
    assert_eq!((read.batches.len(), read.rejects.len()), (3, 0));
    let keys: Vec<_> = read
        .batches
        .iter()
        .map(|batch| sessions(batch).unwrap().remove(0))
        .map(|view| (view.key.subject, view.key.session, view.tracks.len()))
        .collect();
    assert_eq!(
        keys,
        [("ann", "one", 2), ("ann", "two", 2), ("bob", "one", 2)].map(|(a, b, c)| (
            a.to_owned(),
            b.to_owned(),
            c
        ))
    );
}

#[test]
fn units_are_told_by_gravity_and_by_names() {
    for (header, xyz, unit, sure) in [
        ("t,ax,ay,az", [0.0, 0.6, 9.7], "accelerometer = \"m/s2\"", true),
        ("t,ax,ay,az", [0.0, 0.06, 0.99], "accelerometer = \"g\"", true),
        ("t,ax,ay,az", [10.0, 60.0, 990.0], "accelerometer = \"mg\"", true),
        (
            "t,ax,ay,az",
            [100.0, 600.0, 16_300.0],
            "accelerometer = { scale = 0.00006103515625, unit = \"g\" }",
            false,
        ),
        ("t,ax,ay,az", [0.1, 0.2, 0.1], "accelerometer = \"m/s2\"", false),
        ("t,acc x (g),acc y (g),acc z (g)", [0.1, 0.2, 0.1], "accelerometer = \"g\"", true),
        ("t,acc x (m/s^2),acc y (m/s^2),acc z (m/s^2)", [0.0, 0.06, 0.99], "accelerometer = \"m/s2\"", false),
        ("t,gx,gy,gz", [0.1, 0.2, 0.3], "gyroscope = \"rad/s\"", false),
        ("t,gx,gy,gz", [100.0, 20.0, 30.0], "gyroscope = \"deg/s\"", false),
        ("t,gyr x (deg/s),gyr y (deg/s),gyr z (deg/s)", [0.1, 0.2, 0.3], "gyroscope = \"deg/s\"", true),
    ] {
        let (_, found) = guessed(&[("s.csv", log(header, ",", xyz))]);
        assert!(found.layout.contains(unit), "{header} {xyz:?}: {}", found.layout);
        let doubted = found.unsure.iter().any(|doubt| doubt.starts_with("`units`"));
        assert_eq!(doubted, !sure, "{header} {xyz:?}: {:?}", found.unsure);
    }
}

#[test]
fn what_is_no_log_is_told() {
    let folder =
        files(&[("notes.txt", "some words\nand more, and more\n".to_owned()), ("a.csv", String::new())]);
    let error = guess(folder.path()).unwrap_err().to_string();
    assert!(error.contains("three columns of numbers") && error.contains("notes.txt"), "{error}");
    let (_, found) =
        guessed(&[("notes.txt", "words\n".to_owned()), ("a.csv", log("t,ax,ay,az", ",", [0.0, 0.0, 9.8]))]);
    assert!(found.layout.contains("# not read, no x, y and z of a sensor: notes.txt"), "{}", found.layout);
    assert!(
        found
            .shown
            .iter()
            .any(|line| line.contains("accelerometer at 1600000000000000000 ns: 0, 0, 9.8 m/s2"))
    );
}
