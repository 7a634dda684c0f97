//! The other people of an image: all of them, or the nearest where there are very many.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::people::{Person, Pose};

/// The most other people that a row holds: 64. No picture of MPII or COCO's keypoints has as many; without a bound, the rows
/// of a picture of N people would hold N x N poses.
pub const MOST_OTHERS: usize = 64;

/// The people of one image, each of whom others see.
#[derive(Debug)]
pub struct Crowd {
    /// In the image's order; `None` for who is not shown to others.
    poses: Vec<Option<Arc<Pose>>>,
    /// Absent where all others fit into a row.
    nearest: Option<Nearest>,
}

impl Crowd {
    /// Of `poses`, in the image's order; `None` stands for a person that others do not see.
    pub fn new(poses: impl IntoIterator<Item = Option<Pose>>) -> Self {
        let poses: Vec<Option<Arc<Pose>>> = poses.into_iter().map(|pose| pose.map(Arc::new)).collect();
        let seen = poses.iter().flatten().count();
        let nearest = (seen > MOST_OTHERS + 1)
            .then(|| Nearest::new(poses.iter().map(|pose| pose.as_ref().map(|pose| middle(pose)))));
        Self { poses, nearest }
    }

    /// The others that person `own` sees, in the image's order: all, or the [`MOST_OTHERS`] whose middles are nearest to
    /// that of `own`, or of `pose` where others do not see `own`.
    pub fn others_of(&self, own: usize, pose: &Pose) -> Vec<Arc<Pose>> {
        let kept: Vec<usize> = match &self.nearest {
            Some(nearest) => nearest.to(middle(pose), own, MOST_OTHERS),
            None => (0..self.poses.len()).filter(|at| *at != own).collect(),
        };
        kept.into_iter().filter_map(|at| self.poses[at].clone()).collect()
    }
}

fn middle(pose: &Pose) -> [f64; 2] {
    mean_place((0..pose.keypoints.len()).filter_map(|joint| pose.joint(joint)))
}

/// The mean of `places`; (0, 0) where it is not finite, or there is none.
pub fn mean_place(places: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    let (sum, count) =
        places.fold(([0.0; 2], 0.0), |([x, y], count), place| ([x + place[0], y + place[1]], count + 1.0));
    let middle = sum.map(|value| value / count);
    if middle.iter().all(|value| value.is_finite()) { middle } else { [0.0; 2] }
}

/// Finds the nearest of many places.
///
/// It is a k-d tree: of each part of `order`, the one in the middle divides those before from those behind along one axis, x and y
/// in turn.
#[derive(Debug)]
pub struct Nearest {
    places: Vec<[f64; 2]>,
    order: Vec<usize>,
}

/// A place that was found: its squared distance and its number, ordered by both.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found(f64, usize);

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl Nearest {
    /// Of `places`, which are numbered in their order; those that are `None` are not found.
    pub fn new(places: impl Iterator<Item = Option<[f64; 2]>>) -> Self {
        let (mut order, mut known) = (Vec::new(), Vec::new());
        for (number, place) in places.enumerate() {
            order.extend(place.map(|_| number));
            known.push(place.unwrap_or_default());
        }
        divide(&known, &mut order, 0);
        Self { places: known, order }
    }

    /// The numbers of the `count` places nearest to `place`, `own` left out, in ascending order. Of places at one distance,
    /// any may be left out, but always the same.
    pub fn to(&self, place: [f64; 2], own: usize, count: usize) -> Vec<usize> {
        let mut found = BinaryHeap::with_capacity(count + 1);
        self.search(&self.order, 0, place, own, count, &mut found);
        let mut numbers: Vec<usize> = found.into_iter().map(|Found(_, number)| number).collect();
        numbers.sort_unstable();
        numbers
    }

    fn search(
        &self,
        part: &[usize],
        axis: usize,
        place: [f64; 2],
        own: usize,
        count: usize,
        found: &mut BinaryHeap<Found>,
    ) {
        let Some(&middle) = part.get(part.len() / 2) else { return };
        let (before, behind) = (&part[..part.len() / 2], &part[part.len() / 2 + 1..]);
        let away = [0, 1].map(|axis| place[axis] - self.places[middle][axis]);
        if middle != own {
            found.push(Found(away[0] * away[0] + away[1] * away[1], middle));
            if found.len() > count {
                found.pop();
            }
        }
        let (near, far) = if away[axis] < 0.0 { (before, behind) } else { (behind, before) };
        self.search(near, 1 - axis, place, own, count, found);
        let full = found.len() == count;
        if !full || found.peek().is_some_and(|worst| away[axis] * away[axis] < worst.0) {
            self.search(far, 1 - axis, place, own, count, found);
        }
    }
}

fn divide(places: &[[f64; 2]], part: &mut [usize], axis: usize) {
    if part.len() > 1 {
        let by = |a: &usize, b: &usize| places[*a][axis].total_cmp(&places[*b][axis]).then(a.cmp(b));
        let (before, _, behind) = part.select_nth_unstable_by(part.len() / 2, by);
        divide(places, before, 1 - axis);
        divide(places, behind, 1 - axis);
    }
}

/// Gives each person of one image the poses of the other labelled ones; of more than
/// [`MOST_OTHERS`], the nearest.
pub fn fill_others<'a>(people: impl IntoIterator<Item = &'a mut Person>) {
    let people: Vec<&mut Person> = people.into_iter().collect();
    if people.len() > 1 {
        let labelled = |person: &Person| Some(&person.pose).filter(|pose| pose.annotated() > 0).cloned();
        let crowd = Crowd::new(people.iter().map(|person| labelled(person)));
        for (own, person) in people.into_iter().enumerate() {
            person.others = crowd.others_of(own, &person.pose);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Visibility;
    use proptest::prelude::*;

    fn at(place: [f64; 2]) -> Pose {
        let mut pose = Pose::unknown(3);
        pose.set(1, place, Visibility::Visible);
        pose
    }

    fn places(others: &[Arc<Pose>]) -> Vec<[f64; 2]> {
        others.iter().map(|pose| pose.keypoints[1]).collect()
    }

    #[test]
    fn all_others_are_kept_up_to_the_most() {
        for count in [1, 2, MOST_OTHERS + 1] {
            let poses: Vec<Pose> = (0..count).map(|x| at([x as f64, 3.0])).collect();
            let crowd = Crowd::new(poses.iter().cloned().map(Some));
            for (own, pose) in poses.iter().enumerate() {
                let expected: Vec<_> = (0..count).filter(|x| *x != own).map(|x| [x as f64, 3.0]).collect();
                assert_eq!(places(&crowd.others_of(own, pose)), expected);
            }
        }
    }

    #[test]
    fn who_is_not_seen_sees_others() {
        let mut poses: Vec<Option<Pose>> = (0..200).map(|x| Some(at([f64::from(x), 0.0]))).collect();
        poses[7] = None;
        let others = Crowd::new(poses).others_of(7, &at([0.0, 0.0]));
        let expected: Vec<_> = (0..=64).filter(|x| *x != 7).map(|x| [f64::from(x), 0.0]).collect();
        assert_eq!(places(&others), expected);
        assert!(Crowd::new([None, Some(at([1.0, 1.0]))]).others_of(1, &at([1.0, 1.0])).is_empty());
    }

    proptest! {
        #[test]
        fn the_nearest_are_those_of_all_distances(
            spots in prop::collection::vec((0..30_i32, 0..30_i32), 66..300), own in 0..66_usize,
        ) {
            let spots: Vec<[f64; 2]> = spots.iter().map(|(x, y)| [f64::from(*x), f64::from(*y)]).collect();
            let crowd = Crowd::new(spots.iter().map(|spot| Some(at(*spot))));
            let away = |spot: &[f64; 2]| (spot[0] - spots[own][0]).powi(2) + (spot[1] - spots[own][1]).powi(2);
            let mut expected: Vec<f64> =
                spots.iter().enumerate().filter(|(number, _)| *number != own).map(|(_, spot)| away(spot)).collect();
            expected.sort_by(f64::total_cmp);
            expected.truncate(MOST_OTHERS);
            let mut found: Vec<f64> =
                places(&crowd.others_of(own, &at(spots[own]))).iter().map(away).collect();
            found.sort_by(f64::total_cmp);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_crowd_in_one_place_is_no_harder() {
        let poses: Vec<Pose> = (0..50_000).map(|_| at([5.0, 5.0])).collect();
        let crowd = Crowd::new(poses.iter().cloned().map(Some));
        for own in [0, 25_000, 49_999] {
            assert_eq!(crowd.others_of(own, &poses[own]).len(), MOST_OTHERS);
        }
        let nowhere = at([f64::INFINITY, 1.0]);
        assert_eq!(crowd.others_of(3, &nowhere).len(), MOST_OTHERS);
    }
}
