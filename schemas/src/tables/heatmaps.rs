//! `heatmaps`: one row is one prediction of one sample, by one output head of a network.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array};
use arrow::datatypes::{DataType, Field, Float32Type};

pub use super::MODEL_KEY;
use super::samples::maps_type;
use crate::columns::{SchemaError, wrong_type};

/// Name of the table.
pub const NAME: &str = "heatmaps";
/// Number of the output head, from 1: the stage of a pose machine, the stack of an hourglass.
pub const HEAD: &str = "head";
/// The maps `[K, h, w]` f32.
pub const HEATMAPS: &str = "heatmaps";
/// Input px per heatmap px.
pub const STRIDE: &str = "stride";
/// Input px per heatmap px along y, a column where it differs from that along x, as it does on the grid of unbiased data
/// processing.
pub const STRIDE_Y: &str = "stride_y";
/// Input px of the centre of heatmap px 0, along both axes.
pub const ORIGIN_IN_CROP: &str = "origin_in_crop";

/// Maps of what to add to a px's place, `[2K, h, w]` f32, px of the input: x and y of the first joint, then of the next; of
/// networks that give offsets.
pub const OFFSETS: &str = "offsets";

/// The column of offsets, for maps `height` x `width` of `joints`.
pub fn offsets_field(joints: usize, height: usize, width: usize) -> Field {
    Field::new(OFFSETS, maps_type(2 * joints, height, width), false)
}

/// The columns that a prediction adds to the row of its sample. `joints` = K, maps `height` x `width`.
pub fn fields(joints: usize, height: usize, width: usize) -> Vec<Field> {
    vec![
        Field::new(HEAD, DataType::Int32, false),
        Field::new(HEATMAPS, maps_type(joints, height, width), false),
        Field::new(STRIDE, DataType::Float64, false),
        Field::new(ORIGIN_IN_CROP, DataType::Float64, false),
    ]
}

/// `values`, `[N, channels, height, width]` without gaps, as a maps column.
///
/// # Panics
/// When `values` does not hold whole rows.
pub fn maps_array(values: Vec<f32>, channels: usize, height: usize, width: usize) -> ArrayRef {
    assert_eq!(values.len() % (channels * height * width), 0, "whole rows of maps");
    let mut array: ArrayRef = Arc::new(Float32Array::from(values));
    for length in [width, height, channels] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length as i32, array, None));
    }
    array
}

/// The values of a maps column, `[N, C, h, w]` without gaps.
///
/// # Errors
/// When the column is not of maps.
pub fn maps_values<'a>(array: &'a ArrayRef, name: &str) -> Result<&'a [f32], SchemaError> {
    let mut inner = array;
    while let Some(list) = inner.as_fixed_size_list_opt() {
        inner = list.values();
    }
    let values = inner.as_primitive_opt::<Float32Type>();
    Ok(values.ok_or_else(|| wrong_type(name, "maps [K, h, w] of Float32", array.data_type()))?.values())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::samples::maps_shape;

    #[test]
    fn maps_keep_their_shape_and_a_slice_its_rows() {
        let array = maps_array((0..24).map(|v| v as f32).collect(), 2, 2, 3);
        assert_eq!(array.len(), 2);
        assert_eq!(maps_shape(array.data_type()), Some([2, 2, 3]));
        let second = array.slice(1, 1);
        assert_eq!(maps_values(&second, "heatmaps").unwrap()[0], 12.0);
        assert_eq!(maps_values(&second, "heatmaps").unwrap().len(), 12);
    }
}
