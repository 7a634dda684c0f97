//! Which detections of an image a person is compared with: in a crowd, comparing each with each would never end.

use schemas::tables::crowd::{Nearest, mean_place};
use schemas::tables::people::Pose;

/// Most detections of an image that are all compared with each person of it; of more, only the nearest are.
const ALL_COMPARED: usize = 256;
/// How many of the nearest those are.
const COMPARED: usize = 64;

/// The detections of an image, for its people.
pub(super) enum Candidates {
    /// All of so many.
    All(usize),
    /// The nearest by the mean of their points.
    Near(Nearest),
}

impl Candidates {
    /// Of detections with these points, `[K]` each, not finite where not found; `None` is out of question. A person who is
    /// `alone` in the image is compared with all.
    pub(super) fn new<'a>(
        detections: impl ExactSizeIterator<Item = Option<&'a [[f64; 2]]>>,
        alone: bool,
    ) -> Self {
        if alone || detections.len() <= ALL_COMPARED {
            return Self::All(detections.len());
        }
        let found = |point: &[f64; 2]| point.iter().all(|value| value.is_finite());
        let middle = |points: &[[f64; 2]]| mean_place(points.iter().copied().filter(found));
        Self::Near(Nearest::new(detections.map(|points| points.map(middle))))
    }

    /// The numbers of the detections for the person of `pose`, ascending.
    pub(super) fn of(&self, pose: &Pose) -> Vec<usize> {
        match self {
            Self::All(count) => (0..*count).collect(),
            Self::Near(nearest) => {
                let joints = (0..pose.keypoints.len()).filter_map(|joint| pose.joint(joint));
                nearest.to(mean_place(joints), usize::MAX, COMPARED)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Visibility;

    #[test]
    fn few_are_all_compared_and_many_by_distance() {
        let places: Vec<[[f64; 2]; 2]> =
            (0..300).map(|x| [[f64::from(x), 0.0], [f64::NAN, f64::NAN]]).collect();
        let mut pose = Pose::unknown(2);
        pose.set(0, [0.0, 0.0], Visibility::Visible);
        let of = |count: usize, alone| {
            let detections = places[..count].iter().map(|points| Some(&points[..]));
            Candidates::new(detections, alone).of(&pose)
        };
        assert_eq!(of(256, false), (0..256).collect::<Vec<_>>());
        assert_eq!(of(300, true).len(), 300);
        assert_eq!(of(300, false), (0..64).collect::<Vec<_>>());
    }
}
