//! `fit_background`: the mixture that describes the whole population, the universal background model.

use std::collections::{BTreeSet, BinaryHeap};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::columns::{integers, strings};
use schemas::random::KeyedRandom;
use schemas::tables::embeddings;
use schemas::tables::models::{self, Mixture};
use schemas::units::{Count, NonNegative};
use serde::{Deserialize, Serialize};

use super::em::{self, Fit, Options, enough_frames};
use super::error::VerifyError;
use super::frames::{Frames, Pick, Selection, TRAIN, chosen, needed_columns};
use super::k_means::k_means;
use super::moments::{Scatter, moments};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};

/// Components of the Abacus paper (arXiv 1511.03908).
pub const COMPONENTS: Count = Count::constant(256);
/// Iterations of the Abacus paper.
pub const ITERATIONS: Count = Count::constant(100);
/// Gain in nats per frame below which it stops: 0, never, since the paper only states a number of iterations.
pub const TOLERANCE: NonNegative = NonNegative::constant(0.0);
/// Least variance, as a share of the variance of all frames in that dimension; 0.01 as `HCompV -f 0.01` in the HTK
/// Book (3.4, section 3.2.1). It keeps a component from collapsing onto a few frames.
pub const VARIANCE_FLOOR: NonNegative = NonNegative::constant(0.01);
/// What is added to each variance: nothing.
pub const REGULARISATION: NonNegative = NonNegative::constant(0.0);
/// Rounds of k-means before it. Our choice: later rounds hardly move a centre that expectation maximisation moves
/// anyway.
pub const KMEANS_ITERATIONS: Count = Count::constant(10);
/// Frames that k-means sees at most. Our choice: 78 for each of 256 centres, 16 MB at 100 dimensions.
pub const START_FRAMES: Count = Count::constant(20_000);

/// Keys of the stage `fit_background`.
///
/// It matches scikit-learn's `GaussianMixture` with `variance_floor = 0` and `regularisation = 1e-6`.
///
/// ```
/// let config: stages::verify::FitBackgroundConfig = toml::from_str("components = 64\niterations = 20")?;
/// assert_eq!(config.variance_floor.get(), 0.01);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitBackgroundConfig {
    /// M, the number of Gaussians; by default 256.
    pub components: Count,
    /// Iterations at most; by default 100.
    pub iterations: Count,
    /// It stops when the mean log-likelihood of a frame increases by less than this, in nats; by default 0
    /// (never).
    pub tolerance: NonNegative,
    /// The least variance, as a share of that of all frames in the same dimension; by default 0.01.
    pub variance_floor: NonNegative,
    /// What is added to each variance after each iteration, in squared units of the embedding; by default 0. Above 0
    /// the likelihood may decrease slightly.
    pub regularisation: NonNegative,
    /// Rounds of k-means for the starting point, at most; by default 10.
    pub kmeans_iterations: Count,
    /// Frames, drawn by their keys, that k-means sees at most; by default 20,000.
    pub max_frames: Count,
    /// The split that it is fitted on; by default `train`.
    pub split: String,
}

impl Default for FitBackgroundConfig {
    fn default() -> Self {
        Self {
            components: COMPONENTS,
            iterations: ITERATIONS,
            tolerance: TOLERANCE,
            variance_floor: VARIANCE_FLOOR,
            regularisation: REGULARISATION,
            kmeans_iterations: KMEANS_ITERATIONS,
            max_frames: START_FRAMES,
            split: TRAIN.to_owned(),
        }
    }
}

impl FitBackgroundConfig {
    /// The step.
    ///
    /// # Errors
    /// When nothing keeps variances above 0, or k-means would see fewer frames than there are components.
    pub fn build(&self, context: &BuildContext) -> Result<FitBackground, StageError> {
        let stage = context.name.clone();
        if self.variance_floor.get() == 0.0 && self.regularisation.get() == 0.0 {
            return Err(StageError::step(VerifyError::NoFloor { stage, usual: VARIANCE_FLOOR.get() }));
        }
        if self.max_frames.get() < self.components.get() {
            let (frames, components) = (self.max_frames.get(), self.components.get());
            let usual = START_FRAMES.get();
            return Err(StageError::step(VerifyError::FewStartFrames { stage, frames, components, usual }));
        }
        let splits = vec![self.split.clone()];
        Ok(FitBackground { config: self.clone(), splits, name: stage, seed: context.seed })
    }
}

/// Fits a [`Mixture`] to all frames of a split, which it reads `iterations` + 3 times.
#[derive(Debug, Clone)]
pub struct FitBackground {
    config: FitBackgroundConfig,
    splits: Vec<String>,
    name: String,
    seed: u64,
}

/// What the first pass finds.
struct Survey {
    frames: u64,
    subjects: Vec<String>,
    /// Variance of each dimension, `[D]`.
    variance: Vec<f64>,
    /// Frames with a draw up to this make the start.
    highest_draw: u64,
    gathered: Gathered,
}

impl AllRows for FitBackground {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["embeddings"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        needed_columns(schema, &["sample_id", "copy", "frame", "split", "subject"])
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        let dimensions = embeddings::dimensions(inputs[0])?;
        Ok(models::mixture_schema(self.config.components.get() as usize, dimensions))
    }

    fn run(&self, inputs: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let rows = inputs[0];
        let schema = self.output_schema([&rows.schema()])?;
        let dimensions = embeddings::dimensions(&rows.schema())?;
        let survey = self.survey(rows, dimensions)?;
        enough_frames(survey.frames, self.config.components.get() as usize)?;
        let floor = self.floor(&survey.variance)?;
        let sample = self.sample(rows, dimensions, survey.highest_draw)?;
        let mut random = KeyedRandom::new(self.seed, &self.name, "k-means", 0);
        let (components, rounds) = (self.config.components.get(), self.config.kmeans_iterations.get());
        // Where only `regularisation` holds variances up, the start is held up by it too.
        let least: Vec<f64> = floor.iter().map(|floor| floor + self.config.regularisation.get()).collect();
        let start = k_means(&sample, components as usize, rounds as usize, &least, &mut random)?;
        drop(sample);
        let options = Options {
            iterations: self.config.iterations.get() as usize,
            tolerance: self.config.tolerance.get(),
            floor,
            regularisation: self.config.regularisation.get(),
        };
        let source = Selection { rows, dimensions, stage: &self.name, splits: &self.splits };
        let fit = em::fit(&source, start, &options)?;
        let mut gathered = survey.gathered;
        gathered.notes.push(note(&fit, survey.subjects.len()));
        let mixture = fit.gaussians.to_mixture(fit.frames);
        let mixture = Mixture { subjects: survey.subjects, log_likelihoods: fit.log_likelihoods, ..mixture };
        give(Mixture::to_batch(&schema, &[mixture]))?;
        Ok(gathered)
    }
}

impl FitBackground {
    /// Counts frames and subjects, measures variances, and finds which frames make the start.
    fn survey(&self, rows: &dyn Rows, dimensions: usize) -> Result<Survey, StageError> {
        let mut subjects = BTreeSet::new();
        let pick = |batch: &RecordBatch| {
            let names = strings(batch, "subject")?;
            let draws = self.draws(batch)?;
            for row in (0..batch.num_rows()).filter(|&row| draws[row].is_some()) {
                if !subjects.contains(names.value(row)) {
                    subjects.insert(names.value(row).to_owned());
                }
            }
            Ok(draws)
        };
        let mut frames = Frames::new(rows, dimensions, &self.name, Box::new(pick));
        let mut lowest = BinaryHeap::new();
        let moments = moments(&mut frames, dimensions, Scatter::Diagonal, |block| {
            for draw in &block.tags {
                lowest.push(*draw);
                if lowest.len() > self.config.max_frames.get() as usize {
                    lowest.pop();
                }
            }
        })?;
        let gathered = Gathered { rejects: std::mem::take(&mut frames.rejects), notes: Vec::new() };
        drop(frames);
        let count = moments.frames.max(1) as f64;
        Ok(Survey {
            frames: moments.frames,
            subjects: subjects.into_iter().collect(),
            variance: moments.scatter.iter().map(|sum| sum / count).collect(),
            highest_draw: lowest.peek().copied().unwrap_or(0),
            gathered,
        })
    }

    /// A number for each frame that serves, drawn by its key.
    fn draws(&self, batch: &RecordBatch) -> Result<Vec<Option<u64>>, StageError> {
        let serves = chosen(batch, &self.splits, None)?;
        let (ids, copies) = (strings(batch, "sample_id")?, integers(batch, "copy")?);
        let frames = integers(batch, "frame")?;
        let draw = |row: usize| {
            let key = format!("{}/{}", ids.value(row), frames.value(row));
            let mut random = KeyedRandom::new(self.seed, &self.name, &key, copies.value(row));
            (random.unit() * (1_u64 << 53) as f64) as u64
        };
        Ok(serves.into_iter().enumerate().map(|(row, serves)| serves.then(|| draw(row))).collect())
    }

    /// The frames with a draw of at most `highest`, `[S, D]`.
    fn sample(&self, rows: &dyn Rows, dimensions: usize, highest: u64) -> Result<Vec<f64>, StageError> {
        let pick: Pick<'_> = Box::new(|batch| {
            let low = |draw: Option<u64>| draw.filter(|draw| *draw <= highest);
            Ok(self.draws(batch)?.into_iter().map(low).collect())
        });
        let mut sample = Vec::new();
        for block in Frames::new(rows, dimensions, &self.name, pick) {
            sample.extend_from_slice(&block?.numbers);
        }
        Ok(sample)
    }

    /// The least variance of each dimension.
    fn floor(&self, variance: &[f64]) -> Result<Vec<f64>, StageError> {
        let share = self.config.variance_floor.get();
        if self.config.regularisation.get() == 0.0
            && let Some(at) = variance.iter().position(|variance| *variance <= 0.0)
        {
            return Err(StageError::step(VerifyError::Constant { at, split: self.config.split.clone() }));
        }
        Ok(variance.iter().map(|variance| share * variance).collect())
    }
}

fn note(fit: &Fit, subjects: usize) -> String {
    let (before, after) = (fit.log_likelihoods.first(), fit.log_likelihoods.last());
    let ends = before.zip(after).map_or_else(String::new, |(before, after)| {
        format!(": {before:.4} to {after:.4} nats per frame in {} iterations", fit.log_likelihoods.len() - 1)
    });
    let idle = if fit.idle > 0 { format!("; {} components have no frames", fit.idle) } else { String::new() };
    format!("fitted on {} frames of {subjects} subjects{ends}{idle}", fit.frames)
}
