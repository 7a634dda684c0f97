//! `rotate`: rotates each sample about the crop's centre.

use schemars::JsonSchema;
use schemas::Affine;
use schemas::random::KeyedRandom;
use schemas::units::{Degrees, Probability};
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::keyed::{Draw, Keyed};
use crate::stage::BuildContext;

/// Spread of the angle in the hourglass code (`src/util/pose.lua`); the paper's "30 degrees" is this, not a bound.
pub const HOURGLASS_SIGMA: Degrees = Degrees::constant(30.0);
/// Bound of that angle.
pub const HOURGLASS_CLAMP: Degrees = Degrees::constant(60.0);
/// How often the hourglass code rotates at all: it sets the angle to 0 with probability 0.6.
pub const HOURGLASS_PROBABILITY: Probability = Probability::constant(0.4);

/// How the angle is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RotateConfig {
    /// Uniform up to `max_degrees` to either side. Convolutional pose machines: 40.
    Uniform {
        /// The bound.
        max_degrees: Degrees,
    },
    /// Normal with spread `sigma_degrees`, clamped to `clamp_degrees`; 0 with probability 1 - `probability`. Stacked
    /// hourglass.
    Normal {
        /// Spread.
        #[serde(default = "hourglass_sigma")]
        sigma_degrees: Degrees,
        /// Bound.
        #[serde(default = "hourglass_clamp")]
        clamp_degrees: Degrees,
        /// How often an angle is drawn.
        #[serde(default = "hourglass_probability")]
        probability: Probability,
    },
}

fn hourglass_sigma() -> Degrees {
    HOURGLASS_SIGMA
}

fn hourglass_clamp() -> Degrees {
    HOURGLASS_CLAMP
}

fn hourglass_probability() -> Probability {
    HOURGLASS_PROBABILITY
}

/// The stage.
pub type Rotate = Keyed<RotateConfig>;

impl RotateConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> Rotate {
        Keyed::new(*self, context)
    }

    fn radians(&self, random: &mut KeyedRandom) -> f64 {
        match self {
            Self::Uniform { max_degrees } => random.uniform(-max_degrees.radians(), max_degrees.radians()),
            Self::Normal { sigma_degrees, clamp_degrees, probability } => {
                if !random.happens(probability.get()) {
                    return 0.0;
                }
                let bound = clamp_degrees.radians();
                (sigma_degrees.radians() * random.normal()).clamp(-bound, bound)
            }
        }
    }
}

impl Draw for RotateConfig {
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry) {
        let radians = self.radians(random);
        geometry.then(Affine::rotation(radians).about(geometry.crop_center()));
        geometry.rotation_radians += radians;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn angles(plan: &str) -> Vec<f64> {
        let config: RotateConfig = toml::from_str(plan).unwrap();
        (0..4000)
            .map(|at| config.radians(&mut KeyedRandom::new(1, "rotate", &at.to_string(), 0)).to_degrees())
            .collect()
    }

    #[test]
    fn the_pose_machine_turns_up_to_forty_degrees() {
        let angles = angles("uniform = { max_degrees = 40 }");
        assert!(angles.iter().all(|angle| angle.abs() <= 40.0));
        let beyond = angles.iter().filter(|angle| **angle > 20.0).count();
        assert!((beyond as f64 / 4000.0 - 0.25).abs() < 0.03, "{beyond}");
    }

    #[test]
    fn the_hourglass_turns_two_in_five_with_a_spread_of_thirty() {
        let angles = angles("normal = {}");
        let turned: Vec<f64> = angles.into_iter().filter(|angle| *angle != 0.0).collect();
        assert!((turned.len() as f64 / 4000.0 - 0.4).abs() < 0.03);
        assert!(turned.iter().all(|angle| angle.abs() <= 60.0 + 1e-9));
        let beyond = turned.iter().filter(|angle| angle.abs() > 30.0).count() as f64 / turned.len() as f64;
        assert!((beyond - 0.317).abs() < 0.04, "beyond one spread: {beyond}");
    }
}
