//! The numbers of a quality report, from the readings of one sensor.

use schemas::tables::quality::Quality;
use schemas::tables::readings::TrackView;

use super::super::median::median;
use super::super::timing::{NANOS_PER_MS, NANOS_PER_SECOND};

/// How far two sensors' mean periods may differ, as a share, for their clocks to be compared: if they differ more,
/// the sensors do not aim at the same rate, and the difference says nothing about their clocks.
pub const SAME_RATE: f64 = 0.01;
/// A step up to this many median steps counts for the clock, as so many periods as it is nearest to, since readings
/// go missing or come in bursts. How many periods a longer one takes cannot be told well enough.
const COUNTED_PERIODS: f64 = 10.0;
/// From how many consecutive readings at the largest magnitude a sensor counts as saturated.
pub const SATURATED_RUN: usize = 3;

/// The clock of a sensor, as its stamps show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    /// The first stamp of the log.
    pub first_nanos: i64,
    /// The mean time from reading to reading, ns, missing readings allowed for.
    pub period_nanos: Option<f64>,
}

impl Clock {
    /// Parts per million by which this clock seems to run faster than `reference`.
    ///
    /// Both sensors are taken to be read at one true rate; a clock that shows longer steps then runs faster. `None`
    /// where the rates are not the same, within [`SAME_RATE`].
    pub(super) fn drift_ppm(&self, reference: &Self) -> Option<f64> {
        let drift = self.period_nanos? / reference.period_nanos? - 1.0;
        (drift.abs() <= SAME_RATE).then_some(drift * 1e6)
    }
}

/// What the readings of one sensor show by themselves, steps beyond `max_gap_nanos` counted as gaps, and its clock.
///
/// Duplicate and backward stamps are counted in the order of the log. Rates, jitter and gaps are those of the
/// distinct stamps in ascending order, whatever the order of the log.
pub(super) fn measure(track: &TrackView<'_>, max_gap_nanos: i64) -> (Quality, Clock) {
    let stamps = &track.stamp_nanos[..];
    let pairs = || stamps.windows(2);
    let duplicate_stamps = pairs().filter(|pair| pair[0] == pair[1]).count();
    let backward_stamps = pairs().filter(|pair| pair[1] < pair[0]).count();
    let mut distinct = stamps.to_vec();
    if backward_stamps > 0 {
        distinct.sort_unstable();
    }
    distinct.dedup();
    let mut steps: Vec<i64> = distinct.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    let span = distinct.first().zip(distinct.last()).map_or(0, |(first, last)| last.saturating_sub(*first));
    let duration_seconds = span as f64 / NANOS_PER_SECOND;
    let median_step = median(&mut steps);
    let period_nanos = median_step.and_then(|median| mean_period(&steps, median));
    let deviations = steps.iter().map(|step| (*step as f64 - median_step.unwrap_or(0.0)).abs());
    let jitter = median(&mut deviations.map(|deviation| (2.0 * deviation) as i64).collect::<Vec<_>>());
    let quality = Quality {
        sensor: track.sensor.name().to_owned(),
        readings: stamps.len() as i64,
        duration_seconds,
        mean_rate_hz: (!steps.is_empty()).then(|| steps.len() as f64 / duration_seconds),
        median_rate_hz: median_step.map(|step| NANOS_PER_SECOND / step),
        // The median step may lie half-way between two, so deviations are counted in halves of a nanosecond.
        jitter_ms: jitter.map(|doubled| doubled / 2.0 / NANOS_PER_MS),
        longest_gap_ms: steps.iter().max().map(|step| *step as f64 / NANOS_PER_MS),
        gaps: steps.iter().filter(|step| **step > max_gap_nanos).count() as i64,
        duplicate_stamps: duplicate_stamps as i64,
        backward_stamps: backward_stamps as i64,
        saturated: saturated(track) as i64,
        not_finite: (0..stamps.len()).filter(|at| !finite(track, *at)).count() as i64,
        ..Quality::default()
    };
    let clock = Clock { first_nanos: stamps.first().copied().unwrap_or(0), period_nanos };
    (quality, clock)
}

/// The mean period of a sensor of this median step.
fn mean_period(steps: &[i64], median: f64) -> Option<f64> {
    let counted = steps.iter().map(|step| *step as f64).filter(|step| *step <= COUNTED_PERIODS * median);
    let (sum, periods) =
        counted.fold((0.0, 0.0), |(sum, periods), step| (sum + step, periods + (step / median).round()));
    (periods > 0.0).then(|| sum / periods)
}

fn finite(track: &TrackView<'_>, at: usize) -> bool {
    track.axes.iter().all(|axis| axis[at].is_finite())
}

/// Readings at the largest magnitude of an axis, where [`SATURATED_RUN`] or more in a row reach it. An axis that is
/// nothing but zeros is not saturated.
fn saturated(track: &TrackView<'_>) -> usize {
    let mut flags = vec![false; track.stamp_nanos.len()];
    for axis in &track.axes {
        let finite = axis.iter().map(|value| value.abs()).filter(|value| value.is_finite());
        let largest = finite.fold(0.0, f64::max);
        if largest == 0.0 {
            continue;
        }
        let mut run = 0;
        for at in 0..axis.len() {
            run = if axis[at].abs() == largest { run + 1 } else { 0 };
            if run == SATURATED_RUN {
                flags[at + 1 - run..=at].fill(true);
            } else if run > SATURATED_RUN {
                flags[at] = true;
            }
        }
    }
    flags.iter().filter(|flag| **flag).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::tables::readings::Sensor;
    use std::borrow::Cow;

    const MS: i64 = 1_000_000;

    fn track(stamps: &[i64], x: &[f64]) -> TrackView<'static> {
        let zeros = || Cow::Owned(vec![0.0; x.len()]);
        TrackView {
            sensor: Sensor::Gyroscope,
            first_row: 0,
            stamp_nanos: Cow::Owned(stamps.to_vec()),
            axes: [Cow::Owned(x.to_vec()), zeros(), zeros()],
        }
    }

    #[test]
    fn rates_jitter_and_gaps_are_those_of_distinct_stamps() {
        let stamps = [0, 10, 20, 20, 32, 42, 40, 300].map(|at| at * MS);
        let (quality, clock) = measure(&track(&stamps, &[0.0; 8]), 200 * MS);
        // Steps 10, 10, 12, 8, 2, 258: the median lies between 10 and 10, deviations are 0, 0, 2, 2, 8, 248.
        assert_eq!((quality.readings, quality.duplicate_stamps, quality.backward_stamps), (8, 1, 1));
        assert_eq!((quality.duration_seconds, quality.gaps), (0.3, 1));
        assert_eq!((quality.mean_rate_hz, quality.median_rate_hz), (Some(20.0), Some(100.0)));
        assert_eq!((quality.jitter_ms, quality.longest_gap_ms), (Some(2.0), Some(258.0)));
        // Four periods and a late reading take 42 ms.
        assert_eq!(clock.period_nanos, Some(10.5e6));
    }

    #[test]
    fn a_clock_of_longer_steps_runs_faster() {
        let clock = |step: i64, count: i64| {
            let stamps: Vec<i64> = (0..count).map(|at| at * step).collect();
            measure(&track(&stamps, &vec![0.0; stamps.len()]), i64::MAX).1
        };
        let reference = clock(10 * MS, 100);
        let drift = clock(10 * MS + 500, 90).drift_ppm(&reference).unwrap();
        assert!((drift - 50.0).abs() < 1e-6, "{drift}");
        assert!(reference.drift_ppm(&clock(10 * MS + 500, 90)).unwrap() < -49.9);
        assert_eq!(clock(20 * MS, 100).drift_ppm(&reference), None);
        assert_eq!(clock(20 * MS, 1).drift_ppm(&reference), None);
    }

    #[test]
    fn readings_that_are_missing_or_late_do_not_look_like_drift() {
        let steady: Vec<i64> = (0..1000).map(|at| at * 10 * MS).collect();
        let late = |at: &i64| at + (at / (10 * MS)) * 7_919 % 11 * MS / 4;
        let holed: Vec<i64> = steady.iter().filter(|at| **at / (10 * MS) % 7 != 3).map(late).collect();
        let clock = |stamps: &[i64]| measure(&track(stamps, &vec![0.0; stamps.len()]), i64::MAX).1;
        let drift = clock(&holed).drift_ppm(&clock(&steady)).unwrap();
        assert!(drift.abs() < 300.0, "no more than the ends' 2.5 ms in 10 s: {drift}");
    }

    #[test]
    fn the_largest_magnitude_three_times_in_a_row_is_saturation() {
        let saturated = |x: &[f64]| {
            let stamps: Vec<i64> = (0..x.len() as i64).collect();
            measure(&track(&stamps, x), MS).0.saturated
        };
        assert_eq!(saturated(&[1.0, 20.0, 20.0, 2.0, 20.0]), 0);
        assert_eq!(saturated(&[20.0, 20.0, 20.0, 20.0, 1.0, -20.0, -20.0, 20.0, 20.0]), 8);
        assert_eq!(saturated(&[0.0; 5]), 0);
        assert_eq!(saturated(&[f64::NAN, f64::INFINITY, f64::INFINITY, f64::INFINITY, 1.0]), 0);
    }

    #[test]
    fn a_log_of_one_reading_has_no_rate() {
        let (quality, _) = measure(&track(&[5], &[f64::NAN]), MS);
        assert_eq!((quality.readings, quality.not_finite, quality.gaps), (1, 1, 0));
        assert_eq!((quality.mean_rate_hz, quality.jitter_ms, quality.longest_gap_ms), (None, None, None));
        let (quality, _) = measure(&track(&[5, 5, 5], &[0.0; 3]), MS);
        assert_eq!((quality.duplicate_stamps, quality.mean_rate_hz), (2, None));
    }
}
