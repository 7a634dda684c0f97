//! Why annotations could not be checked.

use schemas::{Fault, Hinted};

use super::rule::Rule;

/// Why annotations could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum CheckError {
    /// No rule is named.
    #[error("`{stage}` has no rule to check")]
    NoRule { stage: String },
    /// With so many bits all pictures would match.
    #[error("`{stage}`: `picture_bits` must be at most {most}, found `{found}`")]
    PictureBits { stage: String, most: u32, found: u32, usual: u32 },
    /// Later people have other joints.
    #[error("the people follow two skeletons: `{first}` and `{other}`")]
    TwoSkeletons { first: &'static str, other: &'static str },
}

impl Hinted for CheckError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRule { .. } => {
                let names = Rule::ALL.map(|rule| format!("`{rule}`")).join(", ");
                format!("leave `rules` out for all, or name some: {names}")
            }
            Self::PictureBits { usual, .. } => format!("set `picture_bits = {usual}`"),
            Self::TwoSkeletons { .. } => {
                "map them to one with `map_skeleton`, or check them separately".into()
            }
        })
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::TwoSkeletons { .. }) { Fault::Data } else { Fault::Config }
    }
}
