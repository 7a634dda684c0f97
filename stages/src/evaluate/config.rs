//! Evaluation as a stage of a plan: it takes whole tables, not batches.

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use schemas::columns::skeleton_of;
use schemas::skeleton::Skeleton;
use schemas::tables::people::{self, Person};
use serde::{Deserialize, Serialize};

use super::error::EvaluateError;
use super::options::{DEFAULT_RESAMPLES, EvaluateOptions, Evaluation};
use super::pose::evaluate_pose;
use super::protocol::Protocol;
use crate::stage::{BuildContext, StageError};
use schemas::tables::keypoints::{self, PredictedPose};

/// Most resamples that a plan may ask for; 100,000 take minutes and do not narrow the intervals.
pub const MAXIMUM_RESAMPLES: u32 = 100_000;

/// Keys of the step `evaluate`.
///
/// ```
/// let plan = "protocols = ['mpii-official', 'mpii-hrnet']\nsplit = 'validation'";
/// let config: stages::evaluate::EvaluateConfig = toml::from_str(plan)?;
/// assert_eq!(config.resamples, 1000);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConfig {
    /// The protocols to score by, one or more.
    pub protocols: Vec<Protocol>,
    /// Only people of this split of the truth; by default everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// How often people are resampled for the 95 % intervals; 0 for none. 1000 by default.
    #[serde(default = "default_resamples")]
    pub resamples: u32,
}

fn default_resamples() -> u32 {
    DEFAULT_RESAMPLES
}

impl EvaluateConfig {
    /// The step.
    ///
    /// # Errors
    /// When no protocol is named, one is named twice, or there are too many resamples.
    pub fn build(&self, context: &BuildContext) -> Result<Evaluate, StageError> {
        let stage = context.name.clone();
        if self.protocols.is_empty() {
            return Err(EvaluateError::NoProtocol { stage }.into());
        }
        let twice = |at: usize| self.protocols[..at].contains(&self.protocols[at]);
        if let Some(at) = (0..self.protocols.len()).find(|&at| twice(at)) {
            return Err(EvaluateError::ProtocolTwice { stage, protocol: self.protocols[at] }.into());
        }
        if self.resamples > MAXIMUM_RESAMPLES {
            let (most, found, usual) = (MAXIMUM_RESAMPLES, self.resamples, DEFAULT_RESAMPLES);
            return Err(EvaluateError::AboveMost { stage, key: "resamples", most, found, usual }.into());
        }
        Ok(Evaluate { config: self.clone(), seed: context.seed })
    }
}

/// Scores tables by the protocols of its configuration.
#[derive(Debug, Clone)]
pub struct Evaluate {
    config: EvaluateConfig,
    seed: u64,
}

impl Evaluate {
    /// The whole table `people` and the whole table `keypoints`, in batches, scored by each protocol in turn.
    ///
    /// `run` is the hash of the run, written into every row. If several protocols give the same note or reject,
    /// it is listed once for each, with its name.
    ///
    /// # Errors
    /// When a table lacks a column or mixes skeletons, and as [`evaluate_pose`].
    pub fn score(
        &self,
        truth: &[RecordBatch],
        predictions: &[RecordBatch],
        run: &str,
    ) -> Result<Evaluation, EvaluateError> {
        let (truth, truth_skeleton) = read_truth(truth)?;
        let (predictions, prediction_skeleton) = read_predictions(predictions)?;
        let mut all = Evaluation::default();
        for protocol in &self.config.protocols {
            let options = EvaluateOptions {
                protocol: *protocol,
                split: self.config.split.clone(),
                resamples: self.config.resamples,
                seed: self.seed,
                run: run.to_owned(),
            };
            let one = evaluate_pose(&truth, truth_skeleton, &predictions, prediction_skeleton, &options)?;
            all.metrics.extend(one.metrics);
            all.notes.extend(one.notes.into_iter().map(|note| format!("{protocol}: {note}")));
            all.rejects.extend(one.rejects.into_iter().map(|mut reject| {
                reject.detail = format!("{protocol}: {}", reject.detail);
                reject
            }));
        }
        Ok(all)
    }
}

fn read_truth(batches: &[RecordBatch]) -> Result<(Vec<Person>, &'static Skeleton), EvaluateError> {
    let skeleton = one_skeleton(batches, "truth")?;
    let mut people = Vec::new();
    for batch in batches {
        people.extend(people::from_batch(batch)?);
    }
    Ok((people, skeleton))
}

fn read_predictions(
    batches: &[RecordBatch],
) -> Result<(Vec<PredictedPose>, &'static Skeleton), EvaluateError> {
    let skeleton = one_skeleton(batches, "prediction")?;
    let mut poses = Vec::new();
    for batch in batches {
        poses.extend(keypoints::from_batch(batch)?);
    }
    Ok((poses, skeleton))
}

fn one_skeleton(batches: &[RecordBatch], side: &'static str) -> Result<&'static Skeleton, EvaluateError> {
    let first = batches.first().ok_or(EvaluateError::Empty { side })?;
    let skeleton = skeleton_of(first.schema_ref())?;
    for batch in batches {
        let other = skeleton_of(batch.schema_ref())?;
        if other != skeleton {
            return Err(EvaluateError::MixedSkeletons { side, first: skeleton.name, other: other.name });
        }
    }
    Ok(skeleton)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::person;
    use super::*;
    use schemas::skeleton::{LSP14, MPII16};

    fn context() -> BuildContext {
        BuildContext { name: "score".into(), seed: 1, threads: 1, folder: ".".into() }
    }

    fn parsed(plan: &str) -> Result<EvaluateConfig, toml::de::Error> {
        toml::from_str(plan)
    }

    #[test]
    fn a_plan_is_checked_where_it_stands() {
        let error = parsed("protocols = ['mpii']").unwrap_err().to_string();
        assert!(error.contains("`mpii-official`") && error.contains("protocols = ['mpii']"), "{error}");
        assert!(parsed("protocol = 'mpii-official'").is_err());
        let build = |plan: &str| parsed(plan).unwrap().build(&context());
        assert!(build("protocols = []").unwrap_err().hint().unwrap().contains("`lsp-pck`"));
        assert!(build("protocols = ['lsp-pck', 'lsp-pck']").is_err());
        assert!(build("protocols = ['lsp-pck']\nresamples = 1000000").is_err());
    }

    #[test]
    fn tables_of_two_skeletons_are_refused() {
        let step = parsed("protocols = ['lsp-pck']").unwrap().build(&context()).unwrap();
        let mpii = people::to_batch(&MPII16, &[person("a", 1)]);
        let lsp = people::to_batch(&LSP14, &[]);
        let error = step.score(&[mpii, lsp], &[], "").unwrap_err();
        assert!(error.to_string().contains("`mpii16` and `lsp14`"), "{error}");
    }
}
