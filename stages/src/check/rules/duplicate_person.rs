//! Two people of one image with nearly the same joints: one person, annotated twice.
//!
//! Compared are the joints that both have, by their mean distance in diagonals of the larger person's box. The finding
//! is reported for the person with the larger id, so that leaving out the findings keeps one of the two.
//!
//! Of two such people at least one joint is as near as the mean, so their boxes, made larger by it, overlap: only such
//! pairs are compared, and time grows with the people of a picture.

use std::collections::{BTreeSet, HashMap};

use schemas::tables::crowd::{Nearest, mean_place};
use schemas::tables::findings::{Finding, Severity};

use super::super::body::place;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};
use super::near::{Box4, overlapping};

/// Fewest joints that both must have: two may agree by chance where people touch.
const LEAST_COMMON: usize = 3;
/// Makes a distance longer than all rounding can make it.
const ROUNDING: f64 = 1.000_001;
/// Up to how many people of one image every pair that may be one person is compared.
const MOST_COMPARED: usize = 1024;
/// With how many of its nearest a person is compared in an image of more than [`MOST_COMPARED`]; two annotations of one
/// person have nearly the same middle.
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
    /// Diagonal of the box about the places, px.
    diagonal: f64,
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
        let diagonal = a.diagonal.max(b.diagonal);
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

impl Waiting {
    fn new(finding: Finding, places: Vec<Option<[f64; 2]>>) -> Self {
        let [x1, y1, x2, y2] = box_of(&places);
        Self { finding, places, diagonal: libm::hypot(x2 - x1, y2 - y1) }
    }

    /// Where a person must reach who can be this one: the box about the places, and beyond it by as far as joints may be
    /// apart on average. `None` where too few joints can be compared.
    fn reach(&self, most: f64) -> Option<Box4> {
        if self.places.iter().flatten().count() < LEAST_COMMON {
            return None;
        }
        let [x1, y1, x2, y2] = box_of(&self.places);
        let beyond = self.diagonal * most * ROUNDING;
        Some([x1 - beyond, y1 - beyond, x2 + beyond, y2 + beyond])
    }
}

/// The box about `places`, px.
fn box_of(places: &[Option<[f64; 2]>]) -> Box4 {
    let values = |axis: usize| places.iter().flatten().map(move |point| point[axis]);
    let [x1, y1] = [0, 1].map(|axis| values(axis).fold(f64::INFINITY, f64::min));
    let [x2, y2] = [0, 1].map(|axis| values(axis).fold(f64::NEG_INFINITY, f64::max));
    [x1, y1, x2, y2]
}

/// The pairs of `people` that are compared, by their numbers; `most` is the threshold.
fn pairs(people: &[Waiting], most: f64) -> Vec<(usize, usize)> {
    let count = people.len();
    if count <= MOST_COMPARED {
        let reach: Vec<Option<Box4>> = people.iter().map(|person| person.reach(most)).collect();
        return overlapping(&reach);
    }
    let middles: Vec<[f64; 2]> =
        people.iter().map(|one| mean_place(one.places.iter().flatten().copied())).collect();
    let nearest = Nearest::new(middles.iter().copied().map(Some));
    let near =
        |own: usize| nearest.to(middles[own], own, NEIGHBOURS).into_iter().map(move |other| (own, other));
    let pairs: BTreeSet<(usize, usize)> =
        (0..count).flat_map(near).map(|(a, b)| (a.min(b), a.max(b))).collect();
    pairs.into_iter().collect()
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
        people.push(Waiting::new(finding, places));
        if people.len() == image.people as usize {
            let people = self.waiting.remove(&number).unwrap_or_default();
            let pairs = pairs(&people, self.most).into_iter();
            found.extend(pairs.filter_map(|(first, second)| self.compare(&people[first], &people[second])));
        }
        Looked::Checked
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::body::Build;
    use super::super::super::pictures::Images;
    use super::*;
    use proptest::prelude::*;
    use schemas::Visibility;
    use schemas::skeleton::LSP14;
    use schemas::tables::people::{Person, Pose};

    /// Someone of one picture at `corner`, `size` px large, with the joints that `known` says.
    fn someone((number, (corner, size, known)): (usize, &([f64; 2], f64, u16))) -> Person {
        let mut pose = Pose::unknown(LSP14.len());
        for joint in (0..LSP14.len()).filter(|joint| known >> joint & 1 == 1) {
            let (column, row) = ((joint % 4) as f64, (joint / 4) as f64);
            pose.set(joint, [corner[0] + size * column, corner[1] + size * row], Visibility::Visible);
        }
        let person = crate::evaluate::fixtures::person_of(&LSP14, &format!("p{number:03}"), 0, 1.0);
        Person { pose, image_path: "crowd.jpg".into(), ..person }
    }

    proptest! {
        #[test]
        fn findings_are_those_of_comparing_all(
            crowd in prop::collection::vec(
                ((0_i32..60, 0_i32..60).prop_map(|(x, y)| [f64::from(x), f64::from(y)]), 0.0_f64..20.0, any::<u16>()),
                2..40,
            ),
            most in 0.01_f64..0.5,
        ) {
            let people: Vec<Person> = crowd.iter().enumerate().map(someone).collect();
            let mut images = Images::default();
            for person in &people {
                images.add(person);
            }
            let labelled: Vec<&Person> = people.iter().filter(|person| person.pose.annotated() > 0).collect();
            let (mut rule, mut found, build) = (DuplicatePerson::new(most), Vec::new(), Build::default());
            let mut all = Vec::new();
            for person in &labelled {
                let image = images.at(&person.image_path).map(|number| (number, &images.all()[number]));
                let seen = Seen { person, skeleton: &LSP14, image, body: None, build: &build };
                rule.look(&seen, &mut found);
                let finding = seen.finding(Rule::DuplicatePerson, Severity::Warning, "");
                all.push(Waiting::new(finding, (0..14).map(|joint| place(&person.pose, joint)).collect()));
            }
            let mut expected = Vec::new();
            for (at, first) in all.iter().enumerate() {
                expected.extend(all[at + 1..].iter().filter_map(|second| rule.compare(first, second)));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
