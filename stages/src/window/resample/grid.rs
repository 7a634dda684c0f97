//! The clock of a signal, and straight lines between readings.

use super::super::timing::{NANOS_PER_SECOND, offset_nanos, stamp_nanos};

/// Evenly spaced stamps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// Stamp of sample 0.
    pub start_nanos: i64,
    /// Samples a second.
    pub rate_hz: f64,
    /// Number of samples, 1 or more.
    pub length: usize,
}

impl Grid {
    /// As many samples as lie from `start_nanos` to `end_nanos`, both of them included.
    pub fn over(start_nanos: i64, end_nanos: i64, rate_hz: f64) -> Self {
        let span = end_nanos.saturating_sub(start_nanos).max(0);
        let mut last = (span as f64 * rate_hz / NANOS_PER_SECOND) as usize;
        // The product is rounded: the sample itself says whether it lies within.
        while last > 0 && offset_nanos(last, rate_hz) > span {
            last -= 1;
        }
        while offset_nanos(last + 1, rate_hz) <= span {
            last += 1;
        }
        Self { start_nanos, rate_hz, length: last + 1 }
    }

    /// The grid of `multiple` times the rate from the first to the last sample of this one.
    pub fn finer(self, multiple: usize) -> Self {
        let length = (self.length - 1) * multiple + 1;
        Self { rate_hz: self.rate_hz * multiple as f64, length, ..self }
    }
}

/// Hands `write` the x, y and z of each sample of `grid` in order, by straight line between the readings around it.
///
/// The stamps ascend, and the readings reach from the first to the last sample; where they do not, the outermost
/// reading holds. A sample at the stamp of a reading is that reading.
pub(super) fn interpolate(
    stamps: &[i64],
    [x, y, z]: [&[f64]; 3],
    grid: Grid,
    mut write: impl FnMut(usize, [f64; 3]),
) {
    let Some(last) = stamps.len().checked_sub(1) else { return };
    // One length for all lists lets the bounds be checked once.
    let (x, y, z) = (&x[..=last], &y[..=last], &z[..=last]);
    let mut at = 0;
    for sample in 0..grid.length {
        let stamp = stamp_nanos(grid.start_nanos, sample, grid.rate_hz);
        while at < last && stamps[at + 1] <= stamp {
            at += 1;
        }
        let behind = stamp.saturating_sub(stamps[at]);
        if at == last || behind <= 0 {
            write(sample, [x[at], y[at], z[at]]);
            continue;
        }
        let share = behind as f64 / (stamps[at + 1] - stamps[at]) as f64;
        let between = |axis: &[f64]| axis[at] + (axis[at + 1] - axis[at]) * share;
        write(sample, [between(x), between(y), between(z)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_what_lies_within() {
        let length = |end: i64, rate| Grid::over(7, 7 + end, rate).length;
        assert_eq!(length(0, 50.0), 1);
        assert_eq!(length(19_999_999, 50.0), 1);
        assert_eq!(length(20_000_000, 50.0), 2);
        assert_eq!(length(66_666_666, 30.0), 2);
        assert_eq!(length(66_666_667, 30.0), 3);
        assert_eq!(length(86_400_000_000_000, 30.0), 30 * 86_400 + 1);
        assert_eq!(Grid::over(0, 40_000_000, 50.0).finer(4).length, 9);
    }

    #[test]
    fn samples_lie_on_straight_lines_and_ends_hold() {
        let stamps = [10_000_000, 30_000_000, 50_000_000];
        let ramp = [1.0, 3.0, 9.0];
        let mut found = Vec::new();
        let grid = Grid { start_nanos: 0, rate_hz: 50.0, length: 5 };
        interpolate(&stamps, [&ramp, &ramp, &ramp], grid, |_, [x, _, z]| found.push((x, z)));
        let expected = [1.0, 2.0, 6.0, 9.0, 9.0].map(|value| (value, value));
        assert_eq!(found, expected);
        interpolate(&[], [&[], &[], &[]], grid, |_, _| panic!("there is nothing to draw from"));
    }
}
