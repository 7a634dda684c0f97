//! `quality`: one row is one sensor of one session, as recorded in the log.

use super::flat::flat_table;

flat_table! {
    "quality"
    /// One row of the table.
    #[derive(Debug, Clone, PartialEq, Default)]
    pub struct Quality {
        /// The data set.
        pub dataset: String,
        /// The person.
        pub subject: String,
        /// The device.
        pub device: String,
        /// The session.
        pub session: String,
        /// The sensor.
        pub sensor: String,
        /// Readings.
        pub readings: i64,
        /// Steps longer than the gap limit.
        pub gaps: i64,
        /// Readings whose stamp is that of the one before.
        pub duplicate_stamps: i64,
        /// Readings whose stamp is before that of the one before.
        pub backward_stamps: i64,
        /// Readings at the largest magnitude of an axis, where three or more consecutive readings reach it.
        pub saturated: i64,
        /// Readings that are not finite.
        pub not_finite: i64,
        /// From the first to the last stamp.
        pub duration_seconds: f64 as "s",
        /// Readings per second over the whole session: the number of distinct stamps minus one, divided by the
        /// duration.
        pub mean_rate_hz: Option<f64> as "Hz",
        /// The inverse of the median step between distinct stamps: the rate that the sensor aims at. Where most steps
        /// are those within bursts, so that the mean step is over twice the median one, it is the inverse of the mean;
        /// gaps do not count.
        pub median_rate_hz: Option<f64> as "Hz",
        /// Median absolute difference of a step from that of `median_rate_hz`.
        pub jitter_ms: Option<f64> as "ms",
        /// The longest step.
        pub longest_gap_ms: Option<f64> as "ms",
        /// First stamp minus that of the session's first sensor.
        pub start_skew_ms: Option<f64> as "ms",
        /// How much faster this sensor's clock seems to run than the first one's, parts per million, by a straight line
        /// through all stamps; null where the rates differ by over 1 %, or the stamps come in bursts or without order.
        pub clock_drift_ppm: Option<f64> as "1e-6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let rows = [
            Quality { subject: "s".into(), readings: 3, jitter_ms: Some(0.5), ..Quality::default() },
            Quality { sensor: "gyroscope".into(), gaps: 2, saturated: 7, ..Quality::default() },
        ];
        assert_eq!(from_batch(&to_batch(&rows)).unwrap(), rows);
    }
}
