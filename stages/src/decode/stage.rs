//! The stage `decode`: one row of `keypoints` for each row of `heatmaps`.

use std::collections::HashMap;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::Affine;
use schemas::columns::{affines, booleans, column, field, numbers};
use schemas::tables::{heatmaps, samples};
use serde::{Deserialize, Serialize};

use super::error::DecodeError;
use super::peak::peak_and_mean;
use super::refine::Refine;
use super::table::{self, Readings};
use super::upsample::Upsample;
use crate::stage::reject;
use crate::{BuildContext, Outcome, Stage, StageError};

/// Name of the stage in plans and rejects.
pub const NAME: &str = "decode";

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
    /// a bicubic kernel, and the highest input px is the place. The original then also resizes to the image's own
    /// px and sums seven scales before it looks for the highest: that is the stage `merge_scales`.
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
    /// How the place is refined: by default `quarter`, but `none` with the rule `cpm`, which allows nothing else.
    #[serde(default)]
    pub refine: Option<Refine>,
    /// Whether image coordinates are truncated to whole px, towards zero, as in stacked hourglass's
    /// predictions.
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
                return Err(DecodeError::Unrefined.into());
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
        let wanted =
            |name: &str| table::PROVENANCE.contains(&name) || (self.keep_heatmaps && MAPS.contains(&name));
        names.filter(|name| wanted(name)).collect()
    }
}

impl Stage for Decode {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        for name in &MAPS {
            field(input, name)?;
        }
        table::schema_of(input, &self.carried(input))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let input = batch.schema();
        let schema = self.output_schema(&input)?;
        let (skeleton, [joints, height, width]) = table::shape_of(&input)?;
        let mirrored = skeleton.mirrored();
        let all_maps = column(batch, heatmaps::HEATMAPS)?;
        let values = heatmaps::maps_values(all_maps, heatmaps::HEATMAPS)?;
        let (strides, origins) =
            (numbers(batch, heatmaps::STRIDE)?, numbers(batch, heatmaps::ORIGIN_IN_CROP)?);
        let (crops, flipped) =
            (affines(batch, samples::CROP_FROM_IMAGE)?, booleans(batch, samples::FLIPPED)?);

        let mut readings = Readings::default();
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
                let point = self.point_in_image(&image_from_crop, &reading);
                readings.push(point, reading.score, reading.mean);
            }
        }

        Ok(Outcome::some(table::to_batch(&schema, batch, &kept, readings)?, rejects))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
