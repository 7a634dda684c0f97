//! Merged CSV logs: one file per session, both sensors on each line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;
use schemas::random::KeyedRandom;

use super::lines::{push_decimal, push_integer};
use super::motion::Motion;
use super::person::Person;
use super::{ImuOptions, ImuWriteError, WrittenLogs, subject_id};
use crate::imu::{Clock, ColumnRef, CsvLogs, FileGroup, NameFrom, Pattern, SensorColumns, TASKS};

/// Stamps of the first session, ms since 1970.
const FIRST_MILLIS: u64 = 1_700_000_000_000;
/// Milliseconds from one session of a subject to the next.
const SESSION_MILLIS: u64 = 86_400_000;
/// Decimals of a reading.
const DECIMALS: u32 = 8;
const HEADER: &[u8] = b"stamp_ms,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,activity\n";
/// Lines are handed to the file in pieces of about this many bytes.
const PIECE_BYTES: usize = 1 << 16;

/// Writes the motion of `options` into `folder`, which is made, as `{subject}/{session}.csv`: a header, 8 columns,
/// about 90 bytes per line. Files are written as they are made, whatever their length. There are no defects.
///
/// # Errors
/// When the system refuses, or the options ask for what cannot be.
pub fn write_csv_logs(folder: &Path, options: &ImuOptions, seed: u64) -> Result<WrittenLogs, ImuWriteError> {
    let options = ImuOptions { defects: false, ..*options };
    options.check()?;
    let subjects: Vec<String> = (0..options.subjects).map(subject_id).collect();
    for subject in &subjects {
        let path = folder.join(subject);
        std::fs::create_dir_all(&path).map_err(|source| ImuWriteError::io(&path, source))?;
    }
    let one = |place: usize| {
        let (subject, session) = (&subjects[place / options.sessions], place % options.sessions + 1);
        let path = folder.join(subject).join(format!("{session:03}.csv"));
        write(&path, subject, session, &options, seed).map_err(|source| ImuWriteError::io(&path, source))
    };
    let sessions = options.subjects * options.sessions;
    let done: Vec<(u64, u64)> =
        (0..sessions).into_par_iter().map(one).collect::<Result<_, ImuWriteError>>()?;
    Ok(WrittenLogs {
        path: folder.to_owned(),
        subjects,
        sessions,
        readings: done.iter().map(|(lines, _)| 2 * lines).sum(),
        bytes: done.iter().map(|(_, bytes)| bytes).sum(),
        planted: Vec::new(),
    })
}

/// Lines and bytes.
fn write(
    path: &Path,
    subject: &str,
    session: usize,
    options: &ImuOptions,
    seed: u64,
) -> std::io::Result<(u64, u64)> {
    let mut file = BufWriter::new(File::create(path)?);
    let name = format!("{subject}-{session}");
    let task = (session - 1) % TASKS.len();
    let style =
        Person::new(seed, subject).session(&mut KeyedRandom::new(seed, "synthetic session", &name, 0), task);
    let mut motion =
        Motion::new(&style, task % 2 == 1, KeyedRandom::new(seed, "synthetic readings", &name, 0));
    let start = FIRST_MILLIS + session as u64 * SESSION_MILLIS;
    let mut text = HEADER.to_vec();
    let (mut t, mut lines, mut bytes) = (0.0, 0, 0);
    loop {
        t = motion.next_time(t, options.rate_hz);
        let done = t >= options.seconds;
        if done || text.len() > PIECE_BYTES {
            file.write_all(&text)?;
            bytes += text.len() as u64;
            text.clear();
        }
        if done {
            break;
        }
        push_integer(&mut text, start + (t * 1e3) as u64);
        for value in motion.acceleration(t).into_iter().chain(motion.rotation(t)) {
            text.push(b',');
            push_decimal(&mut text, value, DECIMALS);
        }
        text.push(b',');
        text.extend_from_slice(TASKS[task].as_bytes());
        text.push(b'\n');
        lines += 1;
    }
    file.flush()?;
    Ok((lines, bytes))
}

/// How a plan declares what [`write_csv_logs`] wrote into `folder`.
///
/// # Errors
/// Never; the pattern is sound.
pub fn csv_logs(folder: &Path) -> Result<CsvLogs, String> {
    let name = |name: &str| ColumnRef::Name(name.to_owned());
    let sensors = SensorColumns {
        accelerometer: Some(["acc_x", "acc_y", "acc_z"].map(name)),
        gyroscope: Some(["gyro_x", "gyro_y", "gyro_z"].map(name)),
    };
    let pattern = Pattern::try_from("{subject}/{session}.csv".to_owned())?;
    let group = FileGroup {
        device: Some(NameFrom::Value("phone".to_owned())),
        activity: Some(NameFrom::Column(name("activity"))),
        ..FileGroup::new(pattern, sensors).stamped(Clock::Milliseconds, name("stamp_ms"))
    };
    Ok(CsvLogs {
        layout: None,
        path: folder.to_owned(),
        dataset: Some("synthetic".to_owned()),
        preset: None,
        guess: false,
        files: vec![group],
        sessions: None,
    })
}
