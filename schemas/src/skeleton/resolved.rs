//! A sound definition, which becomes a skeleton.

use super::names::spelt;
use super::{Group, Skeleton};

/// A sound definition, with joints by number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub name: String,
    pub joints: Vec<String>,
    pub limbs: Vec<(usize, usize)>,
    pub flip_pairs: Vec<(usize, usize)>,
    pub sigmas: Option<Vec<f64>>,
    pub groups: Vec<(String, Vec<usize>)>,
    pub spellings: Vec<(String, usize)>,
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
