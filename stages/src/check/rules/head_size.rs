//! Heads of size zero or of an absurd size. MPII's scores are measured in head sizes, so a wrong head distorts the
//! score of every joint of its person.
//!
//! The head is the rectangle where one is annotated, else the segment from neck to head top. It is compared with the
//! size that the person's limbs suggest, in robust standard deviations of the data set, and must also be off by a
//! factor.

use schemas::tables::findings::{Finding, Severity};

use super::super::body::Head;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// A head must also be twice or half of what is usual: in data drawn to a rule, five deviations are little.
const LEAST_FACTOR: f64 = 2.0;

/// Compares heads with bodies.
pub(super) struct HeadSize {
    pub most_sigmas: f64,
}

impl Inspect for HeadSize {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some(head) = Head::of(seen.skeleton, seen.person) else {
            return Looked::Not("head not annotated");
        };
        let (name, usual, joint) = match head {
            Head::Box(_) => ("head rectangle", seen.build.head_box, None),
            Head::Segment(_) => ("head segment", seen.build.head_segment, seen.skeleton.index_of("head_top")),
        };
        let mut add = |finding: Finding| {
            found.push(match joint {
                Some(joint) => seen.at(joint, finding),
                None => finding,
            });
        };
        let Some(length) = head.length() else {
            let detail = format!("the {name} has no size");
            add(measured(seen.finding(Rule::HeadSize, Severity::Error, detail), Measured(0.0, 0.0, "px")));
            return Looked::Checked;
        };
        let Some(usual) = usual else { return Looked::Not("too few heads to know what is usual") };
        let Some(body) = seen.body else { return Looked::Not("too few limbs to know the person's size") };
        let deviation = libm::log(length) - body.size;
        let (sigmas, factor) = (usual.sigmas(deviation), libm::exp(deviation - usual.median));
        if sigmas.abs() > self.most_sigmas && factor.max(1.0 / factor) > LEAST_FACTOR {
            let detail = format!("the {name} of {length:.1} px is {factor:.2} times what the limbs suggest");
            let finding = seen.finding(Rule::HeadSize, Severity::Warning, detail);
            add(measured(finding, Measured(sigmas.abs(), self.most_sigmas, "sigma")));
        }
        Looked::Checked
    }
}
