//! What represents the torso, and the places of joints and torso in the crop.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use schemars::JsonSchema;
use schemas::columns::{affines, booleans, field, points, skeleton_of, vectors_f64, visibilities};
use schemas::tables::people::Pose;
use schemas::tables::samples::{CROP_FROM_IMAGE, FLIPPED};
use schemas::{Affine, Skeleton};
use serde::{Deserialize, Serialize};

use super::super::error::DecodeError;
use crate::augment::geometry::space_of_keypoints;
use crate::stage::StageError;

/// The joints whose mean is the torso (joint-cnn-mrf: two shoulders and two hips).
const TORSO_JOINTS: [&str; 4] = ["left_shoulder", "right_shoulder", "left_hip", "right_hip"];

/// What represents the torso: evidence that is given, not predicted, and says which of several people to look
/// at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Torso {
    /// The mean of both annotated shoulders and hips, if all four are annotated: ground truth, as in the papers.
    #[default]
    Keypoints,
    /// The middle of `torso_box`, a detector's.
    TorsoBox,
    /// `center`, the person's rough centre.
    Center,
    /// Nothing: the joints alone.
    None,
}

impl Torso {
    const ALL: [Self; 4] = [Self::Keypoints, Self::TorsoBox, Self::Center, Self::None];

    /// Its name in plans and in the metadata of a model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keypoints => "keypoints",
            Self::TorsoBox => "torso_box",
            Self::Center => "center",
            Self::None => "none",
        }
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, StageError> {
        Self::ALL.into_iter().find(|torso| torso.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(|torso| format!("`{}`", torso.name())).join(", ");
            DecodeError::Torso { name: name.to_owned(), known }.into()
        })
    }

    /// The columns that its place is read from.
    ///
    /// # Errors
    /// When one is absent, or keypoints are not those of a crop.
    pub fn columns(self, schema: &Schema) -> Result<Vec<&'static str>, StageError> {
        let names = match self {
            Self::Keypoints => return pose_columns(schema),
            Self::TorsoBox => vec!["torso_box", CROP_FROM_IMAGE],
            Self::Center => vec!["center", CROP_FROM_IMAGE],
            Self::None => Vec::new(),
        };
        for name in &names {
            field(schema, name)?;
        }
        Ok(names)
    }

    /// Its place in each row, px of the crop; `None` where the row does not say.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn places(self, batch: &RecordBatch) -> Result<Vec<Option<[f64; 2]>>, StageError> {
        let in_crop = |points: Vec<Option<[f64; 2]>>| -> Result<Vec<_>, StageError> {
            let maps = affines(batch, CROP_FROM_IMAGE)?;
            Ok(points.into_iter().zip(maps).map(|(point, map)| Some(map.apply(point?))).collect())
        };
        let places = match self {
            Self::None => vec![None; batch.num_rows()],
            Self::Keypoints => {
                let skeleton = skeleton_of(batch.schema_ref())?;
                poses_in_crop(batch, skeleton)?.iter().map(|pose| middle(pose, skeleton)).collect()
            }
            Self::TorsoBox => {
                let boxes = vectors_f64(batch, "torso_box", 4)?;
                let middle = |b: &[f64]| [f64::midpoint(b[0], b[2]), f64::midpoint(b[1], b[3])];
                in_crop((0..batch.num_rows()).map(|row| boxes.row(row).map(middle)).collect())?
            }
            Self::Center => {
                let centers = vectors_f64(batch, "center", 2)?;
                in_crop((0..batch.num_rows()).map(|row| centers.row(row).map(|c| [c[0], c[1]])).collect())?
            }
        };
        Ok(places.into_iter().map(|place| place.filter(|place| is_finite(*place))).collect())
    }
}

/// The mean of the joints of the torso, where all are annotated.
fn middle(pose: &Pose, skeleton: &Skeleton) -> Option<[f64; 2]> {
    let mut sum = [0.0; 2];
    for name in TORSO_JOINTS {
        let point = pose.joint(skeleton.index_of(name)?)?;
        sum = [sum[0] + point[0], sum[1] + point[1]];
    }
    Some(sum.map(|value| value / TORSO_JOINTS.len() as f64))
}

/// The columns that poses in the crop are read from: before `warp`, the crop's transform too.
///
/// # Errors
/// When one is absent.
pub fn pose_columns(schema: &Schema) -> Result<Vec<&'static str>, StageError> {
    let mut names = vec!["keypoints", "visibility"];
    if space_of_keypoints(schema) != Some("crop") {
        names.extend([CROP_FROM_IMAGE, FLIPPED]);
    }
    for name in &names {
        field(schema, name)?;
    }
    Ok(names)
}

/// The poses of `batch` in px of the crop, left and right as the crop shows them; a place that is no number is not
/// annotated.
///
/// # Errors
/// When a column is absent or of another type.
pub fn poses_in_crop(batch: &RecordBatch, skeleton: &Skeleton) -> Result<Vec<Pose>, StageError> {
    let joints = skeleton.len();
    let poses = points(batch, "keypoints")?.into_iter().zip(visibilities(batch, "visibility", joints)?);
    let poses = poses.map(|(keypoints, visibility)| Pose { keypoints, visibility });
    let same: Vec<usize> = (0..joints).collect();
    if space_of_keypoints(batch.schema_ref()) == Some("crop") {
        let identity = Affine::scale(1.0);
        return Ok(poses.map(|pose| moved(&pose, &identity, &same)).collect());
    }
    let (maps, flipped) = (affines(batch, CROP_FROM_IMAGE)?, booleans(batch, FLIPPED)?);
    let mirrored = skeleton.mirrored();
    let shown = |row| if flipped.value(row) { &mirrored } else { &same };
    Ok(poses.zip(&maps).enumerate().map(|(row, (pose, map))| moved(&pose, map, shown(row))).collect())
}

/// `pose` through `map`, joint `sources[k]` in the place of joint k.
fn moved(pose: &Pose, map: &Affine, sources: &[usize]) -> Pose {
    let mut out = Pose::unknown(sources.len());
    for (joint, &source) in sources.iter().enumerate() {
        if let Some(point) = pose.joint(source).map(|point| map.apply(point)).filter(|p| is_finite(*p)) {
            out.set(joint, point, pose.visibility[source]);
        }
    }
    out
}

fn is_finite(point: [f64; 2]) -> bool {
    point.iter().all(|value| value.is_finite())
}
