//! `kind = "coordinates"`: the places of one person's joints (`DeepPose`, `MoveNet`, `BlazePose`, regression heads).

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::Field;
use schemas::Skeleton;
use schemas::tables::{coordinates, points_array, vector_array};
use serde::{Deserialize, Serialize};

use super::space::{Origin, ScoreIs, Space, Unit, sides};
use super::{Card, Collect, Columns, check_head, head_column};
use crate::infer::flip::Flip;
use crate::network::NetworkError;
use crate::network::ports::{Port, expect_floats};

/// One output head that gives numbers: `[N, ...]`, whose dimensions but the first are points times numbers of a point,
/// whatever ones stand between, such as `[1, 1, 17, 3]` or `[N, 195]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatesOutput {
    /// The network's own name for it.
    pub name: String,
    /// Number of the output head, from 1.
    #[serde(default = "first")]
    pub head: i32,
    /// What each number of a point is, in order.
    pub point: Vec<Number>,
    /// Whether the numbers of a point are side by side, or those of one kind are.
    #[serde(default)]
    pub order: Order,
    /// Names of the output's points in order, where they are others than the joints of the skeleton; each joint is looked up
    /// among them, and the rest is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<String>,
    /// The unit of x and y.
    #[serde(default)]
    pub unit: Unit,
    /// Where coordinate 0 lies in the first px.
    #[serde(default)]
    pub origin: Origin,
    /// What the scores of points are.
    #[serde(default)]
    pub score: ScoreIs,
    /// An output of the score of each point, `[N, K]` or as many numbers, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<String>,
    /// An output of the score of the person, one number a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonScore>,
}

/// An output that says whether a person is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonScore {
    /// The network's own name for it.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub score: ScoreIs,
}

/// What a number of a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Number {
    /// To the right.
    X,
    /// Down.
    Y,
    /// How sure the network is of the point; several are averaged.
    Score,
    /// A number that is left out, such as z.
    #[serde(alias = "z", alias = "presence")]
    Other,
}

/// How the numbers of points follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// All numbers of the first point, then of the next: `[K, numbers]`.
    #[default]
    ByPoint,
    /// The first number of all points, then the next: `[numbers, K]`.
    ByNumber,
}

fn first() -> i32 {
    1
}

/// Checks that `point` has one x and one y.
pub(super) fn check_point(output: &str, point: &[Number]) -> Result<(), NetworkError> {
    let count = |wanted: Number| point.iter().filter(|number| **number == wanted).count();
    if count(Number::X) != 1 || count(Number::Y) != 1 {
        return Err(NetworkError::PointNumbers { output: output.to_owned() });
    }
    Ok(())
}

/// The x, the y and the score of a point whose `numbers` are those of `point`.
pub(super) fn read_point(
    point: &[Number],
    numbers: impl Iterator<Item = f32>,
    score: ScoreIs,
) -> ([f64; 2], Option<f64>) {
    let (mut place, mut sum, mut count) = ([f64::NAN; 2], 0.0, 0.0);
    for (number, value) in point.iter().zip(numbers) {
        match number {
            Number::X => place[0] = f64::from(value),
            Number::Y => place[1] = f64::from(value),
            Number::Score => (sum, count) = (sum + score.score(f64::from(value)), count + 1.0),
            Number::Other => {}
        }
    }
    (place, (count > 0.0).then(|| sum / count))
}

impl CoordinatesOutput {
    pub(super) fn names(&self) -> Vec<&str> {
        let person = self.person.as_ref().map(|person| person.name.as_str());
        [Some(self.name.as_str()), self.scores.as_deref(), person].into_iter().flatten().collect()
    }

    pub(super) fn validate(&self, skeleton: &Skeleton) -> Result<(), NetworkError> {
        check_head(&self.name, self.head)?;
        check_point(&self.name, &self.point)?;
        if self.scores.is_some() && self.point.contains(&Number::Score) {
            return Err(NetworkError::ScoreTwice { output: self.name.clone() });
        }
        self.places_of(skeleton).map(|_| ())
    }

    pub(super) fn check_ports(&self, outputs: &[Port]) -> Result<(), NetworkError> {
        self.names().into_iter().try_for_each(|name| expect_floats(outputs, name).map(|_| ()))
    }

    /// How many points the output has.
    fn len(&self, skeleton: &Skeleton) -> usize {
        if self.points.is_empty() { skeleton.len() } else { self.points.len() }
    }

    /// For each joint of `skeleton`, its place among the points.
    fn places_of(&self, skeleton: &Skeleton) -> Result<Vec<usize>, NetworkError> {
        if self.points.is_empty() {
            return Ok((0..skeleton.len()).collect());
        }
        if let Some(at) = (1..self.points.len()).find(|&at| self.points[..at].contains(&self.points[at])) {
            return Err(NetworkError::PointTwice {
                output: self.name.clone(),
                point: self.points[at].clone(),
            });
        }
        let place = |joint: &&str| self.points.iter().position(|point| point == joint);
        let absent = |joint: &&str| NetworkError::NoSuchPoint {
            output: self.name.clone(),
            joint: (*joint).to_owned(),
            skeleton: skeleton.name.to_owned(),
        };
        skeleton.joints.iter().map(|joint| place(joint).ok_or_else(|| absent(joint))).collect()
    }
}

struct CoordinateColumns {
    heads: Vec<CoordinatesOutput>,
    /// By head: for each joint, its place among the points.
    places: Vec<Vec<usize>>,
    joints: usize,
    sides: [u32; 2],
    mirrored_joints: Vec<usize>,
}

/// The columns of `heads`; see [`super::columns`].
pub(super) fn columns(
    heads: Vec<CoordinatesOutput>,
    card: &Card<'_>,
    rows: usize,
    dimensions: &[Vec<i64>],
    _flip: Option<Flip>,
) -> Result<impl Columns + use<>, NetworkError> {
    let mut found = dimensions.iter();
    for head in &heads {
        let points = head.len(card.skeleton);
        let sizes = [
            (Some(head.name.as_str()), points * head.point.len(), "`point`, `points` or `skeleton`"),
            (head.scores.as_deref(), points, "`scores`, `points` or `skeleton`"),
            (head.person.as_ref().map(|person| person.name.as_str()), 1, "`person`"),
        ];
        for (output, numbers, keys) in sizes.into_iter().filter_map(|(name, n, keys)| Some((name?, n, keys)))
        {
            let Some(found) = found.next() else { break };
            check_numbers(output, rows, numbers, found, keys)?;
            check_order(head, output, points, found)?;
        }
    }
    let places = heads.iter().map(|head| head.places_of(card.skeleton)).collect::<Result<_, _>>()?;
    let (joints, mirrored_joints) = (card.skeleton.len(), card.skeleton.mirrored());
    Ok(CoordinateColumns { heads, places, joints, sides: sides(card.input), mirrored_joints })
}

/// Checks that each of `rows` rows of `output` has so many `numbers`.
fn check_numbers(
    output: &str,
    rows: usize,
    numbers: usize,
    found: &[i64],
    keys: &'static str,
) -> Result<(), NetworkError> {
    let all: i64 = found.iter().product();
    let of_rows = found.first() == Some(&(rows as i64)) || rows == 1;
    if of_rows && all == (rows * numbers) as i64 {
        return Ok(());
    }
    let (output, expected) = (output.to_owned(), format!("{numbers} numbers"));
    Err(NetworkError::OtherShape { output, rows, expected, found: found.to_vec(), keys })
}

/// Refuses an output whose two last dimensions are those of the other order.
fn check_order(
    head: &CoordinatesOutput,
    output: &str,
    points: usize,
    found: &[i64],
) -> Result<(), NetworkError> {
    let numbers = head.point.len() as i64;
    let [.., before, last] = *found else { return Ok(()) };
    let (expected, other) = match head.order {
        Order::ByPoint => ([points as i64, numbers], [numbers, points as i64]),
        Order::ByNumber => ([numbers, points as i64], [points as i64, numbers]),
    };
    if output == head.name && [before, last] == other && expected != other {
        return Err(NetworkError::OtherOrder { output: output.to_owned(), expected, found: found.to_vec() });
    }
    Ok(())
}

impl Columns for CoordinateColumns {
    fn table(&self) -> &'static str {
        coordinates::NAME
    }

    fn fields(&self) -> Vec<Field> {
        coordinates::fields(self.joints)
    }

    fn rows_a_sample(&self) -> usize {
        self.heads.len()
    }

    fn start<'a>(&'a self, samples: usize) -> Box<dyn Collect + 'a> {
        let rows = samples * self.heads.len();
        Box::new(Places { of: self, samples, rows: vec![Found::default(); rows] })
    }
}

/// What one head says of one sample.
#[derive(Debug, Clone, Default)]
struct Found {
    points: Vec<[f64; 2]>,
    scores: Option<Vec<f64>>,
    person: Option<f64>,
}

struct Places<'a> {
    of: &'a CoordinateColumns,
    samples: usize,
    /// `[samples, heads]`
    rows: Vec<Found>,
}

impl CoordinateColumns {
    /// What head number `index` gives, of whose outputs `given` begins; and the rest of `given`.
    fn read<'g>(&self, index: usize, given: &'g [&'g [f32]]) -> (Found, &'g [&'g [f32]]) {
        let head = &self.heads[index];
        let space = Space { unit: head.unit, origin: head.origin };
        let (values, apart) = (given[0], head.scores.as_ref().map(|_| given[1]));
        let numbers = head.point.len();
        let count = values.len() / numbers;
        let (mut points, mut scores) = (Vec::with_capacity(self.joints), Vec::with_capacity(self.joints));
        for place in &self.places[index] {
            let number = |at: usize| match head.order {
                Order::ByPoint => values[place * numbers + at],
                Order::ByNumber => values[at * count + place],
            };
            let (point, score) = read_point(&head.point, (0..numbers).map(number), head.score);
            points.push(space.point(point, self.sides));
            scores.extend(apart.map(|apart| head.score.score(f64::from(apart[*place]))).or(score));
        }
        let used = 1 + usize::from(apart.is_some()) + usize::from(head.person.is_some());
        let person = head.person.as_ref().map(|one| one.score.score(f64::from(given[used - 1][0])));
        (Found { points, scores: (scores.len() == self.joints).then_some(scores), person }, &given[used..])
    }

    /// `found` of the mirrored picture, seen in the plain one.
    fn mirrored(&self, found: &Found) -> Found {
        let last = f64::from(self.sides[0]) - 1.0;
        let opposite = |list: &Vec<f64>| self.mirrored_joints.iter().map(|joint| list[*joint]).collect();
        let point = |joint: &usize| [last - found.points[*joint][0], found.points[*joint][1]];
        Found {
            points: self.mirrored_joints.iter().map(point).collect(),
            scores: found.scores.as_ref().map(opposite),
            person: found.person,
        }
    }
}

impl Found {
    fn averaged(&mut self, other: &Self) {
        let mean = |(mine, other): (&mut f64, &f64)| *mine = 0.5 * (*mine + other);
        self.points.as_flattened_mut().iter_mut().zip(other.points.as_flattened()).for_each(mean);
        for (mine, other) in self.scores.iter_mut().zip(&other.scores) {
            mine.iter_mut().zip(other).for_each(mean);
        }
        self.person.iter_mut().zip(&other.person).for_each(mean);
    }
}

impl Collect for Places<'_> {
    fn take(&mut self, sample: usize, mirrored: bool, given: &[&[f32]]) {
        let (heads, mut given) = (self.of.heads.len(), given);
        for index in 0..heads {
            let (found, rest) = self.of.read(index, given);
            let row = &mut self.rows[sample * heads + index];
            if mirrored {
                row.averaged(&self.of.mirrored(&found));
            } else {
                *row = found;
            }
            given = rest;
        }
    }

    fn columns(self: Box<Self>) -> Vec<ArrayRef> {
        let CoordinateColumns { heads, joints, .. } = self.of;
        let scores = self.rows.iter().map(|row| row.scores.as_deref());
        let persons: Float64Array = self.rows.iter().map(|row| row.person).collect();
        vec![
            head_column(&heads.iter().map(|head| head.head), self.samples),
            points_array(self.rows.iter().map(|row| &row.points[..]), *joints),
            vector_array(scores, *joints),
            Arc::new(persons),
        ]
    }
}
