//! The structure `pred` that MPII's evaluation takes: `pred(image).annorect(person).annopoints.point(joint)` with `x`, `y`,
//! `id` and maybe `score`, pixels from 1.
//!
//! Source: "Preparing predictions" of MPII's page on evaluation: `pred` begins as a copy of the annotation list of the test
//! images, so it keeps their names, and the rectangles are MPII's own. For several people in an image, which that page
//! evaluates by groups, rectangles are detections and belong to nobody known; they are not read.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use schemas::Skeleton;
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use crate::export::is_person;
use crate::matlab::{AccessError, Node, Row, Value};

/// Name of the variable.
pub(crate) const VARIABLE: &str = "pred";
/// Number of the first pixel.
pub(crate) const FIRST_PIXEL: f64 = 1.0;

/// Whether `value` is such a structure.
pub(super) fn is_one(value: &Value) -> bool {
    matches!(value, Value::Struct(structs) if structs.fields.iter().any(|field| field == "annorect"))
}

/// One predicted rectangle, with its place in the file.
struct Rect {
    image: usize,
    name: Option<String>,
    number: usize,
    keypoints: Vec<[f64; 2]>,
    score: Option<Vec<f64>>,
    place: String,
}

/// Predictions as a table, in the order of `people`, with what belongs to nobody and what must be said.
///
/// # Errors
/// When the structure is another one.
pub(super) fn read(
    node: &Node<'_>,
    people: &[Person],
    skeleton: &'static Skeleton,
    model: &str,
) -> Result<(RecordBatch, Vec<Reject>, Vec<String>), AccessError> {
    let rows = node.rows()?;
    let (mut rects, mut rejects) = (Vec::new(), Vec::new());
    for (image, row) in rows.iter().enumerate() {
        let name = image_name(row);
        for (number, rect) in
            row.filled("annorect").map_or(Ok(Vec::new()), |rects| rects.rows())?.iter().enumerate()
        {
            match points(rect, skeleton) {
                Ok(None) => {}
                Ok(Some((keypoints, score))) => {
                    rects.push(Rect {
                        image,
                        name: name.clone(),
                        number,
                        keypoints,
                        score,
                        place: rect.place(),
                    });
                }
                Err(error) => {
                    rejects.push(reject("record of another shape", rect.place(), error.to_string()));
                }
            }
        }
    }
    let whose = Whose::new(people, &rows.iter().map(image_name).collect::<Vec<_>>());
    let mut found: HashMap<usize, Rect> = HashMap::new();
    for rect in rects {
        match whose.person(&rect) {
            Ok(person) => drop(found.insert(person, rect)),
            Err(detail) => rejects.push(reject("no such person", rect.place, detail)),
        }
    }
    let (mut poses, mut missed) = (Vec::new(), 0);
    for (row, person) in people.iter().enumerate().filter(|(_, person)| is_person(person)) {
        let Some(rect) = found.remove(&row) else {
            missed += 1;
            continue;
        };
        poses.push(PredictedPose {
            sample_id: person.sample_id.clone(),
            split: Some(person.split.clone()),
            head: 1,
            keypoints: rect.keypoints,
            score: rect.score,
            model: model.to_owned(),
            ..PredictedPose::default()
        });
    }
    let notes = (missed > 0).then(|| format!("{missed} people have no prediction"));
    Ok((keypoints::to_batch(skeleton, &poses), rejects, notes.into_iter().collect()))
}

fn reject(reason: &str, place: String, detail: String) -> Reject {
    Reject {
        stage: "predictions".to_owned(),
        reason: reason.to_owned(),
        source_record: Some(place),
        detail,
        ..Reject::default()
    }
}

/// The file name of the image, where the structure keeps it.
fn image_name(row: &Row<'_>) -> Option<String> {
    let text = row.filled("image")?.row().ok()?.filled("name")?.text().ok()?;
    Some(file_name(&text).to_owned())
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Points `[K]` and their scores.
type Points = (Vec<[f64; 2]>, Option<Vec<f64>>);

/// The points of `rect`; `None` where it has none.
fn points(rect: &Row<'_>, skeleton: &Skeleton) -> Result<Option<Points>, AccessError> {
    let Some(points) = rect.filled("annopoints") else { return Ok(None) };
    let Some(points) = points.row()?.filled("point") else { return Ok(None) };
    let mut keypoints = vec![[f64::NAN; 2]; skeleton.len()];
    let (mut scores, mut scored) = (vec![f64::NAN; skeleton.len()], false);
    for point in points.rows()? {
        let id = point.require("id")?;
        let joint = id.finite()?;
        if joint.fract() != 0.0 || !(0.0..skeleton.len() as f64).contains(&joint) {
            return Err(id.refuse(format!("a joint of `{}`, 0 to {}", skeleton.name, skeleton.len() - 1)));
        }
        let joint = joint as usize;
        let at = |name: &str| point.require(name)?.number();
        keypoints[joint] = [at("x")? - FIRST_PIXEL, at("y")? - FIRST_PIXEL];
        if let Some(score) = point.filled("score") {
            (scores[joint], scored) = (score.number()?, true);
        }
    }
    Ok(Some((keypoints, scored.then_some(scores))))
}

/// Whose a rectangle is: by the number of the image where the lists are the same, else by the image's name.
struct Whose {
    /// By (image, rectangle).
    by_order: Option<HashMap<(usize, usize), usize>>,
    by_name: HashMap<(String, usize), Vec<usize>>,
}

impl Whose {
    fn new(people: &[Person], names: &[Option<String>]) -> Self {
        let mut images: HashMap<&str, usize> = HashMap::new();
        let mut in_order: Vec<&str> = Vec::new();
        let (mut by_order, mut by_name) = (HashMap::new(), HashMap::<_, Vec<usize>>::new());
        for (row, person) in people.iter().enumerate() {
            let image = *images.entry(&person.image_path).or_insert_with(|| {
                in_order.push(&person.image_path);
                in_order.len() - 1
            });
            if let Some(number) = person.person_index.and_then(|number| usize::try_from(number).ok()) {
                by_order.insert((image, number), row);
                by_name.entry((file_name(&person.image_path).to_owned(), number)).or_default().push(row);
            }
        }
        let same =
            |(path, name): (&&str, &Option<String>)| name.as_ref().is_none_or(|name| file_name(path) == name);
        let one_list = in_order.len() == names.len() && in_order.iter().zip(names).all(same);
        Self { by_order: one_list.then_some(by_order), by_name }
    }

    fn person(&self, rect: &Rect) -> Result<usize, String> {
        let number = rect.number + 1;
        if let Some(by_order) = &self.by_order {
            return by_order
                .get(&(rect.image, rect.number))
                .copied()
                .ok_or_else(|| format!("image {} of the people has no person {number}", rect.image + 1));
        }
        let Some(name) = &rect.name else {
            return Err(format!("image {} has no name, and the people have other images", rect.image + 1));
        };
        match self.by_name.get(&(name.clone(), rect.number)).map(Vec::as_slice) {
            Some([only]) => Ok(*only),
            Some(_) => Err(format!("two images of the people are called `{name}`")),
            None => Err(format!("`{name}` has no person {number} among the people")),
        }
    }
}
