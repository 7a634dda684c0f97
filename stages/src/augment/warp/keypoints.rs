//! Keypoints from px of the image to px of the crop, left and right swapped where the crop is mirrored.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use schemas::columns::{points, skeleton_of, visibilities, with_column};
use schemas::tables::people::{Pose, others_arrays, read_others};
use schemas::tables::samples::crop_keypoints_field;
use schemas::tables::{in_space, visibility_array};

use crate::augment::geometry::Geometry;
use crate::stage::StageError;

const OTHERS: &str = "other_keypoints";

/// The fields that change: `keypoints` to f32 px of the crop, and `other_keypoints`, where it is there, to its px.
pub(super) fn fields(schema: &Schema, joints: usize) -> Vec<Field> {
    let mut fields = vec![crop_keypoints_field(joints)];
    if let Ok(others) = schema.field_with_name(OTHERS) {
        fields.push(in_space(Field::new(OTHERS, others.data_type().clone(), others.is_nullable()), "crop"));
    }
    fields
}

/// `batch` with its keypoints and those of other people moved into the crops of `rows`.
pub(super) fn moved(batch: &RecordBatch, rows: &[Geometry]) -> Result<RecordBatch, StageError> {
    let skeleton = skeleton_of(batch.schema_ref())?;
    let joints = skeleton.len();
    let mirrored = skeleton.mirrored();
    let fields = fields(batch.schema_ref(), joints);
    let poses = std::iter::zip(points(batch, "keypoints")?, visibilities(batch, "visibility", joints)?)
        .map(|(keypoints, visibility)| Pose { keypoints, visibility });
    let own: Vec<Pose> = poses.zip(rows).map(|(pose, row)| in_crop(&pose, row, &mirrored)).collect();

    let mut out = with_column(batch, fields[0].clone(), f32_points(&own, joints))?;
    out =
        replaced(&out, "visibility", visibility_array(own.iter().map(|pose| &pose.visibility[..]), joints))?;
    if let Some(field) = fields.get(1) {
        let others: Vec<Vec<Pose>> = read_others(batch, joints)?
            .iter()
            .zip(rows)
            .map(|(people, row)| people.iter().map(|pose| in_crop(pose, row, &mirrored)).collect())
            .collect();
        let (keypoints, visibility) = others_arrays(&others, joints);
        out = with_column(&out, field.clone(), keypoints)?;
        out = replaced(&out, "other_visibility", visibility)?;
    }
    Ok(out)
}

fn replaced(batch: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch, StageError> {
    let field = schemas::columns::field(batch.schema_ref(), name)?.clone();
    Ok(with_column(batch, field, array)?)
}

/// `pose` in the crop of `row`; a joint that is not annotated stays `NaN`.
fn in_crop(pose: &Pose, row: &Geometry, mirrored: &[usize]) -> Pose {
    let mut moved = Pose::unknown(mirrored.len());
    for (joint, opposite) in mirrored.iter().enumerate() {
        let from = if row.flipped { *opposite } else { joint };
        if let Some(point) = pose.joint(from) {
            moved.set(joint, row.crop_from_image.apply(point), pose.visibility[from]);
        }
    }
    moved
}

/// `[N, K, 2]` f32.
fn f32_points(poses: &[Pose], joints: usize) -> ArrayRef {
    let numbers = poses.iter().flat_map(|pose| pose.keypoints.as_flattened()).map(|value| *value as f32);
    let mut array: ArrayRef = Arc::new(Float32Array::from_iter_values(numbers));
    for length in [2, joints as i32] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length, array, None));
    }
    array
}
