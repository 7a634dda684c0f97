//! One rate, broken down by properties of people and joints: size in the picture, visibility, data set.

use schemas::Visibility;
use schemas::tables::people::{Person, Pose};

use super::bootstrap::intervals;
use super::options::EvaluateOptions;
use super::output_head::OutputHead;
use super::scored::{ScoredPerson, ScoredPoses};

/// People of one slice by size, at least: below, fewer slices are made.
const LEAST_PEOPLE: usize = 10;
/// Most slices by size.
const MOST_SIZES: usize = 4;

/// The rate of some joints of some people.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// By what it is cut.
    pub by: &'static str,
    /// Which part of it this is.
    pub label: String,
    /// People with a scored joint in it.
    pub people: usize,
    /// Annotated joints (or sticks) in it.
    pub count: u64,
    /// Percent that is right at the protocol's threshold, all joints of the total pooled.
    pub value: f64,
    /// 95 % bootstrap interval over people.
    pub ends: Option<[f64; 2]>,
}

/// The rate at the protocol's threshold of all, by person size, by visibility and by data set and split, for `head`.
///
/// Size is the person's height by the column `scale` where everyone has one, else the longer side of the box about the
/// annotated joints; its borders are quartiles of the people who are scored. A slice without joints is left out.
pub fn slices(scored: &ScoredPoses<'_>, head: OutputHead<'_>, options: &EvaluateOptions) -> Vec<Slice> {
    let errors = scored.errors(head);
    let parts: Vec<usize> = scored.total().parts.iter().map(|name| scored.rules.part(name)).collect();
    let mut cut: Vec<(&'static str, String, Vec<[u32; 2]>)> = Vec::new();
    // Right and annotated parts of each person, of those that `keep` admits.
    let tally = |keep: &dyn Fn(usize, usize) -> bool| -> Vec<[u32; 2]> {
        let of_person = |(row, errors): (usize, &Vec<Option<f64>>)| {
            let kept = parts.iter().filter(|&&part| keep(row, part)).filter_map(|&part| errors[part]);
            kept.fold([0, 0], |[right, all], error| [right + u32::from(scored.near(error)), all + 1])
        };
        errors.iter().enumerate().map(of_person).collect()
    };
    cut.push(("all", "all".to_owned(), tally(&|_, _| true)));
    let (what, sizes) = sizes(&scored.people);
    for [low, high] in quantiles(&sizes) {
        let label = format!("{low:.0} to {high:.0} px");
        cut.push((what, label, tally(&|row, _| (low..=high).contains(&sizes[row]))));
    }
    if let Some(joints) = scored.measure.joints() {
        for (visibility, label) in [(Visibility::Visible, "visible"), (Visibility::Occluded, "occluded")] {
            let seen =
                |row: usize, part: usize| scored.people[row].seen.visibility[joints[part][0]] == visibility;
            cut.push(("visibility", label.to_owned(), tally(&seen)));
        }
    }
    let sets: Vec<String> =
        scored.people.iter().map(|one| format!("{}, {}", one.person.dataset, one.person.split)).collect();
    let mut names: Vec<&String> = sets.iter().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        cut.push(("data set", name.clone(), tally(&|row, _| sets[row] == *name)));
    }
    cut.retain(|(.., counts)| counts.iter().any(|[_, all]| *all > 0));
    rates(cut, errors.len(), options)
}

/// The slices of `cut`, with their intervals from the same resamples.
fn rates(
    cut: Vec<(&'static str, String, Vec<[u32; 2]>)>,
    people: usize,
    options: &EvaluateOptions,
) -> Vec<Slice> {
    let statistic = |weights: &[u32]| -> Vec<f64> {
        let rate = |counts: &Vec<[u32; 2]>| {
            let (right, all) =
                counts.iter().zip(weights).fold((0_u64, 0_u64), |(right, all), (count, weight)| {
                    let [more_right, more] = count.map(|count| u64::from(count * weight));
                    (right + more_right, all + more)
                });
            100.0 * right as f64 / all as f64
        };
        cut.iter().map(|(.., counts)| rate(counts)).collect()
    };
    let values = statistic(&vec![1; people]);
    let ends = match options.resamples {
        0 => vec![None; values.len()],
        resamples => intervals(people, resamples, options.seed, &values, statistic),
    };
    let slice = |((by, label, counts), (value, ends)): ((_, _, Vec<[u32; 2]>), _)| Slice {
        by,
        label,
        people: counts.iter().filter(|[_, all]| *all > 0).count(),
        count: counts.iter().map(|[_, all]| u64::from(*all)).sum(),
        value,
        ends,
    };
    let rated: Vec<(f64, Option<[f64; 2]>)> = values.into_iter().zip(ends).collect();
    cut.into_iter().zip(rated).map(slice).collect()
}

/// The size of each person in px, `[N]`, and what it is.
fn sizes(people: &[ScoredPerson<'_>]) -> (&'static str, Vec<f64>) {
    let height = |person: &Person| person.scale.map(|scale| 200.0 * scale).filter(|h| h.is_finite());
    let heights: Option<Vec<f64>> = people.iter().map(|one| height(one.person)).collect();
    match heights {
        Some(heights) => ("person height (scale)", heights),
        None => ("box of the joints", people.iter().map(|one| longer_side(&one.seen)).collect()),
    }
}

fn longer_side(pose: &Pose) -> f64 {
    let side = |axis: usize| {
        let places = || (0..pose.keypoints.len()).filter_map(|joint| Some(pose.joint(joint)?[axis]));
        places().fold(f64::NEG_INFINITY, f64::max) - places().fold(f64::INFINITY, f64::min)
    };
    side(0).max(side(1))
}

/// Ranges that hold about as many of `sizes` each; equal sizes stand in one range.
fn quantiles(sizes: &[f64]) -> Vec<[f64; 2]> {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let wanted = (sorted.len() / LEAST_PEOPLE).clamp(1, MOST_SIZES);
    let mut ranges: Vec<[f64; 2]> = Vec::new();
    let mut start = 0;
    for number in 1..=wanted {
        let mut end = (sorted.len() * number / wanted).max(start);
        while end > start && end < sorted.len() && sorted[end] == sorted[end - 1] {
            end += 1;
        }
        if end > start {
            ranges.push([sorted[start], sorted[end - 1]]);
        }
        start = end;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{FIRST_HEAD, noisy_prediction, person};
    use super::super::{Protocol, evaluate_pose};
    use super::*;
    use schemas::skeleton::MPII16;
    use schemas::tables::keypoints::PredictedPose;

    fn sliced(count: i32) -> (Vec<Slice>, f64) {
        let mut people: Vec<Person> = (0..count).map(|n| person(&format!("p{n:03}"), n)).collect();
        for (at, person) in people.iter_mut().enumerate() {
            person.scale = Some(1.0 + (at / 3) as f64 / 10.0);
            person.split = if at % 2 == 0 { "train".into() } else { "test".into() };
        }
        let poses: Vec<PredictedPose> = people.iter().map(|one| noisy_prediction(one, 2, 9.0)).collect();
        let options = EvaluateOptions { resamples: 50, ..EvaluateOptions::new(Protocol::MpiiOfficial) };
        let scored = ScoredPoses::join(&people, &MPII16, &poses, &MPII16, &options).unwrap().unwrap();
        let metrics = evaluate_pose(&people, &MPII16, &poses, &MPII16, &options).unwrap().metrics;
        let total = metrics
            .iter()
            .find(|m| m.metric == "pckh" && m.group.as_deref() == Some("total") && m.threshold == Some(0.5));
        (slices(&scored, FIRST_HEAD, &options), total.unwrap().value)
    }

    #[test]
    fn slices_of_one_kind_add_up_to_all() {
        let (slices, total) = sliced(60);
        let all = &slices[0];
        assert!((all.value - total).abs() < 1e-9, "{} {total}", all.value);
        for by in ["person height (scale)", "visibility", "data set"] {
            let of_kind: Vec<&Slice> = slices.iter().filter(|slice| slice.by == by).collect();
            assert!(of_kind.len() >= 2, "{by}");
            assert_eq!(of_kind.iter().map(|slice| slice.count).sum::<u64>(), all.count, "{by}");
            let right: f64 = of_kind.iter().map(|slice| slice.value * slice.count as f64).sum();
            assert!((right / all.count as f64 - total).abs() < 1e-9, "{by}");
            let [low, high] = of_kind[0].ends.unwrap();
            assert!(low <= of_kind[0].value && of_kind[0].value <= high);
        }
    }

    #[test]
    fn few_people_are_not_cut_by_size() {
        let (slices, _) = sliced(8);
        assert_eq!(slices.iter().filter(|slice| slice.by == "person height (scale)").count(), 1);
    }

    #[test]
    fn equal_sizes_stay_together_and_all_are_covered() {
        let mut sizes = vec![5.0; 30];
        sizes.extend((0..10).map(f64::from).map(|v| v + 10.0));
        let ranges = quantiles(&sizes);
        let hits = |size: &f64| ranges.iter().filter(|[low, high]| (*low..=*high).contains(size)).count();
        assert!(sizes.iter().all(|size| hits(size) == 1), "{ranges:?}");
        assert!(quantiles(&[]).is_empty());
    }
}
