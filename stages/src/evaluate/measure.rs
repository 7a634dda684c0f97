//! From a true and a predicted pose to normalised errors, one per part.

use datasets::coco::{BoxRule, BoxSource, PersonBox};
use schemas::skeleton::Skeleton;
use schemas::tables::people::{Person, Pose};

use super::error::EvaluateError;
use super::protocol::Protocol;
use super::rules::{Normaliser, Part, Rules};
use schemas::tables::keypoints::PredictedPose;

/// Head size is this share of the head rectangle's diagonal: 0.8 x 0.75 (MPII's `util_get_head_size.m`).
pub const HEAD_SIZE_OF_DIAGONAL: f64 = 0.6;

/// Why a person cannot be scored, as written to the rejects table.
pub const NORMALISER_MISSING: &str = "normaliser missing";
/// The same, for a length of zero or one that is not a number.
pub const NORMALISER_UNUSABLE: &str = "normaliser not above zero";

/// The errors of one person, in parts of the normalising length: `None` where the truth is not annotated, `NaN`
/// where the prediction is missing. `[P]`
pub(super) type Errors = Vec<Option<f64>>;

/// Why a person has no length to divide by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    /// As the rejects table has it.
    pub reason: &'static str,
    /// What is missing, or its length.
    pub detail: String,
}

/// Lengths of a person that joints do not tell, px, where they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Lengths {
    /// Head size.
    pub head: Option<f64>,
    /// The longer side of the box.
    pub box_side: Option<f64>,
}

impl Lengths {
    /// Those of `person`.
    pub(super) fn of(person: &Person) -> Self {
        Self { head: person.head_box.map(head_size), box_side: box_side(person).0 }
    }
}

/// The longer side of the person's box, px, and whether the source states that box: else it is the smallest about joints
/// and head rectangle.
pub(super) fn box_side(person: &Person) -> (Option<f64>, bool) {
    let made = PersonBox::of(person, BoxRule::Keypoints, None);
    let side = made.map(|made| made.xywh[2].max(made.xywh[3]));
    (side, made.is_some_and(|made| made.source == BoxSource::Stated))
}

/// A protocol's rules with joint names turned into indices.
#[derive(Debug)]
pub(super) struct Measure {
    rules: &'static Rules,
    truth: Vec<Ends>,
    predicted: Vec<Ends>,
    /// Both ends of the normalising segment, in the skeleton in which it is measured.
    segment: Option<(usize, usize)>,
    /// Left and right joints swapped, and the two shoulders that tell whether to.
    observer: Option<Observer>,
}

/// Indices of the joints at both ends of a part; a joint has one end.
#[derive(Debug)]
struct Ends {
    from: Vec<usize>,
    to: Vec<usize>,
}

#[derive(Debug)]
struct Observer {
    mirrored: Vec<usize>,
    left_shoulder: usize,
    right_shoulder: usize,
}

impl Measure {
    /// Looks the joints of `protocol` up in both skeletons.
    pub(super) fn new(
        protocol: Protocol,
        rules: &'static Rules,
        truth: &'static Skeleton,
        predicted: &'static Skeleton,
    ) -> Result<Self, EvaluateError> {
        let find = |joint: &'static str, side: &'static str| {
            let skeleton = if side == "truth" { truth } else { predicted };
            skeleton.index_of(joint).ok_or(EvaluateError::MissingJoint {
                protocol,
                joint,
                side,
                skeleton: skeleton.name,
            })
        };
        let ends = |side: &'static str| -> Result<Vec<Ends>, EvaluateError> {
            let all =
                |joints: &[&'static str]| joints.iter().map(|j| find(j, side)).collect::<Result<Vec<_>, _>>();
            let of_part = |part: &Part| match part {
                Part::Joint(name) => Ok(Ends { from: all(&[name])?, to: vec![] }),
                Part::Stick { from, to, .. } => Ok(Ends { from: all(from)?, to: all(to)? }),
            };
            rules.parts.iter().map(of_part).collect()
        };
        let segment = match rules.normaliser {
            Normaliser::TrueSegment(a, b) => Some((find(a, "truth")?, find(b, "truth")?)),
            Normaliser::PredictedSegment(a, b) => Some((find(a, "prediction")?, find(b, "prediction")?)),
            _ => None,
        };
        let mut observer = None;
        if rules.observer_centric {
            observer = Some(Observer {
                mirrored: truth.mirrored(),
                left_shoulder: find("left_shoulder", "truth")?,
                right_shoulder: find("right_shoulder", "truth")?,
            });
        }
        Ok(Self { rules, truth: ends("truth")?, predicted: ends("prediction")?, segment, observer })
    }

    /// The pose as the protocol sees it: observer-centric where it says so. `None` where nothing changes.
    ///
    /// A person seen from behind has the right shoulder right of the left one; the rule leaves labels that are
    /// observer-centric already as they are.
    pub(super) fn seen(&self, pose: &Pose) -> Option<Pose> {
        let observer = self.observer.as_ref()?;
        let (left, right) = (pose.joint(observer.left_shoulder)?, pose.joint(observer.right_shoulder)?);
        (right[0] > left[0]).then(|| Pose {
            keypoints: observer.mirrored.iter().map(|&joint| pose.keypoints[joint]).collect(),
            visibility: observer.mirrored.iter().map(|&joint| pose.visibility[joint]).collect(),
        })
    }

    /// The errors of `prediction` against `truth`, which [`Self::seen`] has been through.
    pub(super) fn errors(&self, truth: &Pose, length: f64, prediction: Option<&PredictedPose>) -> Errors {
        let length = self.divisor(length, prediction);
        let parts = self.truth.iter().zip(&self.predicted);
        parts
            .map(|(true_ends, predicted_ends)| {
                let from = true_middle(truth, &true_ends.from)?;
                let predicted_middle = |joints: &[usize]| {
                    prediction
                        .map_or([f64::NAN; 2], |p| middle(joints.iter().map(|&joint| p.keypoints[joint])))
                };
                let from_error = distance(from, predicted_middle(&predicted_ends.from));
                if true_ends.to.is_empty() {
                    return Some(from_error / length);
                }
                let to = true_middle(truth, &true_ends.to)?;
                let stick = distance(from, to);
                if stick <= 0.0 {
                    return None;
                }
                let to_error = distance(to, predicted_middle(&predicted_ends.to));
                Some(match self.rules.normaliser {
                    // `max` would drop a NaN, which must count as wrong.
                    Normaliser::StickWorseEnd if from_error.is_nan() || to_error.is_nan() => f64::NAN,
                    Normaliser::StickWorseEnd => from_error.max(to_error) / stick,
                    _ => f64::midpoint(from_error, to_error) / stick,
                })
            })
            .collect()
    }

    /// What errors of `prediction` in px are divided by: `length` of the person, unless that is the prediction's own.
    pub(super) fn divisor(&self, length: f64, prediction: Option<&PredictedPose>) -> f64 {
        match self.rules.normaliser {
            Normaliser::PredictedSegment(..) => prediction.map_or(f64::NAN, |p| self.predicted_length(p)),
            _ => length,
        }
    }

    /// Index of each part's joint in the truth and in the prediction, `[P]`; `None` where parts are sticks.
    pub(super) fn joints(&self) -> Option<Vec<[usize; 2]>> {
        let alone = |ends: &Ends| (ends.to.is_empty() && ends.from.len() == 1).then(|| ends.from[0]);
        let pair = |(truth, predicted): (&Ends, &Ends)| Some([alone(truth)?, alone(predicted)?]);
        self.truth.iter().zip(&self.predicted).map(pair).collect()
    }

    /// Length of the true segment in px; `None` where an end is not annotated.
    fn true_length(&self, truth: &Pose) -> Option<f64> {
        let (a, b) = self.segment?;
        Some(distance(truth.joint(a)?, truth.joint(b)?))
    }

    /// How many sticks of `truth` have both ends in one place, so that nothing can be divided by their length.
    pub(super) fn sticks_without_length(&self, truth: &Pose) -> usize {
        let ends =
            |ends: &Ends| Some(distance(true_middle(truth, &ends.from)?, true_middle(truth, &ends.to)?));
        let sticks = self.truth.iter().filter(|stick| !stick.to.is_empty());
        sticks.filter_map(ends).filter(|length| *length <= 0.0).count()
    }

    /// Whether the prediction has a segment of its own to divide by.
    pub(super) fn has_predicted_length(&self, prediction: &PredictedPose) -> bool {
        !self.predicted_length(prediction).is_nan()
    }

    /// Length of the prediction's own segment in px, `NaN` where it is no length to divide by.
    fn predicted_length(&self, prediction: &PredictedPose) -> f64 {
        let length = self
            .segment
            .map_or(f64::NAN, |(a, b)| distance(prediction.keypoints[a], prediction.keypoints[b]));
        if length.is_finite() && length > 0.0 { length } else { f64::NAN }
    }

    /// The length in px by which the errors of a person are divided, 1 where that is not the person's to say.
    pub(super) fn length(&self, lengths: Lengths, seen: &Pose) -> Result<f64, Unusable> {
        let (what, length) = match self.rules.normaliser {
            Normaliser::HeadBox => ("the head rectangle", lengths.head),
            Normaliser::PersonBox => ("the person's box", lengths.box_side),
            Normaliser::TrueSegment(..) => ("the torso", self.true_length(seen)),
            Normaliser::JointsBox => ("the box of all joints", joints_box_side(seen)),
            Normaliser::PredictedSegment(..) | Normaliser::StickWorseEnd | Normaliser::StickMeanEnd => {
                return Ok(1.0);
            }
        };
        let refuse = |reason, detail| Unusable { reason, detail };
        let length = length.ok_or_else(|| refuse(NORMALISER_MISSING, format!("{what} is not annotated")))?;
        if length.is_finite() && length > 0.0 {
            return Ok(length);
        }
        Err(refuse(NORMALISER_UNUSABLE, format!("the length of {what} is {length} px")))
    }
}

/// Head size of the rectangle `[x1, y1, x2, y2]`, px.
pub(super) fn head_size([x1, y1, x2, y2]: [f64; 4]) -> f64 {
    HEAD_SIZE_OF_DIAGONAL * distance([x1, y1], [x2, y2])
}

fn joints_box_side(pose: &Pose) -> Option<f64> {
    let points = || (0..pose.keypoints.len()).filter_map(|joint| pose.joint(joint));
    points().next()?;
    let side = |axis: usize| {
        let low = points().map(|point| point[axis]).fold(f64::INFINITY, f64::min);
        let high = points().map(|point| point[axis]).fold(f64::NEG_INFINITY, f64::max);
        high - low
    };
    Some(side(0).max(side(1)))
}

fn distance(from: [f64; 2], to: [f64; 2]) -> f64 {
    let (dx, dy) = (from[0] - to[0], from[1] - to[1]);
    (dx * dx + dy * dy).sqrt()
}

fn middle(points: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    let (sum, count) =
        points.fold(([0.0; 2], 0.0), |(sum, count), p| ([sum[0] + p[0], sum[1] + p[1]], count + 1.0));
    [sum[0] / count, sum[1] / count]
}

fn true_middle(pose: &Pose, joints: &[usize]) -> Option<[f64; 2]> {
    let is_known = joints.iter().all(|&joint| pose.visibility[joint].is_annotated());
    is_known.then(|| middle(joints.iter().map(|&joint| pose.keypoints[joint])))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{person, prediction};
    use super::*;
    use schemas::Visibility;
    use schemas::skeleton::{FLIC11, LSP14, MPII16};

    fn measure(protocol: Protocol, truth: &'static Skeleton) -> Measure {
        Measure::new(protocol, protocol.rules().unwrap(), truth, truth).unwrap()
    }

    #[test]
    fn head_size_is_six_tenths_of_the_diagonal() {
        assert!((head_size([10.0, 10.0, 40.0, 50.0]) - 30.0).abs() < 1e-12);
    }

    #[test]
    fn a_useless_normaliser_is_a_reject_with_its_reason() {
        let measure = measure(Protocol::MpiiOfficial, &MPII16);
        let pose = person("a", 1).pose;
        let missing = measure.length(Lengths::default(), &pose).unwrap_err();
        assert_eq!(missing.detail, "the head rectangle is not annotated");
        assert_eq!(missing.reason, NORMALISER_MISSING);
        let head = |corners| Lengths { head: Some(head_size(corners)), box_side: None };
        for edge in [3.0, f64::NAN, f64::INFINITY] {
            let unusable = measure.length(head([3.0, 3.0, edge, 3.0]), &pose).unwrap_err();
            assert_eq!(unusable.reason, NORMALISER_UNUSABLE, "{edge}");
        }
    }

    #[test]
    fn people_seen_from_behind_are_swapped_once() {
        let measure = measure(Protocol::FlicPck, &FLIC11);
        let mut pose = Pose::unknown(11);
        for (joint, x) in [(0, 10.0), (1, 5.0), (3, 20.0)] {
            pose.set(joint, [x, 0.0], Visibility::Visible);
        }
        let seen = measure.seen(&pose).unwrap();
        assert_eq!((seen.joint(0), seen.joint(3)), (Some([20.0, 0.0]), Some([10.0, 0.0])));
        assert_eq!((seen.joint(1), seen.joint(4)), (None, Some([5.0, 0.0])));
        assert!(measure.seen(&seen).is_none());
    }

    #[test]
    fn sticks_need_both_ends() {
        let strict = measure(Protocol::LspPcpStrict, &LSP14);
        let loose = measure(Protocol::LspPcpLoose, &LSP14);
        let mut truth = Pose::unknown(14);
        truth.set(0, [0.0, 10.0], Visibility::Visible);
        truth.set(1, [0.0, 0.0], Visibility::Occluded);
        let mut guess =
            PredictedPose { keypoints: vec![[f64::NAN; 2]; 14], ..prediction(&person("a", 1), 1) };
        guess.keypoints[0] = [0.0, 10.0];
        let strict_errors = strict.errors(&truth, 1.0, Some(&guess));
        assert!(strict_errors[0].unwrap().is_nan());
        assert!(strict_errors[1..].iter().all(Option::is_none));
        guess.keypoints[1] = [0.0, -8.0];
        assert_eq!(strict.errors(&truth, 1.0, Some(&guess))[0], Some(0.8));
        assert_eq!(loose.errors(&truth, 1.0, Some(&guess))[0], Some(0.4));
        assert!(strict.errors(&truth, 1.0, None)[0].unwrap().is_nan());
    }

    #[test]
    fn a_skeleton_without_the_joint_is_refused_by_name() {
        let rules = Protocol::MpiiOfficial.rules().unwrap();
        let error = Measure::new(Protocol::MpiiOfficial, rules, &MPII16, &FLIC11).unwrap_err();
        let expected =
            "`mpii-official` needs the joint `right_ankle`, which the prediction's skeleton `flic11` lacks";
        assert_eq!(error.to_string(), expected);
    }
}
