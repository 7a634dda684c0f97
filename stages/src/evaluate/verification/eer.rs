//! The equal error rate, by method.
//!
//! The two rates of a step curve seldom meet at a step, so the number depends on a rule, and rules differ by whole
//! points on small sets. Each figure therefore names its method.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// How the rate at which FAR and FRR are equal is computed from a step curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EerMethod {
    /// By a straight line between the two steps on either side of the crossing, in the plane of FAR and FRR.
    #[default]
    Linear,
    /// On the convex hull of the curve, the best that choosing at random between thresholds can reach: never above
    /// [`EerMethod::Linear`], nor above 50 %. Source: Brümmer, "Measuring, refining and calibrating speaker and
    /// language information extracted from speech" (2010), section 7; `eer_rocch` of bob.measure and of the BOSARIS
    /// toolkit.
    Rocch,
    /// The mean of FAR and FRR on the step where they are nearest, as `eer` of bob.measure.
    Midpoint,
}

impl EerMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Rocch, Self::Midpoint];

    /// The name in plans and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Rocch => "rocch",
            Self::Midpoint => "midpoint",
        }
    }
}

/// The point of a curve at which both errors are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EqualError {
    /// The equal error rate by the method asked for, a share.
    pub rate: f64,
    /// The threshold of the step where FAR and FRR are nearest, the same for all methods. Of two steps equally
    /// near, the higher one.
    pub threshold: f64,
    /// Half the sum of FAR and FRR at that threshold, a share.
    pub half_total: f64,
}

/// The equal error point of `curve`.
///
/// ```
/// use stages::evaluate::verification::{Curve, EerMethod, equal_error};
/// let curve = Curve::of(&[2.0, 3.0, 5.0, 6.0], &[0.0, 1.0, 4.0])?;
/// assert_eq!(equal_error(&curve, EerMethod::Linear).rate, 1.0 / 3.0);
/// # Ok::<(), stages::evaluate::verification::VerificationError>(())
/// ```
pub fn equal_error(curve: &Curve, method: EerMethod) -> EqualError {
    let after = first_not_above(curve);
    let before = after.saturating_sub(1);
    let nearer = curve.difference(before).abs() < curve.difference(after).abs();
    let nearest = if nearer { before } else { after };
    let half_total = curve.rates(nearest).iter().sum::<f64>() / 2.0;
    let rate = match method {
        EerMethod::Linear => crossing(curve, before, after),
        EerMethod::Rocch => {
            let (before, after) = hull_edge(curve);
            crossing(curve, before, after)
        }
        EerMethod::Midpoint => half_total,
    };
    EqualError { rate, threshold: curve.threshold(nearest), half_total }
}

/// The first step at which FAR is not above FRR. The first step of all has FAR 1 and FRR 0, the last FAR 0 and FRR 1.
fn first_not_above(curve: &Curve) -> usize {
    let (mut above, mut not_above) = (0, curve.len() - 1);
    while not_above - above > 1 {
        let middle = usize::midpoint(above, not_above);
        if curve.difference(middle) > 0 { above = middle } else { not_above = middle }
    }
    not_above
}

/// The rate at which the line from step `before`, with FAR above FRR, to step `after`, with FAR not above it, meets
/// the diagonal.
fn crossing(curve: &Curve, before: usize, after: usize) -> f64 {
    let (above, below) = (curve.difference(before) as f64, -curve.difference(after) as f64);
    let share = above / (above + below);
    let [far, frr] = curve.rates(before);
    let [far_after, frr_after] = curve.rates(after);
    // Where one rate stands still the other meets it there, to the last bit.
    if far == far_after {
        return far;
    }
    if frr == frr_after {
        return frr;
    }
    // Both agree but for rounding; their mean treats the two kinds of trials alike.
    f64::midpoint(far + share * (far_after - far), frr + share * (frr_after - frr))
}

/// The steps at the ends of the edge of the lower convex hull that crosses the diagonal.
fn hull_edge(curve: &Curve) -> (usize, usize) {
    let mut hull: Vec<usize> = Vec::new();
    for step in 0..curve.len() {
        while let [.., a, b] = hull[..]
            && !turns_to_origin(curve, a, b, step)
        {
            hull.pop();
        }
        hull.push(step);
    }
    let after = hull.partition_point(|step| curve.difference(*step) > 0);
    (hull[after - 1], hull[after])
}

/// Whether the corner at `b` bulges towards the origin, the point without errors.
fn turns_to_origin(curve: &Curve, a: usize, b: usize, c: usize) -> bool {
    let [a, b, c] = [a, b, c].map(|step| curve.errors(step).map(i128::from));
    (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(genuine: &[f64], impostor: &[f64]) -> [f64; 3] {
        let curve = Curve::of(genuine, impostor).unwrap();
        EerMethod::ALL.map(|method| equal_error(&curve, method).rate)
    }

    #[test]
    fn tiny_sets_are_right() {
        assert_eq!(rates(&[1.0], &[0.0]), [0.0; 3]);
        assert_eq!(rates(&[1.0], &[1.0]), [0.5; 3]);
        assert_eq!(rates(&[0.0], &[1.0]), [1.0, 0.5, 1.0]);
        assert_eq!(rates(&[1.0, 1.0, 1.0], &[1.0]), [0.5; 3]);
    }

    #[test]
    fn the_methods_differ_where_the_curve_has_a_wide_step() {
        // Steps (FAR, FRR): (1, 0), (2/3, 0), (1/3, 0), (1/3, 1/4), (1/3, 1/2), (0, 1/2), ...: the curve runs
        // across the diagonal at FAR 1/3; the hull goes from (1/3, 0) to (0, 1/2) and meets it at 1/5.
        let [linear, rocch, midpoint] = rates(&[2.0, 3.0, 5.0, 6.0], &[0.0, 1.0, 4.0]);
        assert!((linear - 1.0 / 3.0).abs() < 1e-15 && (rocch - 0.2).abs() < 1e-15, "{linear} {rocch}");
        assert!((midpoint - 7.0 / 24.0).abs() < 1e-15, "{midpoint}");
    }

    #[test]
    fn a_tied_crossing_lies_between_the_steps() {
        // All cross in one step from (3/4, 0) to (0, 1/2): 3/4 (1 - s) = s / 2 at s = 3/5.
        let [linear, ..] = rates(&[1.0, 2.0], &[0.0, 1.0, 1.0, 1.0]);
        assert!((linear - 0.3).abs() < 1e-15, "{linear}");
    }

    #[test]
    fn the_threshold_is_midway_and_the_higher_of_two_as_good() {
        let at = |genuine: &[f64], impostor: &[f64]| {
            equal_error(&Curve::of(genuine, impostor).unwrap(), EerMethod::Linear).threshold
        };
        assert_eq!(at(&[10.0, 11.0], &[0.0, 4.0]), 7.0);
        assert_eq!(at(&[1.0, 3.0], &[1.0, 0.0]), 2.0);
    }

    #[test]
    fn plans_name_the_methods_as_tables_do() {
        for method in EerMethod::ALL {
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.name()));
        }
    }
}
