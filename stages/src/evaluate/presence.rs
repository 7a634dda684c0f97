//! Whether heatmaps predict that a joint is not annotated (Newell et al. 2016, section 5.3).
//!
//! The positive class is "annotation missing". A joint is predicted missing where the mean of its heatmap is below a
//! threshold (-0.00001, then steps of 0.0002 up to 0.015), or where its highest value is not above one (0.01 to 0.90
//! in steps of 0.01), as in `src/misc/analyze_occlusion_pr.py` of the stacked hourglass. Both knees count as one
//! group, both ankles as another. Precision is 100 where nothing is predicted missing.

use std::ops::Range;

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::metrics::Metric;

use super::curves::Cell;
use super::error::EvaluateError;
use super::joined::Joined;
use super::metric_rows::{Scored, rows};
use super::options::{EvaluateOptions, Evaluation};
use super::output_head::OutputHead;
use super::protocol::Protocol;
use super::truth::Truth;

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
    const ALL: [Self; 2] = [Self::Mean, Self::Max];

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
    person: u32,
    is_annotated: bool,
    /// Index of the first threshold at which the joint is predicted missing, T where at none.
    bin: u8,
}

/// The joints of all groups: group by group, number in the truth and in the prediction.
type Joints = [[usize; 2]; 2 * GROUPS.len()];

/// The bin of a joint of which no prediction has told.
const UNTOLD: u8 = u8::MAX;

/// The people who count, and what predictions say of their joints.
pub(super) struct Presences {
    joints: Result<Joints, EvaluateError>,
    /// By number in the truth: the place among those who count.
    place_of: Vec<Option<u32>>,
    people: usize,
    /// By place of the head, each by [`Evidence::ALL`]: the bins of the joints of all people, `[N, J]`; `None` where no
    /// prediction has such evidence.
    heads: Vec<[Option<Vec<u8>>; 2]>,
}

impl Presences {
    /// `people` are the numbers of those who count, by ascending `sample_id`.
    pub(super) fn new(truth: &Truth, predicted: &'static Skeleton, people: &[u32]) -> Self {
        let (joints, place_of) = (joints(truth.skeleton, predicted), truth.places_among(people));
        Self { joints, place_of, people: people.len(), heads: Vec::new() }
    }

    /// Takes in `prediction` of the head at `head`, which is of person number `person`.
    pub(super) fn add(
        &mut self,
        head: usize,
        person: Option<usize>,
        prediction: &PredictedPose,
        truth: &Truth,
    ) {
        while self.heads.len() <= head {
            self.heads.push([None, None]);
        }
        for (evidence, bins) in Evidence::ALL.into_iter().zip(&mut self.heads[head]) {
            let Some(values) = evidence.of(prediction) else { continue };
            // Without joints there is nothing to note but that there is evidence.
            let joints = self.joints.as_ref().map_or(&[][..], |joints| joints);
            let bins = bins.get_or_insert_with(|| vec![UNTOLD; self.people * joints.len()]);
            let Some(person) = person else { continue };
            let Some(place) = self.place_of[person] else { continue };
            let bins = bins[place as usize * joints.len()..].iter_mut();
            for (place, [in_truth, in_prediction]) in bins.zip(joints) {
                *place = bin(evidence, Some(values[*in_prediction]), truth.is_annotated(person, *in_truth));
            }
        }
    }

    /// The numbers of all heads.
    ///
    /// # Errors
    /// When a head has no evidence, or a skeleton lacks a joint.
    pub(super) fn finish(
        self,
        joined: &Joined<'_>,
        options: &EvaluateOptions,
    ) -> Result<Evaluation, EvaluateError> {
        let mut evaluation = Evaluation { notes: joined.notes.to_vec(), ..Evaluation::default() };
        if joined.people.is_empty() {
            evaluation.notes.push("nobody is left to score".to_owned());
            return Ok(evaluation);
        }
        let dataset = joined.truth.dataset_of(joined.people);
        let scored = Scored { people: joined.people.len(), dataset: &dataset };
        for (at, head) in joined.attendance.heads() {
            let mut is_scored = false;
            for (evidence, bins) in Evidence::ALL.into_iter().zip(&self.heads[at]) {
                let Some(bins) = bins else {
                    let name = evidence.name();
                    let note = format!("{head}: no {name} of heatmaps; not scored by it");
                    evaluation.notes.push(note);
                    continue;
                };
                is_scored = true;
                let joints = self.joints.as_ref().map_err(Clone::clone)?;
                for (number, (group, members)) in GROUPS.into_iter().enumerate() {
                    let first = number * members.len();
                    let verdicts = verdicts(evidence, joined, bins, joints, first..first + members.len());
                    let notes = &mut evaluation.notes;
                    let metrics = group_rows(evidence, group, &verdicts, head, scored, options, notes);
                    evaluation.metrics.extend(metrics);
                }
            }
            if !is_scored {
                return Err(EvaluateError::NoHeatmapScores { model: head.model.to_owned() });
            }
        }
        Ok(evaluation)
    }
}

/// The verdicts on the joints numbered `wanted` of everyone, of which `bins` tells.
fn verdicts(
    evidence: Evidence,
    joined: &Joined<'_>,
    bins: &[u8],
    joints: &Joints,
    wanted: Range<usize>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(joined.people.len() * wanted.len());
    for ((place, person), bins) in joined.people.iter().enumerate().zip(bins.chunks_exact(joints.len())) {
        for joint in wanted.clone() {
            let is_annotated = joined.truth.is_annotated(*person as usize, joints[joint][0]);
            let bin = if bins[joint] == UNTOLD { bin(evidence, None, is_annotated) } else { bins[joint] };
            verdicts.push(Verdict { person: place as u32, is_annotated, bin });
        }
    }
    verdicts
}

fn joints(truth: &'static Skeleton, predicted: &'static Skeleton) -> Result<Joints, EvaluateError> {
    let mut joints = [[0; 2]; 2 * GROUPS.len()];
    for ((_, names), places) in GROUPS.into_iter().zip(joints.chunks_exact_mut(2)) {
        let in_truth = indices(names, "truth", truth)?;
        let in_prediction = indices(names, "prediction", predicted)?;
        for (at, place) in places.iter_mut().enumerate() {
            *place = [in_truth[at], in_prediction[at]];
        }
    }
    Ok(joints)
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
fn bin(evidence: Evidence, value: Option<f64>, annotated: bool) -> u8 {
    let thresholds = evidence.thresholds();
    let bin = match value.filter(|value| !value.is_nan()) {
        Some(value) => thresholds.partition_point(|&threshold| !evidence.missing(value, threshold)),
        None if annotated => 0,
        None => thresholds.len(),
    };
    bin as u8
}

fn group_rows(
    evidence: Evidence,
    group: &'static str,
    verdicts: &[Verdict],
    head: OutputHead<'_>,
    scored: Scored<'_>,
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
    let mut metrics = rows(options, head, scored, cells, statistic, notes);
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
        let weight = weights[verdict.person as usize];
        by_class[usize::from(verdict.is_annotated)][usize::from(verdict.bin)] += u64::from(weight);
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
    use schemas::tables::people::Person;

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
