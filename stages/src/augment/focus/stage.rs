//! The stage `focus`: crops around the joints of each pose.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemas::columns::{
    VERSION_KEY, field, fixed_list, integers, points, schema_with, skeleton_of, strings, visibilities,
    with_column,
};
use schemas::random::KeyedRandom;
use schemas::tables::people::Pose;
use schemas::tables::samples::COPY;
use schemas::tables::{
    MODEL_KEY, heatmaps, in_space, keypoints, renamed, samples, vector_array, version, visibility_array,
};
use schemas::{Affine, Skeleton, Visibility};

use super::super::error::AugmentError;
use super::super::frame::Refusal;
use super::super::geometry::{self, CROP_CENTER, Geometry};
use super::diameter::Diameter;
use super::joints::Joints;
use super::spread::{Spread, Spreads};
use crate::stage::{FanOut, Outcome, Stage, StageError, reject};

/// Column of the joint that a crop is laid around: its index in the skeleton, as in the image, mirrored or not.
pub const JOINT_INDEX: &str = "joint_index";
/// Diameters below this many px, 1, are those of no pose: a crop would show less than a px or two.
pub const LEAST_DIAMETER: f64 = 1.0;
const VISIBILITY: &str = "visibility";
/// Columns of what was read off a network; a crop is a sample again.
const PREDICTED: [&str; 7] = [
    keypoints::HEAD,
    "score",
    "heatmap_mean",
    "model",
    heatmaps::HEATMAPS,
    heatmaps::STRIDE,
    heatmaps::ORIGIN_IN_CROP,
];

/// The stage. A pose without a diameter, or without a joint to lay a crop around, is rejected.
///
/// Rows are people with their annotated joints, or predictions, all of whose joints count as visible. The crop of a joint
/// is a square of `side` diameters, as large as fits, whose middle is the joint's place. The rows of one pose are
/// consecutive, so that `warp` decodes their image once and `merge_joints` finds them in one batch; `copy` does not change,
/// `joint_index` distinguishes them.
#[derive(Debug, Clone)]
pub struct Focus {
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) size: [u32; 2],
    pub(super) side: f64,
    pub(super) ends: [String; 2],
    pub(super) joints: Joints,
    pub(super) spreads: Option<Spreads>,
}

/// What follows from the skeleton of the rows.
struct Fitted {
    diameter: Diameter,
    /// `[K]`, where crops are laid beside the joints.
    spreads: Option<Vec<Spread>>,
}

/// A crop around one joint.
struct Crop {
    joint: usize,
    center: [f64; 2],
    geometry: Geometry,
}

impl Focus {
    fn fitted(&self, skeleton: &Skeleton) -> Result<Fitted, StageError> {
        let diameter = Diameter::of(skeleton, &self.ends)?;
        let spreads = self.spreads.as_ref().map(|spreads| spreads.of(skeleton)).transpose()?;
        Ok(Fitted { diameter, spreads })
    }

    fn schema(&self, input: &Schema) -> Result<Schema, StageError> {
        for name in ["sample_id", "keypoints", "image_path"] {
            field(input, name)?;
        }
        if geometry::space_of_keypoints(input) == Some("crop") {
            return Err(StageError::step(AugmentError::CropsMade));
        }
        if input.index_of(JOINT_INDEX).is_ok() {
            return Err(StageError::step(AugmentError::JointsMade { column: JOINT_INDEX }));
        }
        let skeleton = skeleton_of(input)?;
        self.fitted(skeleton)?;
        let kept = input.fields().iter().filter(|field| !PREDICTED.contains(&field.name().as_str()));
        let schema = Schema::new_with_metadata(kept.cloned().collect::<Vec<_>>(), input.metadata().clone());
        let mut schema = renamed(&schema, samples::NAME);
        schema.metadata.remove(MODEL_KEY);
        schema.metadata.insert(VERSION_KEY.to_owned(), version(samples::NAME).to_owned());
        for added in [visibility_field(skeleton.len()), copy_field()] {
            if schema.index_of(added.name()).is_err() {
                schema = schema_with(&schema, added);
            }
        }
        let schema = geometry::schema_with_geometry(&schema, self.size);
        Ok(schema_with(&schema_with(&schema, center_field()), joint_field()))
    }

    /// The crops of one pose, `random` being its own stream.
    fn crops(&self, pose: &Pose, fitted: &Fitted, random: &mut KeyedRandom) -> Result<Vec<Crop>, Refusal> {
        let place = |joint: usize| pose.joint(joint).filter(|[x, y]| x.is_finite() && y.is_finite());
        let Some(diameter) = fitted.diameter.px(place) else {
            return Err((
                "no diameter",
                format!("neither {} nor its mirror image is known", self.ends.join(" to ")),
            ));
        };
        if !(diameter >= LEAST_DIAMETER && diameter.is_finite()) {
            return Err(("no diameter", format!("the pose's diameter is {diameter} px")));
        }
        let known: Vec<usize> = (0..pose.keypoints.len()).filter(|joint| place(*joint).is_some()).collect();
        let chosen = match self.joints {
            Joints::Each if known.len() < pose.keypoints.len() => {
                let detail = format!("{} of {} joints have a place", known.len(), pose.keypoints.len());
                return Err(("no place", detail));
            }
            Joints::Each => known,
            // The ends of the diameter are known, so there are some.
            Joints::One => vec![known[random.index(known.len())]],
        };
        let crop = |joint: usize| {
            let mut center = pose.keypoints[joint];
            if let Some(spreads) = &fitted.spreads {
                let [dx, dy] = spreads[joint].draw(diameter, random);
                center = [center[0] + dx, center[1] + dy];
            }
            Crop { joint, center, geometry: self.lay(center, diameter) }
        };
        Ok(chosen.into_iter().map(crop).collect())
    }

    fn lay(&self, [x, y]: [f64; 2], diameter: f64) -> Geometry {
        let size = self.size.map(f64::from);
        let magnification = size[0].min(size[1]) / (self.side * diameter);
        let map = Affine::translation(size[0] / 2.0, size[1] / 2.0)
            * Affine::scale(magnification)
            * Affine::translation(-x, -y);
        Geometry::new(map, size)
    }
}

fn joint_field() -> Field {
    Field::new(JOINT_INDEX, DataType::Int32, false)
}

fn copy_field() -> Field {
    Field::new(COPY, DataType::Int32, false)
}

fn center_field() -> Field {
    in_space(Field::new(CROP_CENTER, fixed_list(DataType::Float64, 2), false), "image")
}

fn visibility_field(joints: usize) -> Field {
    Field::new(VISIBILITY, fixed_list(DataType::UInt8, joints), false)
}

/// The pose of each row: as annotated, or predicted, where every joint that has a place is visible.
fn poses(batch: &RecordBatch, skeleton: &Skeleton) -> Result<Vec<Pose>, StageError> {
    let keypoints = points(batch, "keypoints")?;
    let visibility = match batch.column_by_name(VISIBILITY) {
        Some(_) => visibilities(batch, VISIBILITY, skeleton.len())?,
        None => keypoints.iter().map(|places| places.iter().map(seen).collect()).collect(),
    };
    let pose = |(keypoints, visibility)| Pose { keypoints, visibility };
    Ok(std::iter::zip(keypoints, visibility).map(pose).collect())
}

fn seen([x, y]: &[f64; 2]) -> Visibility {
    if x.is_finite() && y.is_finite() { Visibility::Visible } else { Visibility::NotAnnotated }
}

impl Stage for Focus {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(self.schema(input)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.schema(batch.schema_ref())?;
        let skeleton = skeleton_of(batch.schema_ref())?;
        let (fitted, poses) = (self.fitted(skeleton)?, poses(batch, skeleton)?);
        let ids = strings(batch, "sample_id")?;
        let copies = batch.column_by_name(COPY).map(|_| integers(batch, COPY)).transpose()?;
        let (mut rows, mut crops, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for (row, pose) in poses.iter().enumerate() {
            let copy = copies.filter(|copies| copies.is_valid(row)).map_or(0, |copies| copies.value(row));
            let mut random = KeyedRandom::new(self.seed, &self.name, ids.value(row), copy);
            match self.crops(pose, &fitted, &mut random) {
                Ok(found) => {
                    rows.extend(std::iter::repeat_n(row, found.len()));
                    crops.extend(found);
                }
                Err((reason, detail)) => rejects.push(reject(batch, row, &self.name, reason, detail)),
            }
        }
        let taken = UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
        let mut out = take_record_batch(batch, &taken)?;
        if out.column_by_name(VISIBILITY).is_none() {
            let seen = visibility_array(rows.iter().map(|row| &poses[*row].visibility[..]), skeleton.len());
            out = with_column(&out, visibility_field(skeleton.len()), seen)?;
        }
        if out.column_by_name(COPY).is_none() {
            out = with_column(&out, copy_field(), Arc::new(Int32Array::from(vec![0; rows.len()])))?;
        }
        let placed: Vec<Geometry> = crops.iter().map(|crop| crop.geometry).collect();
        out = geometry::write(&out, &placed, self.size)?;
        out = with_column(
            &out,
            center_field(),
            vector_array(crops.iter().map(|crop| Some(&crop.center[..])), 2),
        )?;
        let joints: ArrayRef =
            Arc::new(Int32Array::from_iter_values(crops.iter().map(|crop| crop.joint as i32)));
        out = with_column(&out, joint_field(), joints)?;
        let columns: Result<Vec<ArrayRef>, _> = schema
            .fields()
            .iter()
            .map(|field| schemas::columns::column(&out, field.name()).map(Arc::clone))
            .collect();
        let rows = RecordBatch::try_new(Arc::new(schema), columns?)?;
        let taken = (self.fan_out() == FanOut::ByRow).then(|| batch.num_rows() - rejects.len());
        Ok(Outcome { taken, ..Outcome::some(rows, rejects) })
    }

    fn fan_out(&self) -> FanOut {
        match self.joints {
            Joints::Each => FanOut::ByRow,
            Joints::One => FanOut::Each(1),
        }
    }
}
