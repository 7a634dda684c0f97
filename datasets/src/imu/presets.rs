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
    /// WISDM activity prediction 1.1: `WISDM_ar_v1.1_raw.txt`, accelerometer alone, 20 Hz.
    Wisdm,
    /// WISDM smartphone and smartwatch (2019): `raw/phone/accel/data_1600_accel_phone.txt` and such, 20 Hz.
    WisdmPhoneWatch,
    /// PAMAP2: `Protocol/subject101.dat` and such, three IMUs at 100 Hz.
    Pamap2,
    /// `MotionSense`: `A_DeviceMotion_data/dws_1/sub_1.csv` and such, 50 Hz, acceleration without gravity.
    MotionSense,
    /// `RealWorld` HAR: `proband1/data/acc_walking_csv.zip` and such, 50 Hz, seven places on the body.
    RealworldHar,
    /// Recordings of the app Sensor Logger: `{subject}/{session}.zip`, or unpacked.
    SensorLogger,
    /// Experiments of the app phyphox, as CSV: `{subject}/{session}.zip`, or unpacked.
    Phyphox,
}

/// How long a device of HHAR is silent between two sessions, s. Our choice: pauses within the logs that we examined
/// are below 6 s, and the data set's description names no sessions.
pub const HHAR_GAP_SECONDS: f64 = 60.0;

/// What a layout declares; the data set has the preset's name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(rename = "dataset")]
    _dataset: Option<String>,
    files: Vec<FileGroup>,
    sessions: Option<Cut>,
}

impl Preset {
    /// The name of the data set.
    pub fn dataset(self) -> &'static str {
        match self {
            Self::SpSwHar => "sp-sw-har",
            Self::HharPhone => "hhar-phone",
            Self::Wisdm => "wisdm",
            Self::WisdmPhoneWatch => "wisdm-phone-watch",
            Self::Pamap2 => "pamap2",
            Self::MotionSense => "motion-sense",
            Self::RealworldHar => "realworld-har",
            Self::SensorLogger => "sensor-logger",
            Self::Phyphox => "phyphox",
        }
    }

    /// Its layout as a text that `layout` reads too, where it has one.
    pub fn layout(self) -> Option<&'static str> {
        Some(match self {
            Self::SpSwHar | Self::HharPhone => return None,
            Self::Wisdm => include_str!("presets/wisdm.toml"),
            Self::WisdmPhoneWatch => include_str!("presets/wisdm-phone-watch.toml"),
            Self::Pamap2 => include_str!("presets/pamap2.toml"),
            Self::MotionSense => include_str!("presets/motion-sense.toml"),
            Self::RealworldHar => include_str!("presets/realworld-har.toml"),
            Self::SensorLogger => include_str!("presets/sensor-logger.toml"),
            Self::Phyphox => include_str!("presets/phyphox.toml"),
        })
    }

    /// Its groups of files, and how its logs are cut.
    ///
    /// # Errors
    /// Never; the patterns and layouts are sound.
    pub(super) fn declaration(self) -> Result<(Vec<FileGroup>, Option<Cut>), String> {
        let names = |names: [&str; 3]| Some(names.map(|name| ColumnRef::Name(name.to_owned())));
        if let Some(layout) = self.layout() {
            let declared: Declared = toml::from_str(layout).map_err(|error| error.to_string())?;
            return Ok((declared.files, declared.sessions));
        }
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
            _ => Err("a preset without a layout".to_owned()),
        }
    }
}
