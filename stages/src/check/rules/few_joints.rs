//! People with too few joints to be of use. People without any are not labelled at all, which is no defect.

use schemas::tables::findings::{Finding, Severity};

use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// Counts the joints.
pub(super) struct FewJoints {
    pub least: u32,
}

impl Inspect for FewJoints {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let annotated = seen.person.pose.annotated();
        if annotated < self.least as usize {
            let detail = format!("{annotated} of {} joints annotated", seen.skeleton.len());
            let finding = seen.finding(Rule::FewJoints, Severity::Warning, detail);
            let count = Measured(annotated as f64, f64::from(self.least), "joints");
            found.push(measured(finding, count));
        }
        Looked::Checked
    }
}
