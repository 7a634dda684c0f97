//! People ready to be scored: joined to their predictions, with left and right as the protocol defines them and a
//! length to divide by.

use std::collections::BTreeSet;

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::{Person, Pose};

use super::error::EvaluateError;
use super::measure::{Errors, Lengths, Measure};
use super::options::EvaluateOptions;
use super::output_head::OutputHead;
use super::pairs::{Heads, Pairs};
use super::rules::{Group, Rules};

/// One person who counts.
#[derive(Debug, Clone)]
pub struct ScoredPerson<'a> {
    /// The row of the truth.
    pub person: &'a Person,
    /// Its pose as the protocol sees it.
    pub seen: Pose,
    /// What errors are divided by, px.
    pub length: f64,
}

/// The people who count by one protocol, by ascending `sample_id`, and what each output head says of them.
#[derive(Debug)]
pub struct ScoredPoses<'a> {
    /// Who counts.
    pub people: Vec<ScoredPerson<'a>>,
    /// Notes on the numbers.
    pub notes: Vec<String>,
    pub(super) rules: &'static Rules,
    pub(super) measure: Measure,
    pub(super) skeleton: &'static Skeleton,
    pub(super) heads: Heads<'a>,
}

impl<'a> ScoredPoses<'a> {
    /// Joins `predictions` to `truth` as [`super::evaluate_pose`] does; `None` where the protocol compares no places.
    ///
    /// # Errors
    /// When an id occurs twice, a skeleton lacks a joint of the protocol, or there is nothing to score.
    pub fn join(
        truth: &'a [Person],
        truth_skeleton: &'static Skeleton,
        predictions: &'a [PredictedPose],
        prediction_skeleton: &'static Skeleton,
        options: &EvaluateOptions,
    ) -> Result<Option<Self>, EvaluateError> {
        let Some(rules) = options.protocol.rules_of(truth_skeleton) else { return Ok(None) };
        let split = options.split.as_deref();
        let pairs = Pairs::join(truth, truth_skeleton, predictions, prediction_skeleton, split)?;
        let measure = Measure::new(options.protocol, rules, truth_skeleton, prediction_skeleton)?;
        Ok(Some(Self::of(pairs, rules, measure, truth_skeleton)))
    }

    /// The people of `pairs` that have a usable length.
    fn of(pairs: Pairs<'a>, rules: &'static Rules, measure: Measure, skeleton: &'static Skeleton) -> Self {
        let Pairs { people: all, heads, mut notes } = pairs;
        let (mut people, mut refused, mut swapped) = (Vec::with_capacity(all.len()), 0, 0);
        for &person in &all {
            let seen = measure.seen(&person.pose);
            swapped += usize::from(seen.is_some());
            let seen = seen.unwrap_or_else(|| person.pose.clone());
            match measure.length(Lengths::of(person), &seen) {
                Ok(length) => people.push(ScoredPerson { person, seen, length }),
                Err(_) => refused += 1,
            }
        }
        note_people(swapped, refused, all.len(), &mut notes);
        Self { people, notes, rules, measure, skeleton, heads }
    }

    /// The output heads, by model and number.
    pub fn heads(&self) -> Vec<OutputHead<'a>> {
        self.heads.keys().copied().collect()
    }

    /// What `head` says of the person called `sample_id`.
    pub fn prediction(&self, head: OutputHead<'_>, sample_id: &str) -> Option<&'a PredictedPose> {
        self.heads.get(&head)?.get(sample_id).copied()
    }

    /// The errors of `head` for every person, in parts of the normalising length, `[N, P]`: `None` where the truth is
    /// not annotated, `NaN` where nothing usable was predicted.
    pub(super) fn errors(&self, head: OutputHead<'_>) -> Vec<Errors> {
        let of = |scored: &ScoredPerson<'_>| {
            let prediction = self.prediction(head, &scored.person.sample_id);
            self.measure.errors(&scored.seen, scored.length, prediction)
        };
        self.people.iter().map(of).collect()
    }

    /// The data sets of the people, joined.
    pub(super) fn dataset(&self) -> String {
        let names: BTreeSet<&str> = self.people.iter().map(|one| one.person.dataset.as_str()).collect();
        names.into_iter().collect::<Vec<_>>().join("+")
    }

    /// The threshold of the published figures.
    pub fn headline(&self) -> f64 {
        self.rules.headline_hundredth as f64 / 100.0
    }

    /// Whether an error of so many lengths is right at that threshold.
    pub fn near(&self, error: f64) -> bool {
        self.rules.comparator.holds(error, self.headline())
    }

    /// The group of all parts, which every protocol has last.
    pub(super) fn total(&self) -> &'static Group {
        &self.rules.groups[self.rules.groups.len() - 1]
    }
}

/// Notes how many of `all` people were `swapped`, and how many were `refused`.
pub(super) fn note_people(swapped: usize, refused: usize, all: usize, notes: &mut Vec<String>) {
    if swapped > 0 {
        notes.push(format!("{swapped} of {all} people are seen from behind; left and right swapped"));
    }
    if refused > 0 {
        notes.push(format!("{refused} of {all} people have no usable normaliser; not counted"));
    }
}
