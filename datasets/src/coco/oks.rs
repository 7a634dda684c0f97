//! Object keypoint similarity: how close a detection is to a person, on COCO's scale.

use schemas::Skeleton;
use schemas::skeleton::spelt;
use schemas::tables::people::Pose;

/// Spread of the annotations of each COCO joint, from the reference evaluator (`pycocotools`, `kpt_oks_sigmas`).
const SIGMAS: [(&str, f64); 9] = [
    ("nose", 0.026),
    ("eye", 0.025),
    ("ear", 0.035),
    ("shoulder", 0.079),
    ("elbow", 0.072),
    ("wrist", 0.062),
    ("hip", 0.107),
    ("knee", 0.087),
    ("ankle", 0.089),
];

/// Spread of joints that COCO does not have (head top, neck, thorax, pelvis): our choice, that of the shoulder. It decides
/// which detection belongs to which person, and, with a note, scores of skeletons for which nobody has published any.
const OTHER_SIGMA: f64 = 0.079;

/// The spread of each joint of `skeleton`, `[K]`: as published, else those of COCO's joints of the same name.
pub fn sigmas(skeleton: &Skeleton) -> Vec<f64> {
    if let Some(sigmas) = skeleton.sigmas {
        return sigmas.to_vec();
    }
    let sigma = |joint: &str| {
        let spelt = spelt(joint);
        let part = spelt.trim_start_matches("left_").trim_start_matches("right_");
        SIGMAS.iter().find(|(name, _)| *name == part).map_or(OTHER_SIGMA, |(_, sigma)| *sigma)
    };
    skeleton.joints.iter().map(|joint| sigma(joint)).collect()
}

/// Mean over the annotated joints of `truth` of exp(-d² / (2 · area · (2 sigma)²)), d the distance in px to the
/// detected point; a joint that was not detected counts 0. 0 for a person without annotated joints.
///
/// Source: COCO keypoint evaluation, cocodataset.org/#keypoints-eval.
pub fn oks(truth: &Pose, area: f64, detected: &[[f64; 2]], sigmas: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for (joint, (point, sigma)) in detected.iter().zip(sigmas).enumerate() {
        let Some(place) = truth.joint(joint) else { continue };
        count += 1;
        let squared = (point[0] - place[0]).powi(2) + (point[1] - place[1]).powi(2);
        let similarity = libm::exp(-squared / (2.0 * area * (2.0 * sigma).powi(2)));
        sum += if similarity.is_finite() { similarity } else { 0.0 };
    }
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Visibility;
    use schemas::skeleton::{COCO17, MPII16};

    #[test]
    fn spreads_are_those_of_the_reference_evaluator() {
        let published = [
            0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087,
            0.087, 0.089, 0.089,
        ];
        assert_eq!(sigmas(&COCO17), published);
        assert_eq!(sigmas(&MPII16)[9], OTHER_SIGMA);
    }

    #[test]
    fn the_truth_is_like_itself_and_what_is_missing_counts_as_nothing() {
        let mut truth = Pose::unknown(17);
        truth.set(0, [10.0, 20.0], Visibility::Visible);
        truth.set(5, [40.0, 80.0], Visibility::Occluded);
        let sigmas = sigmas(&COCO17);
        let mut detected = truth.keypoints.clone();
        assert_eq!(oks(&truth, 900.0, &detected, &sigmas), 1.0);
        detected[5] = [f64::NAN; 2];
        assert_eq!(oks(&truth, 900.0, &detected, &sigmas), 0.5);
        // d² = 2 · area · (2 sigma)² gives exp(-1).
        detected[5] = [40.0 + libm::sqrt(2.0 * 900.0) * 2.0 * 0.079, 80.0];
        assert!((oks(&truth, 900.0, &detected, &sigmas) - f64::midpoint(1.0, libm::exp(-1.0))).abs() < 1e-12);
        assert_eq!(oks(&Pose::unknown(17), 900.0, &detected, &sigmas), 0.0);
    }
}
