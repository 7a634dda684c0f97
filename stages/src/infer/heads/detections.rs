//! `kind = "detections"`: boxes, scores and joints of any number of people (YOLO-pose, `RTMO`, `MoveNet` multi-pose).

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use schemas::tables::{detections, points_array, vector_array};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::coordinates::{Number, check_point, read_point};
use super::space::{Origin, ScoreIs, Space, Unit, sides};
use super::{Card, Collect, Columns, check_head, head_column};
use crate::infer::flip::Flip;
use crate::network::NetworkError;
use crate::network::ports::{Port, expect_floats};

/// The output of a network that sees any number of people: `[1, candidates, numbers]`, or with the two last turned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionsOutput {
    /// The network's own name for it.
    pub name: String,
    /// Number of the output head, from 1.
    #[serde(default = "first")]
    pub head: i32,
    /// Whether a candidate is a row, `[candidates, numbers]`, or a column, `[numbers, candidates]`.
    #[serde(default)]
    pub candidates: Candidates,
    /// What each number of a candidate is, in order; `joints` stands for all numbers of all joints.
    pub row: Vec<Value>,
    /// What each number of a joint is, in order.
    pub point: Vec<Number>,
    /// An output of the joints, `[1, candidates, K, numbers]`, where `row` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joints: Option<String>,
    /// The unit of all places and lengths.
    #[serde(default)]
    pub unit: Unit,
    /// Where coordinate 0 lies in the first px.
    #[serde(default)]
    pub origin: Origin,
    /// What the scores of candidates are.
    #[serde(default)]
    pub score: ScoreIs,
    /// What the scores of joints are.
    #[serde(default)]
    pub joint_score: ScoreIs,
    /// Candidates below are nobody.
    pub minimum_score: f64,
    /// Of candidates whose boxes overlap by more than this part of their union, the best is kept; left out where the network
    /// itself gives one candidate a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<f64>,
}

/// How candidates lie in the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Candidates {
    /// `[candidates, numbers]`
    #[default]
    Rows,
    /// `[numbers, candidates]`
    Columns,
}

/// What a number of a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Left side of the box.
    Left,
    /// Top side of the box.
    Top,
    /// Right side of the box.
    Right,
    /// Bottom side of the box.
    Bottom,
    /// Middle of the box.
    CenterX,
    /// Middle of the box.
    CenterY,
    /// Width of the box.
    Width,
    /// Height of the box.
    Height,
    /// How sure the network is of the candidate; several, such as that of an object and that of its class, are multiplied.
    Score,
    /// All numbers of all joints.
    Joints,
    /// A number that is left out, such as the class of a network of one class.
    #[serde(alias = "class")]
    Other,
}

fn first() -> i32 {
    1
}

impl DetectionsOutput {
    pub(super) fn names(&self) -> Vec<&str> {
        std::iter::once(self.name.as_str()).chain(self.joints.as_deref()).collect()
    }

    pub(super) fn validate(&self) -> Result<(), NetworkError> {
        check_head(&self.name, self.head)?;
        check_point(&self.name, &self.point)?;
        let output = || self.name.clone();
        let count = |field: Value| self.row.iter().filter(|one| **one == field).count();
        let each_once = |fields: [Value; 4]| fields.iter().all(|field| count(*field) == 1);
        let corners = each_once([Value::Left, Value::Top, Value::Right, Value::Bottom]);
        let middle = each_once([Value::CenterX, Value::CenterY, Value::Width, Value::Height]);
        let beside = each_once([Value::Left, Value::Top, Value::Width, Value::Height]);
        if !(corners || middle || beside) || count(Value::Score) == 0 {
            return Err(NetworkError::CandidateNumbers { output: output() });
        }
        if count(Value::Joints) + usize::from(self.joints.is_some()) != 1 {
            return Err(NetworkError::JointsOnce { output: output() });
        }
        if !self.minimum_score.is_finite() {
            let found = self.minimum_score.to_string();
            return Err(NetworkError::NotFinite { key: "minimum_score", found });
        }
        match self.overlap {
            Some(overlap) if !(0.0..=1.0).contains(&overlap) => {
                Err(NetworkError::NoPart { key: "overlap", found: overlap })
            }
            _ => Ok(()),
        }
    }

    /// Numbers of a candidate, where the skeleton has so many `joints`.
    fn numbers(&self, joints: usize) -> usize {
        let of = |field: &Value| if *field == Value::Joints { joints * self.point.len() } else { 1 };
        self.row.iter().map(of).sum()
    }

    /// The axis of the numbers and that of the candidates, counted from the end.
    fn axis_of_numbers(&self) -> usize {
        match self.candidates {
            Candidates::Rows => 1,
            Candidates::Columns => 2,
        }
    }

    pub(super) fn check_ports(&self, card: &Card<'_>, outputs: &[Port]) -> Result<(), NetworkError> {
        let port = expect_floats(outputs, &self.name)?;
        if !port.dimensions.is_empty() {
            self.check_numbers(card, &port.dimensions, true)?;
        }
        self.joints.iter().try_for_each(|name| expect_floats(outputs, name).map(|_| ()))
    }

    /// Checks that the `found` dimensions have the numbers of a candidate where they should be; -1 is any, where `free`.
    fn check_numbers(&self, card: &Card<'_>, found: &[i64], free: bool) -> Result<(), NetworkError> {
        let numbers = self.numbers(card.skeleton.len());
        let at = |axis: usize| found.len().checked_sub(axis).and_then(|at| found.get(at)).copied();
        let fits =
            |size: Option<i64>| size == Some(numbers as i64) || (free && size.is_some_and(|size| size < 0));
        if found.len() >= 2 && fits(at(self.axis_of_numbers())) {
            return Ok(());
        }
        let turned = 3 - self.axis_of_numbers();
        let keys =
            if at(turned) == Some(numbers as i64) { "`candidates`" } else { "`row`, `point` or `skeleton`" };
        let expected = match self.candidates {
            Candidates::Rows => format!("[candidates, {numbers}]"),
            Candidates::Columns => format!("[{numbers}, candidates]"),
        };
        let (output, found) = (self.name.clone(), found.to_vec());
        Err(NetworkError::OtherShape { output, rows: 1, expected, found, keys })
    }
}

struct DetectionColumns {
    output: DetectionsOutput,
    joints: usize,
    sides: [u32; 2],
}

/// The columns of `heads`, of which there is one; see [`super::columns`].
pub(super) fn columns(
    mut heads: Vec<DetectionsOutput>,
    card: &Card<'_>,
    _rows: usize,
    dimensions: &[Vec<i64>],
    flip: Option<Flip>,
) -> Result<impl Columns + use<>, NetworkError> {
    let output = heads.swap_remove(0);
    if let Some(other) = heads.first() {
        return Err(NetworkError::SecondDetections { output: other.name.clone() });
    }
    if flip.is_some() {
        return Err(NetworkError::FlippedDetections { output: output.name });
    }
    output.check_numbers(card, &dimensions[0], false)?;
    let joints = card.skeleton.len();
    if let Some(name) = &output.joints {
        let found = &dimensions[1];
        let candidates = dimensions[0][dimensions[0].len() - (3 - output.axis_of_numbers())];
        let numbers = candidates * (joints * output.point.len()) as i64;
        if found.iter().product::<i64>() != numbers {
            let expected = format!("[candidates, {joints}, {}]", output.point.len());
            let (output, found, keys) = (name.clone(), found.clone(), "`point` or `skeleton`");
            return Err(NetworkError::OtherShape { output, rows: 1, expected, found, keys });
        }
    }
    Ok(DetectionColumns { joints, sides: sides(card.input), output })
}

impl Columns for DetectionColumns {
    fn table(&self) -> &'static str {
        detections::NAME
    }

    fn fields(&self) -> Vec<Field> {
        detections::fields(self.joints)
    }

    fn rows_a_sample(&self) -> usize {
        1
    }

    fn metadata(&self) -> Option<(String, String)> {
        let DetectionsOutput { minimum_score, overlap, .. } = &self.output;
        let selection = json!({ "minimum_score": minimum_score, "overlap": overlap });
        Some((detections::SELECTION_KEY.to_owned(), selection.to_string()))
    }

    fn start<'a>(&'a self, samples: usize) -> Box<dyn Collect + 'a> {
        Box::new(People { of: self, found: vec![Vec::new(); samples] })
    }
}

/// One candidate, px of the crop.
#[derive(Debug, Clone)]
struct Candidate {
    corners: [f64; 4],
    score: f64,
    points: Vec<[f64; 2]>,
    point_scores: Vec<f64>,
}

struct People<'a> {
    of: &'a DetectionColumns,
    /// By sample.
    found: Vec<Vec<Candidate>>,
}

impl DetectionColumns {
    /// Candidate number `candidate` of `given`; `count` are there.
    fn read(&self, given: &[&[f32]], candidate: usize, count: usize) -> Candidate {
        let Self { output, joints, sides } = self;
        let space = Space { unit: output.unit, origin: output.origin };
        let numbers = output.numbers(*joints);
        let value = |at: usize| match output.candidates {
            Candidates::Rows => given[0][candidate * numbers + at],
            Candidates::Columns => given[0][at * count + candidate],
        };
        let (mut at, mut score, mut joints_at) = (0, 1.0, 0);
        // Left or middle, right, width; and the same from top to bottom.
        let mut axes = [[None; 4]; 2];
        for field in &output.row {
            let number = f64::from(value(at));
            match field {
                Value::Left => axes[0][0] = Some(number),
                Value::Top => axes[1][0] = Some(number),
                Value::CenterX => axes[0][1] = Some(number),
                Value::CenterY => axes[1][1] = Some(number),
                Value::Right => axes[0][2] = Some(number),
                Value::Bottom => axes[1][2] = Some(number),
                Value::Width => axes[0][3] = Some(number),
                Value::Height => axes[1][3] = Some(number),
                Value::Score => score *= output.score.score(number),
                Value::Joints => joints_at = at,
                Value::Other => {}
            }
            at += if *field == Value::Joints { joints * output.point.len() } else { 1 };
        }
        let ends = |axis: usize| {
            let [low, middle, high, length] = axes[axis];
            let (place, length) = (
                |value| space.place(value, sides[axis]),
                length.map(|length| space.length(length, sides[axis])),
            );
            match (low, middle, high, length) {
                (Some(low), _, Some(high), _) => [place(low), place(high)],
                (Some(low), _, _, Some(length)) => [place(low), place(low) + length],
                (_, Some(middle), _, Some(length)) => {
                    [place(middle) - length / 2.0, place(middle) + length / 2.0]
                }
                _ => [f64::NAN; 2],
            }
        };
        let ([left, right], [top, bottom]) = (ends(0), ends(1));
        let per_joint = output.point.len();
        let (mut points, mut point_scores) = (Vec::with_capacity(*joints), Vec::with_capacity(*joints));
        for joint in 0..*joints {
            let number = |number: usize| match output.joints {
                Some(_) => given[1][(candidate * joints + joint) * per_joint + number],
                None => value(joints_at + joint * per_joint + number),
            };
            let (point, of_joint) = read_point(&output.point, (0..per_joint).map(number), output.joint_score);
            points.push(space.point(point, *sides));
            point_scores.push(of_joint.unwrap_or(score));
        }
        Candidate { corners: [left, top, right, bottom], score, points, point_scores }
    }
}

impl Collect for People<'_> {
    fn take(&mut self, sample: usize, _mirrored: bool, given: &[&[f32]]) {
        let count = given[0].len() / self.of.output.numbers(self.of.joints);
        let least = self.of.output.minimum_score;
        // What is below the card's own limit is never a person; a score that is no number is told apart by `decode`.
        let all = (0..count).map(|candidate| self.of.read(given, candidate, count));
        self.found[sample] = all.filter(|one| one.score.is_nan() || one.score >= least).collect();
    }

    fn columns(self: Box<Self>) -> Vec<ArrayRef> {
        let joints = self.of.joints;
        let all: Vec<&Candidate> = self.found.iter().flatten().collect();
        let listed = |values: ArrayRef| -> ArrayRef {
            let offsets = OffsetBuffer::from_lengths(self.found.iter().map(Vec::len));
            let item = Arc::new(Field::new("item", values.data_type().clone(), true));
            Arc::new(ListArray::new(item, offsets, values, None))
        };
        let corners = all.iter().flat_map(|one| one.corners);
        let item = Arc::new(Field::new("item", DataType::Float64, true));
        let boxes = FixedSizeListArray::new(item, 4, Arc::new(Float64Array::from_iter_values(corners)), None);
        vec![
            head_column(&std::iter::once(self.of.output.head), self.found.len()),
            listed(Arc::new(boxes)),
            listed(Arc::new(Float64Array::from_iter_values(all.iter().map(|one| one.score)))),
            listed(points_array(all.iter().map(|one| &one.points[..]), joints)),
            listed(vector_array(all.iter().map(|one| Some(&one.point_scores[..])), joints)),
        ]
    }
}
