//! `embeddings`: one row is one frame of one sequence, as a network or a hand-made feature describes it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Float32Type, Schema};

pub use super::MODEL_KEY;
use super::windows::sequence_fields;
use super::{in_unit, signals};
use crate::columns::{SchemaError, TABLE_KEY, column, field, fixed_list, wrong_type};

/// Name of the table.
pub const NAME: &str = "embeddings";
/// Column of the numbers, `[D]` f32.
pub const EMBEDDING: &str = "embedding";
/// Metadata key of the subjects that the D numbers are scores of, as a JSON list, where they are class scores.
pub const CLASSES_KEY: &str = "motionmill.classes";

/// The schema of embeddings of D = `dimensions`, made from rows of `input` by `model`.
///
/// `start_nanos` and `end_nanos` are those of the samples that the frame was made from.
pub fn schema(input: &Schema, dimensions: usize, model: &str) -> Schema {
    let mut fields = signals::identity_fields();
    fields.extend(sequence_fields());
    fields.push(in_unit(Field::new("frame", DataType::Int32, false), "block or sample, from 0"));
    fields.push(Field::new(EMBEDDING, fixed_list(DataType::Float32, dimensions), false));
    let mut metadata = input.metadata().clone();
    metadata.insert(TABLE_KEY.to_owned(), NAME.to_owned());
    metadata.insert(MODEL_KEY.to_owned(), model.to_owned());
    Schema::new_with_metadata(fields, metadata)
}

/// D of the column [`EMBEDDING`].
///
/// # Errors
/// When it is absent or of another type.
pub fn dimensions(schema: &Schema) -> Result<usize, SchemaError> {
    let found = field(schema, EMBEDDING)?.data_type();
    match found {
        DataType::FixedSizeList(item, length) if item.data_type() == &DataType::Float32 => {
            Ok(*length as usize)
        }
        _ => Err(wrong_type(EMBEDDING, "[D] Float32", found)),
    }
}

/// The numbers of the column [`EMBEDDING`], `[N, D]` row by row.
///
/// # Errors
/// When it is absent, of another type, or null somewhere.
pub fn values(batch: &RecordBatch) -> Result<&[f32], SchemaError> {
    let dimensions = dimensions(batch.schema_ref())?;
    let rows = column(batch, EMBEDDING)?.as_fixed_size_list();
    if let Some(row) = (0..rows.len()).find(|&row| rows.is_null(row)) {
        return Err(SchemaError::NullValue { column: EMBEDDING.to_owned(), row });
    }
    let first = rows.value_offset(0) as usize;
    let numbers = rows.values().as_primitive::<Float32Type>().values();
    Ok(&numbers[first..first + batch.num_rows() * dimensions])
}

/// `[N, D]` numbers as the column [`EMBEDDING`].
pub fn embedding_array(numbers: Vec<f32>, dimensions: usize) -> ArrayRef {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(FixedSizeListArray::new(item, dimensions as i32, Arc::new(Float32Array::from(numbers)), None))
}
