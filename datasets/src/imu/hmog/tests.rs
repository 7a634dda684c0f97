//! HMOG's defects that the generator does not plant, and its ways of being packed.

use std::io::{Cursor, Write};
use std::path::Path;

use rayon::prelude::*;
use schemas::tables::readings::{labels, sessions};
use zip::write::SimpleFileOptions;

use super::*;
use crate::imu::{Loaded, reasons};
use crate::synthetic::imu::{ImuOptions, Packing, write_hmog};

fn open(path: &Path, clock: HmogClock) -> Logs {
    Logs::open_hmog(&HmogLogs { path: path.to_owned(), clock, event_unit: event_unit() }).unwrap()
}

fn load(logs: &Logs) -> Vec<Loaded> {
    logs.items().iter().map(|item| item.load().unwrap()).collect()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const LINES: &[u8] = b"1000,5000000001,11,1,2,3,0\n1010,5010000001,12,1,2,3,0\n1020,5020000001,13,1,2,3,0\n";
const ACTIVITIES: &[u8] = b"11,1,1,0,0,0,0,1,7,1\n12,1,1,0,0,0,0,1,12,1\n";

#[test]
fn activities_clocks_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("Accelerometer.csv", LINES),
        ("gyroscope.CSV", LINES),
        ("Activity.csv", ACTIVITIES),
        ("Touch.csv", b""),
    ];
    let session = folder.path().join("100669").join("100669_session_3");
    std::fs::create_dir_all(&session).unwrap();
    for (name, bytes) in files {
        std::fs::write(session.join(name), bytes).unwrap();
    }
    // The folder of the data set, of the subject or of the session may be named.
    let folders = [folder.path().to_owned(), folder.path().join("100669"), session];
    for path in folders {
        let logs = open(&path, HmogClock::Event);
        assert_eq!((logs.inputs().len(), logs.items()[0].name()), (3, "100669 03"));
        assert_eq!(logs.notes(), ["1 file not read: neither sensor's log nor `Activity.csv`"]);
        let loaded = load(&logs).remove(0);
        let view = &sessions(&loaded.batches[0]).unwrap()[0];
        assert_eq!((view.id(), view.tracks.len()), ("100669-phone-03".to_owned(), 2));
        assert_eq!(view.tracks[1].stamp_nanos.as_ref(), [5_000_000_001, 5_010_000_001, 5_020_000_001]);
        let names = labels(&loaded.batches[0], "activity").unwrap();
        assert_eq!([0, 1, 2].map(|row| names.get(row).unwrap()), ["read+sit", "map+walk", ""]);
        assert_eq!((loaded.rejects.len(), loaded.notes.len()), (0, 2));
        assert!(loaded.notes[0].starts_with("1 readings of"));
    }
    let loaded = load(&open(folder.path(), HmogClock::System)).remove(0);
    assert_eq!(sessions(&loaded.batches[0]).unwrap()[0].tracks[0].stamp_nanos[2], 1_020_000_000);
}

#[test]
fn entries_deeper_than_a_log_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.zip");
    let deep = format!("{}1/1_session_2/Accelerometer.csv", "a/".repeat(30_000));
    std::fs::write(&path, zipped(&[("1/1_session_1/Accelerometer.csv", LINES), (&deep, LINES)])).unwrap();
    let logs = open(&path, HmogClock::System);
    assert_eq!((logs.items().len(), logs.rejects().len()), (1, 0));
    assert!(logs.notes()[0].starts_with("1 file not read"), "{:?}", logs.notes());
}

#[test]
fn without_tasks_the_activity_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.zip");
    std::fs::write(&path, zipped(&[("1/1_session_1/Accelerometer.csv", LINES)])).unwrap();
    let logs = open(&path, HmogClock::System);
    assert_eq!(logs.notes(), ["no `Activity.csv` in `1.zip/1/1_session_1`: what the person does is unknown"]);
    let loaded = load(&logs).remove(0);
    assert_eq!(labels(&loaded.batches[0], "activity").unwrap().get(0), None);
    assert_eq!(loaded.rejects[0].reason, reasons::SENSOR_MISSING);
    assert_eq!(loaded.rejects[0].rows, 1);
}

#[test]
fn archives_that_mean_harm_or_are_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = "2/2_session_1/Accelerometer.csv";
    let bad = zipped(&[
        (log, LINES),
        ("/2/2_session_2/Accelerometer.csv", LINES),
        ("..\\2_session_3\\Accelerometer.csv", LINES),
        ("c:/2_session_4/Accelerometer.csv", LINES),
        ("2/2_session_5/Notes.txt", LINES),
        ("2\\2_session_6\\Gyroscope.csv", LINES),
    ]);
    let whole = zipped(&[(log, LINES)]);
    let files = [
        ("2.zip", &bad[..]),
        ("3.zip", b"PK\x03\x04 no"),
        ("4.zip", b""),
        ("5.zip", &whole[..whole.len() - 30]),
    ];
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let logs = open(folder.path(), HmogClock::System);
    let told: Vec<_> =
        logs.rejects().iter().map(|r| (r.reason.as_str(), r.source_file.as_deref().unwrap())).collect();
    let expected = [
        (reasons::PATH_LEAVES_ARCHIVE, "2.zip"),
        (reasons::PATH_LEAVES_ARCHIVE, "2.zip"),
        (reasons::PATH_LEAVES_ARCHIVE, "2.zip"),
        (reasons::NOT_AN_ARCHIVE, "3.zip"),
        (reasons::NOT_AN_ARCHIVE, "4.zip"),
        (reasons::NOT_AN_ARCHIVE, "5.zip"),
        (reasons::FOLDER_WITHOUT_DATA, "2.zip/2/2_session_5"),
    ];
    assert_eq!(told, expected);
    assert_eq!(logs.items().iter().map(|item| item.name()).collect::<Vec<_>>(), ["2 01", "2 06"]);
    let error = Logs::open_hmog(&HmogLogs {
        path: folder.path().join("4.zip"),
        clock: HmogClock::System,
        event_unit: event_unit(),
    });
    assert!(error.unwrap_err().to_string().starts_with("not a readable zip file"));
}

#[test]
fn a_session_that_comes_twice_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    for subject in ["207696", "207969"] {
        let log = format!("{subject}/{subject}_session_1/Accelerometer.csv");
        let other = format!("{subject}/{subject}_session_1/Gyroscope.csv");
        let bytes = zipped(&[(&log, LINES), (&other, LINES)]);
        std::fs::write(folder.path().join(format!("{subject}.zip")), bytes).unwrap();
    }
    let logs = open(folder.path(), HmogClock::System);
    assert_eq!(logs.items().len(), 1);
    let told: Vec<_> =
        logs.rejects().iter().map(|r| (r.reason.as_str(), r.source_file.as_deref().unwrap())).collect();
    assert_eq!(told, [(reasons::DUPLICATE_SESSION, "207969.zip/207969/207969_session_1")]);
    assert!(logs.notes()[0].starts_with("subject 207969 is read as 207696"));
}

#[test]
fn nothing_found_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("100669.zip"), zipped(&[("readme.txt", b"x")])).unwrap();
    let config: HmogLogs = toml::from_str("path = ''").unwrap();
    let error = Logs::open_hmog(&HmogLogs { path: folder.path().to_owned(), ..config.clone() }).unwrap_err();
    assert!(error.to_string().contains("found none; first, folder without data"), "{error}");
    assert!(Logs::open_hmog(&HmogLogs { path: folder.path().join("nowhere"), ..config }).is_err());
    assert!(toml::from_str::<HmogLogs>("path = ''\nclock = 'wall'").is_err());
}

#[test]
fn threads_and_packing_do_not_show() {
    let options = ImuOptions { subjects: 6, sessions: 3, seconds: 2.0, ..ImuOptions::default() };
    let mut expected = None;
    for packing in [Packing::Folders, Packing::SubjectZips, Packing::OneZip, Packing::OneStoredZip] {
        let folder = tempfile::tempdir().unwrap();
        let written = write_hmog(folder.path(), &ImuOptions { packing, ..options }, 5).unwrap();
        let logs = open(&written.path, HmogClock::System);
        let inputs = if packing == Packing::Folders {
            54
        } else if packing == Packing::SubjectZips {
            6
        } else {
            1
        };
        assert_eq!(logs.inputs().len(), inputs);
        // In any order, and twice: an archive that was given up is unpacked again.
        let loaded: Vec<Loaded> = logs.items().par_iter().rev().map(|item| item.load().unwrap()).collect();
        let again = load(&logs);
        for (loaded, again) in loaded.iter().rev().zip(&again) {
            assert_eq!(loaded.batches, again.batches);
        }
        let values: Vec<_> = again.iter().map(|loaded| loaded.batches[0].columns()[..10].to_vec()).collect();
        assert_eq!(*expected.get_or_insert(values.clone()), values, "{packing:?}");
    }
}
