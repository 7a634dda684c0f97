//! `detections`: one row is what a network sees in one sample, most often a whole picture: any number of people.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::heatmaps::HEAD;
use super::in_space;
use crate::columns::{fixed_list, points_type};

/// Name of the table.
pub const NAME: &str = "detections";
/// The boxes, a list of `[4]` left, top, right, bottom, px of the crop, f64.
pub const BOXES: &str = "boxes";
/// Scores of the boxes, a list of f64.
pub const BOX_SCORES: &str = "box_scores";
/// The places of the joints, a list of `[K, 2]` px of the crop, f64.
pub const POINTS: &str = "people_points";
/// Scores of the joints, a list of `[K]` f64.
pub const POINT_SCORES: &str = "people_point_scores";

/// Metadata key of how candidates become people: a JSON object with `minimum_score`, and `overlap` where the network
/// gives several candidates a person.
pub const SELECTION_KEY: &str = "motionmill.selection";

/// The columns that a prediction adds to the row of its sample: K `joints`.
pub fn fields(joints: usize) -> Vec<Field> {
    let list = |name: &str, item: DataType| Field::new(name, list_of(item), false);
    vec![
        Field::new(HEAD, DataType::Int32, false),
        in_space(list(BOXES, fixed_list(DataType::Float64, 4)), "crop"),
        list(BOX_SCORES, DataType::Float64),
        in_space(list(POINTS, points_type(DataType::Float64, joints)), "crop"),
        list(POINT_SCORES, fixed_list(DataType::Float64, joints)),
    ]
}

/// A list of any length of `item`.
pub fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}
