//! Precision and recall of detections in the order of their scores.

use super::sum::mean;
use super::{THRESHOLDS, thresholds};

/// Recalls at which precision is read: 0, 0.01, .. 1.
const RECALLS: usize = 101;

/// Detections that count at one threshold, in the order of their scores.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ranked {
    /// For each the number of its picture, doubled, plus 1 if it found a person.
    entries: Vec<u32>,
}

/// What detections come to at one threshold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AtThreshold {
    /// Precision at each recall, `[R]`.
    precision: Vec<f64>,
    /// Share of the people who are found.
    recall: f64,
    /// People who are found.
    pub found: u64,
    /// Detections that found nobody.
    pub wrong: u64,
}

impl Ranked {
    /// Adds a detection in picture number `picture`, which has a lower score than those that came before, or the same.
    pub(super) fn push(&mut self, picture: u32, is_found: bool) {
        self.entries.push(picture * 2 + u32::from(is_found));
    }

    /// What they come to where each picture counts `weights` times, `[N]`, and `people` count in all, above 0; `needed` is
    /// [`needed`] of these people, `steps` room to work in. A picture that counts twice is as two pictures, one behind the other.
    ///
    /// Source: `COCOeval.accumulate` of `pycocotools`, whose values this gives to the last bit.
    fn at_threshold(
        &self,
        weights: &[u32],
        people: u64,
        needed: &[u64; RECALLS],
        steps: &mut Vec<[u64; 2]>,
    ) -> AtThreshold {
        // Found and wrong so far where a person is found: between two such places neither recall nor precision rises. The
        // loop has no branch, since what comes next cannot be foretold.
        steps.clear();
        steps.resize(self.entries.len() + 1, [0; 2]);
        let (mut found, mut wrong, mut count) = (0_u64, 0_u64, 0);
        for entry in &self.entries {
            let (weight, is_found) = (u64::from(weights[(entry / 2) as usize]), u64::from(entry % 2));
            found += weight * is_found;
            wrong += weight * (1 - is_found);
            steps[count] = [found, wrong];
            count += is_found as usize;
        }
        let (mut precision, mut highest) = (vec![0.0; RECALLS], 0.0_f64);
        let mut left = needed.partition_point(|needed| *needed <= found);
        for at in (0..count).rev() {
            let [found, wrong] = steps[at];
            highest = highest.max(found as f64 / (wrong as f64 + found as f64 + f64::EPSILON));
            // Recalls that are reached here and not before.
            while left > 0 && (at == 0 || needed[left - 1] > steps[at - 1][0]) {
                left -= 1;
                precision[left] = highest;
            }
        }
        AtThreshold { precision, recall: found as f64 / people as f64, found, wrong }
    }
}

/// How many of `people` have to be found for each recall.
fn needed(people: u64) -> [u64; RECALLS] {
    let mut needed = [0; RECALLS];
    for (at, needed) in needed.iter_mut().enumerate() {
        let is_enough = |found: u64| found as f64 / people as f64 >= recall_at(at);
        let near = ((recall_at(at) * people as f64) as u64).saturating_sub(1);
        *needed = (near..=people).find(|found| is_enough(*found)).unwrap_or(people);
    }
    needed
}

/// The recall at place `at`, with the bits of `numpy.linspace`.
fn recall_at(at: usize) -> f64 {
    if at + 1 == RECALLS { 1.0 } else { at as f64 * 0.01 }
}

/// Averages over thresholds and at each, in percent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Averages {
    /// Over all thresholds.
    pub precision: f64,
    /// At each threshold, `[T]`.
    pub precision_at: Vec<f64>,
    /// Over all thresholds.
    pub recall: f64,
    /// At each threshold, `[T]`.
    pub recall_at: Vec<f64>,
    /// At the lowest threshold: people who are found, detections that found nobody.
    pub counts: [u64; 2],
}

impl Averages {
    /// Of the detections `ranked` at each threshold, `[T]`, with `people` who count; `None` where nobody does.
    pub(super) fn of(ranked: &[Ranked], weights: &[u32], people: u64) -> Option<Self> {
        if people == 0 {
            return None;
        }
        debug_assert_eq!(ranked.len(), THRESHOLDS);
        let (needed, mut steps) = (needed(people), Vec::new());
        let all: Vec<AtThreshold> =
            ranked.iter().map(|one| one.at_threshold(weights, people, &needed, &mut steps)).collect();
        let together: Vec<f64> = all.iter().flat_map(|one| one.precision.iter().copied()).collect();
        let recalls: Vec<f64> = all.iter().map(|one| one.recall).collect();
        Some(Self {
            precision: 100.0 * mean(&together),
            precision_at: all.iter().map(|one| 100.0 * mean(&one.precision)).collect(),
            recall: 100.0 * mean(&recalls),
            recall_at: recalls.iter().map(|recall| 100.0 * recall).collect(),
            counts: [all[0].found, all[0].wrong],
        })
    }
}

/// The threshold at place `at` as tables show it.
pub(super) fn shown(at: usize) -> f64 {
    (thresholds()[at] * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranked(found: &[(u32, bool)]) -> Ranked {
        let mut ranked = Ranked::default();
        for (picture, is_found) in found {
            ranked.push(*picture, *is_found);
        }
        ranked
    }

    fn come_to(ranked: &Ranked, weights: &[u32], people: u64) -> AtThreshold {
        ranked.at_threshold(weights, people, &needed(people), &mut Vec::new())
    }

    #[test]
    fn a_recall_needs_as_many_as_the_reference_evaluator_finds() {
        for people in [1, 3, 7, 100, 262, 6_352] {
            for (at, needed) in needed(people).into_iter().enumerate() {
                let reached = |found: u64| found as f64 / people as f64 >= recall_at(at);
                assert!(reached(needed) && (needed == 0 || !reached(needed - 1)), "{people} {at}");
            }
        }
    }

    #[test]
    fn thresholds_are_those_that_are_shown() {
        let shown: Vec<f64> = (0..THRESHOLDS).map(shown).collect();
        assert_eq!(shown, [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
        assert_eq!((thresholds()[0], thresholds()[5], thresholds()[9]), (0.5, 0.75, 0.95));
    }

    #[test]
    fn precision_is_the_highest_at_that_recall_or_beyond() {
        // Found, false, found, found of four people: precision 1, 2/3, 3/4 at recalls 1/4, 2/4, 3/4.
        let one = come_to(&ranked(&[(0, true), (0, false), (1, true), (1, true)]), &[1, 1], 4);
        assert_eq!((one.recall, one.found, one.wrong), (0.75, 3, 1));
        // The reference evaluator adds the smallest step to what it divides by.
        let whole = 1.0 / (1.0 + f64::EPSILON);
        assert_eq!((one.precision[0], one.precision[25], one.precision[26]), (whole, whole, 0.75));
        assert_eq!((one.precision[75], one.precision[76]), (0.75, 0.0));
        let none = come_to(&ranked(&[(0, false)]), &[1], 4);
        assert_eq!((none.recall, mean(&none.precision)), (0.0, 0.0));
        assert!(Averages::of(&vec![Ranked::default(); THRESHOLDS], &[1], 0).is_none());
    }

    proptest! {
        #[test]
        fn a_weight_is_that_many_pictures(
            found in prop::collection::vec((0..4_u32, any::<bool>()), 0..30),
            weights in prop::collection::vec(0..4_u32, 4),
        ) {
            let people = 40;
            let weighted = come_to(&ranked(&found), &weights, people);
            let mut copies = Ranked::default();
            for (picture, is_found) in &found {
                (0..weights[*picture as usize]).for_each(|_| copies.push(*picture, *is_found));
            }
            prop_assert_eq!(weighted, come_to(&copies, &[1; 4], people));
        }

        #[test]
        fn a_person_more_that_is_found_never_lowers_precision(
            found in prop::collection::vec(any::<bool>(), 1..30), at in 0..30_usize,
        ) {
            let of = |found: &[bool]| {
                let all: Vec<(u32, bool)> = found.iter().map(|found| (0, *found)).collect();
                mean(&come_to(&ranked(&all), &[1], 30).precision)
            };
            let mut more = found.clone();
            let at = at % more.len();
            more[at] = true;
            prop_assert!(of(&found) <= of(&more));
        }
    }
}
