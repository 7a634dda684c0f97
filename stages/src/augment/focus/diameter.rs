//! How large a pose is: the distance between two opposing joints of the torso.

use schemas::Skeleton;

use super::super::error::AugmentError;
use crate::stage::StageError;

/// Ends of the diameter unless a plan says otherwise: `DeepPose` names left shoulder and right hip as its example.
pub const ENDS: [&str; 2] = ["left_shoulder", "right_hip"];

/// [`ENDS`], for the keys of plans.
pub fn ends() -> [String; 2] {
    ENDS.map(str::to_owned)
}

/// Two joints of a skeleton and their mirror images.
///
/// **Inferred**: where one of the two is not known, the distance between the mirror images counts; the paper leaves the
/// choice of joints to the data set and does not mention people without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diameter([[usize; 2]; 2]);

impl Diameter {
    /// Between the joints `ends` of `skeleton`.
    ///
    /// # Errors
    /// When the skeleton has no such joint.
    pub fn of(skeleton: &Skeleton, ends: &[String; 2]) -> Result<Self, StageError> {
        let mirrored = skeleton.mirrored();
        let mut pairs = [[0; 2]; 2];
        for (end, name) in ends.iter().enumerate() {
            let Some(joint) = skeleton.index_of(name) else {
                let (joint, skeleton) = (name.clone(), skeleton.name.to_owned());
                return Err(StageError::step(AugmentError::NoEnd { joint, skeleton }));
            };
            pairs[0][end] = joint;
            pairs[1][end] = mirrored[joint];
        }
        Ok(Self(pairs))
    }

    /// The diameter in px of a pose whose joint j lies at `place(j)`, if that is known; `None` where no pair is known.
    pub fn px(&self, place: impl Fn(usize) -> Option<[f64; 2]>) -> Option<f64> {
        self.0.iter().find_map(|[a, b]| {
            let (a, b) = (place(*a)?, place(*b)?);
            Some((a[0] - b[0]).hypot(a[1] - b[1]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::{FLIC9, LSP14};

    #[test]
    fn the_mirrored_pair_stands_in_for_one_that_is_not_known() {
        let diameter = Diameter::of(&LSP14, &ends()).unwrap();
        let [left, right] = ["left_shoulder", "right_shoulder"].map(|name| LSP14.index_of(name).unwrap());
        let place = |missing: usize| {
            move |joint: usize| {
                (joint != missing).then_some(if joint == left { [3.0, 4.0] } else { [0.0, 0.0] })
            }
        };
        assert_eq!(diameter.px(place(right)), Some(5.0));
        assert_eq!(diameter.px(place(left)), Some(0.0));
        assert_eq!(diameter.px(|_| None), None);
    }

    #[test]
    fn joints_that_the_skeleton_lacks_are_named() {
        let error = Diameter::of(&FLIC9, &["neck".to_owned(), "right_hip".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "`diameter` ends at `neck`, which `flic9` does not have");
        assert!(error.hint().unwrap().contains("left_shoulder"));
    }
}
