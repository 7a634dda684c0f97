//! The numbers of a quality report, from the readings of one sensor.

use schemas::tables::quality::Quality;
use schemas::tables::readings::TrackView;

use super::super::median::median;
use super::super::timing::{NANOS_PER_MS, NANOS_PER_SECOND, typical_step};
use super::clock::{Clock, mean_period};

/// From how many consecutive readings at the largest magnitude a sensor counts as saturated.
pub const SATURATED_RUN: usize = 3;

/// What the readings of one sensor show by themselves, steps beyond `max_gap_nanos` counted as gaps, and its clock.
///
/// Duplicate and backward stamps are counted in the order of the log. Rates, jitter and gaps are those of the
/// distinct stamps in ascending order, whatever the order of the log. The step that the sensor aims at is that of
/// [`typical_step`] within gaps, so that the steps of a nanosecond in bursts made unique do not pass for a rate.
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
    let mut within: Vec<i64> = steps.iter().copied().filter(|step| *step <= max_gap_nanos).collect();
    let median_within = median(&mut within);
    // A sensor may be so slow that each step is a gap.
    let typical = if within.is_empty() { median(&mut steps) } else { typical_step(&mut within) };
    let in_bursts = median_within.is_some() && median_within != typical;
    let clock = Clock {
        first_nanos: stamps.first().copied().unwrap_or(0),
        period_nanos: typical.filter(|_| !in_bursts).and_then(|step| mean_period(&distinct, step)),
    };
    let deviations = steps.iter().map(|step| (*step as f64 - typical.unwrap_or(0.0)).abs());
    let jitter = median(&mut deviations.map(|deviation| (2.0 * deviation) as i64).collect::<Vec<_>>());
    let quality = Quality {
        sensor: track.sensor.name().to_owned(),
        readings: stamps.len() as i64,
        duration_seconds,
        mean_rate_hz: (!steps.is_empty()).then(|| steps.len() as f64 / duration_seconds),
        median_rate_hz: typical.map(|step| NANOS_PER_SECOND / step),
        // The typical step may lie half-way between two, so deviations are counted in halves of a nanosecond.
        jitter_ms: jitter.map(|doubled| doubled / 2.0 / NANOS_PER_MS),
        longest_gap_ms: steps.iter().max().map(|step| *step as f64 / NANOS_PER_MS),
        gaps: steps.iter().filter(|step| **step > max_gap_nanos).count() as i64,
        duplicate_stamps: duplicate_stamps as i64,
        backward_stamps: backward_stamps as i64,
        saturated: saturated(track) as i64,
        not_finite: (0..stamps.len()).filter(|at| !finite(track, *at)).count() as i64,
        ..Quality::default()
    };
    (quality, clock)
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
        // The late reading is of the fourth period too, and bends the line a little.
        assert!((clock.period_nanos.unwrap() - 10.35e6).abs() < 1.0, "{clock:?}");
    }

    #[test]
    fn bursts_made_unique_are_measured_by_what_lasts() {
        // 100 bursts of 10 readings, 100 ms apart.
        for tiny in [1, 1_000, MS] {
            let stamps: Vec<i64> = (0..1000).map(|at| at / 10 * 100 * MS + at % 10 * tiny).collect();
            let (quality, clock) = measure(&track(&stamps, &[0.0; 1000]), 200 * MS);
            let rate = quality.median_rate_hz.unwrap();
            assert!((rate - 100.0).abs() < 2.0, "{tiny}: {rate}");
            assert!((quality.mean_rate_hz.unwrap() - rate).abs() < 1e-6);
            assert!(quality.jitter_ms.unwrap() <= 10.0);
            assert_eq!((quality.gaps, quality.duplicate_stamps, clock.period_nanos), (0, 0, None));
        }
    }

    #[test]
    fn a_sensor_slower_than_the_gap_limit_has_a_rate() {
        let (quality, _) = measure(&track(&[0, 500 * MS, 1000 * MS], &[0.0; 3]), 200 * MS);
        assert_eq!((quality.median_rate_hz, quality.gaps), (Some(2.0), 2));
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
