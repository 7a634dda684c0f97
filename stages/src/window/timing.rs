//! Samples to nanoseconds without drift, and the step that a sensor aims at.

use super::median::median;

/// Nanoseconds in a second.
pub(super) const NANOS_PER_SECOND: f64 = 1e9;
/// Nanoseconds in a millisecond.
pub(super) const NANOS_PER_MS: f64 = 1e6;

/// Nanoseconds from sample 0 to sample `samples` at `rate_hz`, rounded to the nearest.
///
/// Each sample is counted from the first one, so rounding does not add up.
pub(super) fn offset_nanos(samples: usize, rate_hz: f64) -> i64 {
    // Through `i64`, which converts in one instruction; it fits.
    (samples as i64 as f64 * NANOS_PER_SECOND / rate_hz + 0.5) as i64
}

/// The stamp `samples` samples behind `start_nanos` at `rate_hz`.
pub(super) fn stamp_nanos(start_nanos: i64, samples: usize, rate_hz: f64) -> i64 {
    start_nanos.saturating_add(offset_nanos(samples, rate_hz))
}

/// How many times the median step the mean one may be before the readings count as coming in bursts: with half of all
/// readings missing it is twice as long. Ours.
pub(super) const MOST_MEAN_STEPS: f64 = 2.0;

/// The step between readings that a sensor aims at, of `steps` without gaps, which are put in another order: the median
/// one.
///
/// In bursts of equal stamps that were made unique by a nanosecond or so, most steps are those within a burst, and say
/// nothing of the sensor. Where the mean step is over [`MOST_MEAN_STEPS`] times the median one, it is the mean, which
/// does not depend on how the readings of a burst are stamped.
pub(super) fn typical_step(steps: &mut [i64]) -> Option<f64> {
    let median = median(steps)?;
    let mean = steps.iter().map(|step| *step as f64).sum::<f64>() / steps.len() as f64;
    Some(if mean > MOST_MEAN_STEPS * median { mean } else { median })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typical_step_is_that_of_the_sensor() {
        let step = |steps: &[i64]| typical_step(&mut steps.to_vec());
        assert_eq!(step(&[10, 10, 12, 8, 10]), Some(10.0));
        assert_eq!(step(&[10, 10, 20, 10, 30]), Some(10.0), "missing readings");
        // Bursts of ten, whatever makes their stamps unique.
        for tiny in [1, 1_000, 1_000_000] {
            let burst = [&[tiny; 9][..], &[100_000_000 - 9 * tiny]].concat();
            assert_eq!(step(&burst.repeat(50)), Some(1e7), "{tiny}");
        }
        assert_eq!(step(&[]), None);
    }

    #[test]
    fn rounding_does_not_add_up() {
        assert_eq!(offset_nanos(1, 50.0), 20_000_000);
        assert_eq!([1, 2, 3].map(|at| offset_nanos(at, 30.0)), [33_333_333, 66_666_667, 100_000_000]);
        assert_eq!(offset_nanos(30 * 86_400, 30.0), 86_400_000_000_000);
        assert_eq!(stamp_nanos(i64::MAX, 5, 50.0), i64::MAX);
    }
}
