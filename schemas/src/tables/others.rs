//! The other people of a person's image.

use std::fmt;
use std::iter::Chain;
use std::slice::Iter;
use std::sync::Arc;

use super::people::Pose;

/// Most labelled people of one image. Each row holds the poses of all others of its image, so their number grows with the
/// square: without a bound, a small file could fill memory and disk. The largest image of the known data sets has some
/// dozens.
pub const MOST_LABELLED: usize = 500;

/// The poses of the other labelled people of an image, in the file's order. The people of one image share them.
#[derive(Clone, Default)]
pub struct Others {
    all: Arc<[Pose]>,
    own: Option<usize>,
}

/// More labelled people in one image than a table can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an image must have at most {MOST_LABELLED} labelled people, found {found}")]
pub struct TooManyPeople {
    /// How many there are.
    pub found: usize,
}

impl Others {
    /// Those of each person of one image, whose own poses are `poses`.
    ///
    /// # Errors
    /// When more than [`MOST_LABELLED`] are labelled.
    pub fn of_image<'a>(poses: impl IntoIterator<Item = &'a Pose>) -> Result<Vec<Self>, TooManyPeople> {
        let mut labelled: Vec<Pose> = Vec::new();
        let mut places = Vec::new();
        for pose in poses {
            let is_labelled = pose.annotated() > 0;
            places.push(is_labelled.then_some(labelled.len()));
            labelled.extend(is_labelled.then(|| pose.clone()));
        }
        if labelled.len() > MOST_LABELLED {
            return Err(TooManyPeople { found: labelled.len() });
        }
        let all: Arc<[Pose]> = labelled.into();
        Ok(places.into_iter().map(|own| Self { all: Arc::clone(&all), own }).collect())
    }

    /// The poses, in order.
    pub fn iter(&self) -> Chain<Iter<'_, Pose>, Iter<'_, Pose>> {
        let (before, after) = match self.own {
            Some(own) => (&self.all[..own], &self.all[own + 1..]),
            None => (&self.all[..], &[][..]),
        };
        before.iter().chain(after)
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.all.len() - usize::from(self.own.is_some())
    }

    /// Whether nobody else is labelled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<Pose>> for Others {
    fn from(poses: Vec<Pose>) -> Self {
        Self { all: poses.into(), own: None }
    }
}

impl<'a> IntoIterator for &'a Others {
    type Item = &'a Pose;
    type IntoIter = Chain<Iter<'a, Pose>, Iter<'a, Pose>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Others {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Others {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visibility::Visibility;

    fn pose(x: f64) -> Pose {
        let mut pose = Pose::unknown(2);
        pose.set(0, [x, 1.0], Visibility::Visible);
        pose
    }

    #[test]
    fn everyone_has_the_labelled_ones_but_oneself() {
        let poses = [pose(1.0), Pose::unknown(2), pose(2.0), pose(3.0)];
        let others = Others::of_image(&poses).unwrap();
        let places = |row: usize| others[row].iter().map(|pose| pose.keypoints[0][0]).collect::<Vec<_>>();
        assert_eq!(places(0), [2.0, 3.0]);
        assert_eq!(places(1), [1.0, 2.0, 3.0]);
        assert_eq!(places(2), [1.0, 3.0]);
        assert_eq!([0, 1, 3].map(|row| others[row].len()), [2, 3, 2]);
        assert!(Others::of_image(&poses[..1]).unwrap()[0].is_empty());
    }

    #[test]
    fn a_crowd_is_refused() {
        let mut poses = vec![pose(1.0); MOST_LABELLED];
        poses.push(Pose::unknown(2));
        assert_eq!(Others::of_image(&poses).unwrap().len(), MOST_LABELLED + 1);
        poses.push(pose(1.0));
        assert_eq!(Others::of_image(&poses).unwrap_err(), TooManyPeople { found: MOST_LABELLED + 1 });
    }
}
