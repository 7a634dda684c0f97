use super::*;
use crate::imu::{HmogClock, HmogLogs, Loaded, Logs, TASKS};
use crate::testing::load_all;
use schemas::tables::readings::{Sensor, sessions};
use schemas::tables::rejects::Reject;

fn small(packing: Packing) -> ImuOptions {
    ImuOptions { subjects: 5, sessions: 4, seconds: 5.0, defects: true, packing, ..ImuOptions::default() }
}

fn open(path: &Path) -> Logs {
    let config = HmogLogs {
        path: path.to_owned(),
        clock: HmogClock::System,
        event_unit: crate::imu::Clock::Nanoseconds,
    };
    Logs::open_hmog(&config).unwrap()
}

/// Subject, session and, by sensor, the stamps of each session.
fn stamps(loaded: &Loaded) -> Vec<(String, String, [Vec<i64>; 2])> {
    let of_batch = |batch| {
        let views = sessions(batch).unwrap();
        let view = views.into_iter().next().unwrap();
        let track = |sensor| {
            let found = view.tracks.iter().find(|track| track.sensor == sensor);
            found.map(|track| track.stamp_nanos.to_vec()).unwrap_or_default()
        };
        (view.key.subject.clone(), view.key.session.clone(), Sensor::ALL.map(track))
    };
    loaded.batches.iter().map(of_batch).collect()
}

fn tells(reject: &Reject, planted: &Planted, reason: &str) -> bool {
    let file = reject.source_file.as_deref().unwrap_or_default();
    let record = planted.line.map(|line| format!("line {line}"));
    reject.reason == reason
        && file.ends_with(&planted.file)
        && (record.is_none() || reject.source_record == record)
        && reject.rows == 1
}

#[test]
fn every_defect_is_told_whatever_the_packing() {
    let mut expected = None;
    for packing in [Packing::Folders, Packing::SubjectZips, Packing::OneZip, Packing::OneStoredZip] {
        let folder = tempfile::tempdir().unwrap();
        let written = write_hmog(folder.path(), &small(packing), 7).unwrap();
        let logs = open(&written.path);
        let loaded = load_all(&logs);
        let mut told = 0;
        for planted in &written.planted {
            match planted.shows_as {
                ShowsAs::Reject(reason) => {
                    let found = loaded.rejects.iter().any(|reject| tells(reject, planted, reason));
                    assert!(found, "{packing:?}: {planted:?} is not among {:#?}", loaded.rejects);
                    told += 1;
                }
                ShowsAs::Note(words) => {
                    assert!(
                        loaded.notes.iter().any(|note| note.contains(words)),
                        "{planted:?}: {:?}",
                        loaded.notes
                    );
                }
                ShowsAs::Readings => {}
            }
        }
        // Two defects are told twice: without readings of a file, a sensor is missing too.
        let twice =
            written.planted.iter().filter(|p| matches!(p.defect, Defect::EmptyFile | Defect::CorruptEntry));
        assert_eq!(loaded.rejects.len(), told + twice.count(), "{packing:?}: {:#?}", loaded.rejects);
        let rows: usize = loaded.batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
        assert_eq!(rows as u64, written.readings, "{packing:?}");
        assert_eq!(logs.items().len(), written.sessions);
        // Damage of archives aside, the packing does not show in the readings.
        if packing == Packing::Folders {
            continue;
        }
        let found = stamps(&loaded);
        assert_eq!(*expected.get_or_insert(found.clone()), found);
    }
}

#[test]
fn defects_of_readings_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let written = write_hmog(folder.path(), &small(Packing::Folders), 7).unwrap();
    let loaded = load_all(&open(&written.path));
    let found = stamps(&loaded);
    let session = |defect: Defect| {
        let planted = written.planted.iter().find(|planted| planted.defect == defect).unwrap();
        let number = format!("{:02}", planted.session);
        let key = (&planted.subject, &number);
        let (.., tracks) = found.iter().find(|(subject, session, _)| (subject, session) == key).unwrap();
        (tracks, planted.line.unwrap_or(0) as usize)
    };
    let steps = |stamps: &[i64]| stamps.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    let (tracks, line) = session(Defect::DuplicateStamps);
    assert_eq!(steps(&tracks[0])[line - 2], 0);
    assert_eq!(steps(&tracks[0]).iter().filter(|step| **step == 0).count(), 3);
    let (tracks, line) = session(Defect::BackwardStamp);
    assert!(steps(&tracks[0])[line - 2] < 0);
    let (tracks, _) = session(Defect::Gap);
    assert!(tracks.iter().all(|stamps| steps(stamps).iter().any(|step| *step > 1_000_000_000)));
    let (tracks, _) = session(Defect::ShortSession);
    assert!(tracks[0].len() < 320 && tracks[0].len() > 280, "{}", tracks[0].len());
    let lonely = written.planted.iter().find(|planted| planted.defect == Defect::OneSession).unwrap();
    assert_eq!(found.iter().filter(|(subject, ..)| *subject == lonely.subject).count(), 1);
    assert!(found.iter().any(|(subject, ..)| subject == "207696"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let bytes = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let options = ImuOptions { subjects: 2, sessions: 2, seconds: 1.0, ..ImuOptions::default() };
        write_hmog(folder.path(), &options, seed).unwrap();
        ["100669.zip", "207696.zip"].map(|name| std::fs::read(folder.path().join(name)).unwrap())
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn options_without_room_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write =
        |options: ImuOptions| write_hmog(folder.path(), &options, 1).map(|_| ()).unwrap_err().to_string();
    let all = small(Packing::Folders);
    assert!(write(ImuOptions { subjects: 4, ..all }).starts_with("defects need 5 subjects"));
    assert!(write(ImuOptions { rate_hz: 10.0, ..all }).starts_with("defects need"));
    assert!(write(ImuOptions { seconds: f64::NAN, ..all }).starts_with("sessions must last"));
}

#[test]
fn csv_logs_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = ImuOptions { subjects: 3, sessions: 2, seconds: 3.0, ..ImuOptions::default() };
    let written = write_csv_logs(folder.path(), &options, 1).unwrap();
    let logs = Logs::open_csv(&csv_logs(folder.path()).unwrap()).unwrap();
    let loaded = load_all(&logs);
    assert_eq!((loaded.rejects.len(), loaded.batches.len(), logs.inputs().len()), (0, 6, 6));
    assert_eq!(
        loaded.batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>() as u64,
        written.readings
    );
    let first = &sessions(&loaded.batches[1]).unwrap()[0];
    assert_eq!((first.activity.as_deref(), first.id()), (Some(TASKS[1]), "100669-phone-002".to_owned()));
    let width = written.bytes as f64 / (written.readings as f64 / 2.0);
    assert!((80.0..100.0).contains(&width), "{width} bytes a line");
}

/// Mean and spread of each axis of both sensors, in the order of the channels.
fn features(batch: &arrow::array::RecordBatch) -> Vec<f64> {
    let view = &sessions(batch).unwrap()[0];
    let axes = view.tracks.iter().flat_map(|track| track.axes.iter());
    let of_axis = |axis: &std::borrow::Cow<'_, [f64]>| {
        let count = axis.len() as f64;
        let mean = axis.iter().sum::<f64>() / count;
        let variance = axis.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        [mean, (variance + 1e-6).ln()]
    };
    axes.flat_map(of_axis).collect()
}

/// The equal error rate of [`features`] on the people of `seed`: each session against the nearest of a subject's other
/// sessions of its kind, sitting or walking.
fn equal_error_rate(seed: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let options = ImuOptions { packing: Packing::Folders, ..ImuOptions::default() };
    let written = write_hmog(folder.path(), &options, seed).unwrap();
    let loaded = load_all(&open(&written.path));
    assert!(loaded.rejects.is_empty());
    let all: Vec<Vec<f64>> = loaded.batches.iter().map(features).collect();
    let per_subject = options.sessions;
    let kind = |session: usize| session % per_subject % 2;
    let mean = |kind_wanted: usize, of: &dyn Fn(&[f64]) -> f64| {
        let values: Vec<f64> =
            (0..all.len()).filter(|at| kind(*at) == kind_wanted).map(|at| of(&all[at])).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let variance = |kind_wanted: usize, at: usize| {
        let middle = mean(kind_wanted, &|f| f[at]);
        mean(kind_wanted, &|f| (f[at] - middle).powi(2))
    };
    let variances = [0, 1].map(|kind| (0..all[0].len()).map(|at| variance(kind, at)).collect::<Vec<_>>());
    let distance = |a: usize, b: usize| -> f64 {
        let pairs = all[a].iter().zip(&all[b]).zip(&variances[kind(a)]);
        pairs.map(|((a, b), variance)| (a - b).powi(2) / variance).sum()
    };
    let (mut genuine, mut impostor) = (Vec::new(), Vec::new());
    for probe in 0..all.len() {
        for client in 0..options.subjects {
            let sessions = client * per_subject..(client + 1) * per_subject;
            let models = sessions.filter(|model| *model != probe && kind(*model) == kind(probe));
            let nearest = models.map(|model| distance(model, probe)).fold(f64::INFINITY, f64::min);
            if client == probe / per_subject { &mut genuine } else { &mut impostor }.push(nearest);
        }
    }
    let rates = |limit: f64| {
        let missed = genuine.iter().filter(|d| **d > limit).count() as f64 / genuine.len() as f64;
        let passed = impostor.iter().filter(|d| **d <= limit).count() as f64 / impostor.len() as f64;
        (missed, passed)
    };
    let equal = genuine.iter().map(|limit| rates(*limit)).map(|(missed, passed)| (missed - passed, missed));
    equal.min_by(|a, b| a.0.abs().total_cmp(&b.0.abs())).unwrap().1
}

#[test]
fn people_can_be_told_apart_but_not_always() {
    for seed in [1, 7] {
        let error = equal_error_rate(seed);
        assert!((0.01..0.25).contains(&error), "seed {seed}: equal error rate {error}");
    }
}
