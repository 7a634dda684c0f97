//! Who is in the truth, and whom each output head predicts: all that joining by `sample_id` needs.

use schemas::skeleton::Skeleton;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::Person;

use super::error::EvaluateError;
use super::numbered::{Labels, Texts};
use super::output_head::OutputHead;

/// The people of the truth, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub ids: Texts,
    splits: Labels,
    /// Whether a joint is annotated.
    is_labelled: Vec<bool>,
}

impl Roster {
    /// Adds `person`, who is annotated with `skeleton`.
    ///
    /// # Errors
    /// When the number of joints is another, or the id is there already.
    pub(super) fn add(&mut self, person: &Person, skeleton: &'static Skeleton) -> Result<(), EvaluateError> {
        let found = person.pose.keypoints.len().min(person.pose.visibility.len());
        check_joints("truth", &person.sample_id, found, skeleton)?;
        if !self.ids.number(&person.sample_id).1 {
            return Err(EvaluateError::DuplicateTruth { sample_id: person.sample_id.clone() });
        }
        self.splits.push(&person.split);
        self.is_labelled.push(person.pose.annotated() > 0);
        Ok(())
    }

    /// How many people there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Numbers of those in `split` who have an annotated joint, by ascending `sample_id`, so that their order in the
    /// table never shows. A note says how many have none.
    ///
    /// # Errors
    /// When nobody is in the split.
    pub(super) fn scored(
        &self,
        split: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<u32>, EvaluateError> {
        let is_in = |person: &usize| split.is_none_or(|split| self.splits.of(*person) == split);
        let in_split = (0..self.len()).filter(is_in).count();
        if in_split == 0 {
            return Err(self.empty(split));
        }
        let mut people: Vec<u32> = (0..self.len())
            .filter(is_in)
            .filter(|&person| self.is_labelled[person])
            .map(|person| person as u32)
            .collect();
        people.sort_unstable_by_key(|&person| self.ids.text(person as usize));
        let left = in_split - people.len();
        if left > 0 {
            notes.push(format!("{left} of {in_split} rows of the truth have no annotated joint; not scored"));
        }
        Ok(people)
    }

    fn empty(&self, split: Option<&str>) -> EvaluateError {
        let Some(split) = split.filter(|_| self.len() > 0) else {
            return EvaluateError::Empty { side: "truth" };
        };
        let present = self.splits.different(0..self.len()).into_iter().map(|name| format!("`{name}`"));
        let present = present.collect::<Vec<_>>().join(", ");
        EvaluateError::EmptySplit { split: split.to_owned(), present }
    }
}

/// Whom each output head predicts.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    heads: Vec<Head>,
    /// People who are not in the truth.
    strangers: Texts,
    /// The head of the last prediction: neighbours mostly share it.
    last: usize,
}

#[derive(Debug)]
struct Head {
    model: String,
    number: i32,
    /// By number of the person, as far as any was predicted.
    people: Vec<bool>,
    strangers: Vec<bool>,
}

impl Head {
    fn as_output(&self) -> OutputHead<'_> {
        OutputHead { model: &self.model, number: self.number }
    }
}

impl Attendance {
    /// Notes `pose`, a prediction in `skeleton`: the place of its head among those that came so far, and the number of
    /// its person in `roster`, `None` for a stranger.
    ///
    /// # Errors
    /// When the number of joints is another, or the head predicts the person twice.
    pub(super) fn add(
        &mut self,
        pose: &PredictedPose,
        skeleton: &'static Skeleton,
        roster: &Roster,
    ) -> Result<(usize, Option<usize>), EvaluateError> {
        let lengths = [pose.score.as_ref(), pose.heatmap_mean.as_ref()];
        let lengths = lengths.into_iter().flatten().map(Vec::len);
        for found in std::iter::once(pose.keypoints.len()).chain(lengths) {
            check_joints("prediction", &pose.sample_id, found, skeleton)?;
        }
        let place = self.head(OutputHead { model: &pose.model, number: pose.head });
        let person = roster.ids.find(&pose.sample_id);
        let head = &mut self.heads[place];
        let is_new = match person {
            Some(person) => mark(&mut head.people, person),
            None => mark(&mut head.strangers, self.strangers.number(&pose.sample_id).0),
        };
        if !is_new {
            return Err(EvaluateError::DuplicatePrediction {
                model: pose.model.clone(),
                head: pose.head,
                sample_id: pose.sample_id.clone(),
            });
        }
        Ok((place, person))
    }

    fn head(&mut self, wanted: OutputHead<'_>) -> usize {
        let is_wanted = |head: &Head| head.as_output() == wanted;
        if !self.heads.get(self.last).is_some_and(is_wanted) {
            self.last = self.heads.iter().position(is_wanted).unwrap_or_else(|| {
                let model = wanted.model.to_owned();
                let (people, strangers) = (Vec::new(), Vec::new());
                self.heads.push(Head { model, number: wanted.number, people, strangers });
                self.heads.len() - 1
            });
        }
        self.last
    }

    /// The heads, by model and number, each with its place.
    pub(super) fn heads(&self) -> Vec<(usize, OutputHead<'_>)> {
        let mut heads: Vec<_> = self.heads.iter().map(Head::as_output).enumerate().collect();
        heads.sort_unstable_by_key(|(_, head)| *head);
        heads
    }

    /// Says of each head how many strangers it predicts, and how many of `people` it does not.
    pub(super) fn note(&self, people: &[u32], notes: &mut Vec<String>) {
        for (place, head) in self.heads() {
            let strangers = self.heads[place].strangers.iter().filter(|predicted| **predicted).count();
            if strangers > 0 {
                notes.push(format!(
                    "{head}: {strangers} predictions belong to nobody in the truth; not scored"
                ));
            }
            let marks = &self.heads[place].people;
            let is_missed = |person: &&u32| !marks.get(**person as usize).is_some_and(|predicted| *predicted);
            let missed = people.iter().filter(is_missed).count();
            if missed > 0 {
                let all = people.len();
                notes.push(format!("{head}: {missed} of {all} people have no prediction; counted as wrong"));
            }
        }
    }
}

/// Sets mark `number`; whether it was not set.
fn mark(marks: &mut Vec<bool>, number: usize) -> bool {
    if marks.len() <= number {
        marks.resize(number + 1, false);
    }
    !std::mem::replace(&mut marks[number], true)
}

fn check_joints(
    side: &'static str,
    sample_id: &str,
    found: usize,
    skeleton: &'static Skeleton,
) -> Result<(), EvaluateError> {
    if found == skeleton.len() {
        return Ok(());
    }
    let (sample_id, expected) = (sample_id.to_owned(), skeleton.len());
    Err(EvaluateError::JointCount { side, sample_id, found, skeleton: skeleton.name, expected })
}
