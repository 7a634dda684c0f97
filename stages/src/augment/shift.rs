//! `shift`: moves each sample within its crop.

use schemars::JsonSchema;
use schemas::Affine;
use schemas::random::KeyedRandom;
use schemas::units::NonNegative;
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::keyed::{Draw, Keyed};
use crate::stage::BuildContext;

/// How far samples move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftConfig {
    /// Greatest shift in px of the crop, along x and y alike, uniform to either side. The convolutional pose
    /// machines' layer has 10 by default; their released training used 0.
    pub max: NonNegative,
}

/// The stage.
pub type Shift = Keyed<ShiftConfig>;

impl ShiftConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> Shift {
        Keyed::new(*self, context)
    }
}

impl Draw for ShiftConfig {
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry) {
        let max = self.max.get();
        let (dx, dy) = (random.uniform(-max, max), random.uniform(-max, max));
        geometry.then(Affine::translation(dx, dy));
        geometry.shift_in_crop[0] += dx;
        geometry.shift_in_crop[1] += dy;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_moves_by_what_is_noted() {
        let config: ShiftConfig = toml::from_str("max = 10").unwrap();
        for at in 0..200 {
            let mut geometry = Geometry::new(Affine::scale(2.0), [64.0, 64.0]);
            config.draw(&mut KeyedRandom::new(1, "shift", &at.to_string(), 0), &mut geometry);
            let [dx, dy] = geometry.shift_in_crop;
            assert!(dx.abs() <= 10.0 && dy.abs() <= 10.0 && dx != dy);
            assert_eq!(geometry.crop_from_image.apply([3.0, 4.0]), [6.0 + dx, 8.0 + dy]);
        }
    }
}
