//! Two predictions of the same people: the difference of their rates, with a paired interval.
//!
//! Every resample draws people once and scores both predictions on them, so what is hard for both cancels out, and
//! the interval is that of the difference itself: whether two separate intervals overlap says nothing about it.
//! Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, the percentile method, on
//! paired data.

use std::collections::HashSet;

use schemas::Skeleton;
use schemas::tables::people::Person;

use super::bootstrap::intervals;
use super::curves::{Cell, Curves};
use super::error::EvaluateError;
use super::options::EvaluateOptions;
use super::scored::ScoredPoses;
use schemas::tables::keypoints::PredictedPose;

/// The predictions of one output head of one model.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'a> {
    /// One row per person.
    pub poses: &'a [PredictedPose],
    /// The skeleton of the rows.
    pub skeleton: &'static Skeleton,
}

/// One number of both predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What was measured.
    pub metric: String,
    /// The joint or stick, where the number is about one.
    pub joint: Option<String>,
    /// The group, where the number is of one.
    pub group: Option<&'static str>,
    /// The threshold, where there is one.
    pub threshold: Option<f64>,
    /// How many annotated joints (or sticks) it is based on.
    pub count: i64,
    /// The number of the first prediction, in percent.
    pub one: f64,
    /// The number of the other.
    pub other: f64,
    /// The first minus the other, in percentage points.
    pub difference: f64,
    /// 95 % bootstrap interval of the difference, over people.
    pub ends: Option<[f64; 2]>,
}

impl Difference {
    /// Whether the interval leaves zero out.
    pub fn is_clear(&self) -> bool {
        self.ends.is_some_and(|[low, high]| low > 0.0 || high < 0.0)
    }
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// How many people it rests on.
    pub people: usize,
    /// Each joint's and each group's rate at the published threshold, and the areas under the curves of the groups.
    pub differences: Vec<Difference>,
    /// Who was left out.
    pub notes: Vec<String>,
}

/// Compares `one` with `other` on those people of `truth` whom both predict, by the protocol of `options`. `None` where
/// the protocol compares no places.
///
/// Both hold a single output head. People whom only one of the two predicts are left out and noted.
///
/// # Errors
/// When nobody is predicted by both, or as [`super::evaluate_pose`].
pub fn compare_poses(
    truth: &[Person],
    truth_skeleton: &'static Skeleton,
    one: Predicted<'_>,
    other: Predicted<'_>,
    options: &EvaluateOptions,
) -> Result<Option<Comparison>, EvaluateError> {
    let ids = |predicted: Predicted<'_>| -> HashSet<String> {
        predicted.poses.iter().map(|pose| pose.sample_id.clone()).collect()
    };
    let (first, second) = (ids(one), ids(other));
    let in_split = |person: &&Person| options.split.as_ref().is_none_or(|split| person.split == *split);
    let by_either =
        |person: &&Person| first.contains(&person.sample_id) || second.contains(&person.sample_id);
    let by_both = |person: &Person| first.contains(&person.sample_id) && second.contains(&person.sample_id);
    let mut shared: Vec<Person> = truth.iter().filter(in_split).filter(by_either).cloned().collect();
    let either = shared.len();
    shared.retain(by_both);
    if shared.is_empty() {
        return Err(EvaluateError::NothingShared);
    }
    let mut notes = Vec::new();
    if shared.len() < either {
        let left = either - shared.len();
        notes.push(format!("{left} of {either} people are predicted by only one of the two; not compared"));
    }
    let kept: HashSet<&str> = shared.iter().map(|person| person.sample_id.as_str()).collect();
    let [one_poses, other_poses] = [one, other].map(|predicted| -> Vec<PredictedPose> {
        predicted.poses.iter().filter(|pose| kept.contains(pose.sample_id.as_str())).cloned().collect()
    });
    let one = ScoredPoses::join(&shared, truth_skeleton, &one_poses, one.skeleton, options)?;
    let other = ScoredPoses::join(&shared, truth_skeleton, &other_poses, other.skeleton, options)?;
    let Some((one, other)) = one.zip(other) else { return Ok(None) };
    notes.extend(one.notes.iter().cloned());
    let differences = differences(&curves_of(&one)?, &curves_of(&other)?, &one, options);
    Ok(Some(Comparison { people: one.people.len(), differences, notes }))
}

/// The errors of the only output head.
fn curves_of(scored: &ScoredPoses<'_>) -> Result<Curves, EvaluateError> {
    let heads = scored.heads();
    match heads[..] {
        [head] => Ok(Curves::new(scored.rules, &scored.errors(head))),
        _ => Err(EvaluateError::SeveralHeads { count: heads.len() }),
    }
}

/// Every number of both, subtracted. Both rest on the same people in the same order.
fn differences(
    one: &Curves,
    other: &Curves,
    scored: &ScoredPoses<'_>,
    options: &EvaluateOptions,
) -> Vec<Difference> {
    let cells: Vec<Cell> = one.cells(scored.skeleton);
    let headline = scored.headline();
    let wanted =
        |cell: &Cell| cell.threshold.is_none_or(|t| t == headline) || cell.metric.contains("mean_at");
    let places: Vec<usize> = (0..cells.len()).filter(|&at| wanted(&cells[at])).collect();
    let both = |weights: &[u32]| {
        let (one, other) = (one.rates(weights), other.rates(weights));
        places.iter().map(|&at| [one[at], other[at]]).collect::<Vec<_>>()
    };
    let values = both(&vec![1; scored.people.len()]);
    let plain: Vec<f64> = values.iter().map(|[one, other]| one - other).collect();
    let statistic = |weights: &[u32]| both(weights).into_iter().map(|[one, other]| one - other).collect();
    let ends = match options.resamples {
        0 => vec![None; plain.len()],
        resamples => intervals(scored.people.len(), resamples, options.seed, &plain, statistic),
    };
    let difference = |((&at, [one, other]), ends): ((&usize, [f64; 2]), Option<[f64; 2]>)| {
        let Cell { metric, joint, group, threshold, count } = cells[at].clone();
        Difference { metric, joint, group, threshold, count, one, other, difference: one - other, ends }
    };
    let all = places.iter().zip(values).zip(ends).map(difference);
    // A joint that nobody has annotated has no rate.
    all.filter(|difference| !difference.difference.is_nan()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{noisy_prediction, person};
    use super::super::{Protocol, evaluate_pose};
    use super::*;
    use schemas::skeleton::MPII16;

    fn people(count: i32) -> Vec<Person> {
        (0..count).map(|n| person(&format!("p{n:03}"), n)).collect()
    }

    fn noisy(people: &[Person], seed: u64, spread: f64) -> Vec<PredictedPose> {
        people.iter().map(|person| noisy_prediction(person, seed, spread)).collect()
    }

    fn options() -> EvaluateOptions {
        EvaluateOptions { resamples: 200, ..EvaluateOptions::new(Protocol::MpiiOfficial) }
    }

    fn compared(truth: &[Person], one: &[PredictedPose], other: &[PredictedPose]) -> Comparison {
        let predicted = |poses| Predicted { poses, skeleton: &MPII16 };
        compare_poses(truth, &MPII16, predicted(one), predicted(other), &options()).unwrap().unwrap()
    }

    fn total(comparison: &Comparison) -> &Difference {
        let is_total = |d: &&Difference| d.metric == "pckh" && d.group == Some("total");
        comparison.differences.iter().find(is_total).unwrap()
    }

    #[test]
    fn a_prediction_does_not_differ_from_itself() {
        let people = people(30);
        let poses = noisy(&people, 1, 8.0);
        let same = compared(&people, &poses, &poses);
        assert_eq!(same.people, 30);
        assert!(same.differences.iter().all(|d| d.difference == 0.0 && d.ends == Some([0.0, 0.0])));
        assert!(same.differences.iter().all(|d| !d.is_clear()));
    }

    #[test]
    fn numbers_are_those_of_each_scored_alone_and_turn_their_sign() {
        let people = people(40);
        let (good, bad) = (noisy(&people, 1, 6.0), noisy(&people, 1, 16.0));
        let there = compared(&people, &good, &bad);
        let back = compared(&people, &bad, &good);
        let alone = evaluate_pose(&people, &MPII16, &good, &MPII16, &options()).unwrap().metrics;
        let rate = alone
            .iter()
            .find(|m| m.metric == "pckh" && m.group.as_deref() == Some("total") && m.threshold == Some(0.5));
        assert_eq!(total(&there).one, rate.unwrap().value);
        assert_eq!(total(&there).difference, -total(&back).difference);
        assert!(total(&there).difference > 0.0 && total(&there).is_clear());
    }

    #[test]
    fn the_paired_interval_is_narrower_than_that_of_one() {
        let people = people(60);
        // Both fail on the same people, who are hard.
        let hard = |poses: Vec<PredictedPose>| -> Vec<PredictedPose> {
            let shift = |(at, mut pose): (usize, PredictedPose)| {
                let by = if at % 2 == 0 { 300.0 } else { 0.0 };
                pose.keypoints.iter_mut().for_each(|point| point[0] += by);
                pose
            };
            poses.into_iter().enumerate().map(shift).collect()
        };
        let (one, other) = (hard(noisy(&people, 1, 3.0)), hard(noisy(&people, 2, 3.0)));
        let compared = compared(&people, &one, &other);
        let width = |[low, high]: [f64; 2]| high - low;
        let alone = evaluate_pose(&people, &MPII16, &one, &MPII16, &options()).unwrap().metrics;
        let alone = alone
            .iter()
            .find(|m| m.metric == "pckh" && m.group.as_deref() == Some("total") && m.threshold == Some(0.5))
            .and_then(|m| Some([m.ci_low?, m.ci_high?]));
        assert!(width(total(&compared).ends.unwrap()) < 0.5 * width(alone.unwrap()));
    }

    #[test]
    fn whom_one_alone_predicts_is_left_out_and_noted() {
        let people = people(20);
        let poses = noisy(&people, 1, 8.0);
        let compared = compared(&people, &poses, &poses[5..]);
        assert_eq!(compared.people, 15);
        assert!(compared.notes[0].starts_with("5 of 20 people"), "{:?}", compared.notes);
        let predicted = |poses| Predicted { poses, skeleton: &MPII16 };
        let error =
            compare_poses(&people, &MPII16, predicted(&poses[..5]), predicted(&poses[5..]), &options());
        assert_eq!(error.unwrap_err(), EvaluateError::NothingShared);
    }
}
