//! `normalise_scores`: scores relative to the mean and spread of impostors' scores.
//!
//! A z-step corrects for how easily a client's model gives high scores, by that model's scores on sessions of a
//! cohort; a t-step corrects for how easily a session gets them, by its scores under models of the cohort; zt is z,
//! then t with cohort scores that are z-normalised themselves. Source: Auckenthaler, Carey, Lloyd-Thomas, Score
//! Normalization for Text-Independent Speaker Verification Systems, Digital Signal Processing 10 (2000). That Abacus
//! uses zt is recalled, not verified.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, with_column};
use schemas::tables::trials;
use serde::{Deserialize, Serialize};

use super::cohort::{Cohort, Lacking};
use super::error::VerifyError;
use super::frames::TRAIN;
use super::rechunk::Rechunked;
use super::trial_rows::{PoolKey, TRIALS_PER_BATCH, TrialRow, trial_rows};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, reject, take_rows};
use crate::unit_sum::UnitSum;

/// Which steps are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By client.
    Z,
    /// By session.
    T,
    /// By client, then by session.
    #[default]
    Zt,
}

impl Kind {
    /// The name in a plan and in the column `normalisation`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Z => "z",
            Self::T => "t",
            Self::Zt => "zt",
        }
    }
}

/// Keys of the stage `normalise_scores`.
///
/// ```
/// let config: stages::verify::NormaliseScoresConfig = toml::from_str("kind = 'z'")?;
/// assert_eq!(config.cohort, "train");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NormaliseScoresConfig {
    /// `z`, `t` or `zt`; by default `zt`.
    pub kind: Kind,
    /// The split of the cohort, as in `score`; by default `train`.
    pub cohort: String,
}

impl Default for NormaliseScoresConfig {
    fn default() -> Self {
        Self { kind: Kind::default(), cohort: TRAIN.to_owned() }
    }
}

impl NormaliseScoresConfig {
    /// The step.
    ///
    /// # Errors
    /// Never.
    pub fn build(&self, context: &BuildContext) -> Result<NormaliseScores, StageError> {
        Ok(NormaliseScores { config: self.clone(), name: context.name.clone() })
    }
}

/// Returns the trials of the evaluated splits with normalised scores; those of the cohort are dropped.
///
/// A trial whose client or session has fewer than two cohort scores, or only equal ones, is rejected.
#[derive(Debug, Clone)]
pub struct NormaliseScores {
    config: NormaliseScoresConfig,
    name: String,
}

/// What the cohort says of clients, by split and name, and of pools.
#[derive(Default)]
struct Cohorts {
    clients: HashMap<(String, String), Cohort>,
    pools: HashMap<PoolKey, Cohort>,
}

/// The scores of each cohort while they come.
type Sums<K> = HashMap<K, UnitSum<Cohort>>;

fn push<K: Eq + Hash>(sums: &mut Sums<K>, key: K, unit: u64, score: f64) {
    sums.entry(key).or_default().open(unit, Cohort::default).push(score);
}

fn totals<K: Eq + Hash>(sums: Sums<K>) -> HashMap<K, Cohort> {
    sums.into_iter().filter_map(|(key, sum)| Some((key, sum.total()?))).collect()
}

impl AllRows for NormaliseScores {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["trials"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        for wanted in trials::schema().fields() {
            let found = field(schema, wanted.name())?.data_type();
            if found != wanted.data_type() {
                let expected = wanted.data_type().to_string();
                return Err(schemas::columns::wrong_type(wanted.name(), &expected, found).into());
            }
        }
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        Ok(Arc::clone(inputs[0]))
    }

    fn run(&self, inputs: [&dyn Rows; 1], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let cohorts = self.cohorts(inputs[0])?;
        let (mut gathered, mut given) = (Gathered::default(), 0);
        for batch in Rechunked::new(inputs[0], TRIALS_PER_BATCH) {
            let batch = batch?;
            let (mut kept, mut scores) = (Vec::new(), Vec::new());
            for (row, trial) in trial_rows(&batch)?.iter().enumerate() {
                if self.of_cohort(&trial.trial.split) || self.of_cohort(&trial.trial.client_split) {
                    continue;
                }
                match self.normalised(&cohorts, trial) {
                    Ok(score) => {
                        kept.push(row);
                        scores.push(score);
                    }
                    Err((reason, detail)) => {
                        gathered.rejects.push(reject(&batch, row, &self.name, reason, detail));
                    }
                }
            }
            given += kept.len();
            if !kept.is_empty() {
                give(self.with_scores(&take_rows(&batch, &kept)?, scores)?)?;
            }
        }
        let (clients, sessions) = (cohorts.clients.len(), cohorts.pools.len());
        gathered.notes.push(format!(
            "{given} trials normalised by `{}`, with cohort scores of {clients} clients and {sessions} probes",
            self.config.kind.name()
        ));
        Ok(gathered)
    }
}

impl NormaliseScores {
    fn of_cohort(&self, split: &str) -> bool {
        split == self.config.cohort
    }

    fn cohorts(&self, rows: &dyn Rows) -> Result<Cohorts, StageError> {
        let mut cohorts = Cohorts::default();
        if self.config.kind != Kind::T {
            let mut sums = Sums::new();
            self.each(rows, |unit, row| {
                // Of the cohort's own clients only t needs what sessions of the cohort give them.
                if self.of_cohort(&row.trial.split) && !row.trial.genuine {
                    push(&mut sums, row.client(), unit, row.trial.score);
                }
            })?;
            cohorts.clients = totals(sums);
            self.not_empty(cohorts.clients.is_empty(), "sessions")?;
        }
        if self.config.kind != Kind::Z {
            let mut sums = Sums::new();
            self.each(rows, |unit, row| {
                let of_cohort = self.of_cohort(&row.trial.client_split) && !self.of_cohort(&row.trial.split);
                if of_cohort && !row.trial.genuine {
                    // A model of the cohort that has no z of its own cannot serve.
                    if let Ok(score) = self.z(&cohorts, row) {
                        push(&mut sums, row.pool(), unit, score);
                    }
                }
            })?;
            cohorts.pools = totals(sums);
            self.not_empty(cohorts.pools.is_empty(), "clients")?;
        }
        Ok(cohorts)
    }

    /// Hands every trial to `see`, with the number of its unit.
    fn each(&self, rows: &dyn Rows, mut see: impl FnMut(u64, &TrialRow)) -> Result<(), StageError> {
        for batch in rows.scan_units() {
            let (unit, batch) = batch?;
            for row in trial_rows(&batch)? {
                if row.trial.normalisation != "none" {
                    let (stage, by) = (self.name.clone(), row.trial.normalisation);
                    return Err(StageError::step(VerifyError::Normalised { stage, by }));
                }
                see(unit, &row);
            }
        }
        Ok(())
    }

    fn not_empty(&self, empty: bool, what: &'static str) -> Result<(), StageError> {
        if !empty {
            return Ok(());
        }
        let (stage, cohort) = (self.name.clone(), self.config.cohort.clone());
        Err(StageError::step(VerifyError::NoCohortTrials { stage, what, cohort }))
    }

    /// The score of `row` after the z-step, if there is one.
    fn z(&self, cohorts: &Cohorts, row: &TrialRow) -> Result<f64, Lacking> {
        if self.config.kind == Kind::T {
            return Ok(row.trial.score);
        }
        cohorts.clients.get(&row.client()).copied().unwrap_or_default().normalise(row.trial.score)
    }

    fn normalised(&self, cohorts: &Cohorts, row: &TrialRow) -> Result<f64, (&'static str, String)> {
        let score = self.z(cohorts, row).map_err(|lacking| {
            lacking.of(&format!("client `{}` of split `{}`", row.trial.client, row.trial.client_split))
        })?;
        if self.config.kind == Kind::Z {
            return Ok(score);
        }
        let pool = cohorts.pools.get(&row.pool()).copied().unwrap_or_default();
        pool.normalise(score).map_err(|lacking| lacking.of(&row.pool().words()))
    }

    fn with_scores(&self, rows: &RecordBatch, scores: Vec<f64>) -> Result<RecordBatch, StageError> {
        let kind: ArrayRef =
            Arc::new(StringArray::from_iter_values(scores.iter().map(|_| self.config.kind.name())));
        let text = Field::new("normalisation", DataType::Utf8, false);
        let number = Field::new("score", DataType::Float64, false);
        let rows = with_column(rows, number, Arc::new(Float64Array::from(scores)))?;
        Ok(with_column(&rows, text, kind)?)
    }
}
