//! `as_people`: people that a detector saw, as rows that every stage for annotated people takes.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::columns::{
    column, field, integers, points, schema_with, skeleton_of, strings, vectors_f64, with_column,
};
use schemas::tables::keypoints::{BOX, DETECTION_SCORE};
use schemas::tables::people::{self, Person, Pose, stated_size};
use serde::{Deserialize, Serialize};

use crate::stage::{reject, take_rows};
use crate::{BuildContext, Outcome, Stage, StageError};

/// A scale of 1 stands for a person this high, in px of the image.
const PX_PER_SCALE: f64 = 200.0;

/// Keys of the stage `as_people`.
///
/// ```
/// let config: stages::decode::AsPeopleConfig = toml::from_str("minimum_joint_score = 0.3")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AsPeopleConfig {
    /// Joints with a lower score count as not annotated; by default all that have a place are visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_joint_score: Option<f64>,
}

impl AsPeopleConfig {
    /// The stage.
    pub fn build(&self, context: &BuildContext) -> AsPeople {
        AsPeople { name: context.name.clone(), config: self.clone() }
    }
}

/// Each predicted person with a box as a row of `people`: `center` is the middle of the box and `scale` its longer side in
/// 200 px, as the COCO reader has it; joints that have a place are visible. The columns `box` and `detection_score` stay.
///
/// A row whose box is missing or has no extent is rejected.
#[derive(Debug, Clone)]
pub struct AsPeople {
    name: String,
    config: AsPeopleConfig,
}

impl Stage for AsPeople {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        for name in ["sample_id", "image_path", "keypoints"] {
            field(input, name)?;
        }
        let corners = field(input, BOX)?.clone();
        let schema = schema_with(&people::schema(skeleton_of(input)?), corners);
        Ok(Arc::new(match input.field_with_name(DETECTION_SCORE) {
            Ok(score) => schema_with(&schema, score.clone()),
            Err(_) => schema,
        }))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let skeleton = skeleton_of(batch.schema_ref())?;
        let boxes = vectors_f64(batch, BOX, 4)?;
        let places = points(batch, "keypoints")?;
        let has = |name: &str| batch.column_by_name(name).is_some();
        let scores = has("score").then(|| vectors_f64(batch, "score", skeleton.len())).transpose()?;
        let indices = has("person_index").then(|| integers(batch, "person_index")).transpose()?;
        let text = |name: &str, row: usize| {
            let column = strings(batch, name).ok().filter(|column| column.is_valid(row));
            column.map_or_else(String::new, |column| column.value(row).to_owned())
        };
        let (mut kept, mut people, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for (row, places) in places.into_iter().enumerate() {
            let sound = |c: &&[f64]| c.iter().all(|value| value.is_finite()) && c[2] > c[0] && c[3] > c[1];
            let Some(corners) = boxes.row(row).filter(sound) else {
                let detail = format!("the box is {:?}", boxes.row(row));
                rejects.push(reject(batch, row, &self.name, "no box", detail));
                continue;
            };
            let mut pose = Pose::unknown(skeleton.len());
            let of_joints = scores.as_ref().and_then(|scores| scores.row(row));
            for (joint, place) in places.into_iter().enumerate() {
                let score = of_joints.map_or(f64::INFINITY, |scores| scores[joint]);
                let is_sure = self.config.minimum_joint_score.is_none_or(|least| score >= least);
                if is_sure && place.iter().all(|value| value.is_finite()) {
                    pose.set(joint, place, Visibility::Visible);
                }
            }
            let [width, height] = [corners[2] - corners[0], corners[3] - corners[1]];
            kept.push(row);
            people.push(Person {
                sample_id: text("sample_id", row),
                dataset: text("dataset", row),
                split: text("split", row),
                image_path: text("image_path", row),
                image_size: stated_size(batch, row),
                person_index: Some(
                    indices.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row)),
                ),
                center: Some([f64::midpoint(corners[0], corners[2]), f64::midpoint(corners[1], corners[3])]),
                scale: Some(width.max(height) / PX_PER_SCALE),
                pose,
                source_file: text("source_file", row),
                source_record: text("source_record", row),
                ..Person::default()
            });
        }
        let rows = take_rows(batch, &kept)?;
        let mut out = people::to_batch(skeleton, &people);
        for name in [BOX, DETECTION_SCORE] {
            if let Ok(field) = field(rows.schema_ref(), name) {
                out = with_column(&out, field.clone(), Arc::clone(column(&rows, name)?))?;
            }
        }
        Ok(Outcome::some(out, rejects))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Field};
    use schemas::columns::fixed_list;
    use schemas::skeleton::FLIC9;
    use schemas::tables::keypoints::{self, PredictedPose};
    use schemas::tables::vector_array;

    fn detected(boxes: &[Option<[f64; 4]>]) -> RecordBatch {
        let pose = |number: usize| PredictedPose {
            sample_id: format!("a-d{number}"),
            split: Some("test".into()),
            keypoints: (0..9).map(|joint| [joint as f64, if joint == 4 { f64::NAN } else { 2.0 }]).collect(),
            score: Some((0..9).map(|joint| joint as f64 / 10.0).collect()),
            ..PredictedPose::default()
        };
        let poses: Vec<PredictedPose> = (0..boxes.len()).map(pose).collect();
        let batch = keypoints::to_batch(&FLIC9, &poses);
        let paths: ArrayRef = Arc::new(StringArray::from_iter_values(boxes.iter().map(|_| "a.jpg")));
        let batch = with_column(&batch, Field::new("image_path", DataType::Utf8, false), paths).unwrap();
        let corners = vector_array(boxes.iter().map(|one| one.as_ref().map(|one| &one[..])), 4);
        with_column(&batch, Field::new(BOX, fixed_list(DataType::Float64, 4), true), corners).unwrap()
    }

    #[test]
    fn boxes_become_centre_and_scale_and_sure_joints_are_visible() {
        let batch = detected(&[
            Some([10.0, 20.0, 50.0, 120.0]),
            None,
            Some([0.0, 0.0, 0.0, 5.0]),
            Some([f64::NAN; 4]),
        ]);
        let context = BuildContext { name: "as_people".into(), seed: 0, threads: 1, folder: ".".into() };
        let stage = AsPeopleConfig { minimum_joint_score: Some(0.3) }.build(&context);
        let outcome = stage.run(&batch).unwrap();
        assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        let reasons: Vec<&str> = outcome.rejects.iter().map(|reject| reject.reason.as_str()).collect();
        assert_eq!(reasons, ["no box"; 3]);
        let people = people::from_batch(&outcome.rows).unwrap();
        assert_eq!((people[0].center, people[0].scale), (Some([30.0, 70.0]), Some(0.5)));
        assert_eq!((people[0].split.as_str(), people[0].person_index), ("test", Some(0)));
        let seen: Vec<usize> = (0..9).filter(|joint| people[0].pose.joint(*joint).is_some()).collect();
        assert_eq!(seen, [3, 5, 6, 7, 8]);
        assert_eq!(vectors_f64(&outcome.rows, BOX, 4).unwrap().row(0).unwrap()[3], 120.0);
    }
}
