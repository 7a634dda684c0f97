//! `scale`: enlarges or shrinks each sample about the crop's centre.

use schemars::JsonSchema;
use schemas::Affine;
use schemas::random::KeyedRandom;
use schemas::units::{Positive, Probability};
use serde::{Deserialize, Serialize};

use super::error::AugmentError;
use super::geometry::Geometry;
use super::keyed::{Draw, Keyed};
use crate::stage::{BuildContext, StageError};

/// Spread of the exponent of two in the hourglass code: `0.25 * N(0, 1)` (`src/util/pose.lua`).
pub const HOURGLASS_SIGMA: Positive = Positive::constant(0.25);
/// Bound of that exponent: 0.5, so factors from 0.707 to 1.414.
pub const HOURGLASS_CLAMP: Positive = Positive::constant(0.5);
/// Default probability that a uniform factor is drawn at all: always.
pub const ALWAYS: Probability = Probability::constant(1.0);

/// How the factor is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScaleConfig {
    /// Enlarges the image by a factor that is uniform from `min` to `max`; by 1 with probability 1 -
    /// `probability`. Convolutional pose machines: 0.7 to 1.3, always.
    Uniform {
        /// Least factor.
        min: Positive,
        /// Greatest factor.
        max: Positive,
        /// How often a factor is drawn.
        #[serde(default = "always")]
        probability: Probability,
    },
    /// Enlarges the window by 2^ε, so the image by 2^-ε, where ε is normal with spread `sigma` and clamped to
    /// ±`clamp`. Stacked hourglass.
    #[serde(rename = "log2_normal")]
    Log2Normal {
        /// Spread of ε.
        #[serde(default = "hourglass_sigma")]
        sigma: Positive,
        /// Bound of ε.
        #[serde(default = "hourglass_clamp")]
        clamp: Positive,
    },
    /// Enlarges the window by 1 + ε, clamped to `min` and `max`, so the image by its inverse, where ε is normal
    /// with spread `sigma`. `HRNet`: 0.25 and 0.75 to 1.25.
    ClippedNormal {
        /// Spread of ε.
        sigma: Positive,
        /// Least factor of the window.
        min: Positive,
        /// Greatest factor of the window.
        max: Positive,
    },
}

fn always() -> Probability {
    ALWAYS
}

fn hourglass_sigma() -> Positive {
    HOURGLASS_SIGMA
}

fn hourglass_clamp() -> Positive {
    HOURGLASS_CLAMP
}

/// The stage.
pub type Scale = Keyed<ScaleConfig>;

impl ScaleConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When `min` is above `max`.
    pub fn build(&self, context: &BuildContext) -> Result<Scale, StageError> {
        if let Self::Uniform { min, max, .. } | Self::ClippedNormal { min, max, .. } = self
            && min > max
        {
            let (min, max) = (min.get(), max.get());
            return Err(StageError::step(AugmentError::MinAboveMax { min, max }));
        }
        Ok(Keyed::new(*self, context))
    }

    /// A factor by which the picture is enlarged.
    fn factor(&self, random: &mut KeyedRandom) -> f64 {
        match self {
            Self::Uniform { min, max, probability } => {
                if random.happens(probability.get()) {
                    random.uniform(min.get(), max.get())
                } else {
                    1.0
                }
            }
            Self::Log2Normal { sigma, clamp } => {
                let exponent = (sigma.get() * random.normal()).clamp(-clamp.get(), clamp.get());
                libm::exp2(-exponent)
            }
            Self::ClippedNormal { sigma, min, max } => {
                1.0 / (1.0 + sigma.get() * random.normal()).clamp(min.get(), max.get())
            }
        }
    }
}

impl Draw for ScaleConfig {
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry) {
        let factor = self.factor(random);
        geometry.then(Affine::scale(factor).about(geometry.crop_center()));
        geometry.scale_factor *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(plan: &str) -> Vec<f64> {
        let config: ScaleConfig = toml::from_str(plan).unwrap();
        (0..4000).map(|at| config.factor(&mut KeyedRandom::new(1, "scale", &at.to_string(), 0))).collect()
    }

    fn share(factors: &[f64], test: impl Fn(f64) -> bool) -> f64 {
        factors.iter().filter(|factor| test(**factor)).count() as f64 / factors.len() as f64
    }

    #[test]
    fn the_pose_machine_draws_uniformly() {
        let factors = factors("uniform = { min = 0.7, max = 1.3 }");
        assert!(factors.iter().all(|factor| (0.7..1.3).contains(factor)));
        assert!((share(&factors, |factor| factor < 0.85) - 0.25).abs() < 0.03);
    }

    #[test]
    fn a_probability_leaves_the_others_as_they_are() {
        let factors = factors("uniform = { min = 0.7, max = 1.3, probability = 0.4 }");
        assert!((share(&factors, |factor| factor == 1.0) - 0.6).abs() < 0.03);
    }

    #[test]
    fn the_hourglass_is_symmetric_in_the_exponent_and_bounded() {
        let factors = factors("log2_normal = {}");
        let bound = std::f64::consts::SQRT_2 + 1e-12;
        assert!(factors.iter().all(|factor| (1.0 / bound..=bound).contains(factor)));
        // |N| > 2 is clamped: 2.3 % at either end.
        let clamped = std::f64::consts::SQRT_2 - 1e-6;
        assert!((share(&factors, |factor| factor > clamped) - 0.0228).abs() < 0.01);
        assert!((share(&factors, |factor| factor < 1.0 / clamped) - 0.0228).abs() < 0.01);
        assert!((share(&factors, |factor| factor < 1.0) - 0.5).abs() < 0.03);
    }

    #[test]
    fn hrnet_draws_the_factor_of_the_window() {
        let factors = factors("clipped_normal = { sigma = 0.25, min = 0.75, max = 1.25 }");
        assert!(factors.iter().all(|factor| (0.8 - 1e-12..=1.0 / 0.75 + 1e-12).contains(factor)));
        // |N| > 1 is clamped: 15.9 % at either end.
        assert!((share(&factors, |factor| factor == 0.8) - 0.159).abs() < 0.02);
    }
}
