//! Who counts, and by which protocols.

use std::collections::HashSet;

use ::report::page::disagreeing;
use schemas::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::metrics::Metric;
use schemas::tables::people::Person;
use stages::StageError;
use stages::evaluate::{EvaluateOptions, Protocol, evaluate_pose};

use crate::cli::ReportArgs;

/// People and their predictions, before it is decided who counts.
pub(super) struct Pair<'a> {
    /// Everybody.
    pub people: &'a [Person],
    /// Their skeleton.
    pub truth_skeleton: &'static Skeleton,
    /// The predictions of one model.
    pub predictions: &'a [PredictedPose],
    /// Their skeleton.
    pub skeleton: &'static Skeleton,
}

impl Pair<'_> {
    /// The people with a prediction, where the run's metric table counted only those. `None` where everybody counts;
    /// then people without a prediction count as wrong.
    pub(super) fn only_predicted(
        &self,
        metrics: &[Metric],
        protocol: Protocol,
    ) -> anyhow::Result<Option<Vec<Person>>> {
        let model = self.predictions.first().map(|pose| pose.model.as_str()).unwrap_or_default();
        let of_run = |row: &&Metric| row.protocol == protocol.name() && row.model == model;
        let stored: Vec<Metric> = metrics.iter().filter(of_run).cloned().collect();
        let ids: HashSet<&str> = self.predictions.iter().map(|pose| pose.sample_id.as_str()).collect();
        let has = |person: &&Person| ids.contains(person.sample_id.as_str());
        if stored.is_empty() || self.people.iter().all(|person| has(&person)) {
            return Ok(None);
        }
        let options = EvaluateOptions { resamples: 0, ..EvaluateOptions::new(protocol) };
        let agrees = |truth: &[Person]| -> anyhow::Result<bool> {
            let scored = evaluate_pose(truth, self.truth_skeleton, self.predictions, self.skeleton, &options)
                .map_err(StageError::from)?;
            Ok(disagreeing(&stored, &scored.metrics) == 0)
        };
        let predicted: Vec<Person> = self.people.iter().filter(has).cloned().collect();
        Ok((!agrees(self.people)? && agrees(&predicted)?).then_some(predicted))
    }
}

/// The protocols to score by: those of the flags, else those of the run's metric table, else the usual one of the data
/// set.
pub(super) fn protocols(
    args: &ReportArgs,
    metrics: &[Metric],
    model: &str,
    people: &[Person],
    skeleton: &Skeleton,
) -> Vec<Protocol> {
    if !args.protocol.is_empty() {
        return args.protocol.clone();
    }
    let mut used: Vec<Protocol> = Vec::new();
    for row in metrics.iter().filter(|row| row.model == model) {
        if let Ok(protocol) = row.protocol.parse()
            && !used.contains(&protocol)
        {
            used.push(protocol);
        }
    }
    // One that compares places comes first, since the page is about places.
    used.sort_by_key(|protocol| protocol.rules().is_none());
    if !used.is_empty() {
        return used;
    }
    let dataset = people.first().map(|person| person.dataset.as_str()).unwrap_or_default();
    let usual = match dataset {
        "mpii" => Protocol::MpiiOfficial,
        "lsp" | "lspet" => Protocol::LspPck,
        "flic" => Protocol::FlicPck,
        _ if people.iter().any(|person| person.head_box.is_some()) => Protocol::MpiiOfficial,
        _ if skeleton.index_of("head_top").is_some() => Protocol::LspPck,
        _ => Protocol::FlicPck,
    };
    vec![usual]
}
