//! `score`: every client's model against every probe, as a log-likelihood ratio.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use rayon::prelude::*;
use schemas::tables::embeddings;
use schemas::tables::models::matrix_shape;
use schemas::tables::trials::Trial;
use serde::{Deserialize, Serialize};

use super::adapt::same_dimensions;
use super::blocks::next_group;
use super::fitted::{Client, background, clients};
use super::frames::{Frames, PROBE, ROLE, needed_columns};
use super::pools::{Pool, Pools};
use super::ratio::Background;
use super::survey::Survey;
use super::trial_rows::{self, TRIALS_PER_BATCH, TrialRow};
use crate::stage::{Aggregate, BuildContext, Gathered, Give, Rows, StageError};

/// What the model is called where the embeddings do not say what made them.
pub const MODEL: &str = "gmm-ubm";

/// How the ratios of a pool's frames become one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean: a ratio a frame, the same scale for long and short probes.
    #[default]
    Mean,
}

/// Keys of the stage `score`.
///
/// ```
/// let config: stages::verify::ScoreConfig = toml::from_str("pool = 'sequence'\ncohort = 'train'")?;
/// assert_eq!(config.fast_components, 0);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreConfig {
    /// What one score is of: `session`, `sequence` or `frame`; `session` where left out.
    pub pool: Pool,
    /// How frames are pooled: `mean`.
    pub pooling: Pooling,
    /// A split whose clients and probes serve to normalise scores; the trials for `z`, `t` and `zt` are made too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// Components that are evaluated for a frame, the likeliest of the background model; 0, all, where left out. With
    /// 5 or more scores hardly change (Reynolds, Quatieri, Dunn 2000, section 3.5).
    pub fast_components: u32,
    /// Name of the system in the trials; the embeddings' model and `gmm-ubm` where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl ScoreConfig {
    /// The step.
    ///
    /// # Errors
    /// Never.
    pub fn build(&self, context: &BuildContext) -> Result<Score, StageError> {
        Ok(Score { config: self.clone(), name: context.name.clone() })
    }
}

/// Tries every client of a split on every probe of that split; genuine where client and subject have one name.
///
/// With a cohort also every client on the cohort's probes, and the cohort's clients on every probe, but never a
/// client on probes of the same subject. Holds all clients' models and a sum
/// for each client and pool of one split; where each frame is a pool, of those frames that are read at a time.
#[derive(Debug, Clone)]
pub struct Score {
    config: ScoreConfig,
    name: String,
}

impl Aggregate for Score {
    fn inputs(&self) -> &'static [&'static str] {
        &["embeddings", "clients", "background"]
    }

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            let names =
                ["dataset", "split", "subject", "device", "session", "segment", "sequence", "frame", ROLE];
            return needed_columns(schema, &names);
        }
        matrix_shape(schema, "means")?;
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, StageError> {
        let [components, dimensions] = matrix_shape(&inputs[2], "means")?;
        same_dimensions(dimensions, embeddings::dimensions(&inputs[0])?)?;
        let clients = matrix_shape(&inputs[1], "means")?;
        if clients != [components, dimensions] {
            return Err(StageError::data(
                format!(
                    "clients have {} components over {} numbers, the background model has {components} over \
                     {dimensions}",
                    clients[0], clients[1]
                ),
                "adapt the clients from the same background model",
            ));
        }
        Ok(trial_rows::schema(self.config.pool.fine()))
    }

    fn run(&self, inputs: &[&dyn Rows], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schemas: Vec<SchemaRef> = inputs.iter().map(|rows| rows.schema()).collect();
        self.output_schema(&schemas)?;
        let background = background(inputs[2])?.1;
        let clients = clients(inputs[1], &background)?;
        let survey = Survey::new(inputs[0])?;
        let splits = self.splits(&clients, &survey)?;
        let scorer = Scorer {
            stage: self,
            background: Background::new(&background, self.config.fast_components as usize),
            dimensions: background.dimensions(),
            model: self.model(&schemas[0]),
        };
        let mut gathered = Gathered::default();
        for split in splits {
            let tried = clients.iter().filter(|client| self.is_tried(client, &split)).collect();
            scorer.score(inputs[0], split, tried, give, &mut gathered)?;
        }
        Ok(gathered)
    }
}

impl Score {
    fn of_cohort(&self, split: &str) -> bool {
        self.config.cohort.as_deref() == Some(split)
    }

    /// Whether `client` is tried on probes of `split`.
    fn is_tried(&self, client: &Client, split: &str) -> bool {
        client.split == split || self.of_cohort(&client.split) || self.of_cohort(split)
    }

    /// The splits of which probes are scored: those of clients, in order of name, and the cohort's last.
    fn splits(&self, clients: &[Client], survey: &Survey) -> Result<Vec<String>, StageError> {
        let of_clients: BTreeSet<&str> = clients.iter().map(|client| client.split.as_str()).collect();
        let mut splits: Vec<String> = of_clients
            .iter()
            .filter(|split| !self.of_cohort(split))
            .map(|split| (*split).to_owned())
            .collect();
        if splits.is_empty() {
            let what = format!("`{}` has no clients but those of a cohort", self.name);
            return Err(StageError::data(what, "name a split to be evaluated in `splits` of `adapt`"));
        }
        if let Some(cohort) = &self.config.cohort {
            if !of_clients.contains(cohort.as_str()) {
                return Err(StageError::data(
                    format!("`{}`: the cohort `{cohort}` has no clients", self.name),
                    format!("set `cohort = \"{cohort}\"` in `adapt`, and assign roles in that split"),
                ));
            }
            splits.push(cohort.clone());
        }
        if let Some(split) = splits.iter().find(|split| !survey.probes.contains_key(*split)) {
            return Err(StageError::data(
                format!("`{}`: split `{split}` has no row of role `{PROBE}`", self.name),
                "assign roles before `score`; each client needs sessions of both roles",
            ));
        }
        Ok(splits)
    }

    fn model(&self, embeddings: &SchemaRef) -> String {
        let features = embeddings.metadata().get(embeddings::MODEL_KEY).filter(|name| !name.is_empty());
        let made = || features.map_or_else(|| MODEL.to_owned(), |features| format!("{features} {MODEL}"));
        self.config.model.clone().unwrap_or_else(made)
    }
}

/// Everything that is the same for all splits.
struct Scorer<'a> {
    stage: &'a Score,
    background: Background,
    dimensions: usize,
    model: String,
}

impl Scorer<'_> {
    /// Tries the clients `tried` on all probes of `split`.
    fn score(
        &self,
        rows: &dyn Rows,
        split: String,
        tried: Vec<&Client>,
        give: &mut Give<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), StageError> {
        let (pool, splits) = (self.stage.config.pool, [split]);
        let found = Mutex::new(Pools::new(pool));
        let pools = || found.lock().unwrap_or_else(PoisonError::into_inner);
        let pick = |batch: &_| pools().pick(batch, &splits);
        let mut frames = Frames::new(rows, self.dimensions, &self.stage.name, Box::new(pick));
        let mut sums: Vec<Vec<f64>> = vec![Vec::new(); tried.len()];
        let mut trials = Trials { scorer: self, tried, waiting: Vec::new(), give, genuine: 0, impostors: 0 };
        loop {
            let group = next_group(&mut frames)?;
            if group.is_empty() {
                break;
            }
            let baselines = self.background.baselines(&group);
            let mut pools = pools();
            let forgotten = pools.forgotten;
            let places = || group.iter().flat_map(|block| &block.tags).map(|tag| (tag - forgotten) as usize);
            places().for_each(|place| pools.frames[place] += 1);
            let count = pools.keys.len();
            sums.par_iter_mut().zip(&trials.tried).for_each(|(sums, client)| {
                sums.resize(count, 0.0);
                let ratios = self.background.ratios(&client.gaussians, &group, &baselines);
                // One by one in row order, so that a sum does not depend on blocks.
                places().zip(ratios.iter().flatten()).for_each(|(place, ratio)| sums[place] += ratio);
            });
            if pools.are_single() {
                trials.add_all(&pools, &sums)?;
                pools.forget();
                sums.iter_mut().for_each(Vec::clear);
            }
        }
        gathered.rejects.append(&mut frames.rejects);
        drop(frames);
        trials.add_all(&pools(), &sums)?;
        trials.flush()?;
        let clients = trials.tried.iter().filter(|client| client.split == splits[0]).count();
        gathered.notes.push(format!(
            "split `{}`: {clients} clients, {} genuine and {} impostor trials",
            splits[0], trials.genuine, trials.impostors
        ));
        Ok(())
    }
}

/// Trials on their way.
struct Trials<'a, 'g> {
    scorer: &'a Scorer<'a>,
    tried: Vec<&'a Client>,
    waiting: Vec<TrialRow>,
    give: &'a mut Give<'g>,
    genuine: u64,
    impostors: u64,
}

impl Trials<'_, '_> {
    /// The trials of all clients on all pools that have frames.
    fn add_all(&mut self, pools: &Pools, sums: &[Vec<f64>]) -> Result<(), StageError> {
        pools.in_order().into_iter().try_for_each(|place| self.add(pools, place, sums))
    }

    fn add(&mut self, pools: &Pools, place: usize, sums: &[Vec<f64>]) -> Result<(), StageError> {
        let (key, frames, stage) = (&pools.keys[place], pools.frames[place], self.scorer.stage);
        for (at, sums) in sums.iter().enumerate() {
            let client = self.tried[at];
            let same = client.name == key.subject;
            if same && (stage.of_cohort(&client.split) || stage.of_cohort(&key.split)) {
                continue;
            }
            if same {
                self.genuine += 1;
            } else {
                self.impostors += 1;
            }
            let trial = Trial {
                dataset: key.dataset.clone(),
                split: key.split.clone(),
                client_split: client.split.clone(),
                client: client.name.clone(),
                subject: key.subject.clone(),
                device: key.device.clone(),
                session: key.session.clone(),
                sequence: key.sequence,
                genuine: same,
                score: sums[place] / frames as f64,
                frames,
                normalisation: "none".to_owned(),
                model: self.scorer.model.clone(),
            };
            self.waiting.push(TrialRow { trial, segment: key.segment, frame: key.frame });
            if self.waiting.len() == TRIALS_PER_BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StageError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.waiting);
        (self.give)(trial_rows::to_batch(rows, self.scorer.stage.config.pool.fine())?)
    }
}
