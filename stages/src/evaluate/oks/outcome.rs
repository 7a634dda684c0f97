//! What the detections of one output head come to, picture by picture and then all in the order of their scores.

use rayon::prelude::*;
use schemas::tables::people::Pose;

use super::average::{Averages, Ranked};
use super::matching::{Sought, Verdict, verdicts};
use super::pictures::{Pictures, Subject};
use super::similarity::{Measured, Similarity};
use super::{GOOD, Kind, MOST_DETECTIONS, THRESHOLDS, thresholds};
use crate::evaluate::truth::Truth;

/// Who counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// Name in the metric table.
    pub group: &'static str,
    /// Areas of people and detections that count, px², both ends included.
    pub area: [f64; 2],
    /// Numbers of annotated joints of people who count, both ends included.
    pub joints: [u32; 2],
}

/// Detections of one head, as they came.
#[derive(Debug, Default)]
pub(super) struct Detections {
    /// Numbers of their pictures in the truth.
    pub pictures: Vec<u32>,
    pub scores: Vec<f64>,
    /// `[D, K]` px, (0, 0) where nothing was predicted.
    pub keypoints: Vec<[f64; 2]>,
}

/// What is the same for all heads.
pub(super) struct Setting<'a> {
    pub truth: &'a Truth,
    pub pictures: &'a Pictures,
    pub kind: Kind,
    /// `[K]`
    pub sigmas: &'a [f64],
    pub ranges: &'a [Range],
    /// Numbers of the pictures that are scored, in the order in which equal scores count. `[N]`
    pub scored: &'a [u32],
}

/// What came of one head.
#[derive(Debug)]
pub(super) struct Outcome {
    /// By range and threshold, `[A][T]`.
    ranked: Vec<Vec<Ranked>>,
    /// People who count, `[A][N]`.
    people: Vec<Vec<u32>>,
    /// Of the people found at the lowest threshold, by picture and joint, `[N, K]`: sum of similarities.
    joint_sums: Vec<f64>,
    /// The same: how many joints, and how many are good.
    joint_counts: Vec<[u16; 2]>,
    joints: usize,
    /// Detections beyond those that count in a picture.
    pub left_out: usize,
    /// Pictures without a detection.
    pub empty: usize,
}

/// One picture.
struct OfPicture {
    scores: Vec<f64>,
    /// What each detection is by range and threshold, `[D, A, T]`.
    verdicts: Vec<Verdict>,
    /// `[A]`
    people: Vec<u32>,
    joint_sums: Vec<f64>,
    joint_counts: Vec<[u16; 2]>,
    left_out: usize,
}

impl Outcome {
    /// Compares `detections` with the people of the truth.
    pub(super) fn of(setting: &Setting<'_>, detections: &Detections) -> Self {
        let joints = setting.sigmas.len();
        let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); setting.pictures.len()];
        for (row, picture) in (0..).zip(&detections.pictures) {
            rows_of[*picture as usize].push(row);
        }
        let each = |picture: &u32| of_picture(setting, *picture, &rows_of[*picture as usize], detections);
        let pictures: Vec<OfPicture> = setting.scored.par_iter().map(each).collect();
        let mut order: Vec<(u32, u32, f64)> = Vec::new();
        for (number, picture) in (0..).zip(&pictures) {
            order.extend((0..).zip(&picture.scores).map(|(at, score)| (number, at, *score)));
        }
        // The sort is stable: equal scores stay in the order of pictures, then of rows.
        order.sort_by(|a, b| b.2.total_cmp(&a.2));
        let cells = setting.ranges.len() * THRESHOLDS;
        let mut ranked = vec![Ranked::default(); cells];
        for (picture, at, _) in &order {
            let verdicts = &pictures[*picture as usize].verdicts[*at as usize * cells..];
            for (ranked, verdict) in ranked.iter_mut().zip(verdicts) {
                match verdict {
                    Verdict::Ignored => {}
                    verdict => ranked.push(*picture, *verdict != Verdict::False),
                }
            }
        }
        let ranges = 0..setting.ranges.len();
        Self {
            ranked: ranked.chunks(THRESHOLDS).map(<[Ranked]>::to_vec).collect(),
            people: ranges.map(|a| pictures.iter().map(|one| one.people[a]).collect()).collect(),
            joint_sums: pictures.iter().flat_map(|one| one.joint_sums.iter().copied()).collect(),
            joint_counts: pictures.iter().flat_map(|one| one.joint_counts.iter().copied()).collect(),
            joints,
            left_out: pictures.iter().map(|one| one.left_out).sum(),
            empty: pictures.iter().filter(|one| one.scores.is_empty()).count(),
        }
    }

    /// People who count in range number `range` where each picture counts `weights` times.
    pub(super) fn people(&self, range: usize, weights: &[u32]) -> u64 {
        self.people[range].iter().zip(weights).map(|(people, weight)| u64::from(people * weight)).sum()
    }

    /// The averages of range number `range` where each picture counts `weights` times; `None` where nobody counts.
    pub(super) fn averages(&self, range: usize, weights: &[u32]) -> Option<Averages> {
        Averages::of(&self.ranked[range], weights, self.people(range, weights))
    }

    /// Of the people who are found, for each joint the mean similarity and the share that is good, in percent, `NaN` where
    /// no joint was compared, and how many were. `[K]`
    pub(super) fn of_joints(&self, weights: &[u32]) -> Vec<([f64; 2], u64)> {
        let mut sums = vec![([0.0; 2], 0_u64); self.joints];
        let rows = self.joint_sums.chunks_exact(self.joints).zip(self.joint_counts.chunks_exact(self.joints));
        for ((similarities, counts), weight) in rows.zip(weights).filter(|(_, weight)| **weight > 0) {
            for ((sum, similarity), [count, good]) in sums.iter_mut().zip(similarities).zip(counts) {
                sum.0[0] += similarity * f64::from(*weight);
                sum.0[1] += f64::from(u32::from(*good) * weight);
                sum.1 += u64::from(u32::from(*count) * weight);
            }
        }
        let percent = |sum: f64, count: u64| 100.0 * sum / count as f64;
        sums.into_iter().map(|(both, count)| (both.map(|sum| percent(sum, count)), count)).collect()
    }
}

fn of_picture(setting: &Setting<'_>, picture: u32, rows: &[u32], detections: &Detections) -> OfPicture {
    let joints = setting.sigmas.len();
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| detections.scores[*b as usize].total_cmp(&detections.scores[*a as usize]));
    let left_out = rows.len().saturating_sub(MOST_DETECTIONS);
    rows.truncate(MOST_DETECTIONS);
    let points = |row: u32| &detections.keypoints[row as usize * joints..(row as usize + 1) * joints];

    let subjects = setting.pictures.subjects(picture);
    let people: Vec<Person<'_>> = subjects.iter().map(|one| Person::of(one, setting)).collect();
    let mut similarity = Similarity::new(setting.sigmas);
    let mut alike = Vec::with_capacity(rows.len() * people.len());
    for row in &rows {
        alike.extend(people.iter().map(|one| similarity.of(one.measured(), one.area, points(*row))));
    }
    let areas: Vec<f64> = rows.iter().map(|row| extent(points(*row))).collect();
    let cells = setting.ranges.len() * THRESHOLDS;
    let mut verdicts_of = vec![Verdict::Ignored; rows.len() * cells];
    let mut counts = Vec::with_capacity(setting.ranges.len());
    for (number, range) in setting.ranges.iter().enumerate() {
        let sought = sought(&people, range);
        let is_outside: Vec<bool> = areas.iter().map(|area| !within(*area, range.area)).collect();
        for (at, threshold) in thresholds().into_iter().enumerate() {
            let verdicts = verdicts(&alike, people.len(), &sought, &is_outside, threshold);
            for (row, verdict) in verdicts.into_iter().enumerate() {
                verdicts_of[row * cells + number * THRESHOLDS + at] = verdict;
            }
        }
        counts.push(sought.iter().filter(|one| !one.is_ignored).count() as u32);
    }
    let mut joint_sums = vec![0.0; joints];
    let mut joint_counts = vec![[0, 0]; joints];
    for (row, verdict) in rows.iter().zip(verdicts_of.iter().step_by(cells)) {
        let Verdict::Found(place) = verdict else { continue };
        let person = &people[*place];
        let Measured::Joints(_, annotated) = person.measured() else { continue };
        similarity.of(person.measured(), person.area, points(*row));
        let compared = (0..joints).filter(|joint| annotated[*joint]);
        for (joint, term) in compared.zip(similarity.terms()) {
            joint_sums[joint] += term;
            joint_counts[joint][0] += 1;
            joint_counts[joint][1] += u16::from(*term >= GOOD);
        }
    }
    let scores = rows.iter().map(|row| detections.scores[*row as usize]).collect();
    OfPicture { scores, verdicts: verdicts_of, people: counts, joint_sums, joint_counts, left_out }
}

/// A person, or region, ready to be compared.
struct Person<'a> {
    subject: &'a Subject,
    area: f64,
    places: Vec<[f64; 2]>,
    annotated: Vec<bool>,
}

impl<'a> Person<'a> {
    fn of(subject: &'a Subject, setting: &Setting<'_>) -> Self {
        let (mut places, mut annotated) = (Vec::new(), Vec::new());
        if let Some(person) = subject.person.filter(|_| subject.joints > 0) {
            let mut pose = Pose::unknown(0);
            setting.truth.read(person as usize, &mut pose, &mut Vec::new());
            annotated = pose.visibility.iter().map(|visibility| visibility.is_annotated()).collect();
            places = pose.keypoints;
        } else if let Some(numbers) = &subject.keypoints {
            places = numbers.chunks_exact(3).map(|point| [point[0], point[1]]).collect();
            annotated = numbers.chunks_exact(3).map(|point| point[2] > 0.0).collect();
        }
        Self { subject, area: subject.area_by(setting.kind), places, annotated }
    }

    fn measured(&self) -> Measured<'_> {
        match self.subject.bbox {
            _ if !self.places.is_empty() => Measured::Joints(&self.places, &self.annotated),
            Some(bbox) => Measured::Box(bbox),
            None => Measured::Anywhere,
        }
    }
}

/// The people of a picture as `range` sees them, those who count first.
fn sought(people: &[Person<'_>], range: &Range) -> Vec<Sought> {
    let one = |(place, one): (usize, &Person<'_>)| {
        let [least, most] = range.joints;
        let has_joints = (least..=most).contains(&one.subject.joints);
        Sought {
            place,
            is_ignored: one.subject.is_ignored || !within(one.area, range.area) || !has_joints,
            is_crowd: one.subject.is_crowd,
            is_void: one.subject.is_void,
        }
    };
    let mut sought: Vec<Sought> = people.iter().enumerate().map(one).collect();
    sought.sort_by_key(|one| one.is_ignored);
    sought
}

/// Not below the one end nor above the other; what is not a number is within, as in the reference evaluator.
fn within(area: f64, [low, high]: [f64; 2]) -> bool {
    !(area < low || area > high)
}

/// Area of the box about `points`, px² (`COCO.loadRes`).
fn extent(points: &[[f64; 2]]) -> f64 {
    let side = |axis: usize| {
        let values = || points.iter().map(|point| point[axis]);
        values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
    };
    side(0) * side(1)
}
