//! `match_people`: predicted people matched to annotated ones, so that protocols which score person by person can score a
//! detector.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::SchemaRef;
use datasets::coco::{BoxRule, PersonBox, oks, sigmas};
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{column, field, skeleton_of, strings, vectors_f64, with_column};
use schemas::tables::keypoints::{self, BOX};
use schemas::tables::people::{self, Person};
use schemas::units::Part;
use serde::{Deserialize, Serialize};

use crate::stage::{AllRows, Gathered, Give, Number, Rows, StageError, reject, take_rows};
use crate::{BuildContext, evaluate::EvaluateError};

/// By what a predicted and an annotated person are alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Alike {
    /// Object keypoint similarity of their joints, above `minimum`.
    Oks {
        /// The similarity that is no longer enough.
        #[serde(default = "nothing")]
        minimum: Part,
    },
    /// Intersection of their boxes in parts of the union, above `minimum`.
    Box {
        /// The part that is no longer enough.
        #[serde(default = "half")]
        minimum: Part,
    },
}

fn nothing() -> Part {
    Part::constant(0.0)
}

fn half() -> Part {
    Part::constant(0.5)
}

impl Default for Alike {
    fn default() -> Self {
        Self::Oks { minimum: nothing() }
    }
}

/// Keys of the step `match_people`.
///
/// ```
/// let config: stages::evaluate::MatchPeopleConfig = toml::from_str("by = { box = { minimum = 0.5 } }")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchPeopleConfig {
    /// What makes two people one: by default the similarity of their joints.
    #[serde(default)]
    pub by: Alike,
    /// Only people of this split of the truth; by default everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl MatchPeopleConfig {
    /// The step.
    pub fn build(&self, context: &BuildContext) -> MatchPeople {
        MatchPeople { name: context.name.clone(), config: self.clone() }
    }
}

/// Predictions with the ids of the people whom they are of.
///
/// In each picture, by `image_path`, and for each output head, the pair of person and prediction that are most alike is
/// matched first, then the most alike of the rest; ties go by `detection_score`, then by order. A prediction of nobody is
/// a reject, a person whom no prediction is of is counted in a note.
#[derive(Debug, Clone)]
pub struct MatchPeople {
    name: String,
    config: MatchPeopleConfig,
}

/// One prediction: where its row is, and what it is compared by.
struct Predicted {
    batch: usize,
    row: usize,
    keypoints: Vec<[f64; 2]>,
    corners: Option<[f64; 4]>,
    score: f64,
}

/// The predictions of one picture by one output head: model, head, path.
type ByPicture = BTreeMap<(String, i32, String), Vec<Predicted>>;

/// Whom each row of a batch is of.
type Owners = HashMap<usize, usize>;

impl AllRows for MatchPeople {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["truth", "predictions"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        skeleton_of(schema)?;
        for name in ["sample_id", "image_path", "keypoints"] {
            field(schema, name)?;
        }
        if input == 0 {
            field(schema, "visibility")?;
        } else if matches!(self.config.by, Alike::Box { .. }) {
            field(schema, BOX)?;
        }
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        Ok(Arc::clone(inputs[1]))
    }

    fn run(&self, inputs: [&dyn Rows; 2], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let [truth, predictions] = inputs;
        let (skeleton, people) = self.people(truth)?;
        let mut pictures: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, person) in people.iter().enumerate() {
            pictures.entry(&person.image_path).or_default().push(at);
        }
        let mut gathered = Gathered::default();
        let by_picture = predicted(predictions, skeleton)?;
        let mut owners: Vec<Owners> = Vec::new();
        // By output head: how many people were found.
        let mut found: BTreeMap<(String, i32), usize> = BTreeMap::new();
        let mut told = 0;
        for ((model, head, path), group) in &by_picture {
            let matched = self.matched(skeleton, &people, pictures.get(path.as_str()), group);
            *found.entry((model.clone(), *head)).or_default() += matched.len();
            for (number, person) in matched {
                let Predicted { batch, row, .. } = &group[number];
                if owners.len() <= *batch {
                    owners.resize_with(batch + 1, Owners::default);
                }
                owners[*batch].insert(*row, person);
            }
        }
        for (at, batch) in predictions.scan().enumerate() {
            let (batch, nobody) = (batch?, Owners::default());
            let owners = owners.get(at).unwrap_or(&nobody);
            let kept: Vec<usize> = (0..batch.num_rows()).filter(|row| owners.contains_key(row)).collect();
            for row in (0..batch.num_rows()).filter(|row| !owners.contains_key(row)) {
                let path = strings(&batch, "image_path")?.value(row).to_owned();
                gathered.rejects.push(reject(&batch, row, &self.name, "detection of nobody", path));
            }
            told += kept.len();
            if !kept.is_empty() {
                let ids = kept.iter().map(|row| &people[owners[row]].sample_id);
                let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
                let rows = take_rows(&batch, &kept)?;
                give(with_column(&rows, field(rows.schema_ref(), "sample_id")?.clone(), ids)?)?;
            }
        }
        let labelled = people.iter().filter(|person| person.pose.annotated() > 0).count();
        gathered.notes.push(format!("{told} predictions matched, {} of nobody", gathered.rejects.len()));
        for ((model, head), count) in found {
            let missed = people.len() - count;
            gathered.notes.push(format!(
                "model `{model}`, head {head}: {missed} of {} people missed ({labelled} have joints)",
                people.len()
            ));
        }
        Ok(gathered)
    }
}

impl MatchPeople {
    /// The people who may be matched.
    fn people(&self, truth: &dyn Rows) -> Result<(&'static Skeleton, Vec<Person>), StageError> {
        let mut people = Vec::new();
        let skeleton = skeleton_of(&truth.schema())?;
        for batch in truth.scan() {
            let batch = batch?;
            let are_people = people::persons(&batch)?;
            let rows = people::from_batch(&batch)?.into_iter().zip(are_people);
            let wanted =
                |person: &Person| self.config.split.as_ref().is_none_or(|split| person.split == *split);
            people.extend(rows.filter_map(|(person, is_one)| (is_one && wanted(&person)).then_some(person)));
        }
        if people.is_empty() {
            return Err(EvaluateError::Empty { side: "truth" }.into());
        }
        Ok((skeleton, people))
    }

    /// Pairs of prediction and person of one picture.
    fn matched(
        &self,
        skeleton: &Skeleton,
        people: &[Person],
        here: Option<&Vec<usize>>,
        predictions: &[Predicted],
    ) -> Vec<(usize, usize)> {
        let spreads = sigmas(skeleton);
        let mut pairs = Vec::new();
        for &person in here.into_iter().flatten() {
            let frame = PersonBox::of(&people[person], BoxRule::default(), None);
            for (number, prediction) in predictions.iter().enumerate() {
                let (alike, minimum) = match self.config.by {
                    Alike::Oks { minimum } => {
                        let area = frame.map_or(1.0, |frame| frame.area);
                        (oks(&people[person].pose, area, &prediction.keypoints, &spreads), minimum)
                    }
                    Alike::Box { minimum } => {
                        let corners = frame.map(|frame| corners(frame.xywh)).zip(prediction.corners);
                        (corners.map_or(0.0, |(a, b)| crate::decode::people::overlap(&a, &b)), minimum)
                    }
                };
                if alike > minimum.get() {
                    pairs.push((alike, prediction.score, number, person));
                }
            }
        }
        // The sort is stable, so what is equal stays in the order of people, then predictions.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
        let (mut taken, mut matched) = (std::collections::HashSet::new(), Vec::new());
        for (_, _, number, person) in pairs {
            if !taken.contains(&(0, number)) && !taken.contains(&(1, person)) {
                taken.extend([(0, number), (1, person)]);
                matched.push((number, person));
            }
        }
        matched
    }
}

fn corners([x, y, width, height]: [f64; 4]) -> [f64; 4] {
    [x, y, x + width, y + height]
}

/// The predictions by model, output head and picture, joints in the order of `skeleton`.
fn predicted(rows: &dyn Rows, skeleton: &'static Skeleton) -> Result<ByPicture, StageError> {
    let mut by_picture = ByPicture::new();
    for (at, batch) in rows.scan().enumerate() {
        let batch = batch?;
        let sources = skeleton.indices_in(skeleton_of(batch.schema_ref())?);
        let paths = strings(&batch, "image_path")?;
        let boxes = match column(&batch, BOX) {
            Ok(_) => Some(vectors_f64(&batch, BOX, 4)?),
            Err(_) => None,
        };
        for (row, pose) in keypoints::from_batch(&batch)?.into_iter().enumerate() {
            let place = |source: &Option<usize>| source.map_or([f64::NAN; 2], |joint| pose.keypoints[joint]);
            let corners = boxes.as_ref().and_then(|boxes| boxes.row(row)).map(|b| [b[0], b[1], b[2], b[3]]);
            let key = (pose.model.clone(), pose.head, paths.value(row).to_owned());
            by_picture.entry(key).or_default().push(Predicted {
                batch: at,
                row,
                keypoints: sources.iter().map(place).collect(),
                corners,
                score: pose.detection_score.filter(|score| !score.is_nan()).unwrap_or(0.0),
            });
        }
    }
    Ok(by_picture)
}

#[cfg(test)]
#[path = "match_people_tests.rs"]
mod tests;
