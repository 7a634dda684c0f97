//! `quality`: one row is one sensor of one session, as the log has it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{in_unit, metadata};
use crate::columns::{SchemaError, longs, numbers, strings};

/// Name of the table.
pub const NAME: &str = "quality";

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
    /// From the first to the last stamp.
    pub duration_seconds: f64,
    /// Readings a second over the whole session: distinct stamps less one, by the duration.
    pub mean_rate_hz: Option<f64>,
    /// One by the median step between distinct stamps: the rate that the sensor aims at.
    pub median_rate_hz: Option<f64>,
    /// Median absolute difference of a step from the median step.
    pub jitter_ms: Option<f64>,
    /// The longest step.
    pub longest_gap_ms: Option<f64>,
    /// Steps beyond the gap limit.
    pub gaps: i64,
    /// Readings whose stamp is that of the one before.
    pub duplicate_stamps: i64,
    /// Readings whose stamp is before that of the one before.
    pub backward_stamps: i64,
    /// First stamp less that of the session's first sensor.
    pub start_skew_ms: Option<f64>,
    /// How much faster this sensor's clock seems to run than the first one's, parts per million.
    pub clock_drift_ppm: Option<f64>,
    /// Readings at the largest magnitude of an axis, where it is reached three times in a row or more.
    pub saturated: i64,
    /// Readings that are no finite numbers.
    pub not_finite: i64,
}

type Text = (&'static str, fn(&Quality) -> &str);
type Whole = (&'static str, fn(&Quality) -> i64);
type Float = (&'static str, &'static str, fn(&Quality) -> Option<f64>);

const TEXTS: [Text; 5] = [
    ("dataset", |q| &q.dataset),
    ("subject", |q| &q.subject),
    ("device", |q| &q.device),
    ("session", |q| &q.session),
    ("sensor", |q| &q.sensor),
];
const WHOLES: [Whole; 6] = [
    ("readings", |q| q.readings),
    ("gaps", |q| q.gaps),
    ("duplicate_stamps", |q| q.duplicate_stamps),
    ("backward_stamps", |q| q.backward_stamps),
    ("saturated", |q| q.saturated),
    ("not_finite", |q| q.not_finite),
];
const FLOATS: [Float; 7] = [
    ("duration_seconds", "s", |q| Some(q.duration_seconds)),
    ("mean_rate_hz", "Hz", |q| q.mean_rate_hz),
    ("median_rate_hz", "Hz", |q| q.median_rate_hz),
    ("jitter_ms", "ms", |q| q.jitter_ms),
    ("longest_gap_ms", "ms", |q| q.longest_gap_ms),
    ("start_skew_ms", "ms", |q| q.start_skew_ms),
    ("clock_drift_ppm", "1e-6", |q| q.clock_drift_ppm),
];

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let mut fields: Vec<Field> =
        TEXTS.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, false)).collect();
    fields.extend(WHOLES.iter().map(|(name, _)| Field::new(*name, DataType::Int64, false)));
    fields.extend(
        FLOATS.iter().map(|(name, unit, _)| in_unit(Field::new(*name, DataType::Float64, true), unit)),
    );
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The rows `rows` as a batch.
pub fn to_batch(rows: &[Quality]) -> RecordBatch {
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (_, get) in TEXTS {
        columns.push(Arc::new(StringArray::from_iter_values(rows.iter().map(get))));
    }
    for (_, get) in WHOLES {
        columns.push(Arc::new(Int64Array::from_iter_values(rows.iter().map(get))));
    }
    for (_, _, get) in FLOATS {
        columns.push(Arc::new(rows.iter().map(get).collect::<Float64Array>()));
    }
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Quality>, SchemaError> {
    let text = |name: &str, row| strings(batch, name).map(|array| array.value(row).to_owned());
    let whole = |name: &str, row| longs(batch, name).map(|array| array.value(row));
    let float =
        |name: &str, row| numbers(batch, name).map(|array| array.is_valid(row).then(|| array.value(row)));
    let row_at = |row| {
        Ok(Quality {
            dataset: text("dataset", row)?,
            subject: text("subject", row)?,
            device: text("device", row)?,
            session: text("session", row)?,
            sensor: text("sensor", row)?,
            readings: whole("readings", row)?,
            gaps: whole("gaps", row)?,
            duplicate_stamps: whole("duplicate_stamps", row)?,
            backward_stamps: whole("backward_stamps", row)?,
            saturated: whole("saturated", row)?,
            not_finite: whole("not_finite", row)?,
            duration_seconds: float("duration_seconds", row)?.unwrap_or(0.0),
            mean_rate_hz: float("mean_rate_hz", row)?,
            median_rate_hz: float("median_rate_hz", row)?,
            jitter_ms: float("jitter_ms", row)?,
            longest_gap_ms: float("longest_gap_ms", row)?,
            start_skew_ms: float("start_skew_ms", row)?,
            clock_drift_ppm: float("clock_drift_ppm", row)?,
        })
    };
    (0..batch.num_rows()).map(row_at).collect()
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
