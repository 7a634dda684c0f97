//! Every stage under the name it has in a plan, in dataflow order.
//!
//! The reference of plan keys and the docs of the Python classes are made from the docs here.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::augment::{
    ColourConfig, CropConfig, FlipConfig, RotateConfig, ScaleConfig, SearchScalesConfig, ShiftConfig,
    WarpConfig,
};
use crate::check::CheckConfig;
use crate::decode::{
    AsPeopleConfig, DecodeConfig, FitSpatialModelConfig, MergeScalesConfig, RefineConfig, SpatialModelConfig,
};
use crate::encode::{
    EncodeCoordinatesConfig, EncodeHeatmapsConfig, EncodeImageConfig, EncodeLossMaskConfig, EncodeSimccConfig,
};
use crate::evaluate::verification::{IdentifyConfig, VerifyConfig};
use crate::evaluate::{EvaluateConfig, MatchPeopleConfig};
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

#[expect(clippy::unnecessary_wraps, reason = "the steps of the list are all built alike")]
fn rows(stage: impl Stage + 'static) -> Result<Step, StageError> {
    Ok(Step::Rows(Box::new(stage)))
}

#[expect(clippy::unnecessary_wraps, reason = "the steps of the list are all built alike")]
fn all_rows(aggregate: impl Aggregate + 'static) -> Result<Step, StageError> {
    Ok(Step::Aggregate(Box::new(aggregate)))
}

/// As [`rows`], of a stage whose keys can contradict each other.
fn checked_rows(stage: Result<impl Stage + 'static, StageError>) -> Result<Step, StageError> {
    rows(stage?)
}

/// As [`all_rows`], of a step whose keys can contradict each other.
fn checked_all_rows(aggregate: Result<impl Aggregate + 'static, StageError>) -> Result<Step, StageError> {
    all_rows(aggregate?)
}

/// Writes the enum of all configurations, their names and their builders from one list.
macro_rules! stages {
    ($($(#[$about:meta])+ $name:literal $variant:ident($config:ty) as $step:ident,)*) => {
        /// The configuration of one stage. `run.NAME = { .. }` in a plan names the variant.
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum StageConfig {
            $($(#[$about])+ #[serde(rename = $name)] $variant($config),)*
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
                match self {
                    $(Self::$variant(config) => $step(config.build(context)),)*
                }
            }
        }
    };
}

stages! {
    // ingest
    /// Keeps the rows for which an SQL condition holds; the others are rejected.
    ///
    /// Any table; rows do not change.
    "filter" Filter(FilterConfig) as checked_rows,
    /// Assigns rows to another split: at random keyed by a name, by a condition, or by a list.
    ///
    /// Any table with `split`; every row is kept, in order.
    "split" Split(SplitConfig) as checked_rows,
    /// Assigns whole subjects to splits, by number or by share.
    ///
    /// Any table with `subject`, such as `signals`, `windows` or `embeddings`; every row gets its subject's split.
    "split_subjects" SplitSubjects(SplitSubjectsConfig) as checked_all_rows,
    /// Rearranges poses into another skeleton, by joint name; joints can be derived as the middle of others.
    ///
    /// `[K, 2]` px and `[K]` columns become `[K', 2]` and `[K']`; joints that were missing are not annotated.
    "map_skeleton" MapSkeleton(MapSkeletonConfig) as checked_rows,
    /// Keeps or drops columns.
    ///
    /// Any table; no row changes.
    "select" Select(SelectConfig) as checked_rows,
    /// Repeats each row several times, numbered in `copy`, so that each copy is augmented differently.
    ///
    /// Any table; N rows become N x `copies`.
    "repeat" Repeat(RepeatConfig) as checked_rows,
    // check
    /// Looks for errors in annotations, without changing any.
    ///
    /// `people` to `findings`: one row per person and joint, with rule, value and limit.
    "check" Check(CheckConfig) as checked_all_rows,
    // augment
    /// Places a crop around each person.
    ///
    /// `people` to `samples` without pixels: adds `crop_from_image` `[6]`, the rows of a 2 x 3 map from image px to crop
    /// px, and `crop_size` `[2]` px, width then height.
    "crop" Crop(CropConfig) as checked_rows,
    /// Enlarges or shrinks each sample about the crop's centre, by a random factor.
    ///
    /// `samples`; multiplies into `crop_from_image`.
    "scale" Scale(ScaleConfig) as checked_rows,
    /// Repeats each sample at every scale of a list, enlarged about the crop's centre.
    ///
    /// `samples`; N rows become N x S, numbered in `scale_index`; multiplies into `crop_from_image`.
    "search_scales" SearchScales(SearchScalesConfig) as checked_rows,
    /// Rotates each sample about the crop's centre, by a random angle.
    ///
    /// `samples`; multiplies into `crop_from_image`.
    "rotate" Rotate(RotateConfig) as rows,
    /// Moves each sample within its crop, by a random number of px.
    ///
    /// `samples`; multiplies into `crop_from_image`.
    "shift" Shift(ShiftConfig) as rows,
    /// Mirrors some samples; left and right joints swap when `warp` moves them.
    ///
    /// `samples`; multiplies into `crop_from_image`.
    "flip" Flip(FlipConfig) as rows,
    /// Changes the RGB levels of each sample by one random affine map.
    ///
    /// `samples`; multiplies into `colour_matrix` `[12]`, 3 x 4.
    "colour" Colour(ColourConfig) as checked_rows,
    /// Reads each image once and samples the crop bilinearly; keypoints move into the crop.
    ///
    /// `samples`; adds `image` `[H, W, 3]` u8 RGB, and `keypoints` `[K, 2]` are px of the crop.
    "warp" Warp(WarpConfig) as rows,
    // encode
    /// Draws the maps that a network is trained to give.
    ///
    /// `samples`; adds `heatmaps` `[K, H / stride, W / stride]` f32, with further maps for the background and the
    /// person's centre on request.
    "encode_heatmaps" EncodeHeatmaps(EncodeHeatmapsConfig) as rows,
    /// Labels the column and the row of each joint, for a network that classifies them (`SimCC`, `RTMPose`).
    ///
    /// `samples`; adds `simcc_x` `[K, W * ratio]`, `simcc_y` `[K, H * ratio]` and `simcc_weight` `[K]`, f32.
    "encode_simcc" EncodeSimcc(EncodeSimccConfig) as rows,
    /// States the place of each joint as parts of the crop, for a network that gives coordinates (`DeepPose`).
    ///
    /// `samples`; adds `coordinates` `[K, 2]` and `coordinate_weight` `[K]`, f32.
    "encode_coordinates" EncodeCoordinates(EncodeCoordinatesConfig) as rows,
    /// Makes a mask for the loss, 0 inside crowds and regions to ignore.
    ///
    /// Crops with `attributes`; `[H, W]` of `UInt8` in the column `loss_mask`.
    "encode_loss_mask" EncodeLossMask(EncodeLossMaskConfig) as rows,
    /// Encodes raw pixels as image files in the table.
    ///
    /// `samples`; the column `image` `[H, W, 3]` u8 becomes `struct<bytes, path>`, which Hugging Face data sets show.
    "encode_image" EncodeImage(EncodeImageConfig) as rows,
    // window
    /// Measures each log: rate, gaps, duplicates, clock skew and drift.
    ///
    /// `readings` of whole sessions to `quality`, one row per sensor and session.
    "quality" Quality(QualityConfig) as rows,
    /// Puts the sensors of each session on one clock, at one rate.
    ///
    /// `readings` of whole sessions to `signals`: `signal` is a list of `[C]` f32, m/s^2 and rad/s.
    "resample" Resample(ResampleConfig) as checked_rows,
    /// Subtracts each signal's own mean and divides by its own standard deviation.
    ///
    /// `signals`.
    "normalise" Normalise(NormaliseConfig) as rows,
    /// Fits mean and deviation of each channel over the training signals of a device, or of all.
    ///
    /// `signals` to `normalisers`.
    "fit_normaliser" FitNormaliser(FitNormaliserConfig) as all_rows,
    /// Subtracts fitted means from signals and divides by fitted deviations.
    ///
    /// `signals` and `normalisers` to `signals`.
    "apply_normaliser" ApplyNormaliser(ApplyNormaliserConfig) as all_rows,
    /// Adds magnitudes and orientation angles to the channels of a signal, or replaces them.
    ///
    /// `signals` of C channels to `signals` of C' channels.
    "features" Features(FeaturesConfig) as checked_rows,
    /// Scales and shifts each channel slightly at random, as another unit of the sensor would.
    ///
    /// `signals` or `windows`; shapes do not change.
    "gain_offset" GainOffset(GainOffsetConfig) as checked_rows,
    /// Rotates the device: one random rotation for all vectors of a row.
    ///
    /// `signals` or `windows`; shapes do not change.
    "rotate_frame" RotateFrame(RotateFrameConfig) as rows,
    /// Cuts signals into sequences of blocks.
    ///
    /// `signals` to `windows`: `window` `[T, B, C]` f32, T blocks of B samples of C channels.
    "window" Window(WindowConfig) as checked_rows,
    /// Uses windows as frames without a network: raw features.
    ///
    /// `windows` to `embeddings`: `embedding` `[D]` f32, D = B x C or C.
    "frames" Frames(FramesConfig) as rows,
    /// Keeps at most a given number of rows of each subject.
    ///
    /// `windows` or `embeddings`.
    "balance" Balance(BalanceConfig) as all_rows,
    /// Decides which sessions of a subject enrol it, and which are probes.
    ///
    /// `signals`, `windows` or `embeddings`; adds `role`. It is an error if roles or splits leak.
    "assign_roles" AssignRoles(AssignRolesConfig) as all_rows,
    // infer
    /// Runs an ONNX network that reads samples.
    ///
    /// `samples` with raw `image` `[H, W, 3]` to the table of the network's kind, one row for each output head that its card
    /// names: `heatmaps` `[K, h, w]` f32, `simcc` `[K, bins]` f32, `coordinates` `[K, 2]` px of the crop, or `detections`.
    "infer" Infer(InferConfig) as checked_rows,
    /// Runs an ONNX network that reads windows.
    ///
    /// `windows` `[T, B, C]` to `embeddings`: `embedding` `[D]` f32, one row per block or window.
    "embed" Embed(EmbedConfig) as checked_rows,
    // decode
    /// Learns where each joint lies relative to each other one and to the torso.
    ///
    /// `samples`, after `crop` or `warp`, to `spatial_models`: a histogram of displacements for each ordered pair.
    "fit_spatial_model" FitSpatialModel(FitSpatialModelConfig) as all_rows,
    /// Makes the maps of the joints agree with where joints lie relative to each other.
    ///
    /// `heatmaps` `[K, h, w]` and `spatial_models` to `heatmaps`.
    "spatial_model" SpatialModel(SpatialModelConfig) as checked_all_rows,
    /// Finds each joint's place in what a network gave, whatever its kind.
    ///
    /// `heatmaps`, `simcc`, `coordinates` or `detections` to `keypoints`: `keypoints` `[K, 2]` px of the image and `score`
    /// `[K]`; one row a row, of `detections` one a person.
    "decode" Decode(DecodeConfig) as checked_rows,
    /// Takes people that a detector saw as people: for crops around them, for a second network.
    ///
    /// `keypoints` with `box` to `people`: centre and scale by the box, joints that have a place are visible.
    "as_people" AsPeople(AsPeopleConfig) as rows,
    /// Adds a sample's maps at several scales up in the image, and finds each joint there.
    ///
    /// `heatmaps` `[K, h, w]` of S scales to `keypoints`, one row per sample and output head, as from `decode`.
    "merge_scales" MergeScales(MergeScalesConfig) as rows,
    /// Runs a second ONNX network that looks again where a first one saw each joint.
    ///
    /// `heatmaps` `[K, h, w]` that kept their `image` to `keypoints`, as from `decode`.
    "refine" Refine(RefineConfig) as checked_rows,
    // verify
    /// Fits a principal component analysis to the embeddings of one split.
    ///
    /// `embeddings` `[D]` to `projections`: P directions of D numbers.
    "fit_projection" FitProjection(FitProjectionConfig) as checked_all_rows,
    /// Projects embeddings onto the directions of a fitted projection.
    ///
    /// `embeddings` `[D]` and `projections` to `embeddings` `[P]`.
    "project" Project(ProjectConfig) as checked_all_rows,
    /// Fits the mixture of Gaussians that describes the whole population.
    ///
    /// `embeddings` to `mixtures`.
    "fit_background" FitBackground(FitBackgroundConfig) as checked_all_rows,
    /// Adapts each client's model from the background model and the client's enrolment.
    ///
    /// `embeddings` with roles and `mixtures` to `mixtures`, one per client.
    "adapt" Adapt(AdaptConfig) as checked_all_rows,
    /// Scores every client's model against every probe, as a log-likelihood ratio.
    ///
    /// `embeddings`, the clients' `mixtures` and the background's to `trials`.
    "score" Score(ScoreConfig) as checked_all_rows,
    /// Normalises scores by the mean and spread of impostors' scores: z, t, or both.
    ///
    /// `trials` to `trials`.
    "normalise_scores" NormaliseScores(NormaliseScoresConfig) as checked_all_rows,
    // evaluate
    /// Matches predicted people to annotated ones of the same picture, so that they can be scored person by person.
    ///
    /// `people` and `keypoints` to `keypoints` with the ids of the people; predictions of nobody are rejects.
    "match_people" MatchPeople(MatchPeopleConfig) as all_rows,
    /// Scores predicted keypoints by named protocols.
    ///
    /// `people` and `keypoints` to `metrics`.
    "evaluate" Evaluate(EvaluateConfig) as checked_all_rows,
    /// Computes equal error rate, half total error rate and curves from trials.
    ///
    /// `trials`, and the trials that set the threshold if they are a separate table, to `metrics`.
    "verify" Verify(VerifyConfig) as checked_all_rows,
    /// Counts how often the right class scores highest.
    ///
    /// `embeddings` that hold class scores to `metrics`.
    "identify" Identify(IdentifyConfig) as checked_all_rows,
}

impl StageConfig {
    /// The files that the stage reads once, for hashing: networks, their cards and weights, lists.
    ///
    /// Pictures are not among them.
    ///
    /// # Errors
    /// When a network cannot be read, or has weights outside its folder.
    pub fn files(&self) -> Result<Vec<PathBuf>, StageError> {
        match self {
            Self::Split(config) => Ok(config.files()),
            Self::MapSkeleton(config) => Ok(config.files()),
            Self::Crop(config) => Ok(config.files()),
            Self::Infer(config) => config.files().all(),
            Self::Embed(config) => config.files().all(),
            Self::Refine(config) => config.files().all(),
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::external::tests::{external, with_initializers};

    #[test]
    fn a_network_is_hashed_with_its_card_and_its_weights() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("net.onnx");
        std::fs::write(&model, with_initializers(&[external("net.data"), external("more.data")])).unwrap();
        let expected = ["net.onnx", "net.toml", "robot.toml", "more.data", "net.data"]
            .map(|name| folder.path().join(name));
        // A card that names the file of its skeleton has it beside itself.
        std::fs::write(folder.path().join("net.toml"), "skeleton = 'robot.toml'").unwrap();
        let configs = [
            StageConfig::Infer(InferConfig::new(&model)),
            StageConfig::Embed(EmbedConfig::new(&model)),
            StageConfig::Refine(RefineConfig::new(&model)),
        ];
        for config in configs {
            assert_eq!(config.files().unwrap(), expected, "{}", config.kind());
        }
    }
}
