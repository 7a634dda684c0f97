//! How a plan declares CSV logs.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::units::{Count, Positive};
use serde::{Deserialize, Serialize};

use super::columns::{ColumnRef, Separator};
use super::number::Clock;
use super::pattern::Pattern;
use super::presets::Preset;

/// Accelerometer and gyroscope logs in CSV files.
///
/// ```toml
/// path = "logs"                       # a folder, or one file
/// dataset = "our-study"
/// sessions = { gap_seconds = 60 }     # optional: cut long logs
///
/// [[files]]
/// pattern = "{subject}/{session}.csv" # fields: subject, device, session, sensor; `*` is anything
/// header = true                       # the first line holds the names of the columns
/// separator = ","
/// clock = "ms"                        # s, ms, us or ns
/// stamp = "time"                      # a column: by name, or by number from 1
/// sensors = { accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }
/// units = { accelerometer = "m/s2", gyroscope = "rad/s" }
/// device = { value = "nexus5" }       # subject, device, session: a constant, a column, or from the pattern
/// activity = { column = "label" }
/// ```
///
/// One of the two real sets that we know needs no declaration: `preset = "sp-sw-har"` or `"hhar-phone"`.
///
/// Files that agree in subject, device and session make one session, sensors in files of their own included. The rows
/// of a file whose subject, device or session comes from a column are grouped by value, in order of first appearance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(group = clap::ArgGroup::new("declared").required(true)))]
#[serde(deny_unknown_fields)]
pub struct CsvLogs {
    /// A folder, or one file.
    #[schemars(extend("format" = "path"))]
    pub path: PathBuf,
    /// A TOML file with the keys `files`, `dataset` and `sessions`, instead of giving them here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE", group = "declared"))]
    pub layout: Option<PathBuf>,
    /// Name of the data set; a preset has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub dataset: Option<String>,
    /// A data set whose files are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_enum, group = "declared"))]
    pub preset: Option<Preset>,
    /// Groups of files; a file belongs to the first group whose pattern fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "clap", arg(skip))]
    pub files: Vec<FileGroup>,
    /// How to cut long logs; without it they stay as they are. It overrides that of a preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(skip))]
    pub sessions: Option<Cut>,
}

/// Files of one form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileGroup {
    /// Their paths below `path`, with fields: `{subject}/{session}_sp.csv`.
    pub pattern: Pattern,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// What stands between two fields, one ASCII character.
    #[serde(default)]
    pub separator: Separator,
    /// The unit of the stamps.
    pub clock: Clock,
    /// The column of the stamps.
    pub stamp: ColumnRef,
    /// The columns of x, y and z. A pattern with the field `{sensor}` has one of these sensors a file.
    pub sensors: SensorColumns,
    /// The units of the readings.
    #[serde(default)]
    pub units: Units,
    /// Who; must be given here or by the pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<NameFrom>,
    /// With what; empty where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<NameFrom>,
    /// Which session; empty where it is not given, so all of one subject and device is one session, unless it is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<NameFrom>,
    /// Doing what; unknown where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<NameFrom>,
    /// How many columns a line has. Without it, as many as the header, else as most of the first 100 lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Count>,
}

fn yes() -> bool {
    true
}

/// The columns of x, y and z of each sensor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorColumns {
    /// Of the accelerometer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerometer: Option<[ColumnRef; 3]>,
    /// Of the gyroscope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gyroscope: Option<[ColumnRef; 3]>,
}

/// The units of the readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Of the accelerometer, m/s² unless said otherwise.
    #[serde(default)]
    pub accelerometer: AccelerationUnit,
    /// Of the gyroscope, rad/s unless said otherwise.
    #[serde(default)]
    pub gyroscope: TurnUnit,
}

/// Standard gravity, m/s² (3rd General Conference on Weights and Measures, 1901).
pub const STANDARD_GRAVITY: f64 = 9.806_65;

/// A unit of acceleration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum AccelerationUnit {
    /// Metres a second squared.
    #[default]
    #[serde(rename = "m/s2")]
    MetresPerSecondSquared,
    /// [`STANDARD_GRAVITY`].
    #[serde(rename = "g")]
    Gravity,
}

impl AccelerationUnit {
    /// What makes m/s² of it.
    pub fn factor(self) -> f64 {
        match self {
            Self::MetresPerSecondSquared => 1.0,
            Self::Gravity => STANDARD_GRAVITY,
        }
    }
}

/// A unit of angular velocity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TurnUnit {
    /// Radians a second.
    #[default]
    #[serde(rename = "rad/s")]
    RadiansPerSecond,
    /// Degrees a second.
    #[serde(rename = "deg/s")]
    DegreesPerSecond,
}

impl TurnUnit {
    /// What makes rad/s of it.
    pub fn factor(self) -> f64 {
        match self {
            Self::RadiansPerSecond => 1.0,
            Self::DegreesPerSecond => std::f64::consts::PI / 180.0,
        }
    }
}

/// Where a name comes from: `{ column = "user" }` or `{ value = "nexus5" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameFrom {
    /// From a column, row by row.
    Column(ColumnRef),
    /// The same for all.
    Value(String),
}

/// How long logs are cut into sessions, which are numbered `{session}-001`, `{session}-002`, ...
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A session begins where no sensor has had a reading for longer than so many seconds.
    GapSeconds(Positive),
    /// A session lasts from one event to another, such as unlock and lock.
    Events(Events),
}

/// A log of events.
///
/// ```toml
/// sessions = { events = { pattern = "{subject}/screen.csv", clock = "ms", stamp = "time", event = "what", start = "unlock", end = "lock" } }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The files' paths below `path`; a file holds for the sessions that agree with all its fields.
    pub pattern: Pattern,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// What stands between two fields, one ASCII character.
    #[serde(default)]
    pub separator: Separator,
    /// The unit of the stamps, which must count from the same instant as those of the readings.
    pub clock: Clock,
    /// The column of the stamps.
    pub stamp: ColumnRef,
    /// The column of the event.
    pub event: ColumnRef,
    /// What begins a session.
    pub start: String,
    /// What ends it. Other events are passed over.
    pub end: String,
}
