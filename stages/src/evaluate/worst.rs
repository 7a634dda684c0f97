//! The people for whom a network is most wrong.

use super::output_head::OutputHead;
use super::scored::ScoredPoses;

/// An error counts as at most this many times the protocol's threshold, so that one distant joint does not outweigh a
/// pose that is wrong throughout.
pub const MOST_ERROR: f64 = 4.0;

/// How wrong one person is.
#[derive(Debug, Clone, PartialEq)]
pub struct Worst {
    /// Row of [`ScoredPoses::people`].
    pub row: usize,
    /// Joints (or sticks) that are right at the protocol's threshold.
    pub right: usize,
    /// Joints (or sticks) that are annotated.
    pub annotated: usize,
    /// Mean error over these, each as a multiple of the threshold and at most [`MOST_ERROR`].
    pub mean_error: f64,
}

/// The `count` people with the highest mean error, the worst first; those without a scored joint are left out.
pub fn worst(scored: &ScoredPoses<'_>, head: OutputHead<'_>, count: usize) -> Vec<Worst> {
    let threshold = scored.headline();
    let of_person = |(row, errors): (usize, Vec<Option<f64>>)| {
        let errors: Vec<f64> = errors.into_iter().flatten().collect();
        if errors.is_empty() {
            return None;
        }
        // `min` of NaN, a joint without prediction, is the bound.
        let sum: f64 = errors.iter().map(|error| (error / threshold).min(MOST_ERROR)).sum();
        let right = errors.iter().filter(|error| scored.near(**error)).count();
        Some(Worst { row, right, annotated: errors.len(), mean_error: sum / errors.len() as f64 })
    };
    let mut all: Vec<Worst> = scored.errors(head).into_iter().enumerate().filter_map(of_person).collect();
    all.sort_by(|a, b| b.mean_error.total_cmp(&a.mean_error).then(a.row.cmp(&b.row)));
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{FIRST_HEAD, person, prediction};
    use super::super::{EvaluateOptions, Protocol};
    use super::*;
    use schemas::skeleton::MPII16;
    use schemas::tables::keypoints::PredictedPose;

    #[test]
    fn whoever_is_further_off_comes_first_and_no_prediction_is_the_worst() {
        let people = [person("a", 1), person("b", 2), person("c", 3)];
        let moved = |by: f64, person| {
            let mut pose = prediction(person, 1);
            pose.keypoints.iter_mut().for_each(|point| point[0] += by);
            pose
        };
        let poses: Vec<PredictedPose> = vec![moved(0.5, &people[0]), moved(9.0, &people[1])];
        let options = EvaluateOptions::new(Protocol::MpiiOfficial);
        let scored = ScoredPoses::join(&people, &MPII16, &poses, &MPII16, &options).unwrap().unwrap();
        let found = worst(&scored, FIRST_HEAD, 5);
        let rows: Vec<usize> = found.iter().map(|worst| worst.row).collect();
        assert_eq!(rows, [2, 1, 0]);
        assert_eq!((found[0].right, found[0].mean_error), (0, MOST_ERROR));
        assert_eq!((found[2].right, found[2].annotated), (14, 14));
        assert_eq!(worst(&scored, FIRST_HEAD, 1).len(), 1);
    }
}
