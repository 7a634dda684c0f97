//! Verification as a stage of a plan: a whole table `trials` in, rows of `metrics` out.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::columns::{field, strings};
use schemas::tables::metrics;
use serde::{Deserialize, Serialize};

use super::super::error::EvaluateError;
use super::collect::{COLUMNS, Collector, Part, each_trial};
use super::eer::EerMethod;
use super::error::VerificationError;
use super::score::{DEFAULT_POINTS, DEFAULT_RESAMPLES, VerificationOptions, score};
use crate::stage::{Aggregate, BuildContext, Gathered, Give, Rows, StageError};

/// The split that sets the threshold by default.
pub const DEFAULT_VALIDATION: &str = "validation";
/// The split that is scored by default.
pub const DEFAULT_SPLIT: &str = "test";
/// Most resamples that a plan may ask for; 100,000 take minutes and do not narrow the intervals.
pub const MAXIMUM_RESAMPLES: u32 = 100_000;
/// Most points of a curve that a plan may ask for; more cannot be seen on a page.
pub const MAXIMUM_POINTS: u32 = 10_000;

/// Keys of the step `verify`.
///
/// ```
/// use stages::evaluate::verification::{EerMethod, VerifyConfig};
/// let config: VerifyConfig = toml::from_str("eer = 'rocch'")?;
/// assert_eq!((config.validation.as_str(), config.split.as_str()), ("validation", "test"));
/// assert_eq!((config.eer, config.resamples, config.points), (EerMethod::Rocch, 1000, 200));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyConfig {
    /// The split whose equal error point sets the threshold of FAR, FRR and HTER; by default `validation`.
    #[serde(default = "default_validation")]
    pub validation: String,
    /// The split that is scored; by default `test`. A table of one split is scored whatever its name.
    #[serde(default = "default_split")]
    pub split: String,
    /// Whether the trials that set the threshold are a separate table, the second input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub validation_apart: bool,
    /// How equal error rates are computed: `linear`, `rocch` or `midpoint`; by default `linear`.
    #[serde(default)]
    pub eer: EerMethod,
    /// How often clients are resampled for the 95 % intervals; 0 for none. 1000 by default.
    #[serde(default = "default_resamples")]
    pub resamples: u32,
    /// How many points of the curve become rows, at most: 0 for none, else 2 or more. 200 by default.
    #[serde(default = "default_points")]
    pub points: u32,
}

fn default_validation() -> String {
    DEFAULT_VALIDATION.to_owned()
}

fn default_split() -> String {
    DEFAULT_SPLIT.to_owned()
}

fn default_resamples() -> u32 {
    DEFAULT_RESAMPLES
}

fn default_points() -> u32 {
    DEFAULT_POINTS
}

impl Default for VerifyConfig {
    fn default() -> Self {
        Self {
            validation: default_validation(),
            split: default_split(),
            validation_apart: false,
            eer: EerMethod::default(),
            resamples: DEFAULT_RESAMPLES,
            points: DEFAULT_POINTS,
        }
    }
}

impl VerifyConfig {
    /// The step.
    ///
    /// # Errors
    /// When both splits are one, or there are too many resamples, too many points or a single point.
    pub fn build(&self, context: &BuildContext) -> Result<Verify, StageError> {
        let stage = context.name.clone();
        if self.validation == self.split && !self.validation_apart {
            return Err(VerificationError::OneSplit { stage, split: self.split.clone() }.into());
        }
        for (key, found, most, usual) in [
            ("resamples", self.resamples, MAXIMUM_RESAMPLES, DEFAULT_RESAMPLES),
            ("points", self.points, MAXIMUM_POINTS, DEFAULT_POINTS),
        ] {
            if found > most {
                return Err(EvaluateError::AboveMost { stage, key, most, found, usual }.into());
            }
        }
        if self.points == 1 {
            return Err(VerificationError::OnePoint { stage, usual: DEFAULT_POINTS }.into());
        }
        Ok(Verify { config: self.clone(), seed: context.seed })
    }
}

/// Scores a table of trials.
#[derive(Debug, Clone)]
pub struct Verify {
    config: VerifyConfig,
    seed: u64,
}

impl Aggregate for Verify {
    fn inputs(&self) -> &'static [&'static str] {
        if self.config.validation_apart { &["trials", "validation"] } else { &["trials"] }
    }

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        for name in COLUMNS {
            field(schema, name)?;
        }
        let needed = |index: &usize| COLUMNS.contains(&schema.field(*index).name().as_str());
        Ok((0..schema.fields().len()).filter(needed).collect())
    }

    fn output_schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, StageError> {
        Ok(metrics::schema())
    }

    fn run(&self, inputs: &[&dyn Rows], run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let (trials, apart) = match (inputs, self.config.validation_apart) {
            ([trials], false) => (*trials, None),
            ([trials, validation], true) => (*trials, Some(*validation)),
            _ => return Err(StageError::InputCount { expected: self.inputs(), found: inputs.len() }),
        };
        let split = only_split(trials)?.unwrap_or_else(|| self.config.split.clone());
        let mut collector = Collector::default();
        let mut others: BTreeMap<String, u64> = BTreeMap::new();
        let (mut seen, mut tested) = (false, false);
        for batch in trials.scan() {
            each_trial(&batch?, |trial| {
                if trial.split == split {
                    seen = true;
                    tested |= trial.client_split == trial.split;
                    collector.push(Part::Test, &trial);
                } else if apart.is_none() && trial.split == self.config.validation {
                    collector.push(Part::Validation, &trial);
                } else if let Some(count) = others.get_mut(trial.split) {
                    *count += 1;
                } else {
                    others.insert(trial.split.to_owned(), 1);
                }
            })?;
        }
        if let Some(validation) = apart {
            let split = only_split(validation)?.unwrap_or_else(|| self.config.validation.clone());
            for batch in validation.scan() {
                each_trial(&batch?, |trial| {
                    if trial.split == split {
                        collector.push(Part::Validation, &trial);
                    }
                })?;
            }
        }
        if !tested {
            return Err(self.nothing_to_score(seen, &collector, &others).into());
        }
        let options = VerificationOptions {
            eer: self.config.eer,
            resamples: self.config.resamples,
            points: self.config.points,
            seed: self.seed,
            run: run.to_owned(),
        };
        let mut evaluation = score(collector, &options)?;
        if !others.is_empty() {
            let each: Vec<String> =
                others.iter().map(|(split, count)| format!("`{split}` {count}")).collect();
            evaluation.notes.push(format!("trials of other splits are not scored: {}", each.join(", ")));
        }
        give(metrics::to_batch(&evaluation.metrics))?;
        Ok(Gathered { rejects: evaluation.rejects, notes: evaluation.notes })
    }
}

/// The split of all `trials`, where they have only one.
fn only_split(trials: &dyn Rows) -> Result<Option<String>, StageError> {
    let mut only: Option<String> = None;
    for batch in trials.scan() {
        let batch = batch?;
        for split in strings(&batch, "split")?.iter().flatten() {
            match &only {
                None => only = Some(split.to_owned()),
                Some(first) if first != split => return Ok(None),
                Some(_) => {}
            }
        }
    }
    Ok(only)
}

impl Verify {
    fn nothing_to_score(
        &self,
        seen: bool,
        collector: &Collector,
        others: &BTreeMap<String, u64>,
    ) -> VerificationError {
        let mut present: Vec<String> = others.keys().map(|split| format!("`{split}`")).collect();
        if seen {
            present.push(format!("`{}`", self.config.split));
        }
        if collector.has(Part::Validation) {
            present.push(format!("`{}`", self.config.validation));
        }
        if present.is_empty() {
            return VerificationError::Empty;
        }
        VerificationError::EmptySplit { split: self.config.split.clone(), present: present.join(", ") }
    }
}
