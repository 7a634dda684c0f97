//! Whether heatmaps predict that a joint is not annotated (Newell et al. 2016, section 5.3).
//!
//! The positive class is "annotation missing". A joint is predicted missing where the mean of its heatmap is below a
//! threshold (-0.00001, then steps of 0.0002 up to 0.015), or where its highest value is not above one (0.01 to 0.90
//! in steps of 0.01), as in `src/misc/analyze_occlusion_pr.py` of the stacked hourglass. Both knees count as one
//! group, both ankles as another. Precision is 100 where nothing is predicted missing.

use schemas::skeleton::Skeleton;
use schemas::tables::metrics::Metric;
use schemas::tables::people::Person;

use super::curves::Cell;
use super::error::EvaluateError;
use super::metric_rows::rows;
use super::options::{EvaluateOptions, Evaluation};
use super::pairs::{OutputHead, Pairs};
use super::protocol::Protocol;
use schemas::tables::keypoints::PredictedPose;

/// The groups that are scored: name, and the joints pooled in each.
pub const GROUPS: [(&str, [&str; 2]); 2] =
    [("knee", ["left_knee", "right_knee"]), ("ankle", ["left_ankle", "right_ankle"])];

/// The number of a heatmap from which presence is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// The mean of the map: missing where below the threshold.
    Mean,
    /// The highest value of the map: missing where not above the threshold.
    Max,
}

impl Evidence {
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
        }
    }

    fn thresholds(self) -> Vec<f64> {
        match self {
            Self::Mean => (0..=75).map(|step| -1e-5 + 2e-4 * f64::from(step)).collect(),
            Self::Max => (1..=90).map(|step| f64::from(step) / 100.0).collect(),
        }
    }

    fn missing(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Mean => value < threshold,
            Self::Max => value <= threshold,
        }
    }

    fn of(self, pose: &PredictedPose) -> Option<&[f64]> {
        match self {
            Self::Mean => pose.heatmap_mean.as_deref(),
            Self::Max => pose.score.as_deref(),
        }
    }
}

/// One joint of one person.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    person: usize,
    annotated: bool,
    /// Index of the first threshold at which the joint is predicted missing, T where at none.
    bin: usize,
}

/// Scores by presence; see the module.
pub(super) fn evaluate(
    pairs: &Pairs<'_>,
    truth: &'static Skeleton,
    predicted: &'static Skeleton,
    options: &EvaluateOptions,
) -> Result<Evaluation, EvaluateError> {
    let mut evaluation = Evaluation { notes: pairs.notes.clone(), ..Evaluation::default() };
    if pairs.people.is_empty() {
        evaluation.notes.push("nobody is left to score".to_owned());
        return Ok(evaluation);
    }
    for (&head, poses) in &pairs.heads {
        let mut scored = false;
        for evidence in [Evidence::Mean, Evidence::Max] {
            if !poses.values().any(|pose| evidence.of(pose).is_some()) {
                let name = evidence.name();
                let note = format!("{head}: no {name} of heatmaps; not scored by it");
                evaluation.notes.push(note);
                continue;
            }
            scored = true;
            for (group, joints) in GROUPS {
                let in_truth = indices(joints, "truth", truth)?;
                let in_prediction = indices(joints, "prediction", predicted)?;
                let verdict = |at: usize, person: &Person, joint: usize| {
                    let pose = poses.get(person.sample_id.as_str());
                    let value = pose.and_then(|pose| evidence.of(pose)).map(|v| v[in_prediction[joint]]);
                    let annotated = person.pose.visibility[in_truth[joint]].is_annotated();
                    Verdict { person: at, annotated, bin: bin(evidence, value, annotated) }
                };
                let people = pairs.people.iter().enumerate();
                let verdicts: Vec<Verdict> =
                    people.flat_map(|(at, person)| [0, 1].map(|joint| verdict(at, person, joint))).collect();
                let metrics =
                    group_rows(evidence, group, &verdicts, head, pairs, options, &mut evaluation.notes);
                evaluation.metrics.extend(metrics);
            }
        }
        if !scored {
            return Err(EvaluateError::NoHeatmapScores { model: head.model.to_owned() });
        }
    }
    Ok(evaluation)
}

fn indices(
    joints: [&'static str; 2],
    side: &'static str,
    skeleton: &'static Skeleton,
) -> Result<[usize; 2], EvaluateError> {
    let find = |joint| {
        skeleton.index_of(joint).ok_or(EvaluateError::MissingJoint {
            protocol: Protocol::Presence,
            joint,
            side,
            skeleton: skeleton.name,
        })
    };
    Ok([find(joints[0])?, find(joints[1])?])
}

/// The first threshold at which the joint is predicted missing. No prediction at all is wrong at every threshold.
fn bin(evidence: Evidence, value: Option<f64>, annotated: bool) -> usize {
    let thresholds = evidence.thresholds();
    match value.filter(|value| !value.is_nan()) {
        Some(value) => thresholds.partition_point(|&threshold| !evidence.missing(value, threshold)),
        None if annotated => 0,
        None => thresholds.len(),
    }
}

fn group_rows(
    evidence: Evidence,
    group: &'static str,
    verdicts: &[Verdict],
    head: OutputHead<'_>,
    pairs: &Pairs<'_>,
    options: &EvaluateOptions,
    notes: &mut Vec<String>,
) -> Vec<Metric> {
    let thresholds = evidence.thresholds();
    let cell = |metric: String, threshold| Cell {
        metric,
        joint: None,
        group: Some(group),
        threshold,
        count: verdicts.len() as i64,
    };
    let mut cells = Vec::with_capacity(3 * thresholds.len() + 1);
    for rate in ["precision", "recall", "accuracy"] {
        let name = format!("presence_{}_{rate}", evidence.name());
        cells.extend(thresholds.iter().map(|threshold| cell(name.clone(), Some(*threshold))));
    }
    // The share of annotations missing does not depend on the evidence; it stands beside each.
    cells.push(cell(format!("presence_{}_base_rate", evidence.name()), None));
    let count = thresholds.len();
    let statistic = |weights: &[u32]| rates(verdicts, weights, count);
    let mut metrics = rows(options, head, &pairs.people, cells, statistic, notes);
    let name = format!("presence_{}_accuracy", evidence.name());
    // The first of equally good thresholds, chosen on the set that is scored, as the paper does.
    let best = metrics.iter().filter(|row| row.metric == name).fold(None, |best: Option<&Metric>, row| {
        if best.is_none_or(|best| row.value > best.value) { Some(row) } else { best }
    });
    if let Some(best) = best.cloned() {
        metrics.push(Metric { metric: format!("presence_{}_best_accuracy", evidence.name()), ..best });
    }
    metrics
}

/// Precision, recall and accuracy, `[3, T]`, and the share missing, in percent, when person n counts `weights[n]`
/// times.
fn rates(verdicts: &[Verdict], weights: &[u32], thresholds: usize) -> Vec<f64> {
    let mut by_class = [vec![0_u64; thresholds + 1], vec![0_u64; thresholds + 1]];
    for verdict in verdicts {
        by_class[usize::from(verdict.annotated)][verdict.bin] += u64::from(weights[verdict.person]);
    }
    let [missing, present] = &by_class;
    let (all_missing, all_present): (u64, u64) = (missing.iter().sum(), present.iter().sum());
    let all = all_missing + all_present;
    let mut numbers = vec![0.0; 3 * thresholds + 1];
    let (mut hits, mut alarms) = (0, 0);
    for at in 0..thresholds {
        hits += missing[at];
        alarms += present[at];
        let detected = hits + alarms;
        numbers[at] = if detected == 0 { 100.0 } else { 100.0 * hits as f64 / detected as f64 };
        numbers[thresholds + at] = 100.0 * hits as f64 / all_missing as f64;
        numbers[2 * thresholds + at] = 100.0 * (hits + all_present - alarms) as f64 / all as f64;
    }
    numbers[3 * thresholds] = 100.0 * all_missing as f64 / all as f64;
    numbers
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{person, prediction};
    use super::super::pose::evaluate_pose;
    use super::*;
    use schemas::skeleton::MPII16;

    /// Four people; the ankles of the first two are missing, and the peaks of the first and third are low.
    fn four() -> (Vec<Person>, Vec<PredictedPose>) {
        let mut people: Vec<Person> = (0..4).map(|n| person(&format!("p{n}"), n)).collect();
        let mut predictions: Vec<PredictedPose> = people.iter().map(|p| prediction(p, 1)).collect();
        for (n, peak) in [0.05, 0.5, 0.05, 0.8].into_iter().enumerate() {
            predictions[n].score = Some(vec![peak; 16]);
            if n < 2 {
                people[n].pose.set(0, [0.0; 2], schemas::Visibility::NotAnnotated);
                people[n].pose.set(5, [0.0; 2], schemas::Visibility::NotAnnotated);
            }
        }
        (people, predictions)
    }

    fn value(metrics: &[Metric], metric: &str, group: &str, threshold: Option<f64>) -> f64 {
        let same =
            |m: &&Metric| m.metric == metric && m.group.as_deref() == Some(group) && m.threshold == threshold;
        metrics.iter().find(same).unwrap().value
    }

    #[test]
    fn precision_recall_and_accuracy_are_those_counted_by_hand() {
        let (people, predictions) = four();
        let options = EvaluateOptions { resamples: 50, ..EvaluateOptions::new(Protocol::Presence) };
        let evaluation = evaluate_pose(&people, &MPII16, &predictions, &MPII16, &options).unwrap();
        let of = |metric: &str, threshold| value(&evaluation.metrics, metric, "ankle", threshold);
        assert_eq!(of("presence_max_precision", Some(0.04)), 100.0);
        assert_eq!(of("presence_max_precision", Some(0.05)), 50.0);
        assert_eq!(of("presence_max_recall", Some(0.05)), 50.0);
        assert_eq!(of("presence_max_recall", Some(0.5)), 100.0);
        assert_eq!(of("presence_max_accuracy", Some(0.5)), 75.0);
        assert_eq!(of("presence_max_best_accuracy", Some(0.5)), 75.0);
        assert_eq!(of("presence_max_base_rate", None), 50.0);
        assert!(evaluation.notes.iter().any(|note| note.contains("no mean of heatmaps")));
        // No knee is missing, so its recall is undefined and has no row.
        let recall = |m: &Metric| m.metric == "presence_max_recall" && m.group.as_deref() == Some("knee");
        assert!(!evaluation.metrics.iter().any(recall));
    }

    #[test]
    fn a_missing_prediction_is_wrong_at_every_threshold() {
        let (people, mut predictions) = four();
        let last = predictions.pop().unwrap();
        let options = EvaluateOptions { resamples: 0, ..EvaluateOptions::new(Protocol::Presence) };
        let evaluation = evaluate_pose(&people, &MPII16, &predictions, &MPII16, &options).unwrap();
        assert_eq!(value(&evaluation.metrics, "presence_max_accuracy", "ankle", Some(0.01)), 25.0);
        let bare = PredictedPose { score: None, ..last };
        let error = evaluate_pose(&people, &MPII16, &[bare], &MPII16, &options).unwrap_err();
        assert!(error.to_string().contains("neither"), "{error}");
    }
}
