//! Keys of the stage `check`, and its thresholds with their reasons.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::units::{Count, NonNegative, Positive};
use serde::{Deserialize, Serialize};

use super::rule::Rule;

/// Fewest annotated joints of a useful person: three make two neighbouring limbs; the person of LSPET with the fewest
/// has four.
pub const LEAST_JOINTS: Count = Count::constant(4);
/// How far beyond the outermost pixel's edge a joint may lie, px.
pub const MARGIN_PX: NonNegative = NonNegative::constant(0.0);
/// How broad shoulders and hips must both be, in torso lengths, before their contradiction counts. Measured: at 0.2,
/// 1.0 % of LSP, 1.6 % of MPII's validation people and 3.9 % of LSPET contradict; exchanged hips would be seen in
/// three of four people.
pub const INVERSION_WIDTH: Positive = Positive::constant(0.2);
/// How many times longer the two limbs of a pair must be than they would be with their ends exchanged. Measured: at
/// 1.6, 0.2 % of LSP and of MPII's validation people and 0.5 % of LSPET are found; exchanged elbows would be seen in
/// more than half of all people, exchanged knees in few.
pub const CROSSED_LIMBS: Positive = Positive::constant(1.6);
/// How many robust standard deviations a limb may exceed its usual length by. Measured: at 5, 1.2 % of LSP, 0.7 % of
/// MPII's validation people and 1.5 % of LSPET have such a limb, or one of length zero.
pub const LIMB_SIGMA: Positive = Positive::constant(5.0);
/// The same for the size of the head, to either side.
pub const HEAD_SIGMA: Positive = Positive::constant(5.0);
/// The same for the stated scale, to either side.
pub const SCALE_SIGMA: Positive = Positive::constant(5.0);
/// Fewest people of a data set from whom usual lengths are learnt: quartiles of fewer are unreliable.
pub const LEAST_PEOPLE: Count = Count::constant(30);
/// How far two people's joints may be apart on average to be one person, in diagonals of the box about the joints:
/// a person of 200 px is annotated twice within about 10 px.
pub const DUPLICATE_DISTANCE: Positive = Positive::constant(0.05);
/// How many of the 64 bits of each of a picture's two fingerprints may differ in nearly the same picture. Measured on
/// 6,000 pictures of LSPET: up to 4 bits there are ten second copies of a photograph and nothing else; from 6 on,
/// neighbours of a burst and other pictures of one place join in.
pub const PICTURE_BITS: u32 = 4;
/// Most bits that a plan may allow: beyond, false matches outnumber copies.
pub const MOST_PICTURE_BITS: u32 = 12;

/// Keys of the step `check`.
///
/// ```
/// use stages::check::{CheckConfig, Rule};
/// let config: CheckConfig = toml::from_str("rules = ['limb_length']\nlimb_sigma = 6")?;
/// assert_eq!((config.rules.as_slice(), config.limb_sigma.get()), (&[Rule::LimbLength][..], 6.0));
/// assert_eq!(CheckConfig::default().rules, Rule::ALL);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckConfig {
    /// The rules to check; by default all. They run in a fixed order.
    pub rules: Vec<Rule>,
    /// Folder that `image_path` starts from; by default the current folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub images: Option<PathBuf>,
    /// `few_joints`: fewest annotated joints of a person who has any.
    pub least_joints: Count,
    /// `out_of_image`: how far beyond the outermost pixel's edge a joint may lie, px.
    pub margin_px: NonNegative,
    /// `left_right`: how broad shoulders and hips must be for their contradiction to count, torso lengths.
    pub inversion_width: Positive,
    /// `left_right`: how many times longer a pair of limbs must be than with its ends exchanged.
    pub crossed_limbs: Positive,
    /// `head_size`: how far from usual a head may be, robust standard deviations.
    pub head_sigma: Positive,
    /// `person_scale`: how far from usual a stated scale may be, robust standard deviations.
    pub scale_sigma: Positive,
    /// `limb_length`: how far above usual a limb may be, robust standard deviations.
    pub limb_sigma: Positive,
    /// `head_size`, `person_scale`, `limb_length`: fewest people from whom the usual lengths of a data set are
    /// learnt.
    pub least_people: Count,
    /// `duplicate_person`: mean distance of joints within which two people are one, in diagonals of their box.
    pub duplicate_distance: Positive,
    /// `leak`, `duplicate_picture`: in how many of 64 bits the fingerprints of nearly the same picture may
    /// differ.
    pub picture_bits: u32,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            rules: Rule::ALL.to_vec(),
            images: None,
            least_joints: LEAST_JOINTS,
            margin_px: MARGIN_PX,
            inversion_width: INVERSION_WIDTH,
            crossed_limbs: CROSSED_LIMBS,
            head_sigma: HEAD_SIGMA,
            scale_sigma: SCALE_SIGMA,
            limb_sigma: LIMB_SIGMA,
            least_people: LEAST_PEOPLE,
            duplicate_distance: DUPLICATE_DISTANCE,
            picture_bits: PICTURE_BITS,
        }
    }
}
