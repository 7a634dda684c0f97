//! `encode_coordinates`: the places that a network is trained to state as numbers.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{points_type, schema_with, with_column};
use schemas::tables::samples::{COORDINATE_WEIGHT, COORDINATES};
use serde::{Deserialize, Serialize};

use super::crops::{Crops, listed, numbers, weight_field};
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// In which numbers a place is stated: parts of the crop's width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeCoordinatesConfig {
    /// Where (0, 0) is.
    pub origin: Origin,
    /// What an end of the crop is.
    #[serde(default)]
    pub ends: Ends,
    /// What happens to a joint outside the crop.
    #[serde(default)]
    pub outside: Outside,
}

/// Where (0, 0) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// At the crop's upper left corner: from 0 to 1. mmpose (`RegressionLabel`), `RLE`, `BlazePose`.
    Corner,
    /// In the crop's middle: from -0.5 to 0.5. `DeepPose` (its equation 1, where the crop is the box).
    Middle,
}

/// What an end of the crop is. A crop of w px has the centres of its px at 0 to w - 1 and its edges at -0.5 and w - 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// The edges of its outermost px: (x + 0.5) / w.
    #[default]
    Edges,
    /// The centre of the first px, and the px after the last: x / w, as in mmpose.
    Centres,
}

/// What happens to a joint that is not in the crop: before the centre of its first px or beyond that of its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// Its weight is 0, as in mmpose; its place is stated nevertheless.
    #[default]
    Mask,
    /// It counts as the others do.
    Keep,
}

/// The stage. It rejects no row: a joint that is not annotated is at (0, 0) and has the weight 0.
#[derive(Debug, Clone, Copy)]
pub struct EncodeCoordinates {
    config: EncodeCoordinatesConfig,
}

impl EncodeCoordinatesConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> EncodeCoordinates {
        EncodeCoordinates { config: *self }
    }

    /// The place `value`, px of a crop of `side` px along one axis, as a part of it.
    pub fn part(&self, value: f64, side: u32) -> f64 {
        let from_end = match self.ends {
            Ends::Edges => value + 0.5,
            Ends::Centres => value,
        };
        let part = from_end / f64::from(side);
        match self.origin {
            Origin::Corner => part,
            Origin::Middle => part - 0.5,
        }
    }
}

fn fields(crops: Crops) -> [Field; 2] {
    [
        Field::new(COORDINATES, points_type(DataType::Float32, crops.joints), false),
        weight_field(COORDINATE_WEIGHT, crops.joints),
    ]
}

impl Stage for EncodeCoordinates {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let [coordinates, weight] = fields(Crops::of(input, "encode_coordinates")?);
        Ok(Arc::new(schema_with(&schema_with(input, coordinates), weight)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let crops = Crops::of(batch.schema_ref(), "encode_coordinates")?;
        let [width, height] = crops.size;
        let inside = |value: f64, side: u32| (0.0..=f64::from(side) - 1.0).contains(&value);
        let all = batch.num_rows() * crops.joints;
        let (mut coordinates, mut weights) = (Vec::with_capacity(2 * all), Vec::with_capacity(all));
        for pose in crops.poses(batch)? {
            for joint in 0..crops.joints {
                // A place too far away to be a number is none.
                let place = pose.joint(joint).filter(|[x, y]| x.is_finite() && y.is_finite());
                let [x, y] = place
                    .map_or([0.0; 2], |[x, y]| [self.config.part(x, width), self.config.part(y, height)]);
                coordinates.extend([x as f32, y as f32]);
                let counts = place.is_some_and(|[x, y]| {
                    self.config.outside == Outside::Keep || (inside(x, width) && inside(y, height))
                });
                weights.push(f32::from(u8::from(counts)));
            }
        }
        let [field, weight_field] = fields(crops);
        let rows = with_column(batch, field, listed(numbers(coordinates, 2), crops.joints))?;
        Ok(Outcome::all(with_column(&rows, weight_field, numbers(weights, crops.joints))?))
    }
}

#[cfg(test)]
#[path = "coordinates_tests.rs"]
mod tests;
