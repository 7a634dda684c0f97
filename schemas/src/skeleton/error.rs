//! Why a skeleton cannot be used.

use super::all;
use super::definition::MOST_JOINTS;
use crate::{Fault, Hinted};

/// A name that no built-in skeleton has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no skeleton is called `{name}`; there are {}", listed(all().iter().map(|skeleton| skeleton.name)))]
pub struct UnknownSkeleton {
    /// The name that was asked for.
    pub name: String,
}

/// Why a skeleton cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum SkeletonError {
    /// It is not built in, and nothing defines it.
    #[error(transparent)]
    Unknown(#[from] UnknownSkeleton),
    /// The text has another form.
    #[error("not a definition of a skeleton: {reason}")]
    Form { reason: String },
    /// Something has too many bytes or parts to be one.
    #[error("a skeleton has at most {most} {what}, found {found}")]
    Large { what: &'static str, most: usize, found: usize },
    /// It has no joints.
    #[error("a skeleton has 1 to {MOST_JOINTS} joints, found none")]
    NoJoints,
    /// A name that cannot be written everywhere.
    #[error("the name of {of} must be {rule}, found `{found}`")]
    Name { of: &'static str, rule: &'static str, found: String },
    /// Two joints of one name.
    #[error("`joints` must differ, found `{first}` at {at} and `{second}` at {again}")]
    JointTwice { first: String, second: String, at: usize, again: usize },
    /// A joint that there is not.
    #[error("`{place}` must be of joints of `{skeleton}`, {joints}, found `{found}`")]
    Stranger { place: String, skeleton: String, joints: String, found: String },
    /// A number beyond the last joint.
    #[error("`{place}` must be of joints 0 to {last}, found {found}")]
    OutOfRange { place: String, last: usize, found: usize },
    /// Both ends are one joint.
    #[error("`{place}` must be of two joints, found `{joint}` twice")]
    OneJoint { place: String, joint: String },
    /// A joint has two mirror images.
    #[error("`flip_pairs` must have each joint once, found `{joint}` in two pairs")]
    TwoMirrors { joint: String },
    /// Not one sigma for each joint.
    #[error("`sigmas` must be one number for each of {expected} joints, found {found}")]
    Sigmas { expected: usize, found: usize },
    /// A spread that is none.
    #[error("`sigmas[{at}]` must be positive and finite, found {found}")]
    Sigma { at: usize, found: String },
    /// A group without joints.
    #[error("`groups.{group}` must have joints, found none")]
    EmptyGroup { group: String },
    /// A built-in skeleton has this name and other content.
    #[error("`{name}` is a built-in skeleton with other {what}")]
    NameTaken { name: String, what: &'static str },
    /// The metadata of a table contradicts itself.
    #[error("a table of the skeleton `{name}` must define it, found the definition of `{found}`")]
    OtherName { name: String, found: String },
    /// More different skeletons than a process may keep.
    #[error("at most {most} different skeletons can be read in one process")]
    Many { most: usize },
}

/// `names` between backticks and commas.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Hinted for SkeletonError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unknown(_) => {
                "name one of these, or a file ending in `.toml` with `name`, `joints` and `limbs` of your own"
            }
            Self::NameTaken { .. } => "give the skeleton another `name`",
            Self::JointTwice { .. } => "name each joint once; case, blanks and hyphens do not count",
            Self::Form { .. } => {
                "the keys are `name`, `joints`, `limbs`, `flip_pairs`, `sigmas`, `groups` and `spellings`; \
                 see the guide to skeletons"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::OtherName { .. }) { Fault::Schema } else { Fault::Config }
    }
}
