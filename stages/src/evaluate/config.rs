//! Evaluation as a stage of a plan: it takes whole tables, not batches.

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use schemas::columns::skeleton_of;
use schemas::skeleton::Skeleton;
use schemas::tables::{keypoints, people};
use serde::{Deserialize, Serialize};

use super::error::EvaluateError;
use super::oks::Sigmas;
use super::options::{DEFAULT_RESAMPLES, EvaluateOptions, Evaluation};
use super::protocol::Protocol;
use super::scoring::Scoring;
use super::truth::{Needs, Truth};
use crate::stage::{BuildContext, Rows, StageError};

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
    /// How often people, or pictures, are resampled for the 95 % intervals; 0 for none. 1000 by default.
    #[serde(default = "default_resamples")]
    pub resamples: u32,
    /// For `coco-oks`: spreads of joints by name, in parts of the square root of the person's area, instead of the
    /// skeleton's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigmas: Option<Sigmas>,
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
        if self.sigmas.is_some() && !self.protocols.contains(&Protocol::CocoOks) {
            let names: Vec<String> = self.protocols.iter().map(|protocol| format!("`{protocol}`")).collect();
            return Err(EvaluateError::SigmasUnused { stage, protocols: names.join(", ") }.into());
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
    /// The protocols to score by.
    pub(super) fn protocols(&self) -> &[Protocol] {
        &self.config.protocols
    }

    /// Spreads of joints that are not the skeleton's own.
    pub(super) fn sigmas(&self) -> Sigmas {
        self.config.sigmas.clone().unwrap_or_default()
    }

    /// Whether a protocol looks at the numbers that heatmaps give.
    pub(super) fn needs_evidence(&self) -> bool {
        self.config.protocols.contains(&Protocol::Presence)
    }

    /// The tables `people` and `keypoints`, scored by each protocol in turn. Each is read once, batch by batch.
    ///
    /// `run` is the hash of the run, written into every row. If several protocols give the same note or reject,
    /// it is listed once for each, with its name.
    ///
    /// # Errors
    /// When a table cannot be read, lacks a column or mixes skeletons, and as [`super::evaluate_pose`].
    pub fn score(
        &self,
        truth: &dyn Rows,
        predictions: &dyn Rows,
        run: &str,
    ) -> Result<Evaluation, StageError> {
        let options: Vec<EvaluateOptions> = self
            .config
            .protocols
            .iter()
            .map(|protocol| EvaluateOptions {
                protocol: *protocol,
                split: self.config.split.clone(),
                resamples: self.config.resamples,
                seed: self.seed,
                run: run.to_owned(),
                sigmas: match protocol {
                    Protocol::CocoOks => self.sigmas(),
                    _ => Sigmas::new(),
                },
            })
            .collect();
        let needs = Needs::of(self.config.protocols.iter().copied());
        let mut kept: Option<Truth> = None;
        each_batch(truth, "truth", |batch, skeleton| {
            let kept = kept.get_or_insert_with(|| Truth::new(skeleton, needs));
            Ok(people::from_batch(batch)?.iter().try_for_each(|person| kept.add(person))?)
        })?;
        let mut kept = Some(kept.ok_or(EvaluateError::Empty { side: "truth" })?);
        let mut scoring: Option<Scoring<'_>> = None;
        each_batch(predictions, "prediction", |batch, skeleton| {
            if let Some(truth) = kept.take() {
                scoring = Some(Scoring::new(truth, skeleton, &options)?);
            }
            let Some(scoring) = &mut scoring else { return Ok(()) };
            Ok(keypoints::from_batch(batch)?.iter().try_for_each(|pose| scoring.add(pose))?)
        })?;
        let scored = scoring.ok_or(EvaluateError::Empty { side: "prediction" })?.finish()?;
        let mut all = Evaluation::default();
        for (protocol, one) in self.config.protocols.iter().zip(scored) {
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

/// Hands each batch of `rows` to `each`, with the skeleton that all follow.
fn each_batch(
    rows: &dyn Rows,
    side: &'static str,
    mut each: impl FnMut(&RecordBatch, &'static Skeleton) -> Result<(), StageError>,
) -> Result<(), StageError> {
    let mut first: Option<&'static Skeleton> = None;
    for batch in rows.scan() {
        let batch = batch?;
        let other = skeleton_of(batch.schema_ref())?;
        let skeleton = *first.get_or_insert(other);
        if other != skeleton {
            let (first, other) = (skeleton.name, other.name);
            return Err(EvaluateError::MixedSkeletons { side, first, other }.into());
        }
        each(&batch, skeleton)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::evaluate_pose;
    use super::super::fixtures::{noisy_prediction, person};
    use super::*;
    use schemas::skeleton::{LSP14, MPII16};
    use schemas::tables::keypoints::PredictedPose;
    use schemas::tables::people::{Person, Pose};
    use schemas::tables::rejects::Reject;

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
    fn batches_do_not_show_and_each_protocol_scores_as_if_alone() {
        let mut truth: Vec<Person> = (0..40).map(|n| person(&format!("p{n:02}"), n)).collect();
        truth[3].pose = Pose::unknown(16);
        truth[5].head_box = None;
        truth[7].split = "train".into();
        let mut poses: Vec<PredictedPose> = Vec::new();
        for person in truth.iter().skip(2) {
            let pose = PredictedPose { score: Some(vec![0.3; 16]), ..noisy_prediction(person, 1, 9.0) };
            poses.push(PredictedPose { head: 2, ..pose.clone() });
            poses.push(pose);
        }
        poses.push(PredictedPose { sample_id: "stranger".into(), ..poses[0].clone() });
        poses.reverse();
        let plan =
            "protocols = ['mpii-official', 'presence', 'mpii-groups']\nsplit = 'validation'\nresamples = 20";
        let step = parsed(plan).unwrap().build(&context()).unwrap();
        let cut = |batch: RecordBatch, size: usize| -> Vec<RecordBatch> {
            let starts = (0..batch.num_rows()).step_by(size);
            starts.map(|start| batch.slice(start, size.min(batch.num_rows() - start))).collect()
        };
        let scored = |size: usize| {
            let tables = (people::to_batch(&MPII16, &truth), keypoints::to_batch(&MPII16, &poses));
            step.score(&cut(tables.0, size), &cut(tables.1, size), "run").unwrap()
        };
        let mut expected = Evaluation::default();
        for protocol in [Protocol::MpiiOfficial, Protocol::Presence, Protocol::MpiiGroups] {
            let split = Some("validation".to_owned());
            let options = EvaluateOptions {
                split,
                resamples: 20,
                seed: 1,
                run: "run".into(),
                ..EvaluateOptions::new(protocol)
            };
            let alone = evaluate_pose(&truth, &MPII16, &poses, &MPII16, &options).unwrap();
            expected.metrics.extend(alone.metrics);
            expected.notes.extend(alone.notes.iter().map(|note| format!("{protocol}: {note}")));
            expected.rejects.extend(alone.rejects.into_iter().map(|reject| {
                let detail = format!("{protocol}: {}", reject.detail);
                Reject { detail, ..reject }
            }));
        }
        assert_eq!(expected.rejects.len(), 2);
        assert!(expected.notes.iter().any(|note| note.contains("2 of 38 people have no prediction")));
        assert!(expected.notes.iter().any(|note| note.contains("head 2: 1 predictions belong to nobody")));
        for size in [1, 7, 1000] {
            assert_eq!(scored(size), expected, "batches of {size} rows");
        }
    }

    #[test]
    fn tables_without_rows_are_named() {
        let step = parsed("protocols = ['mpii-official']").unwrap().build(&context()).unwrap();
        let people = vec![people::to_batch(&MPII16, &[person("a", 1)])];
        let refused = |truth: &Vec<RecordBatch>, poses: &Vec<RecordBatch>| {
            step.score(truth, poses, "").unwrap_err().to_string()
        };
        assert_eq!(refused(&Vec::new(), &Vec::new()), "there are no truth rows to score");
        assert_eq!(refused(&people, &Vec::new()), "there are no prediction rows to score");
        let none = vec![keypoints::to_batch(&MPII16, &[])];
        assert_eq!(refused(&people, &none), "there are no prediction rows to score");
    }

    #[test]
    fn tables_of_two_skeletons_are_refused() {
        let step = parsed("protocols = ['lsp-pck']").unwrap().build(&context()).unwrap();
        let mpii = people::to_batch(&MPII16, &[person("a", 1)]);
        let lsp = people::to_batch(&LSP14, &[]);
        let error = step.score(&vec![mpii, lsp], &Vec::new(), "").unwrap_err();
        assert!(error.to_string().contains("`mpii16` and `lsp14`"), "{error}");
    }
}
