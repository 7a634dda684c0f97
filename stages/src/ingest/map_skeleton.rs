//! `map_skeleton`: poses rearranged from one skeleton into another, by joint name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datasets::{skeleton_called, skeleton_file};
use schemars::JsonSchema;
use schemas::columns::{SKELETON_JSON_KEY, SKELETON_KEY, column, field, skeleton_of, wrong_type};
use schemas::skeleton::Skeleton;
use schemas::tables::samples::{
    COORDINATE_WEIGHT, COORDINATES, HEATMAP_WEIGHT, HEATMAPS, SIMCC_WEIGHT, SIMCC_X, SIMCC_Y,
};
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use super::remap::{Origin, remapped, remapped_lists, remapped_type};
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Columns with one entry a joint, where the table has them; the first must be there.
const PER_JOINT: [&str; 4] = ["keypoints", "visibility", "score", "heatmap_mean"];
/// Columns with a list of poses.
const PER_OTHER: [&str; 2] = ["other_keypoints", "other_visibility"];
/// Columns that are made of the joints and cannot be rearranged.
const MADE: [&str; 7] =
    [HEATMAPS, HEATMAP_WEIGHT, SIMCC_X, SIMCC_Y, SIMCC_WEIGHT, COORDINATES, COORDINATE_WEIGHT];

/// Keys of the stage `map_skeleton`.
///
/// ```
/// let config: stages::ingest::MapSkeletonConfig =
///     toml::from_str("to = 'cpm14'\nderived = { neck = ['left_shoulder', 'right_shoulder'] }")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapSkeletonConfig {
    /// The skeleton to map to: its name, or a file of one's own.
    #[schemars(extend("format" = "skeleton"))]
    pub to: String,
    /// Joints of the new skeleton that lie in the middle of joints of the rows: `{ neck = ["left_shoulder",
    /// "right_shoulder"] }`. The place is the mean, visibility and score the least; where one is missing, so is the joint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub derived: BTreeMap<String, Vec<String>>,
}

impl MapSkeletonConfig {
    /// The stage.
    ///
    /// # Errors
    /// When no skeleton has this name, the file is no skeleton, or it lacks a derived joint.
    pub fn build(&self, context: &BuildContext) -> Result<MapSkeleton, StageError> {
        let stage = || context.name.clone();
        let named = match skeleton_file(&self.to) {
            Some(file) => context.folder.join(file).to_string_lossy().into_owned(),
            None => self.to.clone(),
        };
        let to = skeleton_called(&named)
            .map_err(|error| StageError::step(IngestError::Skeleton { stage: stage(), error }))?;
        let mut derived = BTreeMap::new();
        for (joint, of) in &self.derived {
            let at = to.index_of(joint).ok_or_else(|| StageError::step(strange(joint, to)))?;
            if of.is_empty() {
                return Err(StageError::step(IngestError::DerivedOfNone { joint: joint.clone() }));
            }
            if derived.insert(at, of.clone()).is_some() {
                return Err(StageError::step(IngestError::DerivedTwice { joint: to.joints[at] }));
            }
        }
        Ok(MapSkeleton { to, derived })
    }

    /// The file of the skeleton, to be hashed.
    pub fn files(&self) -> Vec<PathBuf> {
        skeleton_file(&self.to).into_iter().collect()
    }
}

/// The error of a `joint` that `skeleton` lacks.
fn strange(joint: &str, skeleton: &'static Skeleton) -> IngestError {
    IngestError::DerivedStranger { joint: joint.to_owned(), skeleton }
}

/// Poses rearranged into another skeleton: the person's own, those of others, and what was predicted for each joint.
///
/// Joints that the rows' skeleton lacks are not annotated afterwards (visibility 0, `NaN`), except for those that are derived;
/// joints that the new one lacks are gone. Coordinates keep their space and their type, f32 or f64.
#[derive(Debug, Clone)]
pub struct MapSkeleton {
    to: &'static Skeleton,
    /// Names of joints of the rows, by the joint of the new skeleton in their middle.
    derived: BTreeMap<usize, Vec<String>>,
}

impl MapSkeleton {
    /// The stage that maps to `skeleton`, joint by joint.
    pub fn to(skeleton: &'static Skeleton) -> Self {
        Self { to: skeleton, derived: BTreeMap::new() }
    }

    /// For each new joint, where the rows hold it.
    fn origins(&self, schema: &Schema) -> Result<Vec<Origin>, StageError> {
        let from = skeleton_of(schema)?;
        let held = self.to.indices_in(from).into_iter();
        let mut origins: Vec<Origin> =
            held.map(|joint| joint.map_or(Origin::Absent, Origin::Joint)).collect();
        for (at, names) in &self.derived {
            let of = names
                .iter()
                .map(|name| from.index_of(name).ok_or_else(|| StageError::step(strange(name, from))));
            origins[*at] = Origin::Middle(of.collect::<Result<_, _>>()?);
        }
        if origins.iter().all(|origin| *origin == Origin::Absent) {
            let (from, to) = (from.name, self.to.name);
            return Err(StageError::step(IngestError::NoSharedJoint { from, to }));
        }
        Ok(origins)
    }
}

impl Stage for MapSkeleton {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.origins(input)?;
        let from = skeleton_of(input)?;
        field(input, PER_JOINT[0])?;
        for column in MADE {
            if input.index_of(column).is_ok() {
                return Err(StageError::step(IngestError::MapsMade { column, skeleton: from.name }));
            }
        }
        let mapped = |field: &Arc<Field>| -> Result<Arc<Field>, StageError> {
            let name = field.name().as_str();
            let data_type = match (field.data_type(), PER_JOINT.contains(&name), PER_OTHER.contains(&name)) {
                (data_type, true, _) => remapped_type(name, data_type, from, self.to)?,
                (DataType::List(pose), _, true) => {
                    let inner = remapped_type(name, pose.data_type(), from, self.to)?;
                    DataType::List(Arc::new(pose.as_ref().clone().with_data_type(inner)))
                }
                (other, _, true) => return Err(wrong_type(name, "a list of poses", other).into()),
                _ => return Ok(Arc::clone(field)),
            };
            Ok(Arc::new(field.as_ref().clone().with_data_type(data_type)))
        };
        let fields = input.fields().iter().map(mapped).collect::<Result<Vec<_>, _>>()?;
        let mut metadata = input.metadata().clone();
        metadata.insert(SKELETON_KEY.to_owned(), self.to.name.to_owned());
        metadata.insert(SKELETON_JSON_KEY.to_owned(), self.to.to_json());
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.output_schema(&batch.schema())?;
        let origins = self.origins(batch.schema_ref())?;
        let mut columns = batch.columns().to_vec();
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            if PER_JOINT.contains(&name) {
                columns[at] = Arc::new(remapped(column(batch, name)?.as_fixed_size_list(), &origins)?);
            } else if PER_OTHER.contains(&name) {
                columns[at] = Arc::new(remapped_lists(column(batch, name)?.as_list(), &origins)?);
            }
        }
        Ok(Outcome::all(RecordBatch::try_new(schema, columns)?))
    }
}

#[cfg(test)]
#[path = "map_skeleton_tests.rs"]
mod tests;
