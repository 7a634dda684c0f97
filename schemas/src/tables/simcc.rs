//! `simcc`: one row is one prediction of one sample, by one output head of a network that classifies coordinates.
//!
//! The place of a joint along each axis is one of many bins, a fraction of a px wide (Li et al., "`SimCC`: a Simple
//! Coordinate Classification Perspective for Human Pose Estimation", section 3.2).

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array};
use arrow::datatypes::{DataType, Field};

use super::heatmaps::HEAD;
use crate::columns::fixed_list;

/// Name of the table.
pub const NAME: &str = "simcc";
/// The bins along x, `[K, X]` f32.
pub const SIMCC_X: &str = "simcc_x";
/// The bins along y, `[K, Y]` f32.
pub const SIMCC_Y: &str = "simcc_y";
/// Bins per px of the crop; bin b lies at px b / `split_ratio`.
pub const SPLIT_RATIO: &str = "split_ratio";

/// The columns that a prediction adds to the row of its sample: K `joints`, `bins` along x and y.
pub fn fields(joints: usize, bins: [usize; 2]) -> Vec<Field> {
    let vectors = |name: &str, bins| Field::new(name, vectors_type(joints, bins), false);
    vec![
        Field::new(HEAD, DataType::Int32, false),
        vectors(SIMCC_X, bins[0]),
        vectors(SIMCC_Y, bins[1]),
        Field::new(SPLIT_RATIO, DataType::Float64, false),
    ]
}

/// `[joints, bins]` f32.
pub fn vectors_type(joints: usize, bins: usize) -> DataType {
    fixed_list(fixed_list(DataType::Float32, bins), joints)
}

/// `[joints, bins]` of a column, or `None` if `data_type` is not one of vectors.
pub fn vectors_shape(data_type: &DataType) -> Option<[usize; 2]> {
    let DataType::FixedSizeList(vector, joints) = data_type else { return None };
    let DataType::FixedSizeList(value, bins) = vector.data_type() else { return None };
    matches!(value.data_type(), DataType::Float32).then_some([*joints as usize, *bins as usize])
}

/// `values`, `[N, joints, bins]` without gaps, as a column of vectors.
///
/// # Panics
/// When `values` does not hold whole rows.
pub fn vectors_array(values: Vec<f32>, joints: usize, bins: usize) -> ArrayRef {
    assert_eq!(values.len() % (joints * bins), 0, "whole rows of vectors");
    let mut array: ArrayRef = Arc::new(Float32Array::from(values));
    for length in [bins, joints] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length as i32, array, None));
    }
    array
}
