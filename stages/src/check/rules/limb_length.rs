//! Limbs that are far longer than usual, or whose ends are the same point.
//!
//! Each limb is compared with the person's size, which is the median over all limbs, and the deviation with those of
//! all people of the data set, in robust standard deviations. Only long limbs are outliers: foreshortening makes any
//! limb short. A limb that reaches towards the camera is longer by perspective; such people are false alarms. In data
//! with many wrong joints the usual spread is wide, and only the worst stand out. The segment from neck to head top is
//! checked by `head_size`.

use schemas::tables::findings::{Finding, Severity};

use super::super::body::distance;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// A limb must also be so many times its usual length: in data drawn to a rule, five deviations are little.
const LEAST_FACTOR: f64 = 1.5;

/// Compares limbs with bodies.
pub(super) struct LimbLength {
    pub most_sigmas: f64,
}

impl Inspect for LimbLength {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let skeleton = seen.skeleton;
        let head = [skeleton.index_of("neck"), skeleton.index_of("head_top")];
        let (mut lengths, mut usual_lengths) = (0, 0);
        for (limb, &(a, b)) in skeleton.limbs.iter().enumerate() {
            let is_head = head == [Some(a), Some(b)] || head == [Some(b), Some(a)];
            let Some(length) = distance(&seen.person.pose, a, b).filter(|_| !is_head) else { continue };
            lengths += 1;
            let outer = if outwardness(skeleton.joints[a]) > outwardness(skeleton.joints[b]) { a } else { b };
            let ends = format!("{} to {}", skeleton.joints[a], skeleton.joints[b]);
            if length == 0.0 {
                let finding =
                    seen.finding(Rule::LimbLength, Severity::Warning, format!("{ends} has no length"));
                found.push(seen.at(outer, measured(finding, Measured(0.0, 0.0, "px"))));
                continue;
            }
            let deviation = seen.body.and_then(|body| body.limbs[limb]);
            let usual = seen.build.limbs.get(limb).copied().flatten();
            let (Some(deviation), Some(usual)) = (deviation, usual) else { continue };
            usual_lengths += 1;
            let (sigmas, factor) = (usual.sigmas(deviation), libm::exp(deviation - usual.median));
            if sigmas > self.most_sigmas && factor > LEAST_FACTOR {
                let detail = format!("{ends} of {length:.1} px is {factor:.2} times its usual length");
                let finding = seen.finding(Rule::LimbLength, Severity::Warning, detail);
                found.push(seen.at(outer, measured(finding, Measured(sigmas, self.most_sigmas, "sigma"))));
            }
        }
        match (lengths, usual_lengths) {
            (0, _) => Looked::Not("no limb annotated"),
            (_, 0) if seen.build.limbs.iter().all(Option::is_none) => {
                Looked::Not("too few people to know what is usual")
            }
            (_, 0) => Looked::Not("too few limbs to know the person's size"),
            _ => Looked::Checked,
        }
    }
}

/// How far out a joint is: of a limb that is wrong, its outer end is the likelier culprit.
fn outwardness(joint: &str) -> u8 {
    let part = joint.split_once('_').map_or(joint, |(_, part)| part);
    match part {
        "wrist" | "ankle" => 3,
        "elbow" | "knee" | "eye" | "ear" => 2,
        "shoulder" | "hip" | "nose" => 1,
        _ => 0,
    }
}
