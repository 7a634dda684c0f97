//! Whether numbers may stand beside published ones.

use schemas::skeleton::{COCO17, Skeleton};

use super::Kind;
use super::pictures::Departures;

/// Pictures of COCO val2017, on which papers report (`person_keypoints_val2017.json`; the truth of the test set is not
/// public).
const COCO_PICTURES: usize = 5_000;
/// Pictures of `CrowdPose`'s validation set, of its test set, and of all that it has (Li et al., CVPR 2019: 20,000 pictures,
/// 5:1:4; recalled).
const CROWDPOSE_PICTURES: [usize; 3] = [2_000, 8_000, 20_000];
/// The joints of `CrowdPose`, whatever their order; its neck and head are recalled.
const CROWDPOSE_JOINTS: [&str; 12] = [
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
];
/// How many joints that are with head and neck.
const CROWDPOSE_COUNT: usize = 14;

/// What was scored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub kind: Kind,
    pub truth: &'static Skeleton,
    pub predicted: &'static Skeleton,
    pub has_own_sigmas: bool,
    pub departures: Departures,
    /// Who counts.
    pub people: u64,
    pub dataset: &'a str,
    pub pictures: usize,
    pub has_crowd_indices: bool,
    /// Predictions of other pictures.
    pub elsewhere: usize,
}

/// Why the numbers are not those that the data set's own evaluation would give on the whole set; none if they are.
pub(super) fn reasons(case: &Case<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut unless = |is_so: bool, reason: String| {
        if !is_so {
            reasons.push(reason);
        }
    };
    let Case { departures, people, dataset, pictures, .. } = *case;
    let (truth, predicted) = (case.truth.name, case.predicted.name);
    let expected = match case.kind {
        Kind::Coco => "coco",
        Kind::CrowdPose => "crowdpose",
    };
    unless(dataset == expected, format!("the data set is `{dataset}`, not `{expected}`"));
    unless(!case.has_own_sigmas, "sigmas are the plan's own".into());
    match case.kind {
        Kind::Coco => {
            unless(
                truth == COCO17.name && predicted == COCO17.name,
                format!("joints are those of `{truth}` and `{predicted}`, not of `{}`", COCO17.name),
            );
            unless(
                pictures == COCO_PICTURES,
                format!("{pictures} pictures are scored, and val2017 has {COCO_PICTURES}"),
            );
            unless(
                departures.without_area == 0,
                format!("{} of {people} people state no area", departures.without_area),
            );
            unless(
                (departures.area_of_box as u64) * 2 <= people,
                format!(
                    "areas are those of boxes, not of outlines, for {} of {people} people",
                    departures.area_of_box
                ),
            );
        }
        Kind::CrowdPose => {
            let has_joints = |skeleton: &Skeleton| {
                skeleton.len() == CROWDPOSE_COUNT
                    && CROWDPOSE_JOINTS.iter().all(|joint| skeleton.index_of(joint).is_some())
            };
            unless(
                has_joints(case.truth) && has_joints(case.predicted),
                format!("joints are those of `{truth}` and `{predicted}`, not the 14 of CrowdPose"),
            );
            unless(
                CROWDPOSE_PICTURES.contains(&pictures),
                format!(
                    "{pictures} pictures are scored, and CrowdPose has 2000 for validation, 8000 for tests"
                ),
            );
            unless(case.has_crowd_indices, "pictures state no `crowdIndex`".into());
        }
    }
    unless(departures.lost == 0, format!("{} people were rejected or not read", departures.lost));
    unless(departures.without_box == 0, format!("{} people have no box or area", departures.without_box));
    unless(departures.void == 0, format!("{} annotations have the number 0", departures.void));
    unless(case.elsewhere == 0, format!("{} predictions are of other pictures", case.elsewhere));
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::{LSP14, MPII16};

    fn whole() -> Case<'static> {
        Case {
            kind: Kind::Coco,
            truth: &COCO17,
            predicted: &COCO17,
            has_own_sigmas: false,
            departures: Departures::default(),
            people: 6_352,
            dataset: "coco",
            pictures: COCO_PICTURES,
            has_crowd_indices: false,
            elsewhere: 0,
        }
    }

    #[test]
    fn only_the_whole_set_as_published_is_comparable() {
        assert_eq!(reasons(&whole()), Vec::<String>::new());
        let departures = Departures { area_of_box: 6_000, ..Departures::default() };
        for (case, reason) in [
            (Case { truth: &MPII16, ..whole() }, "joints are those of `mpii16` and `coco17`"),
            (Case { has_own_sigmas: true, ..whole() }, "sigmas are the plan's own"),
            (Case { pictures: 100, ..whole() }, "100 pictures are scored, and val2017 has 5000"),
            (
                Case { departures, ..whole() },
                "areas are those of boxes, not of outlines, for 6000 of 6352 people",
            ),
            (Case { dataset: "mine", ..whole() }, "the data set is `mine`, not `coco`"),
        ] {
            let found = reasons(&case);
            assert!(found.len() == 1 && found[0].contains(reason), "{found:?}");
        }
        let crowd = Case {
            kind: Kind::CrowdPose,
            truth: &LSP14,
            predicted: &LSP14,
            dataset: "crowdpose",
            pictures: 8_000,
            has_crowd_indices: true,
            ..whole()
        };
        assert_eq!(reasons(&crowd), Vec::<String>::new());
        assert_eq!(reasons(&Case { has_crowd_indices: false, ..crowd }).len(), 1);
    }
}
