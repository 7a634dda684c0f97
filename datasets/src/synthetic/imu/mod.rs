//! A seeded generator of phone motion, written in the formats of HMOG and of plain CSV logs, defects included.
//!
//! [`write_hmog`] writes sessions of people who read, write and look at maps, sitting and walking; [`write_csv_logs`]
//! writes the same motion as merged CSV logs. People differ in gait ([`person`]), hold and tremor, and a person's
//! sessions differ less than people do: a verification experiment succeeds, but not without errors. The same options
//! and seed give the same bytes.
//!
//! The motion is made up: use it to run and check a pipeline, never to judge a method.

pub mod person;

mod archives;
mod csv_logs;
mod defects;
mod hmog;
mod lines;
mod motion;
mod spoil;

pub use csv_logs::{csv_logs, write_csv_logs};
pub use defects::{Defect, Planted, ShowsAs};
pub use hmog::write_hmog;

use std::path::{Path, PathBuf};

/// How much motion to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImuOptions {
    /// How many people.
    pub subjects: usize,
    /// Sessions of each; the six tasks take turns.
    pub sessions: usize,
    /// Length of a session, s.
    pub seconds: f64,
    /// Nominal readings of each sensor per second; the actual ones jitter.
    pub rate_hz: f64,
    /// Whether to plant one of each [`Defect`]: needs [`LEAST_SUBJECTS`] and [`LEAST_SESSIONS`].
    pub defects: bool,
    /// Folders or archives; for HMOG alone.
    pub packing: Packing,
}

impl Default for ImuOptions {
    /// The size of a demonstration, at HMOG's nominal rate (PROTOCOLS.md 5.5).
    fn default() -> Self {
        Self {
            subjects: 16,
            sessions: 6,
            seconds: 20.0,
            rate_hz: 100.0,
            defects: false,
            packing: Packing::SubjectZips,
        }
    }
}

/// The fewest people among whom all defects find room.
pub const LEAST_SUBJECTS: usize = 5;
/// The fewest sessions of each among which all defects find room.
pub const LEAST_SESSIONS: usize = 4;
/// The shortest session that holds all defects of a log, s.
pub const LEAST_SECONDS: f64 = 4.0;
/// The fewest readings of a sensor a session that hold all defects of a log.
pub const LEAST_READINGS: f64 = 400.0;

/// How HMOG is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `<subject>/<subject>_session_<n>/`.
    Folders,
    /// `<subject>.zip`, each with the folders of one.
    SubjectZips,
    /// `hmog_dataset.zip` with `public_dataset/<subject>.zip`, deflated once more.
    OneZip,
    /// The same, the subjects' archives stored as they are.
    OneStoredZip,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenLogs {
    /// What a reader is given: a folder, or the outer archive.
    pub path: PathBuf,
    /// Subjects, as they are to be read.
    pub subjects: Vec<String>,
    /// How many sessions, with readings or without.
    pub sessions: usize,
    /// Readings that are sound, of all sensors.
    pub readings: u64,
    /// Size of all files together.
    pub bytes: u64,
    /// The defects, in the order of their places.
    pub planted: Vec<Planted>,
}

/// Why motion could not be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum ImuWriteError {
    /// The system refused.
    #[error("cannot write: {source}: `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// An archive could not be made.
    #[error("cannot pack: {detail}: `{}`", path.display())]
    Zip { path: PathBuf, detail: String },
    /// The options ask for what cannot be written.
    #[error("{rule}, found {found}")]
    Options { rule: String, found: String },
}

impl ImuWriteError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    fn zip(path: &Path, detail: &impl ToString) -> Self {
        Self::Zip { path: path.to_owned(), detail: detail.to_string() }
    }
}

impl ImuOptions {
    fn check(&self) -> Result<(), ImuWriteError> {
        let wrong = |rule: &str, found: String| Err(ImuWriteError::Options { rule: rule.to_owned(), found });
        if !(self.seconds > 0.0 && self.seconds <= 1e6 && self.rate_hz >= 1.0 && self.rate_hz <= 1e4) {
            let found = format!("{} s at {} Hz", self.seconds, self.rate_hz);
            return wrong("sessions must last up to 1000000 s, at 1 to 10000 Hz", found);
        }
        let readings = self.seconds * self.rate_hz;
        let long = self.seconds >= LEAST_SECONDS && readings >= LEAST_READINGS;
        let room = self.subjects >= LEAST_SUBJECTS && self.sessions >= LEAST_SESSIONS && long;
        if self.defects && !room {
            let rule = format!(
                "defects need {LEAST_SUBJECTS} subjects, {LEAST_SESSIONS} sessions, {LEAST_SECONDS} s and {LEAST_READINGS} readings"
            );
            let found = format!(
                "{} subjects, {} sessions, {} s and {readings} readings",
                self.subjects, self.sessions, self.seconds
            );
            return wrong(&rule, found);
        }
        Ok(())
    }
}

/// Id of subject number `index`: six digits, as HMOG has them; the second one is the subject whose folder has its
/// digits mixed up there.
fn subject_id(index: usize) -> String {
    if index == 1 { "207696".to_owned() } else { format!("{:06}", 100_669 + 37 * index) }
}

#[cfg(test)]
mod tests;
