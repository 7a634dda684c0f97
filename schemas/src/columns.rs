//! Typed access to the columns of a record batch, with errors that name the column.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray, Float64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float32Type, Float64Type, Int32Type, Int64Type, Schema, UInt8Type,
};
use std::sync::Arc;

use crate::geometry::Affine;
use crate::skeleton::{Skeleton, SkeletonError, UnknownSkeleton};
use crate::visibility::Visibility;
use crate::{Fault, Hinted};

/// A batch or schema that lacks something its reader needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum SchemaError {
    /// The column is absent.
    #[error("column `{column}` is missing; the columns are {present}")]
    MissingColumn { column: String, present: String },
    /// The column has another type.
    #[error("column `{column}` must be {expected}, found {found}")]
    WrongType { column: String, expected: String, found: String },
    /// A value that the table does not allow is null.
    #[error("column `{column}` is null in row {row}")]
    NullValue { column: String, row: usize },
    /// The schema does not say which skeleton its keypoints follow.
    #[error("the schema metadata has no `{SKELETON_KEY}`")]
    NoSkeleton,
    /// The schema names a skeleton that is neither built in nor defined there, or defines none.
    #[error(transparent)]
    Skeleton(#[from] SkeletonError),
    /// A sensor that we do not know.
    #[error("column `sensor` must be `accelerometer` or `gyroscope`, found `{found}` in row {row}")]
    UnknownSensor { found: String, row: usize },
    /// The schema metadata lacks a key.
    #[error("the schema metadata has no valid `{key}`")]
    NoMetadata { key: &'static str },
    /// The table has another version than this program expects.
    #[error("the table `{table}` has version {found}, expected {expected}")]
    OtherVersion { table: String, found: String, expected: &'static str },
    /// Arrow refused to build a batch.
    #[error("the columns do not make a table: {0}")]
    Arrow(String),
}

impl Hinted for SchemaError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::OtherVersion { found, expected: "2", .. } if found == "1" => Some(
                "run again what made it, or rename its column `stage` to `head` (Int32) and set `motionmill.version` \
                 of its schema metadata to 2"
                    .to_owned(),
            ),
            Self::OtherVersion { .. } => Some("read it with the version of motionmill that made it".to_owned()),
            Self::NoSkeleton | Self::NoMetadata { .. } | Self::WrongType { .. } => Some(
                "where another program has written the table again, name the one that it was made of: `like = \"TABLE\"` \
                 beside `path` in the plan, or `motionmill ingest table --path FILE --like TABLE --out NEW`"
                    .to_owned(),
            ),
            Self::Skeleton(error) => error.hint(),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Schema
    }
}

impl From<UnknownSkeleton> for SchemaError {
    fn from(error: UnknownSkeleton) -> Self {
        Self::Skeleton(error.into())
    }
}

impl From<arrow::error::ArrowError> for SchemaError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Arrow(error.to_string())
    }
}

/// Metadata key of a table's name.
pub const TABLE_KEY: &str = "motionmill.table";
/// Metadata key of a table's version.
pub const VERSION_KEY: &str = "motionmill.version";
/// Metadata key of the name of the skeleton that keypoint columns follow.
pub const SKELETON_KEY: &str = "motionmill.skeleton";
/// Metadata key of the skeleton written out as JSON, for readers that do not know its name.
pub const SKELETON_JSON_KEY: &str = "motionmill.skeleton_definition";

/// The skeleton that the schema's keypoints follow: the built-in one of its name, or the one that it defines.
///
/// # Errors
/// When the metadata names none, or one that is neither built in nor soundly defined there.
pub fn skeleton_of(schema: &Schema) -> Result<&'static Skeleton, SchemaError> {
    let metadata = schema.metadata();
    let name = metadata.get(SKELETON_KEY).ok_or(SchemaError::NoSkeleton)?;
    Ok(Skeleton::of_table(name, metadata.get(SKELETON_JSON_KEY).map(String::as_str))?)
}

/// `[length]` numbers of `item` per row.
pub fn fixed_list(item: DataType, length: usize) -> DataType {
    DataType::FixedSizeList(Arc::new(Field::new("item", item, true)), length as i32)
}

/// `[K, 2]` coordinates per row.
pub fn points_type(item: DataType, joints: usize) -> DataType {
    fixed_list(fixed_list(item, 2), joints)
}

/// The column called `name`.
///
/// # Errors
/// When it is absent.
pub fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, SchemaError> {
    batch.column_by_name(name).ok_or_else(|| missing(batch.schema_ref(), name))
}

/// The field called `name`.
///
/// # Errors
/// When it is absent.
pub fn field<'a>(schema: &'a Schema, name: &str) -> Result<&'a Field, SchemaError> {
    schema.field_with_name(name).map_err(|_| missing(schema, name))
}

fn missing(schema: &Schema, name: &str) -> SchemaError {
    let names: Vec<String> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
    SchemaError::MissingColumn { column: name.to_owned(), present: names.join(", ") }
}

/// The error of a column that holds another type than `expected`.
pub fn wrong_type(name: &str, expected: &str, found: &DataType) -> SchemaError {
    SchemaError::WrongType {
        column: name.to_owned(),
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

/// The strings of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, SchemaError> {
    let array = column(batch, name)?;
    array.as_string_opt().ok_or_else(|| wrong_type(name, "Utf8", array.data_type()))
}

/// The booleans of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn booleans<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, SchemaError> {
    let array = column(batch, name)?;
    array.as_boolean_opt().ok_or_else(|| wrong_type(name, "Boolean", array.data_type()))
}

/// The `f64` numbers of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Float64Array, SchemaError> {
    let array = column(batch, name)?;
    array.as_primitive_opt::<Float64Type>().ok_or_else(|| wrong_type(name, "Float64", array.data_type()))
}

/// The `i32` numbers of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn integers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::Int32Array, SchemaError> {
    let array = column(batch, name)?;
    array.as_primitive_opt::<Int32Type>().ok_or_else(|| wrong_type(name, "Int32", array.data_type()))
}

/// The `i64` numbers of column `name`, `[N]`.
///
/// # Errors
/// When it is absent or of another type.
pub fn longs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::Int64Array, SchemaError> {
    let array = column(batch, name)?;
    array.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong_type(name, "Int64", array.data_type()))
}

/// A `[N, length]` column of plain numbers, as one flat slice.
#[derive(Debug, Clone)]
pub struct Vectors<'a, T> {
    list: &'a FixedSizeListArray,
    values: &'a [T],
    length: usize,
}

impl<'a, T> Vectors<'a, T> {
    /// The `length` numbers of `row`, or `None` where the row is null.
    pub fn row(&self, row: usize) -> Option<&'a [T]> {
        let start = row * self.length;
        (!self.list.is_null(row)).then(|| &self.values[start..start + self.length])
    }

    /// Numbers per row.
    pub fn width(&self) -> usize {
        self.length
    }
}

fn list<'a>(
    batch: &'a RecordBatch,
    name: &str,
    expected: &str,
) -> Result<&'a FixedSizeListArray, SchemaError> {
    let array = column(batch, name)?;
    array.as_fixed_size_list_opt().ok_or_else(|| wrong_type(name, expected, array.data_type()))
}

fn vectors<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
    length: usize,
) -> Result<Vectors<'a, T::Native>, SchemaError> {
    let expected = format!("a list of {length} {}", T::DATA_TYPE);
    let list = list(batch, name, &expected)?;
    match list.values().as_primitive_opt::<T>() {
        Some(values) if list.value_length() as usize == length => {
            Ok(Vectors { list, values: values.values(), length })
        }
        _ => Err(wrong_type(name, &expected, list.data_type())),
    }
}

/// The `[N, length]` `f64` column `name`.
///
/// # Errors
/// When it is absent or of another type or length.
pub fn vectors_f64<'a>(
    batch: &'a RecordBatch,
    name: &str,
    length: usize,
) -> Result<Vectors<'a, f64>, SchemaError> {
    vectors::<Float64Type>(batch, name, length)
}

/// The `[N, length]` `u8` column `name`.
///
/// # Errors
/// When it is absent or of another type or length.
pub fn vectors_u8<'a>(
    batch: &'a RecordBatch,
    name: &str,
    length: usize,
) -> Result<Vectors<'a, u8>, SchemaError> {
    vectors::<UInt8Type>(batch, name, length)
}

/// The numbers of `array`'s innermost list as `f64`, from its first row, whatever its depth; `None` if not floats.
pub fn flat_floats(array: &dyn Array) -> Option<Vec<f64>> {
    match array.data_type() {
        DataType::FixedSizeList(_, length) => {
            let list = array.as_fixed_size_list();
            let length = *length as usize;
            flat_floats(&list.values().slice(0, list.len() * length))
        }
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().values().to_vec()),
        DataType::Float32 => {
            Some(array.as_primitive::<Float32Type>().values().iter().map(|v| f64::from(*v)).collect())
        }
        _ => None,
    }
}

/// The `[N, K, 2]` column `name` as one list of K points per row, `f32` or `f64` as stored.
///
/// # Errors
/// When it is absent, not of points, or null somewhere.
pub fn points(batch: &RecordBatch, name: &str) -> Result<Vec<Vec<[f64; 2]>>, SchemaError> {
    let array = list(batch, name, "a list of K points")?;
    let shape_error = || wrong_type(name, "a list of K points", array.data_type());
    if let Some(row) = (0..array.len()).find(|&row| array.is_null(row)) {
        return Err(SchemaError::NullValue { column: name.to_owned(), row });
    }
    let two = matches!(array.data_type(), DataType::FixedSizeList(item, _)
        if matches!(item.data_type(), DataType::FixedSizeList(_, 2)));
    let flat = if two { flat_floats(array) } else { None }.ok_or_else(shape_error)?;
    let joints = array.value_length() as usize;
    Ok(flat.chunks_exact(joints * 2).map(|row| row.chunks_exact(2).map(|p| [p[0], p[1]]).collect()).collect())
}

/// The `[N, K]` column `name` as visibilities.
///
/// # Errors
/// When it is absent, not of `joints` u8 per row, or null somewhere.
pub fn visibilities(
    batch: &RecordBatch,
    name: &str,
    joints: usize,
) -> Result<Vec<Vec<Visibility>>, SchemaError> {
    let vectors = vectors_u8(batch, name, joints)?;
    (0..batch.num_rows())
        .map(|row| {
            let codes = vectors.row(row).ok_or(SchemaError::NullValue { column: name.to_owned(), row })?;
            Ok(codes.iter().map(|code| Visibility::from_code(*code)).collect())
        })
        .collect()
}

/// The `[N, 6]` column `name` as affine maps.
///
/// # Errors
/// When it is absent, of another type, or null somewhere.
pub fn affines(batch: &RecordBatch, name: &str) -> Result<Vec<Affine>, SchemaError> {
    let vectors = vectors_f64(batch, name, 6)?;
    (0..batch.num_rows())
        .map(|row| {
            let values = vectors.row(row).ok_or(SchemaError::NullValue { column: name.to_owned(), row })?;
            Ok(Affine(values.try_into().expect("six numbers a row")))
        })
        .collect()
}

/// `batch` with column `array` added at the end, or replacing the one of the same name.
///
/// # Errors
/// When the array is not as long as the batch.
#[expect(clippy::needless_pass_by_value, reason = "the field is made for this column, as the array is")]
pub fn with_column(batch: &RecordBatch, field: Field, array: ArrayRef) -> Result<RecordBatch, SchemaError> {
    let schema = Arc::new(schema_with(batch.schema_ref(), field.clone()));
    let mut columns = batch.columns().to_vec();
    match batch.schema_ref().index_of(field.name()) {
        Ok(index) => columns[index] = array,
        Err(_) => columns.push(array),
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// `schema` with `field` added at the end, or replacing the one of the same name.
pub fn schema_with(schema: &Schema, field: Field) -> Schema {
    let mut fields: Vec<Arc<Field>> = schema.fields().to_vec();
    match schema.index_of(field.name()) {
        Ok(index) => fields[index] = Arc::new(field),
        Err(_) => fields.push(Arc::new(field)),
    }
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Builder, UInt8Array};

    fn pairs() -> RecordBatch {
        let mut values = Float64Builder::new();
        (0..8).for_each(|v| values.append_value(f64::from(v)));
        let item = Arc::new(Field::new("item", DataType::Float64, true));
        let list = FixedSizeListArray::new(item, 2, Arc::new(values.finish()), None);
        let schema = Schema::new(vec![
            Field::new("pair", list.data_type().clone(), true),
            Field::new("n", DataType::UInt8, false),
        ]);
        let numbers: ArrayRef = Arc::new(UInt8Array::from(vec![0, 1, 2, 3]));
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(list), numbers]).unwrap()
    }

    #[test]
    fn rows_of_a_slice_are_its_own() {
        let batch = pairs().slice(1, 2);
        let vectors = vectors_f64(&batch, "pair", 2).unwrap();
        assert_eq!(vectors.row(0), Some(&[2.0, 3.0][..]));
        assert_eq!(flat_floats(batch.column(0)).unwrap(), [2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn errors_name_the_column() {
        let batch = pairs();
        assert_eq!(
            strings(&batch, "sample_id").unwrap_err().to_string(),
            "column `sample_id` is missing; the columns are `pair`, `n`"
        );
        assert_eq!(numbers(&batch, "n").unwrap_err().to_string(), "column `n` must be Float64, found UInt8");
        assert!(vectors_f64(&batch, "pair", 3).is_err());
    }

    #[test]
    fn a_column_of_the_same_name_is_replaced_in_place() {
        let batch = pairs();
        let field = Field::new("n", DataType::Boolean, false);
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true; 4]));
        let replaced = with_column(&batch, field, flags).unwrap();
        assert_eq!(replaced.num_columns(), 2);
        assert!(booleans(&replaced, "n").unwrap().value(3));
    }
}
