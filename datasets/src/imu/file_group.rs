//! Files of one layout: what their columns are, and how long logs are cut.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemas::units::{Count, Hertz, Positive};
use serde::{Deserialize, Serialize};

use super::columns::{ColumnRef, Separator};
use super::moment::{DateOrder, Zone};
use super::number::Clock;
use super::pattern::Pattern;
use super::text::Encoding;
use super::units::Units;

/// Files of one form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileGroup {
    /// Their paths below `path`, with fields: `{subject}/{session}_sp.csv`. A file `x.gz` is found as `x` too, and an archive
    /// `x.zip` as a folder `x` or `x.zip`. Groups of the same pattern share their files, each for the columns that it names.
    pub pattern: Pattern,
    /// Whether a line holds the names of the columns: the first one or, where that lacks a name that is used, the first of
    /// 100 lines that has all. Lines above it are passed over.
    #[serde(default = "yes")]
    pub header: bool,
    /// How many lines stand above the header, or above the first reading where there is no header, and are passed over.
    #[serde(default)]
    pub skip_lines: u32,
    /// How lines begin that are comments: they are passed over. `#` by default.
    #[serde(default = "comment")]
    pub comment: String,
    /// The encoding; by default UTF-8, or UTF-16 where the file begins with its byte order mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The separator of fields, one ASCII character. A space stands for any run of spaces and tabs.
    #[serde(default)]
    pub separator: Separator,
    /// The decimal mark of numbers.
    #[serde(default)]
    pub decimal: DecimalMark,
    /// The unit of the stamps, or `date-time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<StampClock>,
    /// The column of the stamps, or two columns of date and time. Without it, `rate_hz` says when readings are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<StampColumns>,
    /// Readings a second, of logs without a clock: `stamp` then counts readings, and without it each line is one, the first
    /// line at 0 s. A line that cannot be read leaves a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<Hertz>,
    /// The time zone of dates and times that state none: `UTC` or an offset such as `+02:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The order of day and month in dates whose year stands last, such as `31/12/2023`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// What is added to the stamps of each sensor, ms.
    #[serde(default)]
    pub clock_offset_ms: ClockOffsets,
    /// The columns of x, y and z. With the field `{sensor}` in the pattern, each file holds one of these
    /// sensors; with the key `sensor`, each line.
    pub sensors: SensorColumns,
    /// The column that says whose reading a line is, of logs that have the sensors one below the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<SensorNames>,
    /// The units of the readings.
    #[serde(default)]
    pub units: Units,
    /// The subject; must be given here or by the pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<NameFrom>,
    /// The device; empty if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<NameFrom>,
    /// The session; empty if not given, so that all readings of one subject and device are one session, unless it is
    /// cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<NameFrom>,
    /// The activity; unknown if not given here or by the pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<NameFrom>,
    /// Names of activities by what the log writes for them: `{ "1" = "lying", dws = "downstairs" }`; others stay as they are,
    /// and an empty name is an unknown activity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub activities: BTreeMap<String, String>,
    /// How many columns a line has. By default as many as the header, or, without a header, as most of the
    /// first 100 lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Count>,
}

impl FileGroup {
    /// Comma-separated files with a header, in the tables' units, whose stamps are not said yet.
    pub fn new(pattern: Pattern, sensors: SensorColumns) -> Self {
        Self {
            pattern,
            header: true,
            skip_lines: 0,
            comment: comment(),
            encoding: None,
            separator: Separator::default(),
            decimal: DecimalMark::default(),
            clock: None,
            stamp: None,
            rate_hz: None,
            zone: None,
            date_order: None,
            clock_offset_ms: ClockOffsets::default(),
            sensors,
            sensor: None,
            units: Units::default(),
            subject: None,
            device: None,
            session: None,
            activity: None,
            activities: BTreeMap::new(),
            columns: None,
        }
    }

    /// With stamps in `column` that count `clock`.
    #[must_use]
    pub fn stamped(self, clock: Clock, column: ColumnRef) -> Self {
        Self { clock: Some(clock.into()), stamp: Some(StampColumns::One(column)), ..self }
    }
}

fn yes() -> bool {
    true
}

/// How comments begin, by default. Source: the default of `numpy.loadtxt`, and `numpy.savetxt`, which writes headers so.
pub const COMMENT: &str = "#";

fn comment() -> String {
    COMMENT.to_owned()
}

/// The decimal mark of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum DecimalMark {
    /// `0.5`.
    #[default]
    #[serde(rename = ".")]
    Point,
    /// `0,5`; where commas separate fields too, numbers must be quoted.
    #[serde(rename = ",")]
    Comma,
}

/// How stamps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StampClock {
    /// As numbers of seconds, with a fraction or without.
    #[serde(rename = "s")]
    Seconds,
    /// As numbers of milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// As numbers of microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// As numbers of nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// As date and time: `2023-05-01T12:30:00.250+02:00`, `2023-05-01 12:30:00`, `01.05.2023 12:30:00,250`.
    #[serde(rename = "date-time")]
    DateTime,
}

impl StampClock {
    /// The unit of stamps that are numbers.
    pub fn unit(self) -> Option<Clock> {
        match self {
            Self::Seconds => Some(Clock::Seconds),
            Self::Milliseconds => Some(Clock::Milliseconds),
            Self::Microseconds => Some(Clock::Microseconds),
            Self::Nanoseconds => Some(Clock::Nanoseconds),
            Self::DateTime => None,
        }
    }
}

impl From<Clock> for StampClock {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Seconds => Self::Seconds,
            Clock::Milliseconds => Self::Milliseconds,
            Clock::Microseconds => Self::Microseconds,
            Clock::Nanoseconds => Self::Nanoseconds,
        }
    }
}

/// Where stamps stand: a column, or `["date", "time"]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "the name of a column, its number from 1 to 10000, or two of these for date and time"
)]
pub enum StampColumns {
    /// In one column.
    One(ColumnRef),
    /// The date in the first one, the time in the second.
    DateAndTime([ColumnRef; 2]),
}

/// What is added to the stamps of each sensor, ms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockOffsets {
    /// To those of the accelerometer; 0 by default.
    #[serde(default)]
    pub accelerometer: f64,
    /// To those of the gyroscope; 0 by default.
    #[serde(default)]
    pub gyroscope: f64,
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

/// The column that says whose reading a line is: `{ column = "sensor" }`, or with the names that stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorNames {
    /// The column.
    pub column: ColumnRef,
    /// What it says of the accelerometer; by default its plain names, `acc`, `accelerometer` and such, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerometer: Option<String>,
    /// What it says of the gyroscope; by default its plain names, `gyr`, `gyroscope` and such, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gyroscope: Option<String>,
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
    /// A new session begins where no sensor has had a reading for more than this many seconds.
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
    /// The files' paths below `path`; a file applies to the sessions that agree with all its fields.
    pub pattern: Pattern,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// The separator of fields, one ASCII character.
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
    /// What ends it. Other events are ignored.
    pub end: String,
}
