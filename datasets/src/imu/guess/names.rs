//! What names of columns and files mean.

use schemas::tables::readings::Sensor;

/// `name` in small letters, in words: `accX` is `acc x`, `Acceleration x (m/s^2)` is `acceleration x m s 2`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.chars() {
        let begins = !before.is_alphanumeric()
            || (before.is_lowercase() && letter.is_uppercase())
            || before.is_numeric() != letter.is_numeric();
        if letter.is_alphanumeric() {
            if begins || words.is_empty() {
                words.push(String::new());
            }
            if let Some(last) = words.last_mut() {
                last.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    words
}

/// The axis that a name of a column ends with, or has as a word of its own, and the rest of the name.
pub(super) fn axis(name: &str) -> Option<(usize, String)> {
    let axes = ["x", "y", "z"];
    let words = words(name);
    if let Some(at) = words.iter().position(|word| axes.contains(&word.as_str())) {
        let axis = axes.iter().position(|axis| *axis == words[at])?;
        let rest: Vec<&str> = words
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != at)
            .map(|(_, word)| word.as_str())
            .collect();
        return Some((axis, rest.join(" ")));
    }
    // `ax`, `accx`, `gyroy`; a number may follow.
    let at = words.iter().position(|word| word.len() > 1 && axes.iter().any(|axis| word.ends_with(axis)))?;
    let axis = axes.iter().position(|axis| words[at].ends_with(axis))?;
    let mut rest = words.clone();
    rest[at].pop();
    Some((axis, rest.join(" ")))
}

/// The sensor that a stem of column names means, and how plainly: 0 for its own readings, more for what is made of them.
pub(super) fn sensor(stem: &str) -> Option<(Sensor, u8)> {
    let words: Vec<&str> = stem.split(' ').collect();
    let has = |beginnings: &[&str]| {
        words.iter().any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
    };
    if has(&["mag", "grav", "ori", "att", "quat", "rotvec", "euler"]) && !has(&["acc", "gyr"]) {
        return None;
    }
    let made = u8::from(has(&["lin", "user", "grav", "uncal", "raw", "body", "free", "bias", "jerk"]));
    if has(&["acc"]) || words.first() == Some(&"a") {
        return Some((Sensor::Accelerometer, made));
    }
    if has(&["gyr", "angular", "omega", "rotationrate", "turn"])
        || (has(&["rotation"]) && has(&["rate"]))
        || matches!(words.first(), Some(&"g" | &"w"))
    {
        return Some((Sensor::Gyroscope, made));
    }
    None
}

/// Whether a name is that of a stamp.
pub(super) fn is_stamp(name: &str) -> bool {
    let words = words(name);
    let known = [
        "time",
        "timestamp",
        "timestamps",
        "stamp",
        "ts",
        "t",
        "epoch",
        "datetime",
        "millis",
        "elapsed",
        "date",
    ];
    words.iter().any(|word| {
        known.contains(&word.as_str()) || word.starts_with("timestamp") || word.starts_with("stamp")
    })
}

/// Whether a name is that of a count of readings.
pub(super) fn is_counter(name: &str) -> bool {
    let words = words(name);
    let known = [
        "index",
        "i",
        "n",
        "sample",
        "samples",
        "count",
        "counter",
        "packet",
        "packetcounter",
        "row",
        "frame",
        "seq",
    ];
    name.is_empty() || words.iter().any(|word| known.contains(&word.as_str()))
}

/// Whether a name is that of a person.
pub(super) fn is_subject(name: &str) -> bool {
    let known = ["user", "userid", "subject", "subjectid", "person", "participant", "volunteer", "proband"];
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

/// Whether a name is that of an activity.
pub(super) fn is_activity(name: &str) -> bool {
    let known = [
        "activity",
        "activityid",
        "activities",
        "label",
        "labels",
        "class",
        "gt",
        "what",
        "act",
        "action",
        "task",
    ];
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

/// Whether a name is that of a device.
pub(super) fn is_device(name: &str) -> bool {
    let known = ["device", "deviceid", "phone", "placement", "position", "location"];
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

/// Whether a name is that of a session.
pub(super) fn is_session(name: &str) -> bool {
    let known = ["session", "sessionid", "trial", "recording", "run"];
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_axes_of_sensors() {
        for (name, place, told) in [
            ("ax", 0, Some((Sensor::Accelerometer, 0))),
            ("acc_y", 1, Some((Sensor::Accelerometer, 0))),
            ("accZ", 2, Some((Sensor::Accelerometer, 0))),
            ("accx", 0, Some((Sensor::Accelerometer, 0))),
            ("Acceleration x (m/s^2)", 0, Some((Sensor::Accelerometer, 0))),
            ("Linear Acceleration x (m/s^2)", 0, Some((Sensor::Accelerometer, 1))),
            ("userAcceleration.x", 0, Some((Sensor::Accelerometer, 1))),
            ("Gyroscope z (rad/s)", 2, Some((Sensor::Gyroscope, 0))),
            ("rotationRate.y", 1, Some((Sensor::Gyroscope, 0))),
            ("gx", 0, Some((Sensor::Gyroscope, 0))),
            ("gyro_z", 2, Some((Sensor::Gyroscope, 0))),
            ("gravity.x", 0, None),
            ("mag_x", 0, None),
            ("x", 0, None),
            ("attr_x", 0, None),
        ] {
            let (found, stem) = axis(name).unwrap();
            assert_eq!((found, sensor(&stem)), (place, told), "{name}: {stem}");
        }
        for none in ["time", "roll", "label", "seconds_elapsed"] {
            assert_eq!(axis(none).and_then(|(_, stem)| sensor(&stem)), None, "{none}");
        }
    }

    #[test]
    fn names_mean_roles() {
        for (name, is) in [
            ("timestamp", is_stamp as fn(&str) -> bool),
            ("Time (s)", is_stamp),
            ("attr_time", is_stamp),
            ("seconds_elapsed", is_stamp),
            ("stamp_ms", is_stamp),
            ("User", is_subject),
            ("activityID", is_activity),
            ("label", is_activity),
            ("Device", is_device),
            ("", is_counter),
            ("PacketCounter", is_counter),
        ] {
            assert!(is(name), "{name}");
        }
        assert!(!is_stamp("rate") && !is_subject("us") && !is_activity("x"));
    }
}
