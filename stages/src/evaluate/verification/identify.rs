//! Identification as a stage of a plan: class scores of `embeddings` in, rows of `metrics` out.

use std::collections::HashSet;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, integers, strings};
use schemas::tables::embeddings::{self, CLASSES_KEY, EMBEDDING, MODEL_KEY};
use schemas::tables::metrics::{self, Metric};
use schemas::tables::rejects::{Reject, total_rows};
use schemas::units::Probability;
use serde::{Deserialize, Serialize};

use super::super::bootstrap::intervals;
use super::super::error::EvaluateError;
use super::error::VerificationError;
use super::identification::{DEFAULT_SHARE, Rounding, classes_counted};
use super::score::DEFAULT_RESAMPLES;
use super::tally::{Frame, Hits, Ranked, Tables, Tally};
use super::verify::MAXIMUM_RESAMPLES;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, reject};

/// Protocol of the rows.
pub const PROTOCOL: &str = "identification";

/// Keys of the step `identify`.
///
/// ```
/// use stages::evaluate::verification::{IdentifyConfig, Ranked, Rounding};
/// let config: IdentifyConfig = toml::from_str("split = 'validation'")?;
/// assert_eq!((config.share.get(), config.rounding, config.pool), (0.05, Rounding::Up, Ranked::Frame));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifyConfig {
    /// Share of the classes that count as the top, above 0; by default 0.05.
    #[serde(default = "default_share")]
    pub share: Probability,
    /// How the share becomes a number of classes: `up`, `down` or `nearest`; by default `up`.
    #[serde(default)]
    pub rounding: Rounding,
    /// Only rows of this split; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// What is ranked: `frame` or `sequence`; by default `frame`.
    #[serde(default)]
    pub pool: Ranked,
    /// How often subjects are resampled for the 95 % intervals; 0 for none. 1000 by default.
    #[serde(default = "default_resamples")]
    pub resamples: u32,
}

fn default_share() -> Probability {
    Probability::constant(DEFAULT_SHARE)
}

fn default_resamples() -> u32 {
    DEFAULT_RESAMPLES
}

impl IdentifyConfig {
    /// The step.
    ///
    /// # Errors
    /// When the share is zero or there are too many resamples.
    pub fn build(&self, context: &BuildContext) -> Result<Identify, StageError> {
        let stage = context.name.clone();
        if self.share.get() == 0.0 {
            return Err(VerificationError::NoShare { stage }.into());
        }
        if self.resamples > MAXIMUM_RESAMPLES {
            let (most, found, usual) = (MAXIMUM_RESAMPLES, self.resamples, DEFAULT_RESAMPLES);
            return Err(EvaluateError::AboveMost { stage, key: "resamples", most, found, usual }.into());
        }
        Ok(Identify { config: self.clone(), name: stage, seed: context.seed })
    }
}

/// Evaluates class scores by the share of frames or sequences whose right class is on top.
#[derive(Debug, Clone)]
pub struct Identify {
    config: IdentifyConfig,
    name: String,
    seed: u64,
}

/// Text columns that are needed, then whole numbers.
const COLUMNS: ([&str; 5], [&str; 3]) =
    (["dataset", "split", "subject", "device", "session"], ["segment", "sequence", "copy"]);

impl AllRows for Identify {
    type Count = Number<1>;

    const INPUTS: &'static [&'static str; 1] = &["embeddings"];

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        classes(schema)?;
        for name in COLUMNS.0.iter().chain(&COLUMNS.1) {
            field(schema, name)?;
        }
        let useful = ["sample_id", "source_file", EMBEDDING];
        let needed = |index: &usize| {
            let name = schema.field(*index).name().as_str();
            COLUMNS.0.contains(&name) || COLUMNS.1.contains(&name) || useful.contains(&name)
        };
        Ok((0..schema.fields().len()).filter(needed).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        inputs.iter().try_for_each(|schema| classes(schema).map(|_| ()))?;
        Ok(metrics::schema())
    }

    fn run(&self, [rows]: [&dyn Rows; 1], run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schema = rows.schema();
        let classes = classes(&schema)?;
        let counted = classes_counted(classes.len(), self.config.share.get(), self.config.rounding);
        let mut tally = Tally::new(&classes, counted, self.config.pool);
        let (mut rejects, mut other_splits) = (Vec::new(), 0_u64);
        for batch in rows.scan_units() {
            let (unit, batch) = batch?;
            self.take((unit, &batch), &mut tally, &mut rejects, &mut other_splits)?;
        }
        let model = schema.metadata().get(MODEL_KEY).cloned().unwrap_or_default();
        let metrics = self.metrics(tally.finish(), counted, &model, run)?;
        let mut notes = vec![format!(
            "the top {} % of {} classes are {counted}, rounded {}",
            100.0 * self.config.share.get(),
            classes.len(),
            self.config.rounding.name()
        )];
        if let (Some(split), 1..) = (&self.config.split, other_splits) {
            notes.push(format!("{other_splits} frames are of other splits than `{split}`; not scored"));
        }
        if !rejects.is_empty() {
            notes.push(format!("{} frames cannot be scored", total_rows(&rejects)));
        }
        give(metrics::to_batch(&metrics))?;
        Ok(Gathered { rejects, notes })
    }
}

/// The subjects that the numbers of an embedding are scores of, `[D]`.
fn classes(schema: &Schema) -> Result<Vec<String>, StageError> {
    let text = schema.metadata().get(CLASSES_KEY).ok_or(VerificationError::NoClasses)?;
    let classes: Vec<String> = serde_json::from_str(text)
        .map_err(|error| VerificationError::ClassList { error: error.to_string() })?;
    let scores = embeddings::dimensions(schema)?;
    if classes.len() != scores || classes.is_empty() {
        return Err(VerificationError::ClassCount { classes: classes.len(), scores }.into());
    }
    let names: HashSet<&String> = classes.iter().collect();
    if names.len() < classes.len() {
        let (names, classes) = (names.len(), classes.len());
        return Err(VerificationError::ClassNames { names, classes }.into());
    }
    Ok(classes)
}

impl Identify {
    fn take(
        &self,
        (unit, batch): (u64, &RecordBatch),
        tally: &mut Tally<'_>,
        rejects: &mut Vec<Reject>,
        other_splits: &mut u64,
    ) -> Result<(), StageError> {
        let mut texts: Vec<&StringArray> = Vec::new();
        for name in COLUMNS.0 {
            texts.push(strings(batch, name)?);
        }
        let mut wholes = Vec::new();
        for name in COLUMNS.1 {
            wholes.push(integers(batch, name)?);
        }
        let values = embeddings::values(batch)?;
        let width = embeddings::dimensions(batch.schema_ref())?;
        for (row, scores) in values.chunks_exact(width).enumerate() {
            let text = |at: usize| if texts[at].is_valid(row) { texts[at].value(row) } else { "" };
            let [dataset, split, subject] = [0, 1, 2].map(text);
            if self.config.split.as_deref().is_some_and(|wanted| wanted != split) {
                *other_splits += 1;
                continue;
            }
            let mut refuse = |reason: &str, detail: String| {
                push_merged(rejects, reject(batch, row, &self.name, reason, detail));
            };
            let Some(class) = tally.class_of(subject) else {
                let count = width;
                refuse("not among the classes", format!("`{subject}` is none of the {count} subjects"));
                continue;
            };
            if let Some(at) = scores.iter().position(|score| !score.is_finite()) {
                refuse("score not finite", format!("score {at} of {width} is `{}`", scores[at]));
                continue;
            }
            let frame = Frame {
                dataset,
                split,
                subject,
                of: [text(3), text(4)],
                numbers: [0, 1, 2].map(|at| wholes[at].value(row)),
            };
            tally.push(unit, &frame, class, scores)?;
        }
        Ok(())
    }

    fn metrics(
        &self,
        tables: Tables,
        counted: usize,
        model: &str,
        run: &str,
    ) -> Result<Vec<Metric>, StageError> {
        if tables.is_empty() {
            return Err(VerificationError::NoScores { split: self.config.split.clone() }.into());
        }
        let mut metrics = Vec::new();
        for ([dataset, split], subjects) in tables {
            let hits: Vec<Hits> = subjects.into_values().collect();
            let statistic = |weights: &[u32]| {
                let sum = |get: fn(&Hits) -> u64| -> f64 {
                    hits.iter().zip(weights).map(|(hits, weight)| get(hits) * u64::from(*weight)).sum::<u64>()
                        as f64
                };
                let all = sum(|hits| hits.rows);
                vec![100.0 * sum(|hits| hits.top_share) / all, 100.0 * sum(|hits| hits.top_one) / all]
            };
            let values = statistic(&vec![1; hits.len()]);
            let ends = match self.config.resamples {
                0 => vec![None; values.len()],
                resamples => intervals(hits.len(), resamples, self.seed, &values, statistic),
            };
            let count: u64 = hits.iter().map(|hits| hits.rows).sum();
            let names = [("top_share_accuracy", counted), ("top_1_accuracy", 1)];
            for ((metric, threshold), (value, ends)) in names.into_iter().zip(values.into_iter().zip(ends)) {
                metrics.push(Metric {
                    protocol: PROTOCOL.to_owned(),
                    dataset: dataset.clone(),
                    split: if split.is_empty() { "all".to_owned() } else { split.clone() },
                    metric: metric.to_owned(),
                    joint: None,
                    group: Some(self.config.pool.name().to_owned()),
                    threshold: Some(threshold as f64),
                    value,
                    count: count as i64,
                    ci_low: ends.map(|[low, _]| low),
                    ci_high: ends.map(|[_, high]| high),
                    model: model.to_owned(),
                    head: None,
                    run: run.to_owned(),
                });
            }
        }
        Ok(metrics)
    }
}

/// Adds `reject`, or counts it with the one before where they differ in nothing.
fn push_merged(rejects: &mut Vec<Reject>, reject: Reject) {
    match rejects.last_mut() {
        Some(last) if (Reject { rows: reject.rows, ..last.clone() }) == reject => last.rows += reject.rows,
        _ => rejects.push(reject),
    }
}
