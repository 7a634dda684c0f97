//! The named skeletons: joint order, limbs, left/right pairs, and the mapping between them by joint name.

use serde_json::json;

/// The joints of one data set or network, in the order in which its arrays hold them.
#[derive(Debug, PartialEq, Eq)]
pub struct Skeleton {
    /// Name by which plans, model cards and schema metadata refer to it.
    pub name: &'static str,
    /// Joint names in array order, K of them.
    pub joints: &'static [&'static str],
    /// Pairs of joint indices to draw as bones.
    pub limbs: &'static [(usize, usize)],
}

/// MPII Human Pose, person-centric ids 0 to 15.
pub const MPII16: Skeleton = Skeleton {
    name: "mpii16",
    joints: &[
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ],
    limbs: &[
        (0, 1),
        (1, 2),
        (2, 6),
        (6, 3),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (8, 9),
        (10, 11),
        (11, 12),
        (12, 7),
        (7, 13),
        (13, 14),
        (14, 15),
    ],
};

/// Leeds Sports Pose and its extended training set, person-centric.
pub const LSP14: Skeleton = Skeleton {
    name: "lsp14",
    joints: &[
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "neck",
        "head_top",
    ],
    limbs: &[
        (0, 1),
        (1, 2),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (9, 10),
        (10, 11),
        (8, 12),
        (9, 12),
        (12, 13),
        (2, 8),
        (3, 9),
        (2, 3),
    ],
};

/// The eleven joints of FLIC that are ever annotated, in the order of its 29 columns.
pub const FLIC11: Skeleton = Skeleton {
    name: "flic11",
    joints: &[
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_eye",
        "right_eye",
        "nose",
    ],
    limbs: &[(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (0, 6), (3, 7), (6, 7), (8, 10), (9, 10)],
};

/// FLIC without the eyes, in the order of the convolutional pose machine's FLIC network.
pub const FLIC9: Skeleton = Skeleton {
    name: "flic9",
    joints: &[
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_hip",
        "right_hip",
        "nose",
    ],
    limbs: &[(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (0, 6), (3, 7), (6, 7)],
};

/// The fourteen parts of the convolutional pose machines trained on MPII and LSP.
pub const CPM14: Skeleton = Skeleton {
    name: "cpm14",
    joints: &[
        "head_top",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
    ],
    limbs: &[
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (1, 5),
        (5, 6),
        (6, 7),
        (2, 8),
        (8, 9),
        (9, 10),
        (5, 11),
        (11, 12),
        (12, 13),
        (8, 11),
    ],
};

/// COCO person keypoints.
pub const COCO17: Skeleton = Skeleton {
    name: "coco17",
    joints: &[
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
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
    ],
    limbs: &[
        (15, 13),
        (13, 11),
        (16, 14),
        (14, 12),
        (11, 12),
        (5, 11),
        (6, 12),
        (5, 6),
        (5, 7),
        (6, 8),
        (7, 9),
        (8, 10),
        (1, 2),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 5),
        (4, 6),
    ],
};

/// Penn Action, in the order of the columns of its files, as its `README` numbers them.
pub const PENN13: Skeleton = Skeleton {
    name: "penn13",
    joints: &[
        "head",
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
    ],
    limbs: &[
        (0, 1),
        (0, 2),
        (1, 2),
        (1, 3),
        (3, 5),
        (2, 4),
        (4, 6),
        (1, 7),
        (2, 8),
        (7, 8),
        (7, 9),
        (9, 11),
        (8, 10),
        (10, 12),
    ],
};

/// JHMDB, the joints of its puppets. Their order is inferred from loaders of the data set, not from a document of its own.
pub const JHMDB15: Skeleton = Skeleton {
    name: "jhmdb15",
    joints: &[
        "neck",
        "belly",
        "face",
        "right_shoulder",
        "left_shoulder",
        "right_hip",
        "left_hip",
        "right_elbow",
        "left_elbow",
        "right_knee",
        "left_knee",
        "right_wrist",
        "left_wrist",
        "right_ankle",
        "left_ankle",
    ],
    limbs: &[
        (0, 1),
        (0, 2),
        (0, 3),
        (3, 7),
        (7, 11),
        (0, 4),
        (4, 8),
        (8, 12),
        (1, 5),
        (5, 9),
        (9, 13),
        (1, 6),
        (6, 10),
        (10, 14),
    ],
};

/// `PoseTrack` 2018 and 2021: COCO's order, with the ends of the head in place of the eyes; ears are never annotated.
pub const POSETRACK17: Skeleton = Skeleton {
    name: "posetrack17",
    joints: &[
        "nose",
        "head_bottom",
        "head_top",
        "left_ear",
        "right_ear",
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
    ],
    limbs: &[
        (15, 13),
        (13, 11),
        (16, 14),
        (14, 12),
        (11, 12),
        (5, 11),
        (6, 12),
        (5, 6),
        (5, 7),
        (6, 8),
        (7, 9),
        (8, 10),
        (0, 1),
        (0, 2),
        (1, 5),
        (1, 6),
    ],
};

/// Every skeleton, in the order in which messages list them.
pub const ALL: [&Skeleton; 9] =
    [&MPII16, &LSP14, &FLIC11, &FLIC9, &CPM14, &COCO17, &PENN13, &JHMDB15, &POSETRACK17];

/// A name that no known skeleton has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no skeleton is called `{name}`; there are {}", ALL.map(|s| format!("`{}`", s.name)).join(", "))]
pub struct UnknownSkeleton {
    /// The name that was asked for.
    pub name: String,
}

impl Skeleton {
    /// The skeleton called `name`.
    ///
    /// # Errors
    /// When there is none; the message lists all.
    pub fn named(name: &str) -> Result<&'static Self, UnknownSkeleton> {
        ALL.into_iter().find(|s| s.name == name).ok_or_else(|| UnknownSkeleton { name: name.to_owned() })
    }

    /// How many joints it has: K.
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// Whether it has no joints; every known skeleton has some.
    pub fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// Index of the joint called `name`, where MPII's `upper_neck`, `PoseTrack`'s `head_bottom` and LSP's `neck` count as one
    /// joint.
    ///
    /// They are different points on the body, but all published work on these data sets merges them. A nose, face or head
    /// never counts as a head top.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|joint| merged(joint) == merged(name))
    }

    /// Whether `names` are its joints, in its order; they may be spelt with capitals, blanks or hyphens.
    pub fn is_spelt(&self, names: &[String]) -> bool {
        let spelt = |name: &String| name.to_lowercase().replace([' ', '-'], "_");
        let same = |(joint, name)| self.index_of(&spelt(name)) == Some(joint);
        self.len() == names.len() && names.iter().enumerate().all(same)
    }

    /// For each joint, the index of its mirror image: left and right swapped, the rest themselves. `[K]`
    pub fn mirrored(&self) -> Vec<usize> {
        let opposite = |joint: &str| {
            let name = match joint.split_once('_') {
                Some(("left", part)) => format!("right_{part}"),
                Some(("right", part)) => format!("left_{part}"),
                _ => joint.to_owned(),
            };
            self.index_of(&name).expect("every left joint has its right one")
        };
        self.joints.iter().map(|joint| opposite(joint)).collect()
    }

    /// Pairs of joints that mirroring swaps, each once, lower index first.
    pub fn flip_pairs(&self) -> Vec<(usize, usize)> {
        self.mirrored().into_iter().enumerate().filter(|(joint, other)| joint < other).collect()
    }

    /// For each joint of `self`, where `source` holds it: the map to reorder arrays of `source` into ours. `[K]`
    pub fn indices_in(&self, source: &Self) -> Vec<Option<usize>> {
        self.joints.iter().map(|joint| source.index_of(joint)).collect()
    }

    /// Name, joints, limbs and flip pairs as JSON, for a table's schema metadata.
    pub fn to_json(&self) -> String {
        let (limbs, pairs) = (self.limbs, self.flip_pairs());
        json!({ "name": self.name, "joints": self.joints, "limbs": limbs, "flip_pairs": pairs }).to_string()
    }
}

fn merged(joint: &str) -> &str {
    if matches!(joint, "upper_neck" | "head_bottom") { "neck" } else { joint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flip_pairs_are_those_of_the_papers() {
        // Stacked hourglass, `src/misc` (1-based): (1,6)(2,5)(3,4)(11,16)(12,15)(13,14).
        assert_eq!(MPII16.flip_pairs(), [(0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)]);
        // Convolutional pose machines (1-based): (3,6)(4,7)(5,8)(9,12)(10,13)(11,14) and (1,4)(2,5)(3,6)(7,8).
        assert_eq!(CPM14.flip_pairs(), [(2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13)]);
        assert_eq!(FLIC9.flip_pairs(), [(0, 3), (1, 4), (2, 5), (6, 7)]);
    }

    #[test]
    fn cpm_order_is_mpii_ids_without_pelvis_and_thorax() {
        let indices: Vec<usize> = CPM14.indices_in(&MPII16).into_iter().map(Option::unwrap).collect();
        assert_eq!(indices, [9, 8, 12, 11, 10, 13, 14, 15, 2, 1, 0, 3, 4, 5]);
        let lsp: Vec<usize> = LSP14.indices_in(&MPII16).into_iter().map(Option::unwrap).collect();
        assert_eq!(lsp, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9]);
    }

    #[test]
    fn a_nose_is_not_a_head_top() {
        assert_eq!(MPII16.indices_in(&FLIC11)[9], None);
        assert_eq!(FLIC9.indices_in(&MPII16)[8], None);
    }

    #[test]
    fn mirrors_are_involutions_and_limbs_are_in_range() {
        for skeleton in ALL {
            let mirrored = skeleton.mirrored();
            assert!((0..skeleton.len()).all(|joint| mirrored[mirrored[joint]] == joint), "{}", skeleton.name);
            assert!(skeleton.limbs.iter().all(|&(a, b)| a < skeleton.len() && b < skeleton.len()));
        }
    }

    #[test]
    fn an_unknown_name_lists_all() {
        let message = Skeleton::named("mpii").unwrap_err().to_string();
        assert!(message.contains("`mpii16`, `lsp14`, `flic11`, `flic9`, `cpm14`, `coco17`"), "{message}");
    }
}
