//! What went wrong with each joint: good, jitter, inversion, swap, miss.
//!
//! The classes are those of Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation"
//! (ICCV 2017), which defines them on COCO by keypoint similarity, `exp(-d² / (2 s² k²))` with a constant k per joint
//! and the limits 0.5 and 0.85. MPII, LSP and FLIC have no such constants. Here the length is the protocol's own (head
//! size, torso, box) and k follows from one rule: **a similarity of 0.5 is the protocol's published threshold**, so
//! `similarity = 2^-(e / t)²` for an error of e lengths and a threshold of t. So good and jitter together are exactly
//! what the protocol counts as right. That rule, and the two stated at [`ErrorType::Inversion`] and
//! [`ErrorType::Swap`], are our choice; the classes and the two limits are the paper's as recalled, not verified
//! against it.

use std::sync::Arc;

use schemas::tables::metrics::Metric;
use schemas::tables::people::Pose;

use super::curves::Cell;
use super::metric_rows::{Scored, rows};
use super::options::EvaluateOptions;
use super::output_head::OutputHead;
use super::rules::{Mean, Rules};
use super::scored::{ScoredPerson, ScoredPoses};

/// Keypoint similarity from which a joint is good. Ronchi and Perona 2017, recalled, not verified.
pub const GOOD_SIMILARITY: f64 = 0.85;
/// Keypoint similarity from which a joint is near a place. Ronchi and Perona 2017, recalled, not verified. Here it
/// is the protocol's threshold, see the module.
pub const NEAR_SIMILARITY: f64 = 0.5;

/// What became of one annotated joint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorType {
    /// At its place: similarity 0.85 or more.
    Good,
    /// Near its place: similarity 0.5 to 0.85.
    Jitter,
    /// Not near its place, but near that of the same person's joint of the other side.
    Inversion,
    /// Not near its place, but near that of the same joint, or its mirror image, of another person of the image. Where
    /// a point is near both a place of its own person and one of another, the nearer one decides.
    Swap,
    /// Near nothing that it could be mistaken for, or not predicted at all.
    Miss,
}

impl ErrorType {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::Good, Self::Jitter, Self::Inversion, Self::Swap, Self::Miss];

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Jitter => "jitter",
            Self::Inversion => "inversion",
            Self::Swap => "swap",
            Self::Miss => "miss",
        }
    }

    /// The name of its share in the metric table.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Good => "error_type_good",
            Self::Jitter => "error_type_jitter",
            Self::Inversion => "error_type_inversion",
            Self::Swap => "error_type_swap",
            Self::Miss => "error_type_miss",
        }
    }
}

/// Keypoint similarity of an error of `error` lengths where the protocol's threshold is `threshold`; 0 for `NaN`.
pub fn similarity(error: f64, threshold: f64) -> f64 {
    let ratio = error / threshold;
    let similarity = libm::exp2(-ratio * ratio);
    if similarity.is_nan() { 0.0 } else { similarity }
}

/// Rows of the metric table: the share of each class, in percent, of each joint and each group, for `head`. `None` where
/// the protocol scores no joints (sticks).
///
/// Shares of a group are made as the protocol makes its rate, so good and jitter add up to it.
pub fn error_types(
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    options: &EvaluateOptions,
    notes: &mut Vec<String>,
) -> Option<Vec<Metric>> {
    let classes = classify(scored, head)?;
    let counted = Counted { rules: scored.rules, classes };
    let dataset = scored.dataset();
    let people = Scored { people: scored.people.len(), dataset: &dataset };
    let statistic = |weights: &[u32]| counted.shares(weights);
    Some(rows(options, head, people, counted.cells(scored.skeleton), statistic, notes))
}

/// The class of each part of each person, `[N][P]`: `None` where the truth is not annotated.
pub fn classify(scored: &ScoredPoses<'_>, head: OutputHead<'_>) -> Option<Vec<Vec<Option<ErrorType>>>> {
    let joints = scored.measure.joints()?;
    let mirrored = scored.skeleton.mirrored();
    let of_person = |one: &ScoredPerson<'_>| {
        let prediction = scored.prediction(head, &one.person.sample_id);
        let length = scored.measure.divisor(one.length, prediction);
        let seen = |pose: &Arc<Pose>| scored.measure.seen(pose).map_or_else(|| Arc::clone(pose), Arc::new);
        let others: Vec<Arc<Pose>> = one.person.others.iter().map(seen).collect();
        let of_joint = |[truth, predicted]: &[usize; 2]| {
            let place = one.seen.joint(*truth)?;
            let point = prediction.map_or([f64::NAN; 2], |pose| pose.keypoints[*predicted]);
            let error = |place: [f64; 2]| distance(place, point) / length;
            let own = error(place);
            if scored.near(own) {
                let good = similarity(own, scored.headline()) >= GOOD_SIMILARITY;
                return Some(if good { ErrorType::Good } else { ErrorType::Jitter });
            }
            let mirror = mirrored[*truth];
            let inverted = one.seen.joint(mirror).filter(|_| mirror != *truth).map(error);
            let swapped = others.iter().flat_map(|other| [other.joint(*truth), other.joint(mirror)]);
            let swapped = swapped.flatten().map(error).filter(|e| scored.near(*e)).min_by(f64::total_cmp);
            Some(match (inverted.filter(|e| scored.near(*e)), swapped) {
                (Some(own), Some(other)) if other < own => ErrorType::Swap,
                (Some(_), _) => ErrorType::Inversion,
                (None, Some(_)) => ErrorType::Swap,
                (None, None) => ErrorType::Miss,
            })
        };
        joints.iter().map(of_joint).collect()
    };
    Some(scored.people.iter().map(of_person).collect())
}

fn distance(from: [f64; 2], to: [f64; 2]) -> f64 {
    let (dx, dy) = (from[0] - to[0], from[1] - to[1]);
    (dx * dx + dy * dy).sqrt()
}

/// The classes of everyone, ready to be counted under weights.
struct Counted {
    rules: &'static Rules,
    classes: Vec<Vec<Option<ErrorType>>>,
}

impl Counted {
    /// What each number of [`Self::shares`] is of: each part's classes, then each group's.
    fn cells(&self, truth: &schemas::Skeleton) -> Vec<Cell> {
        let parts = self.rules.parts.len();
        let annotated: Vec<i64> = (0..parts)
            .map(|part| self.classes.iter().filter(|row| row[part].is_some()).count() as i64)
            .collect();
        let mut cells = Vec::new();
        let mut push = |joint: Option<&str>, group: Option<&'static str>, count| {
            cells.extend(ErrorType::ALL.map(|class| Cell {
                metric: class.metric().to_owned(),
                joint: joint.map(str::to_owned),
                group,
                threshold: None,
                count,
            }));
        };
        for (part, count) in self.rules.parts.iter().zip(&annotated) {
            let name = truth.index_of(part.name()).map_or(part.name(), |joint| truth.joints[joint]);
            push(Some(name), None, *count);
        }
        for group in self.rules.groups {
            let count = group.parts.iter().map(|name| annotated[self.rules.part(name)]).sum();
            push(None, Some(group.name), count);
        }
        cells
    }

    /// Shares in percent when person n counts `weights[n]` times; `NaN` where nothing is annotated.
    fn shares(&self, weights: &[u32]) -> Vec<f64> {
        let parts = self.rules.parts.len();
        let mut counts = vec![[0_u64; ErrorType::ALL.len()]; parts];
        for (row, &weight) in self.classes.iter().zip(weights).filter(|(_, weight)| **weight > 0) {
            for (part, class) in row.iter().enumerate() {
                if let Some(class) = class {
                    counts[part][*class as usize] += u64::from(weight);
                }
            }
        }
        let percent = |count: [u64; 5]| {
            let all = count.iter().sum::<u64>() as f64;
            count.map(|count| 100.0 * count as f64 / all)
        };
        let mut shares: Vec<[f64; 5]> = counts.iter().copied().map(percent).collect();
        for (at, group) in self.rules.groups.iter().enumerate() {
            let members = || group.parts.iter().map(|name| self.rules.part(name));
            let share = match group.mean {
                Mean::Pooled => percent(members().fold([0; 5], |sum, part| add(sum, counts[part]))),
                Mean::OfParts => mean(members().map(|part| shares[part])),
                Mean::OfGroups(names) => {
                    let before = &self.rules.groups[..at];
                    let place = |name: &&str| before.iter().position(|group| group.name == *name);
                    mean(names.iter().filter_map(place).map(|group| shares[parts + group]))
                }
            };
            shares.push(share);
        }
        shares.into_iter().flatten().collect()
    }
}

fn add(mut sum: [u64; 5], more: [u64; 5]) -> [u64; 5] {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    sum
}

/// Mean of those shares that are defined; `NaN` where none are.
fn mean(shares: impl Iterator<Item = [f64; 5]>) -> [f64; 5] {
    let (mut sum, mut count) = ([0.0; 5], 0.0);
    for share in shares.filter(|share| !share[0].is_nan()) {
        sum.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
        count += 1.0;
    }
    sum.map(|sum| sum / count)
}

#[cfg(test)]
#[path = "error_types_tests.rs"]
mod tests;
