//! HMOG's layout: folders of sessions, loose or in archives.

use std::path::Path;

use rayon::prelude::*;
use schemas::random::KeyedRandom;

use super::archives::{damage, packed};
use super::defects::{Defect, Planted};
use super::lines::{push_decimal, push_integer};
use super::motion::Motion;
use super::person::Person;
use super::{ImuOptions, ImuWriteError, Packing, WrittenLogs, subject_id};

/// The instant at which the first session begins, ms since 1970.
const FIRST_MILLIS: u64 = 1_396_000_000_000;
/// Milliseconds from one session of a subject to the next.
const SESSION_MILLIS: u64 = 86_400_000;
/// The event clock of the phone at the start of a session, ns.
const EVENT_NANOS: u64 = 3_600_000_000_000;
/// Tasks of HMOG that have a name: 7 to 24.
const FIRST_TASK: usize = 7;
const TASKS: usize = 18;
/// Length of the session that is shorter than a window, s.
const SHORT_SECONDS: f64 = 3.0;
/// Decimals of a reading.
const DECIMALS: u32 = 6;

/// A file of a subject: its path below the data set, and its bytes.
type Entry = (String, Vec<u8>);

/// Writes HMOG as `options` say into `folder`, which is made.
///
/// # Errors
/// When the system refuses, or the options ask for what cannot be.
pub fn write_hmog(folder: &Path, options: &ImuOptions, seed: u64) -> Result<WrittenLogs, ImuWriteError> {
    options.check()?;
    std::fs::create_dir_all(folder).map_err(|source| ImuWriteError::io(folder, source))?;
    let one = |index: usize| {
        let mut subject = Subject::write(index, options, seed);
        let bytes = subject.pack(folder, options)?;
        Ok((subject, bytes))
    };
    let done: Vec<(Subject, Vec<u8>)> =
        (0..options.subjects).into_par_iter().map(one).collect::<Result<_, ImuWriteError>>()?;
    let mut path = folder.to_owned();
    let mut bytes = done.iter().map(|(subject, _)| subject.bytes).sum();
    if let Packing::OneZip | Packing::OneStoredZip = options.packing {
        path.push("hmog_dataset.zip");
        let deflated = options.packing == Packing::OneZip;
        let entries = done
            .iter()
            .map(|(subject, bytes)| (format!("public_dataset/{}.zip", subject.folder), &bytes[..]));
        let outer = packed(entries, deflated).map_err(|error| ImuWriteError::zip(&path, &error))?;
        bytes = outer.len() as u64;
        std::fs::write(&path, outer).map_err(|source| ImuWriteError::io(&path, source))?;
    }
    Ok(WrittenLogs {
        path,
        subjects: done.iter().map(|(subject, _)| subject.id.clone()).collect(),
        sessions: done.iter().map(|(subject, _)| subject.sessions).sum(),
        readings: done.iter().map(|(subject, _)| subject.readings).sum(),
        bytes,
        planted: done.into_iter().flat_map(|(subject, _)| subject.planted).collect(),
    })
}

/// One subject on the way to the disk.
#[derive(Debug)]
struct Subject {
    id: String,
    /// The name of the folder, mixed up or not.
    folder: String,
    entries: Vec<Entry>,
    sessions: usize,
    readings: u64,
    bytes: u64,
    planted: Vec<Planted>,
}

impl Subject {
    fn write(index: usize, options: &ImuOptions, seed: u64) -> Self {
        let id = subject_id(index);
        let mixed = options.defects && index == 1;
        let folder = if mixed { "207969".to_owned() } else { id.clone() };
        let mut subject =
            Self { folder, entries: Vec::new(), sessions: 0, readings: 0, bytes: 0, planted: Vec::new(), id };
        let person = Person::new(seed, &subject.id);
        let lonely = options.defects && index == options.subjects - 1;
        for session in 1..=if lonely { 1 } else { options.sessions } {
            let here = |(_, at, number): &(Defect, usize, usize)| {
                options.defects && (*at, *number) == (index, session)
            };
            let defects: Vec<Defect> = Defect::places(options.sessions)
                .into_iter()
                .filter(here)
                .map(|(defect, ..)| defect)
                .collect();
            subject.session(&person, session, &defects, options, seed);
        }
        if mixed {
            subject.plant(Defect::MixedDigits, 0, None);
        }
        if lonely {
            subject.plant(Defect::OneSession, 1, None);
        }
        if options.defects && index == 0 {
            let number = options.sessions + 1;
            subject.entries.push((format!("{}/", subject.path(number, "")), Vec::new()));
            subject.plant(Defect::EmptyFolder, number, None);
        }
        subject
    }

    fn path(&self, session: usize, file: &str) -> String {
        let slash = if file.is_empty() { "" } else { "/" };
        format!("{0}/{0}_session_{session}{slash}{file}", self.folder)
    }

    fn plant(&mut self, defect: Defect, session: usize, line: Option<u64>) {
        let file = match defect {
            Defect::MixedDigits => self.folder.clone(),
            _ => self.path(session, defect.file()),
        };
        let (subject, shows_as) = (self.id.clone(), defect.shows_as());
        self.planted.push(Planted { defect, shows_as, subject, session, file, line });
    }

    fn session(
        &mut self,
        person: &Person,
        session: usize,
        defects: &[Defect],
        options: &ImuOptions,
        seed: u64,
    ) {
        let name = format!("{}-{session}", self.id);
        let task = FIRST_TASK + (session - 1) % TASKS;
        let style =
            person.session(&mut KeyedRandom::new(seed, "synthetic session", &name, 0), (session - 1) % 6);
        let seconds = if defects.contains(&Defect::ShortSession) { SHORT_SECONDS } else { options.seconds };
        let start = FIRST_MILLIS + session as u64 * SESSION_MILLIS;
        let id = |half: usize| format!("{}{session:02}{task:02}{half:05}", self.id);
        let mut logs = [Vec::new(), Vec::new()];
        for (sensor, log) in logs.iter_mut().enumerate() {
            let random = KeyedRandom::new(seed, "synthetic readings", &name, sensor as i32);
            let mut motion = Motion::new(&style, task.is_multiple_of(2), random);
            let mut t = 0.0;
            loop {
                t = motion.next_time(t, options.rate_hz);
                if t >= seconds {
                    break;
                }
                let xyz = if sensor == 0 { motion.acceleration(t) } else { motion.rotation(t) };
                let half = usize::from(t >= seconds / 2.0);
                log.push(line(start + (t * 1e3) as u64, EVENT_NANOS + (t * 1e9) as u64, &id(half + 1), xyz));
            }
        }
        let end = start + (seconds * 1e3) as u64;
        let activity = |half: usize| {
            let [from, to] =
                [start + (end - start) / 2 * (half as u64 - 1), start + (end - start) / 2 * half as u64];
            let (id, subject) = (id(half), &self.id);
            format!("{id},{subject},{session},{from},{to},{},{},1,{task},{half}\n", from - start, to - start)
        };
        let listed = if defects.contains(&Defect::UnlistedActivity) { 1..=1 } else { 1..=2 };
        self.entries.push((
            self.path(session, "Activity.csv"),
            listed.map(activity).collect::<String>().into_bytes(),
        ));
        let mut readings = logs.iter().map(Vec::len).sum::<usize>() as u64;
        for defect in defects {
            let (line, lost) = defect.spoil(&mut logs);
            readings -= lost;
            if *defect == Defect::Junk {
                let names = [
                    format!("__MACOSX/{}/._Accelerometer.csv", self.folder),
                    self.path(session, "._Accelerometer.csv"),
                ];
                self.entries.extend(names.map(|name| (name, b"\0\x05\x16\x07".to_vec())));
            }
            self.plant(*defect, session, line);
        }
        self.readings += readings;
        self.sessions += 1;
        for (file, log) in ["Accelerometer.csv", "Gyroscope.csv"].into_iter().zip(&logs) {
            if file == "Accelerometer.csv" && defects.contains(&Defect::MissingAccelerometer) {
                continue;
            }
            self.entries.push((self.path(session, file), log.concat()));
        }
    }

    /// Writes the entries as folders or as an archive; gives the archive's bytes where it goes into another one.
    fn pack(&mut self, folder: &Path, options: &ImuOptions) -> Result<Vec<u8>, ImuWriteError> {
        let entries = std::mem::take(&mut self.entries);
        if options.packing == Packing::Folders {
            for (name, bytes) in entries {
                let path = folder.join(&name);
                let parent = if name.ends_with('/') { &path } else { path.parent().unwrap_or(folder) };
                std::fs::create_dir_all(parent).map_err(|source| ImuWriteError::io(parent, source))?;
                if !name.ends_with('/') {
                    self.bytes += bytes.len() as u64;
                    std::fs::write(&path, bytes).map_err(|source| ImuWriteError::io(&path, source))?;
                }
            }
            return Ok(Vec::new());
        }
        let path = folder.join(format!("{}.zip", self.folder));
        let third = options.defects && self.id == subject_id(3);
        let leaving = third.then(|| ("../../evil.csv".to_owned(), &b"1,2,3\n"[..]));
        let all = entries.iter().map(|(name, bytes)| (name.clone(), &bytes[..])).chain(leaving);
        let mut zipped = packed(all, true).map_err(|error| ImuWriteError::zip(&path, &error))?;
        if third {
            let session = 3;
            let entry = self.path(session, Defect::CorruptEntry.file());
            damage(&mut zipped, &entry).map_err(|error| ImuWriteError::zip(&path, &error))?;
            let lost = entries.iter().find(|(name, _)| *name == entry);
            self.readings -= lost.map_or(0, |(_, bytes)| bytes.split(|b| *b == b'\n').count() as u64 - 1);
            self.plant(Defect::CorruptEntry, session, None);
            self.plant(Defect::LeavingPath, 0, None);
            if let Some(planted) = self.planted.last_mut() {
                planted.file = format!("{}.zip", self.folder);
            }
        }
        self.bytes = zipped.len() as u64;
        if options.packing == Packing::SubjectZips {
            std::fs::write(&path, &zipped).map_err(|source| ImuWriteError::io(&path, source))?;
            zipped.clear();
        }
        Ok(zipped)
    }
}

/// One line of a sensor's log; the orientation of the phone is always 0.
fn line(millis: u64, event_nanos: u64, activity: &str, xyz: [f64; 3]) -> Vec<u8> {
    let mut text = Vec::with_capacity(96);
    push_integer(&mut text, millis);
    text.push(b',');
    push_integer(&mut text, event_nanos);
    text.push(b',');
    text.extend_from_slice(activity.as_bytes());
    for value in xyz {
        text.push(b',');
        push_decimal(&mut text, value, DECIMALS);
    }
    text.extend_from_slice(b",0\n");
    text
}
