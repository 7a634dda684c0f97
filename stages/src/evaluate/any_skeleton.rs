//! Protocols that score every joint of whatever skeleton: their rules are made of its joints.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use schemas::skeleton::Skeleton;

use super::protocol::Protocol;
use super::rules::{Group, Part, Rules};

/// Rules by protocol and skeleton. They live as long as the program, as skeletons do, and there are as many.
static MADE: LazyLock<Mutex<HashMap<(Protocol, usize), &'static Rules>>> = LazyLock::new(Mutex::default);

impl Protocol {
    /// Whether it scores every joint of any skeleton that has the joints it measures by.
    pub fn is_for_any_skeleton(self) -> bool {
        matches!(self, Self::PckBbox | Self::Pdj)
    }

    /// What the protocol counts of people in `skeleton`; `None` where it compares no places, or whole pictures.
    ///
    /// ```
    /// # use schemas::skeleton::COCO17;
    /// use stages::evaluate::Protocol;
    /// assert_eq!(Protocol::PckBbox.rules_of(&COCO17).map(|rules| rules.parts.len()), Some(17));
    /// ```
    pub fn rules_of(self, skeleton: &'static Skeleton) -> Option<&'static Rules> {
        let usual = self.rules()?;
        if !self.is_for_any_skeleton() {
            return Some(usual);
        }
        let key = (self, std::ptr::from_ref(skeleton) as usize);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        Some(made.entry(key).or_insert_with(|| Box::leak(Box::new(of(usual, skeleton)))))
    }
}

/// `usual` with every joint of `skeleton` as a part: the groups whose joints it has, and the total of all.
fn of(usual: &Rules, skeleton: &'static Skeleton) -> Rules {
    // A part is called as the skeleton calls it; groups find it by that name.
    let own = |name: &str| skeleton.index_of(name).map(|joint| skeleton.joints[joint]);
    let group = |group: &Group| -> Option<Group> {
        if group.name == "total" {
            return Some(Group { parts: skeleton.joints, ..*group });
        }
        let parts: Vec<&'static str> = group.parts.iter().map(|name| own(name)).collect::<Option<_>>()?;
        Some(Group { parts: parts.leak(), ..*group })
    };
    let parts: Vec<Part> = skeleton.joints.iter().map(|joint| Part::Joint(joint)).collect();
    let groups: Vec<Group> = usual.groups.iter().filter_map(group).collect();
    Rules { parts: parts.leak(), groups: groups.leak(), ..*usual }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{person_of, prediction};
    use super::super::{EvaluateOptions, evaluate_pose};
    use super::*;
    use schemas::skeleton::{COCO17, FLIC11, MPII16};
    use schemas::tables::keypoints::PredictedPose;
    use schemas::tables::metrics::Metric;
    use schemas::tables::people::Person;

    /// One person with the box `[0, 0, 100, 50]` and the torso diameter 30 px, whose joints are all missed by 10 px.
    fn scored(protocol: Protocol, skeleton: &'static Skeleton, boxed: bool) -> (Vec<Metric>, Vec<String>) {
        let mut one: Person = person_of(skeleton, "a", 0, 1.0);
        one.attributes = boxed.then(|| r#"{"coco":{"bbox":[0,0,100,50]}}"#.to_owned());
        let torso = ["left_shoulder", "right_hip"].map(|joint| skeleton.index_of(joint).unwrap());
        one.pose.keypoints[torso[0]] = [10.0, 10.0];
        one.pose.keypoints[torso[1]] = [10.0, 40.0];
        let mut pose: PredictedPose = prediction(&one, 1);
        pose.keypoints.iter_mut().for_each(|point| point[0] += 10.0);
        let options = EvaluateOptions { resamples: 0, ..EvaluateOptions::new(protocol) };
        let scored = evaluate_pose(&[one], skeleton, &[pose], skeleton, &options).unwrap();
        (scored.metrics, scored.notes)
    }

    fn total(rows: &[Metric], threshold: f64) -> f64 {
        let is_it = |row: &&Metric| row.group.as_deref() == Some("total") && row.threshold == Some(threshold);
        rows.iter().find(is_it).unwrap().value
    }

    #[test]
    fn every_joint_of_the_skeleton_is_scored() {
        for skeleton in [&COCO17, &MPII16, &FLIC11] {
            for protocol in [Protocol::PckBbox, Protocol::Pdj] {
                let (rows, _) = scored(protocol, skeleton, true);
                let joints = rows.iter().filter(|row| row.joint.is_some() && row.threshold == Some(0.2));
                assert_eq!(joints.count(), skeleton.len(), "{protocol} {}", skeleton.name);
                let rules = protocol.rules_of(skeleton).unwrap();
                assert!(std::ptr::eq(rules, protocol.rules_of(skeleton).unwrap()));
                assert_eq!(rules.groups.last().unwrap().name, "total");
            }
        }
    }

    #[test]
    fn errors_are_parts_of_the_box_and_of_the_torso() {
        // 10 px of 100 px is not below 0.1, and of 30 px is a third.
        let (rows, _) = scored(Protocol::PckBbox, &COCO17, true);
        assert_eq!((total(&rows, 0.1), total(&rows, 0.11)), (0.0, 100.0));
        let (rows, _) = scored(Protocol::Pdj, &COCO17, true);
        assert_eq!((total(&rows, 0.33), total(&rows, 0.34), total(&rows, 0.5)), (0.0, 100.0, 100.0));
    }

    #[test]
    fn a_box_that_is_not_stated_is_that_of_the_joints_and_said() {
        let (rows, notes) = scored(Protocol::PckBbox, &COCO17, false);
        assert!(!rows.is_empty());
        assert!(notes.iter().any(|note| note.contains("1 of 1 rows state no box")), "{notes:?}");
    }
}
