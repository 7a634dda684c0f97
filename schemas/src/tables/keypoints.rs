//! `keypoints`: one row is one predicted person.

use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{in_space, metadata, points_array, vector_array};
use crate::columns::{
    SchemaError, fixed_list, integers, numbers, points, points_type, skeleton_of, strings, vectors_f64,
};
use crate::skeleton::Skeleton;

/// Name of the table.
pub const NAME: &str = "keypoints";
/// Number of the output head, from 1.
pub const HEAD: &str = super::heatmaps::HEAD;
/// Column of the score of a whole person, f64, where a detector gave one.
pub const DETECTION_SCORE: &str = "detection_score";
/// Column of the picture that was looked at, as `image_path` of `people` has it: predictions of nobody in particular need
/// it.
pub const IMAGE_PATH: &str = "image_path";

/// Column of the box of a person that a detector saw, `[4]` left, top, right, bottom, px of the image, f64.
pub const BOX: &str = "box";

/// One row of the table: one predicted person, K joints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PredictedPose {
    /// Id of the person.
    pub sample_id: String,
    /// Split of the person, where it is known.
    pub split: Option<String>,
    /// Output head of the network, from 1.
    pub head: i32,
    /// `[K, 2]` px of the image, 0-based, `NaN` where nothing was predicted.
    pub keypoints: Vec<[f64; 2]>,
    /// Heights of the peaks, `[K]`.
    pub score: Option<Vec<f64>>,
    /// Means of the heatmaps, `[K]`; `None` where the prediction did not come from heatmaps.
    pub heatmap_mean: Option<Vec<f64>>,
    /// What made it.
    pub model: String,
    /// Score of the person as a whole, where a detector gave one.
    pub detection_score: Option<f64>,
    /// Path of the picture, where the prediction names it.
    pub image_path: Option<String>,
}

impl PredictedPose {
    /// Score of the person as a whole, by which detections are ordered and which COCO results state: the detection's,
    /// else the mean of the scores of the joints that have a place, else 1 (0 where no joint has one). A joint's score that
    /// is not finite counts 0.
    pub fn whole_score(&self) -> f64 {
        if let Some(score) = self.detection_score {
            return score;
        }
        let score_of = |joint: usize| self.score.as_ref().map_or(1.0, |score| score[joint]);
        let found = self.keypoints.iter().enumerate();
        let found = found.filter(|(_, point)| point.iter().all(|value| value.is_finite()));
        let finite = |score: f64| if score.is_finite() { score } else { 0.0 };
        let (sum, count) = found
            .map(|(joint, _)| finite(score_of(joint)))
            .fold((0.0, 0_u32), |(sum, count), score| (sum + score, count + 1));
        sum / f64::from(count.max(1))
    }
}

/// The columns of the table for predictions in `skeleton`, in order; [`PredictedPose`] says what they hold.
pub fn fields(skeleton: &Skeleton) -> Vec<Field> {
    let joints = skeleton.len();
    vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new("split", DataType::Utf8, true),
        Field::new(HEAD, DataType::Int32, false),
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

/// The rows `poses` as a batch; scores of whole persons and paths of pictures have no column there.
///
/// # Panics
/// When a row has another number of joints than `skeleton`.
pub fn to_batch(skeleton: &Skeleton, poses: &[PredictedPose]) -> RecordBatch {
    let joints = skeleton.len();
    let list = |get: fn(&PredictedPose) -> Option<&Vec<f64>>| {
        vector_array(poses.iter().map(|pose| get(pose).map(Vec::as_slice)), joints)
    };
    let columns = vec![
        Arc::new(StringArray::from_iter_values(poses.iter().map(|pose| &pose.sample_id))) as _,
        Arc::new(poses.iter().map(|pose| pose.split.as_deref()).collect::<StringArray>()) as _,
        Arc::new(Int32Array::from_iter_values(poses.iter().map(|pose| pose.head))) as _,
        points_array(poses.iter().map(|pose| pose.keypoints.as_slice()), joints),
        list(|pose| pose.score.as_ref()),
        list(|pose| pose.heatmap_mean.as_ref()),
        Arc::new(StringArray::from_iter_values(poses.iter().map(|pose| &pose.model))) as _,
    ];
    RecordBatch::try_new(schema(skeleton), columns).expect("columns follow the schema")
}

/// The rows of `batch`. The columns `split`, `score`, `heatmap_mean`, [`DETECTION_SCORE`] and [`IMAGE_PATH`] may be
/// absent.
///
/// # Errors
/// When another column is absent or of another type, or the schema names no skeleton.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<PredictedPose>, SchemaError> {
    let joints = skeleton_of(batch.schema_ref())?.len();
    let has = |name: &str| batch.column_by_name(name).is_some();
    let list = |name: &str| has(name).then(|| vectors_f64(batch, name, joints)).transpose();
    let (ids, models, heads) =
        (strings(batch, "sample_id")?, strings(batch, "model")?, integers(batch, HEAD)?);
    let splits = has("split").then(|| strings(batch, "split")).transpose()?;
    let whole = has(DETECTION_SCORE).then(|| numbers(batch, DETECTION_SCORE)).transpose()?;
    let paths = has(IMAGE_PATH).then(|| strings(batch, IMAGE_PATH)).transpose()?;
    let (scores, means) = (list("score")?, list("heatmap_mean")?);
    let pose = |(row, keypoints)| PredictedPose {
        sample_id: ids.value(row).to_owned(),
        split: splits.filter(|splits| splits.is_valid(row)).map(|splits| splits.value(row).to_owned()),
        head: heads.value(row),
        keypoints,
        score: scores.as_ref().and_then(|scores| scores.row(row)).map(<[f64]>::to_vec),
        heatmap_mean: means.as_ref().and_then(|means| means.row(row)).map(<[f64]>::to_vec),
        model: models.value(row).to_owned(),
        detection_score: whole.filter(|whole| whole.is_valid(row)).map(|whole| whole.value(row)),
        image_path: paths.filter(|paths| paths.is_valid(row)).map(|paths| paths.value(row).to_owned()),
    };
    Ok(points(batch, "keypoints")?.into_iter().enumerate().map(pose).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skeleton::FLIC9;

    #[test]
    fn rows_come_back_whatever_their_slice() {
        let row = |id: &str, head, score: Option<f64>| PredictedPose {
            sample_id: id.to_owned(),
            split: (head == 1).then(|| "test".to_owned()),
            head,
            keypoints: vec![[f64::from(head), 2.0]; 9],
            score: score.map(|score| vec![score; 9]),
            model: "m".to_owned(),
            ..PredictedPose::default()
        };
        let rows = [row("a", 1, Some(0.5)), row("b", 2, None), row("c", 1, Some(0.25))];
        let batch = to_batch(&FLIC9, &rows);
        assert_eq!(from_batch(&batch.slice(1, 2)).unwrap(), rows[1..]);
        assert!(from_batch(&RecordBatch::new_empty(Arc::new(Schema::empty()))).is_err());
    }

    #[test]
    fn a_person_scores_as_the_detection_else_as_the_joints_that_have_a_place() {
        let mut pose = PredictedPose { keypoints: vec![[1.0, 2.0]; 3], ..PredictedPose::default() };
        pose.keypoints[2] = [f64::NAN; 2];
        assert_eq!(pose.whole_score(), 1.0);
        pose.score = Some(vec![0.5, f64::NAN, 0.9]);
        assert_eq!(pose.whole_score(), 0.25);
        pose.detection_score = Some(0.75);
        assert_eq!(pose.whole_score(), 0.75);
        let nothing = PredictedPose { keypoints: vec![[f64::NAN; 2]; 3], ..PredictedPose::default() };
        assert_eq!(nothing.whole_score(), 0.0);
    }
}
