//! Left and right joints that seem to be exchanged.
//!
//! Three tests, none of which needs to know whether the person faces the camera:
//!
//! - **The torso**: along the axis across the torso, from middle of shoulders to middle of hips, left shoulder and left
//!   hip lie on one side. Where they lie on opposite sides, and shoulders and hips are both broad, the torso would have
//!   to be twisted by half a turn. Exchanged shoulders and exchanged hips look alike: the rule cannot tell which pair
//!   is wrong.
//! - **The face**: left eye (or ear) and left shoulder lie on one side as well. Somebody looking back over a shoulder
//!   is a false alarm.
//! - **The limbs**: upper arms, thighs and shins as a pair are much longer than they would be with their lower ends
//!   exchanged. Crossed legs are a false alarm; forearms are left out, since folded arms are common.
//!
//! What it cannot tell: a person with *all* joints exchanged is a person seen from behind, which is as common in sports
//! as one seen from the front.

use schemas::tables::findings::{Finding, Severity};

use super::super::body::distance;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// How broad a pair of eyes or ears must be, relative to what is asked of shoulders: median eyes of FLIC are 0.13 torso
/// lengths apart, so a quarter of 0.2 leaves most faces in.
const FACE_SHARE: f64 = 0.25;
/// How much longer than crosswise a pair of limbs must also be, torso lengths: limbs seen end on have any ratio.
const LEAST_EXCESS: f64 = 0.4;
/// Upper and lower ends of the limbs that are compared with their mirror images.
const LIMBS: [[&str; 2]; 3] = [["shoulder", "elbow"], ["hip", "knee"], ["knee", "ankle"]];

/// Looks for contradictions between left and right.
pub(super) struct LeftRight {
    /// Torso lengths.
    pub least_width: f64,
    pub most_ratio: f64,
}

/// Indices of the left and the right joint called `part`.
fn pair(seen: &Seen<'_>, part: &str) -> Option<[usize; 2]> {
    let index = |side: &str| seen.skeleton.index_of(&format!("{side}_{part}"));
    Some([index("left")?, index("right")?])
}

/// The axis across the torso, and its length.
struct Torso {
    across: [f64; 2],
    length: f64,
}

impl Torso {
    fn of(seen: &Seen<'_>, shoulders: [usize; 2], hips: [usize; 2]) -> Option<Self> {
        let middle = |[a, b]: [usize; 2]| {
            let ([ax, ay], [bx, by]) = (seen.place(a)?, seen.place(b)?);
            Some([f64::midpoint(ax, bx), f64::midpoint(ay, by)])
        };
        let ([x, y], [hip_x, hip_y]) = (middle(shoulders)?, middle(hips)?);
        let (dx, dy) = (hip_x - x, hip_y - y);
        let length = libm::hypot(dx, dy);
        (length > 0.0).then(|| Self { across: [dy / length, -dx / length], length })
    }

    /// How far the left joint of `pair` lies to the side of the right one, torso lengths.
    fn width(&self, seen: &Seen<'_>, [left, right]: [usize; 2]) -> Option<f64> {
        let ([lx, ly], [rx, ry]) = (seen.place(left)?, seen.place(right)?);
        Some(((lx - rx) * self.across[0] + (ly - ry) * self.across[1]) / self.length)
    }
}

impl LeftRight {
    /// Whether `part` lies the other way round than the shoulders.
    fn contradicts(
        &self,
        seen: &Seen<'_>,
        torso: &Torso,
        shoulders: f64,
        part: &str,
        share: f64,
    ) -> Option<Finding> {
        let joints = pair(seen, part)?;
        let width = torso.width(seen, joints)?;
        // Both are measured in what is asked of them.
        let broad = shoulders.abs().min(width.abs() / share);
        if shoulders * width >= 0.0 || broad < self.least_width {
            return None;
        }
        let detail = format!(
            "{part}s and shoulders lie the other way round: {:.2} and {:.2} torso lengths broad",
            width.abs(),
            shoulders.abs()
        );
        let finding = seen.finding(Rule::LeftRight, Severity::Warning, detail);
        let broad = Measured(broad, self.least_width, "torso lengths");
        Some(seen.at(joints[0], measured(finding, broad)))
    }

    /// Whether a pair of limbs is much longer than crosswise.
    fn crossed(&self, seen: &Seen<'_>, torso: &Torso, [upper, lower]: [&str; 2]) -> Option<Finding> {
        let ([left, right], [left_end, right_end]) = (pair(seen, upper)?, pair(seen, lower)?);
        let length = |a, b| distance(&seen.person.pose, a, b);
        let as_labelled = length(left, left_end)? + length(right, right_end)?;
        let crosswise = length(left, right_end)? + length(right, left_end)?;
        let ratio = as_labelled / crosswise;
        let excess = (as_labelled - crosswise) / torso.length;
        if ratio.is_nan() || ratio <= self.most_ratio || excess < LEAST_EXCESS {
            return None;
        }
        let detail =
            format!("{upper} to {lower} is {ratio:.2} times longer than with the {lower}s exchanged");
        let finding = seen.finding(Rule::LeftRight, Severity::Warning, detail);
        Some(seen.at(left_end, measured(finding, Measured(ratio, self.most_ratio, "ratio"))))
    }
}

impl Inspect for LeftRight {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let (Some(shoulders), Some(hips)) = (pair(seen, "shoulder"), pair(seen, "hip")) else {
            return Looked::Not("skeleton without torso");
        };
        let Some(torso) = Torso::of(seen, shoulders, hips) else { return Looked::Not("torso not annotated") };
        let Some(width) = torso.width(seen, shoulders) else { return Looked::Not("torso not annotated") };
        let parts = [("hip", 1.0), ("eye", FACE_SHARE), ("ear", FACE_SHARE)];
        let contradictions =
            parts.into_iter().filter_map(|(part, share)| self.contradicts(seen, &torso, width, part, share));
        found.extend(contradictions);
        found.extend(LIMBS.into_iter().filter_map(|limb| self.crossed(seen, &torso, limb)));
        Looked::Checked
    }
}
