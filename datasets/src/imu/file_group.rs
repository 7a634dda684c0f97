//! Files of one layout: what their columns are, and how long logs are cut.

use schemars::JsonSchema;
use schemas::units::{Count, Positive};
use serde::{Deserialize, Serialize};

use super::columns::{ColumnRef, Separator};
use super::number::Clock;
use super::pattern::Pattern;

/// Files of one form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileGroup {
    /// Their paths below `path`, with fields: `{subject}/{session}_sp.csv`.
    pub pattern: Pattern,
    /// Whether the first line holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// The separator of fields, one ASCII character.
    #[serde(default)]
    pub separator: Separator,
    /// The unit of the stamps.
    pub clock: Clock,
    /// The column of the stamps.
    pub stamp: ColumnRef,
    /// The columns of x, y and z. With the field `{sensor}` in the pattern, each file holds one of these
    /// sensors.
    pub sensors: SensorColumns,
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
    /// The activity; unknown if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<NameFrom>,
    /// How many columns a line has. By default as many as the header, or, without a header, as most of the
    /// first 100 lines.
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
    /// Of the accelerometer; by default m/s².
    #[serde(default)]
    pub accelerometer: AccelerationUnit,
    /// Of the gyroscope; by default rad/s.
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
