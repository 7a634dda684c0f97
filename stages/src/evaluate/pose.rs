//! Scoring one table of predictions against one table of truth.

use std::collections::HashMap;

use schemas::skeleton::Skeleton;
use schemas::tables::people::Person;

use super::curves::Curves;
use super::error::EvaluateError;
use super::measure::Measure;
use super::metric_rows::rows;
use super::options::{EvaluateOptions, Evaluation};
use super::pairs::{OutputHead, Pairs};
use super::presence;
use super::rules::Normaliser;
use super::scored::ScoredPoses;
use schemas::tables::keypoints::PredictedPose;

/// Scores `predictions` against `truth` by one protocol, each output head of each model separately.
///
/// People are joined by `sample_id` and joints by name. People without a prediction count as wrong and are noted;
/// predictions for people who are not in the truth, and people without any annotated joint, are noted and not
/// scored; people whose normalising length is missing, zero or not finite are rejects and do not count. Where the
/// length is the prediction's own, an unusable one counts as wrong, so that a network gains nothing by it.
///
/// ```
/// # use schemas::skeleton::LSP14;
/// use stages::evaluate::{EvaluateError, EvaluateOptions, Protocol, evaluate_pose};
/// let options = EvaluateOptions::new(Protocol::LspPck);
/// let error = evaluate_pose(&[], &LSP14, &[], &LSP14, &options).unwrap_err();
/// assert_eq!(error, EvaluateError::Empty { side: "truth" });
/// ```
///
/// # Errors
/// When an id occurs twice, a skeleton lacks a joint of the protocol, or there is nothing to score.
pub fn evaluate_pose(
    truth: &[Person],
    truth_skeleton: &'static Skeleton,
    predictions: &[PredictedPose],
    prediction_skeleton: &'static Skeleton,
    options: &EvaluateOptions,
) -> Result<Evaluation, EvaluateError> {
    let split = options.split.as_deref();
    let pairs = Pairs::join(truth, truth_skeleton, predictions, prediction_skeleton, split)?;
    match options.protocol.rules() {
        Some(rules) => {
            let measure = Measure::new(options.protocol, rules, truth_skeleton, prediction_skeleton)?;
            Ok(places(ScoredPoses::of(pairs, rules, measure, truth_skeleton), options))
        }
        None => presence::evaluate(&pairs, truth_skeleton, prediction_skeleton, options),
    }
}

/// Scores by distances: all protocols but presence.
fn places(mut scored: ScoredPoses<'_>, options: &EvaluateOptions) -> Evaluation {
    let (notes, rejects) = (std::mem::take(&mut scored.notes), std::mem::take(&mut scored.rejects));
    let mut evaluation = Evaluation { metrics: Vec::new(), notes, rejects };
    note_sticks_without_length(&scored, &mut evaluation.notes);
    if scored.people.is_empty() {
        evaluation.notes.push("nobody is left to score".to_owned());
        return evaluation;
    }
    let people = scored.rows();
    for (&head, poses) in &scored.heads {
        note_predicted_normalisers(&scored, &people, poses, head, &mut evaluation.notes);
        let curves = Curves::new(scored.rules, &scored.errors(head));
        let cells = curves.cells(scored.skeleton);
        let metrics =
            rows(options, head, &people, cells, |weights| curves.rates(weights), &mut evaluation.notes);
        evaluation.metrics.extend(metrics);
    }
    evaluation
}

/// A true stick of no length cannot be scored and must not vanish unsaid.
fn note_sticks_without_length(scored: &ScoredPoses<'_>, notes: &mut Vec<String>) {
    if !matches!(scored.rules.normaliser, Normaliser::StickWorseEnd | Normaliser::StickMeanEnd) {
        return;
    }
    let count: usize = scored.people.iter().map(|one| scored.measure.sticks_without_length(&one.seen)).sum();
    if count > 0 {
        notes.push(format!("{count} sticks of the truth have no length; not scored"));
    }
}

/// A prediction whose own torso has no length counts as wrong; how many do is said.
fn note_predicted_normalisers(
    scored: &ScoredPoses<'_>,
    people: &[&Person],
    poses: &HashMap<&str, &PredictedPose>,
    head: OutputHead<'_>,
    notes: &mut Vec<String>,
) {
    if !matches!(scored.rules.normaliser, Normaliser::PredictedSegment(..)) {
        return;
    }
    let predicted = people.iter().filter_map(|person| poses.get(person.sample_id.as_str()));
    let useless = predicted.filter(|pose| !scored.measure.has_predicted_length(pose)).count();
    if useless > 0 {
        notes.push(format!("{head}: {useless} predictions have no torso; counted as wrong"));
    }
}
