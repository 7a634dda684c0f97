//! `map_skeleton`: poses reordered from one skeleton into another, by joint name.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Array, ListArray, RecordBatch,
    UInt8Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{SKELETON_JSON_KEY, SKELETON_KEY, column, field, skeleton_of, wrong_type};
use schemas::skeleton::Skeleton;
use schemas::tables::samples::{HEATMAP_WEIGHT, HEATMAPS};
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Columns with one entry a joint, where the table has them; the first must be there.
const PER_JOINT: [&str; 4] = ["keypoints", "visibility", "score", "heatmap_mean"];
/// Columns with a list of poses.
const PER_OTHER: [&str; 2] = ["other_keypoints", "other_visibility"];

/// Keys of the stage `map_skeleton`.
///
/// ```
/// let config: stages::ingest::MapSkeletonConfig = toml::from_str("to = 'cpm14'")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapSkeletonConfig {
    /// Name of the skeleton to map to.
    pub to: String,
}

impl MapSkeletonConfig {
    /// The stage.
    ///
    /// # Errors
    /// When no skeleton has this name.
    pub fn build(&self, context: &BuildContext) -> Result<MapSkeleton, StageError> {
        let to = Skeleton::named(&self.to).map_err(|error| {
            StageError::step(IngestError::Skeleton { stage: context.name.clone(), error })
        })?;
        Ok(MapSkeleton { to })
    }
}

/// Poses reordered into another skeleton: the person's own, those of others, and what was predicted for each joint.
///
/// Joints that the rows' skeleton lacks are not annotated afterwards (visibility 0, `NaN`); joints that the new one
/// lacks are gone. Coordinates keep their space and their type, f32 or f64.
#[derive(Debug, Clone)]
pub struct MapSkeleton {
    to: &'static Skeleton,
}

impl MapSkeleton {
    /// For each new joint, where the rows hold it.
    fn sources(&self, schema: &Schema) -> Result<Vec<Option<usize>>, StageError> {
        let from = skeleton_of(schema)?;
        let sources = self.to.indices_in(from);
        if sources.iter().all(Option::is_none) {
            let (from, to) = (from.name, self.to.name);
            return Err(StageError::step(IngestError::NoSharedJoint { from, to }));
        }
        Ok(sources)
    }
}

impl Stage for MapSkeleton {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.sources(input)?;
        let from = skeleton_of(input)?;
        field(input, PER_JOINT[0])?;
        for column in [HEATMAPS, HEATMAP_WEIGHT] {
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
        let sources = self.sources(batch.schema_ref())?;
        let mut columns = batch.columns().to_vec();
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            if PER_JOINT.contains(&name) {
                columns[at] = Arc::new(remapped(column(batch, name)?.as_fixed_size_list(), &sources)?);
            } else if PER_OTHER.contains(&name) {
                columns[at] = Arc::new(remapped_lists(column(batch, name)?.as_list(), &sources)?);
            }
        }
        Ok(Outcome::all(RecordBatch::try_new(schema, columns)?))
    }
}

/// `[K_from, ...]` as `[K_to, ...]`.
fn remapped_type(
    name: &str,
    data_type: &DataType,
    from: &Skeleton,
    to: &Skeleton,
) -> Result<DataType, StageError> {
    match data_type {
        DataType::FixedSizeList(item, joints)
            if *joints as usize == from.len() && filler(item.data_type()).is_some() =>
        {
            Ok(DataType::FixedSizeList(Arc::clone(item), to.len() as i32))
        }
        other => {
            let expected = format!("a list of {} joints, as `{}` has them", from.len(), from.name);
            Err(wrong_type(name, &expected, other).into())
        }
    }
}

/// What a joint holds that the rows' skeleton lacks, as an array of one; `None` for types that no joint has.
fn filler(item: &DataType) -> Option<ArrayRef> {
    match item {
        DataType::UInt8 => Some(Arc::new(UInt8Array::from(vec![0]))),
        DataType::Float32 => Some(Arc::new(Float32Array::from(vec![f32::NAN]))),
        DataType::Float64 => Some(Arc::new(Float64Array::from(vec![f64::NAN]))),
        DataType::FixedSizeList(number, 2) => {
            let values: ArrayRef = match number.data_type() {
                DataType::Float32 => Arc::new(Float32Array::from(vec![f32::NAN; 2])),
                DataType::Float64 => Arc::new(Float64Array::from(vec![f64::NAN; 2])),
                _ => return None,
            };
            Some(Arc::new(FixedSizeListArray::new(Arc::clone(number), 2, values, None)))
        }
        _ => None,
    }
}

/// `[N, K_from, ...]` as `[N, K_to, ...]`.
fn remapped(list: &FixedSizeListArray, sources: &[Option<usize>]) -> Result<FixedSizeListArray, StageError> {
    let joints = list.value_length() as usize;
    let values = list.values().slice(list.offset() * joints, list.len() * joints);
    let filler = filler(values.data_type())
        .ok_or_else(|| wrong_type("keypoints", "a list of joints", list.data_type()))?;
    let absent = values.len() as u64;
    let extended = concat(&[values.as_ref(), filler.as_ref()])?;
    let places = (0..list.len()).flat_map(|row| {
        sources.iter().map(move |source| source.map_or(absent, |joint| (row * joints + joint) as u64))
    });
    let taken = take(&extended, &UInt64Array::from_iter_values(places), None)?;
    let DataType::FixedSizeList(item, _) = list.data_type() else { unreachable!("a fixed-size list") };
    let nulls = list.nulls().cloned();
    Ok(FixedSizeListArray::try_new(Arc::clone(item), sources.len() as i32, taken, nulls)?)
}

/// `[N, (people), K_from, ...]` as `[N, (people), K_to, ...]`.
fn remapped_lists(lists: &ListArray, sources: &[Option<usize>]) -> Result<ListArray, StageError> {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
    let poses = lists.values().slice(first, last - first);
    let poses = remapped(poses.as_fixed_size_list(), sources)?;
    let DataType::List(item) = lists.data_type() else { unreachable!("a list") };
    let item = Arc::new(item.as_ref().clone().with_data_type(poses.data_type().clone()));
    let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(item, offsets, Arc::new(poses), lists.nulls().cloned())?)
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::{context, people};
    use super::*;
    use arrow::compute::cast;
    use schemas::Visibility;
    use schemas::columns::{points, with_column};
    use schemas::skeleton::{FLIC9, MPII16};
    use schemas::tables::people::{Person, from_batch};

    fn map(to: &str) -> MapSkeleton {
        MapSkeletonConfig { to: to.into() }.build(&context("map")).unwrap()
    }

    fn people_of(batch: &RecordBatch) -> Vec<Person> {
        from_batch(batch).unwrap()
    }

    #[test]
    fn joints_move_by_name_for_everyone_in_the_row() {
        let batch = people(9).slice(2, 6);
        let stage = map("mpii16");
        let rows = stage.run(&batch).unwrap().rows;
        assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        assert_eq!(skeleton_of(rows.schema_ref()).unwrap(), &MPII16);
        let sources = MPII16.indices_in(&FLIC9);
        for (old, new) in people_of(&batch).iter().zip(people_of(&rows)) {
            assert_eq!(old.others.len(), new.others.len());
            let poses = std::iter::once((&old.pose, &new.pose))
                .chain(old.others.iter().zip(&new.others).map(|(old, new)| (&**old, &**new)));
            for (old, new) in poses {
                for (joint, source) in sources.iter().enumerate() {
                    assert_eq!(new.joint(joint), source.and_then(|source| old.joint(source)));
                    let visibility = source.map_or(Visibility::NotAnnotated, |source| old.visibility[source]);
                    assert_eq!(new.visibility[joint], visibility);
                    assert!(new.visibility[joint].is_annotated() || new.keypoints[joint][0].is_nan());
                }
            }
        }
    }

    #[test]
    fn back_and_forth_changes_nothing_that_both_have() {
        let batch = people(7);
        let there = map("mpii16").run(&batch).unwrap().rows;
        let back = map("flic9").run(&there).unwrap().rows;
        assert_eq!(back.schema(), batch.schema());
        for (old, new) in people_of(&batch).iter().zip(people_of(&back)) {
            // All but the nose, which MPII lacks.
            assert!((0..8).all(|joint| old.pose.joint(joint) == new.pose.joint(joint)));
            assert_eq!(new.pose.joint(8), None);
        }
    }

    #[test]
    fn single_precision_of_a_crop_stays_so() {
        let batch = people(5).slice(1, 4);
        let single = schemas::tables::samples::crop_keypoints_field(9);
        let array = cast(batch.column_by_name("keypoints").unwrap(), single.data_type()).unwrap();
        let batch = with_column(&batch, single.clone(), array).unwrap();
        let rows = map("mpii16").run(&batch).unwrap().rows;
        let field = rows.schema_ref().field_with_name("keypoints").unwrap().clone();
        assert_eq!(field, schemas::tables::samples::crop_keypoints_field(16));
        // Row 3 of the slice is person 4, whose joint 2, the left wrist, is at (4, 2).
        let left_wrist = MPII16.index_of("left_wrist").unwrap();
        assert_eq!(points(&rows, "keypoints").unwrap()[3][left_wrist], [4.0, 2.0]);
    }

    #[test]
    fn an_empty_batch_has_the_new_schema() {
        let rows = map("cpm14").run(&people(0)).unwrap().rows;
        assert_eq!((rows.num_rows(), skeleton_of(rows.schema_ref()).unwrap().name), (0, "cpm14"));
    }

    #[test]
    fn wrong_plans_are_refused() {
        let unknown = MapSkeletonConfig { to: "mpii".into() }.build(&context("map")).unwrap_err();
        assert!(unknown.to_string().contains("`map`: no skeleton is called `mpii`"), "{unknown}");
        let batch = people(2);
        let maps = Field::new(HEATMAPS, DataType::Float64, true);
        let batch = with_column(&batch, maps, Arc::new(Float64Array::from(vec![0.0; 2]))).unwrap();
        let error = map("cpm14").output_schema(&batch.schema()).unwrap_err();
        assert!(error.to_string().contains("`heatmaps` follows the skeleton `flic9`"), "{error}");
        let bare = people(2).project(&[0]).unwrap();
        assert!(map("cpm14").output_schema(&bare.schema()).is_err());
    }
}
