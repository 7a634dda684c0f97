//! The stage `decode`: rows of `keypoints` from the predictions of a network, whatever its kind.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::Affine;
use schemas::columns::{affines, booleans, field, schema_with, skeleton_of};
use schemas::tables::keypoints::{BOX, DETECTION_SCORE};
use schemas::tables::{coordinates, detections, heatmaps, samples, simcc};
use serde::{Deserialize, Serialize};

use super::bins::{BinScore, Bins};
use super::error::DecodeError;
use super::maps::Maps;
use super::people::{self, PeopleConfig, Selection};
use super::places::Places;
pub use super::reading::NAME;
use super::reading::Predictions;
use super::refine::Refine;
use super::rule::Rule;
use super::table::{self, Readings};
use crate::stage::reject;
use crate::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Column of the size that annotations state for an image; a later `crop` reads it.
const IMAGE_SIZE: &str = "image_size";

/// Columns of people that are made anew where people are detected.
const MADE_ANEW: [&str; 3] = [people::PERSON_INDEX, BOX, DETECTION_SCORE];

/// Columns that some maps have.
const OPTIONAL: [&str; 2] = [heatmaps::OFFSETS, heatmaps::STRIDE_Y];

/// Columns that say where the crop lies.
const CROP: [&str; 2] = [samples::CROP_FROM_IMAGE, samples::FLIPPED];

/// How predictions become keypoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecodeConfig {
    /// Whose way, for heatmaps.
    #[serde(default)]
    pub rule: Rule,
    /// How the place in a heatmap is refined: by default `quarter`, or by the network's offsets where it gives any, but
    /// `none` with the rule `cpm`, which allows nothing else.
    #[serde(default)]
    pub refine: Option<Refine>,
    /// How bins along x and y become a score.
    #[serde(default)]
    pub simcc: BinScore,
    /// Which candidates of a detector are people; what is left out is as the network's card says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleConfig>,
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
            (Rule::Cpm, None | Some(Refine::None)) => Some(Refine::None),
            (Rule::Cpm, Some(_)) => {
                return Err(DecodeError::Unrefined.into());
            }
            (_, refine) => refine,
        };
        Ok(Decode { config: self.clone(), refine })
    }
}

/// The way chosen.
#[derive(Debug, Clone)]
pub struct Decode {
    config: DecodeConfig,
    refine: Option<Refine>,
}

/// The kind of a table of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heatmaps,
    Simcc,
    Coordinates,
    Detections,
}

impl Kind {
    /// By the columns of `input`.
    fn of(input: &Schema) -> Self {
        let has = |name: &str| input.index_of(name).is_ok();
        if has(simcc::SIMCC_X) {
            Self::Simcc
        } else if has(coordinates::POINTS) {
            Self::Coordinates
        } else if has(detections::BOXES) {
            Self::Detections
        } else {
            Self::Heatmaps
        }
    }

    /// The columns that are decoded.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Heatmaps => &[heatmaps::HEATMAPS, heatmaps::STRIDE, heatmaps::ORIGIN_IN_CROP],
            Self::Simcc => &[simcc::SIMCC_X, simcc::SIMCC_Y, simcc::SPLIT_RATIO],
            Self::Coordinates => &[coordinates::POINTS, coordinates::POINT_SCORE, coordinates::PERSON_SCORE],
            Self::Detections => {
                &[detections::BOXES, detections::BOX_SCORES, detections::POINTS, detections::POINT_SCORES]
            }
        }
    }
}

impl Decode {
    fn point_in_image(&self, image_from_crop: &Affine, point_in_crop: [f64; 2]) -> [f64; 2] {
        let point = image_from_crop.apply(point_in_crop);
        if self.config.truncate { point.map(f64::trunc) } else { point }
    }

    fn carried<'a>(&self, kind: Kind, input: &'a Schema) -> Vec<&'a str> {
        let names = input.fields().iter().map(|field| field.name().as_str());
        let is_kept = |name: &str| {
            let maps = kind == Kind::Heatmaps && self.config.keep_heatmaps;
            maps && (kind.columns().contains(&name) || CROP.contains(&name) || OPTIONAL.contains(&name))
        };
        let is_carried = |name: &str| match kind {
            Kind::Detections if MADE_ANEW.contains(&name) => false,
            Kind::Detections if name == IMAGE_SIZE => true,
            _ => table::PROVENANCE.contains(&name),
        };
        names.filter(|name| is_carried(name) || is_kept(name)).collect()
    }

    /// `batch` of `kind`, to be read row by row.
    fn opened<'a>(
        &self,
        kind: Kind,
        batch: &'a RecordBatch,
    ) -> Result<Box<dyn Predictions + 'a>, StageError> {
        Ok(match kind {
            Kind::Simcc => Box::new(Bins::open(batch, self.config.simcc)?),
            Kind::Coordinates => Box::new(Places::open(batch)?),
            Kind::Heatmaps | Kind::Detections => Box::new(Maps::open(batch, self.config.rule, self.refine)?),
        })
    }
}

impl Stage for Decode {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let kind = Kind::of(input);
        for name in kind.columns().iter().chain(&CROP) {
            field(input, name)?;
        }
        if kind == Kind::Heatmaps {
            table::shape_of(input)?;
        }
        let schema = table::schema_of(input, &self.carried(kind, input))?;
        let schema = match kind {
            Kind::Detections => people::with_fields(&schema),
            // The score of a detector before goes before that of the network.
            Kind::Coordinates if schema.index_of(DETECTION_SCORE).is_err() => {
                Arc::new(schema_with(&schema, table::person_score_field()))
            }
            _ => schema,
        };
        Ok(schema)
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let input = batch.schema();
        let (kind, schema) = (Kind::of(&input), self.output_schema(&input)?);
        let mirrored = skeleton_of(&input)?.mirrored();
        let (crops, flipped) =
            (affines(batch, samples::CROP_FROM_IMAGE)?, booleans(batch, samples::FLIPPED)?);
        if kind == Kind::Detections {
            let selection = Selection::of(&input, self.config.people.as_ref());
            let place = |crop: &Affine, point| self.point_in_image(crop, point);
            return people::found(batch, &schema, (&crops, flipped), &mirrored, selection, place);
        }
        let mut predictions = self.opened(kind, batch)?;
        let mut readings = Readings::default();
        let (mut kept, mut rejects) = (Vec::with_capacity(batch.num_rows()), Vec::new());
        for (row, crop) in crops.iter().enumerate() {
            if let Some((reason, detail)) = predictions.refusal(row) {
                rejects.push(reject(batch, row, NAME, reason, detail));
                continue;
            }
            let Some(image_from_crop) = crop.inverse() else {
                rejects.push(table::singular(batch, row, NAME, crop));
                continue;
            };
            kept.push(row);
            for (joint, mirror) in mirrored.iter().enumerate() {
                // In a mirrored crop the output of a left joint shows the right one.
                let channel = if flipped.value(row) { *mirror } else { joint };
                let reading = predictions.read(row, channel);
                let point = self.point_in_image(&image_from_crop, reading.point_in_crop);
                readings.push(point, reading.score, reading.mean);
            }
            readings.push_person(predictions.person_score(row));
        }
        if kind != Kind::Heatmaps {
            readings.leave_means_out();
        }
        Ok(Outcome::some(table::to_batch(&schema, batch, &kept, readings)?, rejects))
    }

    fn fan_out(&self) -> FanOut {
        FanOut::ByRow
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
