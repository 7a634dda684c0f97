//! `spatial_models`: one row is where one joint lies, seen from another one or from the torso.
//!
//! All rows of a table are one model. Its skeleton, the px of a crop per px of its maps and what represents the torso
//! are in the schema metadata; the size of its maps follows from that of the kernels.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::metadata;
use super::models::matrix_shape;
use crate::columns::{SchemaError, column, fixed_list, flat_floats, longs, strings, wrong_type};
use crate::skeleton::Skeleton;

/// Name of the table.
pub const NAME: &str = "spatial_models";
/// What the column `given` holds where a joint is seen from the torso.
pub const TORSO: &str = "torso";
/// The displacements, `[2 h - 1, 2 w - 1]`.
pub const KERNEL: &str = "kernel";
/// Metadata key of the px of the crop per px of the maps.
pub const STRIDE_KEY: &str = "motionmill.stride";
/// Metadata key of what represents the torso.
pub const TORSO_KEY: &str = "motionmill.torso";

/// Where joint A lies, seen from `given`.
#[derive(Debug, Clone, PartialEq)]
pub struct Displacements {
    /// Joint A.
    pub joint: String,
    /// The joint that it is seen from, or [`TORSO`].
    pub given: String,
    /// How many people it was learnt from.
    pub people: i64,
    /// `[2 h - 1, 2 w - 1]`, sum 1: the number in row h - 1 + dy and column w - 1 + dx is the share of people whose
    /// joint A is dx px of a map to the right of `given`, and dy below it.
    pub kernel: Vec<f64>,
}

/// The schema of a model of `skeleton` for maps `[h, w]` = `map_size`, `stride` px of the crop apart; `torso` says
/// what represents the torso.
pub fn schema(
    skeleton: &Skeleton,
    [height, width]: [usize; 2],
    stride: f64,
    torso: impl Into<String>,
) -> SchemaRef {
    let kernel = fixed_list(fixed_list(DataType::Float64, 2 * width - 1), 2 * height - 1);
    let fields = vec![
        Field::new("joint", DataType::Utf8, false),
        Field::new("given", DataType::Utf8, false),
        Field::new("people", DataType::Int64, false),
        Field::new(KERNEL, kernel, false),
    ];
    let mut metadata = metadata(NAME, Some(skeleton));
    metadata.insert(STRIDE_KEY.to_owned(), stride.to_string());
    metadata.insert(TORSO_KEY.to_owned(), torso.into());
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// `[h, w]` of the maps that the model is for.
///
/// # Errors
/// When the kernels are absent, of another type, or of an even size.
pub fn map_size(schema: &Schema) -> Result<[usize; 2], SchemaError> {
    let shape = matrix_shape(schema, KERNEL)?;
    if shape.iter().any(|size| size % 2 == 0) {
        let found = crate::columns::field(schema, KERNEL)?.data_type();
        return Err(wrong_type(KERNEL, "[2 h - 1, 2 w - 1] Float64", found));
    }
    Ok(shape.map(|size| size.div_ceil(2)))
}

/// Px of the crop per px of the maps.
///
/// # Errors
/// When the metadata does not say.
pub fn stride(schema: &Schema) -> Result<f64, SchemaError> {
    let text = schema.metadata().get(STRIDE_KEY);
    let stride =
        text.and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite() && *value > 0.0);
    stride.ok_or(SchemaError::NoMetadata { key: STRIDE_KEY })
}

/// What represents the torso.
///
/// # Errors
/// When the metadata does not say.
pub fn torso(schema: &Schema) -> Result<&str, SchemaError> {
    let text = schema.metadata().get(TORSO_KEY).map(String::as_str);
    text.ok_or(SchemaError::NoMetadata { key: TORSO_KEY })
}

impl Displacements {
    /// The rows `pairs` as a batch of `schema`, as [`schema()`] gives it.
    ///
    /// # Panics
    /// When a kernel is of another size.
    pub fn to_batch(schema: &SchemaRef, pairs: &[Self]) -> RecordBatch {
        let shape = matrix_shape(schema, KERNEL).expect("the schema is that of spatial models");
        let numbers: Vec<f64> = pairs.iter().flat_map(|pair| &pair.kernel).copied().collect();
        assert_eq!(numbers.len(), pairs.len() * shape[0] * shape[1], "every kernel is [2 h - 1, 2 w - 1]");
        let mut kernels: ArrayRef = Arc::new(Float64Array::from(numbers));
        for length in [shape[1], shape[0]] {
            let item = Arc::new(Field::new("item", kernels.data_type().clone(), true));
            kernels = Arc::new(FixedSizeListArray::new(item, length as i32, kernels, None));
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|pair| &pair.joint))),
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|pair| &pair.given))),
            Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.people))),
            kernels,
        ];
        RecordBatch::try_new(schema.clone(), columns).expect("columns follow the schema")
    }

    /// The rows of `batch`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, SchemaError> {
        matrix_shape(batch.schema_ref(), KERNEL)?;
        let (joints, given, people) =
            (strings(batch, "joint")?, strings(batch, "given")?, longs(batch, "people")?);
        let kernels = column(batch, KERNEL)?;
        let row_at = |row| {
            let kernel = flat_floats(&kernels.slice(row, 1)).filter(|_| kernels.is_valid(row));
            Ok(Self {
                joint: joints.value(row).to_owned(),
                given: given.value(row).to_owned(),
                people: people.value(row),
                kernel: kernel
                    .ok_or_else(|| wrong_type(KERNEL, "[rows, columns] Float64", kernels.data_type()))?,
            })
        };
        (0..batch.num_rows()).map(row_at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::skeleton_of;
    use crate::skeleton::FLIC9;

    fn pair(joint: &str, given: &str, first: f64) -> Displacements {
        let kernel = (0..15).map(|at| first + f64::from(at)).collect();
        Displacements { joint: joint.to_owned(), given: given.to_owned(), people: 3, kernel }
    }

    #[test]
    fn a_model_comes_back_and_its_schema_says_what_it_is_for() {
        let schema = schema(&FLIC9, [2, 3], 4.0, "keypoints");
        let pairs = [pair("nose", "left_hip", 0.0), pair("nose", TORSO, 0.5)];
        let batch = Displacements::to_batch(&schema, &pairs);
        assert_eq!(Displacements::from_batch(&batch).unwrap(), pairs);
        assert_eq!(Displacements::from_batch(&batch.slice(1, 1)).unwrap(), pairs[1..]);
        assert_eq!(skeleton_of(&schema).unwrap(), &FLIC9);
        assert_eq!(map_size(&schema).unwrap(), [2, 3]);
        assert_eq!((stride(&schema).unwrap(), torso(&schema).unwrap()), (4.0, "keypoints"));
    }

    #[test]
    fn what_no_model_has_is_an_error() {
        let empty = Schema::empty();
        assert!(map_size(&empty).is_err() && stride(&empty).is_err() && torso(&empty).is_err());
        let even = Field::new(KERNEL, fixed_list(fixed_list(DataType::Float64, 4), 3), false);
        assert!(map_size(&Schema::new(vec![even])).is_err());
    }
}
