//! One spelling for the names that files give to a joint, and the name of its mirror image.

/// The words of `name`, in small letters: they end at blanks, hyphens and other signs, and before a capital.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let next_is_small = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        // `leftEye` and `LEye`, but not `L_EYE`.
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| before.is_lowercase() || (before.is_uppercase() && next_is_small));
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person's left.
    Left,
    /// The person's right.
    Right,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// The side that a name states, and its other words. `l` and `r` state one as the first or last of several words.
fn parts(name: &str) -> (Option<Side>, Vec<String>) {
    let mut words = words(name);
    let last = words.len().saturating_sub(1);
    let side = |(at, word): (usize, &String)| match word.as_str() {
        "left" => Some((at, Side::Left)),
        "right" => Some((at, Side::Right)),
        "l" if last > 0 && [0, last].contains(&at) => Some((at, Side::Left)),
        "r" if last > 0 && [0, last].contains(&at) => Some((at, Side::Right)),
        _ => None,
    };
    let sides: Vec<(usize, Side)> = words.iter().enumerate().filter_map(side).collect();
    match sides[..] {
        [(at, side)] => {
            words.remove(at);
            (Some(side), words)
        }
        _ => (None, words),
    }
}

/// `name` as all skeletons can compare it: small letters, `_` between words, the side first.
///
/// ```
/// # use schemas::skeleton::spelt;
/// for name in ["left_eye", "Left Eye", "leftEye", "LEye", "L_Eye", "eye-l", "eye (left)"] {
///     assert_eq!(spelt(name), "left_eye");
/// }
/// assert_eq!(spelt("Root of tail"), "root_of_tail");
/// ```
pub fn spelt(name: &str) -> String {
    let (side, words) = parts(name);
    let words = side.map(|side| side.name().to_owned()).into_iter().chain(words);
    words.collect::<Vec<_>>().join("_")
}

/// The side on which the joint called `name` is; `None` for those in the middle.
pub fn side_of(name: &str) -> Option<Side> {
    parts(name).0
}

/// The mirror image of the joint called `name`, as [`spelt`] writes it; `None` for those in the middle.
pub(super) fn opposite(name: &str) -> Option<String> {
    let (side, words) = parts(name);
    Some(format!("{}_{}", side?.other().name(), words.join("_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_signs_and_before_capitals() {
        for (name, expected) in [
            ("head_top", "head_top"),
            ("face-12", "face_12"),
            ("LBigToe", "left_big_toe"),
            ("NOSE", "nose"),
            ("L.HIP", "left_hip"),
            ("Paw Front Right", "right_paw_front"),
            ("right_hand_root", "right_hand_root"),
            ("l", "l"),
            ("", ""),
            ("Œil gauche", "œil_gauche"),
        ] {
            assert_eq!(spelt(name), expected);
        }
    }

    #[test]
    fn a_mirror_image_has_the_other_side() {
        assert_eq!(opposite("L_F_Paw").as_deref(), Some("right_f_paw"));
        assert_eq!(opposite("mouth_left").as_deref(), Some("right_mouth"));
        assert_eq!((opposite("nose"), opposite("left_to_right")), (None, None));
        assert_eq!((side_of("RWrist"), side_of("rest")), (Some(Side::Right), None));
    }
}
