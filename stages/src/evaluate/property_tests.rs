//! Laws that hold for every protocol.

use proptest::prelude::*;
use schemas::skeleton::{LSP14, MPII16, Skeleton};
use schemas::tables::metrics::Metric;
use schemas::tables::people::Person;

use super::fixtures::{noisy_prediction, person_of, prediction};
use super::rules::Comparator;
use super::{EvaluateOptions, Protocol, evaluate_pose};
use schemas::tables::keypoints::PredictedPose;

/// Protocols that compare places, each with a skeleton that has all their joints.
fn protocols() -> impl Strategy<Value = (Protocol, &'static Skeleton)> {
    let places = Protocol::ALL.into_iter().filter(|protocol| protocol.rules().is_some());
    let with_skeleton = |p: Protocol| if p.name().starts_with("mpii") { (p, &*MPII16) } else { (p, &*LSP14) };
    prop::sample::select(places.map(with_skeleton).collect::<Vec<_>>())
}

fn population(skeleton: &Skeleton, seed: u64, count: i32, spread: f64) -> (Vec<Person>, Vec<PredictedPose>) {
    let named = |index| person_of(skeleton, &format!("p{seed}-{index}"), index, 0.8);
    let people: Vec<Person> = (0..count).map(named).collect();
    let predictions = people.iter().map(|person| noisy_prediction(person, seed, spread)).collect();
    (people, predictions)
}

fn score(
    people: &[Person],
    predictions: &[PredictedPose],
    protocol: Protocol,
    skeleton: &'static Skeleton,
) -> Vec<Metric> {
    let options = EvaluateOptions { resamples: 40, seed: 5, ..EvaluateOptions::new(protocol) };
    let evaluation = evaluate_pose(people, skeleton, predictions, skeleton, &options).unwrap();
    assert!(evaluation.rejects.is_empty(), "{:?}", evaluation.rejects);
    evaluation.metrics
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rates_grow_with_the_threshold_and_stay_in_range(
        (protocol, skeleton) in protocols(), seed in 0..1_000_u64, count in 1..12, spread in 0.1..60.0
    ) {
        let (people, predictions) = population(skeleton, seed, count, spread);
        let metrics = score(&people, &predictions, protocol, skeleton);
        prop_assert!(metrics.iter().all(|m| (0.0..=100.0 + 1e-9).contains(&m.value) && m.count > 0));
        for pair in metrics.windows(2) {
            let same = |m: &Metric| (m.metric.clone(), m.joint.clone(), m.group.clone());
            if same(&pair[0]) == same(&pair[1]) {
                prop_assert!(pair[0].threshold < pair[1].threshold);
                prop_assert!(pair[0].value <= pair[1].value + 1e-9, "{pair:?}");
            }
        }
    }

    #[test]
    fn an_interval_holds_its_value(
        (protocol, skeleton) in protocols(), seed in 0..1_000_u64, count in 1..12, spread in 0.1..60.0
    ) {
        let (people, predictions) = population(skeleton, seed, count, spread);
        for metric in score(&people, &predictions, protocol, skeleton) {
            let (low, high) = (metric.ci_low.unwrap(), metric.ci_high.unwrap());
            prop_assert!(low <= metric.value && metric.value <= high, "{metric:?}");
            prop_assert!(low >= 0.0 && high <= 100.0 + 1e-9, "{metric:?}");
        }
    }

    #[test]
    fn a_perfect_prediction_is_right_everywhere(
        (protocol, skeleton) in protocols(), seed in 0..1_000_u64, count in 1..12
    ) {
        let (people, _) = population(skeleton, seed, count, 0.0);
        let rules = protocol.rules().unwrap();
        // Observer-centric protocols want observer-centric predictions.
        let seen = |person: &Person| {
            let measure = super::measure::Measure::new(protocol, rules, skeleton, skeleton).unwrap();
            let pose = measure.seen(&person.pose).unwrap_or_else(|| person.pose.clone());
            prediction(&Person { pose, ..person.clone() }, 1)
        };
        let predictions: Vec<PredictedPose> = people.iter().map(seen).collect();
        for metric in score(&people, &predictions, protocol, skeleton) {
            let below_zero = rules.comparator == Comparator::Below
                && (metric.threshold == Some(0.0) || metric.metric == "auc");
            prop_assert!(below_zero || (metric.value - 100.0).abs() < 1e-9, "{metric:?}");
        }
    }

    #[test]
    fn the_order_of_people_does_not_show(
        (protocol, skeleton) in protocols(), seed in 0..1_000_u64, count in 2..12
    ) {
        let (mut people, mut predictions) = population(skeleton, seed, count, 12.0);
        let before = score(&people, &predictions, protocol, skeleton);
        people.reverse();
        predictions.rotate_left(1);
        prop_assert_eq!(before, score(&people, &predictions, protocol, skeleton));
    }

    #[test]
    fn the_size_of_the_picture_does_not_show(
        (protocol, skeleton) in protocols(), seed in 0..1_000_u64, count in 1..12, factor in 0.05..20.0
    ) {
        let (people, predictions) = population(skeleton, seed, count, 12.0);
        let scaled = |points: &mut Vec<[f64; 2]>| {
            for point in points {
                *point = [point[0] * factor, point[1] * factor];
            }
        };
        let (mut large_people, mut large_predictions) = (people.clone(), predictions.clone());
        for person in &mut large_people {
            scaled(&mut person.pose.keypoints);
            person.head_box = person.head_box.map(|edges| edges.map(|edge| edge * factor));
        }
        for prediction in &mut large_predictions {
            scaled(&mut prediction.keypoints);
        }
        prop_assert_eq!(
            score(&people, &predictions, protocol, skeleton),
            score(&large_people, &large_predictions, protocol, skeleton)
        );
    }
}

#[test]
fn people_that_cannot_be_scored_are_rejects_and_do_not_count() {
    let (mut people, predictions) = population(&MPII16, 3, 6, 8.0);
    let options = EvaluateOptions { resamples: 20, ..EvaluateOptions::new(Protocol::MpiiOfficial) };
    let scored = |people: &[Person], predictions: &[PredictedPose]| {
        evaluate_pose(people, &MPII16, predictions, &MPII16, &options).unwrap()
    };
    let five = scored(&people[1..], &predictions[1..]);
    people[0].head_box = None;
    let six = scored(&people, &predictions);
    assert_eq!(five.metrics, six.metrics);
    assert_eq!(six.rejects.len(), 1);
    assert_eq!(six.rejects[0].source_record.as_deref(), Some("annolist(1)"));
    assert!(six.notes.iter().any(|note| note.starts_with("1 of 6 people have no usable normaliser")));

    // Everyone refused is a result with reasons, not a division by zero.
    for person in &mut people {
        person.head_box = None;
    }
    let none = scored(&people, &predictions);
    assert_eq!((none.metrics.len(), none.rejects.len()), (0, 6));
}

#[test]
fn stages_are_scored_apart() {
    let (people, mut predictions) = population(&MPII16, 3, 6, 8.0);
    let second = predictions.clone().into_iter().map(|pose| PredictedPose { head: 2, ..pose });
    predictions.extend(second);
    let metrics = score(&people, &predictions, Protocol::MpiiOfficial, &MPII16);
    let of =
        |head| -> Vec<f64> { metrics.iter().filter(|m| m.head == Some(head)).map(|m| m.value).collect() };
    assert!(!of(1).is_empty());
    assert_eq!(of(1), of(2));
}

#[test]
fn a_predicted_torso_of_no_length_counts_as_wrong() {
    let (people, mut predictions) = population(&LSP14, 4, 3, 0.0);
    let shoulder = LSP14.index_of("left_shoulder").unwrap();
    predictions[0].keypoints[shoulder] = predictions[0].keypoints[LSP14.index_of("right_hip").unwrap()];
    let options = EvaluateOptions { resamples: 0, ..EvaluateOptions::new(Protocol::FlicPckPredictedTorso) };
    let evaluation = evaluate_pose(&people, &LSP14, &predictions, &LSP14, &options).unwrap();
    assert!(evaluation.notes.iter().any(|note| note.contains("predictions have no torso; counted as wrong")));
    assert!(evaluation.rejects.is_empty());
}
