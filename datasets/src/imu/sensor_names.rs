//! Which sensor a name means: of a file, by the field `{sensor}`, or of a row, by a column.

use schemas::tables::readings::Sensor;

/// How names of a sensor begin, in any case.
const BEGINNINGS: [(&str, Sensor); 2] = [("acc", Sensor::Accelerometer), ("gyr", Sensor::Gyroscope)];
/// Names that mean the sensor's readings as they come, in small letters and without anything else. All other names that begin
/// alike may be of something made from them, such as `AccelerometerUncalibrated` or `acc_linear`.
const PLAIN: [&str; 14] = [
    "acc",
    "accm",
    "accel",
    "accelero",
    "accelerometer",
    "accelerometers",
    "acceleration",
    "accelerations",
    "gyr",
    "gyrm",
    "gyro",
    "gyros",
    "gyroscope",
    "gyroscopes",
];

/// The sensor that `name` begins with.
pub(super) fn sensor(name: &str) -> Option<Sensor> {
    let begins = |(beginning, _): &&(&str, Sensor)| {
        name.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    BEGINNINGS.iter().find(begins).map(|(_, sensor)| *sensor)
}

/// Whether `name` is a plain one of its sensor.
pub(super) fn is_plain(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    PLAIN.contains(&letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_sensors() {
        for (name, expected, plain) in [
            ("Accelerometer", Some(Sensor::Accelerometer), true),
            ("accm", Some(Sensor::Accelerometer), true),
            ("ACC", Some(Sensor::Accelerometer), true),
            ("AccelerometerUncalibrated", Some(Sensor::Accelerometer), false),
            ("acc_linear", Some(Sensor::Accelerometer), false),
            ("gyro", Some(Sensor::Gyroscope), true),
            ("Gyroscope-Uncalibrated", Some(Sensor::Gyroscope), false),
            ("LinearAcceleration", None, false),
            ("magnetometer", None, false),
            ("ac", None, false),
            ("ä", None, false),
        ] {
            assert_eq!((sensor(name), is_plain(name)), (expected, plain), "{name}");
        }
    }
}
