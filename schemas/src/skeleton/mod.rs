//! Skeletons: joint order, limbs, left/right pairs, and the mapping between them by joint name.
//!
//! Each is a file of the same [form](Definition), those that are [built in](built_in) as those of users. A skeleton is
//! `'static`: what is read at run time is [kept](own) once for each content.

mod built_in;
mod definition;
mod error;
pub mod names;
mod own;

use serde_json::json;

pub use built_in::{
    AIC14, AP10K17, BLAZEPOSE33, COCO17, CPM14, CROWDPOSE14, FLIC9, FLIC11, H36M17, HALPE26, HAND21, JHMDB15,
    LSP14, MPII16, PENN13, POSETRACK17, WHOLEBODY133, all,
};
pub use definition::{Definition, JointRef, MOST_JOINTS};
pub use error::{SkeletonError, UnknownSkeleton};
pub use names::spelt;

/// The joints of one data set or network, in the order in which its arrays hold them.
#[derive(Debug)]
pub struct Skeleton {
    /// Name by which plans, model cards and schema metadata refer to it.
    pub name: &'static str,
    /// Joint names in array order, K of them.
    pub joints: &'static [&'static str],
    /// Pairs of joint indices to draw as bones.
    pub limbs: &'static [(usize, usize)],
    /// How far apart two annotators place each joint, as a part of the root of the person's area: what object keypoint
    /// similarity is measured in. `[K]`; `None` where nobody has published any.
    pub sigmas: Option<&'static [f64]>,
    /// Joints that belong together, for tables of scores.
    pub groups: &'static [Group],
    /// Pairs that mirroring swaps, each once, lower index first.
    flip_pairs: &'static [(usize, usize)],
    /// The joints as [`spelt`] writes them. `[K]`
    spelt: &'static [String],
    /// Other names that files give to joints, as [`spelt`] writes them.
    spellings: &'static [(String, usize)],
}

/// Joints that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Indices of its joints.
    pub joints: &'static [usize],
}

/// Two skeletons are the same if their content is.
impl PartialEq for Skeleton {
    fn eq(&self, other: &Self) -> bool {
        let bits = |skeleton: &Self| {
            skeleton.sigmas.map(|sigmas| sigmas.iter().map(|sigma| sigma.to_bits()).collect::<Vec<_>>())
        };
        std::ptr::eq(self, other)
            || (self.name == other.name
                && self.joints == other.joints
                && self.limbs == other.limbs
                && self.flip_pairs == other.flip_pairs
                && self.groups == other.groups
                && bits(self) == bits(other))
    }
}

impl Eq for Skeleton {}

/// So that one read from a table can be compared with one that is built in.
impl PartialEq<std::sync::LazyLock<Skeleton>> for Skeleton {
    fn eq(&self, other: &std::sync::LazyLock<Skeleton>) -> bool {
        *self == **other
    }
}

impl Skeleton {
    /// The built-in skeleton called `name`.
    ///
    /// # Errors
    /// When there is none; the message lists all.
    pub fn named(name: &str) -> Result<&'static Self, UnknownSkeleton> {
        let found = all().iter().find(|skeleton| skeleton.name == name);
        found.copied().ok_or_else(|| UnknownSkeleton { name: name.to_owned() })
    }

    /// The skeleton of a file's text, in the form of [`Definition`].
    ///
    /// # Errors
    /// When the text has another form, contradicts itself, or describes another skeleton under the name of a built-in one.
    pub fn of_file(text: &str) -> Result<&'static Self, SkeletonError> {
        own::kept(Definition::of_toml(text)?.resolved()?)
    }

    /// The skeleton of `definition`.
    ///
    /// # Errors
    /// As [`Skeleton::of_file`].
    pub fn of(definition: &Definition) -> Result<&'static Self, SkeletonError> {
        own::kept(definition.resolved()?)
    }

    /// The skeleton of a table, which names it and may hold its definition as JSON.
    ///
    /// # Errors
    /// When it is not built in and the definition is absent, has another form or contradicts itself, or when the table's
    /// joints are not those of the built-in skeleton of this name.
    pub fn of_table(name: &str, definition: Option<&str>) -> Result<&'static Self, SkeletonError> {
        own::of_table(name, definition)
    }

    /// How many joints it has: K.
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// Whether it has no joints; every skeleton has some.
    pub fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// Index of the joint called `name`, however it is [`spelt`]; MPII's `upper_neck`, `PoseTrack`'s `head_bottom` and
    /// LSP's `neck` count as one joint.
    ///
    /// They are different points on the body, but all published work on these data sets merges them. A nose, face or head
    /// never counts as a head top.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let exact = self.joints.iter().position(|joint| *joint == name);
        exact.or_else(|| {
            let name = spelt(name);
            let place =
                |same: &dyn Fn(&str) -> bool| self.spelt.iter().position(|joint| same(joint.as_str()));
            place(&|joint| joint == name).or_else(|| place(&|joint| merged(joint) == merged(&name)))
        })
    }

    /// Whether `names` are its joints, in its order, however they are [`spelt`] or by the other names that files give them.
    pub fn is_spelt(&self, names: &[String]) -> bool {
        let same = |(joint, name): (usize, &String)| {
            let other = || self.spellings.iter().any(|(known, at)| *at == joint && *known == spelt(name));
            self.index_of(name) == Some(joint) || other()
        };
        self.len() == names.len() && names.iter().enumerate().all(same)
    }

    /// For each joint, the index of its mirror image: left and right swapped, the rest themselves. `[K]`
    pub fn mirrored(&self) -> Vec<usize> {
        let mut mirrored: Vec<usize> = (0..self.len()).collect();
        for &(a, b) in self.flip_pairs {
            mirrored.swap(a, b);
        }
        mirrored
    }

    /// Pairs of joints that mirroring swaps, each once, lower index first.
    pub fn flip_pairs(&self) -> Vec<(usize, usize)> {
        self.flip_pairs.to_vec()
    }

    /// For each joint of `self`, where `source` holds it: the map to reorder arrays of `source` into ours. `[K]`
    pub fn indices_in(&self, source: &Self) -> Vec<Option<usize>> {
        self.joints.iter().map(|joint| source.index_of(joint)).collect()
    }

    /// Name, joints, limbs, flip pairs, and sigmas and groups where it has any, as JSON, for a table's schema metadata.
    pub fn to_json(&self) -> String {
        self.to_definition().to_string()
    }

    /// As [`Skeleton::to_json`], as a value: what [`Definition`] reads.
    pub fn to_definition(&self) -> serde_json::Value {
        let mut json = json!({
            "name": self.name, "joints": self.joints, "limbs": self.limbs, "flip_pairs": self.flip_pairs,
        });
        if let Some(sigmas) = self.sigmas {
            json["sigmas"] = json!(sigmas);
        }
        if !self.groups.is_empty() {
            let groups = self.groups.iter().map(|group| (group.name.to_owned(), json!(group.joints)));
            json["groups"] = groups.collect::<serde_json::Map<_, _>>().into();
        }
        json
    }
}

fn merged(joint: &str) -> &str {
    if matches!(joint, "upper_neck" | "head_bottom") { "neck" } else { joint }
}

#[cfg(test)]
mod tests;
