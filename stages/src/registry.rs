//! Every stage under the name it has in a plan, in dataflow order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::augment::{
    ColourConfig, CropConfig, FlipConfig, RotateConfig, ScaleConfig, ShiftConfig, WarpConfig,
};
use crate::decode::DecodeConfig;
use crate::encode::{EncodeHeatmapsConfig, EncodeImageConfig};
use crate::evaluate::EvaluateConfig;
use crate::infer::InferConfig;
use crate::ingest::{FilterConfig, MapSkeletonConfig, RepeatConfig, SelectConfig, SplitConfig};
use crate::stage::{Aggregate, BuildContext, Stage, StageError};

/// The configuration of one stage. `run.NAME = { .. }` in a plan names the variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is documented by its configuration")]
pub enum StageConfig {
    Filter(FilterConfig),
    Split(SplitConfig),
    MapSkeleton(MapSkeletonConfig),
    Select(SelectConfig),
    Repeat(RepeatConfig),
    Crop(CropConfig),
    Scale(ScaleConfig),
    Rotate(RotateConfig),
    Shift(ShiftConfig),
    Flip(FlipConfig),
    Colour(ColourConfig),
    Warp(WarpConfig),
    EncodeHeatmaps(EncodeHeatmapsConfig),
    EncodeImage(EncodeImageConfig),
    Infer(InferConfig),
    Decode(DecodeConfig),
    Evaluate(EvaluateConfig),
}

/// A stage that is built.
pub enum Step {
    /// Rows to rows.
    Rows(Box<dyn Stage>),
    /// All rows to rows.
    Aggregate(Box<dyn Aggregate>),
}

impl StageConfig {
    /// The stage's name in a plan.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::Split(_) => "split",
            Self::MapSkeleton(_) => "map_skeleton",
            Self::Select(_) => "select",
            Self::Repeat(_) => "repeat",
            Self::Crop(_) => "crop",
            Self::Scale(_) => "scale",
            Self::Rotate(_) => "rotate",
            Self::Shift(_) => "shift",
            Self::Flip(_) => "flip",
            Self::Colour(_) => "colour",
            Self::Warp(_) => "warp",
            Self::EncodeHeatmaps(_) => "encode_heatmaps",
            Self::EncodeImage(_) => "encode_image",
            Self::Infer(_) => "infer",
            Self::Decode(_) => "decode",
            Self::Evaluate(_) => "evaluate",
        }
    }

    /// Builds the stage.
    ///
    /// # Errors
    /// When the configuration contradicts itself, or a file that it names cannot be read.
    pub fn build(&self, context: &BuildContext) -> Result<Step, StageError> {
        fn rows(stage: impl Stage + 'static) -> Step {
            Step::Rows(Box::new(stage))
        }
        Ok(match self {
            Self::Filter(config) => rows(config.build(context)?),
            Self::Split(config) => rows(config.build(context)?),
            Self::MapSkeleton(config) => rows(config.build(context)?),
            Self::Select(config) => rows(config.build(context)?),
            Self::Repeat(config) => rows(config.build(context)?),
            Self::Crop(config) => rows(config.build(context)?),
            Self::Scale(config) => rows(config.build(context)?),
            Self::Rotate(config) => rows(config.build(context)?),
            Self::Shift(config) => rows(config.build(context)?),
            Self::Flip(config) => rows(config.build(context)?),
            Self::Colour(config) => rows(config.build(context)?),
            Self::Warp(config) => rows(config.build(context)?),
            Self::EncodeHeatmaps(config) => rows(config.build(context)?),
            Self::EncodeImage(config) => rows(config.build(context)?),
            Self::Infer(config) => rows(config.build(context)?),
            Self::Decode(config) => rows(config.build(context)?),
            Self::Evaluate(config) => Step::Aggregate(Box::new(config.build(context)?)),
        })
    }

    /// The files that the stage reads once, to be hashed: networks and their cards, lists.
    pub fn inputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Split(config) => config.inputs(),
            Self::Infer(config) => config.inputs(),
            _ => Vec::new(),
        }
    }
}
