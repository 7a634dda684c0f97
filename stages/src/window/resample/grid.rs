//! The clock of a signal, and straight lines between readings.

use std::ops::Range;

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
    pub(super) fn over(start_nanos: i64, end_nanos: i64, rate_hz: f64) -> Self {
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
    pub(super) fn finer(self, multiple: usize) -> Self {
        let length = (self.length - 1) * multiple + 1;
        Self { rate_hz: self.rate_hz * multiple as f64, length, ..self }
    }
}

/// Samples whose places are found before the first of them is drawn.
const CHUNK: usize = 256;
/// Readings that are passed at once where a sample is looked for.
const STRIDE: usize = 4;

/// Where a sample lies among the readings.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The last reading at or before it, or the first one.
    before: usize,
    /// The next one, the last one at its stamp; or the last of all.
    behind: usize,
    /// How far it lies between the two, below 1; 0 is the one before.
    share: f64,
}

/// The samples of `grid` by straight line between the readings around them, drawn from the first one on.
///
/// The stamps never go back, and the last reading of equal ones counts. The readings reach from the first to the last
/// sample; where they do not, the outermost reading holds. A sample at the stamp of a reading is that reading.
#[derive(Debug, Clone)]
pub(super) struct Drawing<'a> {
    stamps: &'a [i64],
    grid: Grid,
    /// The reading before the sample that was drawn last.
    at: usize,
}

impl<'a> Drawing<'a> {
    /// Between readings at `stamps`, one or more.
    pub(super) fn new(stamps: &'a [i64], grid: Grid) -> Self {
        Self { stamps, grid, at: 0 }
    }

    /// Hands `write` the x, y and z of each of `samples` in order, which lie behind all that were drawn before, of each
    /// of `tracks`, whose readings have the same stamps; its first argument is the number of the track.
    pub(super) fn draw(
        &mut self,
        tracks: &[[&[f64]; 3]],
        samples: Range<usize>,
        mut write: impl FnMut(usize, usize, [f64; 3]),
    ) {
        let count = self.stamps.len();
        let mut places = [Place::default(); CHUNK];
        for first in samples.clone().step_by(CHUNK) {
            let places = &mut places[..CHUNK.min(samples.end - first)];
            self.at = find(self.stamps, self.grid, first, self.at, places);
            for (number, [x, y, z]) in tracks.iter().enumerate() {
                // One length for all lists lets the bounds be checked once.
                let (x, y, z) = (&x[..count], &y[..count], &z[..count]);
                for (sample, place) in (first..).zip(&*places) {
                    write(number, sample, [place.between(x), place.between(y), place.between(z)]);
                }
            }
        }
    }
}

/// The places of the samples from number `first` on among `stamps`; none lies before reading `at`. Gives the reading
/// before the last of them.
fn find(stamps: &[i64], grid: Grid, first: usize, at: usize, places: &mut [Place]) -> usize {
    let mut at = at;
    for (sample, place) in (first..).zip(places) {
        let stamp = stamp_nanos(grid.start_nanos, sample, grid.rate_hz);
        *place = Place::of(stamp, stamps, at);
        at = place.before;
    }
    at
}

impl Place {
    /// That of a sample at `stamp`, which lies not before reading `at`.
    #[inline]
    fn of(stamp: i64, stamps: &[i64], at: usize) -> Self {
        let mut at = at;
        // The stamps are in order, so those that are passed can be counted: no branch depends on how many they are,
        // which changes from sample to sample.
        while let Some(near) = stamps[at..].first_chunk::<{ STRIDE + 1 }>() {
            let passed = near[1..].iter().map(|next| usize::from(*next <= stamp)).sum::<usize>();
            if passed < STRIDE {
                return Self::behind(stamp, stamps, at + passed);
            }
            at += STRIDE;
        }
        while at + 1 < stamps.len() && stamps[at + 1] <= stamp {
            at += 1;
        }
        Self::behind(stamp, stamps, at)
    }

    /// That of a sample at `stamp` behind reading `at` and before the next one.
    #[inline]
    fn behind(stamp: i64, stamps: &[i64], at: usize) -> Self {
        let (before, mut behind) = (stamps[at], at + 1);
        let Some(next) = stamps.get(behind) else {
            return Self { before: at, behind: at, share: 0.0 };
        };
        while stamps.get(behind + 1) == Some(next) {
            behind += 1;
        }
        let since = stamp.saturating_sub(before).max(0);
        Self { before: at, behind, share: since as f64 / (next - before).max(1) as f64 }
    }

    /// The number of `axis` at this place.
    #[inline]
    fn between(self, axis: &[f64]) -> f64 {
        let (before, behind) = (axis[self.before], axis[self.behind]);
        let between = before + (behind - before) * self.share;
        // Not even the sign of a zero may change.
        if self.share == 0.0 { before } else { between }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let tracks: [[&[f64]; 3]; 1] = [[&ramp, &ramp, &ramp]];
        Drawing::new(&stamps, grid).draw(&tracks, 0..5, |_, _, [x, _, z]| found.push((x, z)));
        let expected = [1.0, 2.0, 6.0, 9.0, 9.0].map(|value| (value, value));
        assert_eq!(found, expected);
    }

    /// One sample after the other, reading by reading.
    fn plainly(stamps: &[i64], axis: &[f64], grid: Grid) -> Vec<u64> {
        let drawn = (0..grid.length).map(|sample| {
            let stamp = stamp_nanos(grid.start_nanos, sample, grid.rate_hz);
            let at = stamps.iter().rposition(|reading| *reading <= stamp).unwrap_or(0);
            if at + 1 == stamps.len() || stamps[at] >= stamp {
                return axis[at];
            }
            let share = (stamp - stamps[at]) as f64 / (stamps[at + 1] - stamps[at]) as f64;
            let next = stamps.iter().rposition(|reading| *reading == stamps[at + 1]).unwrap();
            axis[at] + (axis[next] - axis[at]) * share
        });
        drawn.map(f64::to_bits).collect()
    }

    proptest! {
        #[test]
        fn samples_are_those_of_the_plain_way(
            first in -50_i64..50,
            steps in prop::collection::vec((0_i64..40, prop_oneof![-5.0_f64..5.0, Just(-0.0), Just(0.0)]), 1..400),
            start in -100_i64..200,
            rate_hz in prop_oneof![Just(50.0), Just(200.0), 1.0_f64..300.0],
            length in 1_usize..700,
            cut in 0_usize..700,
        ) {
            const MS: i64 = 1_000_000;
            let mut stamp = first * MS;
            let stamps: Vec<i64> = steps.iter().map(|(step, _)| { stamp += step * MS; stamp }).collect();
            let up: Vec<f64> = steps.iter().map(|(_, value)| *value).collect();
            let down: Vec<f64> = up.iter().map(|value| -value).collect();
            let grid = Grid { start_nanos: start * MS, rate_hz, length };
            let mut found = [(); 4].map(|()| Vec::new());
            let mut drawing = Drawing::new(&stamps, grid);
            let cut = cut.min(length);
            for part in [0..cut, cut..length] {
                drawing.draw(&[[&up, &up, &down], [&down, &down, &up]], part, |track, at, [x, y, z]| {
                    assert!(found[2 * track].len() == at && x.to_bits() == y.to_bits());
                    found[2 * track].push(x.to_bits());
                    found[2 * track + 1].push(z.to_bits());
                });
            }
            let (up, down) = (plainly(&stamps, &up, grid), plainly(&stamps, &down, grid));
            prop_assert_eq!(found, [up.clone(), down.clone(), down, up]);
        }
    }
}
