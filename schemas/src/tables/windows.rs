//! `windows`: one row is one sequence of one session, cut into blocks.
//!
//! `window` is `[T, B, C]` f32: T blocks of B samples of C channels. Blocks overlap where the hop is shorter than B.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Float32Type, Schema};

use super::samples::{maps_shape, maps_type};
use super::{in_unit, signals};
use crate::columns::{SchemaError, column, wrong_type};

/// Name of the table.
pub const NAME: &str = "windows";
/// Column of the samples, `[T, B, C]` f32.
pub const WINDOW: &str = "window";
/// Metadata key of the samples from the start of one block to that of the next.
pub const HOP_KEY: &str = "motionmill.hop_samples";
/// Metadata key of the samples from the start of one window of a stretch to that of the next.
pub const STRIDE_KEY: &str = "motionmill.stride_samples";

/// The schema of windows cut from `signals`: T = `blocks`, B = `samples` per block.
///
/// # Errors
/// When `signals` does not say its channels.
pub fn schema(signals: &Schema, blocks: usize, samples: usize, hop: usize) -> Result<Schema, SchemaError> {
    let channels = signals::channels(signals)?.len();
    let mut fields = signals::identity_fields();
    fields.extend(sequence_fields());
    fields.push(Field::new(WINDOW, maps_type(blocks, samples, channels), false));
    let mut metadata = signals.metadata().clone();
    metadata.insert(crate::columns::TABLE_KEY.to_owned(), NAME.to_owned());
    metadata.insert(HOP_KEY.to_owned(), hop.to_string());
    Ok(Schema::new_with_metadata(fields, metadata))
}

/// Samples from the start of one block to that of the next.
///
/// # Errors
/// When the metadata does not say.
pub fn hop_samples(schema: &Schema) -> Result<f64, SchemaError> {
    let hop = schema.metadata().get(HOP_KEY).and_then(|text| text.parse::<f64>().ok());
    hop.ok_or(SchemaError::NoMetadata { key: HOP_KEY })
}

/// Samples from the start of one window of a stretch to that of the next, where the metadata says.
pub fn stride_samples(schema: &Schema) -> Option<f64> {
    schema.metadata().get(STRIDE_KEY).and_then(|text| text.parse::<f64>().ok())
}

/// The columns that say which part of a stretch a row is; they follow those of `signals`.
///
/// `end_nanos` is one sampling period after the last sample: a row covers the time from `start_nanos` up to it.
pub fn sequence_fields() -> Vec<Field> {
    vec![
        Field::new("sequence", DataType::Int32, false),
        in_unit(Field::new("end_nanos", DataType::Int64, false), "ns"),
    ]
}

/// `[T, B, C]` of the column [`WINDOW`].
///
/// # Errors
/// When it is absent or of another type.
pub fn shape(schema: &Schema) -> Result<[usize; 3], SchemaError> {
    let found = crate::columns::field(schema, WINDOW)?.data_type();
    maps_shape(found).ok_or_else(|| wrong_type(WINDOW, "[T, B, C] Float32", found))
}

/// The numbers of the column [`WINDOW`], `[N, T, B, C]` row by row.
///
/// # Errors
/// When it is absent or of another type.
pub fn values(batch: &RecordBatch) -> Result<&[f32], SchemaError> {
    let [blocks, samples, channels] = shape(batch.schema_ref())?;
    let column = column(batch, WINDOW)?;
    let rows = column.as_fixed_size_list();
    let numbers = rows.values().as_fixed_size_list().values().as_fixed_size_list().values();
    let row = blocks * samples * channels;
    // A slice of a list array keeps the values of the rows before it.
    let first = rows.value_offset(0) as usize * samples * channels;
    Ok(&numbers.as_primitive::<Float32Type>().values()[first..first + batch.num_rows() * row])
}

/// `[N, T, B, C]` numbers as the column [`WINDOW`].
pub fn window_array(numbers: Vec<f32>, [blocks, samples, channels]: [usize; 3]) -> arrow::array::ArrayRef {
    use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array};
    use std::sync::Arc;
    let mut array: ArrayRef = Arc::new(Float32Array::from(numbers));
    for length in [channels, samples, blocks] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length as i32, array, None));
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn slices_give_their_own_numbers() {
        let array = window_array((0..24).map(|n| n as f32).collect(), [2, 3, 2]);
        let field = Field::new(WINDOW, array.data_type().clone(), false);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap();
        assert_eq!(shape(batch.schema_ref()).unwrap(), [2, 3, 2]);
        assert_eq!(values(&batch).unwrap().len(), 24);
        assert_eq!(values(&batch.slice(1, 1)).unwrap()[0], 12.0);
    }
}
