//! Joints outside the picture.
//!
//! Pixel centres lie at integers, so a picture of W px reaches from -0.5 to W - 0.5. Some data sets place joints of
//! people who are cut off beyond the edge on purpose; then `margin_px` says how far is allowed.

use schemas::tables::findings::{Finding, Severity};

use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// From the centre of a pixel to its edge, px.
const HALF_PIXEL: f64 = 0.5;
/// The sides of a picture by axis, the low one first.
const SIDES: [[&str; 2]; 2] = [["left", "right"], ["upper", "lower"]];

/// Measures how far joints lie outside.
pub(super) struct OutOfImage {
    pub margin_px: f64,
}

impl Inspect for OutOfImage {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let (size, source) = match seen.size() {
            Ok(known) => known,
            Err(reason) => return Looked::Not(reason),
        };
        for (joint, point) in seen.places() {
            let beyond = |axis: usize| {
                let low = -HALF_PIXEL - point[axis];
                let high = point[axis] - (size[axis] - HALF_PIXEL);
                if low > high { (low, SIDES[axis][0]) } else { (high, SIDES[axis][1]) }
            };
            let (across, down) = (beyond(0), beyond(1));
            let (distance, side) = if across.0 >= down.0 { across } else { down };
            if distance > self.margin_px {
                let [width, height] = size;
                let detail =
                    format!("{distance:.1} px beyond the {side} edge of {width} x {height} px{source}");
                let finding = seen.finding(Rule::OutOfImage, Severity::Warning, detail);
                found.push(seen.at(joint, measured(finding, Measured(distance, self.margin_px, "px"))));
            }
        }
        Looked::Checked
    }
}
