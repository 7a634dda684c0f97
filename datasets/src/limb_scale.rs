//! A person's scale from the lengths of the limbs, for data sets that state none: the rule that was used for the
//! convolutional pose machine's training data (`insertMPILikeScale` of its `genJSON.m`).
//!
//! Every visible limb, divided by the data set's median of its length in neck-head lengths, estimates the person's
//! neck-head length; their upper quartile is used, and a neck-head length of 35 px is scale 1, about as in MPII.

use schemas::Visibility;
use schemas::tables::people::Pose;

/// Neck-head length in px of a person of scale 1.
pub const NECK_HEAD_AT_SCALE_ONE: f64 = 35.0;
/// Scale at which training crops show a person of scale 1: MPII's 41 px over ours of 35 px.
pub const TARGET_SCALE: f64 = 41.0 / 35.0;
/// Most px that the visible joints may span in a training crop: 368 minus a margin of 32 on both sides.
pub const MAX_EXTENT: f64 = 368.0 - 64.0;
/// Which quantile of the limbs' estimates is used.
pub const QUANTILE: f64 = 0.75;

/// The neck-head limb, as indices into `lsp14`.
const NECK_HEAD: [usize; 2] = [12, 13];

/// Which joints make the limbs whose lengths are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parents {
    /// The published list. It treats the left side as if its joints were stored outwards: left hip-knee and
    /// shoulder-elbow are counted twice, and ankle-neck and wrist-neck stand in for the rest.
    #[default]
    AsPublished,
    /// The limbs of the body, left as right.
    Corrected,
}

impl Parents {
    /// Name of the rule in a person's attributes.
    pub fn rule(self) -> &'static str {
        match self {
            Self::AsPublished => "limb lengths, parents as published",
            Self::Corrected => "limb lengths, parents corrected",
        }
    }

    /// Pairs of `lsp14` joints. The published list is [2 3 7 5 4 7 8 0 10 11 7 13 12 7], from 1, over right ankle,
    /// knee, hip, left hip, knee, ankle, neck, head, right wrist, elbow, shoulder, left shoulder, elbow, wrist.
    fn limbs(self) -> [[usize; 2]; 13] {
        let left = match self {
            Self::AsPublished => [[3, 4], [4, 3], [5, 12], [9, 10], [10, 9], [11, 12]],
            Self::Corrected => [[3, 12], [4, 3], [5, 4], [9, 12], [10, 9], [11, 10]],
        };
        let [a, b, c, d, e, f] = left;
        [[0, 1], [1, 2], [2, 12], a, b, c, NECK_HEAD, [6, 7], [7, 8], [8, 12], d, e, f]
    }
}

/// Median limb lengths of one data set, in neck-head lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct LimbRatios {
    limbs: [[usize; 2]; 13],
    /// `None` where no person shows both the limb and neck and head.
    ratios: [Option<f64>; 13],
}

impl LimbRatios {
    /// The medians over `poses` of skeleton `lsp14`; only limbs whose ends are both visible count.
    pub fn of<'a>(poses: impl IntoIterator<Item = &'a Pose>, parents: Parents) -> Self {
        let limbs = parents.limbs();
        let mut lengths: [Vec<f64>; 13] = Default::default();
        for pose in poses {
            let Some(unit) = visible_length(pose, NECK_HEAD) else { continue };
            for (limb, lengths) in limbs.iter().zip(&mut lengths) {
                lengths.extend(visible_length(pose, *limb).map(|length| length / unit));
            }
        }
        Self { limbs, ratios: lengths.map(|mut lengths| quantile(&mut lengths, 0.5)) }
    }

    /// The scale (person height / 200 px, about as in MPII) of `pose`, or `None` where no limb is visible. It is
    /// enlarged where the visible joints would not fit the training crop.
    pub fn scale(&self, pose: &Pose) -> Option<f64> {
        let estimate =
            |(limb, ratio): (&[usize; 2], &Option<f64>)| Some(visible_length(pose, *limb)? / (*ratio)?);
        let mut estimates: Vec<f64> = self.limbs.iter().zip(&self.ratios).filter_map(estimate).collect();
        let scale = quantile(&mut estimates, QUANTILE)? / NECK_HEAD_AT_SCALE_ONE;
        let [x1, y1, x2, y2] = visible_box(pose)?;
        let smallest = (x2 - x1).max(y2 - y1) * TARGET_SCALE / MAX_EXTENT;
        Some(scale.max(smallest))
    }
}

/// The rectangle `[x1, y1, x2, y2]` around the visible joints of `pose`, or `None` where none is visible.
pub fn visible_box(pose: &Pose) -> Option<[f64; 4]> {
    let visible = pose.visibility.iter().zip(&pose.keypoints).filter(|(v, _)| **v == Visibility::Visible);
    visible.map(|(_, point)| *point).fold(None, |around: Option<[f64; 4]>, [x, y]| {
        let [x1, y1, x2, y2] = around.unwrap_or([x, y, x, y]);
        Some([x1.min(x), y1.min(y), x2.max(x), y2.max(y)])
    })
}

/// Length of a limb whose ends are both visible and apart.
fn visible_length(pose: &Pose, [a, b]: [usize; 2]) -> Option<f64> {
    let end = |joint: usize| (pose.visibility[joint] == Visibility::Visible).then(|| pose.keypoints[joint]);
    let ([ax, ay], [bx, by]) = (end(a)?, end(b)?);
    Some((ax - bx).hypot(ay - by)).filter(|length| *length > 0.0)
}

/// The `share` quantile as MATLAB's `quantile` has it: sorted value k of n, from 1, is the quantile (k - 0.5) / n,
/// those between are interpolated.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let place = (share * values.len() as f64 - 0.5).clamp(0.0, last as f64);
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(values[below] + (values[above] - values[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A standing person, neck to head `unit` px, with arms and legs of round lengths.
    fn standing(unit: f64) -> Pose {
        let feet = |x: f64| [[x, 7.0], [x, 5.0], [x, 3.5]];
        let arms = |x: f64| [[x, 3.2], [x, 2.2], [x, 1.0]];
        let mut right = [feet(-1.0), arms(-2.0)];
        let left = [feet(1.0), arms(2.0)].map(|[a, b, c]| [c, b, a]);
        let [legs, arms] = &mut right;
        let mut pose = Pose::unknown(14);
        let points = [&legs[..], &left[0], arms, &left[1], &[[0.0, 1.0], [0.0, 0.0]]].concat();
        for (joint, [x, y]) in points.into_iter().enumerate() {
            pose.set(joint, [x * unit, y * unit], Visibility::Visible);
        }
        pose
    }

    #[test]
    fn quantiles_are_those_of_matlab() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), Some(2.5));
        assert_eq!(quantile(&mut values, 0.75), Some(3.5));
        assert_eq!(quantile(&mut values, 1.0), Some(4.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }

    #[test]
    fn the_lists_differ_on_the_left_only() {
        let (published, corrected) = (Parents::AsPublished.limbs(), Parents::Corrected.limbs());
        let left = |limb: &[usize; 2]| (3..=5).contains(&limb[0]) || (9..=11).contains(&limb[0]);
        for (ours, theirs) in corrected.iter().zip(&published) {
            assert_eq!(ours == theirs, !left(ours) || [[4, 3], [10, 9]].contains(ours));
        }
        let mirror = schemas::skeleton::LSP14.mirrored();
        let limb = |a: usize, b: usize| [a.min(b), a.max(b)];
        for [a, b] in corrected {
            assert!(corrected.iter().any(|&[c, d]| limb(c, d) == limb(mirror[a], mirror[b])), "{a}-{b}");
        }
    }

    #[test]
    fn a_person_of_average_build_measures_neck_to_head() {
        let people = [standing(10.0), standing(20.0), standing(14.0)];
        for parents in [Parents::AsPublished, Parents::Corrected] {
            let ratios = LimbRatios::of(&people, parents);
            assert!((ratios.scale(&people[1]).unwrap() - 20.0 / 35.0).abs() < 1e-12);
            // Only a leg shows: the scale is still that of the whole person.
            let mut leg = Pose::unknown(14);
            (0..3).for_each(|joint| leg.set(joint, people[0].keypoints[joint], Visibility::Visible));
            assert!((ratios.scale(&leg).unwrap() - 10.0 / 35.0).abs() < 1e-12);
            assert_eq!(ratios.scale(&Pose::unknown(14)), None);
        }
    }

    #[test]
    fn joints_beyond_the_crop_enlarge_the_scale() {
        let people = [standing(10.0), standing(10.0), standing(10.0)];
        let ratios = LimbRatios::of(&people, Parents::AsPublished);
        let mut wide = people[0].clone();
        wide.set(11, [700.0, 0.0], Visibility::Visible);
        let scale = ratios.scale(&wide).unwrap();
        assert!((TARGET_SCALE / scale * 720.0 - MAX_EXTENT).abs() < 1e-9, "{scale}");
    }

    proptest! {
        #[test]
        fn twice_the_size_is_twice_the_scale(unit in 1.0..200.0_f64, hidden in 0_usize..12) {
            let mut people = [standing(unit), standing(2.0 * unit), standing(3.0 * unit)];
            let ratios = LimbRatios::of(&people, Parents::AsPublished);
            for pose in &mut people {
                pose.visibility[hidden] = Visibility::Occluded;
            }
            let [once, twice] = [0, 1].map(|person| ratios.scale(&people[person]).unwrap());
            prop_assert!((twice / once - 2.0).abs() < 1e-9);
        }
    }
}
