use proptest::prelude::*;
use schemas::Visibility;
use schemas::skeleton::MPII16;
use schemas::tables::people::Person;

use super::super::fixtures::{FIRST_HEAD, noisy_prediction, person, person_of, prediction};
use super::super::{Protocol, evaluate_pose};
use super::*;
use schemas::tables::keypoints::PredictedPose;

fn joined<'a>(people: &'a [Person], poses: &'a [PredictedPose], protocol: Protocol) -> ScoredPoses<'a> {
    let options = EvaluateOptions::new(protocol);
    ScoredPoses::join(people, &MPII16, poses, &MPII16, &options).unwrap().unwrap()
}

/// Classes of the only person, joint by joint.
fn classes(person: &Person, pose: PredictedPose) -> Vec<Option<ErrorType>> {
    let (people, poses) = ([person.clone()], [pose]);
    let scored = joined(&people, &poses, Protocol::MpiiOfficial);
    classify(&scored, FIRST_HEAD).unwrap().remove(0)
}

/// A person whose joints stand so far apart that none is near another, head size 30 px.
fn spread_person() -> Person {
    let mut person = person("a", 1);
    person.head_box = Some([0.0, 0.0, 30.0, 40.0]);
    for joint in 0..16 {
        person.pose.set(joint, [100.0 * joint as f64, 50.0], Visibility::Visible);
    }
    person
}

fn names() -> Vec<&'static str> {
    Protocol::MpiiOfficial.rules().unwrap().parts.iter().map(super::super::rules::Part::name).collect()
}

#[test]
fn the_limits_of_the_similarity_are_those_of_the_paper() {
    assert_eq!(similarity(0.5, 0.5), NEAR_SIMILARITY);
    assert_eq!((similarity(0.0, 0.5), similarity(f64::NAN, 0.5)), (1.0, 0.0));
    // 0.85 is at sqrt(log2(1 / 0.85)) thresholds.
    assert!((similarity(0.484_218 * 0.2, 0.2) - GOOD_SIMILARITY).abs() < 1e-5);
}

#[test]
fn a_joint_goes_from_good_to_jitter_to_miss_as_it_moves_away() {
    let person = spread_person();
    // The threshold is 15 px, half a head; good ends at 7.26 px.
    for (by, expected) in
        [(7.2, ErrorType::Good), (7.3, ErrorType::Jitter), (15.0, ErrorType::Jitter), (15.1, ErrorType::Miss)]
    {
        let mut pose = prediction(&person, 1);
        pose.keypoints.iter_mut().for_each(|point| point[1] += by);
        assert!(classes(&person, pose).iter().all(|class| *class == Some(expected)), "{by}");
    }
}

#[test]
fn swapped_sides_are_inversions_of_all_joints_that_have_a_side() {
    let person = spread_person();
    let mut pose = prediction(&person, 1);
    pose.keypoints = MPII16.mirrored().into_iter().map(|joint| person.pose.keypoints[joint]).collect();
    for (name, class) in names().into_iter().zip(classes(&person, pose)) {
        let sided = name.starts_with("left") || name.starts_with("right");
        assert_eq!(class, Some(if sided { ErrorType::Inversion } else { ErrorType::Good }), "{name}");
    }
}

#[test]
fn the_joints_of_another_person_are_swaps_mirrored_or_not() {
    let mut person = spread_person();
    let mut other = person.pose.clone();
    other.keypoints.iter_mut().for_each(|point| point[1] += 200.0);
    person.others = vec![Arc::new(other.clone())];
    let mut pose = prediction(&person, 1);
    pose.keypoints = other.keypoints.clone();
    assert!(classes(&person, pose.clone()).iter().all(|class| *class == Some(ErrorType::Swap)));
    pose.keypoints = MPII16.mirrored().into_iter().map(|joint| other.keypoints[joint]).collect();
    assert!(classes(&person, pose.clone()).iter().all(|class| *class == Some(ErrorType::Swap)));
    // A joint that the other has not annotated cannot be mistaken for it.
    person.others[0] = Arc::new(Pose::unknown(16));
    assert!(classes(&person, pose).iter().all(|class| *class == Some(ErrorType::Miss)));
}

#[test]
fn the_nearer_one_of_own_and_other_person_decides() {
    let mut person = spread_person();
    let mut other = Pose::unknown(16);
    // Four px beside the own left wrist stands the right wrist of somebody else.
    let [x, y] = person.pose.keypoints[15];
    other.set(10, [x, y + 4.0], Visibility::Visible);
    person.others = vec![Arc::new(other)];
    let right_wrist = names().iter().position(|name| *name == "right_wrist").unwrap();
    for (by, expected) in [(1.0, ErrorType::Inversion), (3.0, ErrorType::Swap)] {
        let mut pose = prediction(&person, 1);
        pose.keypoints[10] = [x, y + by];
        assert_eq!(classes(&person, pose)[right_wrist], Some(expected));
    }
}

#[test]
fn nothing_predicted_is_a_miss_and_nothing_annotated_has_no_class() {
    let mut person = spread_person();
    person.pose.set(0, [0.0; 2], Visibility::NotAnnotated);
    let mut pose = prediction(&person, 1);
    pose.keypoints[1] = [f64::NAN; 2];
    let classes = classes(&person, pose);
    assert_eq!(classes[..3], [None, Some(ErrorType::Miss), Some(ErrorType::Good)]);
    let people = [person];
    let stranger = [PredictedPose { sample_id: "z".into(), ..prediction(&people[0], 1) }];
    let scored = joined(&people, &stranger, Protocol::MpiiOfficial);
    let none = classify(&scored, FIRST_HEAD).unwrap();
    assert!(none[0][1..].iter().all(|class| *class == Some(ErrorType::Miss)));
}

#[test]
fn sticks_have_no_classes() {
    let people = [person("a", 1)];
    let poses = [prediction(&people[0], 1)];
    let options = EvaluateOptions::new(Protocol::LspPcpStrict);
    let scored = ScoredPoses::join(&people, &MPII16, &poses, &MPII16, &options).unwrap().unwrap();
    assert!(error_types(&scored, FIRST_HEAD, &options, &mut vec![]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Shares of each joint and group add up to 100, and good and jitter to the protocol's own rate.
    #[test]
    fn each_joint_has_one_class_and_right_ones_are_the_protocols(
        seed in 0_u64..1000,
        spread in 0.5_f64..60.0,
        annotated in 0.3_f64..1.0,
        protocol in prop::sample::select(vec![
            Protocol::MpiiOfficial, Protocol::MpiiMmpose, Protocol::MpiiGroups, Protocol::LspPck,
            Protocol::FlicPck, Protocol::FlicPckPredictedTorso,
        ]),
    ) {
        let mut people: Vec<Person> =
            (0..12).map(|n| person_of(&MPII16, &format!("p{n:02}"), n, annotated)).collect();
        let poses: Vec<Pose> = people.iter().map(|person| person.pose.clone()).collect();
        for (at, person) in people.iter_mut().enumerate() {
            person.others = vec![Arc::new(poses[(at + 1) % poses.len()].clone())];
        }
        let predicted: Vec<PredictedPose> =
            people.iter().skip(1).map(|person| noisy_prediction(person, seed, spread)).collect();
        let options = EvaluateOptions { resamples: 10, ..EvaluateOptions::new(protocol) };
        let scored = ScoredPoses::join(&people, &MPII16, &predicted, &MPII16, &options).unwrap().unwrap();
        let shares = error_types(&scored, FIRST_HEAD, &options, &mut vec![]).unwrap();
        let rates = evaluate_pose(&people, &MPII16, &predicted, &MPII16, &options).unwrap().metrics;
        for five in shares.chunks(5) {
            let metrics: Vec<&str> = five.iter().map(|m| m.metric.as_str()).collect();
            prop_assert_eq!(&metrics[..], ErrorType::ALL.map(ErrorType::metric));
            prop_assert!((five.iter().map(|m| m.value).sum::<f64>() - 100.0).abs() < 1e-9);
            let headline = scored.headline();
            let same = |m: &&Metric| {
                m.joint == five[0].joint && m.group == five[0].group && m.threshold == Some(headline)
                    && m.metric != "mean_at_0.1"
            };
            let rate = rates.iter().find(same).unwrap();
            prop_assert!((five[0].value + five[1].value - rate.value).abs() < 1e-9);
            prop_assert_eq!(five[0].count, rate.count);
            prop_assert!(five[4].ci_low.unwrap() <= five[4].value);
        }
    }
}
