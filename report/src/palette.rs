//! The colours of a sheet. Sides are told apart by hues that colour-blind people tell apart as well.
//!
//! Source: Okabe and Ito, "Color Universal Design" (2008), the eight-colour set.

use schemas::Skeleton;
use schemas::skeleton::names::{Side, side_of};

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// Limbs and joints of the person's left side: orange.
pub const LEFT: Rgb = [230, 159, 0];
/// Limbs and joints of the person's right side: sky blue.
pub const RIGHT: Rgb = [86, 180, 233];
/// Limbs and joints of the middle: reddish purple.
pub const CENTRE: Rgb = [222, 130, 180];
/// The line about every limb and joint, so that it stands out from any picture.
pub(crate) const HALO: Rgb = [16, 16, 20];
/// The annotated pose under a prediction.
pub(crate) const TRUTH: Rgb = [255, 255, 255];
/// The page.
pub(crate) const PAGE: Rgb = [247, 247, 244];
/// What surrounds a picture that does not fill its tile.
pub(crate) const MAT: Rgb = [226, 226, 222];
/// Captions.
pub(crate) const INK: Rgb = [52, 52, 56];

/// The colour of joint `joint` of `skeleton`, by its side.
pub(crate) fn of_joint(skeleton: &Skeleton, joint: usize) -> Rgb {
    match side_of(skeleton.joints[joint]) {
        Some(Side::Left) => LEFT,
        Some(Side::Right) => RIGHT,
        None => CENTRE,
    }
}

/// The colour of the limb between two joints: that of the side if one is on it and none on the other.
pub(crate) fn of_limb(skeleton: &Skeleton, (a, b): (usize, usize)) -> Rgb {
    let (first, second) = (of_joint(skeleton, a), of_joint(skeleton, b));
    if first == second || second == CENTRE {
        first
    } else if first == CENTRE {
        second
    } else {
        CENTRE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::{LSP14, all};

    #[test]
    fn a_limb_between_the_sides_is_of_neither() {
        assert_eq!(of_limb(&LSP14, (2, 3)), CENTRE);
        assert_eq!(of_limb(&LSP14, (8, 12)), RIGHT);
        assert_eq!(of_limb(&LSP14, (9, 10)), LEFT);
    }

    #[test]
    fn a_mirrored_joint_has_the_colour_of_the_other_side() {
        for skeleton in all() {
            for (joint, other) in skeleton.mirrored().into_iter().enumerate() {
                let swapped = match of_joint(skeleton, joint) {
                    LEFT => RIGHT,
                    RIGHT => LEFT,
                    other => other,
                };
                assert_eq!(of_joint(skeleton, other), swapped);
            }
        }
    }
}
