//! A stated scale that the person's limbs contradict. Crops depend on it, so with a wrong one the person is far too
//! large or too small.

use schemas::tables::findings::{Finding, Severity};

use super::super::body::stated_height;
use super::super::rule::Rule;
use super::super::seen::{Inspect, Looked, Measured, Seen, measured};

/// A scale must also be twice or half of what is usual.
const LEAST_FACTOR: f64 = 2.0;

/// Compares scales with bodies.
pub(super) struct PersonScale {
    pub most_sigmas: f64,
}

impl Inspect for PersonScale {
    fn look(&mut self, seen: &Seen<'_>, found: &mut Vec<Finding>) -> Looked {
        let Some(scale) = seen.person.scale else { return Looked::Not("no scale stated") };
        let Some(height) = stated_height(seen.person) else {
            let finding = seen.finding(Rule::PersonScale, Severity::Error, format!("the scale is {scale}"));
            found.push(measured(finding, Measured(scale, 0.0, "scale")));
            return Looked::Checked;
        };
        let Some(usual) = seen.build.scale else {
            return Looked::Not("too few scales to know what is usual");
        };
        let Some(body) = seen.body else { return Looked::Not("too few limbs to know the person's size") };
        let deviation = libm::log(height) - body.size;
        let (sigmas, factor) = (usual.sigmas(deviation), libm::exp(deviation - usual.median));
        if sigmas.abs() > self.most_sigmas && factor.max(1.0 / factor) > LEAST_FACTOR {
            let detail = format!("the scale {scale:.3} is {factor:.2} times what the limbs suggest");
            let finding = seen.finding(Rule::PersonScale, Severity::Warning, detail);
            found.push(measured(finding, Measured(sigmas.abs(), self.most_sigmas, "sigma")));
        }
        Looked::Checked
    }
}
