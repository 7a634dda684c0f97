//! `score`: every client's model against every probe, as a log-likelihood ratio.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::tables::embeddings;
use schemas::tables::models::matrix_shape;
use serde::{Deserialize, Serialize};

use super::adapt::same_dimensions;
use super::client_trials::Scorer;
use super::error::VerifyError;
use super::fitted::{Client, background, clients};
use super::frames::{PROBE, ROLE, needed_columns};
use super::pools::Pool;
use super::ratio::Background;
use super::survey::Survey;
use super::trial_rows;
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError};

/// The model's name if the embeddings do not say what made them.
pub const MODEL: &str = "gmm-ubm";

/// How the ratios of a pool's frames become one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean: a ratio per frame, on the same scale for long and short probes.
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreConfig {
    /// What one score is for: `session`, `sequence` or `frame`; by default `session`.
    pub pool: Pool,
    /// How frames are pooled: `mean`.
    pub pooling: Pooling,
    /// A split whose clients and probes are used to normalise scores; the trials for `z`, `t` and `zt` are made
    /// too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// How many components are evaluated for a frame, the likeliest of the background model; by default 0, all. With
    /// 5 or more scores hardly change (Reynolds, Quatieri, Dunn 2000).
    pub fast_components: u32,
    /// Name of the system in the trials; by default the embeddings' model and `gmm-ubm`.
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

/// Tests every client of a split on every probe of that split; a trial is genuine if client and subject have
/// the same name.
///
/// With a cohort also every client on the cohort's probes, and the cohort's clients on every probe, but never a
/// client on probes of the same subject. Holds all clients' models and a sum
/// for each client and pool of one split; where each frame is a pool, of those frames that are read at a time.
#[derive(Debug, Clone)]
pub struct Score {
    config: ScoreConfig,
    name: String,
}

impl AllRows for Score {
    type Count = Number<3>;

    const INPUTS: &'static [&'static str; 3] = &["embeddings", "clients", "background"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            let names =
                ["dataset", "split", "subject", "device", "session", "segment", "sequence", "frame", ROLE];
            return needed_columns(schema, &names);
        }
        matrix_shape(schema, "means")?;
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 3]) -> Result<SchemaRef, StageError> {
        let [components, dimensions] = matrix_shape(inputs[2], "means")?;
        same_dimensions(dimensions, embeddings::dimensions(inputs[0])?)?;
        let clients = matrix_shape(inputs[1], "means")?;
        if clients != [components, dimensions] {
            let background = [components, dimensions];
            return Err(StageError::step(VerifyError::OtherBackground { clients, background }));
        }
        Ok(trial_rows::schema(self.config.pool.fine()))
    }

    fn run(&self, inputs: [&dyn Rows; 3], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schemas: Vec<SchemaRef> = inputs.iter().map(|rows| rows.schema()).collect();
        self.output_schema([&schemas[0], &schemas[1], &schemas[2]])?;
        let background = background(inputs[2])?.1;
        let clients = clients(inputs[1], &background)?;
        let survey = Survey::new(inputs[0])?;
        let splits = self.splits(&clients, &survey)?;
        let scorer = Scorer {
            stage: &self.name,
            background: Background::new(&background, self.config.fast_components as usize),
            dimensions: background.dimensions(),
            pool: self.config.pool,
            cohort: self.config.cohort.as_deref(),
            model: self.model(&schemas[0]),
        };
        let mut gathered = Gathered::default();
        let probes: u64 = splits.iter().filter_map(|split| survey.probes.get(split)).sum();
        if probes < survey.rows {
            let left = survey.rows - probes;
            gathered.notes.push(format!("{left} rows of other roles and splits are not scored"));
        }
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
            return Err(StageError::step(VerifyError::OnlyCohort { stage: self.name.clone() }));
        }
        if let Some(cohort) = &self.config.cohort {
            if !of_clients.contains(cohort.as_str()) {
                let (stage, cohort) = (self.name.clone(), cohort.clone());
                return Err(StageError::step(VerifyError::NoCohort { stage, cohort }));
            }
            splits.push(cohort.clone());
        }
        if let Some(split) = splits.iter().find(|split| !survey.probes.contains_key(*split)) {
            let (stage, split) = (self.name.clone(), split.clone());
            return Err(StageError::step(VerifyError::NoProbes { stage, split, role: PROBE }));
        }
        Ok(splits)
    }

    fn model(&self, embeddings: &SchemaRef) -> String {
        let features = embeddings.metadata().get(embeddings::MODEL_KEY).filter(|name| !name.is_empty());
        let made = || features.map_or_else(|| MODEL.to_owned(), |features| format!("{features} {MODEL}"));
        self.config.model.clone().unwrap_or_else(made)
    }
}
