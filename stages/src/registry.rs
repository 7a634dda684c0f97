//! Every stage under the name it has in a plan, in dataflow order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::augment::{
    ColourConfig, CropConfig, FlipConfig, RotateConfig, ScaleConfig, ShiftConfig, WarpConfig,
};
use crate::decode::DecodeConfig;
use crate::encode::{EncodeHeatmapsConfig, EncodeImageConfig};
use crate::evaluate::EvaluateConfig;
use crate::evaluate::verification::{IdentifyConfig, VerifyConfig};
use crate::infer::{EmbedConfig, InferConfig};
use crate::ingest::{
    FilterConfig, MapSkeletonConfig, RepeatConfig, SelectConfig, SplitConfig, SplitSubjectsConfig,
};
use crate::stage::{Aggregate, BuildContext, Stage, StageError};
use crate::verify::{
    AdaptConfig, FitBackgroundConfig, FitProjectionConfig, NormaliseScoresConfig, ProjectConfig, ScoreConfig,
};
use crate::window::{
    ApplyNormaliserConfig, AssignRolesConfig, BalanceConfig, FeaturesConfig, FitNormaliserConfig,
    FramesConfig, GainOffsetConfig, NormaliseConfig, QualityConfig, ResampleConfig, RotateFrameConfig,
    WindowConfig,
};

/// A stage that is built.
pub enum Step {
    /// Rows to rows.
    Rows(Box<dyn Stage>),
    /// All rows to rows.
    Aggregate(Box<dyn Aggregate>),
}

fn rows(stage: impl Stage + 'static) -> Step {
    Step::Rows(Box::new(stage))
}

fn all_rows(aggregate: impl Aggregate + 'static) -> Step {
    Step::Aggregate(Box::new(aggregate))
}

/// Writes the enum of all configurations, their names and their builders from one list.
macro_rules! stages {
    ($($name:literal $variant:ident($config:ty) as $step:ident,)*) => {
        /// The configuration of one stage. `run.NAME = { .. }` in a plan names the variant.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented by its configuration")]
        pub enum StageConfig {
            $(#[serde(rename = $name)] $variant($config),)*
        }

        impl StageConfig {
            /// The names of all stages, in dataflow order.
            pub const KINDS: &[&str] = &[$($name,)*];

            /// The stage's name in a plan.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Builds the stage.
            ///
            /// # Errors
            /// When the configuration contradicts itself, or a file that it names cannot be read.
            pub fn build(&self, context: &BuildContext) -> Result<Step, StageError> {
                Ok(match self {
                    $(Self::$variant(config) => $step(config.build(context)?),)*
                })
            }
        }
    };
}

stages! {
    // ingest
    "filter" Filter(FilterConfig) as rows,
    "split" Split(SplitConfig) as rows,
    "split_subjects" SplitSubjects(SplitSubjectsConfig) as all_rows,
    "map_skeleton" MapSkeleton(MapSkeletonConfig) as rows,
    "select" Select(SelectConfig) as rows,
    "repeat" Repeat(RepeatConfig) as rows,
    // augment
    "crop" Crop(CropConfig) as rows,
    "scale" Scale(ScaleConfig) as rows,
    "rotate" Rotate(RotateConfig) as rows,
    "shift" Shift(ShiftConfig) as rows,
    "flip" Flip(FlipConfig) as rows,
    "colour" Colour(ColourConfig) as rows,
    "warp" Warp(WarpConfig) as rows,
    // encode
    "encode_heatmaps" EncodeHeatmaps(EncodeHeatmapsConfig) as rows,
    "encode_image" EncodeImage(EncodeImageConfig) as rows,
    // window
    "quality" Quality(QualityConfig) as rows,
    "resample" Resample(ResampleConfig) as rows,
    "normalise" Normalise(NormaliseConfig) as rows,
    "fit_normaliser" FitNormaliser(FitNormaliserConfig) as all_rows,
    "apply_normaliser" ApplyNormaliser(ApplyNormaliserConfig) as all_rows,
    "features" Features(FeaturesConfig) as rows,
    "gain_offset" GainOffset(GainOffsetConfig) as rows,
    "rotate_frame" RotateFrame(RotateFrameConfig) as rows,
    "window" Window(WindowConfig) as rows,
    "frames" Frames(FramesConfig) as rows,
    "balance" Balance(BalanceConfig) as all_rows,
    "assign_roles" AssignRoles(AssignRolesConfig) as all_rows,
    // infer
    "infer" Infer(InferConfig) as rows,
    "embed" Embed(EmbedConfig) as rows,
    // decode
    "decode" Decode(DecodeConfig) as rows,
    // verify
    "fit_projection" FitProjection(FitProjectionConfig) as all_rows,
    "project" Project(ProjectConfig) as all_rows,
    "fit_background" FitBackground(FitBackgroundConfig) as all_rows,
    "adapt" Adapt(AdaptConfig) as all_rows,
    "score" Score(ScoreConfig) as all_rows,
    "normalise_scores" NormaliseScores(NormaliseScoresConfig) as all_rows,
    // evaluate
    "evaluate" Evaluate(EvaluateConfig) as all_rows,
    "verify" Verify(VerifyConfig) as all_rows,
    "identify" Identify(IdentifyConfig) as all_rows,
}

impl StageConfig {
    /// The files that the stage reads once, to be hashed: networks and their cards, lists.
    pub fn inputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Split(config) => config.inputs(),
            Self::Infer(config) => config.inputs(),
            Self::Embed(config) => config.inputs(),
            _ => Vec::new(),
        }
    }
}
