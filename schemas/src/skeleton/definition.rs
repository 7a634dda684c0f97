//! The form of a skeleton in a file (TOML) and in a table's metadata (JSON), and what makes it sound.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::{SkeletonError, listed};
use super::names::{opposite, spelt};
use super::{Group, Skeleton};

/// Most joints of a skeleton: the largest published ones have a few hundred.
pub const MOST_JOINTS: usize = 1_000;
/// Most limbs, and most groups: a few for each joint.
const MOST_PARTS: usize = 10_000;
/// Most bytes of a name.
const MOST_NAME_BYTES: usize = 100;
/// Most bytes of a definition: a thousand joints of long names with a few groups are a fifth of it.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// A skeleton as it is written.
///
/// ```
/// let skeleton = schemas::Skeleton::of_file(r#"
///     name = "stick_figure"
///     joints = ["head", "left_hand", "right_hand"]
///     limbs = [["head", "left_hand"], [0, 2]]   # by name, or by number from 0
///     sigmas = [0.03, 0.06, 0.06]               # optional
///     [groups]                                  # optional
///     hands = ["left_hand", "right_hand"]
/// "#)?;
/// assert_eq!(skeleton.flip_pairs(), [(1, 2)]);
/// # Ok::<(), schemas::skeleton::SkeletonError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// Joint names, in the order of arrays, K of them.
    pub joints: Vec<String>,
    /// Pairs of joints to draw as bones.
    #[serde(default)]
    pub limbs: Vec<[JointRef; 2]>,
    /// Pairs of joints that swap when a picture is mirrored. If it is absent, those whose names differ by left and right.
    #[serde(default)]
    pub flip_pairs: Option<Vec<[JointRef; 2]>>,
    /// The spread of each joint's annotations, as object keypoint similarity is measured in. `[K]`
    #[serde(default)]
    pub sigmas: Option<Vec<f64>>,
    /// Joints that belong together, by name of the group.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<JointRef>>,
    /// Other names that files give to a joint, by its name.
    #[serde(default)]
    pub spellings: BTreeMap<String, Vec<String>>,
}

/// A joint, by its name or its number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a joint, or its number from 0")]
pub enum JointRef {
    /// By number.
    Number(usize),
    /// By name.
    Name(String),
}

/// A sound definition, with joints by number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub name: String,
    pub joints: Vec<String>,
    limbs: Vec<(usize, usize)>,
    flip_pairs: Vec<(usize, usize)>,
    sigmas: Option<Vec<f64>>,
    groups: Vec<(String, Vec<usize>)>,
    pub spellings: Vec<(String, usize)>,
}

impl Definition {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it has another form; the message says where.
    pub fn of_toml(text: &str) -> Result<Self, SkeletonError> {
        bounded(text)?;
        toml::from_str(text)
            .map_err(|error| SkeletonError::Form { reason: error.to_string().trim_end().to_owned() })
    }

    /// Reads a table's metadata.
    ///
    /// # Errors
    /// When it has another form.
    pub fn of_json(text: &str) -> Result<Self, SkeletonError> {
        bounded(text)?;
        serde_json::from_str(text).map_err(|error| SkeletonError::Form { reason: error.to_string() })
    }

    /// Checks it, and looks joints up.
    pub(super) fn resolved(&self) -> Result<Resolved, SkeletonError> {
        checked_name("a skeleton", &self.name)?;
        let names = Names::of(self)?;
        most("limbs", MOST_PARTS, self.limbs.len())?;
        most("groups", MOST_PARTS, self.groups.len())?;
        let limbs = self.limbs.iter().enumerate();
        let limbs = limbs.map(|(at, limb)| names.pair(&format!("limbs[{at}]"), limb));
        let mut groups = Vec::new();
        for (group, joints) in &self.groups {
            checked_name("a group", group)?;
            if joints.is_empty() {
                return Err(SkeletonError::EmptyGroup { group: group.clone() });
            }
            most("joints of a group", MOST_JOINTS, joints.len())?;
            let place = format!("groups.{group}");
            let joints = joints.iter().map(|joint| names.joint(&place, joint));
            groups.push((group.clone(), joints.collect::<Result<Vec<_>, _>>()?));
        }
        let mut spellings = Vec::new();
        for (joint, others) in &self.spellings {
            let at = names.joint("spellings", &JointRef::Name(joint.clone()))?;
            spellings.extend(others.iter().map(|other| (spelt(other), at)));
        }
        Ok(Resolved {
            name: self.name.clone(),
            joints: self.joints.clone(),
            limbs: limbs.collect::<Result<Vec<_>, _>>()?,
            flip_pairs: match &self.flip_pairs {
                Some(pairs) => names.flip_pairs(pairs)?,
                None => names.left_and_right(),
            },
            sigmas: self.checked_sigmas()?,
            groups,
            spellings,
        })
    }

    fn checked_sigmas(&self) -> Result<Option<Vec<f64>>, SkeletonError> {
        let Some(sigmas) = &self.sigmas else { return Ok(None) };
        let (expected, found) = (self.joints.len(), sigmas.len());
        if expected != found {
            return Err(SkeletonError::Sigmas { expected, found });
        }
        match sigmas.iter().position(|sigma| !(sigma.is_finite() && *sigma > 0.0)) {
            Some(at) => Err(SkeletonError::Sigma { at, found: sigmas[at].to_string() }),
            None => Ok(Some(sigmas.clone())),
        }
    }
}

fn bounded(text: &str) -> Result<(), SkeletonError> {
    most("bytes", MOST_BYTES, text.len())
}

fn most(what: &'static str, most: usize, found: usize) -> Result<(), SkeletonError> {
    if found > most { Err(SkeletonError::Large { what, most, found }) } else { Ok(()) }
}

fn checked_name(of: &'static str, name: &str) -> Result<(), SkeletonError> {
    let sound = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.len() <= MOST_NAME_BYTES && name.chars().all(sound) {
        return Ok(());
    }
    let rule = "1 to 100 letters of English, digits, `_` or `-`";
    Err(SkeletonError::Name { of, rule, found: shortened(name) })
}

fn checked_joint(name: &str) -> Result<(), SkeletonError> {
    let written = name.trim() == name && !name.chars().any(char::is_control);
    if !spelt(name).is_empty() && name.len() <= MOST_NAME_BYTES && written {
        return Ok(());
    }
    let rule = "1 to 100 bytes with a letter or digit, and no blank about it";
    Err(SkeletonError::Name { of: "a joint", rule, found: shortened(name) })
}

/// `name` as a message can show it.
fn shortened(name: &str) -> String {
    crate::printable(&name.chars().take(MOST_NAME_BYTES).collect::<String>()).to_string()
}

/// The joints of a definition, by name.
struct Names<'a> {
    definition: &'a Definition,
    /// Where each is, as it is written and as [`spelt`] writes it.
    places: BTreeMap<String, usize>,
}

impl<'a> Names<'a> {
    fn of(definition: &'a Definition) -> Result<Self, SkeletonError> {
        let joints = &definition.joints;
        most("joints", MOST_JOINTS, joints.len())?;
        if joints.is_empty() {
            return Err(SkeletonError::NoJoints);
        }
        let mut places = BTreeMap::new();
        for (again, joint) in joints.iter().enumerate() {
            checked_joint(joint)?;
            if let Some(at) = places.insert(spelt(joint), again) {
                let (first, second) = (joints[at].clone(), joint.clone());
                return Err(SkeletonError::JointTwice { first, second, at, again });
            }
        }
        Ok(Self { definition, places })
    }

    fn joint(&self, place: &str, joint: &JointRef) -> Result<usize, SkeletonError> {
        let joints = &self.definition.joints;
        match joint {
            JointRef::Number(number) if *number < joints.len() => Ok(*number),
            JointRef::Number(found) => {
                let (place, last) = (place.to_owned(), joints.len() - 1);
                Err(SkeletonError::OutOfRange { place, last, found: *found })
            }
            JointRef::Name(name) => {
                self.places.get(&spelt(name)).copied().ok_or_else(|| SkeletonError::Stranger {
                    place: place.to_owned(),
                    skeleton: self.definition.name.clone(),
                    joints: listed(joints.iter().map(String::as_str)),
                    found: shortened(name),
                })
            }
        }
    }

    fn pair(&self, place: &str, [a, b]: &[JointRef; 2]) -> Result<(usize, usize), SkeletonError> {
        match (self.joint(place, a)?, self.joint(place, b)?) {
            (a, b) if a == b => {
                let joint = self.definition.joints[a].clone();
                Err(SkeletonError::OneJoint { place: place.to_owned(), joint })
            }
            pair => Ok(pair),
        }
    }

    fn flip_pairs(&self, pairs: &[[JointRef; 2]]) -> Result<Vec<(usize, usize)>, SkeletonError> {
        let mut found = Vec::new();
        let mut used = vec![false; self.definition.joints.len()];
        for (at, pair) in pairs.iter().enumerate() {
            let (a, b) = self.pair(&format!("flip_pairs[{at}]"), pair)?;
            for joint in [a, b] {
                if std::mem::replace(&mut used[joint], true) {
                    return Err(SkeletonError::TwoMirrors { joint: self.definition.joints[joint].clone() });
                }
            }
            found.push((a.min(b), a.max(b)));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The pairs whose names differ by left and right; a joint whose other side is absent is its own mirror image.
    fn left_and_right(&self) -> Vec<(usize, usize)> {
        let joints = self.definition.joints.iter().enumerate();
        let pair = |(at, joint): (usize, &String)| {
            let other = *self.places.get(&opposite(joint)?)?;
            (at < other).then_some((at, other))
        };
        joints.filter_map(pair).collect()
    }
}

fn leaked<T>(values: impl IntoIterator<Item = T>) -> &'static [T] {
    Vec::leak(values.into_iter().collect())
}

fn text(value: String) -> &'static str {
    String::leak(value)
}

impl Resolved {
    /// The skeleton, whose memory is never given back.
    pub(super) fn leaked(self) -> Skeleton {
        let group = |(name, joints): (String, Vec<usize>)| Group { name: text(name), joints: leaked(joints) };
        Skeleton {
            name: text(self.name),
            spelt: leaked(self.joints.iter().map(|joint| spelt(joint))),
            joints: leaked(self.joints.into_iter().map(text)),
            limbs: leaked(self.limbs),
            sigmas: self.sigmas.map(leaked),
            groups: leaked(self.groups.into_iter().map(group)),
            flip_pairs: leaked(self.flip_pairs),
            spellings: leaked(self.spellings),
        }
    }

    /// In what it differs from `known`, if in anything that the skeleton of a table states.
    pub(super) fn difference(&self, known: &Skeleton) -> Option<&'static str> {
        let groups = || known.groups.iter().map(|group| (group.name, group.joints));
        let own = || self.groups.iter().map(|(name, joints)| (name.as_str(), joints.as_slice()));
        if self.joints != known.joints {
            Some("joints")
        } else if self.limbs != known.limbs {
            Some("limbs")
        } else if self.flip_pairs != known.flip_pairs {
            Some("flip pairs")
        } else if self.sigmas.as_deref() != known.sigmas {
            Some("sigmas")
        } else if !own().eq(groups()) {
            Some("groups")
        } else {
            None
        }
    }
}
