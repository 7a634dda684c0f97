//! What the stages on signals and windows share: the checks of a schema and the numbers of either column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, ListArray, RecordBatch, StringArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemas::columns::{field, wrong_type};
use schemas::tables::signals::{self, SIGNAL, identity_fields, signal_type};
use schemas::tables::windows::{self, WINDOW};

use super::error::WindowError;
use crate::stage::StageError;

/// The value of a key `split` that takes the rows of every split.
pub const ANY_SPLIT: &str = "*";

/// Whether `row` is of `split`.
pub(super) fn in_split(splits: &StringArray, row: usize, split: &str) -> bool {
    split == ANY_SPLIT || (splits.is_valid(row) && splits.value(row) == split)
}

/// The indices of all columns: those of an aggregate that hands rows on.
pub(super) fn every_column(schema: &Schema) -> Vec<usize> {
    (0..schema.fields().len()).collect()
}

/// The column that holds a table's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Samples {
    /// `signal`, `[length, C]` a row.
    Signal,
    /// `window`, `[T, B, C]` a row.
    Window,
}

/// Checks that `schema` has the columns that name a stretch of a session.
pub(super) fn check_identity(schema: &Schema) -> Result<(), StageError> {
    identity_fields().iter().try_for_each(|wanted| check_type(schema, wanted))
}

/// Checks that `schema` has a column of the name and type of `wanted`.
pub(super) fn check_type(schema: &Schema, wanted: &Field) -> Result<(), StageError> {
    let found = field(schema, wanted.name())?.data_type();
    if found == wanted.data_type() {
        return Ok(());
    }
    Err(wrong_type(wanted.name(), &wanted.data_type().to_string(), found).into())
}

/// Checks that `schema` is one of signals, and gives the names of its C channels.
pub(super) fn check_signals(schema: &Schema) -> Result<Vec<String>, StageError> {
    check_identity(schema)?;
    let names = signals::channels(schema)?;
    check_type(schema, &Field::new(SIGNAL, signal_type(names.len()), false))?;
    Ok(names)
}

/// Checks that `schema` is one of windows, and gives the names of its C channels.
pub(super) fn check_windows(schema: &Schema) -> Result<Vec<String>, StageError> {
    check_identity(schema)?;
    windows::sequence_fields().iter().try_for_each(|wanted| check_type(schema, wanted))?;
    let names = signals::channels(schema)?;
    let [_, _, channels] = windows::shape(schema)?;
    if channels != names.len() {
        let expected = format!("[T, B, {}] Float32", names.len());
        return Err(wrong_type(WINDOW, &expected, field(schema, WINDOW)?.data_type()).into());
    }
    Ok(names)
}

/// Which column of `schema` holds the samples, and the names of their channels.
pub(super) fn check_samples(schema: &Schema) -> Result<(Samples, Vec<String>), StageError> {
    if field(schema, WINDOW).is_ok() {
        return Ok((Samples::Window, check_windows(schema)?));
    }
    Ok((Samples::Signal, check_signals(schema)?))
}

/// The columns of `input` beyond those that `output` has and the samples: they are carried along.
pub(super) fn carried<'a>(input: &'a Schema, output: &Schema, samples: &str) -> Vec<&'a Field> {
    let fields = input.fields().iter().map(AsRef::as_ref);
    fields.filter(|field| field.name() != samples && output.field_with_name(field.name()).is_err()).collect()
}

/// `output` with the columns that it carries along from `input`.
pub(super) fn with_carried(input: &Schema, output: &Schema, samples: &str) -> SchemaRef {
    let mut fields: Vec<Field> = output.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.extend(carried(input, output, samples).into_iter().cloned());
    Arc::new(Schema::new_with_metadata(fields, output.metadata().clone()))
}

/// `values`, rows of `lengths` samples of `channels` numbers one after the other, as the column `signal`.
pub(super) fn signal_column(
    values: ScalarBuffer<f32>,
    lengths: &[usize],
    channels: usize,
) -> Result<ListArray, StageError> {
    let total: usize = lengths.iter().sum();
    if i32::try_from(total).is_err() {
        return Err(StageError::step(WindowError::LongSignals { samples: total }));
    }
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let numbers: ArrayRef = Arc::new(Float32Array::new(values, None));
    let samples = FixedSizeListArray::try_new(item, channels as i32, numbers, None)?;
    let sample = Arc::new(Field::new("item", samples.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Ok(ListArray::try_new(sample, offsets, Arc::new(samples), None)?)
}

/// Samples in each row of the column `signal` of `batch`.
pub(super) fn signal_lengths(batch: &RecordBatch) -> Result<Vec<usize>, StageError> {
    let signals = signals::signals(batch)?;
    let channels = signals.channels().max(1);
    Ok((0..batch.num_rows()).map(|row| signals.row(row).len() / channels).collect())
}

/// The numbers of all rows of the column `signal` in one slice, `[sum of lengths, C]`.
pub(super) fn signal_values(batch: &RecordBatch) -> Result<ScalarBuffer<f32>, StageError> {
    let channels = signals::signals(batch)?.channels();
    let array = schemas::columns::column(batch, SIGNAL)?;
    let list: &ListArray = array.as_list();
    let (first, last) = (list.value_offsets()[0] as usize, list.value_offsets()[list.len()] as usize);
    let samples = list.values().as_fixed_size_list();
    let numbers: &Float32Array = samples.values().as_primitive();
    Ok(numbers.values().slice(first * channels, (last - first) * channels))
}

/// `batch` with the samples of each row changed in place by `change`, which is given the row and its numbers,
/// `[samples, C]`.
pub(super) fn map_samples(
    batch: &RecordBatch,
    samples: Samples,
    mut change: impl FnMut(usize, &mut [f32]),
) -> Result<RecordBatch, StageError> {
    let (name, column): (_, ArrayRef) = match samples {
        Samples::Signal => {
            let channels = signals::signals(batch)?.channels();
            let lengths = signal_lengths(batch)?;
            let mut values = signal_values(batch)?.to_vec();
            let mut rest = &mut values[..];
            for (row, length) in lengths.iter().enumerate() {
                let (numbers, behind) = rest.split_at_mut(length * channels);
                change(row, numbers);
                rest = behind;
            }
            (SIGNAL, Arc::new(signal_column(values.into(), &lengths, channels)?))
        }
        Samples::Window => {
            let shape = windows::shape(batch.schema_ref())?;
            let mut values = windows::values(batch)?.to_vec();
            let length = shape.iter().product::<usize>().max(1);
            values.chunks_exact_mut(length).enumerate().for_each(|(row, numbers)| change(row, numbers));
            (WINDOW, windows::window_array(values, shape))
        }
    };
    let index = batch.schema_ref().index_of(name)?;
    let mut columns = batch.columns().to_vec();
    columns[index] = column;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
