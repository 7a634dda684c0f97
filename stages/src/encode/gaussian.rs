//! Gaussians sampled at the grid's places in the crop, as in the pose machines' training layer.

use schemars::JsonSchema;
use schemas::units::{NonNegative, Positive, Spread};
use serde::{Deserialize, Serialize};

/// Where a Gaussian is cut off: beyond this exponent, where it is below 1 %, it is zero (CPM `putGaussianMaps`).
pub const CUTOFF: Positive = Positive::constant(4.6052);

/// Gaussians of the true distance, in px of the crop; those of several people add up and are clipped to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gaussian {
    /// Spread in px of the crop. Pose machines: 7. `RePose`: 5.
    pub sigma: Spread,
    /// The exponent beyond which values are zero.
    #[serde(default = "cutoff")]
    pub cutoff: Positive,
    /// Place of the first grid point in px of the crop; by default (stride - 1) / 2, the middle of its cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<NonNegative>,
}

fn cutoff() -> Positive {
    CUTOFF
}

/// Grid points of one map: `width` x `height` of them, `stride` px apart, the first at (`origin`, `origin`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Px of the crop between two.
    pub stride: f64,
    /// Px of the crop of the first, along both axes.
    pub origin: f64,
}

impl Gaussian {
    /// Adds the Gaussian of `point`, px of the crop, to `map`, `[height, width]`.
    ///
    /// exp(-d² / 2σ²) is the product of one factor for each axis; each is computed once.
    pub fn add(&self, point: [f64; 2], grid: &Grid, map: &mut [f32]) {
        let double_variance = 2.0 * self.sigma.get() * self.sigma.get();
        let cutoff = self.cutoff.get();
        let radius = libm::sqrt(cutoff * double_variance);
        let (Some(columns), Some(rows)) =
            (grid.within(point[0], radius, grid.width), grid.within(point[1], radius, grid.height))
        else {
            return;
        };
        let exponent = |at: usize, center: f64| {
            let distance = grid.origin + at as f64 * grid.stride - center;
            distance * distance / double_variance
        };
        let across: Vec<(f64, f64)> = columns
            .clone()
            .map(|column| exponent(column, point[0]))
            .map(|exponent| (exponent, libm::exp(-exponent)))
            .collect();
        for row in rows {
            let down = exponent(row, point[1]);
            let factor = libm::exp(-down);
            let line = &mut map[row * grid.width..][columns.clone()];
            for (value, (exponent, other)) in line.iter_mut().zip(&across) {
                if exponent + down <= cutoff {
                    *value += (factor * other) as f32;
                }
            }
        }
    }
}

impl Grid {
    /// The grid points within `radius` of `center` along one axis of `count` points.
    fn within(&self, center: f64, radius: f64, count: usize) -> Option<std::ops::Range<usize>> {
        let first = libm::floor((center - radius - self.origin) / self.stride);
        let last = libm::ceil((center + radius - self.origin) / self.stride);
        // A comparison with a number that is none fails.
        if !(last >= 0.0 && first < count as f64) {
            return None;
        }
        Some(first.max(0.0) as usize..(last as usize).saturating_add(1).min(count))
    }
}

/// Sets `background`, `[height * width]`, to what no part of `parts`, `[K, height * width]`, claims: max(1 - max, 0).
pub fn background(parts: &[f32], background: &mut [f32]) {
    background.fill(0.0);
    for map in parts.chunks_exact(background.len()) {
        for (most, value) in background.iter_mut().zip(map) {
            *most = most.max(*value);
        }
    }
    for value in background {
        *value = (1.0 - *value).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEVEN: Gaussian = Gaussian { sigma: Spread::constant(7.0), cutoff: CUTOFF, origin: None };
    const CPM: Grid = Grid { width: 46, height: 46, stride: 8.0, origin: 3.5 };

    /// `putGaussianMaps` of the pose machines' layer, word for word but for its skipping.
    fn by_definition(gaussian: &Gaussian, people: &[[f64; 2]], grid: &Grid) -> Vec<f64> {
        let mut map = vec![0.0; grid.width * grid.height];
        for (at, value) in map.iter_mut().enumerate() {
            let x = grid.origin + (at % grid.width) as f64 * grid.stride;
            let y = grid.origin + (at / grid.width) as f64 * grid.stride;
            for person in people {
                let squared = (x - person[0]).powi(2) + (y - person[1]).powi(2);
                let exponent = squared / 2.0 / gaussian.sigma.get() / gaussian.sigma.get();
                if exponent <= gaussian.cutoff.get() {
                    *value += (-exponent).exp();
                }
            }
        }
        map
    }

    proptest! {
        #[test]
        fn maps_are_those_of_the_definition(
            x in -60.0..420.0f64, y in -60.0..420.0f64, other in prop::array::uniform2(0.0..368.0f64), sigma in 1.0..30.0f64,
        ) {
            let gaussian = Gaussian { sigma: Spread::constant(sigma), ..SEVEN };
            let people = [[x, y], other];
            let mut map = vec![0.0; 46 * 46];
            for person in people {
                gaussian.add(person, &CPM, &mut map);
            }
            for (found, expected) in map.iter().zip(by_definition(&gaussian, &people, &CPM)) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn values_by_hand() {
        // A joint on grid point (2, 1): 3.5 + 8 g.
        let mut map = vec![0.0; 46 * 46];
        SEVEN.add([19.5, 11.5], &CPM, &mut map);
        assert_eq!(map[46 + 2], 1.0);
        // One cell beside: exp(-64 / 98). Two: exp(-256 / 98). Three: 576 / 98 = 5.9 is cut off.
        assert!((map[46 + 3] - (-64.0f32 / 98.0).exp()).abs() < 1e-7);
        assert!((map[46 + 4] - (-256.0f32 / 98.0).exp()).abs() < 1e-7);
        assert_eq!(map[46 + 5], 0.0);
        // (2, 2) cells beside: 512 / 98 = 5.2 is cut off, (2, 1): 320 / 98 = 3.3 is not.
        assert_eq!(map[3 * 46 + 4], 0.0);
        assert!(map[2 * 46 + 4] > 0.0);
    }

    #[test]
    fn places_that_are_no_numbers_or_far_away_draw_nothing() {
        let mut map = vec![0.0; 46 * 46];
        for point in [[f64::NAN, 5.0], [5.0, f64::INFINITY], [-1e300, 0.0], [1e300, 1e300]] {
            SEVEN.add(point, &CPM, &mut map);
        }
        assert!(map.iter().all(|value| *value == 0.0));
    }

    #[test]
    fn the_widest_and_the_narrowest_gaussians_are_finite() {
        for plan in ["sigma = 1e300", "sigma = 1e-300", "sigma = 0", "sigma = nan", "sigma = 1e9"] {
            let message = toml::from_str::<Gaussian>(plan).unwrap_err().to_string();
            assert!(message.contains("a spread must be from 0.01 to 16384 px, found"), "{message}");
        }
        for plan in ["sigma = 16384\ncutoff = 1e9", "sigma = 0.01\ncutoff = 1e-9", "sigma = 5\norigin = 1e9"]
        {
            let gaussian: Gaussian = toml::from_str(plan).unwrap();
            let mut map = vec![0.0; 46 * 46];
            let origin = gaussian.origin.map_or(CPM.origin, NonNegative::get);
            gaussian.add([19.5, 11.5], &Grid { origin, ..CPM }, &mut map);
            assert!(map.iter().all(|value| value.is_finite()), "{plan}");
        }
    }

    #[test]
    fn the_background_is_what_is_left() {
        let mut left = [9.0; 3];
        background(&[0.25, 0.0, 1.5, 0.5, 0.0, 0.0], &mut left);
        assert_eq!(left, [0.5, 1.0, 0.0]);
    }
}
