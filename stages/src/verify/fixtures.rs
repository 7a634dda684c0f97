//! Tables for tests: people whose frames lie about places of their own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemas::columns::with_column;
use schemas::random::KeyedRandom;
use schemas::tables::embeddings;

use super::frames::ROLE;
use crate::stage::{Aggregate, BuildContext, Gathered, Rows, StageError};

/// One frame.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub split: Option<&'static str>,
    pub subject: String,
    pub session: String,
    pub role: Option<&'static str>,
    pub sequence: i32,
    pub frame: i32,
    pub numbers: Vec<f32>,
}

/// `rows` as a batch of embeddings with roles.
pub(super) fn table(rows: &[Row]) -> RecordBatch {
    let dimensions = rows.first().map_or(1, |row| row.numbers.len());
    let schema = embeddings::schema(&Schema::empty(), dimensions, "made-up");
    let text = |get: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<StringArray>())
    };
    let column = |field: &Arc<Field>| -> ArrayRef {
        match field.name().as_str() {
            "sample_id" => text(&|row| Some(format!("{}-{}-{}", row.subject, row.session, row.sequence))),
            "dataset" => text(&|_| Some("made-up".into())),
            "split" => text(&|row| row.split.map(str::to_owned)),
            "subject" => text(&|row| Some(row.subject.clone())),
            "device" => text(&|_| Some("phone".into())),
            "session" => text(&|row| Some(row.session.clone())),
            "sequence" => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.sequence))),
            "frame" => Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.frame))),
            embeddings::EMBEDDING => {
                let numbers = rows.iter().flat_map(|row| row.numbers.clone()).collect();
                embeddings::embedding_array(numbers, dimensions)
            }
            _ => match field.data_type() {
                DataType::Utf8 => Arc::new(StringArray::new_null(rows.len())),
                DataType::Int64 => Arc::new(Int64Array::from(vec![0; rows.len()])),
                _ => Arc::new(Int32Array::from(vec![0; rows.len()])),
            },
        }
    };
    let columns: Vec<ArrayRef> = schema.fields().iter().map(column).collect();
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let roles = text(&|row| row.role.map(str::to_owned));
    with_column(&batch, Field::new(ROLE, roles.data_type().clone(), true), roles).unwrap()
}

/// Frames of D = `dimensions` of `people`, given by split and name: two sessions each, the first for enrolment, of
/// `sequences` sequences of 10 frames.
pub(super) fn people(people: &[(&'static str, &str)], sequences: i32, dimensions: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (split, subject) in people {
        let place: Vec<f64> = draws(subject, dimensions).into_iter().map(|v| 2.0 * v).collect();
        for (session, role) in [("a", "enrolment"), ("b", "probe")] {
            for sequence in 0..sequences {
                for frame in 0..10 {
                    let noise = draws(&format!("{subject}/{session}/{sequence}/{frame}"), dimensions);
                    rows.push(Row {
                        split: Some(split),
                        subject: (*subject).to_owned(),
                        session: session.to_owned(),
                        role: Some(role),
                        sequence,
                        frame,
                        numbers: noise.iter().zip(&place).map(|(n, p)| (n + p) as f32).collect(),
                    });
                }
            }
        }
    }
    rows
}

/// Normal numbers keyed by `key`.
pub(super) fn draws(key: &str, count: usize) -> Vec<f64> {
    let mut random = KeyedRandom::new(5, "fixture", key, 0);
    (0..count).map(|_| random.normal()).collect()
}

/// What a stage called `name` knows.
pub(super) fn context(name: &str) -> BuildContext {
    BuildContext { name: name.to_owned(), seed: 7, threads: 2, folder: std::path::PathBuf::new() }
}

/// Runs `aggregate` on inputs in memory.
pub(super) fn run(
    aggregate: &dyn Aggregate,
    inputs: &[&Vec<RecordBatch>],
) -> Result<(Vec<RecordBatch>, Gathered), StageError> {
    run_on(aggregate, &inputs.iter().map(|batches| *batches as &dyn Rows).collect::<Vec<_>>())
}

/// Runs `aggregate` on `rows`.
pub(super) fn run_on(
    aggregate: &dyn Aggregate,
    rows: &[&dyn Rows],
) -> Result<(Vec<RecordBatch>, Gathered), StageError> {
    let schemas: Vec<_> = rows.iter().map(|rows| rows.schema()).collect();
    for (at, schema) in schemas.iter().enumerate() {
        aggregate.needed_columns(at, schema)?;
    }
    let schema = aggregate.output_schema(&schemas)?;
    let mut given = Vec::new();
    let gathered = aggregate.run(rows, "run", &mut |batch| {
        assert_eq!(batch.schema(), schema, "the rows are of the schema that was promised");
        given.push(batch);
        Ok(())
    })?;
    Ok((given, gathered))
}

/// `batch` in pieces of these lengths, over and over.
pub(super) fn pieces(batch: &RecordBatch, lengths: &[usize]) -> Vec<RecordBatch> {
    let (mut pieces, mut first) = (Vec::new(), 0);
    for length in lengths.iter().cycle() {
        let length = (*length).min(batch.num_rows() - first);
        pieces.push(batch.slice(first, length));
        first += length;
        if first == batch.num_rows() {
            return pieces;
        }
    }
    unreachable!("lengths are cycled")
}

/// What `work` gives in a pool of `threads`.
pub(super) fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
