//! Tables of plain columns: a row is a struct, and schema, batch and rows follow from its fields.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field};

use crate::columns::{SchemaError, booleans, column, integers, longs, numbers, strings, wrong_type};

/// Declares the row of a table: the struct, and `NAME`, `schema`, `to_batch` and `from_batch` of the table beside it. The
/// columns are the fields, in order; `as "ms"` is a unit for the field's metadata.
macro_rules! flat_table {
    (
        $name:literal
        $(#[$meta:meta])*
        pub struct $row:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty $(as $unit:literal)?,)* }
    ) => {
        /// Name of the table.
        pub const NAME: &str = $name;

        $(#[$meta])*
        pub struct $row { $($(#[$doc])* pub $field: $type,)* }

        /// The schema of the table.
        pub fn schema() -> arrow::datatypes::SchemaRef {
            use $crate::tables::flat::Value;
            let fields = vec![$({
                let field = <$type>::field(stringify!($field));
                $(let field = $crate::tables::in_unit(field, $unit);)?
                field
            },)*];
            let metadata = $crate::tables::metadata(NAME, None);
            std::sync::Arc::new(arrow::datatypes::Schema::new_with_metadata(fields, metadata))
        }

        /// `rows` as a batch.
        pub fn to_batch(rows: &[$row]) -> arrow::array::RecordBatch {
            use $crate::tables::flat::Value;
            let columns = vec![$(<$type>::array(rows.iter().map(|row| &row.$field)),)*];
            arrow::array::RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
        }

        /// The rows of `batch`.
        ///
        /// # Errors
        /// When a column is absent or of another type.
        pub fn from_batch(
            batch: &arrow::array::RecordBatch,
        ) -> Result<Vec<$row>, $crate::columns::SchemaError> {
            use $crate::tables::flat::Value;
            $(let $field = <$type>::column(batch, stringify!($field))?;)*
            Ok((0..batch.num_rows()).map(|row| $row { $($field: <$type>::at($field, row),)* }).collect())
        }
    };
}
pub(super) use flat_table;

/// What a field of a row can be: a [`Cell`], or one that may be null.
pub(super) trait Value: Sized {
    type Array: Array + 'static;

    fn field(name: &str) -> Field;
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Self::Array, SchemaError>;
    fn at(column: &Self::Array, row: usize) -> Self;
}

/// What a column can hold.
pub(super) trait Cell: Sized + 'static {
    const TYPE: DataType;
    type Array: Array + 'static;

    fn array<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> Self::Array;
    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Self::Array, SchemaError>;
    fn at(column: &Self::Array, row: usize) -> Self;
}

impl<C: Cell> Value for C {
    type Array = C::Array;

    fn field(name: &str) -> Field {
        Field::new(name, C::TYPE, false)
    }

    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(C::array(values.map(Some)))
    }

    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a C::Array, SchemaError> {
        C::column(batch, name)
    }

    fn at(column: &C::Array, row: usize) -> Self {
        C::at(column, row)
    }
}

impl<C: Cell> Value for Option<C> {
    type Array = C::Array;

    fn field(name: &str) -> Field {
        Field::new(name, C::TYPE, true)
    }

    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(C::array(values.map(Option::as_ref)))
    }

    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a C::Array, SchemaError> {
        C::column(batch, name)
    }

    fn at(column: &C::Array, row: usize) -> Self {
        column.is_valid(row).then(|| C::at(column, row))
    }
}

macro_rules! cells {
    ($($cell:ty: $type:ident, $array:ty, $column:expr;)*) => {$(
        impl Cell for $cell {
            const TYPE: DataType = DataType::$type;
            type Array = $array;

            fn array<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> $array {
                values.map(|value| value.copied()).collect()
            }

            fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a $array, SchemaError> {
                $column(batch, name)
            }

            fn at(column: &$array, row: usize) -> Self {
                column.value(row)
            }
        }
    )*};
}

cells! {
    bool: Boolean, BooleanArray, booleans;
    i32: Int32, Int32Array, integers;
    i64: Int64, Int64Array, longs;
    u64: UInt64, UInt64Array, counts;
    f64: Float64, Float64Array, numbers;
}

impl Cell for String {
    const TYPE: DataType = DataType::Utf8;
    type Array = StringArray;

    fn array<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> StringArray {
        values.collect()
    }

    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, SchemaError> {
        strings(batch, name)
    }

    fn at(column: &StringArray, row: usize) -> Self {
        column.value(row).to_owned()
    }
}

/// The column of unsigned counts called `name`.
pub(super) fn counts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a UInt64Array, SchemaError> {
    let array = column(batch, name)?;
    array.as_any().downcast_ref().ok_or_else(|| wrong_type(name, "UInt64", array.data_type()))
}
