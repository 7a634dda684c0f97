//! Declarations of known data sets.

use schemars::JsonSchema;
use schemas::units::Positive;
use serde::{Deserialize, Serialize};

use super::columns::ColumnRef;
use super::file_group::{Cut, FileGroup, NameFrom, SensorColumns};
use super::number::Clock;
use super::pattern::Pattern;

/// A data set whose files are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// `GeoTecINIT/sp-sw-har-dataset`, the smartphone's logs: `{subject}/{session}_sp.csv` with a header, both sensors
    /// merged, stamps in ms, acceleration with gravity. One execution is one session, about 10 s. The device is named
    /// `phone`: the files do not say which it was.
    SpSwHar,
    /// UCI HHAR, the phones' logs: `Phones_accelerometer.csv` and `Phones_gyroscope.csv`, here without a header,
    /// with subject, model, device and activity in columns. A header becomes a reject, as line 1.
    ///
    /// Of the two clocks, the stamp is that of the reading's creation (ns); that of its arrival (ms) comes in bursts.
    /// A session ends where a device is silent for more than [`HHAR_GAP_SECONDS`]: a person's run through the
    /// activities is then one session, like one unlock of a phone. Sessions are called `001`, `002`, ...
    HharPhone,
}

/// How long a device of HHAR is silent between two sessions, s. Our choice: pauses within the logs that we examined
/// are below 6 s, and the data set's description names no sessions.
pub const HHAR_GAP_SECONDS: f64 = 60.0;

impl Preset {
    /// The name of the data set.
    pub fn dataset(self) -> &'static str {
        match self {
            Self::SpSwHar => "sp-sw-har",
            Self::HharPhone => "hhar-phone",
        }
    }

    /// Its groups of files, and how its logs are cut.
    ///
    /// # Errors
    /// Never; the patterns are sound.
    pub(super) fn declaration(self) -> Result<(Vec<FileGroup>, Option<Cut>), String> {
        let names = |names: [&str; 3]| Some(names.map(|name| ColumnRef::Name(name.to_owned())));
        match self {
            Self::SpSwHar => {
                let sensors = SensorColumns {
                    accelerometer: names(["x_acc", "y_acc", "z_acc"]),
                    gyroscope: names(["x_gyro", "y_gyro", "z_gyro"]),
                };
                let group = FileGroup {
                    device: Some(NameFrom::Value("phone".to_owned())),
                    activity: Some(NameFrom::Column(ColumnRef::Name("label".to_owned()))),
                    ..FileGroup::new(Pattern::try_from("{subject}/{session}_sp.csv".to_owned())?, sensors)
                        .stamped(Clock::Milliseconds, ColumnRef::Name("timestamp".into()))
                };
                Ok((vec![group], None))
            }
            Self::HharPhone => {
                let column = |number| Some(NameFrom::Column(ColumnRef::Number(number)));
                let xyz = [4, 5, 6].map(ColumnRef::Number);
                let group = |pattern: &str, sensors| {
                    Ok::<_, String>(FileGroup {
                        subject: column(7),
                        device: column(9),
                        activity: column(10),
                        header: false,
                        ..FileGroup::new(Pattern::try_from(pattern.to_owned())?, sensors)
                            .stamped(Clock::Nanoseconds, ColumnRef::Number(3))
                    })
                };
                let accelerometer = SensorColumns { accelerometer: Some(xyz.clone()), gyroscope: None };
                let gyroscope = SensorColumns { accelerometer: None, gyroscope: Some(xyz) };
                let groups = vec![
                    group("Phones_accelerometer.csv", accelerometer)?,
                    group("Phones_gyroscope.csv", gyroscope)?,
                ];
                Ok((groups, Some(Cut::GapSeconds(Positive::constant(HHAR_GAP_SECONDS)))))
            }
        }
    }
}
