//! Predictions by the id of their person, one of each.

use std::collections::{BTreeMap, HashMap};

use schemas::Skeleton;
use schemas::columns::{integers, numbers, points, skeleton_of, strings, vectors_f64};
use schemas::tables::keypoints;
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use super::{ExportError, Exported, OneSkeleton, Piece, expect_table, is_person};
use crate::coco::DETECTION_SCORE;

/// What is predicted of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Number of the output head.
    pub stage: i32,
    /// `[K, 2]` px of the image, from 0; `NaN` where nothing was predicted.
    pub keypoints: Vec<[f64; 2]>,
    /// `[K]`.
    pub score: Option<Vec<f64>>,
    /// Of the person as a whole.
    pub detection_score: Option<f64>,
}

/// The predictions of a table `keypoints`.
#[derive(Debug)]
pub struct Predicted {
    /// The order of the joints.
    pub skeleton: &'static Skeleton,
    by_id: HashMap<String, Prediction>,
    rejects: Vec<Reject>,
}

/// Why a row of predictions is not written.
const OTHER_STAGE: &str = "another stage";

impl Predicted {
    /// Reads `batches`. Of several output heads, `stage` is taken, or each person's last.
    ///
    /// # Errors
    /// When a batch cannot be read or is not of the table `keypoints`, or there is none.
    pub fn read(batches: impl IntoIterator<Item = Piece>, stage: Option<i32>) -> Result<Self, ExportError> {
        let mut skeleton = OneSkeleton::default();
        let mut by_id: HashMap<String, Prediction> = HashMap::new();
        let (mut rejects, mut other_stages) = (Vec::new(), 0);
        for batch in batches {
            let batch = batch?;
            expect_table(batch.schema_ref(), keypoints::NAME)?;
            let found = skeleton_of(batch.schema_ref())?;
            skeleton.check(found)?;
            let has = |name: &str| batch.schema_ref().index_of(name).is_ok();
            let (ids, stages) = (strings(&batch, "sample_id")?, integers(&batch, "stage")?);
            let scores = has("score").then(|| vectors_f64(&batch, "score", found.len())).transpose()?;
            let whole = has(DETECTION_SCORE).then(|| numbers(&batch, DETECTION_SCORE)).transpose()?;
            for (row, keypoints) in points(&batch, "keypoints")?.into_iter().enumerate() {
                let prediction = Prediction {
                    stage: stages.value(row),
                    keypoints,
                    score: scores.as_ref().and_then(|scores| scores.row(row)).map(<[f64]>::to_vec),
                    detection_score: whole.and_then(|whole| whole.iter().nth(row).flatten()),
                };
                if stage.is_some_and(|stage| stage != prediction.stage) {
                    other_stages += 1;
                    continue;
                }
                let id = ids.value(row);
                match by_id.get_mut(id) {
                    None => drop(by_id.insert(id.to_owned(), prediction)),
                    Some(first) if first.stage == prediction.stage => rejects.push(Reject {
                        reason: "predicted twice".into(),
                        sample_id: Some(id.to_owned()),
                        detail: format!("stage {}; the first row stands", first.stage),
                        ..Reject::default()
                    }),
                    Some(first) => {
                        other_stages += 1;
                        if first.stage < prediction.stage {
                            *first = prediction;
                        }
                    }
                }
            }
        }
        if other_stages > 0 {
            let (reason, rows) = (OTHER_STAGE.to_owned(), other_stages);
            let detail = stage
                .map_or_else(|| "each person's last is taken".into(), |stage| format!("{stage} is taken"));
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
    ) -> Vec<(&'a Person, Option<Prediction>)> {
        let places = skeleton.indices_in(self.skeleton);
        let persons = people.iter().filter(|person| is_person(person));
        let pairs: Vec<_> = persons
            .map(|person| {
                let found = self.by_id.remove(&person.sample_id);
                (person, found.map(|prediction| arranged(&prediction, &places)))
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
        let strangers: BTreeMap<String, Prediction> = self.by_id.into_iter().collect();
        let strangers = strangers.into_keys().map(|id| Reject {
            reason: "nobody of this id in the people".into(),
            sample_id: Some(id),
            ..Reject::default()
        });
        let rejects = self.rejects.into_iter().chain(strangers);
        exported.rejects.extend(rejects.map(|reject| Reject { stage: format.to_owned(), ..reject }));
        pairs
    }
}

/// `prediction` with its joints at `places`.
fn arranged(prediction: &Prediction, places: &[Option<usize>]) -> Prediction {
    let point = |place: &Option<usize>| place.map_or([f64::NAN; 2], |place| prediction.keypoints[place]);
    let number = |score: &[f64], place: &Option<usize>| place.map_or(f64::NAN, |place| score[place]);
    let score = prediction.score.as_deref();
    Prediction {
        keypoints: places.iter().map(point).collect(),
        score: score.map(|score| places.iter().map(|place| number(score, place)).collect()),
        ..*prediction
    }
}
