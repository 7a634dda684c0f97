//! Whole logs, sound and broken.

use std::path::Path;

use arrow::array::RecordBatch;
use schemas::tables::readings::{SessionView, sessions};
use schemas::tables::rejects::total_rows;

use super::*;
use crate::testing::load_all;

mod choice;
mod cutting;
mod lines;
mod presets;
mod real_logs;
pub(super) mod ways;

fn views(batches: &[RecordBatch]) -> Vec<SessionView<'_>> {
    batches.iter().map(|batch| sessions(batch).unwrap().remove(0)).collect()
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// Files and their texts in a new folder.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The plan `text` for the logs in `path`.
fn plan(path: &Path, text: &str) -> CsvLogs {
    let config: CsvLogs = toml::from_str(&format!("path = \"\"\ndataset = \"d\"\n{text}")).unwrap();
    CsvLogs { path: path.to_owned(), ..config }
}

const MERGED: &str = r#"
[[files]]
pattern = "{subject}/{session}.csv"
clock = "ms"
stamp = "t"
sensors = { accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }
activity = { column = "what" }
"#;
const HEADER: &str = "t,ax,ay,az,gx,gy,gz,what\n";

/// What the merged log of these lines gives: readings of both sensors, and reason, record and rows of the rejects.
fn merged(lines: &str) -> (Loaded, Vec<(String, String, u64)>) {
    let folder = folder(&[("s/1.csv", &format!("{HEADER}{lines}"))]);
    let loaded = load_all(&Logs::open_csv(&plan(folder.path(), MERGED)).unwrap());
    let rejects = loaded.rejects.iter();
    let told =
        rejects.map(|r| (r.reason.clone(), r.source_record.clone().unwrap_or_default(), r.rows)).collect();
    (loaded, told)
}

#[test]
fn every_line_that_is_not_used_is_told() {
    let lines = [
        "1000,1,2,3,4,5,6,walk",       // 2
        "1010,1,2,x,4,5,6,walk",       // 3 text
        "1020,1,2,3,4,NaN,6,walk",     // 4 not finite
        "1030,1,2,3,4,5,-inf,walk",    // 5 not finite
        "1040,1,2,3,4,5",              // 6 missing
        "1050,1,2,3,4,5,6,walk,7",     // 7 extra
        "",                            // 8
        "   ",                         // 9
        "1060,1,2,3,4,,6,walk",        // 10 empty cell
        "x,1,2,3,4,5,6,walk",          // 11 text stamp
        "99999999999999,1,2,3,4,5,6,", // 12 out of range
        "1070,1,2,3,4,5,6,\"walk",     // 13 quote
        "1080,1,2,3,1e999,5,6,walk",   // 14 not finite
        "1090,1,2,3,4,5,6,walk",       // 15
        "1100,1,2,3,4,5",              // 16, without end
    ];
    let (loaded, told) = merged(&lines.join("\n"));
    let expected = [
        (reasons::NOT_A_NUMBER, "line 3", 1),
        (reasons::NOT_FINITE, "lines 4-5", 2),
        (reasons::MISSING_COLUMN, "line 6", 1),
        (reasons::EXTRA_COLUMN, "line 7", 1),
        (reasons::EMPTY_LINE, "lines 8-9", 2),
        (reasons::EMPTY_CELL, "line 10", 1),
        (reasons::NOT_A_NUMBER, "line 11", 1),
        (reasons::STAMP_OUT_OF_RANGE, "line 12", 1),
        (reasons::BROKEN_QUOTE, "line 13", 1),
        (reasons::NOT_FINITE, "line 14", 1),
        (reasons::TRUNCATED_LINE, "line 16", 1),
    ];
    assert_eq!(told, expected.map(|(reason, record, rows)| (reason.to_owned(), record.to_owned(), rows)));
    // A fault in the cells of one sensor does not cost the other's reading: lines 3, and 4, 5, 10 and 14.
    let counts: Vec<usize> =
        views(&loaded.batches)[0].tracks.iter().map(|track| track.stamp_nanos.len()).collect();
    assert_eq!(counts, [6, 3]);
    assert_eq!(loaded.rejects[0].detail, "column 4 (`az`) holds `x`");
    assert_eq!(loaded.rejects[0].source_file.as_deref(), Some("s/1.csv"));
}

#[test]
fn odd_writing_of_sound_lines_is_read() {
    let lines = "\"1000\", 1 ,2.5,3,4,5,6,\"walk, fast\"\r\n1010,+1,2.,.5,4e0,5,6,walk,\r\n1020,1,2,3,,,,walk\r\n1030,1,2,3,4,5,6,\r\n  1040,\t1,2,3,4,5,6, walk ";
    let (loaded, told) = merged(lines);
    assert!(told.is_empty(), "{told:?}");
    let view = &views(&loaded.batches)[0];
    // The line without a cell of the gyroscope is a reading of the accelerometer alone.
    assert_eq!(view.tracks[0].stamp_nanos.as_ref(), [1000, 1010, 1020, 1030, 1040].map(|ms| ms * 1_000_000));
    assert_eq!(view.tracks[1].stamp_nanos.as_ref(), [1000, 1010, 1030, 1040].map(|ms| ms * 1_000_000));
    assert_eq!(view.tracks[0].axes[1].as_ref(), [2.5, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(view.tracks[0].axes[2][1], 0.5);
    let activity = schemas::tables::readings::labels(&loaded.batches[0], "activity").unwrap();
    let names: Vec<_> = (0..5).map(|row| activity.get(row).unwrap()).collect();
    assert_eq!(names, ["walk, fast", "walk", "walk", "", "walk"]);
}

#[test]
fn files_that_say_nothing_are_told() {
    let good = format!("{HEADER}1,1,1,1,1,1,1,a\n");
    let folder = folder(&[
        ("a/1.csv", ""),
        ("a/2.csv", "\u{feff}"),
        ("a/3.csv", HEADER),
        ("a/4.csv", "t,ax,ay,az,gx,gy,what\n1,1,1,1,1,1,1\n2,1,1,1,1,1,1\n"),
        ("a/5.csv", &format!("\u{feff}{good}")),
        ("b/notes.txt", "x"),
        ("._c/1.csv", "x"),
        ("readme.md", "x"),
    ]);
    std::fs::write(folder.path().join("a/6.csv"), [&b"\xff\xfe\0a"[..], &[0; 100]].concat()).unwrap();
    let logs = Logs::open_csv(&plan(folder.path(), MERGED)).unwrap();
    let loaded = load_all(&logs);
    let told: Vec<_> = loaded
        .rejects
        .iter()
        .map(|r| (r.source_file.as_deref().unwrap(), r.reason.as_str(), r.source_record.as_deref(), r.rows))
        .collect();
    let expected = [
        ("b", reasons::FOLDER_WITHOUT_DATA, None, 1),
        ("a/1.csv", reasons::EMPTY_FILE, None, 1),
        ("a/2.csv", reasons::EMPTY_FILE, None, 1),
        ("a/3.csv", reasons::FILE_WITHOUT_READINGS, None, 1),
        ("a/4.csv", reasons::COLUMNS_DO_NOT_FIT, Some("lines 2-3"), 2),
        ("a/6.csv", reasons::COLUMNS_DO_NOT_FIT, Some("line 1"), 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows(&loaded.batches), 2);
    assert_eq!(logs.inputs().len(), 6);
    let notes = [
        "2 files not read, no pattern fits: b/notes.txt, readme.md",
        "1 file or folder of a file manager passed over",
    ];
    assert_eq!(loaded.notes, notes);
}

#[test]
fn plans_that_lack_something_are_refused() {
    let folder = folder(&[("s/1.csv", HEADER)]);
    let open = |plan: &CsvLogs| Logs::open_csv(plan).unwrap_err().to_string();
    let sound = plan(folder.path(), MERGED);
    assert!(
        open(&CsvLogs { dataset: None, ..sound.clone() }).starts_with("logs need the name of their data set")
    );
    assert!(
        open(&CsvLogs { preset: Some(Preset::SpSwHar), ..sound.clone() }).contains("`preset` or `files`")
    );
    assert!(open(&CsvLogs { files: Vec::new(), ..sound.clone() }).contains("found neither"));
    let without = plan(folder.path(), &MERGED.replace("{subject}", "*"));
    assert!(open(&without).starts_with("`files` need `subject`"));
    let nothing = plan(folder.path(), &MERGED.replace(".csv", ".txt"));
    assert!(
        open(&nothing)
            .starts_with("at least one file must fit `{subject}/{session}.txt`, found 1 other file")
    );
    assert!(open(&CsvLogs { path: "/nowhere/at/all".into(), ..sound }).contains("/nowhere/at/all"));
    for wrong in
        ["clock = \"min\"", "stamp = 0", "separator = \"ab\"", "typo = 1", "units = { gyroscope = \"rpm\" }"]
    {
        let text = format!("path = \"\"\n{}\n{wrong}", MERGED.replace("clock = \"ms\"\n", ""));
        assert!(toml::from_str::<CsvLogs>(&text).is_err(), "{wrong}");
    }
}

#[test]
fn units_clocks_and_sensors_in_files_of_their_own() {
    let folder = folder(&[
        ("p1_n5_Accelerometer.txt", "0.5; 1;2;-1\n0.51;0;0;0\n"),
        ("p1_n5_gyro.txt", "0.500000001;180;0;-90\n"),
        ("p1_n5_magnetometer.txt", "1;1;1;1\n"),
        ("p2_n5_accelerometer.txt", "1e0;1;1;1\n"),
    ]);
    let text = r#"
        [[files]]
        pattern = "{subject}_{device}_{sensor}.txt"
        header = false
        separator = ";"
        clock = "s"
        stamp = 1
        sensors = { accelerometer = [2, 3, 4], gyroscope = [2, 3, 4] }
        units = { accelerometer = "g", gyroscope = "deg/s" }
        activity = { value = "still" }
    "#;
    let logs = Logs::open_csv(&plan(folder.path(), text)).unwrap();
    let names: Vec<&str> = logs.items().iter().map(|item| item.name()).collect();
    assert_eq!(names, ["p1 n5", "p2 n5"]);
    let loaded = load_all(&logs);
    let views = views(&loaded.batches);
    assert_eq!(views[0].tracks[0].stamp_nanos.as_ref(), [500_000_000, 510_000_000]);
    assert_eq!(views[0].tracks[1].stamp_nanos.as_ref(), [500_000_001]);
    assert_eq!(views[0].tracks[0].axes[0][0], 9.806_65);
    assert!((views[0].tracks[1].axes[0][0] - std::f64::consts::PI).abs() < 1e-15);
    assert_eq!(views[0].activity.as_deref(), Some("still"));
    let told: Vec<_> =
        loaded.rejects.iter().map(|r| (r.reason.as_str(), r.source_file.as_deref().unwrap())).collect();
    assert_eq!(told, [(reasons::SENSOR_MISSING, "p2_n5_accelerometer.txt")]);
    assert!(loaded.notes[0].contains("of another sensor: p1_n5_magnetometer.txt"));
}

const BY_COLUMN: &str = r#"
[[files]]
pattern = "all.csv"
header = false
clock = "ms"
stamp = 1
sensors = { accelerometer = [2, 3, 4] }
subject = { column = 5 }
session = { column = 6 }
activity = { column = 6 }
"#;
