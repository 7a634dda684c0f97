//! Predictions by the id of their person, one of each.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use schemas::Skeleton;
use schemas::columns::skeleton_of;
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use super::{ExportError, Exported, OneSkeleton, expect_table, is_person};

/// The predictions of a table `keypoints`.
#[derive(Debug)]
pub struct Predicted {
    /// The order of the joints.
    pub skeleton: &'static Skeleton,
    by_id: HashMap<String, PredictedPose>,
    rejects: Vec<Reject>,
}

/// Why a row of predictions is not written.
const OTHER_HEAD: &str = "another head";

impl Predicted {
    /// Reads `batches`. Of several output heads, `head` is taken, or each person's last.
    ///
    /// # Errors
    /// When a batch cannot be read or is not of the table `keypoints`, or there is none.
    pub fn read(batches: &[RecordBatch], head: Option<i32>) -> Result<Self, ExportError> {
        let mut skeleton = OneSkeleton::default();
        let mut by_id: HashMap<String, PredictedPose> = HashMap::new();
        let (mut rejects, mut other_heads) = (Vec::new(), 0);
        for batch in batches {
            expect_table(batch.schema_ref(), keypoints::NAME)?;
            skeleton.check(skeleton_of(batch.schema_ref())?)?;
            for pose in keypoints::from_batch(batch)? {
                if head.is_some_and(|head| head != pose.head) {
                    other_heads += 1;
                    continue;
                }
                match by_id.get_mut(&pose.sample_id) {
                    None => drop(by_id.insert(pose.sample_id.clone(), pose)),
                    Some(first) if first.head == pose.head => rejects.push(Reject {
                        reason: "predicted twice".into(),
                        detail: format!("head {}; the first row is kept", first.head),
                        sample_id: Some(pose.sample_id),
                        ..Reject::default()
                    }),
                    Some(first) => {
                        other_heads += 1;
                        if first.head < pose.head {
                            *first = pose;
                        }
                    }
                }
            }
        }
        if other_heads > 0 {
            let (reason, rows) = (OTHER_HEAD.to_owned(), other_heads);
            let detail =
                head.map_or_else(|| "each person's last is taken".into(), |head| format!("{head} is taken"));
            rejects.push(Reject { reason, detail, rows, ..Reject::default() });
        }
        Ok(Self { skeleton: skeleton.get()?, by_id, rejects })
    }

    /// The prediction of each of `people` who is a person, in their order, with the joints in the order of
    /// `skeleton`: `NaN` where the predictions have no such joint. Predictions of nobody become rejects of `exported`.
    pub(super) fn of<'a>(
        mut self,
        people: &'a [Person],
        skeleton: &'static Skeleton,
        format: &str,
        exported: &mut Exported,
    ) -> Vec<(&'a Person, Option<PredictedPose>)> {
        let places = skeleton.indices_in(self.skeleton);
        let persons = people.iter().filter(|person| is_person(person));
        let pairs: Vec<_> = persons
            .map(|person| {
                let found = self.by_id.remove(&person.sample_id);
                (person, found.map(|prediction| arranged(prediction, &places)))
            })
            .collect();
        let absent = skeleton.joints.iter().zip(&places).filter(|(_, place)| place.is_none());
        let absent: Vec<String> = absent.map(|(joint, _)| format!("`{joint}`")).collect();
        if !absent.is_empty() {
            exported.notes.push(format!(
                "the predictions (`{}`) have no {}",
                self.skeleton.name,
                absent.join(", ")
            ));
        }
        exported.written += pairs.iter().filter(|(_, prediction)| prediction.is_some()).count() as u64;
        let strangers: BTreeMap<String, PredictedPose> = self.by_id.into_iter().collect();
        let strangers = strangers.into_keys().map(|id| Reject {
            reason: "no person with this id".into(),
            sample_id: Some(id),
            ..Reject::default()
        });
        let rejects = self.rejects.into_iter().chain(strangers);
        exported.rejects.extend(rejects.map(|reject| Reject { stage: format.to_owned(), ..reject }));
        pairs
    }
}

/// `prediction` with its joints at `places`.
fn arranged(prediction: PredictedPose, places: &[Option<usize>]) -> PredictedPose {
    let point = |place: &Option<usize>| place.map_or([f64::NAN; 2], |place| prediction.keypoints[place]);
    let number = |score: &[f64], place: &Option<usize>| place.map_or(f64::NAN, |place| score[place]);
    let score = prediction.score.as_deref();
    PredictedPose {
        keypoints: places.iter().map(point).collect(),
        score: score.map(|score| places.iter().map(|place| number(score, place)).collect()),
        ..prediction
    }
}
