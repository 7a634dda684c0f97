//! Distribution-aware refinement as toolkits do it (Zhang et al., CVPR 2020): a map is smoothed, and the top of the paraboloid
//! through the logarithms about its highest px is the place.
//!
//! The arithmetic is that of mmpose, `codecs/utils/refinement.py` and `gaussian_blur`, in f64 instead of f32.

use super::peak::Peak;

/// Logarithms are taken of no less in the plain step.
const LEAST_PLAIN: f64 = 1e-10;
/// Logarithms are taken of no less and no more in the unbiased step.
const UDP_RANGE: [f64; 2] = [1e-3, 50.0];
/// Added to the diagonal of the unbiased step's matrix: the spacing of 32-bit floats at 1.
const EPSILON: f64 = f32::EPSILON as f64;

/// The step from `peak` of `map`, `[h, width]`, in map px; none within two px of the border.
pub fn plain(map: &[f32], width: usize, peak: Peak, blur: usize) -> [f64; 2] {
    let height = map.len() / width;
    let inside = |at: usize, size: usize| at > 1 && at + 2 < size;
    if !inside(peak.x, width) || !inside(peak.y, height) {
        return [0.0, 0.0];
    }
    let smooth = smoothed(map, width, blur);
    let log = |dx: isize, dy: isize| {
        let (x, y) = (peak.x.wrapping_add_signed(dx), peak.y.wrapping_add_signed(dy));
        libm::log(smooth[y * width + x].max(LEAST_PLAIN))
    };
    let slope = [0.5 * (log(1, 0) - log(-1, 0)), 0.5 * (log(0, 1) - log(0, -1))];
    let bend_x = 0.25 * (log(2, 0) - 2.0 * log(0, 0) + log(-2, 0));
    let bend_y = 0.25 * (log(0, 2) - 2.0 * log(0, 0) + log(0, -2));
    let twist = 0.25 * (log(1, 1) - log(1, -1) - log(-1, 1) + log(-1, -1));
    step(slope, [bend_x, bend_y], twist)
}

/// The step from `peak` of `map`, `[h, width]`, in map px; px beyond the border are those of the border.
pub fn udp(map: &[f32], width: usize, peak: Peak, blur: usize) -> [f64; 2] {
    let height = map.len() / width;
    let smooth = smoothed(map, width, blur);
    let log = |dx: isize, dy: isize| {
        let at = |place: usize, by: isize, size: usize| place.saturating_add_signed(by).min(size - 1);
        let value = smooth[at(peak.y, dy, height) * width + at(peak.x, dx, width)];
        libm::log(value.clamp(UDP_RANGE[0], UDP_RANGE[1]))
    };
    let middle = log(0, 0);
    let slope = [0.5 * (log(1, 0) - log(-1, 0)), 0.5 * (log(0, 1) - log(0, -1))];
    let bend_x = log(1, 0) - 2.0 * middle + log(-1, 0) + EPSILON;
    let bend_y = log(0, 1) - 2.0 * middle + log(0, -1) + EPSILON;
    let across = log(1, 1) - log(1, 0) - log(0, 1) + middle;
    let back = middle - log(-1, 0) - log(0, -1) + log(-1, -1);
    step(slope, [bend_x, bend_y], 0.5 * (across + back))
}

/// Minus the inverse of the matrix of second derivatives times the slope; no step where it has none.
fn step(slope: [f64; 2], bend: [f64; 2], twist: f64) -> [f64; 2] {
    let determinant = bend[0] * bend[1] - twist * twist;
    let step = [
        (twist * slope[1] - bend[1] * slope[0]) / determinant,
        (twist * slope[0] - bend[0] * slope[1]) / determinant,
    ];
    if step.iter().all(|value| value.is_finite()) { step } else { [0.0, 0.0] }
}

/// `map` smoothed by a Gaussian filter of `size` px, zeros beyond its border, and made as high as it was.
fn smoothed(map: &[f32], width: usize, size: usize) -> Vec<f64> {
    let weights = filter(size);
    let (height, reach) = (map.len() / width, size / 2);
    let highest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    let number = |value: f32| if value.is_finite() { f64::from(value) } else { 0.0 };
    let mut across = vec![0.0; map.len()];
    for (line, out) in map.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for (x, value) in out.iter_mut().enumerate() {
            let (from, to) = (x.saturating_sub(reach), (x + reach).min(width - 1));
            *value = (from..=to).map(|at| weights[at + reach - x] * number(line[at])).sum();
        }
    }
    let mut smooth = vec![0.0; map.len()];
    for y in 0..height {
        let (from, to) = (y.saturating_sub(reach), (y + reach).min(height - 1));
        for at in from..=to {
            let weight = weights[at + reach - y];
            for x in 0..width {
                smooth[y * width + x] += weight * across[at * width + x];
            }
        }
    }
    let was = highest(&mut map.iter().map(|value| number(*value)));
    let scale = was / highest(&mut smooth.iter().copied());
    if scale.is_finite() {
        for value in &mut smooth {
            *value *= scale;
        }
    }
    smooth
}

/// The weights of `OpenCV`'s Gaussian filter of `size` px for a deviation that is not given: fixed ones up to 7 px, and of
/// deviation 0.3 ((size - 1) / 2 - 1) + 0.8 beyond.
fn filter(size: usize) -> Vec<f64> {
    match size {
        3 => vec![0.25, 0.5, 0.25],
        5 => vec![0.0625, 0.25, 0.375, 0.25, 0.0625],
        7 => vec![0.03125, 0.109_375, 0.21875, 0.28125, 0.21875, 0.109_375, 0.03125],
        _ => {
            let half = (size - 1) as f64 * 0.5;
            let deviation = 0.3 * (half - 1.0) + 0.8;
            let fall = |at: usize| {
                let away = at as f64 - half;
                libm::exp(-0.5 * away * away / (deviation * deviation))
            };
            let weights: Vec<f64> = (0..size).map(fall).collect();
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::peak::peak_and_mean;
    use proptest::prelude::*;

    fn gaussian(center: [f64; 2], sigma: f64) -> Vec<f32> {
        let value = |x: f64, y: f64| {
            let (dx, dy) = ((x - center[0]) / sigma, (y - center[1]) / sigma);
            libm::exp(-0.5 * (dx * dx + dy * dy)) as f32
        };
        (0..48 * 64).map(|at| value(f64::from(at % 48), f64::from(at / 48))).collect()
    }

    proptest! {
        #[test]
        fn a_gaussian_smoothed_is_one_about_the_same_centre(x in 12.0..36.0f64, y in 12.0..50.0f64) {
            let map = gaussian([x, y], 2.0);
            let peak = peak_and_mean(&map, 48).0.unwrap();
            for (step, name) in [(plain(&map, 48, peak, 11), "plain"), (udp(&map, 48, peak, 11), "udp")] {
                let found = [peak.x as f64 + step[0], peak.y as f64 + step[1]];
                prop_assert!((found[0] - x).abs() < 0.02 && (found[1] - y).abs() < 0.02, "{name}: {found:?}");
            }
        }
    }

    #[test]
    fn weights_are_those_of_the_deviation_two() {
        let weights = filter(11);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((weights[4] / weights[5] - libm::exp(-1.0 / 8.0)).abs() < 1e-12);
        assert!([3, 5, 7].iter().all(|size| (filter(*size).iter().sum::<f64>() - 1.0).abs() < 1e-12));
    }

    #[test]
    fn the_border_and_plateaus_give_no_wild_step() {
        let mut map = vec![0.0f32; 48 * 64];
        map[48 + 1] = 1.0;
        let peak = peak_and_mean(&map, 48).0.unwrap();
        assert_eq!(plain(&map, 48, peak, 11), [0.0, 0.0]);
        assert!(udp(&map, 48, peak, 11).iter().all(|value| value.is_finite()));
        let flat = vec![1.0f32; 48 * 64];
        let peak = Peak { x: 20, y: 20, value: 1.0 };
        assert!(plain(&flat, 48, peak, 5).iter().all(|value| value.abs() < 1e-6));
    }
}
