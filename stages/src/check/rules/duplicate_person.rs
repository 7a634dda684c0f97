//! Two people of one image with nearly the same joints: one person, annotated twice.
//!
//! Compared are the joints that both have, by their mean distance in diagonals of the larger person's box. The finding
//! is reported for the person with the larger id, so that leaving out the findings keeps one of the two.

use std::collections::{BTreeSet, HashMap};

use schemas::tables::crowd::{MOST_OTHERS, Nearest, mean_place};
use schemas::tables::findings::{Finding, Severity};

use super::super::body::place;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// Fewest joints that both must have: two may agree by chance where people touch.
const LEAST_COMMON: usize = 3;
/// With how many of the nearest others a person is compared in an image of more than [`MOST_OTHERS`] others; two annotations
/// of one person have nearly the same middle.
const NEIGHBOURS: usize = 8;

/// Keeps the people of an image until its last has arrived; rows of one image are usually consecutive.
pub(super) struct DuplicatePerson {
    most: f64,
    waiting: HashMap<usize, Vec<Waiting>>,
}

/// A person with a finding prepared.
struct Waiting {
    finding: Finding,
    /// `[K]`
    places: Vec<Option<[f64; 2]>>,
}

impl DuplicatePerson {
    pub(super) fn new(most: f64) -> Self {
        Self { most, waiting: HashMap::new() }
    }

    fn compare(&self, a: &Waiting, b: &Waiting) -> Option<Finding> {
        let common: Vec<f64> = (a.places.iter().zip(&b.places))
            .filter_map(|(a, b)| Some(((*a)?, (*b)?)))
            .map(|([ax, ay], [bx, by])| libm::hypot(ax - bx, ay - by))
            .collect();
        let diagonal = diagonal(&a.places).max(diagonal(&b.places));
        if common.len() < LEAST_COMMON || diagonal <= 0.0 {
            return None;
        }
        let mean = common.iter().sum::<f64>() / common.len() as f64;
        let distance = mean / diagonal;
        if distance > self.most {
            return None;
        }
        let (first, second) = if a.finding.sample_id <= b.finding.sample_id { (a, b) } else { (b, a) };
        let detail = format!("{} common joints are {mean:.1} px apart on average", common.len());
        let finding =
            Finding { detail, other_sample_id: first.finding.sample_id.clone(), ..second.finding.clone() };
        Some(measured(finding, Measured(distance, self.most, "diagonals")))
    }
}

/// The pairs of `people` that are compared, by their numbers: all, or each with its [`NEIGHBOURS`] where there are very many.
fn pairs(people: &[Waiting]) -> Box<dyn Iterator<Item = [usize; 2]>> {
    let count = people.len();
    if count <= MOST_OTHERS + 1 {
        return Box::new((0..count).flat_map(move |a| (a + 1..count).map(move |b| [a, b])));
    }
    let middles: Vec<[f64; 2]> =
        people.iter().map(|one| mean_place(one.places.iter().flatten().copied())).collect();
    let nearest = Nearest::new(middles.iter().copied().map(Some));
    let near =
        |own: usize| nearest.to(middles[own], own, NEIGHBOURS).into_iter().map(move |other| [own, other]);
    let pairs: BTreeSet<[usize; 2]> =
        (0..count).flat_map(near).map(|[a, b]| if a < b { [a, b] } else { [b, a] }).collect();
    Box::new(pairs.into_iter())
}

/// Diagonal of the box about `places`, px.
fn diagonal(places: &[Option<[f64; 2]>]) -> f64 {
    let extent = |axis: usize| {
        let values = || places.iter().flatten().map(|point| point[axis]);
        values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
    };
    libm::hypot(extent(0), extent(1))
}

impl Inspect for DuplicatePerson {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some((number, image)) = seen.image else { return Looked::Not("no picture named") };
        if image.people < 2 {
            return Looked::Checked;
        }
        let finding = seen.finding(Rule::DuplicatePerson, Severity::Warning, "");
        let places = (0..seen.skeleton.len()).map(|joint| place(&seen.person.pose, joint)).collect();
        let people = self.waiting.entry(number).or_default();
        people.push(Waiting { finding, places });
        if people.len() == image.people as usize {
            let people = self.waiting.remove(&number).unwrap_or_default();
            found.extend(pairs(&people).filter_map(|[a, b]| self.compare(&people[a], &people[b])));
        }
        Looked::Checked
    }
}
