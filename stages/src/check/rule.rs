//! The rules by name, in the order in which they are run and reported.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that can be wrong with annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Visibility and coordinates contradict each other.
    Visibility,
    /// Too few joints to be of use.
    FewJoints,
    /// A joint lies outside the picture.
    OutOfImage,
    /// The picture has another size than the annotation states.
    PictureSize,
    /// Left and right seem to be exchanged.
    LeftRight,
    /// The head has no size or an absurd one.
    HeadSize,
    /// The stated scale and the limbs contradict each other.
    PersonScale,
    /// A limb is far longer than such limbs usually are, or has length zero.
    LimbLength,
    /// Two people of one image are one.
    DuplicatePerson,
    /// The first pixel seems to have another number than the reader assumed.
    BasePixel,
    /// A picture is in two splits, identical or nearly so.
    Leak,
    /// A picture is twice in one split, under two names.
    DuplicatePicture,
}

impl Rule {
    /// All, in order: first single joints, then whole people, people of one image, data sets, image files.
    pub const ALL: [Self; 12] = [
        Self::Visibility,
        Self::FewJoints,
        Self::OutOfImage,
        Self::PictureSize,
        Self::LeftRight,
        Self::HeadSize,
        Self::PersonScale,
        Self::LimbLength,
        Self::DuplicatePerson,
        Self::BasePixel,
        Self::Leak,
        Self::DuplicatePicture,
    ];

    /// The name in plans, tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Visibility => "visibility",
            Self::FewJoints => "few_joints",
            Self::OutOfImage => "out_of_image",
            Self::PictureSize => "picture_size",
            Self::LeftRight => "left_right",
            Self::HeadSize => "head_size",
            Self::PersonScale => "person_scale",
            Self::LimbLength => "limb_length",
            Self::DuplicatePerson => "duplicate_person",
            Self::BasePixel => "base_pixel",
            Self::Leak => "leak",
            Self::DuplicatePicture => "duplicate_picture",
        }
    }

    /// What it looks for, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Visibility => {
                "Joints annotated without coordinates, at exactly (0, 0), or placed though not annotated."
            }
            Self::FewJoints => "People with too few joints to be of use.",
            Self::OutOfImage => "Joints outside the picture.",
            Self::PictureSize => "Pictures of another size than the annotation states.",
            Self::LeftRight => "Hips, eyes or limbs that contradict the left and right of the shoulders.",
            Self::HeadSize => "Heads without size, or far from what the limbs suggest.",
            Self::PersonScale => "Stated scales far from what the limbs suggest.",
            Self::LimbLength => "Limbs far longer than usual for the person's size, or without length.",
            Self::DuplicatePerson => "People of one image with nearly the same joints.",
            Self::BasePixel => "Data sets whose coordinates are off by a pixel.",
            Self::Leak => "Pictures that stand in two splits, as they are or nearly.",
            Self::DuplicatePicture => "Pictures that stand twice in one split, under two names.",
        }
    }

    /// Whether it needs width and height of the pictures.
    pub(super) fn needs_sizes(self) -> bool {
        matches!(self, Self::OutOfImage | Self::PictureSize | Self::BasePixel)
    }

    /// Whether it needs the pixels of the pictures.
    pub(super) fn needs_pixels(self) -> bool {
        matches!(self, Self::Leak | Self::DuplicatePicture)
    }

    /// Whether it needs to know how long limbs are in the data set.
    pub(super) fn needs_lengths(self) -> bool {
        matches!(self, Self::HeadSize | Self::PersonScale | Self::LimbLength)
    }

    /// Whether it looks at pictures, labelled or not, rather than at joints.
    pub(super) fn is_about_pictures(self) -> bool {
        matches!(self, Self::Leak | Self::DuplicatePicture | Self::PictureSize)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_plans_and_the_order_is_that_of_the_enum() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
        assert!(Rule::ALL.is_sorted());
    }
}
