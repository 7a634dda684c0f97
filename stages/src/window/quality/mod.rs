//! `quality`: how good a log is, sensor by sensor and session by session.

mod clock;
mod measure;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::quality::{self as table, Quality as Row};
use schemas::tables::readings::{SessionView, sessions};
use schemas::units::Positive;
use serde::{Deserialize, Serialize};

pub use self::clock::SAME_RATE;
pub use self::measure::SATURATED_RUN;
use self::measure::measure;
use super::resample::{MAX_GAP_MS, check_readings};
use super::timing::NANOS_PER_MS;
use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Keys of the stage `quality`.
///
/// ```
/// let config: stages::window::QualityConfig = toml::from_str("max_gap_ms = 100")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityConfig {
    /// The longest step between two readings that is not a gap, ms; by default [`MAX_GAP_MS`], as in
    /// `resample`.
    #[serde(default = "max_gap_ms")]
    pub max_gap_ms: Positive,
}

fn max_gap_ms() -> Positive {
    MAX_GAP_MS
}

impl QualityConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> Quality {
        Quality { max_gap_nanos: (self.max_gap_ms.get() * NANOS_PER_MS) as i64 }
    }
}

/// Readings of whole sessions to rows of `quality`: one for each sensor that a session has. It rejects no reading.
///
/// The first sensor of a session, by the order of channels, is the one whose start and clock the others are compared
/// with; its own skew and drift are 0.
#[derive(Debug, Clone)]
pub struct Quality {
    max_gap_nanos: i64,
}

impl Quality {
    fn rows(&self, session: &SessionView<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut first = None;
        for track in &session.tracks {
            let (measured, clock) = measure(track, self.max_gap_nanos);
            let reference = *first.get_or_insert(clock);
            let skew_nanos = clock.first_nanos.saturating_sub(reference.first_nanos);
            rows.push(Row {
                dataset: session.key.dataset.clone(),
                subject: session.key.subject.clone(),
                device: session.key.device.clone(),
                session: session.key.session.clone(),
                start_skew_ms: Some(skew_nanos as f64 / NANOS_PER_MS),
                clock_drift_ppm: clock.drift_ppm(&reference),
                ..measured
            });
        }
        rows
    }
}

impl Stage for Quality {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        check_readings(input)?;
        Ok(table::schema())
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let rows: Vec<Row> = sessions(batch)?.iter().flat_map(|session| self.rows(session)).collect();
        let taken = Some(batch.num_rows());
        Ok(Outcome { taken, ..Outcome::all(table::to_batch(&rows)) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{context, readings, session, steps, waves};
    use super::*;
    use schemas::tables::readings::Track;

    #[test]
    fn each_sensor_of_each_session_gives_a_row() {
        let (a, g) = (steps(0, 10_000_000, 200), steps(30_000_000, 10_000_000, 150));
        let both = session("b", waves(&a, "a"), waves(&g, "g"));
        let batch = readings([session("a", Track::default(), waves(&g, "g")), both]);
        let stage = QualityConfig { max_gap_ms: MAX_GAP_MS }.build(&context("quality"));
        let outcome = stage.run(&batch).unwrap();
        assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        assert_eq!((outcome.taken, outcome.rejects.len()), (Some(500), 0));
        let rows = table::from_batch(&outcome.rows).unwrap();
        let named: Vec<_> =
            rows.iter().map(|row| (&row.session[..], &row.sensor[..], row.readings)).collect();
        assert_eq!(named, [("a", "gyroscope", 150), ("b", "accelerometer", 200), ("b", "gyroscope", 150)]);
        let skews: Vec<_> = rows.iter().map(|row| row.start_skew_ms.unwrap()).collect();
        assert_eq!(skews, [0.0, 0.0, 30.0]);
        assert_eq!((rows[2].clock_drift_ppm, rows[2].median_rate_hz), (Some(0.0), Some(100.0)));
    }
}
