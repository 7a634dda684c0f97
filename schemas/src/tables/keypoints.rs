//! `keypoints`: one row is one predicted person.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{in_space, metadata};
use crate::columns::{fixed_list, points_type};
use crate::skeleton::Skeleton;

/// Name of the table.
pub const NAME: &str = "keypoints";

/// The columns of the table for predictions in `skeleton`, in order.
///
/// `sample_id`; `split` (where known); `stage` (number of the output head, from 1); `keypoints` `[K, 2]` in px of
/// the image, f64, `NaN` where nothing was predicted; `score` `[K]`, the height of the peak; `heatmap_mean` `[K]`,
/// null where a prediction did not come from a heatmap; `model`, what made it.
pub fn fields(skeleton: &Skeleton) -> Vec<Field> {
    let joints = skeleton.len();
    vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new("split", DataType::Utf8, true),
        Field::new("stage", DataType::Int32, false),
        in_space(Field::new("keypoints", points_type(DataType::Float64, joints), false), "image"),
        Field::new("score", fixed_list(DataType::Float64, joints), true),
        Field::new("heatmap_mean", fixed_list(DataType::Float64, joints), true),
        Field::new("model", DataType::Utf8, false),
    ]
}

/// The schema of the table for predictions in `skeleton`.
pub fn schema(skeleton: &Skeleton) -> SchemaRef {
    Arc::new(Schema::new_with_metadata(fields(skeleton), metadata(NAME, Some(skeleton))))
}
