//! The stage `merge_joints`: predictions from crops around single joints, put together to one pose.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{TABLE_KEY, column, field, integers, points, skeleton_of, strings, vectors_f64};
use schemas::tables::rejects::Reject;
use schemas::tables::{MODEL_KEY, keypoints, metadata, points_array, samples, vector_array};
use serde::{Deserialize, Serialize};

use super::error::DecodeError;
use super::table::PROVENANCE;
use crate::augment::focus::JOINT_INDEX;
use crate::stage::{reject, take_rows};
use crate::{BuildContext, FanOut, Outcome, Stage, StageError};

/// How the joints of a pose become one prediction: joint i is that of the crop that was laid around joint i (`DeepPose`,
/// equation 7); what a network says of the other joints there is not used.
///
/// `score` and `heatmap_mean` are taken from the same rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeJointsConfig {}

impl MergeJointsConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> MergeJoints {
        MergeJoints { name: context.name.clone() }
    }
}

/// The stage. The rows of a pose must be in one batch, as `focus` makes them; a pose with a missing joint is rejected.
/// Every output head is merged separately.
#[derive(Debug, Clone)]
pub struct MergeJoints {
    name: String,
}

/// The rows of one pose under one output head, by joint.
struct Group {
    rows: Vec<Option<usize>>,
}

impl Group {
    fn present(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().flatten().copied()
    }

    /// All rows, or the joints that are missing.
    fn complete(&self, skeleton: &Skeleton) -> Result<Vec<usize>, String> {
        let missing: Vec<&str> = skeleton
            .joints
            .iter()
            .zip(&self.rows)
            .filter(|(_, row)| row.is_none())
            .map(|(joint, _)| *joint)
            .collect();
        let found = self.rows.len() - missing.len();
        if missing.is_empty() {
            Ok(self.present().collect())
        } else {
            Err(format!("{found} of {} joints came, not {}", self.rows.len(), missing.join(", ")))
        }
    }
}

impl MergeJoints {
    fn schema(input: &Schema) -> Result<SchemaRef, StageError> {
        for name in [JOINT_INDEX, "sample_id", keypoints::HEAD, "model"] {
            field(input, name)?;
        }
        let is_prediction = input.metadata().get(TABLE_KEY).is_some_and(|name| name == keypoints::NAME);
        let Some(model) = input.metadata().get(MODEL_KEY).filter(|_| is_prediction) else {
            return Err(DecodeError::NoPredictions { column: JOINT_INDEX }.into());
        };
        let skeleton = skeleton_of(input)?;
        let known = keypoints::fields(skeleton);
        let mut fields: Vec<Arc<Field>> =
            known.into_iter().filter(|field| input.index_of(field.name()).is_ok()).map(Arc::new).collect();
        let comes_along = |name: &str| PROVENANCE.contains(&name) && name != JOINT_INDEX;
        let carried = input.fields().iter().filter(|field| comes_along(field.name()));
        fields.extend(carried.cloned());
        let mut metadata = metadata(keypoints::NAME, Some(skeleton));
        metadata.insert(MODEL_KEY.to_owned(), model.clone());
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    /// The rows of `batch` by pose, copy and output head, in order of their first rows; others as rejects.
    fn groups(
        &self,
        batch: &RecordBatch,
        joints: usize,
        rejects: &mut Vec<Reject>,
    ) -> Result<Vec<Group>, StageError> {
        let (ids, heads) = (strings(batch, "sample_id")?, integers(batch, keypoints::HEAD)?);
        let (indices, copies) = (integers(batch, JOINT_INDEX)?, integers(batch, samples::COPY).ok());
        let mut groups: Vec<Group> = Vec::new();
        let mut known = HashMap::new();
        for row in 0..batch.num_rows() {
            let copy = copies.map_or(0, |copies| copies.value(row));
            let group = *known.entry((ids.value(row), copy, heads.value(row))).or_insert_with(|| {
                groups.push(Group { rows: vec![None; joints] });
                groups.len() - 1
            });
            let index = indices.value(row);
            let place = usize::try_from(index).ok().and_then(|at| groups[group].rows.get_mut(at));
            let refused = match place {
                Some(place @ None) => {
                    *place = Some(row);
                    continue;
                }
                Some(Some(_)) => ("repeated joint", format!("joint {index} came before")),
                None => ("unknown joint", format!("joint {index} of {joints}")),
            };
            rejects.push(reject(batch, row, &self.name, refused.0, refused.1));
        }
        Ok(groups)
    }
}

/// `[K]` numbers of each of `groups`, joint i from its row i; null where one of the rows is.
fn merged_list(
    batch: &RecordBatch,
    name: &str,
    groups: &[Vec<usize>],
    joints: usize,
) -> Result<ArrayRef, StageError> {
    let values = vectors_f64(batch, name, joints)?;
    let merged = |rows: &Vec<usize>| -> Option<Vec<f64>> {
        rows.iter().enumerate().map(|(joint, row)| Some(values.row(*row)?[joint])).collect()
    };
    let rows: Vec<Option<Vec<f64>>> = groups.iter().map(merged).collect();
    Ok(vector_array(rows.iter().map(Option::as_deref), joints))
}

/// `[K, 2]` px of the image of each of `groups`, joint i from its row i.
fn merged_points(batch: &RecordBatch, groups: &[Vec<usize>], joints: usize) -> Result<ArrayRef, StageError> {
    let places = points(batch, "keypoints")?;
    let merged =
        |rows: &Vec<usize>| rows.iter().enumerate().map(|(joint, row)| places[*row][joint]).collect();
    let poses: Vec<Vec<[f64; 2]>> = groups.iter().map(merged).collect();
    Ok(points_array(poses.iter().map(Vec::as_slice), joints))
}

impl Stage for MergeJoints {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Self::schema(input)
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = Self::schema(batch.schema_ref())?;
        let skeleton = skeleton_of(batch.schema_ref())?;
        let (mut rejects, mut groups, mut taken) = (Vec::new(), Vec::new(), 0);
        for group in self.groups(batch, skeleton.len(), &mut rejects)? {
            match group.complete(skeleton) {
                Ok(rows) => {
                    taken += rows.len();
                    groups.push(rows);
                }
                Err(detail) => rejects.extend(
                    group.present().map(|row| reject(batch, row, &self.name, "incomplete joints", &*detail)),
                ),
            }
        }
        let first: Vec<usize> = groups.iter().map(|rows| rows[0]).collect();
        let rows = take_rows(batch, &first)?;
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "keypoints" => merged_points(batch, &groups, skeleton.len()),
            name @ ("score" | "heatmap_mean") => merged_list(batch, name, &groups, skeleton.len()),
            name => Ok(Arc::clone(column(&rows, name)?)),
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, StageError>>()?;
        let rows = RecordBatch::try_new(schema, columns)?;
        Ok(Outcome { taken: Some(taken), ..Outcome::some(rows, rejects) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}

#[cfg(test)]
#[path = "merge_joints_tests.rs"]
mod tests;
