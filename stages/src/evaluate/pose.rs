//! Scoring one table of predictions against one table of truth.

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::Person;

use super::error::EvaluateError;
use super::options::{EvaluateOptions, Evaluation};
use super::scoring::Scoring;
use super::truth::{Needs, Truth};

/// Scores `predictions` against `truth` by one protocol, each output head of each model separately.
///
/// People are joined by `sample_id` and joints by name. People without a prediction count as wrong and are noted;
/// predictions for people who are not in the truth, and people without any annotated joint, are noted and not
/// scored; people whose normalising length is missing, zero or not finite are rejects and do not count. Where the
/// length is the prediction's own, an unusable one counts as wrong, so that a network gains nothing by it.
///
/// `coco-oks` and `crowdpose` compare all predictions of a picture with all its people instead: a prediction belongs to the
/// picture of its `image_path`, else to that of the person whose `sample_id` it has; its score is `detection_score`, else
/// the mean of its joints' scores.
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
    let mut kept = Truth::new(truth_skeleton, Needs::of([options.protocol]));
    for person in truth {
        kept.add(person)?;
    }
    let mut scoring = Scoring::new(kept, prediction_skeleton, std::slice::from_ref(options))?;
    for prediction in predictions {
        scoring.add(prediction)?;
    }
    Ok(scoring.finish()?.swap_remove(0))
}
