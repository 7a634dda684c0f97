//! `flip`: mirrors left and right of some samples.

use schemars::JsonSchema;
use schemas::Affine;
use schemas::random::KeyedRandom;
use schemas::units::Probability;
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::keyed::{Draw, Keyed};
use crate::stage::BuildContext;

/// How often a sample is mirrored by default: 0.5, as in both papers' code.
pub const PROBABILITY: Probability = Probability::constant(0.5);

/// How often samples are mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlipConfig {
    /// Probability that a sample is mirrored.
    #[serde(default = "probability")]
    pub probability: Probability,
}

fn probability() -> Probability {
    PROBABILITY
}

/// The stage. x becomes W - 1 - x; `warp` then swaps left and right joints.
pub type Flip = Keyed<FlipConfig>;

impl FlipConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> Flip {
        Keyed::new(*self, context)
    }
}

impl Draw for FlipConfig {
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry) {
        if random.happens(self.probability.get()) {
            geometry.then(Affine::mirror(geometry.crop_size[0]));
            geometry.flipped = !geometry.flipped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn flipping_twice_is_the_identity(factor in 0.1..5.0f64, radians in -3.0..3.0f64, tx in -500.0..500.0f64) {
            let map = Affine::scale(factor) * Affine::rotation(radians) * Affine::translation(tx, 7.0);
            let mut geometry = Geometry::new(map, [256.0, 192.0]);
            let always = FlipConfig { probability: Probability::constant(1.0) };
            let mut random = KeyedRandom::new(1, "flip", "a", 0);
            always.draw(&mut random, &mut geometry);
            prop_assert!(geometry.flipped && geometry.crop_from_image.determinant() < 0.0);
            always.draw(&mut random, &mut geometry);
            prop_assert!(!geometry.flipped);
            for (found, expected) in geometry.crop_from_image.0.iter().zip(map.0) {
                prop_assert!((found - expected).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn half_of_the_samples_are_mirrored() {
        let config: FlipConfig = toml::from_str("").unwrap();
        let flipped = (0..4000).filter(|at| {
            let mut geometry = Geometry::new(Affine::IDENTITY, [10.0, 10.0]);
            config.draw(&mut KeyedRandom::new(1, "flip", &at.to_string(), 0), &mut geometry);
            geometry.flipped
        });
        assert!((flipped.count() as f64 / 4000.0 - 0.5).abs() < 0.03);
    }
}
