//! `adapt`: each client's model, from the background model and the client's enrolment.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::tables::embeddings;
use schemas::tables::models::{self, Mixture, matrix_shape};
use schemas::units::Positive;
use serde::{Deserialize, Serialize};

use super::density::Densities;
use super::enrolment::{Clients, client_sums, pick_clients};
use super::error::VerifyError;
use super::fitted::background;
use super::frames::{ENROLMENT, Frames, ROLE, needed_columns};
use super::gaussians::Gaussians;
use super::map::{self, Adaptation};
use super::statistics::Statistics;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};

/// Relevance factor of the Abacus system, as recalled, not verified; Reynolds, Quatieri and Dunn (2000) use 16.
pub const RELEVANCE: Positive = Positive::constant(4.0);
/// Clients' models that are handed on at a time.
const CLIENTS_PER_BATCH: usize = 16;

/// A part of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// The means of the Gaussians.
    Means,
    /// Their weights.
    Weights,
    /// Their variances.
    Variances,
}

/// Keys of the stage `adapt`.
///
/// ```
/// let config: stages::verify::AdaptConfig = toml::from_str("cohort = 'train'")?;
/// assert_eq!((config.relevance.get(), config.splits.len()), (4.0, 2));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptConfig {
    /// What is adapted; by default `means`.
    pub parameters: Vec<Parameter>,
    /// r, in frames: with this many frames a component is halfway between background and client; by default 4.
    pub relevance: Positive,
    /// The splits whose subjects are clients; by default `validation` and `test`.
    pub splits: Vec<String>,
    /// A split whose subjects become clients only to normalise scores; the background model may have seen them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// Whether the background model may have seen any client; by default `false`.
    pub allow_seen: bool,
}

impl Default for AdaptConfig {
    fn default() -> Self {
        Self {
            parameters: vec![Parameter::Means],
            relevance: RELEVANCE,
            splits: vec!["validation".to_owned(), "test".to_owned()],
            cohort: None,
            allow_seen: false,
        }
    }
}

impl AdaptConfig {
    /// The step.
    ///
    /// # Errors
    /// When nothing is to be adapted, or no split is named.
    pub fn build(&self, context: &BuildContext) -> Result<Adapt, StageError> {
        let stage = context.name.clone();
        if self.parameters.is_empty() {
            return Err(StageError::step(VerifyError::AdaptsNothing { stage }));
        }
        let mut splits = self.splits.clone();
        splits.extend(self.cohort.iter().filter(|cohort| !self.splits.contains(cohort)).cloned());
        if splits.is_empty() {
            return Err(StageError::step(VerifyError::NoSplits { stage }));
        }
        let has = |parameter| self.parameters.contains(&parameter);
        let adaptation = Adaptation {
            relevance: self.relevance.get(),
            means: has(Parameter::Means),
            weights: has(Parameter::Weights),
            variances: has(Parameter::Variances),
        };
        let (cohort, allow_seen) = (self.cohort.clone(), self.allow_seen);
        Ok(Adapt { name: stage, adaptation, splits, cohort, allow_seen })
    }
}

/// Adapts a [`Mixture`] for each subject with rows of role `enrolment`, in order of name; other rows are ignored.
///
/// The sums of all clients are held at once: M (1 + D) numbers each, or M (1 + 2 D) with variances, and twice as many of
/// a client whose rows lie in several units.
#[derive(Debug, Clone)]
pub struct Adapt {
    name: String,
    adaptation: Adaptation,
    splits: Vec<String>,
    cohort: Option<String>,
    allow_seen: bool,
}

impl AllRows for Adapt {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["embeddings", "background"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            return needed_columns(schema, &["split", "subject", ROLE]);
        }
        matrix_shape(schema, "means")?;
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        let [components, dimensions] = matrix_shape(inputs[1], "means")?;
        same_dimensions(dimensions, embeddings::dimensions(inputs[0])?)?;
        Ok(models::mixture_schema(components, dimensions))
    }

    fn run(&self, inputs: [&dyn Rows; 2], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schema = self.output_schema([&inputs[0].schema(), &inputs[1].schema()])?;
        let (model, background) = background(inputs[1])?;
        let densities = Densities::new(&background);
        let mut found = Clients::new();
        let mut left_alone = 0;
        let pick = |batch: &RecordBatch| {
            let picked = pick_clients(batch, &self.splits, &mut found)?;
            left_alone += picked.iter().filter(|client| client.is_none()).count();
            Ok(picked)
        };
        let mut frames = Frames::new(inputs[0], densities.dimensions(), &self.name, Box::new(pick));
        let sums = client_sums(&mut frames, &densities, self.adaptation.order())?;
        let mut gathered = Gathered { rejects: std::mem::take(&mut frames.rejects), notes: Vec::new() };
        drop(frames);
        let mut clients: Vec<_> = found.into_iter().collect();
        clients.sort();
        self.check_unseen(&clients, &model, &mut gathered)?;
        self.give(&clients, &sums, &background, &schema, give, &mut gathered)?;
        if left_alone > 0 {
            let note = format!("{left_alone} rows of other roles and splits are left alone");
            gathered.notes.push(note);
        }
        Ok(gathered)
    }
}

impl Adapt {
    /// Whether the background model has seen a client that it must not have seen.
    fn check_unseen(
        &self,
        clients: &[((String, String), u64)],
        background: &Mixture,
        gathered: &mut Gathered,
    ) -> Result<(), StageError> {
        let subjects: HashSet<&String> = background.subjects.iter().collect();
        let seen: Vec<&str> = clients
            .iter()
            .filter(|((_, split), _)| Some(split) != self.cohort.as_ref())
            .filter(|((name, _), _)| subjects.contains(name))
            .map(|((name, _), _)| name.as_str())
            .collect();
        let Some(first) = seen.first() else { return Ok(()) };
        let error = VerifyError::Seen { count: seen.len(), first: (*first).to_owned() };
        if !self.allow_seen {
            return Err(StageError::step(error));
        }
        gathered.notes.push(error.to_string());
        Ok(())
    }

    fn give(
        &self,
        clients: &[((String, String), u64)],
        sums: &[Option<Statistics>],
        background: &Gaussians,
        schema: &SchemaRef,
        give: &mut Give<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), StageError> {
        // A client whose frames were all rejected has no sums.
        let enrolled = |number: u64| sums.get(number as usize).and_then(Option::as_ref);
        let (with, without): (Vec<_>, Vec<_>) =
            clients.iter().partition(|(_, number)| enrolled(*number).is_some());
        if with.is_empty() {
            let splits = quoted(&self.splits);
            return Err(StageError::step(VerifyError::NoEnrolment { role: ENROLMENT, splits }));
        }
        for ((name, split), _) in without {
            gathered
                .notes
                .push(format!("`{name}` of split `{split}` has no frame to adapt with and is not a client"));
        }
        for group in with.chunks(CLIENTS_PER_BATCH) {
            let adapted: Result<Vec<Mixture>, StageError> = group
                .par_iter()
                .filter_map(|((name, split), number)| enrolled(*number).map(|sums| (name, split, sums)))
                .map(|(name, split, sums)| {
                    let mixture = map::adapt(background, sums, self.adaptation)?.to_mixture(sums.frames);
                    Ok(Mixture { client: Some(name.clone()), split: Some(split.clone()), ..mixture })
                })
                .collect();
            give(Mixture::to_batch(schema, &adapted?))?;
        }
        gathered.notes.push(format!("{} clients", with.len()));
        Ok(())
    }
}

/// Names in backquotes with commas between.
pub fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether mixtures over `dimensions` numbers fit embeddings of `found`.
///
/// # Errors
/// When they do not.
pub fn same_dimensions(dimensions: usize, found: usize) -> Result<(), StageError> {
    if dimensions == found {
        return Ok(());
    }
    let (model, rows) = ("background model", "embeddings");
    Err(StageError::step(VerifyError::MixtureWidth { model, dimensions, rows, found }))
}
