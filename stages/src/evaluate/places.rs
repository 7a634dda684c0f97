//! Scoring by places: each prediction becomes a row of thresholds as soon as it comes.

use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::Pose;
use schemas::tables::rejects::Reject;

use super::curves::Curves;
use super::joined::Joined;
use super::measure::Measure;
use super::metric_rows::{Scored, rows};
use super::options::{EvaluateOptions, Evaluation};
use super::rules::{Normaliser, Rules};
use super::scored::note_people;
use super::truth::Truth;

/// People who count by one protocol, and what came of their predictions.
pub(super) struct Places {
    rules: &'static Rules,
    measure: Measure,
    /// Numbers of those who count, by ascending `sample_id`.
    people: Vec<u32>,
    /// Their normalising lengths, px.
    lengths: Vec<f64>,
    /// By number in the truth: the place among `people`.
    place_of: Vec<Option<u32>>,
    notes: Vec<String>,
    rejects: Vec<Reject>,
    /// By place of the head.
    heads: Vec<Head>,
    pose: Pose,
    buffer: Vec<f64>,
}

struct Head {
    curves: Curves,
    /// Predictions that have no length of their own to divide by.
    without_length: u64,
}

impl Places {
    /// `people` are the numbers of those who may count, by ascending `sample_id`.
    pub(super) fn new(rules: &'static Rules, measure: Measure, truth: &Truth, people: &[u32]) -> Self {
        let (mut pose, mut buffer) = (Pose::unknown(truth.skeleton.len()), Vec::new());
        let (mut kept, mut lengths) = (Vec::with_capacity(people.len()), Vec::with_capacity(people.len()));
        let (mut rejects, mut swapped, mut pointlike) = (Vec::new(), 0, 0);
        for &person in people {
            truth.read(person as usize, &mut pose, &mut buffer);
            let mirrored = measure.seen(&pose);
            swapped += usize::from(mirrored.is_some());
            let seen = mirrored.as_ref().unwrap_or(&pose);
            match measure.length(truth.lengths(person as usize), seen) {
                Ok(length) => {
                    kept.push(person);
                    lengths.push(length);
                    pointlike += measure.sticks_without_length(seen);
                }
                Err(why) => rejects.push(truth.reject(person as usize, &why)),
            }
        }
        let mut notes = Vec::new();
        note_people(swapped, rejects.len(), people.len(), &mut notes);
        if rules.normaliser == Normaliser::PersonBox && truth.made_boxes > 0 {
            let (made, all) = (truth.made_boxes, truth.roster.len());
            notes.push(format!("{made} of {all} rows state no box; that of the annotated joints is taken"));
        }
        // A true stick of no length cannot be scored and must not vanish unsaid.
        let sticks = matches!(rules.normaliser, Normaliser::StickWorseEnd | Normaliser::StickMeanEnd);
        if sticks && pointlike > 0 {
            notes.push(format!("{pointlike} sticks of the truth have no length; not scored"));
        }
        Self {
            rules,
            measure,
            place_of: truth.places_among(&kept),
            people: kept,
            lengths,
            notes,
            rejects,
            heads: Vec::new(),
            pose,
            buffer,
        }
    }

    /// Scores `prediction` of the head at `head`, which is of person number `person`.
    pub(super) fn add(
        &mut self,
        head: usize,
        person: Option<usize>,
        prediction: &PredictedPose,
        truth: &Truth,
    ) {
        while self.heads.len() <= head {
            self.heads.push(Head { curves: Curves::open(self.rules, self.people.len()), without_length: 0 });
        }
        let Some(person) = person else { return };
        let Some(place) = self.place_of[person].map(|place| place as usize) else { return };
        self.score(head, place, Some(prediction), truth);
        let by_own_length = matches!(self.rules.normaliser, Normaliser::PredictedSegment(..));
        if by_own_length && !self.measure.has_predicted_length(prediction) {
            self.heads[head].without_length += 1;
        }
    }

    fn score(&mut self, head: usize, place: usize, prediction: Option<&PredictedPose>, truth: &Truth) {
        truth.read(self.people[place] as usize, &mut self.pose, &mut self.buffer);
        let mirrored = self.measure.seen(&self.pose);
        let seen = mirrored.as_ref().unwrap_or(&self.pose);
        let errors = self.measure.errors(seen, self.lengths[place], prediction);
        self.heads[head].curves.set(place, &errors);
    }

    /// The numbers of all heads.
    pub(super) fn finish(mut self, joined: &Joined<'_>, options: &EvaluateOptions) -> Evaluation {
        let (mut notes, rejects) = (joined.notes.to_vec(), std::mem::take(&mut self.rejects));
        notes.append(&mut self.notes);
        let mut evaluation = Evaluation { metrics: Vec::new(), notes, rejects };
        if self.people.is_empty() {
            evaluation.notes.push("nobody is left to score".to_owned());
            return evaluation;
        }
        let dataset = joined.truth.dataset_of(&self.people);
        for (at, head) in joined.attendance.heads() {
            // Whoever was not predicted is wrong.
            for place in self.heads[at].curves.unset() {
                self.score(at, place, None, joined.truth);
            }
            let Head { curves, without_length } = &self.heads[at];
            if *without_length > 0 {
                let note = format!("{head}: {without_length} predictions have no torso; counted as wrong");
                evaluation.notes.push(note);
            }
            let scored = Scored { people: self.people.len(), dataset: &dataset };
            let cells = curves.cells(joined.truth.skeleton);
            let statistic = |weights: &[u32]| curves.rates(weights);
            evaluation.metrics.extend(rows(options, head, scored, cells, statistic, &mut evaluation.notes));
        }
        evaluation
    }
}
