//! What each protocol counts, in one table, so that protocols can be compared in one place.
//!
//! | protocol | error is divided by | right if | head | total |
//! |---|---|---|---|---|
//! | `mpii-official` | 0.6 x head diagonal | <= t | mean of neck and head top | pooled over 14 joints |
//! | `mpii-hrnet` | same | <= t | head top | pooled over 14 joints |
//! | `mpii-mmpose` | same | < t | head top | pooled over 14 joints |
//! | `mpii-pytorch-pose` | same | < t | head top | mean of 14 joints |
//! | `mpii-groups` | same | <= t | mean of neck and head top | mean of 7 groups |
//! | `lsp-pck` | left shoulder to right hip | <= t | mean of neck and head top | pooled over 14 joints |
//! | `lsp-pck-bbox` | longest side of the joints' box | <= t | mean of neck and head top | pooled over 14 joints |
//! | `lsp-pcp-strict` | stick length, the worse end | <= t | the stick neck to head top | pooled over 10 sticks |
//! | `lsp-pcp-loose` | stick length, mean of both ends | <= t | the stick neck to head top | pooled over 10 sticks |
//! | `flic-pck` | left shoulder to right hip | <= t | - | pooled over elbows and wrists |
//! | `flic-pck-tompson` | right shoulder to left hip | <= t | - | pooled over elbows and wrists |
//! | `flic-pck-predicted-torso` | the prediction's left shoulder to right hip | <= t | - | pooled over elbows and wrists |
//! | `pck-bbox` | longer side of the person's box | < t | - | mean of all joints |
//! | `pdj` | left shoulder to right hip | <= t | - | pooled over all joints |
//!
//! The last two score every joint of any skeleton, see [`super::any_skeleton`]: `pck-bbox` is `PCKAccuracy` of `mmpose` with
//! `norm_item='bbox'` (`keypoint_2d_metrics.py`, `keypoint_eval.py`), the protocol of Penn Action and of most animals; `pdj`
//! is that of Toshev and Szegedy (`DeepPose`, CVPR 2014, section 4.1), drawn up to half the torso diameter as there (that it
//! is measured from the left shoulder to the right hip is recalled).
//!
//! Groups of two joints are the mean of the left and the right rate, as in all of the scripts. Sources: MPII's
//! `evalMPII.zip`; `lib/dataset/mpii.py` of the high-resolution network; `MpiiPCKAccuracy` of `mmpose`;
//! `eval_PCKh.py` of `pytorch-pose`; `eval_pck.m` and `eval_pcp.m` of `eval_pose`; `run_benchmark.m` of the
//! convolutional pose machines.

use super::protocol::Protocol;

/// What is right or wrong as one: a joint, or a stick between two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The joint of this name.
    Joint(&'static str),
    /// A stick; each end is the mean of the joints that it lists.
    Stick {
        /// Name of the stick.
        name: &'static str,
        /// Joints whose mean is the one end.
        from: &'static [&'static str],
        /// Joints whose mean is the other end.
        to: &'static [&'static str],
    },
}

impl Part {
    /// Name of the joint or stick.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Joint(name) | Self::Stick { name, .. } => name,
        }
    }

    /// Every joint that it needs.
    pub fn joints(&self) -> Vec<&'static str> {
        match self {
            Self::Joint(name) => vec![name],
            Self::Stick { from, to, .. } => [*from, *to].concat(),
        }
    }
}

/// The length by which an error in px is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normaliser {
    /// 0.6 times the diagonal of the head rectangle.
    HeadBox,
    /// The distance between two joints of the truth.
    TrueSegment(&'static str, &'static str),
    /// The distance between two joints of the prediction.
    PredictedSegment(&'static str, &'static str),
    /// The longer side of the box around all annotated joints of the truth.
    JointsBox,
    /// The longer side of the person's box.
    PersonBox,
    /// The length of the stick itself; the error is that of the worse end.
    StickWorseEnd,
    /// The length of the stick itself; the error is the mean of both ends.
    StickMeanEnd,
}

/// When a normalised error counts as right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// Not above the threshold.
    AtMost,
    /// Below the threshold.
    Below,
}

impl Comparator {
    /// Whether `error` is right at `threshold`. `NaN` never is.
    pub fn holds(self, error: f64, threshold: f64) -> bool {
        match self {
            Self::AtMost => error <= threshold,
            Self::Below => error < threshold,
        }
    }
}

/// How the rate of a group comes from those of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mean {
    /// Right over annotated, all parts pooled.
    Pooled,
    /// Plain mean of the parts' rates.
    OfParts,
    /// Plain mean of the rates of these earlier groups, the head's included.
    OfGroups(&'static [&'static str]),
}

/// A group of parts with a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Name in the metric table.
    pub name: &'static str,
    /// Names of its parts.
    pub parts: &'static [&'static str],
    /// How its rate is made.
    pub mean: Mean,
}

/// What one protocol counts.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Name of the rate in the metric table.
    pub metric: &'static str,
    /// What is scored, each part once.
    pub parts: &'static [Part],
    /// By what errors are divided.
    pub normaliser: Normaliser,
    /// When an error is right.
    pub comparator: Comparator,
    /// Thresholds are 0, 0.01, ... up to this many hundredths.
    pub last_hundredth: usize,
    /// The threshold of the published figures, in hundredths.
    pub headline_hundredth: usize,
    /// Groups in the order in which tables show them; the last is `total`.
    pub groups: &'static [Group],
    /// A single figure with a name of its own: name, and the threshold in hundredths that it really has.
    pub extra: Option<(&'static str, usize)>,
    /// Whether left and right are those of the observer, so that people seen from behind are swapped first.
    pub observer_centric: bool,
}

impl Rules {
    /// The thresholds, ascending, in the normaliser's unit. `[T]`
    pub fn thresholds(&self) -> Vec<f64> {
        (0..=self.last_hundredth).map(|hundredth| hundredth as f64 / 100.0).collect()
    }

    /// Index of the part called `name`.
    pub fn part(&self, name: &str) -> usize {
        self.parts
            .iter()
            .position(|part| part.name() == name)
            .expect("groups name parts of their own protocol")
    }
}

const FOURTEEN: &[&str] = &[
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
    "upper_neck",
    "head_top",
];

const FOURTEEN_PARTS: &[Part] = &{
    let mut parts = [Part::Joint(""); FOURTEEN.len()];
    let mut index = 0;
    while index < parts.len() {
        parts[index] = Part::Joint(FOURTEEN[index]);
        index += 1;
    }
    parts
};

const HEAD_AND_NECK: Group = Group { name: "head", parts: &["upper_neck", "head_top"], mean: Mean::OfParts };
const HEAD_TOP: Group = Group { name: "head", parts: &["head_top"], mean: Mean::OfParts };
const SHOULDER: Group =
    Group { name: "shoulder", parts: &["left_shoulder", "right_shoulder"], mean: Mean::OfParts };
const ELBOW: Group = Group { name: "elbow", parts: &["left_elbow", "right_elbow"], mean: Mean::OfParts };
const WRIST: Group = Group { name: "wrist", parts: &["left_wrist", "right_wrist"], mean: Mean::OfParts };
const HIP: Group = Group { name: "hip", parts: &["left_hip", "right_hip"], mean: Mean::OfParts };
const KNEE: Group = Group { name: "knee", parts: &["left_knee", "right_knee"], mean: Mean::OfParts };
const ANKLE: Group = Group { name: "ankle", parts: &["left_ankle", "right_ankle"], mean: Mean::OfParts };
const UPPER_BODY: Group = Group {
    name: "upper_body",
    parts: &["left_wrist", "right_wrist", "left_elbow", "right_elbow", "left_shoulder", "right_shoulder"],
    mean: Mean::Pooled,
};
const SEVEN: Mean = Mean::OfGroups(&["head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]);

const fn total(mean: Mean) -> Group {
    Group { name: "total", parts: FOURTEEN, mean }
}

const MPII_OFFICIAL: Rules = Rules {
    metric: "pckh",
    parts: FOURTEEN_PARTS,
    normaliser: Normaliser::HeadBox,
    comparator: Comparator::AtMost,
    last_hundredth: 50,
    headline_hundredth: 50,
    groups: &[HEAD_AND_NECK, SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE, UPPER_BODY, total(Mean::Pooled)],
    extra: None,
    observer_centric: false,
};

const MPII_HRNET: Rules = Rules {
    groups: &[HEAD_TOP, SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE, UPPER_BODY, total(Mean::Pooled)],
    // Its code calls this "Mean@0.1" and reads element 11 of 0, 0.01, ...
    extra: Some(("mean_at_0.1", 11)),
    ..MPII_OFFICIAL
};

const MPII_MMPOSE: Rules =
    Rules { comparator: Comparator::Below, extra: Some(("mean_at_0.1", 10)), ..MPII_HRNET };

const MPII_PYTORCH_POSE: Rules = Rules {
    comparator: Comparator::Below,
    groups: &[HEAD_TOP, SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE, UPPER_BODY, total(Mean::OfParts)],
    extra: None,
    ..MPII_OFFICIAL
};

const MPII_GROUPS: Rules = Rules {
    groups: &[HEAD_AND_NECK, SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE, UPPER_BODY, total(SEVEN)],
    ..MPII_OFFICIAL
};

const LSP_PCK: Rules = Rules {
    metric: "pck",
    normaliser: Normaliser::TrueSegment("left_shoulder", "right_hip"),
    last_hundredth: 20,
    headline_hundredth: 20,
    ..MPII_OFFICIAL
};

const LSP_PCK_BBOX: Rules = Rules { normaliser: Normaliser::JointsBox, ..LSP_PCK };

const fn stick(name: &'static str, from: &'static [&'static str], to: &'static [&'static str]) -> Part {
    Part::Stick { name, from, to }
}

const fn pair(name: &'static str, parts: &'static [&'static str]) -> Group {
    Group { name, parts, mean: Mean::OfParts }
}

const LSP_PCP_STRICT: Rules = Rules {
    metric: "pcp",
    parts: &[
        stick("right_lower_leg", &["right_ankle"], &["right_knee"]),
        stick("right_upper_leg", &["right_knee"], &["right_hip"]),
        stick("left_upper_leg", &["left_hip"], &["left_knee"]),
        stick("left_lower_leg", &["left_knee"], &["left_ankle"]),
        stick("right_lower_arm", &["right_wrist"], &["right_elbow"]),
        stick("right_upper_arm", &["right_elbow"], &["right_shoulder"]),
        stick("left_upper_arm", &["left_shoulder"], &["left_elbow"]),
        stick("left_lower_arm", &["left_elbow"], &["left_wrist"]),
        stick("head", &["neck"], &["head_top"]),
        stick("torso", &["left_hip", "right_hip"], &["left_shoulder", "right_shoulder"]),
    ],
    normaliser: Normaliser::StickWorseEnd,
    comparator: Comparator::AtMost,
    last_hundredth: 50,
    headline_hundredth: 50,
    groups: &[
        pair("torso", &["torso"]),
        pair("upper_leg", &["left_upper_leg", "right_upper_leg"]),
        pair("lower_leg", &["left_lower_leg", "right_lower_leg"]),
        pair("upper_arm", &["left_upper_arm", "right_upper_arm"]),
        pair("lower_arm", &["left_lower_arm", "right_lower_arm"]),
        pair("head", &["head"]),
        Group {
            name: "total",
            parts: &[
                "right_lower_leg",
                "right_upper_leg",
                "left_upper_leg",
                "left_lower_leg",
                "right_lower_arm",
                "right_upper_arm",
                "left_upper_arm",
                "left_lower_arm",
                "head",
                "torso",
            ],
            mean: Mean::Pooled,
        },
    ],
    extra: None,
    observer_centric: false,
};

const LSP_PCP_LOOSE: Rules = Rules { normaliser: Normaliser::StickMeanEnd, ..LSP_PCP_STRICT };

const FLIC_PCK: Rules = Rules {
    parts: &[
        Part::Joint("left_shoulder"),
        Part::Joint("right_shoulder"),
        Part::Joint("left_elbow"),
        Part::Joint("right_elbow"),
        Part::Joint("left_wrist"),
        Part::Joint("right_wrist"),
    ],
    groups: &[
        SHOULDER,
        ELBOW,
        WRIST,
        Group {
            name: "total",
            parts: &["left_elbow", "right_elbow", "left_wrist", "right_wrist"],
            mean: Mean::Pooled,
        },
    ],
    observer_centric: true,
    ..LSP_PCK
};

const FLIC_PCK_TOMPSON: Rules =
    Rules { normaliser: Normaliser::TrueSegment("right_shoulder", "left_hip"), ..FLIC_PCK };

const FLIC_PCK_PREDICTED_TORSO: Rules =
    Rules { normaliser: Normaliser::PredictedSegment("left_shoulder", "right_hip"), ..FLIC_PCK };

/// Joints of most skeletons of people.
const LIMBS: &[&str] = &[
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

const LIMB_PARTS: &[Part] = &{
    let mut parts = [Part::Joint(""); LIMBS.len()];
    let mut index = 0;
    while index < parts.len() {
        parts[index] = Part::Joint(LIMBS[index]);
        index += 1;
    }
    parts
};

const PCK_BBOX: Rules = Rules {
    metric: "pck",
    parts: LIMB_PARTS,
    normaliser: Normaliser::PersonBox,
    comparator: Comparator::Below,
    last_hundredth: 20,
    headline_hundredth: 20,
    groups: &[
        SHOULDER,
        ELBOW,
        WRIST,
        HIP,
        KNEE,
        ANKLE,
        Group { name: "total", parts: LIMBS, mean: Mean::OfParts },
    ],
    extra: None,
    observer_centric: false,
};

const PDJ: Rules = Rules {
    metric: "pdj",
    normaliser: Normaliser::TrueSegment("left_shoulder", "right_hip"),
    comparator: Comparator::AtMost,
    last_hundredth: 50,
    groups: &[
        SHOULDER,
        ELBOW,
        WRIST,
        HIP,
        KNEE,
        ANKLE,
        Group { name: "total", parts: LIMBS, mean: Mean::Pooled },
    ],
    ..PCK_BBOX
};

impl Protocol {
    /// What the protocol counts; `None` where it compares no places, or whole pictures. Of a protocol for any skeleton, what
    /// it counts of the usual joints: [`Self::rules_of`] has all.
    pub fn rules(self) -> Option<&'static Rules> {
        match self {
            Self::MpiiOfficial => Some(&MPII_OFFICIAL),
            Self::MpiiHrnet => Some(&MPII_HRNET),
            Self::MpiiMmpose => Some(&MPII_MMPOSE),
            Self::MpiiPytorchPose => Some(&MPII_PYTORCH_POSE),
            Self::MpiiGroups => Some(&MPII_GROUPS),
            Self::LspPck => Some(&LSP_PCK),
            Self::LspPckBbox => Some(&LSP_PCK_BBOX),
            Self::LspPcpStrict => Some(&LSP_PCP_STRICT),
            Self::LspPcpLoose => Some(&LSP_PCP_LOOSE),
            Self::FlicPck => Some(&FLIC_PCK),
            Self::FlicPckTompson => Some(&FLIC_PCK_TOMPSON),
            Self::FlicPckPredictedTorso => Some(&FLIC_PCK_PREDICTED_TORSO),
            Self::PckBbox => Some(&PCK_BBOX),
            Self::Pdj => Some(&PDJ),
            Self::CocoOks | Self::CrowdPose | Self::Presence => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_name_parts_and_end_with_the_total() {
        for rules in Protocol::ALL.into_iter().filter_map(Protocol::rules) {
            assert_eq!(rules.groups.last().unwrap().name, "total");
            assert!(rules.headline_hundredth <= rules.last_hundredth);
            for (at, group) in rules.groups.iter().enumerate() {
                assert!(group.parts.iter().all(|name| rules.part(name) < rules.parts.len()));
                if let Mean::OfGroups(names) = group.mean {
                    let before = &rules.groups[..at];
                    assert!(names.iter().all(|name| before.iter().any(|group| group.name == *name)));
                }
            }
        }
    }

    #[test]
    fn pelvis_and_thorax_are_never_scored() {
        for rules in Protocol::ALL.into_iter().filter_map(Protocol::rules) {
            let joints = rules.parts.iter().flat_map(Part::joints);
            assert!(joints.into_iter().all(|joint| joint != "pelvis" && joint != "thorax"));
        }
    }
}
