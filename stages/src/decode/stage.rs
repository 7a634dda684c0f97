//! The stage `decode`: one row of `keypoints` for each row of `heatmaps`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{affines, booleans, column, field, numbers, skeleton_of, wrong_type};
use schemas::tables::{heatmaps, keypoints, metadata, samples};
use schemas::{Affine, SchemaError, Skeleton};
use serde::{Deserialize, Serialize};

use super::peak::peak_and_mean;
use super::refine::Refine;
use super::upsample::Upsample;
use crate::infer::stage::MODEL_KEY;
use crate::stage::{reject, take_rows};
use crate::{BuildContext, Outcome, Stage, StageError};

/// Name of the stage in plans and rejects.
pub const NAME: &str = "decode";

/// Columns that say where a prediction comes from; carried along where they are there.
const PROVENANCE: [&str; 7] =
    ["dataset", samples::COPY, "image_path", "person_index", "activity", "source_file", "source_record"];
/// Columns of the maps, carried along where the maps are.
const MAPS: [&str; 5] = [
    heatmaps::HEATMAPS,
    heatmaps::STRIDE,
    heatmaps::ORIGIN_IN_CROP,
    samples::CROP_FROM_IMAGE,
    samples::FLIPPED,
];

/// Whose way a map becomes a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The highest px, refined, at input px `origin + stride * place`.
    #[default]
    Plain,
    /// Convolutional pose machines, one scale (`testing/src/run_benchmark.m`): the map is enlarged to input px with
    /// a bicubic kernel, and the highest input px is the place. The original goes on to resize to the image's own
    /// px and to sum seven scales before it looks for the highest.
    Cpm,
    /// Stacked hourglass (`src/util/pose.lua`): as `plain`, but at input px `stride * (place + 0.5)` whatever the
    /// origin, and a map with no positive px gives its px (0, 0).
    Hourglass,
}

/// How maps become keypoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecodeConfig {
    /// Whose way.
    #[serde(default)]
    pub rule: Rule,
    /// How the place is refined: by default `quarter`, and `none` under the rule `cpm`, which allows nothing else.
    #[serde(default)]
    pub refine: Option<Refine>,
    /// Whether image coordinates lose their fraction, towards zero, as stacked hourglass's predictions do.
    #[serde(default)]
    pub truncate: bool,
    /// Whether the maps stay in the rows.
    #[serde(default)]
    pub keep_heatmaps: bool,
}

impl DecodeConfig {
    /// The stage of this configuration.
    ///
    /// # Errors
    /// When `refine` contradicts `rule`.
    pub fn build(&self, _: &BuildContext) -> Result<Decode, StageError> {
        let refine = match (self.rule, self.refine) {
            (Rule::Cpm, None | Some(Refine::None)) => Refine::None,
            (Rule::Cpm, Some(_)) => {
                return Err(StageError::config(
                    "the rule `cpm` looks at whole input px and is not refined",
                    "leave `refine` out, or set `rule = \"plain\"`",
                ));
            }
            (_, refine) => refine.unwrap_or(Refine::Quarter),
        };
        let Self { rule, truncate, keep_heatmaps, .. } = *self;
        Ok(Decode { rule, refine, truncate, keep_heatmaps })
    }
}

/// The way chosen.
#[derive(Debug, Clone)]
pub struct Decode {
    rule: Rule,
    refine: Refine,
    truncate: bool,
    keep_heatmaps: bool,
}

/// What one map says.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The joint's place in px of the crop; `NaN` where the map says nothing.
    point_in_crop: [f64; 2],
    /// Height of the peak; `NaN` where there is none.
    score: f64,
    /// Mean of the map.
    mean: f64,
}

/// Maps of one row.
struct Maps<'a> {
    values: &'a [f32],
    height: usize,
    width: usize,
    stride: f64,
    origin: f64,
}

impl Decode {
    fn read(&self, map: &[f32], maps: &Maps<'_>, enlarged: Option<(&Upsample, &mut Vec<f32>)>) -> Reading {
        let (peak, mean) = peak_and_mean(map, maps.width);
        let nothing = Reading { point_in_crop: [f64::NAN; 2], score: f64::NAN, mean };
        let Some(peak) = peak else { return nothing };
        let at = |x: f64, y: f64, origin: f64| [origin + maps.stride * x, origin + maps.stride * y];
        let (x, y) = (peak.x as f64, peak.y as f64);
        let (point_in_crop, score) = match (self.rule, enlarged) {
            (Rule::Cpm, Some((upsample, room))) => {
                upsample.enlarge(map, room);
                let Some(peak) = peak_and_mean(room, upsample.width()).0 else { return nothing };
                ([peak.x as f64, peak.y as f64], peak.value)
            }
            (Rule::Hourglass, _) if peak.value <= 0.0 => (at(0.0, 0.0, 0.5 * maps.stride), peak.value),
            (rule, _) => {
                let [dx, dy] = self.refine.offset(map, maps.width, peak);
                let origin = if rule == Rule::Hourglass { 0.5 * maps.stride } else { maps.origin };
                (at(x + dx, y + dy, origin), peak.value)
            }
        };
        Reading { point_in_crop, score: f64::from(score), mean }
    }

    fn point_in_image(&self, image_from_crop: &Affine, reading: &Reading) -> [f64; 2] {
        let point = image_from_crop.apply(reading.point_in_crop);
        if self.truncate { point.map(f64::trunc) } else { point }
    }

    fn carried<'a>(&self, input: &'a Schema) -> Vec<&'a str> {
        let names = input.fields().iter().map(|field| field.name().as_str());
        let wanted = |name: &str| PROVENANCE.contains(&name) || (self.keep_heatmaps && MAPS.contains(&name));
        names.filter(|name| wanted(name)).collect()
    }
}

/// The skeleton and `[K, h, w]` of a table of maps.
fn shape_of(input: &Schema) -> Result<(&'static Skeleton, [usize; 3]), StageError> {
    let skeleton = skeleton_of(input)?;
    let maps = field(input, heatmaps::HEATMAPS)?;
    let expected = format!("maps [{}, h, w] of Float32", skeleton.len());
    match samples::maps_shape(maps.data_type()) {
        Some(shape) if shape[0] == skeleton.len() && shape.iter().all(|size| *size > 0) => {
            Ok((skeleton, shape))
        }
        _ => Err(wrong_type(heatmaps::HEATMAPS, &expected, maps.data_type()).into()),
    }
}

/// The row of `values`, `[K, width]` or `[K]` numbers a row, as a column of `data_type`.
fn list_column(values: Vec<f64>, data_type: &DataType) -> ArrayRef {
    fn nested(values: ArrayRef, data_type: &DataType) -> ArrayRef {
        match data_type {
            DataType::FixedSizeList(item, length) => {
                let inner = nested(values, item.data_type());
                Arc::new(FixedSizeListArray::new(Arc::clone(item), *length, inner, None))
            }
            _ => values,
        }
    }
    nested(Arc::new(Float64Array::from(values)), data_type)
}

impl Stage for Decode {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let (skeleton, _) = shape_of(input)?;
        for name in ["sample_id", heatmaps::STAGE].iter().chain(&MAPS) {
            field(input, name)?;
        }
        if !input.metadata().contains_key(MODEL_KEY) {
            return Err(StageError::Config {
                message: format!("the schema metadata has no `{MODEL_KEY}`: what made the maps is unknown"),
                hint: Some("let the maps come from the stage `infer`, or keep its metadata".to_owned()),
            });
        }
        let mut fields: Vec<Arc<Field>> = keypoints::fields(skeleton).into_iter().map(Arc::new).collect();
        for name in self.carried(input) {
            fields.push(Arc::new(field(input, name)?.clone()));
        }
        let mut metadata = metadata(keypoints::NAME, Some(skeleton));
        metadata.insert(MODEL_KEY.to_owned(), input.metadata()[MODEL_KEY].clone());
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let input = batch.schema();
        let schema = self.output_schema(&input)?;
        let (skeleton, [joints, height, width]) = shape_of(&input)?;
        let mirrored = skeleton.mirrored();
        let all_maps = column(batch, heatmaps::HEATMAPS)?;
        let values = heatmaps::maps_values(all_maps, heatmaps::HEATMAPS)?;
        let (strides, origins) =
            (numbers(batch, heatmaps::STRIDE)?, numbers(batch, heatmaps::ORIGIN_IN_CROP)?);
        let (crops, flipped) =
            (affines(batch, samples::CROP_FROM_IMAGE)?, booleans(batch, samples::FLIPPED)?);

        let (mut points, mut scores, mut means) = (Vec::new(), Vec::new(), Vec::new());
        let (mut kept, mut rejects) = (Vec::with_capacity(batch.num_rows()), Vec::new());
        let mut enlargers: HashMap<[u64; 2], Upsample> = HashMap::new();
        let mut room = Vec::new();
        for row in 0..batch.num_rows() {
            if all_maps.is_null(row) {
                rejects.push(reject(batch, row, NAME, "no maps", "the row has no maps"));
                continue;
            }
            let Some(image_from_crop) = crops[row].inverse() else {
                let detail = format!("`{}` {:?} cannot be inverted", samples::CROP_FROM_IMAGE, crops[row].0);
                rejects.push(reject(batch, row, NAME, "singular transform", detail));
                continue;
            };
            kept.push(row);
            let maps = Maps {
                values: &values[row * joints * height * width..][..joints * height * width],
                height,
                width,
                stride: strides.value(row),
                origin: origins.value(row),
            };
            let enlarge = (self.rule == Rule::Cpm).then(|| {
                let key = [maps.stride.to_bits(), maps.origin.to_bits()];
                &*enlargers
                    .entry(key)
                    .or_insert_with(|| Upsample::new(maps.height, maps.width, maps.stride, maps.origin))
            });
            for (joint, mirror) in mirrored.iter().enumerate() {
                // In a mirrored crop the map of a left joint shows the right one.
                let channel = if flipped.value(row) { *mirror } else { joint };
                let map = &maps.values[channel * height * width..][..height * width];
                let reading = self.read(map, &maps, enlarge.map(|upsample| (upsample, &mut room)));
                points.extend(self.point_in_image(&image_from_crop, &reading));
                scores.push(reading.score);
                means.push(reading.mean);
            }
        }

        let rows = take_rows(batch, &kept)?;
        let model = StringArray::from_iter_values(kept.iter().map(|_| &schema.metadata()[MODEL_KEY]));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        let (mut points, mut scores, mut means) = (Some(points), Some(scores), Some(means));
        for field in schema.fields() {
            let list = |values: &mut Option<Vec<f64>>| {
                list_column(values.take().unwrap_or_default(), field.data_type())
            };
            columns.push(match field.name().as_str() {
                "keypoints" => list(&mut points),
                "score" => list(&mut scores),
                "heatmap_mean" => list(&mut means),
                "model" => Arc::new(model.clone()),
                "split" if input.index_of("split").is_err() => Arc::new(StringArray::new_null(kept.len())),
                name => Arc::clone(column(&rows, name)?),
            });
        }
        Ok(Outcome::some(RecordBatch::try_new(schema, columns).map_err(SchemaError::from)?, rejects))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
