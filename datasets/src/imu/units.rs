//! Units of readings, and what makes the tables' units of them.

use std::fmt::{self, Debug};

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The units of the readings.
///
/// ```toml
/// units = { accelerometer = "g", gyroscope = "deg/s" }
/// # raw counts: a reading is so many of the unit a count
/// units = { accelerometer = { scale = 6.103515625e-5, unit = "g" }, gyroscope = "rad/s" }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Of the accelerometer; by default m/s².
    #[serde(default)]
    pub accelerometer: Unit<AccelerationUnit>,
    /// Of the gyroscope; by default rad/s.
    #[serde(default)]
    pub gyroscope: Unit<TurnUnit>,
}

/// Standard gravity, m/s² (3rd General Conference on Weights and Measures, 1901).
pub const STANDARD_GRAVITY: f64 = 9.806_65;
/// Of a unit prefixed by milli-.
const MILLI: f64 = 1e-3;

/// A unit by its name, or a number of it: `"g"` or `{ scale = 0.001, unit = "g" }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Unit<U: Default> {
    /// By its name.
    Named(U),
    /// So much of a unit for each one of the log: a count of a converter, as its data sheet tells.
    Scaled {
        /// How much of `unit` is one of the log; below 0 where the axes point the other way.
        scale: f64,
        /// The unit; by default that of the tables.
        #[serde(default)]
        unit: U,
    },
}

/// What makes the tables' unit of a unit.
pub trait Factor {
    /// Of how much of the tables' unit the unit consists.
    fn factor(&self) -> f64;
}

impl<U: Factor + Default> Unit<U> {
    /// What makes the tables' unit of a number of the log.
    pub fn factor(&self) -> f64 {
        match self {
            Self::Named(unit) => unit.factor(),
            Self::Scaled { scale, unit } => scale * unit.factor(),
        }
    }
}

impl<U: Default> Default for Unit<U> {
    fn default() -> Self {
        Self::Named(U::default())
    }
}

impl<'de, U: DeserializeOwned + Default> Deserialize<'de> for Unit<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<U>(std::marker::PhantomData<U>);

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, bound = "U: DeserializeOwned + Default")]
        struct Scaled<U: Default> {
            scale: f64,
            #[serde(default)]
            unit: U,
        }

        impl<'de, U: DeserializeOwned + Default> Visitor<'de> for Either<U> {
            type Value = Unit<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a unit, or `{ scale = NUMBER, unit = NAME }`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Unit<U>, E> {
                U::deserialize(StrDeserializer::new(name)).map(Unit::Named)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Unit<U>, A::Error> {
                let Scaled { scale, unit } = Scaled::deserialize(MapAccessDeserializer::new(map))?;
                if !scale.is_finite() || scale == 0.0 {
                    return Err(A::Error::custom(format!(
                        "a scale must be a number other than 0, found `{scale}`"
                    )));
                }
                Ok(Unit::Scaled { scale, unit })
            }
        }

        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

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
    /// Thousandths of [`STANDARD_GRAVITY`].
    #[serde(rename = "mg")]
    MilliGravity,
}

impl Factor for AccelerationUnit {
    fn factor(&self) -> f64 {
        match self {
            Self::MetresPerSecondSquared => 1.0,
            Self::Gravity => STANDARD_GRAVITY,
            Self::MilliGravity => STANDARD_GRAVITY * MILLI,
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
    /// Thousandths of a degree a second.
    #[serde(rename = "mdeg/s")]
    MilliDegreesPerSecond,
}

impl Factor for TurnUnit {
    fn factor(&self) -> f64 {
        const DEGREE: f64 = std::f64::consts::PI / 180.0;
        match self {
            Self::RadiansPerSecond => 1.0,
            Self::DegreesPerSecond => DEGREE,
            Self::MilliDegreesPerSecond => DEGREE * MILLI,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(text: &str) -> Result<[f64; 2], toml::de::Error> {
        toml::from_str::<Units>(text).map(|units| [units.accelerometer.factor(), units.gyroscope.factor()])
    }

    #[test]
    fn units_have_names_or_scales() {
        let degree = std::f64::consts::PI / 180.0;
        for (text, expected) in [
            ("", [1.0, 1.0]),
            ("accelerometer = 'g'\ngyroscope = 'deg/s'", [9.806_65, degree]),
            ("accelerometer = 'mg'\ngyroscope = 'mdeg/s'", [0.009_806_65, degree / 1e3]),
            ("accelerometer = { scale = 0.5, unit = 'g' }", [4.903_325, 1.0]),
            ("gyroscope = { scale = -2 }", [1.0, -2.0]),
        ] {
            let found = factors(text).unwrap();
            assert!((0..2).all(|at| (found[at] - expected[at]).abs() < 1e-15), "{text}: {found:?}");
        }
        for (wrong, told) in [
            ("gyroscope = 'rpm'", "rad/s"),
            ("accelerometer = { scale = 0 }", "other than 0"),
            ("accelerometer = { unit = 'g' }", "scale"),
            ("accelerometer = 3", "name of a unit"),
        ] {
            let error = factors(wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_was_said_comes_back() {
        let units: Units =
            toml::from_str("accelerometer = { scale = 0.25, unit = 'mg' }\ngyroscope = 'deg/s'").unwrap();
        assert_eq!(toml::from_str::<Units>(&toml::to_string(&units).unwrap()).unwrap(), units);
    }
}
