//! Scoring predictions as they come: the truth is kept in little memory, predictions are not kept.

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;

use super::error::EvaluateError;
use super::joined::Joined;
use super::measure::Measure;
use super::oks;
use super::options::{EvaluateOptions, Evaluation};
use super::places::Places;
use super::presence::Presences;
use super::roster::Attendance;
use super::truth::Truth;

enum Scorer {
    Places(Box<Places>),
    Pictures(Box<oks::Scorer>),
    Presence(Presences),
}

/// Scores predictions against one truth by one or more protocols.
///
/// It keeps some 200 to 400 bytes of each person, and of each prediction and protocol one byte for each joint or stick
/// that the protocol scores.
pub(super) struct Scoring<'a> {
    truth: Truth,
    skeleton: &'static Skeleton,
    options: &'a [EvaluateOptions],
    people: Vec<u32>,
    notes: Vec<String>,
    attendance: Attendance,
    scorers: Vec<Scorer>,
    any: bool,
}

impl<'a> Scoring<'a> {
    /// Scores predictions in `skeleton` by each of `options`, which agree in their split.
    ///
    /// # Errors
    /// When nobody is in the split, or a skeleton lacks a joint of a protocol.
    pub(super) fn new(
        mut truth: Truth,
        skeleton: &'static Skeleton,
        options: &'a [EvaluateOptions],
    ) -> Result<Self, EvaluateError> {
        truth.complete();
        let split = options.first().and_then(|options| options.split.as_deref());
        let mut notes = Vec::new();
        let people = truth.roster.scored(split, &mut notes)?;
        let scorer = |options: &EvaluateOptions| match options.protocol.rules_of(truth.skeleton) {
            _ if options.protocol.is_of_pictures() => {
                Ok(Scorer::Pictures(Box::new(oks::Scorer::new(&truth, skeleton, options)?)))
            }
            Some(rules) => {
                let measure = Measure::new(options.protocol, rules, truth.skeleton, skeleton)?;
                Ok(Scorer::Places(Box::new(Places::new(rules, measure, &truth, &people))))
            }
            None => Ok(Scorer::Presence(Presences::new(&truth, skeleton, &people))),
        };
        let scorers = options.iter().map(scorer).collect::<Result<_, EvaluateError>>()?;
        let attendance = Attendance::default();
        Ok(Self { truth, skeleton, options, people, notes, attendance, scorers, any: false })
    }

    /// Scores `prediction`.
    ///
    /// # Errors
    /// When the number of joints is another than that of the skeleton, the person was predicted before, or a score that
    /// orders predictions is not a number.
    pub(super) fn add(&mut self, prediction: &PredictedPose) -> Result<(), EvaluateError> {
        let (head, person) = self.attendance.add(prediction, self.skeleton, &self.truth.roster)?;
        for scorer in &mut self.scorers {
            match scorer {
                Scorer::Places(places) => places.add(head, person, prediction, &self.truth),
                Scorer::Pictures(pictures) => pictures.add(head, person, prediction, &self.truth)?,
                Scorer::Presence(presences) => presences.add(head, person, prediction, &self.truth),
            }
        }
        self.any = true;
        Ok(())
    }

    /// What came of it, by protocol.
    ///
    /// # Errors
    /// When there was no prediction, or none that a protocol can score.
    pub(super) fn finish(mut self) -> Result<Vec<Evaluation>, EvaluateError> {
        if !self.any {
            return Err(EvaluateError::Empty { side: "prediction" });
        }
        self.attendance.note(&self.people, &mut self.notes);
        let joined = Joined {
            truth: &self.truth,
            attendance: &self.attendance,
            people: &self.people,
            notes: &self.notes,
        };
        let scored = self.scorers.into_iter().zip(self.options).map(|(scorer, options)| match scorer {
            Scorer::Places(places) => Ok(places.finish(&joined, options)),
            Scorer::Pictures(pictures) => Ok(pictures.finish(&joined, options)),
            Scorer::Presence(presences) => presences.finish(&joined, options),
        });
        scored.collect()
    }
}
