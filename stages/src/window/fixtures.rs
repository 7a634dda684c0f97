//! Sessions and signals for the tests of this folder.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use schemas::tables::readings::{self, Sensor, Session, SessionKey, Track, to_batch};
use schemas::tables::signals::{self, RAW_CHANNELS};

use crate::stage::{Aggregate, BuildContext, Gathered, Rows, StageError};

/// A context of seed 7.
pub(super) fn context(name: &str) -> BuildContext {
    BuildContext { name: name.to_owned(), seed: 7, threads: 1, folder: PathBuf::new() }
}

/// A track of the readings (stamp, [x, y, z]).
pub(super) fn track(readings: impl IntoIterator<Item = (i64, [f64; 3])>, file: &str) -> Track {
    let mut track = Track { source_file: file.to_owned(), ..Track::default() };
    for (stamp, [x, y, z]) in readings {
        track.stamp_nanos.push(stamp);
        track.x.push(x);
        track.y.push(y);
        track.z.push(z);
    }
    track
}

/// A track whose axes are different waves, at these stamps.
pub(super) fn waves(stamps: &[i64], file: &str) -> Track {
    let wave = |stamp: &i64| {
        let seconds = *stamp as f64 / 1e9;
        (*stamp, [(3.0 * seconds).sin(), 9.81 + (7.0 * seconds).cos(), (seconds * seconds).sin() * 0.5])
    };
    track(stamps.iter().map(wave), file)
}

/// `count` stamps from `first`, `step` apart.
pub(super) fn steps(first: i64, step: i64, count: usize) -> Vec<i64> {
    (0..count as i64).map(|at| first + at * step).collect()
}

/// Session `name` of subject `s1` on device `phone`.
pub(super) fn session(name: &str, accelerometer: Track, gyroscope: Track) -> Session {
    let tracks = [(Sensor::Accelerometer, accelerometer), (Sensor::Gyroscope, gyroscope)];
    Session {
        key: SessionKey {
            dataset: "d".to_owned(),
            subject: "s1".to_owned(),
            device: "phone".to_owned(),
            session: name.to_owned(),
        },
        activities: Vec::new(),
        tracks: tracks.into_iter().filter(|(_, track)| !track.stamp_nanos.is_empty()).collect(),
    }
}

/// The sessions as one batch.
pub(super) fn readings(sessions: impl IntoIterator<Item = Session>) -> RecordBatch {
    let batches: Vec<_> = sessions.into_iter().map(to_batch).collect();
    arrow::compute::concat_batches(&readings::schema(), &batches).unwrap()
}

/// One row of `signals`, six channels at 50 Hz.
#[derive(Debug, Clone)]
pub(super) struct Signal {
    pub id: String,
    pub split: Option<&'static str>,
    pub subject: String,
    pub device: String,
    pub session: String,
    pub start_nanos: i64,
    /// `[length, 6]`.
    pub values: Vec<f32>,
}

impl Signal {
    /// A signal of `length` samples, different in each channel and for each `id`; a session of its own.
    pub(super) fn waves(id: &str, length: usize) -> Self {
        let phase = f32::from(id.bytes().fold(0_u8, u8::wrapping_add));
        let at = |index: usize| ((index * 37 % 101) as f32 + phase + (index % 6) as f32 * 9.0).sin() * 4.0;
        Self {
            id: id.to_owned(),
            split: Some("train"),
            subject: "s1".to_owned(),
            device: "phone".to_owned(),
            session: id.to_owned(),
            start_nanos: 1_000_000_000,
            values: (0..length * 6).map(at).collect(),
        }
    }
}

/// The rows as a batch.
pub(super) fn signals(rows: &[Signal]) -> RecordBatch {
    let channels = RAW_CHANNELS.map(str::to_owned);
    let text = |get: fn(&Signal) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
    };
    let none: ArrayRef = Arc::new(StringArray::new_null(rows.len()));
    let zeros: ArrayRef = Arc::new(Int32Array::from(vec![0; rows.len()]));
    let columns: Vec<ArrayRef> = vec![
        text(|row| &row.id),
        zeros.clone(),
        text(|_| "d"),
        Arc::new(rows.iter().map(|row| row.split).collect::<StringArray>()),
        text(|row| &row.subject),
        text(|row| &row.device),
        text(|row| &row.session),
        zeros,
        none.clone(),
        none,
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.start_nanos))),
        Arc::new(signals::signal_array(rows.iter().map(|row| row.values.clone()).collect(), 6)),
    ];
    RecordBatch::try_new(signals::schema(&channels, 50.0), columns).unwrap()
}

/// `batch` cut into batches of `size` rows.
pub(super) fn cut(batch: &RecordBatch, size: usize) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(size);
    starts.map(|start| batch.slice(start, size.min(batch.num_rows() - start))).collect()
}

/// What an aggregate gives for `inputs`, in one batch, and what else came of it.
pub(super) fn gather(
    aggregate: &dyn Aggregate,
    inputs: &[&dyn Rows],
) -> Result<(RecordBatch, Gathered), StageError> {
    let schemas: Vec<_> = inputs.iter().map(|input| input.schema()).collect();
    let schema = aggregate.output_schema(&schemas)?;
    for (input, schema) in schemas.iter().enumerate() {
        aggregate.needed_columns(input, schema)?;
    }
    let mut given = Vec::new();
    let gathered = aggregate.run(inputs, "run", &mut |batch| {
        given.push(batch);
        Ok(())
    })?;
    Ok((arrow::compute::concat_batches(&schema, &given)?, gathered))
}

/// Each row of `batch` as the copies 0 and 1.
pub(super) fn repeated(batch: &RecordBatch) -> RecordBatch {
    let rows: Vec<u64> = (0..batch.num_rows() as u64).flat_map(|row| [row, row]).collect();
    let copies = Int32Array::from_iter_values(rows.iter().enumerate().map(|(at, _)| at as i32 % 2));
    let twice = arrow::compute::take_record_batch(batch, &UInt64Array::from(rows)).unwrap();
    let mut columns = twice.columns().to_vec();
    columns[1] = Arc::new(copies);
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}
