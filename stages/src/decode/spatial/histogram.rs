//! How often one joint lies so far from another one.

/// Spreads beyond which a Gaussian is cut off: what lies there is below 1e-3 of its middle.
const RADIUS_IN_SIGMAS: f64 = 4.0;

/// Counts of displacements on the grid of maps `[h, w]`, `[2 h - 1, 2 w - 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    map: [usize; 2],
    counts: Vec<u32>,
    people: u32,
}

impl Histogram {
    /// Nothing seen yet, for maps `[h, w]`.
    pub fn new(map: [usize; 2]) -> Self {
        Self { map, counts: vec![0; (2 * map[0] - 1) * (2 * map[1] - 1)], people: 0 }
    }

    /// Counts the displacement `[dx, dy]`, px of the map, at the nearest whole one; says whether a map can hold it.
    pub fn add(&mut self, [dx, dy]: [f64; 2]) -> bool {
        let [height, width] = self.map;
        let (row, column) = (nearest(dy, height), nearest(dx, width));
        let (Some(row), Some(column)) = (row, column) else { return false };
        self.counts[row * (2 * width - 1) + column] += 1;
        self.people += 1;
        true
    }

    /// Displacements counted.
    pub fn people(&self) -> u32 {
        self.people
    }

    /// The counts smoothed by a Gaussian of spread `sigma` px of the map, sum 1; nothing where nothing was counted.
    pub fn smoothed(&self, sigma: f64) -> Option<Vec<f64>> {
        let [rows, columns] = self.map.map(|side| 2 * side - 1);
        let weights = gaussian(sigma);
        let mut across = vec![0.0; rows * columns];
        for (from, to) in self.counts.chunks_exact(columns).zip(across.chunks_exact_mut(columns)) {
            for (at, count) in from.iter().enumerate().filter(|(_, count)| **count > 0) {
                spread(&weights, at, columns, |to_at, weight| to[to_at] += weight * f64::from(*count));
            }
        }
        let mut smooth = vec![0.0; rows * columns];
        for (row, from) in across.chunks_exact(columns).enumerate() {
            if from.iter().all(|value| *value == 0.0) {
                continue;
            }
            spread(&weights, row, rows, |to_row, weight| {
                let to = &mut smooth[to_row * columns..][..columns];
                to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
            });
        }
        // What was spread over the border is not lost: the rest stands for it.
        let sum: f64 = smooth.iter().sum();
        (self.people > 0).then(|| smooth.iter().map(|value| value / sum).collect())
    }
}

/// Index of the whole displacement nearest to `displacement` along an axis of maps of `side` px.
fn nearest(displacement: f64, side: usize) -> Option<usize> {
    let most = side as f64 - 1.0;
    let whole = libm::floor(displacement + 0.5);
    (whole.abs() <= most).then_some((whole + most) as usize)
}

/// A Gaussian at whole distances from its middle, sum 1, its middle in the middle.
fn gaussian(sigma: f64) -> Vec<f64> {
    let radius = libm::ceil(RADIUS_IN_SIGMAS * sigma) as i32;
    let squared = |distance: i32| f64::from(distance) * f64::from(distance);
    let at = |distance: i32| libm::exp(-squared(distance) / (2.0 * sigma * sigma));
    let sum: f64 = (-radius..=radius).map(at).sum();
    (-radius..=radius).map(|distance| at(distance) / sum).collect()
}

/// Hands `add` each place from 0 to `length` that `weights`, laid with their middle at `middle`, reach.
fn spread(weights: &[f64], middle: usize, length: usize, mut add: impl FnMut(usize, f64)) {
    let radius = weights.len() / 2;
    let places = middle.saturating_sub(radius)..(middle + radius + 1).min(length);
    places.for_each(|at| add(at, weights[at + radius - middle]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displacement_is_counted_at_the_nearest_whole_one() {
        let mut histogram = Histogram::new([2, 3]);
        for inside in [[-2.0, 0.4], [2.49, -1.5], [0.0, 0.0]] {
            assert!(histogram.add(inside), "{inside:?}");
        }
        for outside in [[2.5, 0.0], [0.0, 1.5], [0.0, -1.6], [f64::NAN, 0.0], [f64::INFINITY, 0.0]] {
            assert!(!histogram.add(outside), "{outside:?}");
        }
        #[rustfmt::skip]
        assert_eq!(histogram.counts, [
            0, 0, 0, 0, 1,
            1, 0, 1, 0, 0,
            0, 0, 0, 0, 0,
        ]);
        assert_eq!(histogram.people(), 3);
    }

    #[test]
    fn smoothing_spreads_a_count_as_a_gaussian_and_keeps_the_sum() {
        let mut histogram = Histogram::new([16, 16]);
        assert!(histogram.smoothed(1.0).is_none());
        histogram.add([1.0, -2.0]);
        let kernel = histogram.smoothed(1.0).unwrap();
        let at = |dx: i32, dy: i32| kernel[((15 + dy) * 31 + 15 + dx) as usize];
        assert!((at(2, -2) / at(1, -2) - (-0.5f64).exp()).abs() < 1e-12);
        assert!((at(2, -1) / at(1, -2) - (-1.0f64).exp()).abs() < 1e-12);
        assert_eq!(at(6, -2), 0.0);
        assert!((kernel.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // At the border a part has no place; what is left sums to 1.
        let mut border = Histogram::new([3, 3]);
        border.add([2.0, 2.0]);
        assert!((border.smoothed(1.0).unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
