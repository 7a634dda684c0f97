//! Who is compared with whom: predictions joined to the truth by `sample_id`.

use std::collections::{BTreeMap, HashMap};

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::Person;

use super::error::EvaluateError;
use super::output_head::OutputHead;
use super::roster::{Attendance, Roster};

/// What each output head says, by `sample_id`.
pub(super) type Heads<'a> = BTreeMap<OutputHead<'a>, HashMap<&'a str, &'a PredictedPose>>;

/// Truth and predictions, joined.
#[derive(Debug)]
pub(super) struct Pairs<'a> {
    /// The people to score, by ascending `sample_id`, so that their order in the table never shows.
    pub people: Vec<&'a Person>,
    /// What each output head of each model says, by `sample_id`.
    pub heads: Heads<'a>,
    /// What a reader of the scores must know.
    pub notes: Vec<String>,
}

impl<'a> Pairs<'a> {
    /// Joins `predictions` to those people of `truth` who are in `split` and have an annotated joint.
    pub(super) fn join(
        truth: &'a [Person],
        truth_skeleton: &'static Skeleton,
        predictions: &'a [PredictedPose],
        prediction_skeleton: &'static Skeleton,
        split: Option<&str>,
    ) -> Result<Self, EvaluateError> {
        let (mut roster, mut attendance) = (Roster::default(), Attendance::default());
        for person in truth {
            roster.add(person, truth_skeleton)?;
        }
        let mut notes = Vec::new();
        let people = roster.scored(split, &mut notes)?;
        if predictions.is_empty() {
            return Err(EvaluateError::Empty { side: "prediction" });
        }
        let mut heads = Heads::new();
        for pose in predictions {
            attendance.add(pose, prediction_skeleton, &roster)?;
            let head = heads.entry(OutputHead { model: &pose.model, number: pose.head }).or_default();
            head.insert(pose.sample_id.as_str(), pose);
        }
        attendance.note(&people, &mut notes);
        let people = people.into_iter().map(|person| &truth[person as usize]).collect();
        Ok(Self { people, heads, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{person, prediction};
    use super::*;
    use schemas::skeleton::{FLIC9, MPII16};

    fn join<'a>(truth: &'a [Person], predictions: &'a [PredictedPose]) -> Result<Pairs<'a>, EvaluateError> {
        Pairs::join(truth, &MPII16, predictions, &MPII16, None)
    }

    #[test]
    fn an_id_that_stands_twice_is_named() {
        let people = [person("a", 1), person("a", 2)];
        let message = join(&people, &[prediction(&people[0], 1)]).unwrap_err().to_string();
        assert!(message.contains("`a` twice"), "{message}");
        let people = [person("a", 1)];
        let twice = [prediction(&people[0], 2), prediction(&people[0], 2)];
        let message = join(&people, &twice).unwrap_err().to_string();
        assert!(message.contains("head 2, predicts `a` twice"), "{message}");
        assert!(join(&people, &[prediction(&people[0], 1), prediction(&people[0], 2)]).is_ok());
    }

    #[test]
    fn strangers_absentees_and_unannotated_people_are_noted() {
        let mut people = [person("a", 1), person("b", 2), person("c", 3)];
        people[2].pose = schemas::tables::people::Pose::unknown(16);
        let stranger = PredictedPose { sample_id: "z".into(), ..prediction(&people[0], 1) };
        let predictions = [prediction(&people[0], 1), stranger];
        let pairs = join(&people, &predictions).unwrap();
        assert_eq!(pairs.people.len(), 2);
        let notes = pairs.notes.join("\n");
        assert!(notes.contains("1 of 3 rows of the truth have no annotated joint"), "{notes}");
        assert!(notes.contains("1 predictions belong to nobody"), "{notes}");
        assert!(notes.contains("1 of 2 people have no prediction; counted as wrong"), "{notes}");
    }

    #[test]
    fn an_empty_split_lists_those_that_are_there() {
        let people = [person("a", 1)];
        let predictions = [prediction(&people[0], 1)];
        let error = Pairs::join(&people, &MPII16, &predictions, &MPII16, Some("tset")).unwrap_err();
        assert_eq!(error.to_string(), "the truth has no people in split `tset`; its splits are `validation`");
        let error = Pairs::join(&people, &MPII16, &predictions, &FLIC9, None).unwrap_err();
        assert_eq!(error.to_string(), "prediction `a` has 16 joints; `flic9` has 9");
    }
}
