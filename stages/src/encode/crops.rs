//! What all targets of joints are made from: the joints of the row's own person, in px of its crop.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use schemas::columns::{field, fixed_list, points, skeleton_of, visibilities};
use schemas::tables::people::Pose;

use super::error::EncodeError;
use crate::augment::geometry::{crop_size_of, space_of_keypoints};
use crate::stage::StageError;

/// What is known of the crops of a table before its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crops {
    /// Width and height, px.
    pub size: [u32; 2],
    /// K.
    pub joints: usize,
}

impl Crops {
    /// The crops of `input`, for the stage of the kind `stage`.
    ///
    /// # Errors
    /// When a column is missing, or the keypoints are not in px of the crop.
    pub(super) fn of(input: &Schema, stage: &'static str) -> Result<Self, StageError> {
        field(input, "visibility")?;
        let joints = skeleton_of(input)?.len();
        if space_of_keypoints(input) != Some("crop") {
            return Err(StageError::step(EncodeError::NotWarped { stage }));
        }
        Ok(Self { size: crop_size_of(input)?, joints })
    }

    /// The poses of `batch`.
    ///
    /// # Errors
    /// When a column is of another type.
    pub(super) fn poses(self, batch: &RecordBatch) -> Result<Vec<Pose>, StageError> {
        let (keypoints, known) =
            (points(batch, "keypoints")?, visibilities(batch, "visibility", self.joints)?);
        let poses = std::iter::zip(keypoints, known);
        Ok(poses.map(|(keypoints, visibility)| Pose { keypoints, visibility }).collect())
    }
}

/// The column `name`, `[N, K]` f32, of weights in the loss.
pub(super) fn weight_field(name: &str, joints: usize) -> Field {
    Field::new(name, fixed_list(DataType::Float32, joints), false)
}

/// `[N * length, ...]` as `[N, length, ...]`.
pub(super) fn listed(values: ArrayRef, length: usize) -> ArrayRef {
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(FixedSizeListArray::new(item, length as i32, values, None))
}

/// `[N * K]` numbers as `[N, K]`.
pub(super) fn numbers(values: Vec<f32>, length: usize) -> ArrayRef {
    listed(Arc::new(Float32Array::from(values)), length)
}
