//! `colour`: changes the RGB levels of each sample by one affine map.

use schemars::JsonSchema;
use schemas::random::KeyedRandom;
use serde::{Deserialize, Serialize};

use super::error::AugmentError;
use super::geometry::Geometry;
use super::keyed::{Draw, Keyed};
use super::ranges::FactorRange;
use crate::stage::{BuildContext, StageError};

/// Weights of red, green and blue in the grey level that `saturation` mixes with: ITU-R BT.601, as torchvision's.
pub const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// The grey level that `contrast` spreads levels about. An image's own mean would need its pixels, which are only
/// read later, once.
pub const MID_GREY: f64 = 127.5;

/// The changes; each factor is drawn uniformly from its range, in this order, and 1 changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColourConfig {
    /// Multiplies each channel by its own factor. Stacked hourglass: 0.6 to 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<FactorRange>,
    /// All channels times one factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brightness: Option<FactorRange>,
    /// Multiplies the distance of every level from mid grey by one factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<FactorRange>,
    /// Multiplies the distance of every pixel from its own grey level by one factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation: Option<FactorRange>,
}

/// The stage. Levels are clamped once, after all changes, when `warp` applies the composed map.
pub type Colour = Keyed<ColourConfig>;

impl ColourConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When nothing would change.
    pub fn build(&self, context: &BuildContext) -> Result<Colour, StageError> {
        if *self == Self::default() {
            return Err(StageError::step(AugmentError::NoColour));
        }
        Ok(Keyed::new(*self, context))
    }
}

impl Draw for ColourConfig {
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry) {
        let mut steps = Vec::new();
        if let Some(range) = self.gain {
            let gains = [range.draw(random), range.draw(random), range.draw(random)];
            steps.push(diagonal(gains, 0.0));
        }
        if let Some(range) = self.brightness {
            steps.push(diagonal([range.draw(random); 3], 0.0));
        }
        if let Some(range) = self.contrast {
            let factor = range.draw(random);
            steps.push(diagonal([factor; 3], (1.0 - factor) * MID_GREY));
        }
        if let Some(range) = self.saturation {
            steps.push(saturation(range.draw(random)));
        }
        for step in steps {
            geometry.colour_matrix = composed(&step, &geometry.colour_matrix);
        }
    }
}

fn diagonal(factors: [f64; 3], offset: f64) -> [f64; 12] {
    let mut matrix = [0.0; 12];
    for channel in 0..3 {
        matrix[4 * channel + channel] = factors[channel];
        matrix[4 * channel + 3] = offset;
    }
    matrix
}

fn saturation(factor: f64) -> [f64; 12] {
    let mut matrix = diagonal([factor; 3], 0.0);
    for channel in 0..3 {
        for (source, weight) in LUMA.iter().enumerate() {
            matrix[4 * channel + source] += (1.0 - factor) * weight;
        }
    }
    matrix
}

/// The `[3, 4]` map that applies `inner` first, then `outer`.
fn composed(outer: &[f64; 12], inner: &[f64; 12]) -> [f64; 12] {
    let mut matrix = [0.0; 12];
    for row in 0..3 {
        for column in 0..4 {
            let sum: f64 = (0..3).map(|k| outer[4 * row + k] * inner[4 * k + column]).sum();
            matrix[4 * row + column] = sum + if column == 3 { outer[4 * row + 3] } else { 0.0 };
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Affine;

    fn drawn(plan: &str, at: usize) -> [f64; 12] {
        let config: ColourConfig = toml::from_str(plan).unwrap();
        let mut geometry = Geometry::new(Affine::IDENTITY, [1.0, 1.0]);
        config.draw(&mut KeyedRandom::new(1, "colour", &at.to_string(), 0), &mut geometry);
        geometry.colour_matrix
    }

    fn apply(matrix: &[f64; 12], rgb: [f64; 3]) -> [f64; 3] {
        [0, 4, 8].map(|row| (0..3).map(|k| matrix[row + k] * rgb[k]).sum::<f64>() + matrix[row + 3])
    }

    #[test]
    fn the_hourglass_gains_are_drawn_for_each_channel() {
        for at in 0..200 {
            let matrix = drawn("gain = { min = 0.6, max = 1.4 }", at);
            let gains = [matrix[0], matrix[5], matrix[10]];
            assert!(gains.iter().all(|gain| (0.6..1.4).contains(gain)));
            assert!(gains[0] != gains[1] && gains[1] != gains[2]);
            assert_eq!([matrix[1], matrix[2], matrix[3], matrix[7], matrix[11]], [0.0; 5]);
        }
    }

    #[test]
    fn contrast_keeps_mid_grey_and_saturation_keeps_greys() {
        let fixed = |name: &str| format!("{name} = {{ min = 0.5, max = 0.5 }}");
        let contrast = drawn(&fixed("contrast"), 0);
        assert_eq!(apply(&contrast, [127.5, 0.0, 255.0]), [127.5, 63.75, 191.25]);
        let saturation = drawn(&fixed("saturation"), 0);
        let grey = apply(&saturation, [80.0; 3]);
        assert!(grey.iter().all(|level| (level - 80.0).abs() < 1e-9));
        let red = apply(&saturation, [200.0, 0.0, 0.0]);
        assert!((red[0] - 129.9).abs() < 1e-9 && (red[1] - 29.9).abs() < 1e-9, "{red:?}");
    }

    #[test]
    fn changes_compose_in_their_order() {
        let fixed = "brightness = { min = 2, max = 2 }\ncontrast = { min = 0.5, max = 0.5 }";
        // 10 -> 20 by brightness -> 20 * 0.5 + 63.75 by contrast.
        assert_eq!(apply(&drawn(fixed, 0), [10.0; 3]), [73.75; 3]);
    }
}
