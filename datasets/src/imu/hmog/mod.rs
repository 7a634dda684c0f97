//! HMOG: header-less logs of phones, in zip archives or unpacked.
//!
//! The layout is that of PROTOCOLS.md 5.5, as published code reads it: `hmog_dataset.zip` /
//! `public_dataset/<subject>.zip` / `<subject>/<subject>_session_<n>/` with `Accelerometer.csv`, `Gyroscope.csv` and
//! `Activity.csv`. Other files (magnetometer, touch, keys) are ignored.

mod activity;
mod container;
mod inner;
mod item;
mod listing;
pub(super) mod unpack;

#[cfg(test)]
mod tests;

pub use activity::TASKS;

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::readings;
use serde::{Deserialize, Serialize};

use super::Logs;
use super::columns::ColumnRef;
use super::file_group::{FileGroup, NameFrom, SensorColumns};
use super::memory;
use super::number::Clock;
use super::pattern::Pattern;
use crate::ReadError;
use crate::source::{OpenSource, Source};

/// Name of the data set.
pub const DATASET: &str = "hmog";
/// Name of the device of every session: one model of phone served all subjects, and which of them is not told.
pub const DEVICE: &str = "phone";
/// Columns of a sensor's log: system time, event time, activity id, x, y, z, orientation.
const SENSOR_COLUMNS: u32 = 7;

/// HMOG: accelerometer and gyroscope logs, one zip or folder per subject, or the zip of all subjects.
///
/// ```toml
/// path = "hmog_dataset.zip"   # or a folder of <subject>.zip, one of them, or a folder unpacked from them
/// clock = "system"            # or "event"
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args), command(verbatim_doc_comment))]
#[serde(deny_unknown_fields)]
pub struct HmogLogs {
    /// The outer archive, a folder of subjects' archives, one such archive, or a folder with unpacked ones.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// Which of the two clocks the stamps are from.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
    pub clock: HmogClock,
    /// The unit of the event clock. Nanoseconds, as Android's `SensorEvent.timestamp`, are inferred: no description of
    /// the files that we have states it.
    #[serde(default = "event_unit")]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t = event_unit()))]
    pub event_unit: Clock,
}

/// A clock of HMOG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum HmogClock {
    /// The system's, milliseconds since 1970: stamps repeat.
    #[default]
    System,
    /// That of the sensor events.
    Event,
}

fn event_unit() -> Clock {
    Clock::Nanoseconds
}

impl Source for HmogLogs {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(readings::schema())
    }

    /// Logs are found when the source is opened.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(Logs::open_hmog(self)?.into())
    }
}

impl Logs {
    /// The sessions of HMOG: lists archives and folders, but reads no log.
    ///
    /// A session is called by its number, with two digits or more; the device is [`DEVICE`]. Readings whose activity
    /// the session's `Activity.csv` does not list have an activity without a name. Known defects are survived and told:
    /// see [`super::reasons`] and [`Self::notes`].
    ///
    /// An archive inside an archive is listed in place where it is stored; a deflated one must be unpacked in memory
    /// for that. In loading, a deflated one is unpacked once for all sessions of its subject, as long as items are
    /// loaded about in their order, and forgotten after the last.
    ///
    /// # Errors
    /// When the path cannot be read or holds no session.
    pub fn open_hmog(config: &HmogLogs) -> Result<Self, ReadError> {
        memory::keep();
        let path = &config.path;
        let listed = listing::list(path)?;
        if listed.sessions.is_empty() {
            let expected =
                "HMOG must have folders `<subject>_session_<n>` with `Accelerometer.csv` or `Gyroscope.csv`";
            let why = listed.rejects.first().map_or("none".to_owned(), |reject| {
                format!("none; first, {}: {}", reject.reason, reject.detail)
            });
            return Err(ReadError::unexpected(path, expected, why));
        }
        let items = item::items(listed.sessions, &sensor_group(config));
        Ok(Self { items, rejects: listed.rejects, notes: listed.notes, inputs: listed.inputs })
    }
}

/// How a sensor's log is laid out; the same for both sensors.
fn sensor_group(config: &HmogLogs) -> FileGroup {
    let (clock, stamp) = match config.clock {
        HmogClock::System => (Clock::Milliseconds, 1),
        HmogClock::Event => (config.event_unit, 2),
    };
    let xyz = || Some([4, 5, 6].map(ColumnRef::Number));
    let sensors = SensorColumns { accelerometer: xyz(), gyroscope: xyz() };
    FileGroup {
        activity: Some(NameFrom::Column(ColumnRef::Number(3))),
        header: false,
        comment: String::new(),
        columns: Some(schemas::units::Count::constant(SENSOR_COLUMNS)),
        ..FileGroup::new(Pattern::any(), sensors).stamped(clock, ColumnRef::Number(stamp))
    }
}
