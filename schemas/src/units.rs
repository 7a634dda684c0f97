//! Numbers of a plan that are checked when they are made, so that an error points at the value.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A number outside the range of its key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} must be {rule}, found `{found}`")]
pub struct OutOfRange {
    what: &'static str,
    rule: &'static str,
    found: String,
}

/// The key under which JSON schemas state a number's range in words.
pub const RULE: &str = "rule";

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "Number", into = "f64")]
        pub struct $name($inner);

        impl $name {
            /// A named constant, which is in range by its definition; the range is not checked here.
            pub const fn constant(value: $inner) -> Self {
                Self(value)
            }

            /// The number itself.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfRange;

            fn try_from(value: f64) -> Result<Self, OutOfRange> {
                let valid: fn(f64) -> bool = $valid;
                if valid(value) {
                    Ok(Self(value as $inner))
                } else {
                    Err(OutOfRange { what: $what, rule: $rule, found: written(value) })
                }
            }
        }

        impl TryFrom<Number> for $name {
            type Error = OutOfRange;

            fn try_from(value: Number) -> Result<Self, OutOfRange> {
                Self::try_from(value.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = OutOfRange;

            fn from_str(text: &str) -> Result<Self, OutOfRange> {
                let value = text.parse::<f64>();
                value.ok().and_then(|value| Self::try_from(value).ok()).ok_or_else(|| OutOfRange {
                    what: $what,
                    rule: $rule,
                    found: text.to_owned(),
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let written = if stringify!($inner) == "f64" { "number" } else { "integer" };
                json_schema!({ "type": written, RULE: $rule })
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0 as f64
            }
        }
    };
}

/// `value` as a plan may spell it: with an exponent where its digits would fill the line.
fn written(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-6..1e15).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// A number of a plan, written with or without a decimal point.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Number(f64);

ranged!(
    /// A share from 0 to 1.
    Probability, f64, "a probability", "from 0 to 1", |v| (0.0..=1.0).contains(&v)
);
ranged!(
    /// An angle in degrees, 0 to 180, as a bound or a spread to either side.
    Degrees, f64, "an angle", "from 0 to 180 degrees", |v| (0.0..=180.0).contains(&v)
);
ranged!(
    /// A number above zero, a factor or a length: 1e-9 to 1e9, so that its square is neither 0 nor infinite.
    Positive, f64, "this number", "from 1e-9 to 1e9", |v| (1e-9..=1e9).contains(&v)
);
ranged!(
    /// A number that is zero or above, up to 1e9.
    NonNegative, f64, "this number", "from 0 to 1e9", |v| (0.0..=1e9).contains(&v)
);
ranged!(
    /// The spread of a Gaussian in pixels, 0.01 to 16384: from a point to the largest raster.
    Spread, f64, "a spread", "from 0.01 to 16384 px", |v| (0.01..=16384.0).contains(&v)
);
ranged!(
    /// The spread of a patch in pixels, 0.01 to 300: a patch of three spreads to either side stays below 2000 px.
    PatchSpread, f64, "the spread of a patch", "from 0.01 to 300 px", |v| (0.01..=300.0).contains(&v)
);
ranged!(
    /// Bins of a label per pixel of a crop, 0.01 to 16.
    BinsPerPixel, f64, "a number of bins per pixel", "from 0.01 to 16", |v| (0.01..=16.0).contains(&v)
);
ranged!(
    /// How far a patch reaches from its middle in whole pixels, 1 to 1000.
    Radius, u32, "a radius", "a whole number from 1 to 1000 px",
    |v| v.fract() == 0.0 && (1.0..=1000.0).contains(&v)
);
ranged!(
    /// A part of a whole, 0 to 1.
    Part, f64, "a part of a whole", "from 0 to 1", |v| (0.0..=1.0).contains(&v)
);
ranged!(
    /// Size of a filter in px: an odd number, 3 to 99, so that it has a middle.
    Odd, u32, "a filter's size", "an odd number from 3 to 99",
    |v| v.fract() == 0.0 && (3.0..=99.0).contains(&v) && v % 2.0 == 1.0
);
ranged!(
    /// A size in millions of pixels, above 0 and up to 1000: 3 GB of RGB.
    Megapixels, f64, "a number of megapixels", "from 1e-6 to 1000", |v| (1e-6..=1000.0).contains(&v)
);
ranged!(
    /// A rate in samples per second, 0.001 to 100000 Hz: from one sample in a quarter of an hour to ultrasound.
    Hertz, f64, "a rate", "from 0.001 to 100000 Hz", |v| (1e-3..=1e5).contains(&v)
);
ranged!(
    /// A length of a raster in whole pixels, 1 to 16384.
    Pixels, u32, "a size in pixels", "a whole number from 1 to 16384",
    |v| v.fract() == 0.0 && (1.0..=16384.0).contains(&v)
);
ranged!(
    /// A count, 1 to one million.
    Count, u32, "a count", "a whole number from 1 to 1000000",
    |v| v.fract() == 0.0 && (1.0..=1_000_000.0).contains(&v)
);
ranged!(
    /// A grey level, 0 to 255.
    Grey, u8, "a grey level", "a whole number from 0 to 255",
    |v| v.fract() == 0.0 && (0.0..=255.0).contains(&v)
);

impl Degrees {
    /// The angle in radians.
    pub fn radians(self) -> f64 {
        self.0.to_radians()
    }
}

/// `value` with a comma between thousands.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "44,240", "1,234,567"],
            [0, 999, 1000, 44240, 1_234_567].map(grouped)
        );
    }

    #[test]
    fn values_outside_the_range_are_refused_with_the_rule() {
        let error = Probability::try_from(1.5).unwrap_err();
        assert_eq!(error.to_string(), "a probability must be from 0 to 1, found `1.5`");
        assert!(Pixels::try_from(0.0).is_err() && Pixels::try_from(2.5).is_err());
        assert!(Positive::try_from(f64::NAN).is_err() && Positive::try_from(f64::INFINITY).is_err());
        assert_eq!(Grey::try_from(128.0).unwrap().get(), 128);
    }

    #[test]
    fn no_type_takes_a_number_that_cannot_be_worked_with() {
        macro_rules! refuse {
            ($($unit:ident)*) => {$(
                for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300, -1e300, f64::MAX, 1e10] {
                    let error = $unit::try_from(value).unwrap_err().to_string();
                    assert!(error.contains("from ") && error.len() < 120, "{}: {error}", stringify!($unit));
                }
            )*};
        }
        macro_rules! refuse_tiny {
            ($($unit:ident)*) => {$(
                for value in [0.0, 1e-300, f64::MIN_POSITIVE, 5e-324] {
                    assert!($unit::try_from(value).is_err(), "{}: {value:e}", stringify!($unit));
                }
            )*};
        }
        refuse!(Part Odd Probability Degrees Positive NonNegative Spread PatchSpread Radius Megapixels Hertz Pixels Count Grey);
        refuse_tiny!(Odd Positive Spread PatchSpread Radius Megapixels Hertz Pixels Count);
        let error = Positive::try_from(1e300).unwrap_err();
        assert_eq!(error.to_string(), "this number must be from 1e-9 to 1e9, found `1e300`");
        assert_eq!(
            Spread::try_from(1e-300).unwrap_err().to_string().split("found ").last(),
            Some("`1e-300`")
        );
    }
}
