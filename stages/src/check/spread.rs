//! Usual values: medians and quartiles of logarithms, from counts, so that neither order nor number of rows matters.

/// Smallest and largest logarithm that is told apart: lengths from 1/400 to 400 of the unit.
const REACH: f64 = 6.0;
/// Width of a cell: two lengths that differ by less than 0.2 % are one.
const CELL: f64 = 0.002;
/// Standard deviation of a normal distribution over the distance from its median to a quartile.
const SIGMA_OF_QUARTILE: f64 = 1.4826;
/// The least standard deviation, so that data drawn to a rule do not make every rounding an outlier: 2 % of a length.
const LEAST_SIGMA: f64 = 0.02;

/// How often each logarithm came, `[6000]` cells; memory does not grow with the rows.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    cells: Vec<u32>,
    total: u64,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self { cells: vec![0; (2.0 * REACH / CELL) as usize], total: 0 }
    }

    /// Counts `logarithm`; what lies beyond the reach counts at its end.
    pub(super) fn add(&mut self, logarithm: f64) {
        let cell = ((logarithm + REACH) / CELL).clamp(0.0, self.cells.len() as f64 - 1.0);
        self.cells[cell as usize] += 1;
        self.total += 1;
    }

    /// The logarithm below which `share` of all lie, to half a cell.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.total as f64).max(1.0);
        let mut seen = 0.0;
        let cell = self.cells.iter().position(|count| {
            seen += f64::from(*count);
            seen >= wanted
        });
        (cell.unwrap_or(0) as f64 + 0.5) * CELL - REACH
    }

    /// The middle logarithm; `None` of fewer than `least`.
    pub(super) fn median(&self, least: u64) -> Option<f64> {
        (self.total >= least.max(1)).then(|| self.quantile(0.5))
    }

    /// What is usual; `None` of fewer than `least`.
    pub(super) fn usual(&self, least: u64) -> Option<Usual> {
        let median = self.median(least)?;
        let sigma = |quartile: f64| (SIGMA_OF_QUARTILE * (quartile - median).abs()).max(LEAST_SIGMA);
        Some(Usual { median, below: sigma(self.quantile(0.25)), above: sigma(self.quantile(0.75)) })
    }
}

/// A median, and a robust standard deviation to either side of it: foreshortening makes the side of short limbs long,
/// and must not hide what is too long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// The middle logarithm.
    pub median: f64,
    /// Standard deviation of a normal distribution with the same lower quartile.
    pub below: f64,
    /// The same with the upper quartile.
    pub above: f64,
}

impl Usual {
    /// By how many standard deviations `logarithm` lies above (positive) or below the median.
    pub(super) fn sigmas(&self, logarithm: f64) -> f64 {
        let off = logarithm - self.median;
        off / if off < 0.0 { self.below } else { self.above }
    }
}

/// The middle of `values`, the mean of the two middle ones of an even number; `None` of nothing.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[values.len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lopsided_spread_has_two_sides() {
        let mut counts = Counts::new();
        (0..=1000).for_each(|step| counts.add(f64::from(step) * 1e-3));
        (1..=1000).for_each(|step| counts.add(f64::from(step) * -3e-3));
        let usual = counts.usual(30).unwrap();
        assert!(usual.median.abs() < 0.01, "{usual:?}");
        assert!((usual.above - 0.5 * SIGMA_OF_QUARTILE).abs() < 0.01, "{usual:?}");
        assert!((usual.below - 1.5 * SIGMA_OF_QUARTILE).abs() < 0.02, "{usual:?}");
        assert!(usual.sigmas(1.0) > 1.3 && usual.sigmas(-1.0) > -0.5);
    }

    #[test]
    fn too_few_are_not_usual_and_equal_ones_have_a_spread() {
        let mut counts = Counts::new();
        assert_eq!(counts.median(0), None);
        (0..30).for_each(|_| counts.add(0.5));
        assert_eq!(counts.usual(31), None);
        let usual = counts.usual(30).unwrap();
        assert!((usual.median - 0.5).abs() <= CELL && usual.above == LEAST_SIGMA);
        counts.add(f64::INFINITY);
        counts.add(-1e9);
    }

    #[test]
    fn middles() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
    }
}
