//! Which numbers there are, and their rows.

use schemas::skeleton::Skeleton;
use schemas::tables::metrics::Metric;

use super::average::{Averages, shown};
use super::outcome::{Outcome, Range, Setting};
use super::table::headline;
use super::{Kind, THRESHOLDS};
use crate::evaluate::bootstrap::intervals;
use crate::evaluate::options::EvaluateOptions;
use crate::evaluate::output_head::OutputHead;

/// Everybody: no area is larger.
const ANY_AREA: [f64; 2] = [0.0, 1e10];
/// Medium people, px² (32² to 96²).
const MEDIUM: [f64; 2] = [1024.0, 9216.0];
/// Large people, px².
const LARGE: [f64; 2] = [9216.0, 1e10];
const ANY_JOINTS: [u32; 2] = [0, u32::MAX];
/// Ranges by the number of annotated joints.
const BY_JOINTS: [(&str, [u32; 2]); 4] = [
    ("1 to 5 joints", [1, 5]),
    ("6 to 10 joints", [6, 10]),
    ("11 to 15 joints", [11, 15]),
    ("16 joints or more", [16, u32::MAX]),
];
/// Pictures of `CrowdPose` below this crowd index are easy.
const EASY_BELOW: f64 = 0.2;
/// Pictures of `CrowdPose` from this crowd index on are hard.
const HARD_FROM: f64 = 0.8;

/// The ranges of people; the first is everybody.
pub(super) fn ranges(kind: Kind, skeleton: &Skeleton) -> Vec<Range> {
    let mut ranges = vec![Range { group: "total", area: ANY_AREA, joints: ANY_JOINTS }];
    if kind == Kind::Coco {
        ranges.push(Range { group: "medium", area: MEDIUM, joints: ANY_JOINTS });
        ranges.push(Range { group: "large", area: LARGE, joints: ANY_JOINTS });
    }
    let possible = |(_, [least, _]): &&(&str, [u32; 2])| *least as usize <= skeleton.len();
    ranges.extend(BY_JOINTS.iter().filter(possible).map(|&(group, joints)| Range {
        group,
        area: ANY_AREA,
        joints,
    }));
    ranges
}

/// Numbers of some people of some pictures.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Name in the metric table.
    group: String,
    /// Number of the range.
    range: usize,
    /// Whether each picture counts, `[N]`; `None` for all.
    pictures: Option<Vec<bool>>,
}

impl Part {
    fn weights<'a>(&self, weights: &'a [u32], buffer: &'a mut Vec<u32>) -> &'a [u32] {
        let Some(pictures) = &self.pictures else { return weights };
        buffer.clear();
        buffer.extend(weights.iter().zip(pictures).map(|(weight, counts)| weight * u32::from(*counts)));
        buffer
    }
}

/// All parts: the ranges over all pictures, then everybody in the pictures of one kind.
pub(super) fn parts(setting: &Setting<'_>) -> Vec<Part> {
    let (pictures, scored) = (setting.pictures, setting.scored);
    let of_range = |(range, one): (usize, &Range)| Part { group: one.group.into(), range, pictures: None };
    let mut parts: Vec<Part> = setting.ranges.iter().enumerate().map(of_range).collect();
    let mut push = |group: &str, counts: &dyn Fn(u32) -> bool| {
        let counting: Vec<bool> = scored.iter().map(|picture| counts(*picture)).collect();
        if counting.contains(&true) {
            parts.push(Part { group: group.to_owned(), range: 0, pictures: Some(counting) });
        }
    };
    if setting.kind == Kind::CrowdPose {
        let index = |picture: u32| pictures.crowd_index(picture);
        push("easy", &|picture| index(picture).is_some_and(|index| index < EASY_BELOW));
        push("medium", &|picture| {
            index(picture).is_some_and(|index| (EASY_BELOW..HARD_FROM).contains(&index))
        });
        push("hard", &|picture| index(picture).is_some_and(|index| index >= HARD_FROM));
    }
    let mut sets: Vec<(&str, &str)> = scored.iter().map(|picture| pictures.set(*picture)).collect();
    sets.sort_unstable();
    sets.dedup();
    if sets.len() > 1 {
        for set in sets {
            push(&format!("{}, {}", set.0, set.1), &|picture| pictures.set(picture) == set);
        }
    }
    parts
}

/// One row before it has its value.
struct Cell {
    metric: &'static str,
    joint: Option<&'static str>,
    group: Option<String>,
    threshold: Option<f64>,
    count: u64,
}

/// The rows of one head; a note says of whom there are none.
pub(super) fn metrics(
    setting: &Setting<'_>,
    parts: &[Part],
    outcome: &Outcome,
    options: &EvaluateOptions,
    head: OutputHead<'_>,
    dataset: &str,
    notes: &mut Vec<String>,
) -> Vec<Metric> {
    let everyone = vec![1; setting.scored.len()];
    let mut buffer = Vec::new();
    let mut people_of = |part: &Part| outcome.people(part.range, part.weights(&everyone, &mut buffer));
    let (present, absent): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| people_of(part) > 0);
    if !absent.is_empty() {
        let names: Vec<String> = absent.iter().map(|part| format!("`{}`", part.group)).collect();
        notes.push(format!("nobody who counts is in {}; such numbers have no row", names.join(", ")));
    }
    let joints: Vec<(usize, u64)> =
        outcome.of_joints(&everyone).into_iter().map(|(_, count)| count).enumerate().collect();
    let joints: Vec<(usize, u64)> = joints.into_iter().filter(|(_, count)| *count > 0).collect();
    let mut cells = Vec::new();
    for part in &present {
        cells.extend(cells_of(part, people_of(part)));
    }
    for metric in ["ks", "ks_good"] {
        cells.extend(joints.iter().map(|(joint, count)| Cell {
            metric,
            joint: Some(setting.truth.skeleton.joints[*joint]),
            group: None,
            threshold: Some(shown(0)),
            count: *count,
        }));
    }
    let statistic = |weights: &[u32]| {
        let (mut values, mut buffer) = (Vec::with_capacity(cells.len()), Vec::new());
        for part in &present {
            let weights = part.weights(weights, &mut buffer);
            let people = outcome.people(part.range, weights);
            values_of(part, outcome.averages(part.range, weights), people, &mut values);
        }
        let of_joints = outcome.of_joints(weights);
        for number in 0..2 {
            values.extend(joints.iter().map(|(joint, _)| of_joints[*joint].0[number]));
        }
        values
    };
    let values = statistic(&everyone);
    let ends = match options.resamples {
        0 => vec![None; values.len()],
        resamples => intervals(everyone.len(), resamples, options.seed, &values, statistic),
    };
    let row = |((cell, value), ends): ((Cell, f64), Option<[f64; 2]>)| Metric {
        metric: cell.metric.to_owned(),
        joint: cell.joint.map(str::to_owned),
        group: cell.group,
        threshold: cell.threshold,
        value,
        count: cell.count as i64,
        ci_low: ends.map(|[low, _]| low),
        ci_high: ends.map(|[_, high]| high),
        ..blank(options, head, dataset)
    };
    cells.into_iter().zip(values).zip(ends).map(row).collect()
}

/// The rows of `part`, in which `people` count; [`values_of`] gives their values in the same order.
fn cells_of(part: &Part, people: u64) -> Vec<Cell> {
    let cell = |metric, threshold| Cell {
        metric,
        joint: None,
        group: Some(part.group.clone()),
        threshold,
        count: people,
    };
    let mut cells = vec![cell("ap", None), cell("ar", None)];
    if part.is_everyone() {
        for metric in ["ap", "ar"] {
            cells.extend((0..THRESHOLDS).map(|at| cell(metric, Some(shown(at)))));
        }
        let counted = ["people_found", "people_missed", "people_false"];
        cells.extend(counted.map(|metric| cell(metric, Some(shown(0)))));
    }
    cells
}

fn values_of(part: &Part, averages: Option<Averages>, people: u64, values: &mut Vec<f64>) {
    let count = if part.is_everyone() { 2 + 2 * THRESHOLDS + 3 } else { 2 };
    let Some(averages) = averages else {
        values.extend(std::iter::repeat_n(f64::NAN, count));
        return;
    };
    values.extend([averages.precision, averages.recall]);
    if part.is_everyone() {
        let [found, wrong] = averages.counts;
        values.extend(averages.precision_at);
        values.extend(averages.recall_at);
        values.extend([found, people - found, wrong].map(|count| count as f64));
    }
}

impl Part {
    fn is_everyone(&self) -> bool {
        self.range == 0 && self.pictures.is_none()
    }
}

/// The row that says which share of the headline numbers may stand beside published ones.
pub(super) fn comparable(
    options: &EvaluateOptions,
    head: OutputHead<'_>,
    dataset: &str,
    kind: Kind,
    is_comparable: bool,
) -> Metric {
    Metric {
        metric: "comparable".to_owned(),
        value: if is_comparable { 100.0 } else { 0.0 },
        count: headline(kind).len() as i64,
        ..blank(options, head, dataset)
    }
}

fn blank(options: &EvaluateOptions, head: OutputHead<'_>, dataset: &str) -> Metric {
    Metric {
        protocol: options.protocol.to_string(),
        dataset: dataset.to_owned(),
        split: options.split.clone().unwrap_or_else(|| "all".to_owned()),
        metric: String::new(),
        joint: None,
        group: None,
        threshold: None,
        value: f64::NAN,
        count: 0,
        ci_low: None,
        ci_high: None,
        model: head.model.to_owned(),
        head: Some(head.number),
        run: options.run.clone(),
    }
}
