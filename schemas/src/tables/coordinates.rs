//! `coordinates`: one row is one prediction of one sample, by one output head of a network that gives places.

use arrow::datatypes::{DataType, Field};

use super::heatmaps::HEAD;
use super::in_space;
use crate::columns::{fixed_list, points_type};

/// Name of the table.
pub const NAME: &str = "coordinates";
/// The places, `[K, 2]` px of the crop, f64; `NaN` where the network gave none.
pub const POINTS: &str = "points";
/// Scores of the joints, `[K]` f64, where the network gives any.
pub const POINT_SCORE: &str = "point_score";
/// Score of the person, f64, where the network gives one.
pub const PERSON_SCORE: &str = "person_score";

/// The columns that a prediction adds to the row of its sample: K `joints`.
pub fn fields(joints: usize) -> Vec<Field> {
    vec![
        Field::new(HEAD, DataType::Int32, false),
        in_space(Field::new(POINTS, points_type(DataType::Float64, joints), false), "crop"),
        Field::new(POINT_SCORE, fixed_list(DataType::Float64, joints), true),
        Field::new(PERSON_SCORE, DataType::Float64, true),
    ]
}
