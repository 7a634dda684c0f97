//! `fit_spatial_model`: where each joint lies relative to each other one and to the torso, learnt from people.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{field, skeleton_of, strings};
use schemas::tables::samples::CROP_SIZE;
use schemas::tables::spatial_models::{self, Displacements, TORSO};
use schemas::units::{Pixels, Spread};
use serde::{Deserialize, Serialize};

use super::super::error::DecodeError;
use super::histogram::Histogram;
use super::torso::{Torso, pose_columns, poses_in_crop};
use crate::augment::geometry::crop_size_of;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, reject};
use crate::verify::frames::TRAIN;

/// Spread of the smoothing in px of the maps: the square root of 2, that of the nine binomial weights of joint-cnn-mrf
/// (`prepare_pairwise_distribution.py`). The papers say only that histograms are smoothed, if that.
pub const SMOOTHING_SIGMA: Spread = Spread::constant(std::f64::consts::SQRT_2);

/// Most bytes of the histograms of all pairs: 1 GiB, 16 joints in maps of 500 x 500 px. Networks' maps have about 64 x 64.
const MOST_BYTES: u64 = 1 << 30;

/// Keys of the stage `fit_spatial_model`.
///
/// ```
/// let config: stages::decode::FitSpatialModelConfig = toml::from_str("stride = 4\ntorso = 'center'")?;
/// assert_eq!(config.split, "train");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitSpatialModelConfig {
    /// Px of the crop per px of the maps that the model is for: the network's.
    pub stride: Pixels,
    /// Spread of the Gaussian that smooths the histograms, px of the maps; by default the square root of 2.
    #[serde(default = "smoothing_sigma")]
    pub sigma: Spread,
    /// What represents the torso, when the model is fitted and when it is used.
    #[serde(default)]
    pub torso: Torso,
    /// The split that it is fitted on; by default `train`.
    #[serde(default = "train")]
    pub split: String,
}

fn smoothing_sigma() -> Spread {
    SMOOTHING_SIGMA
}

fn train() -> String {
    TRAIN.to_owned()
}

impl FitSpatialModelConfig {
    /// The step.
    pub fn build(&self, context: &BuildContext) -> FitSpatialModel {
        FitSpatialModel { name: context.name.clone(), config: self.clone() }
    }
}

/// Counts displacements over all people of a split, in one pass.
///
/// A person counts for every pair of which both are annotated. A joint outside its crop counts too, as long as a
/// map can hold the displacement.
#[derive(Debug, Clone)]
pub struct FitSpatialModel {
    name: String,
    config: FitSpatialModelConfig,
}

/// Histograms of all ordered pairs.
struct Pairs {
    /// V: K joints, and the torso where there is one.
    evidence: usize,
    /// A given v at `A * V + v`; those of a joint and itself stay empty.
    histograms: Vec<Histogram>,
    people: u64,
    beyond: u64,
}

impl Pairs {
    /// Counts one person's places, `[V]` px of the map; says whether there was a pair.
    fn add(&mut self, places: &[Option<[f64; 2]>], joints: usize) -> bool {
        let mut any = false;
        for (a, of_a) in places[..joints].iter().enumerate() {
            for (v, of_v) in places.iter().enumerate().filter(|(v, _)| *v != a) {
                let (Some(of_a), Some(of_v)) = (of_a, of_v) else { continue };
                any = true;
                let displacement = [of_a[0] - of_v[0], of_a[1] - of_v[1]];
                let held = self.histograms[a * self.evidence + v].add(displacement);
                self.beyond += u64::from(!held);
            }
        }
        self.people += u64::from(any);
        any
    }
}

impl AllRows for FitSpatialModel {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["samples"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        let mut needed = pose_columns(schema)?;
        needed.extend(self.config.torso.columns(schema)?);
        needed.extend(["split", CROP_SIZE]);
        needed.iter().try_for_each(|name| field(schema, name).map(|_| ()))?;
        // What a reject names.
        needed.extend(["sample_id", "source_file", "source_record"]);
        Ok((0..schema.fields().len())
            .filter(|at| needed.contains(&schema.field(*at).name().as_str()))
            .collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        let (skeleton, map) = self.shape(inputs[0])?;
        self.needed_columns(0, inputs[0])?;
        self.check_room(skeleton, map)?;
        let stride = f64::from(self.config.stride);
        Ok(spatial_models::schema(skeleton, map, stride, self.config.torso.name()))
    }

    fn run(&self, inputs: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let input = inputs[0].schema();
        let schema = self.output_schema([&input])?;
        let (skeleton, map) = self.shape(&input)?;
        let evidence = skeleton.len() + usize::from(self.config.torso != Torso::None);
        let histograms = vec![Histogram::new(map); skeleton.len() * evidence];
        let mut pairs = Pairs { evidence, histograms, people: 0, beyond: 0 };
        let mut gathered = Gathered::default();
        for batch in inputs[0].scan() {
            self.count(&batch?, skeleton, &mut pairs, &mut gathered)?;
        }
        self.check(&pairs, skeleton)?;
        for (joint, histograms) in pairs.histograms.chunks_exact(evidence).enumerate() {
            let rows: Vec<Displacements> = (0..evidence)
                .into_par_iter()
                .filter_map(|given| self.displacements(skeleton, [joint, given], &histograms[given]))
                .collect();
            give(Displacements::to_batch(&schema, &rows))?;
        }
        let Self { name, .. } = self;
        let Pairs { people, beyond, .. } = pairs;
        gathered
            .notes
            .push(format!("`{name}`: learnt from {people} people of split `{}`", self.config.split));
        if beyond > 0 {
            gathered
                .notes
                .push(format!("`{name}`: {beyond} displacements are longer than the maps are wide"));
        }
        Ok(gathered)
    }
}

impl FitSpatialModel {
    /// Refuses maps, `[h, w]`, of which the histograms of all pairs would take more than [`MOST_BYTES`].
    fn check_room(&self, skeleton: &Skeleton, [height, width]: [usize; 2]) -> Result<(), StageError> {
        let pairs = skeleton.len() * (skeleton.len() + usize::from(self.config.torso != Torso::None));
        let places = (2 * height as u64 - 1).saturating_mul(2 * width as u64 - 1);
        let bytes = places.saturating_mul(pairs as u64).saturating_mul(size_of::<u32>() as u64);
        if bytes > MOST_BYTES {
            let (stage, most) = (self.name.clone(), MOST_BYTES);
            return Err(DecodeError::Histograms { stage, pairs, width, height, bytes, most }.into());
        }
        Ok(())
    }

    /// The skeleton, and `[h, w]` of the maps.
    fn shape(&self, schema: &Schema) -> Result<(&'static Skeleton, [usize; 2]), StageError> {
        let skeleton = skeleton_of(schema)?;
        let ([width, height], stride) = (crop_size_of(schema)?, self.config.stride.get());
        if !width.is_multiple_of(stride) || !height.is_multiple_of(stride) {
            return Err(DecodeError::Stride { stride, width, height }.into());
        }
        Ok((skeleton, [height / stride, width / stride].map(|side| side as usize)))
    }

    /// Counts the rows of `batch` that are of the split.
    fn count(
        &self,
        batch: &RecordBatch,
        skeleton: &Skeleton,
        pairs: &mut Pairs,
        gathered: &mut Gathered,
    ) -> Result<(), StageError> {
        let splits = strings(batch, "split")?;
        let (poses, torsos) = (poses_in_crop(batch, skeleton)?, self.config.torso.places(batch)?);
        let stride = f64::from(self.config.stride);
        for (row, (pose, torso)) in poses.iter().zip(torsos).enumerate() {
            if splits.is_null(row) || splits.value(row) != self.config.split {
                continue;
            }
            let joints = (0..skeleton.len()).map(|joint| pose.joint(joint));
            let mut places: Vec<Option<[f64; 2]>> = joints.chain([torso]).collect();
            places.truncate(pairs.evidence);
            places.iter_mut().flatten().for_each(|place| *place = place.map(|value| value / stride));
            if !pairs.add(&places, skeleton.len()) {
                let detail = "a pair of joints, or a joint and the torso, must be annotated";
                gathered.rejects.push(reject(batch, row, &self.name, "no pair", detail));
            }
        }
        Ok(())
    }

    fn check(&self, pairs: &Pairs, skeleton: &Skeleton) -> Result<(), StageError> {
        let Self { config, .. } = self;
        if pairs.people == 0 {
            return Err(DecodeError::Nobody { split: config.split.clone() }.into());
        }
        let unseen = |at: &usize| {
            let [a, v] = [at / pairs.evidence, at % pairs.evidence];
            a != v && pairs.histograms[*at].people() == 0
        };
        let Some(at) = (0..pairs.histograms.len()).find(unseen) else { return Ok(()) };
        let (a, v) = (at / pairs.evidence, at % pairs.evidence);
        Err(DecodeError::Unseen {
            people: pairs.people,
            split: config.split.clone(),
            joint: skeleton.joints[a].to_owned(),
            given: evidence_name(skeleton, v).to_owned(),
        }
        .into())
    }

    fn displacements(
        &self,
        skeleton: &Skeleton,
        [joint, given]: [usize; 2],
        histogram: &Histogram,
    ) -> Option<Displacements> {
        let kernel = histogram.smoothed(self.config.sigma.get())?;
        Some(Displacements {
            joint: skeleton.joints[joint].to_owned(),
            given: evidence_name(skeleton, given).to_owned(),
            people: i64::from(histogram.people()),
            kernel,
        })
    }
}

/// The name of evidence `index` of a model of `skeleton`: a joint, or the torso behind the last one.
pub fn evidence_name(skeleton: &Skeleton, index: usize) -> &'static str {
    skeleton.joints.get(index).copied().unwrap_or(TORSO)
}
