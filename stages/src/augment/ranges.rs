//! Ranges of factors; reading one checks the order of its ends.

use schemars::JsonSchema;
use schemas::random::KeyedRandom;
use schemas::units::{NonNegative, Positive};
use serde::{Deserialize, Serialize};

/// From a least factor, 0 or above, to a greatest one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
pub struct FactorRange {
    min: NonNegative,
    max: Positive,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    min: NonNegative,
    max: Positive,
}

/// A range whose end is below its start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`min` must not be above `max`, found `{min}` and `{max}`")]
pub struct Reversed {
    min: f64,
    max: f64,
}

impl TryFrom<Written> for FactorRange {
    type Error = Reversed;

    fn try_from(written: Written) -> Result<Self, Reversed> {
        let (min, max) = (written.min.get(), written.max.get());
        if min > max {
            return Err(Reversed { min, max });
        }
        Ok(Self { min: written.min, max: written.max })
    }
}

impl FactorRange {
    /// A number drawn uniformly from the range.
    pub fn draw(self, random: &mut KeyedRandom) -> f64 {
        random.uniform(self.min.get(), self.max.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversed_range_is_refused_with_its_ends() {
        let error = toml::from_str::<FactorRange>("min = 1.5\nmax = 1").unwrap_err().to_string();
        assert!(error.contains("`min` must not be above `max`, found `1.5` and `1`"), "{error}");
        assert!(toml::from_str::<FactorRange>("min = 1\nmax = 1").is_ok());
    }
}
