//! Where a joint is between px: from the highest px of its map and that px's neighbours.

use schemars::JsonSchema;
use schemas::units::{Odd, Positive};
use serde::{Deserialize, Serialize};

use super::dark;
use super::peak::Peak;

/// How the place of a peak is refined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refine {
    /// The px itself.
    None,
    /// A quarter px towards the higher neighbour, on each axis (stacked hourglass, `src/util/pose.lua`).
    Quarter,
    /// The top of the paraboloid that the logarithms of the px and its eight neighbours follow: exact for a
    /// Gaussian (the second-order Taylor step of Zhang et al., "Distribution-Aware Coordinate Representation for
    /// Human Pose Estimation", section 3.2, without its smoothing).
    Parabola,
    /// The same step as toolkits take it: on the map smoothed by a Gaussian filter, derivatives over two px
    /// (`refine_keypoints_dark` of mmpose).
    Dark {
        /// Size of the filter in map px.
        #[serde(default = "blur")]
        blur: Odd,
    },
    /// The same for maps on the grid of unbiased data processing: derivatives over one px, at the border too
    /// (`refine_keypoints_dark_udp` of mmpose).
    DarkUdp {
        /// Size of the filter in map px.
        #[serde(default = "blur")]
        blur: Odd,
    },
    /// The mean place of all px, each weighed by the exponential of its height times `beta` (Sun et al., "Integral Human
    /// Pose Regression", section 2.1).
    SoftArgmax {
        /// How much higher px count for more.
        beta: Positive,
    },
}

/// Size of the filter that toolkits take for targets of deviation 2.
const BLUR: Odd = Odd::constant(11);

fn blur() -> Odd {
    BLUR
}

/// What the quarter offset moves by, in map px.
pub const QUARTER: f64 = 0.25;
/// How far the top of a paraboloid may lie from the highest px, in map px: beyond, another px would be highest.
pub const FARTHEST_TOP: f64 = 0.5;

impl Refine {
    /// What to add to `peak` of `map`, `[h, width]`, in map px; nothing where the peak lies on the border.
    pub fn offset(self, map: &[f32], width: usize, peak: Peak) -> [f64; 2] {
        let height = map.len() / width;
        match self {
            Self::Dark { blur } => return dark::plain(map, width, peak, blur.get() as usize),
            Self::DarkUdp { blur } => return dark::udp(map, width, peak, blur.get() as usize),
            Self::SoftArgmax { beta } => return mean_place(map, width, peak, beta.get()),
            Self::None | Self::Quarter | Self::Parabola => {}
        }
        let inside = |at: usize, size: usize| at >= 1 && at + 1 < size;
        if self == Self::None || !inside(peak.x, width) || !inside(peak.y, height) {
            return [0.0, 0.0];
        }
        let at = |dx: usize, dy: usize| f64::from(map[(peak.y + dy - 1) * width + peak.x + dx - 1]);
        match self {
            Self::Quarter => {
                let towards = |difference: f64| match difference {
                    difference if difference > 0.0 => QUARTER,
                    difference if difference < 0.0 => -QUARTER,
                    _ => 0.0,
                };
                [towards(at(2, 1) - at(0, 1)), towards(at(1, 2) - at(1, 0))]
            }
            Self::Parabola => top_of_paraboloid(at),
            _ => [0.0, 0.0],
        }
    }
}

/// From `peak` to the mean place of all px, weighed by exp(`beta` x height); what is not finite weighs nothing.
fn mean_place(map: &[f32], width: usize, peak: Peak, beta: f64) -> [f64; 2] {
    let (mut sum, mut place) = (0.0, [0.0; 2]);
    for (at, value) in map.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        // The peak weighs 1, so that nothing overflows.
        let weight = libm::exp(beta * f64::from(value - peak.value));
        sum += weight;
        place[0] += weight * (at % width) as f64;
        place[1] += weight * (at / width) as f64;
    }
    [place[0] / sum - peak.x as f64, place[1] / sum - peak.y as f64]
}

/// The Newton step from the middle of a 3 x 3 neighbourhood, `at(dx, dy)` with 1 in the middle.
///
/// Taken on logarithms where all nine values are positive, else on the values themselves; no step where the
/// surface has no top there.
fn top_of_paraboloid(at: impl Fn(usize, usize) -> f64) -> [f64; 2] {
    let positive = (0..9).all(|cell| at(cell % 3, cell / 3) > 0.0);
    let value = |dx, dy| if positive { libm::log(at(dx, dy)) } else { at(dx, dy) };
    let middle = value(1, 1);
    let slope = [(value(2, 1) - value(0, 1)) / 2.0, (value(1, 2) - value(1, 0)) / 2.0];
    let bend_x = value(2, 1) - 2.0 * middle + value(0, 1);
    let bend_y = value(1, 2) - 2.0 * middle + value(1, 0);
    let twist = (value(2, 2) - value(0, 2) - value(2, 0) + value(0, 0)) / 4.0;
    let determinant = bend_x * bend_y - twist * twist;
    // A top: bends down along both axes and, with the twist, along every diagonal. False for NaN as well.
    if !(bend_x < 0.0 && bend_y < 0.0 && determinant > 0.0) {
        return [0.0, 0.0];
    }
    let step = [
        (twist * slope[1] - bend_y * slope[0]) / determinant,
        (twist * slope[0] - bend_x * slope[1]) / determinant,
    ];
    step.map(|step| if step.is_finite() { step.clamp(-FARTHEST_TOP, FARTHEST_TOP) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::peak::peak_and_mean;
    use proptest::prelude::*;

    /// A Gaussian of height 1 about `center`, deviations `sigma` along the axes turned by `turn`.
    fn gaussian(center: [f64; 2], sigma: [f64; 2], turn: f64) -> Vec<f32> {
        let (sin, cos) = (libm::sin(turn), libm::cos(turn));
        let value = |x: f64, y: f64| {
            let (dx, dy) = (x - center[0], y - center[1]);
            let (u, v) = ((cos * dx + sin * dy) / sigma[0], (cos * dy - sin * dx) / sigma[1]);
            libm::exp(-0.5 * (u * u + v * v)) as f32
        };
        (0..32 * 32).map(|at| value(f64::from(at % 32), f64::from(at / 32))).collect()
    }

    fn refined(map: &[f32], refine: Refine) -> [f64; 2] {
        let peak = peak_and_mean(map, 32).0.unwrap();
        let offset = refine.offset(map, 32, peak);
        [peak.x as f64 + offset[0], peak.y as f64 + offset[1]]
    }

    proptest! {
        #[test]
        fn decoding_an_encoded_joint_is_within_half_a_px(
            x in 1.0..30.0f64, y in 1.0..30.0f64, sigma in 0.8..4.0f64,
        ) {
            let map = gaussian([x, y], [sigma, sigma], 0.0);
            for (refine, within) in [(Refine::None, 0.5), (Refine::Quarter, 0.25), (Refine::Parabola, 1e-3)] {
                let found = refined(&map, refine);
                let inside = (1.5..29.5).contains(&x) && (1.5..29.5).contains(&y);
                let within = if inside { within } else { 0.5 };
                let error = (found[0] - x).abs().max((found[1] - y).abs());
                prop_assert!(error <= within + 1e-6, "{refine:?} at ({x}, {y}): {found:?}");
            }
        }

        #[test]
        fn a_paraboloid_finds_the_top_of_a_slanted_gaussian(
            dx in -0.3..0.3f64, dy in -0.3..0.3f64, turn in 0.0..3.0f64,
        ) {
            let found = refined(&gaussian([15.0 + dx, 16.0 + dy], [1.6, 2.0], turn), Refine::Parabola);
            prop_assert!((found[0] - 15.0 - dx).abs() < 2e-3 && (found[1] - 16.0 - dy).abs() < 2e-3, "{found:?}");
        }
    }

    #[test]
    fn the_mean_place_of_one_gaussian_is_its_centre() {
        let map = gaussian([15.3, 16.4], [1.6, 2.0], 0.0);
        let sure = refined(&map, Refine::SoftArgmax { beta: Positive::constant(10.0) });
        assert!((sure[0] - 15.3).abs() < 0.06 && (sure[1] - 16.4).abs() < 0.06, "{sure:?}");
        // With no weight at all it is the middle of the map.
        let flat = refined(&map, Refine::SoftArgmax { beta: Positive::constant(1e-9) });
        assert!(flat.iter().all(|place| (place - 15.5).abs() < 1e-6), "{flat:?}");
    }

    #[test]
    fn a_quarter_goes_towards_the_higher_neighbour_and_nowhere_on_a_tie_or_the_border() {
        let mut map = vec![0.0f32; 32 * 32];
        map[5 * 32 + 7] = 1.0;
        assert_eq!(refined(&map, Refine::Quarter), [7.0, 5.0]);
        (map[5 * 32 + 6], map[6 * 32 + 7]) = (0.5, 0.25);
        assert_eq!(refined(&map, Refine::Quarter), [6.75, 5.25]);
        map[31] = 2.0;
        map[30] = 1.5;
        assert_eq!(refined(&map, Refine::Quarter), [31.0, 0.0]);
        assert_eq!(refined(&map, Refine::Parabola), [31.0, 0.0]);
    }

    #[test]
    fn a_plateau_and_a_map_with_negative_values_give_a_finite_place() {
        assert_eq!(refined(&vec![1.0; 32 * 32], Refine::Parabola), [0.0, 0.0]);
        let mut map = vec![-1.0f32; 32 * 32];
        (map[5 * 32 + 7], map[5 * 32 + 8]) = (1.0, 0.0);
        let found = refined(&map, Refine::Parabola);
        assert!(found[0] > 7.0 && found[0] <= 7.5 && found[1] == 5.0, "{found:?}");
    }
}
