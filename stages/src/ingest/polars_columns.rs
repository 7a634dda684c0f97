//! Columns of Arrow carried over to polars through the Arrow C data interface, without a copy of the numbers.
//!
//! # Why the `unsafe` code is sound
//! `arrow` and `polars-arrow` each declare the two structs of the C data interface with the layout that the
//! interface fixes; that the sizes and alignments agree is checked when this compiles. Each struct is moved, not
//! copied: the exporter's value is taken by `transmute`, so that exactly one side runs its `release`. The array and
//! its schema come from one `ArrayData`, so they agree, which is what the import asks for.

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use polars::prelude::{PlSmallStr, PolarsError, Series};
use polars_arrow::ffi::{ArrowArray, ArrowSchema, import_array_from_c, import_field_from_c};

const _: () = assert!(size_of::<FFI_ArrowArray>() == size_of::<ArrowArray>());
const _: () = assert!(align_of::<FFI_ArrowArray>() == align_of::<ArrowArray>());
const _: () = assert!(size_of::<FFI_ArrowSchema>() == size_of::<ArrowSchema>());
const _: () = assert!(align_of::<FFI_ArrowSchema>() == align_of::<ArrowSchema>());

/// Why a column could not be carried over.
#[derive(Debug, thiserror::Error)]
pub(super) enum CarryError {
    /// Arrow cannot export the column.
    #[error(transparent)]
    Export(#[from] ArrowError),
    /// Polars cannot import it.
    #[error(transparent)]
    Import(#[from] PolarsError),
}

/// The column `array`, a slice or whole, as a polars series called `name`.
///
/// # Errors
/// When one side does not know the type.
pub(super) fn to_series(name: &str, array: &ArrayRef) -> Result<Series, CarryError> {
    // Names in a dictionary are compared as the text that they stand for.
    let array = match array.data_type() {
        DataType::Dictionary(_, values) => &cast(array, values)?,
        _ => array,
    };
    let (exported, schema) = to_ffi(&array.to_data())?;
    // SAFETY: both types are the C data interface's own struct, see the module; the exporter's value is moved.
    let (exported, schema) = unsafe {
        (
            std::mem::transmute::<FFI_ArrowArray, ArrowArray>(exported),
            std::mem::transmute::<FFI_ArrowSchema, ArrowSchema>(schema),
        )
    };
    // SAFETY: `schema` and `exported` were made from one array just above, so both are valid and agree.
    let imported = unsafe { import_array_from_c(exported, import_field_from_c(&schema)?.dtype)? };
    Ok(Series::try_from((PlSmallStr::from_str(name), imported))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Float64Array, Int32Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn slices_and_nulls_arrive_as_they_are() {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)]));
        let series = to_series("n", &numbers.slice(1, 2)).unwrap();
        assert_eq!(series.i32().unwrap().to_vec(), [None, Some(3)]);
        let words: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a"), Some("a long one, not inlined"), None]));
        let series = to_series("w", &words.slice(1, 2)).unwrap();
        assert_eq!(series.str().unwrap().iter().collect::<Vec<_>>(), [Some("a long one, not inlined"), None]);
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
        assert_eq!(to_series("f", &flags.slice(2, 1)).unwrap().bool().unwrap().get(0), Some(true));
    }

    #[test]
    fn numbers_are_not_copied() {
        let array = Float64Array::from(vec![1.0; 1000]);
        let place = array.values().as_ptr();
        let array: ArrayRef = Arc::new(array);
        let series = to_series("x", &array).unwrap();
        assert_eq!(series.f64().unwrap().cont_slice().unwrap().as_ptr(), place);
        drop(array);
        assert_eq!(series.f64().unwrap().cont_slice().unwrap()[999], 1.0);
    }
}
