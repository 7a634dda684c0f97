//! Mixtures as their definitions say, in plain loops over doubles: what the fast way is measured against.

use super::gaussians::Gaussians;

/// log p(x, i) of each component, `[M]`.
pub(super) fn log_densities(frame: &[f64], gaussians: &Gaussians) -> Vec<f64> {
    let dimensions = gaussians.dimensions();
    let of = |component: usize| {
        let mut log = gaussians.weights()[component].ln();
        for (d, x) in frame.iter().enumerate() {
            let at = component * dimensions + d;
            let (mean, variance) = (gaussians.means()[at], gaussians.variances()[at]);
            log -= 0.5 * ((2.0 * std::f64::consts::PI * variance).ln() + (x - mean).powi(2) / variance);
        }
        log
    };
    (0..gaussians.components()).map(of).collect()
}

/// log p(x).
pub(super) fn log_likelihood(frame: &[f64], gaussians: &Gaussians) -> f64 {
    let logs = log_densities(frame, gaussians);
    let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    best + logs.iter().map(|log| (log - best).exp()).sum::<f64>().ln()
}

/// The shares of the components, `[M]`.
pub(super) fn shares(frame: &[f64], gaussians: &Gaussians) -> Vec<f64> {
    let total = log_likelihood(frame, gaussians);
    log_densities(frame, gaussians).into_iter().map(|log| (log - total).exp()).collect()
}

/// How many frames each component has, their mean, and their mean square about `about`: `[M]`, `[M, D]`, `[M, D]`.
pub(super) fn sums(
    frames: &[f64],
    gaussians: &Gaussians,
    about: Option<&[f64]>,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (components, dimensions) = (gaussians.components(), gaussians.dimensions());
    let all: Vec<(&[f64], Vec<f64>)> =
        frames.chunks(dimensions).map(|frame| (frame, shares(frame, gaussians))).collect();
    let counts: Vec<f64> = (0..components).map(|i| all.iter().map(|(_, shares)| shares[i]).sum()).collect();
    let mut means = vec![0.0; components * dimensions];
    for (at, mean) in means.iter_mut().enumerate() {
        let (i, d) = (at / dimensions, at % dimensions);
        *mean = all.iter().map(|(frame, shares)| shares[i] * frame[d]).sum::<f64>() / counts[i];
    }
    let about = about.unwrap_or(&means);
    let mut squares = vec![0.0; components * dimensions];
    for (at, square) in squares.iter_mut().enumerate() {
        let (i, d) = (at / dimensions, at % dimensions);
        let term = |(frame, shares): &(&[f64], Vec<f64>)| shares[i] * (frame[d] - about[at]).powi(2);
        *square = all.iter().map(term).sum::<f64>() / counts[i];
    }
    (counts, means, squares)
}

/// One iteration of expectation maximisation.
pub(super) fn iterate(
    frames: &[f64],
    gaussians: &Gaussians,
    floor: &[f64],
    regularisation: f64,
) -> Gaussians {
    let (counts, means, squares) = sums(frames, gaussians, None);
    let total: f64 = counts.iter().sum();
    let floors = floor.iter().cycle();
    let variances = squares.iter().zip(floors).map(|(square, floor)| square.max(*floor) + regularisation);
    Gaussians::new(counts.iter().map(|count| count / total).collect(), means, variances.collect()).unwrap()
}

/// Whether `a` and `b` differ by at most `tolerance`, of 1 or of themselves.
pub(super) fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
}

/// As [`close`], of mixtures.
pub(super) fn mixtures_close(a: &Gaussians, b: &Gaussians, tolerance: f64) -> bool {
    close(a.weights(), b.weights(), tolerance)
        && close(a.means(), b.means(), tolerance)
        && close(a.variances(), b.variances(), tolerance)
}
