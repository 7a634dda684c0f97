//! `encode_heatmaps`: the maps that a network is trained to predict.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{affines, field, fixed_list, schema_with, vectors_f64, with_column};
use schemas::tables::heatmaps::maps_array;
use schemas::tables::people::{Pose, read_others};
use schemas::tables::samples::{CENTER_MAP, CROP_FROM_IMAGE, HEATMAP_WEIGHT, HEATMAPS, maps_type};
use schemas::units::{NonNegative, Pixels, Spread};
use serde::{Deserialize, Serialize};

use super::crops::{Crops, listed, numbers, weight_field};
use super::error::EncodeError;
use super::fractional::{Convention, Fractional};
use super::gaussian::{self, CUTOFF, Gaussian, Grid};
use super::patch::{Patch, Stamp};
use crate::augment::geometry::CROP_CENTER;
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// Default spread of the centre map in px of the crop: 21 (CPM `sigma_center`).
pub const CENTER_SIGMA: Spread = Spread::constant(21.0);

/// Which maps are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeHeatmapsConfig {
    /// Px of the crop per px of the maps. Pose machines: 8. Hourglass: 4. `RePose`: 1.
    pub stride: Pixels,
    /// How a joint is drawn.
    pub style: Style,
    /// What happens to a joint that is not annotated.
    #[serde(default)]
    pub missing: Missing,
    /// Whose joints are drawn.
    #[serde(default)]
    pub labels: Labels,
    /// Whether each set of labels ends with a background map, of what no joint claims.
    #[serde(default)]
    pub background: bool,
    /// The map that tells a network which person to look at, in full resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_map: Option<CenterMap>,
}

/// How a joint is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A Gaussian of the true distance at each grid point.
    Gaussian(Gaussian),
    /// A fixed patch at the joint's whole place.
    Patch(Patch),
    /// A Gaussian about the joint's fractional place, the map's corners on those of the crop: unbiased data processing.
    Udp(Fractional),
    /// A Gaussian about the joint's fractional place that fills the map: DARK's unbiased maps.
    Dark(Fractional),
}

/// What happens to a joint that is not annotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Its map is zero, and trained on.
    #[default]
    Zero,
    /// Its map is zero, and `heatmap_weight` says to leave it out.
    Mask,
}

/// Whose joints are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// The row's own person: K maps.
    #[default]
    Primary,
    /// Everybody in the image: K maps.
    Everyone,
    /// First the person alone, then everybody: 2 K maps, as the pose machines stack them.
    Both,
}

/// A Gaussian at the augmented centre of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CenterMap {
    /// Spread in px of the crop.
    #[serde(default = "center_sigma")]
    pub sigma: Spread,
}

fn center_sigma() -> Spread {
    CENTER_SIGMA
}

/// The stage. It rejects no row: of a joint outside the crop, the part of its map inside is drawn.
#[derive(Debug, Clone)]
pub struct EncodeHeatmaps {
    config: EncodeHeatmapsConfig,
    pen: Pen,
}

#[derive(Debug, Clone)]
enum Pen {
    Gaussian(Gaussian),
    Patch(Stamp),
    Fractional(Fractional, Convention),
}

/// What is known of a batch before its rows.
struct Shape {
    crops: Crops,
    /// Maps of one set of labels: K, and one more with a background.
    set: usize,
    channels: usize,
    grid: Grid,
}

impl EncodeHeatmapsConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> EncodeHeatmaps {
        let pen = match self.style {
            Style::Gaussian(gaussian) => Pen::Gaussian(gaussian),
            Style::Patch(patch) => Pen::Patch(patch.stamp()),
            Style::Udp(fractional) => Pen::Fractional(fractional, Convention::Udp),
            Style::Dark(fractional) => Pen::Fractional(fractional, Convention::Dark),
        };
        EncodeHeatmaps { config: self.clone(), pen }
    }
}

impl EncodeHeatmaps {
    fn shape(&self, input: &Schema) -> Result<Shape, StageError> {
        let crops = Crops::of(input, "encode_heatmaps")?;
        if self.config.labels != Labels::Primary {
            field(input, "other_keypoints")?;
        }
        if self.config.center_map.is_some() {
            field(input, CROP_CENTER)?;
        }
        let (crop, joints) = (crops.size, crops.joints);
        let stride = self.config.stride.get();
        if crop.iter().any(|side| !side.is_multiple_of(stride)) {
            let [width, height] = crop;
            return Err(StageError::step(EncodeError::Stride { stride, width, height }));
        }
        let set = joints + usize::from(self.config.background);
        let middle = (f64::from(stride) - 1.0) / 2.0;
        let origin = match self.config.style {
            Style::Gaussian(gaussian) => gaussian.origin.map_or(middle, NonNegative::get),
            Style::Patch(_) | Style::Udp(_) | Style::Dark(_) => 0.0,
        };
        let [width, height] = crop.map(|side| (side / stride) as usize);
        Ok(Shape {
            crops,
            set,
            channels: if self.config.labels == Labels::Both { 2 * set } else { set },
            grid: Grid { width, height, stride: f64::from(stride), origin },
        })
    }

    fn schema(&self, input: &Schema) -> Result<Schema, StageError> {
        let shape = self.shape(input)?;
        let fields = self.fields(&shape);
        Ok(fields.into_iter().fold(input.clone(), |schema, field| schema_with(&schema, field)))
    }

    fn fields(&self, shape: &Shape) -> Vec<Field> {
        let mut fields = vec![heatmaps_field(shape)];
        if self.config.missing == Missing::Mask {
            fields.push(weight_field(HEATMAP_WEIGHT, shape.crops.joints));
        }
        if self.config.center_map.is_some() {
            fields.push(center_field(shape));
        }
        fields
    }

    /// Draws `pose` into `maps`, `[K, h, w]`; `weights`, `[K]`, becomes 1 for the joints that are there to be learnt.
    fn draw(&self, pose: &Pose, grid: &Grid, maps: &mut [f32], weights: &mut [f32]) {
        let maps = maps.chunks_exact_mut(grid.width * grid.height);
        for ((joint, map), weight) in maps.enumerate().take(weights.len()).zip(weights) {
            let Some(point) = pose.joint(joint) else { continue };
            let counts = match &self.pen {
                Pen::Gaussian(gaussian) => {
                    gaussian.add(point, grid, map);
                    point.iter().all(|value| value.is_finite())
                }
                Pen::Patch(stamp) => stamp.paste(point.map(|value| value / grid.stride), grid.width, map),
                Pen::Fractional(fractional, convention) => fractional.paste(*convention, point, grid, map),
            };
            if counts {
                *weight = 1.0;
            }
        }
    }

    /// Fills `maps`, `[C, h, w]` zeros, and `weights`, `[K]` zeros, for one row.
    fn encode(&self, pose: &Pose, others: &[Pose], shape: &Shape, maps: &mut [f32], weights: &mut [f32]) {
        let size = shape.grid.width * shape.grid.height;
        for (number, set) in maps.chunks_exact_mut(shape.set * size).enumerate() {
            let (parts, rest) = set.split_at_mut(shape.crops.joints * size);
            self.draw(pose, &shape.grid, parts, weights);
            if self.config.labels == Labels::Everyone || number == 1 {
                let mut unused = vec![0.0; shape.crops.joints];
                for other in others {
                    self.draw(other, &shape.grid, parts, &mut unused);
                }
                // A person alone never exceeds 1.
                for value in parts.iter_mut() {
                    *value = value.min(1.0);
                }
            }
            if self.config.background {
                gaussian::background(parts, rest);
            }
        }
    }

    fn center_maps(batch: &RecordBatch, shape: &Shape, sigma: Spread) -> Result<ArrayRef, StageError> {
        let [width, height] = shape.crops.size.map(|side| side as usize);
        let (maps, centers) = (affines(batch, CROP_FROM_IMAGE)?, vectors_f64(batch, CROP_CENTER, 2)?);
        let gaussian = Gaussian { sigma, cutoff: CUTOFF, origin: None };
        let grid = Grid { width, height, stride: 1.0, origin: 0.0 };
        let mut values = vec![0.0; batch.num_rows() * width * height];
        for (row, map) in values.chunks_exact_mut(width * height).enumerate() {
            if let Some(center) = centers.row(row) {
                gaussian.add(maps[row].apply([center[0], center[1]]), &grid, map);
            }
        }
        Ok(listed(numbers(values, width), height))
    }
}

fn heatmaps_field(shape: &Shape) -> Field {
    Field::new(HEATMAPS, maps_type(shape.channels, shape.grid.height, shape.grid.width), false)
}

fn center_field(shape: &Shape) -> Field {
    let [width, height] = shape.crops.size.map(|side| side as usize);
    Field::new(CENTER_MAP, fixed_list(fixed_list(DataType::Float32, width), height), false)
}

impl Stage for EncodeHeatmaps {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(self.schema(input)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let shape = self.shape(batch.schema_ref())?;
        let others = match self.config.labels {
            Labels::Primary => vec![Vec::new(); batch.num_rows()],
            Labels::Everyone | Labels::Both => read_others(batch, shape.crops.joints)?,
        };
        let row_length = shape.channels * shape.grid.width * shape.grid.height;
        let mut maps = vec![0.0; batch.num_rows() * row_length];
        let mut weights = vec![0.0; batch.num_rows() * shape.crops.joints];
        let rows = maps.chunks_exact_mut(row_length).zip(weights.chunks_exact_mut(shape.crops.joints));
        let poses = shape.crops.poses(batch)?.into_iter().zip(others);
        for ((maps, weights), (pose, others)) in rows.zip(poses) {
            self.encode(&pose, &others, &shape, maps, weights);
        }
        let mut columns = vec![maps_array(maps, shape.channels, shape.grid.height, shape.grid.width)];
        if self.config.missing == Missing::Mask {
            columns.push(numbers(weights, shape.crops.joints));
        }
        if let Some(CenterMap { sigma }) = self.config.center_map {
            columns.push(Self::center_maps(batch, &shape, sigma)?);
        }
        let mut out = batch.clone();
        for (field, column) in std::iter::zip(self.fields(&shape), columns) {
            out = with_column(&out, field, column)?;
        }
        Ok(Outcome::all(out))
    }
}

#[cfg(test)]
#[path = "heatmaps_tests.rs"]
pub(super) mod tests;
