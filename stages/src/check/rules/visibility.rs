//! Visibility and coordinates that contradict each other.
//!
//! A joint that is annotated needs finite coordinates; one that is not should have none. A joint at exactly (0, 0), in
//! our numbering or in that of the file, is nearly always a missing joint that the source stored as zeros.

use schemas::tables::findings::{Finding, Severity};

use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Seen};

/// Where zeros of a file that counts from 0 or from 1 end up, px.
const PLACES_OF_ZEROS: [[f64; 2]; 2] = [[0.0, 0.0], [-1.0, -1.0]];

/// Looks for contradictions.
pub(super) struct Visibilities;

impl Inspect for Visibilities {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let pose = &seen.person.pose;
        for (joint, (point, visibility)) in pose.keypoints.iter().zip(&pose.visibility).enumerate() {
            let [x, y] = *point;
            let finite = x.is_finite() && y.is_finite();
            let (severity, detail) = if visibility.is_annotated() && !finite {
                (Severity::Error, format!("annotated, but at ({x}, {y})"))
            } else if visibility.is_annotated() && PLACES_OF_ZEROS.contains(point) {
                (Severity::Warning, format!("annotated at exactly ({x}, {y}), as missing joints often are"))
            } else if !visibility.is_annotated() && (x.is_finite() || y.is_finite()) {
                (Severity::Note, format!("not annotated, but at ({x}, {y})"))
            } else {
                continue;
            };
            found.push(seen.at(joint, seen.finding(Rule::Visibility, severity, detail)));
        }
        Looked::Checked
    }
}
