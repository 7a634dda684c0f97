//! Reading detections: candidates become people, the best of those that overlap.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListArray, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{SchemaError, column, fixed_list, flat_floats, schema_with, strings, wrong_type};
use schemas::tables::detections;
use schemas::tables::keypoints::{BOX, DETECTION_SCORE};
use schemas::tables::{in_space, points_array, vector_array};
use schemas::{Affine, units};
use serde::{Deserialize, Serialize};

use super::reading::NAME;
use super::table;
use crate::stage::take_rows;
use crate::{Outcome, StageError};

/// Column of the number of a person in the picture, the surest first.
pub const PERSON_INDEX: &str = "person_index";
/// What the summary says of candidates whose score or box is no number.
const UNSOUND: &str = "candidates whose score or box is no number";
/// What the summary says of pictures without people.
const NOBODY: &str = "pictures in which nobody was found";

/// Which candidates of a detector are people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleConfig {
    /// Candidates with a lower score are nobody. The stage `infer` has left out those below the card's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_score: Option<f64>,
    /// Of candidates whose boxes overlap by more than this part of their union, the surest is kept; 1 keeps all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<units::Part>,
    /// Most people of a picture, the surest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<std::num::NonZeroUsize>,
}

/// What the plan says, and else the card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Selection {
    minimum_score: f64,
    overlap: Option<f64>,
    most: usize,
}

/// What the card says, as the schema metadata hold it.
#[derive(Deserialize, Default)]
struct OfCard {
    minimum_score: Option<f64>,
    overlap: Option<f64>,
}

impl Selection {
    /// By `config`, and what it leaves out by the metadata of `input`.
    pub(super) fn of(input: &Schema, config: Option<&PeopleConfig>) -> Self {
        let text = input.metadata().get(detections::SELECTION_KEY);
        let of_card: OfCard = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let config = config.cloned().unwrap_or_default();
        Self {
            minimum_score: config.minimum_score.or(of_card.minimum_score).unwrap_or(f64::NEG_INFINITY),
            overlap: config.overlap.map(units::Part::get).or(of_card.overlap),
            most: config.most.map_or(usize::MAX, std::num::NonZeroUsize::get),
        }
    }

    /// The numbers of the candidates that are people, the surest first; equal ones in their order.
    fn chosen(&self, boxes: &[[f64; 4]], scores: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..scores.len())
            .filter(|at| scores[*at] >= self.minimum_score && is_sound(scores[*at], &boxes[*at]))
            .collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let mut chosen: Vec<usize> = Vec::new();
        for at in order {
            let hidden =
                |other: &usize| self.overlap.is_some_and(|most| overlap(&boxes[at], &boxes[*other]) > most);
            if chosen.len() < self.most && !chosen.iter().any(hidden) {
                chosen.push(at);
            }
        }
        chosen
    }
}

fn is_sound(score: f64, corners: &[f64; 4]) -> bool {
    !score.is_nan() && corners.iter().all(|value| value.is_finite())
}

/// Area of the intersection of two boxes, left, top, right, bottom, in parts of that of their union; 0 where neither has one.
pub fn overlap(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let area = |c: &[f64; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let shared = [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])];
    let both = area(&shared);
    let union = area(a) + area(b) - both;
    if union > 0.0 { both / union } else { 0.0 }
}

/// `schema` of predictions with the columns that detected people have besides.
pub(super) fn with_fields(schema: &Schema) -> SchemaRef {
    let fields = [
        Field::new(PERSON_INDEX, DataType::Int32, false),
        in_space(Field::new(BOX, fixed_list(DataType::Float64, 4), false), "image"),
        Field::new(DETECTION_SCORE, DataType::Float64, true),
    ];
    Arc::new(fields.into_iter().fold(schema.clone(), |schema, field| schema_with(&schema, field)))
}

/// The lists of one row each.
struct Lists<'a>(&'a ListArray);

impl<'a> Lists<'a> {
    fn open(batch: &'a RecordBatch, name: &str) -> Result<Self, StageError> {
        let array = column(batch, name)?;
        array.as_list_opt().map(Self).ok_or_else(|| wrong_type(name, "a list", array.data_type()).into())
    }

    /// All numbers of row `row`, flat.
    fn numbers(&self, row: usize, name: &str) -> Result<Vec<f64>, StageError> {
        let values = self.0.value(row);
        if let Some(plain) = values.as_primitive_opt::<Float64Type>() {
            return Ok(plain.values().to_vec());
        }
        flat_floats(&*values).ok_or_else(|| wrong_type(name, "lists of Float64", values.data_type()).into())
    }
}

/// One person, px of the image.
struct Person {
    row: usize,
    number: usize,
    corners: [f64; 4],
    score: f64,
    points: Vec<[f64; 2]>,
    point_scores: Vec<f64>,
}

/// The people of `batch` in the order of its rows, of each row the surest first. `place` takes a point of the crop to the
/// image.
pub(super) fn found(
    batch: &RecordBatch,
    schema: &SchemaRef,
    (crops, flipped): (&[Affine], &BooleanArray),
    mirrored: &[usize],
    selection: Selection,
    place: impl Fn(&Affine, [f64; 2]) -> [f64; 2],
) -> Result<Outcome, StageError> {
    let names = [detections::BOXES, detections::BOX_SCORES, detections::POINTS, detections::POINT_SCORES];
    let lists = names.map(|name| Lists::open(batch, name));
    let [boxes, scores, points, point_scores] = lists;
    let lists = [boxes?, scores?, points?, point_scores?];
    let joints = mirrored.len();
    let (mut people, mut rejects, mut told) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (row, crop) in crops.iter().enumerate() {
        let Some(image_from_crop) = crop.inverse() else {
            rejects.push(table::singular(batch, row, NAME, crop));
            continue;
        };
        let read = |at: usize| lists[at].numbers(row, names[at]);
        let (boxes, scores, points, of_points) = (read(0)?, read(1)?, read(2)?, read(3)?);
        let boxes: &[[f64; 4]] = boxes.as_chunks::<4>().0;
        let points: &[[f64; 2]] = points.as_chunks::<2>().0;
        let unsound =
            boxes.iter().zip(&scores).filter(|(corners, score)| !is_sound(**score, corners)).count();
        let chosen = selection.chosen(boxes, &scores);
        if unsound > 0 {
            *told.entry(UNSOUND).or_default() += unsound as u64;
        }
        if chosen.is_empty() {
            *told.entry(NOBODY).or_default() += 1;
        }
        for (number, at) in chosen.into_iter().enumerate() {
            let [left, top, right, bottom] = boxes[at];
            let ends = [[left, top], [right, top], [left, bottom], [right, bottom]]
                .map(|corner| image_from_crop.apply(corner));
            let low = |axis: usize| ends.iter().map(|end| end[axis]).fold(f64::INFINITY, f64::min);
            let high = |axis: usize| ends.iter().map(|end| end[axis]).fold(f64::NEG_INFINITY, f64::max);
            let channel = |joint: usize| if flipped.value(row) { mirrored[joint] } else { joint };
            let point = |joint: usize| place(&image_from_crop, points[at * joints + channel(joint)]);
            people.push(Person {
                row,
                number,
                corners: [low(0), low(1), high(0), high(1)],
                score: scores[at],
                points: (0..joints).map(point).collect(),
                point_scores: (0..joints).map(|joint| of_points[at * joints + channel(joint)]).collect(),
            });
        }
    }
    let taken = batch.num_rows() - rejects.len();
    let rows = to_batch(schema, batch, &people, joints)?;
    Ok(Outcome { taken: Some(taken), told, ..Outcome::some(rows, rejects) })
}

fn to_batch(
    schema: &SchemaRef,
    batch: &RecordBatch,
    people: &[Person],
    joints: usize,
) -> Result<RecordBatch, StageError> {
    let rows = take_rows(batch, &people.iter().map(|person| person.row).collect::<Vec<_>>())?;
    let pictures = strings(&rows, "sample_id")?;
    let ids = pictures.iter().zip(people);
    let ids = ids.map(|(id, person)| format!("{}-d{}", id.unwrap_or_default(), person.number));
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(ids));
    let means = || vector_array(people.iter().map(|_| None), joints);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match field.name().as_str() {
            "sample_id" => Arc::clone(&ids),
            "keypoints" => points_array(people.iter().map(|person| &person.points[..]), joints),
            "score" => vector_array(people.iter().map(|person| Some(&person.point_scores[..])), joints),
            "heatmap_mean" => means(),
            PERSON_INDEX => {
                Arc::new(Int32Array::from_iter_values(people.iter().map(|person| person.number as i32)))
            }
            BOX => vector_array(people.iter().map(|person| Some(&person.corners[..])), 4),
            DETECTION_SCORE => {
                Arc::new(Float64Array::from_iter_values(people.iter().map(|person| person.score)))
            }
            _ => table::carried(schema, &rows, field)?,
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns).map_err(SchemaError::from)?)
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
