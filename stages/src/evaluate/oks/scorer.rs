//! Takes predictions as they come, then makes the numbers.

use std::collections::BTreeSet;

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::rejects::Reject;

use super::cells::{metrics, parts, ranges};
use super::comparable::{Case, reasons};
use super::outcome::{Detections, Outcome, Setting};
use super::pictures::Departures;
use super::sigmas::{crowdpose_sigmas, sigmas_of};
use super::{Kind, MOST_DETECTIONS};
use crate::evaluate::error::EvaluateError;
use crate::evaluate::joined::Joined;
use crate::evaluate::measure::NORMALISER_MISSING;
use crate::evaluate::options::{EvaluateOptions, Evaluation};
use crate::evaluate::output_head::OutputHead;
use crate::evaluate::protocol::Protocol;
use crate::evaluate::truth::Truth;

/// Predictions of all heads, and what they are scored by.
pub(in super::super) struct Scorer {
    kind: Kind,
    sigmas: Vec<f64>,
    predicted: &'static Skeleton,
    /// By joint of the truth: its place in a prediction.
    places: Vec<usize>,
    /// Numbers of the pictures that are scored, in their order.
    scored: Vec<u32>,
    /// By number of the picture: whether it is scored.
    is_scored: Vec<bool>,
    /// By place of the head.
    heads: Vec<Head>,
}

#[derive(Default)]
struct Head {
    detections: Detections,
    /// Predictions of pictures that are not in the truth, or not scored, and one of these.
    elsewhere: (usize, String),
    /// Predictions without any score.
    without_score: usize,
}

impl Scorer {
    /// Scores predictions in the skeleton `predicted` by `options`.
    ///
    /// # Errors
    /// When the predictions lack a joint of the truth, or a sigma is of no joint.
    pub(in super::super) fn new(
        truth: &Truth,
        predicted: &'static Skeleton,
        options: &EvaluateOptions,
    ) -> Result<Self, EvaluateError> {
        let protocol = options.protocol;
        let place = |joint: &'static str| {
            let (side, skeleton) = ("prediction", predicted.name);
            predicted.index_of(joint).ok_or(EvaluateError::MissingJoint { protocol, joint, side, skeleton })
        };
        let places = truth.skeleton.joints.iter().map(|joint| place(joint)).collect::<Result<_, _>>()?;
        let sigmas = sigmas_of(truth.skeleton, &options.sigmas)
            .map_err(|joint| EvaluateError::StrangeSigma { joint, skeleton: truth.skeleton.name })?;
        let pictures = truth.pictures();
        let scored = pictures.scored(options.split.as_deref());
        let mut is_scored = vec![false; pictures.len()];
        for picture in &scored {
            is_scored[*picture as usize] = true;
        }
        let (kind, sigmas) = match protocol {
            Protocol::CrowdPose => (Kind::CrowdPose, crowdpose_sigmas(truth.skeleton)),
            _ => (Kind::Coco, sigmas),
        };
        Ok(Self { kind, sigmas, predicted, places, scored, is_scored, heads: Vec::new() })
    }

    /// Takes in `prediction` of the head at `head`, which is of person number `person` if of any.
    ///
    /// # Errors
    /// When its score is not a number.
    pub(in super::super) fn add(
        &mut self,
        head: usize,
        person: Option<usize>,
        prediction: &PredictedPose,
        truth: &Truth,
    ) -> Result<(), EvaluateError> {
        let score = score_of(prediction)?;
        if self.heads.len() <= head {
            self.heads.resize_with(head + 1, Head::default);
        }
        let head = &mut self.heads[head];
        let pictures = truth.pictures();
        let picture = match &prediction.image_path {
            Some(path) => pictures.find(path),
            None => person.map(|person| pictures.of_person(person)),
        };
        let Some(picture) = picture.filter(|picture| self.is_scored[*picture as usize]) else {
            head.elsewhere.0 += 1;
            if head.elsewhere.0 == 1 {
                head.elsewhere.1.clone_from(prediction.image_path.as_ref().unwrap_or(&prediction.sample_id));
            }
            return Ok(());
        };
        head.without_score += usize::from(prediction.detection_score.is_none() && prediction.score.is_none());
        head.detections.pictures.push(picture);
        // Minus zero is as high as zero.
        head.detections.scores.push(score + 0.0);
        let point = |place: &usize| {
            let point = prediction.keypoints[*place];
            if point.iter().all(|value| value.is_finite()) { point } else { [0.0; 2] }
        };
        head.detections.keypoints.extend(self.places.iter().map(point));
        Ok(())
    }

    /// The numbers of all heads.
    pub(in super::super) fn finish(self, joined: &Joined<'_>, options: &EvaluateOptions) -> Evaluation {
        let pictures = joined.truth.pictures();
        let ranges = ranges(self.kind, joined.truth.skeleton);
        let setting = Setting {
            truth: joined.truth,
            pictures,
            kind: self.kind,
            sigmas: &self.sigmas,
            ranges: &ranges,
            scored: &self.scored,
        };
        let parts = parts(&setting);
        let departures = pictures.departures(&self.scored);
        let mut evaluation = Evaluation { rejects: self.rejects(&setting), ..Evaluation::default() };
        self.note_truth(&departures, &mut evaluation.notes);
        let skeleton = joined.truth.skeleton;
        if self.kind == Kind::Coco && skeleton.sigmas.is_none() && options.sigmas.len() < skeleton.len() {
            evaluation.notes.push(format!(
                "nobody has published sigmas for `{}`; those of COCO's joints of the same names are taken, and 0.079",
                skeleton.name
            ));
        }
        let sets: BTreeSet<&str> = self.scored.iter().map(|picture| pictures.set(*picture).0).collect();
        let dataset = sets.into_iter().collect::<Vec<_>>().join("+");
        for (place, name) in joined.attendance.heads() {
            let Some(head) = self.heads.get(place) else { continue };
            let outcome = Outcome::of(&setting, &head.detections);
            let people = outcome.people(0, &vec![1; self.scored.len()]);
            let case = Case {
                kind: self.kind,
                truth: joined.truth.skeleton,
                predicted: self.predicted,
                has_own_sigmas: !options.sigmas.is_empty(),
                departures,
                people,
                dataset: &dataset,
                pictures: self.scored.len(),
                has_crowd_indices: self.scored.iter().all(|picture| pictures.crowd_index(*picture).is_some()),
                elsewhere: head.elsewhere.0,
            };
            let reasons = reasons(&case);
            head.note(&name, &outcome, self.scored.len(), &mut evaluation.notes);
            note_comparable(self.kind, &reasons, &mut evaluation.notes);
            let rows = metrics(&setting, &parts, &outcome, options, name, &dataset, &mut evaluation.notes);
            evaluation.metrics.extend(rows);
            evaluation.metrics.push(super::cells::comparable(
                options,
                name,
                &dataset,
                self.kind,
                reasons.is_empty(),
            ));
        }
        // What holds for every head is said once.
        let mut said = BTreeSet::new();
        evaluation.notes.retain(|note| said.insert(note.clone()));
        evaluation
    }

    /// People who count and cannot be measured.
    fn rejects(&self, setting: &Setting<'_>) -> Vec<Reject> {
        let subjects = self.scored.iter().flat_map(|picture| setting.pictures.subjects(*picture));
        let has_area = |area: f64| area > 0.0;
        let unmeasured = subjects.filter(|one| !one.is_ignored && !has_area(one.area_by(self.kind)));
        let detail = "the person has neither an area nor a box with an extent; nobody can find it";
        unmeasured
            .filter_map(|one| {
                Some(setting.truth.reject_for(one.person? as usize, NORMALISER_MISSING, detail))
            })
            .collect()
    }

    fn note_truth(&self, departures: &Departures, notes: &mut Vec<String>) {
        let mut note = |count: usize, what: &str| {
            if count > 0 {
                notes.push(format!("{count} {what}"));
            }
        };
        if self.kind == Kind::Coco {
            note(
                departures.without_area,
                "people state no area; that of their box is taken, or of their joints",
            );
        }
        note(
            departures.void,
            "annotations have the number 0; whoever finds them counts as false, as in pycocotools: number from 1",
        );
        note(
            departures.lost,
            "regions of people who were rejected or not read; what is detected there does not count",
        );
    }
}

impl Head {
    fn note(&self, name: &OutputHead<'_>, outcome: &Outcome, pictures: usize, notes: &mut Vec<String>) {
        let all = self.detections.scores.len();
        if self.elsewhere.0 > 0 {
            let (count, one) = &self.elsewhere;
            notes.push(format!(
                "{name}: {count} predictions belong to no picture that is scored, such as `{one}`"
            ));
        }
        if outcome.left_out > 0 {
            let count = outcome.left_out;
            notes.push(format!(
                "{name}: {count} of {all} predictions are beyond the {MOST_DETECTIONS} of the highest scores in their \
                 picture; not counted"
            ));
        }
        if outcome.empty > 0 {
            let empty = outcome.empty;
            notes.push(format!(
                "{name}: {empty} of {pictures} pictures have no prediction; their people are missed"
            ));
        }
        if self.without_score > 0 {
            let count = self.without_score;
            notes.push(format!(
                "{name}: {count} of {all} predictions have neither `detection_score` nor `score`; each scores 1, so that \
                 average precision follows the order of rows"
            ));
        }
    }
}

fn note_comparable(kind: Kind, reasons: &[String], notes: &mut Vec<String>) {
    let whose = match kind {
        Kind::Coco => "COCO val2017",
        Kind::CrowdPose => "CrowdPose",
    };
    notes.push(if reasons.is_empty() {
        format!("comparable with published numbers on {whose}")
    } else {
        format!("not comparable with published numbers on {whose}: {}", reasons.join("; "))
    });
}

/// The score of `prediction` as a whole.
fn score_of(prediction: &PredictedPose) -> Result<f64, EvaluateError> {
    let refuse = |column: &'static str, found: f64| EvaluateError::ScoreNotFinite {
        sample_id: prediction.sample_id.clone(),
        column,
        found: found.to_string(),
    };
    match (prediction.detection_score, &prediction.score) {
        (Some(score), _) if !score.is_finite() => return Err(refuse("detection_score", score)),
        (None, Some(scores)) => {
            if let Some(wrong) = scores.iter().find(|score| !score.is_finite()) {
                return Err(refuse("score", *wrong));
            }
        }
        _ => {}
    }
    Ok(prediction.whole_score())
}
