//! Whether the first pixel has the number that the reader took it to have.
//!
//! Tables count from 0, and readers subtract 1 from files that count from 1. If that is wrong, all coordinates of a
//! data set are off by one pixel, which cannot be seen in a single person. Annotators stay within the picture, so
//! coordinates run from 0 to W - 1: data that are off by one begin at 1 and end at W, or begin at -1 and end at W - 2.
//! Both ends must agree: data that stay away from all edges begin late and end early, which is no shift. A second sign:
//! most fractional parts are exactly one half, as when pixels are counted from their edges.
//!
//! With few joints near the edges nothing can be decided, and a note says so.

use std::collections::BTreeMap;

use schemas::tables::findings::{ALL_SPLITS, Finding, Severity};

use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Seen};

/// How many px outside and inside of where an edge should be are counted.
const REACH: i32 = 4;
/// Width of the strip that must be filled for an edge to be seen, px.
const STRIP: i32 = 3;
/// Fewest joints in that strip.
const LEAST_IN_STRIP: u64 = 20;
/// Most joints beyond an edge, of those in the strip: annotators slip.
const MOST_BEYOND: f64 = 0.1;
/// Share of coordinates with a fractional part of one half that makes a convention.
const LEAST_HALVES: f64 = 0.5;
/// Fewest coordinates for that share.
const LEAST_COORDINATES: u64 = 200;

/// Counts coordinates near the edges, by data set.
#[derive(Default)]
pub(super) struct BasePixel {
    datasets: BTreeMap<String, Counted>,
}

#[derive(Default)]
struct Counted {
    source_file: String,
    /// Whole px inside the first column or row, from -REACH; what lies further out counts first.
    low: [u64; 2 * REACH as usize + 1],
    /// The same from the last column or row.
    high: [u64; 2 * REACH as usize + 1],
    coordinates: u64,
    halves: u64,
    sized: bool,
}

impl Counted {
    fn add(side: &mut [u64], inside: f64) {
        let cell = inside.floor().max(f64::from(-REACH));
        if cell <= f64::from(REACH) {
            side[(cell as i32 + REACH) as usize] += 1;
        }
    }

    /// How far inside of where it should be an edge seems to lie, px.
    fn edge(side: &[u64]) -> Option<i32> {
        let sum =
            |from: i32, to: i32| -> u64 { side[(from + REACH) as usize..(to + REACH) as usize].iter().sum() };
        let is_edge = |at: &i32| {
            let (within, beyond) = (sum(*at, *at + STRIP), sum(-REACH, *at));
            within >= LEAST_IN_STRIP && beyond as f64 <= MOST_BEYOND * within as f64
        };
        (1 - REACH..=REACH + 1 - STRIP).rev().find(is_edge)
    }

    /// By how many px coordinates are too large, where both ends say so.
    fn drift(&self) -> Result<i32, &'static str> {
        match (Self::edge(&self.low), Self::edge(&self.high)) {
            (Some(low), Some(high)) if low == -high => Ok(low),
            (Some(_), Some(_)) => Err("its two ends do not agree"),
            _ if !self.sized => Err("no picture has a known size"),
            _ => Err("too few joints lie near the edges"),
        }
    }
}

impl Inspect for BasePixel {
    fn look(&mut self, seen: &Seen<'_>, _found: &mut Vec<Finding>) -> Looked {
        if !self.datasets.contains_key(&seen.person.dataset) {
            self.datasets.insert(seen.person.dataset.clone(), Counted::default());
        }
        let Some(counted) = self.datasets.get_mut(&seen.person.dataset) else { return Looked::Checked };
        if counted.source_file.is_empty() || seen.person.source_file < counted.source_file {
            counted.source_file.clone_from(&seen.person.source_file);
        }
        let size = seen.size();
        for (_, point) in seen.places() {
            for (axis, value) in point.into_iter().enumerate() {
                counted.coordinates += 1;
                counted.halves += u64::from(value.rem_euclid(1.0) == 0.5);
                if let Ok((size, _)) = size {
                    Counted::add(&mut counted.low, value);
                    Counted::add(&mut counted.high, size[axis] - 1.0 - value);
                    counted.sized = true;
                }
            }
        }
        size.map_or_else(Looked::Not, |_| Looked::Checked)
    }

    fn finish(&mut self, found: &mut Vec<Finding>, notes: &mut Vec<String>) {
        for (dataset, counted) in &self.datasets {
            let mut say = |value: f64, detail: String| {
                found.push(Finding {
                    sample_id: None,
                    dataset: dataset.clone(),
                    split: ALL_SPLITS.to_owned(),
                    rule: Rule::BasePixel.name().to_owned(),
                    severity: Severity::Warning,
                    joint: None,
                    value: Some(value),
                    limit: Some(0.0),
                    unit: Some("px".to_owned()),
                    detail,
                    other_sample_id: None,
                    image_path: None,
                    source_file: (!counted.source_file.is_empty()).then(|| counted.source_file.clone()),
                    source_record: None,
                });
            };
            match counted.drift() {
                Ok(0) => {}
                Ok(drift) => {
                    let last = match drift - 1 {
                        0 => "width".to_owned(),
                        less if less < 0 => format!("width - {}", -less),
                        more => format!("width + {more}"),
                    };
                    say(f64::from(drift), format!("coordinates run from {drift} to {last}"));
                }
                Err(why) => notes.push(format!("base_pixel: nothing can be told of `{dataset}`: {why}")),
            }
            let halves = counted.halves as f64 / counted.coordinates.max(1) as f64;
            if counted.coordinates >= LEAST_COORDINATES && halves >= LEAST_HALVES {
                let percent = 100.0 * halves;
                say(0.5, format!("{percent:.0} % of all coordinates end in .5, as counted from pixel edges"));
            }
        }
    }
}
