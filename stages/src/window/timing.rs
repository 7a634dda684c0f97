//! Samples to nanoseconds, without drift.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_does_not_add_up() {
        assert_eq!(offset_nanos(1, 50.0), 20_000_000);
        assert_eq!([1, 2, 3].map(|at| offset_nanos(at, 30.0)), [33_333_333, 66_666_667, 100_000_000]);
        assert_eq!(offset_nanos(30 * 86_400, 30.0), 86_400_000_000_000);
        assert_eq!(stamp_nanos(i64::MAX, 5, 50.0), i64::MAX);
    }
}
