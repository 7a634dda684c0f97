//! A Gaussian about a joint's fractional place in the map: the targets of unbiased data processing and of DARK.

use schemars::JsonSchema;
use schemas::units::PatchSpread;
use serde::{Deserialize, Serialize};

use super::gaussian::Grid;
use super::patch::RADIUS_IN_SIGMAS;

/// A Gaussian with its peak, 1, between the px of the map; where two overlap, the greater value counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fractional {
    /// Spread in px of the map. `HRNet` with either: 2 for maps of 48 x 64, 3 for 72 x 96.
    pub sigma: PatchSpread,
}

/// How the px of a crop and of its map belong together, and how far the Gaussian reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convention {
    /// Unbiased data processing (Huang et al., CVPR 2020; mmpose `UDPHeatmap`): the first px lies on the first and the last
    /// on the last, so that a crop of w px and a map of W have w - 1 over W - 1 px between two. It is cut to a
    /// square of 3 sigma, truncated to a whole number, about the nearest px.
    Udp,
    /// DARK (Zhang et al., CVPR 2020; mmpose `MSRAHeatmap` with `unbiased`): x / stride, and it fills the map.
    Dark,
}

impl Convention {
    /// The place in px of the map of `point`, px of the crop.
    pub fn map_from_crop(self, point: [f64; 2], grid: &Grid) -> [f64; 2] {
        let sides = [grid.width, grid.height];
        match self {
            Self::Udp => [0, 1].map(|axis| {
                let intervals = sides[axis] as f64 - 1.0;
                // A map of one px has none.
                if intervals > 0.0 {
                    point[axis] * intervals / (sides[axis] as f64 * grid.stride - 1.0)
                } else {
                    0.0
                }
            }),
            Self::Dark => point.map(|value| value / grid.stride),
        }
    }
}

impl Fractional {
    /// Draws the joint at `point`, px of the crop, into `map`, `[height, width]`; says whether it is near enough to count.
    ///
    /// A joint counts until its Gaussian, 3 sigma wide, has left the map by a pixel, as in mmpose.
    pub fn paste(&self, convention: Convention, point: [f64; 2], grid: &Grid, map: &mut [f32]) -> bool {
        let place = convention.map_from_crop(point, grid);
        // Farther away no part of it is in the map; a comparison with a number that is none fails.
        if !place.iter().all(|value| value.abs() < 1e9) {
            return false;
        }
        let (sigma, sides) = (self.sigma.get(), [grid.width, grid.height]);
        let (middle, radius) = match convention {
            Convention::Udp => (place.map(|value| (value + 0.5).trunc()), (RADIUS_IN_SIGMAS * sigma).trunc()),
            Convention::Dark => (place, RADIUS_IN_SIGMAS * sigma),
        };
        let counts =
            |axis: usize| middle[axis] - radius < sides[axis] as f64 && middle[axis] + radius + 1.0 >= 0.0;
        if !(counts(0) && counts(1)) {
            return false;
        }
        let reached = |axis: usize| match convention {
            Convention::Udp => {
                let last = (middle[axis] + radius + 1.0).max(0.0) as usize;
                (middle[axis] - radius).max(0.0) as usize..last.min(sides[axis])
            }
            Convention::Dark => 0..sides[axis],
        };
        let factor =
            |axis: usize, at: usize| libm::exp(-(at as f64 - place[axis]).powi(2) / (2.0 * sigma * sigma));
        let across: Vec<f64> = reached(0).map(|column| factor(0, column)).collect();
        for row in reached(1) {
            let down = factor(1, row);
            let line = &mut map[row * grid.width..][reached(0)];
            for (value, across) in line.iter_mut().zip(&across) {
                *value = value.max((down * across) as f32);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRID: Grid = Grid { width: 48, height: 64, stride: 4.0, origin: 0.0 };
    const CROP: [f64; 2] = [192.0, 256.0];

    fn drawn(convention: Convention, sigma: f64, point: [f64; 2]) -> (Vec<f32>, bool) {
        let mut map = vec![0.0; 48 * 64];
        let counts =
            Fractional { sigma: PatchSpread::constant(sigma) }.paste(convention, point, &GRID, &mut map);
        (map, counts)
    }

    /// Place of the peak, by the exact parabola through the logarithms of the greatest value and its neighbours.
    fn peak(map: &[f32]) -> [f64; 2] {
        let top = (0..map.len()).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
        let log = |at: usize| f64::from(map[at]).ln();
        let along = |step: usize| {
            let (before, at, after) = (log(top - step), log(top), log(top + step));
            (before - after) / (2.0 * (before + after - 2.0 * at))
        };
        [(top % 48) as f64 + along(1), (top / 48) as f64 + along(48)]
    }

    proptest! {
        #[test]
        fn maps_are_those_of_mmpose(x in -40.0..240.0f64, y in -40.0..300.0f64, sigma in 1..4) {
            let sigma = f64::from(sigma);
            // `generate_udp_gaussian_heatmaps`: a patch indexed from 0, whose middle is moved by the fraction.
            let mu = [x * 47.0 / 191.0, y * 63.0 / 255.0];
            let whole = mu.map(|value| (value + 0.5) as i64 as f64);
            let radius = 3.0 * sigma;
            let counts = whole[0] - radius < 48.0 && whole[1] - radius < 64.0
                && whole.iter().all(|whole| whole + radius + 1.0 >= 0.0);
            let (udp, counted) = drawn(Convention::Udp, sigma, [x, y]);
            prop_assert_eq!(counted, counts);
            for (at, value) in udp.iter().enumerate() {
                let place = [(at % 48) as f64, (at / 48) as f64];
                let in_patch = [0, 1].map(|axis| place[axis] - (whole[axis] - radius));
                let moved = [0, 1].map(|axis| in_patch[axis] - (radius + mu[axis] - whole[axis]));
                let inside = in_patch.iter().all(|at| (0.0..=2.0 * radius).contains(at));
                let squared = moved[0].powi(2) + moved[1].powi(2);
                let expected = if inside && counts { (-squared / (2.0 * sigma * sigma)).exp() } else { 0.0 };
                prop_assert!((f64::from(*value) - expected).abs() < 1e-6);
            }
            // `generate_unbiased_gaussian_heatmaps`: the whole map about x / 4.
            let mu = [x / 4.0, y / 4.0];
            let counts = mu[0] - radius < 48.0 && mu[1] - radius < 64.0 && mu.iter().all(|mu| mu + radius + 1.0 >= 0.0);
            let (dark, counted) = drawn(Convention::Dark, sigma, [x, y]);
            prop_assert_eq!(counted, counts);
            for (at, value) in dark.iter().enumerate() {
                let squared = ((at % 48) as f64 - mu[0]).powi(2) + ((at / 48) as f64 - mu[1]).powi(2);
                let expected = if counts { (-squared / (2.0 * sigma * sigma)).exp() } else { 0.0 };
                prop_assert!((f64::from(*value) - expected).abs() < 1e-6);
            }
        }

        #[test]
        fn the_place_comes_back_to_a_hundredth_of_a_px(x in 12.0..178.0f64, y in 12.0..242.0f64) {
            let found = peak(&drawn(Convention::Udp, 2.0, [x, y]).0);
            let back = [0, 1].map(|axis| found[axis] * (CROP[axis] - 1.0) / ([48.0, 64.0][axis] - 1.0));
            prop_assert!((back[0] - x).abs() < 0.01 && (back[1] - y).abs() < 0.01, "{back:?}");
            let back = peak(&drawn(Convention::Dark, 2.0, [x, y]).0).map(|value| value * 4.0);
            prop_assert!((back[0] - x).abs() < 0.01 && (back[1] - y).abs() < 0.01, "{back:?}");
        }
    }

    #[test]
    fn values_by_hand() {
        // The corners of crop and map lie on each other.
        for (point, at) in [([0.0, 0.0], 0), ([191.0, 0.0], 47), ([191.0, 255.0], 63 * 48 + 47)] {
            assert_eq!(drawn(Convention::Udp, 2.0, point).0[at], 1.0);
        }
        // 10 px of the map along both axes of the map: 10 * 191 / 47 and 20 * 255 / 63; two px beside, exp(-4 / 8).
        let (map, _) = drawn(Convention::Udp, 2.0, [10.0 * 191.0 / 47.0, 20.0 * 255.0 / 63.0]);
        assert!((map[20 * 48 + 12] - (-0.5f32).exp()).abs() < 1e-6);
        assert!(map[20 * 48 + 16] > 0.0 && map[20 * 48 + 17] == 0.0);
        let (map, _) = drawn(Convention::Dark, 2.0, [40.0, 80.0]);
        assert!((map[20 * 48 + 12] - (-0.5f32).exp()).abs() < 1e-6);
        assert!(map[20 * 48 + 18] > 0.0);
    }

    #[test]
    fn what_is_no_place_counts_not() {
        for convention in [Convention::Udp, Convention::Dark] {
            for point in [[f64::NAN, 1.0], [1.0, f64::INFINITY], [-1e300, 1.0]] {
                let (map, counts) = drawn(convention, 2.0, point);
                assert!(!counts && map.iter().all(|value| *value == 0.0));
            }
        }
        let one = Grid { width: 1, height: 1, stride: 1.0, origin: 0.0 };
        let mut map = [0.0];
        assert!(Fractional { sigma: PatchSpread::constant(1.0) }.paste(
            Convention::Udp,
            [0.0; 2],
            &one,
            &mut map
        ));
        assert_eq!(map, [1.0]);
    }
}
