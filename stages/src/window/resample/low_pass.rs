//! The low-pass before a sensor is reduced to a lower rate: no phase shift, and no aliases at the frequencies
//! of human movement.
//!
//! Readings are drawn by straight line on a grid of a whole multiple of the target rate, at least twice as fine as
//! the sensor's own. There they are convolved with a symmetric Kaiser-windowed sinc, only where a sample of the
//! target falls. The finer grid keeps the images of the straight lines above the filter's stop edge.
//!
//! The ends are continued by turning the signal about its end point, as `filtfilt` does, so a straight ramp passes
//! unchanged up to the ends. The straight lines themselves weaken a tone of f Hz by sinc²(f / sensor rate) on the
//! mean, with or without the low-pass: 0.4 % at 3.5 Hz for a sensor of 100 Hz, 4 % at 11 Hz.
//!
//! Source: Kaiser's formulae in Oppenheim and Schafer, Discrete-Time Signal Processing (3rd ed.), section 7.6.

use std::f64::consts::PI;
use std::ops::Range;

use super::convolve::convolve;
use super::grid::{Drawing, Grid};

/// End of the pass band, as a share of half the target rate: 20 Hz of 25, above human movement. Our choice.
pub const PASS_SHARE: f64 = 0.8;
/// Start of the stop band, as a share of half the target rate. Frequencies below it fold to above [`PASS_SHARE`],
/// so the pass band is free of aliases with a filter half as long as one that stops at 1.
pub const STOP_SHARE: f64 = 1.2;
/// Damping of the stop band in dB: a tone of 1 m/s² comes back as 1 mm/s² at most. The ripple of the pass band is
/// as small, 0.1 %. Our choice.
pub const ATTENUATION_DB: f64 = 60.0;
/// How much finer the grid is than the sensor's own, at least: the first image of a tone in the pass band then lies
/// in the stop band.
pub const OVERSAMPLING: f64 = 2.0;
/// A sensor is filtered from this multiple of the target rate on: below it, its rate is the target's up to jitter.
pub const FILTERED_FROM: f64 = 1.05;
/// How many times faster than the target rate a sensor may be: its filter is that many times longer than one of two equal
/// rates, 370,000 taps at the most.
pub const MOST_TIMES_FASTER: f64 = 1e4;
/// Samples that are made at once: what they need of the finer grid stays in a core's first-level cache.
const BLOCK: usize = 64;

/// A filter from one sensor's rate to the target's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LowPass {
    /// Samples of the finer grid for one of the target.
    multiple: usize,
    /// The impulse response, of odd length, symmetric, of sum 1.
    taps: Vec<f64>,
}

/// Memory that is used again from block to block: x, y and z of each track on the finer grid, continued at both ends.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<[Vec<f64>; 3]>);

impl LowPass {
    /// The filter for a sensor of `sensor_hz`, or `None` where that is no higher than `rate_hz`.
    pub(super) fn design(sensor_hz: f64, rate_hz: f64) -> Option<Self> {
        if sensor_hz < FILTERED_FROM * rate_hz {
            return None;
        }
        let multiple = (OVERSAMPLING * sensor_hz / rate_hz).ceil();
        // Everything from here on is a share of half the finer rate.
        let width = (STOP_SHARE - PASS_SHARE) / multiple;
        let cutoff = f64::midpoint(STOP_SHARE, PASS_SHARE) / multiple;
        let half = ((ATTENUATION_DB - 7.95) / (2.285 * PI * width) / 2.0).ceil();
        let beta = 0.1102 * (ATTENUATION_DB - 8.7);
        let tap = |at: f64| {
            let inside = (1.0 - (at / half) * (at / half)).max(0.0);
            cutoff * sinc(cutoff * at) * bessel_i0(beta * inside.sqrt())
        };
        let half = half as i64;
        let mut taps: Vec<f64> = (-half..=half).map(|at| tap(at as f64)).collect();
        let sum: f64 = taps.iter().sum();
        for tap in &mut taps {
            *tap /= sum;
        }
        Some(Self { multiple: multiple as usize, taps })
    }

    /// Samples of the finer grid for one of the target.
    pub(super) fn multiple(&self) -> usize {
        self.multiple
    }

    /// Hands `write` the x, y and z of each sample of `grid` in order, from the readings that reach from its first
    /// to its last sample, of each of `tracks`, whose readings have the same `stamps`; its first argument is the number
    /// of the track.
    pub(super) fn apply(
        &self,
        stamps: &[i64],
        tracks: &[[&[f64]; 3]],
        grid: Grid,
        scratch: &mut Scratch,
        mut write: impl FnMut(usize, usize, [f64; 3]),
    ) {
        let fine = grid.finer(self.multiple);
        let mut drawing = Drawing::new(stamps, fine);
        let (taps, half) = (self.taps.len(), self.taps.len() / 2);
        let axes = &mut scratch.0;
        axes.resize_with(tracks.len().max(axes.len()), Default::default);
        for axis in axes.iter_mut().flatten() {
            // Every number is written below, so what was there before need not be cleared.
            axis.resize((BLOCK - 1) * self.multiple + taps, 0.0);
        }
        let mut found = [[0.0; BLOCK]; 3];
        for first in (0..grid.length).step_by(BLOCK) {
            let count = BLOCK.min(grid.length - first);
            // The numbers of the continued signal that this block needs; the first of them were there before.
            let reach = first * self.multiple..(first + count - 1) * self.multiple + taps;
            let kept = if first > 0 { taps - self.multiple } else { 0 };
            for axis in axes.iter_mut().flatten() {
                axis.copy_within(BLOCK * self.multiple.., 0);
            }
            let drawn = (reach.start + kept).saturating_sub(half)..(reach.end - half).min(fine.length);
            drawing.draw(tracks, drawn, |track, at, sample| {
                let place = at + half - reach.start;
                for (axis, value) in axes[track].iter_mut().zip(sample) {
                    axis[place] = value;
                }
            });
            for (number, [x, y, z]) in axes[..tracks.len()].iter_mut().enumerate() {
                for (axis, found) in [x, y, z].into_iter().zip(&mut found) {
                    continue_ends(axis, &reach, half, fine.length);
                    convolve(&self.taps, axis, self.multiple, &mut found[..count]);
                }
                let samples = found[0].iter().zip(&found[1]).zip(&found[2]).take(count);
                for (at, ((x, y), z)) in samples.enumerate() {
                    write(number, first + at, [*x, *y, *z]);
                }
            }
        }
    }
}

/// Turns a signal of `length` numbers, which has `half` free ones at either end, about its end points; `part` holds
/// those of `reach` alone.
fn continue_ends(part: &mut [f64], reach: &Range<usize>, half: usize, length: usize) {
    let last = half + length - 1;
    if reach.start == 0 {
        for away in 1..=half {
            // A signal shorter than the reach holds its turned end.
            part[half - away] = 2.0 * part[half] - part[half + away.min(length - 1)];
        }
    }
    for at in (last + 1).max(reach.start)..reach.end {
        let inside = (at - last).min(length - 1);
        part[at - reach.start] = 2.0 * part[last - reach.start] - part[last - inside - reach.start];
    }
}

/// sin(πx) / (πx).
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) }
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..200 {
        term *= quarter / (f64::from(k) * f64::from(k));
        sum += term;
        if term < sum * f64::EPSILON / 4.0 {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gain of `filter` for a tone of `share` of half the target rate.
    fn gain(filter: &LowPass, share: f64) -> f64 {
        let half = (filter.taps.len() / 2) as f64;
        let phase = PI * share / filter.multiple as f64;
        filter.taps.iter().enumerate().map(|(at, tap)| tap * (phase * (at as f64 - half)).cos()).sum()
    }

    #[test]
    fn the_taps_are_those_of_scipy() {
        // half = ceil((60 - 7.95) / 2.285 / (pi * 0.4 / 4) / 2)
        // scipy.signal.firwin(2*half + 1, 1/4, window=("kaiser", 0.1102 * (60 - 8.7)))
        let filter = LowPass::design(100.0, 50.0).unwrap();
        assert_eq!((filter.multiple, filter.taps.len()), (4, GOLDEN_LENGTH));
        for (at, expected) in GOLDEN {
            assert!((filter.taps[at] - expected).abs() < 1e-12, "{at}: {} {expected}", filter.taps[at]);
            assert!((filter.taps[GOLDEN_LENGTH - 1 - at] - expected).abs() < 1e-12);
        }
    }

    const GOLDEN_LENGTH: usize = 75;
    const GOLDEN: [(usize, f64); 5] = [
        (0, -0.000_123_986_622_635_078_9),
        (1, 0.0),
        (20, 0.007_491_478_131_876_085),
        (36, 0.224_589_179_772_007_65),
        (37, 0.249_923_332_604_406_88),
    ];

    #[test]
    fn the_pass_band_is_flat_and_the_stop_band_is_damped() {
        for sensor_hz in [53.0, 100.0, 200.0, 417.0] {
            let filter = LowPass::design(sensor_hz, 50.0).unwrap();
            let multiple = filter.multiple as f64;
            assert!(multiple * 50.0 >= OVERSAMPLING * sensor_hz);
            for step in 0..=400 {
                let share = multiple * f64::from(step) / 400.0;
                let gain = gain(&filter, share);
                if share <= PASS_SHARE {
                    assert!((gain - 1.0).abs() < 1.2e-3, "{sensor_hz} Hz, share {share}: {gain}");
                } else if share >= STOP_SHARE {
                    assert!(gain.abs() < 1.2e-3, "{sensor_hz} Hz, share {share}: {gain}");
                }
            }
            assert!((gain(&filter, 1.0) - 0.5).abs() < 0.01, "half at the middle of the transition");
        }
    }

    #[test]
    fn a_sensor_of_the_target_rate_is_left_alone() {
        assert!(LowPass::design(50.0, 50.0).is_none());
        assert!(LowPass::design(51.0, 50.0).is_none());
        assert!(LowPass::design(20.0, 50.0).is_none());
        assert_eq!(LowPass::design(60.0, 50.0).unwrap().multiple, 3);
    }

    fn filtered(signal: impl Fn(f64) -> f64, seconds: f64) -> Vec<f64> {
        let count = (seconds * 100.0) as i64 + 1;
        let stamps: Vec<i64> = (0..count).map(|at| at * 10_000_000).collect();
        let values: Vec<f64> = (0..count).map(|at| signal(at as f64 / 100.0)).collect();
        let grid = Grid::over(0, stamps[stamps.len() - 1], 50.0);
        let mut out = Vec::new();
        let filter = LowPass::design(100.0, 50.0).unwrap();
        let mut scratch = Scratch::default();
        filter.apply(&stamps, &[[&values, &values, &values]], grid, &mut scratch, |_, _, [x, y, z]| {
            assert!(x == y && y == z);
            out.push(x);
        });
        out
    }

    #[test]
    fn ramps_pass_up_to_the_ends_however_short_they_are() {
        for seconds in [0.0, 0.02, 0.1, 3.0] {
            for (at, value) in filtered(|t| 3.0 * t - 1.0, seconds).iter().enumerate() {
                let expected = 3.0 * at as f64 / 50.0 - 1.0;
                // Where the signal is shorter than the reach, its turned end is held.
                let bound = if seconds < 0.4 { 0.02 } else { 1e-12 };
                assert!((value - expected).abs() < bound, "{seconds} s, {at}: {value} {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_join_to_what_one_piece_gives(
            steps in prop::collection::vec((1_i64..30, -9.0_f64..9.0), 2..1500),
            sensor_hz in 53.0_f64..260.0,
        ) {
            let mut stamp = 0;
            let stamps: Vec<i64> = steps.iter().map(|(step, _)| { stamp += step * 1_000_000; stamp }).collect();
            let up: Vec<f64> = steps.iter().map(|(_, value)| *value).collect();
            let down: Vec<f64> = up.iter().map(|value| -value).collect();
            let tracks: [[&[f64]; 3]; 2] = [[&up, &up, &down], [&down, &up, &up]];
            let grid = Grid::over(stamps[0], stamp, 50.0);
            let filter = LowPass::design(sensor_hz, 50.0).unwrap();
            let (fine, half) = (grid.finer(filter.multiple), filter.taps.len() / 2);
            let mut whole = vec![0.0; fine.length + 2 * half];
            Drawing::new(&stamps, fine).draw(&tracks[..1], 0..fine.length, |_, at, [x, ..]| whole[half + at] = x);
            let reach = 0..whole.len();
            continue_ends(&mut whole, &reach, half, fine.length);
            let mut expected = vec![0.0; grid.length];
            convolve(&filter.taps, &whole, filter.multiple, &mut expected);
            let mut scratch = Scratch::default();
            // What another stretch leaves does not show.
            for _ in 0..2 {
                let mut next = [0; 2];
                filter.apply(&stamps, &tracks, grid, &mut scratch, |track, at, [x, y, z]| {
                    assert_eq!(next[track], at);
                    next[track] += 1;
                    let [up, down] = [expected[at], -expected[at]].map(f64::to_bits);
                    let found = [x, y, z].map(f64::to_bits);
                    assert_eq!(found, if track == 0 { [up, up, down] } else { [down, up, up] });
                });
                prop_assert_eq!(next, [grid.length; 2]);
            }
        }
    }

    #[test]
    fn a_tone_is_neither_shifted_nor_aliased() {
        // A tone of 5 Hz keeps its place: its product with the tone a quarter later is nothing.
        let tone = |hz: f64| move |t: f64| (2.0 * PI * hz * t + 0.3).sin();
        let found = filtered(tone(5.0), 8.0);
        let inner = 50..350;
        let (mut along, mut across) = (0.0, 0.0);
        for at in inner.clone() {
            let phase = 2.0 * PI * 5.0 * at as f64 / 50.0 + 0.3;
            along += found[at] * phase.sin() / 150.0;
            across += found[at] * phase.cos() / 150.0;
        }
        // Half the numbers of the finer grid are readings, half the means of two: (1 + cos(2 pi 5 / 200)) / 2.
        assert!((along - 0.993_844).abs() < 1.2e-3, "{along}");
        assert!(across.abs() < 1e-4, "shifted by {across} radians");
        // One of 40 Hz would come back at 10 Hz.
        let found = filtered(tone(40.0), 8.0);
        assert!(inner.map(|at| found[at].abs()).fold(0.0, f64::max) < 1.2e-3);
    }
}
