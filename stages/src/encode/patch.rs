//! One fixed patch of a Gaussian, pasted at a whole place of the map: hourglass and `HRNet`.

use schemars::JsonSchema;
use schemas::units::{PatchSpread, Radius};
use serde::{Deserialize, Serialize};

/// Default radius in spreads: 3, as in `HRNet`.
pub const RADIUS_IN_SIGMAS: f64 = 3.0;

/// To which whole px a joint at x / stride is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Cut towards zero: hourglass (`transform` of `src/util/img.lua`).
    Truncate,
    /// int(x + 0.5), which cuts towards zero: `HRNet` and mmpose.
    #[default]
    Nearest,
}

/// What happens to a patch that leaves the map at the top or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// It is cut off there.
    #[default]
    Cut,
    /// It is shifted by up to 2 px there, as by the index slip of both hourglass codes (`drawGaussian`).
    Shifted,
}

/// A square patch exp(-d² / 2σ²) with its peak, 1, at a whole place; where patches overlap, the greater value counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Spread in px of the map. Hourglass: 1.75 (its code's "sigma 1" is a 7 x 7 patch of 0.25 x 7). `HRNet`: 2.
    pub sigma: PatchSpread,
    /// The patch is 2 x `radius` + 1 px wide; by default 3 sigma, truncated to a whole number. Hourglass: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<Radius>,
    /// Where the peak comes to lie.
    #[serde(default)]
    pub rounding: Rounding,
    /// What happens at the top and left border.
    #[serde(default)]
    pub border: Border,
}

/// A patch with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamp {
    radius: i64,
    rounding: Rounding,
    border: Border,
    /// `[2 * radius + 1, 2 * radius + 1]`.
    values: Vec<f32>,
}

impl Patch {
    /// The patch's values, computed once.
    pub fn stamp(&self) -> Stamp {
        let sigma = self.sigma.get();
        let radius = self.radius.map_or((RADIUS_IN_SIGMAS * sigma) as i64, |radius| i64::from(radius.get()));
        let squares = |at: i64| (at * at) as f64;
        let value = |x, y| libm::exp(-(squares(x) + squares(y)) / (2.0 * sigma * sigma)) as f32;
        let values = (-radius..=radius).flat_map(|y| (-radius..=radius).map(move |x| value(x, y))).collect();
        Stamp { radius, rounding: self.rounding, border: self.border, values }
    }
}

/// The part of a patch and the part of a map that meet along one axis, as (first of the patch, first of the map, count).
type Overlap = (usize, usize, usize);

impl Stamp {
    /// Pastes the patch for a joint at `point`, px of the map, into `map`, `[height, width]`; says whether it is
    /// near enough to count.
    ///
    /// A joint counts until its patch has left the map by a pixel, as in `HRNet` and mmpose.
    pub fn paste(&self, point: [f64; 2], width: usize, map: &mut [f32]) -> bool {
        let height = map.len() / width;
        let Some(peak) = self.peak(point) else { return false };
        let near = |axis: usize, side: usize| {
            peak[axis] + self.radius + 1 >= 0 && peak[axis] - self.radius < side as i64
        };
        if !near(0, width) || !near(1, height) {
            return false;
        }
        let across = 2 * self.radius as usize + 1;
        if let (Some((left, x, columns)), Some((top, y, rows))) =
            (self.overlap(peak[0], width), self.overlap(peak[1], height))
        {
            for row in 0..rows {
                let line = &mut map[(y + row) * width + x..][..columns];
                let values = &self.values[(top + row) * across + left..][..columns];
                for (value, stamped) in line.iter_mut().zip(values) {
                    *value = value.max(*stamped);
                }
            }
        }
        true
    }

    /// The whole place of the peak; `None` for what is no place.
    fn peak(&self, point: [f64; 2]) -> Option<[i64; 2]> {
        let offset = if self.rounding == Rounding::Nearest { 0.5 } else { 0.0 };
        let reachable = point.iter().all(|value| value.abs() < 1e9);
        reachable.then(|| point.map(|value| (value + offset) as i64))
    }

    fn overlap(&self, peak: i64, side: usize) -> Option<Overlap> {
        let (first, last) = (peak - self.radius, peak + self.radius);
        let (begin, end) = (first.max(0), last.min(side as i64 - 1));
        if begin > end {
            return None;
        }
        // The slip: the patch begins at max(1, -ul) where 2 - ul is meant, with ul = first + 1, all counted from 1.
        let skipped = match self.border {
            Border::Cut => begin - first,
            Border::Shifted => (begin - first - 2).max(0),
        };
        Some((skipped as usize, begin as usize, (end - begin + 1) as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patch(plan: &str) -> Stamp {
        toml::from_str::<Patch>(plan).unwrap().stamp()
    }

    fn pasted(stamp: &Stamp, point: [f64; 2]) -> (Vec<f32>, bool) {
        let mut map = vec![0.0; 64 * 64];
        let counts = stamp.paste(point, 64, &mut map);
        (map, counts)
    }

    proptest! {
        #[test]
        fn an_hrnet_map_is_that_of_the_definition(x in -60.0..330.0f64, y in -60.0..330.0f64) {
            let (map, counts) = pasted(&patch("sigma = 2"), [x / 4.0, y / 4.0]);
            // lib/dataset/JointsDataset.py: mu = int(x / 4 + 0.5), 13 x 13 around it, weight 0 if none is inside.
            let mu = [(x / 4.0 + 0.5).trunc(), (y / 4.0 + 0.5).trunc()];
            let outside = mu.iter().any(|mu| mu - 6.0 >= 64.0 || mu + 7.0 < 0.0);
            prop_assert_eq!(counts, !outside);
            for (at, value) in map.iter().enumerate() {
                let (dx, dy) = ((at % 64) as f64 - mu[0], (at / 64) as f64 - mu[1]);
                let inside = dx.abs() <= 6.0 && dy.abs() <= 6.0;
                let expected = if inside { (-(dx * dx + dy * dy) / 8.0).exp() } else { 0.0 };
                prop_assert!((f64::from(*value) - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_hourglass_patch_is_seven_wide_with_a_spread_of_a_quarter() {
        let stamp = patch("sigma = 1.75\nradius = 3\nrounding = 'truncate'");
        let (map, _) = pasted(&stamp, [20.9, 10.1]);
        assert_eq!(map[10 * 64 + 20], 1.0);
        assert!((map[10 * 64 + 23] - (-9.0f32 / 6.125).exp()).abs() < 1e-7);
        assert_eq!((map[10 * 64 + 24], map[10 * 64 + 16], map[14 * 64 + 20]), (0.0, 0.0, 0.0));
        assert!(map[13 * 64 + 23] > 0.0, "the patch is square");
        // Truncation is towards zero: -0.9 is place 0.
        assert_eq!(pasted(&stamp, [-0.9, 5.0]).0[5 * 64], 1.0);
    }

    #[test]
    fn the_slip_at_the_border_shifts_by_up_to_two() {
        let slip = patch("sigma = 1.75\nradius = 3\nrounding = 'truncate'\nborder = 'shifted'");
        // From 1: place p has ul = p - 3, the patch begins at max(1, -ul): 1, 1, 2 for ul = 0, -1, -2.
        for (place, peak) in [(5, 5), (3, 3), (2, 3), (1, 3), (0, 2)] {
            let (map, _) = pasted(&slip, [f64::from(place), 30.0]);
            let found = (0..64).find(|x| map[30 * 64 + x] == 1.0);
            assert_eq!(found, Some(peak), "place {place}");
        }
        // At the right border there is no slip.
        assert_eq!(pasted(&slip, [63.0, 30.0]).0[30 * 64 + 63], 1.0);
    }

    #[test]
    fn what_overlaps_counts_once() {
        let stamp = patch("sigma = 2");
        let (mut map, _) = pasted(&stamp, [30.0, 30.0]);
        stamp.paste([31.0, 30.0], 64, &mut map);
        assert_eq!((map[30 * 64 + 30], map[30 * 64 + 31]), (1.0, 1.0));
    }

    #[test]
    fn a_patch_that_would_fill_the_memory_is_refused() {
        for plan in
            ["sigma = 1e9", "sigma = 1e300", "sigma = 301", "sigma = 1e-300", "sigma = nan", "sigma = inf"]
        {
            let message = toml::from_str::<Patch>(plan).unwrap_err().to_string();
            assert!(
                message.contains("the spread of a patch must be from 0.01 to 300 px, found"),
                "{message}"
            );
        }
        for plan in ["sigma = 2\nradius = 1000000", "sigma = 2\nradius = 0", "sigma = 2\nradius = 1001"] {
            let message = toml::from_str::<Patch>(plan).unwrap_err().to_string();
            assert!(
                message.contains("a radius must be a whole number from 1 to 1000 px, found"),
                "{message}"
            );
        }
        for plan in ["sigma = 300", "sigma = 0.01", "sigma = 0.01\nradius = 1000"] {
            let (map, counts) = pasted(&patch(plan), [30.0, 30.0]);
            assert!(
                counts && map[30 * 64 + 30] == 1.0 && map.iter().all(|value| value.is_finite()),
                "{plan}"
            );
        }
    }

    #[test]
    fn what_is_no_place_counts_not() {
        for point in [[f64::NAN, 1.0], [1.0, f64::INFINITY], [-1e300, 1.0]] {
            let (map, counts) = pasted(&patch("sigma = 2"), point);
            assert!(!counts && map.iter().all(|value| *value == 0.0));
        }
    }
}
