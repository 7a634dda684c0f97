//! Whole evaluations by similarity, on people made here. `python/tests/test_oks.py` compares them with the reference
//! evaluator.

use proptest::prelude::*;
use schemas::skeleton::COCO17;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::metrics::Metric;
use schemas::tables::people::{Person, Pose};
use schemas::tables::regions::{self, Region, Why};

use super::MOST_DETECTIONS;
use crate::evaluate::fixtures::{noisy_prediction, person_of, prediction};
use crate::evaluate::{EvaluateError, EvaluateOptions, Evaluation, Protocol, evaluate_pose};

/// A person of the picture `image` with an area of 10,000 px².
fn person(image: &str, index: i32) -> Person {
    let stated = r#"{"coco":{"image_id":1,"area":10000,"bbox":[0,0,100,150]}}"#;
    let id = image.bytes().map(u32::from).sum::<u32>().to_string();
    Person {
        image_path: image.to_owned(),
        attributes: Some(stated.replacen('1', &id, 1)),
        ..person_of(&COCO17, &format!("{image}-{index}"), index, 0.8)
    }
}

/// A detection of `person` with this score, whose joints are `shift` px off.
fn detection(person: &Person, score: f64, shift: f64) -> PredictedPose {
    let mut pose = prediction(person, 1);
    for point in &mut pose.keypoints {
        *point = if point[0].is_nan() { [50.0, 50.0] } else { [point[0] + shift, point[1]] };
    }
    PredictedPose { detection_score: Some(score), image_path: Some(person.image_path.clone()), ..pose }
}

/// As [`detection`], of nobody in particular.
fn stray(person: &Person, id: &str, score: f64, shift: f64) -> PredictedPose {
    PredictedPose { sample_id: id.to_owned(), ..detection(person, score, shift) }
}

fn options(resamples: u32) -> EvaluateOptions {
    EvaluateOptions { resamples, ..EvaluateOptions::new(Protocol::CocoOks) }
}

fn scored(people: &[Person], poses: &[PredictedPose], options: &EvaluateOptions) -> Evaluation {
    evaluate_pose(people, &COCO17, poses, &COCO17, options).unwrap()
}

fn value(rows: &[Metric], metric: &str, group: &str, threshold: Option<f64>) -> Option<f64> {
    let is_it = |row: &&Metric| {
        row.metric == metric && row.group.as_deref() == Some(group) && row.threshold == threshold
    };
    rows.iter().find(is_it).map(|row| row.value)
}

/// Whether a rate is 100, but for what the reference evaluator adds to what it divides by.
fn is_all(rate: Option<f64>) -> bool {
    rate.is_some_and(|rate| (rate - 100.0).abs() < 1e-9)
}

#[test]
fn false_people_lower_precision_and_missed_ones_recall() {
    let people = [person("a.jpg", 0), person("a.jpg", 1), person("b.jpg", 0)];
    let poses = [
        detection(&people[0], 0.5, 0.0),
        stray(&people[0], "far", 0.9, 4000.0),
        stray(&people[2], "elsewhere", 0.1, 4000.0),
    ];
    let Evaluation { metrics, notes, rejects } = scored(&people, &poses, &options(0));
    assert!(rejects.is_empty());
    // One of three is found, behind a false one: precision 1/2 up to a recall of 1/3, 34 of 101 places.
    let expected = 100.0 * 34.0 * 0.5 / 101.0;
    assert!((value(&metrics, "ap", "total", None).unwrap() - expected).abs() < 1e-9);
    assert_eq!(value(&metrics, "ar", "total", Some(0.75)), Some(100.0 * (1.0 / 3.0)));
    let counts = ["people_found", "people_missed", "people_false"];
    let counts = counts.map(|metric| value(&metrics, metric, "total", Some(0.5)));
    assert_eq!(counts, [Some(1.0), Some(2.0), Some(2.0)]);
    assert_eq!(value(&metrics, "ap", "medium", None), None);
    assert!(notes.iter().any(|note| note.contains("nobody who counts is in `medium`")), "{notes:?}");
    let nose = metrics.iter().filter(|row| row.metric == "ks" && row.threshold == Some(0.5));
    assert!(nose.clone().count() > 5 && nose.clone().all(|row| row.value == 100.0 && row.count == 1));
}

#[test]
fn crowds_and_people_without_joints_are_neither_found_nor_missed() {
    let mut people = [person("a.jpg", 0), person("a.jpg", 1)];
    people[1].pose = Pose::unknown(17);
    people[1].attributes = Some(r#"{"coco":{"image_id":1,"area":900,"bbox":[2000,0,30,30]}}"#.into());
    regions::add(&mut people, &[Region::at(Why::Crowd, Some([4000.0, 0.0, 400.0, 400.0]))]);
    let mut in_crowd = stray(&people[0], "in-crowd", 0.9, 0.0);
    in_crowd.keypoints.iter_mut().for_each(|point| *point = [4100.0, 200.0]);
    let second = PredictedPose { sample_id: "in-crowd-too".into(), ..in_crowd.clone() };
    let mut unlabelled = stray(&people[0], "unlabelled", 0.8, 0.0);
    unlabelled.keypoints.iter_mut().for_each(|point| *point = [2010.0, 10.0]);
    let again = PredictedPose { sample_id: "unlabelled-too".into(), ..unlabelled.clone() };
    let poses = [detection(&people[0], 0.5, 0.0), in_crowd, second, unlabelled, again];
    let metrics = scored(&people, &poses, &options(0)).metrics;
    // Only the second detection of the person without joints is false.
    assert_eq!(value(&metrics, "people_false", "total", Some(0.5)), Some(1.0));
    assert_eq!(value(&metrics, "ap", "total", None), Some(50.0));
    assert_eq!(metrics.iter().find(|row| row.metric == "ap").unwrap().count, 1);
}

#[test]
fn more_detections_than_count_are_counted_as_such() {
    let people = [person("a.jpg", 0)];
    let far = |number: usize| stray(&people[0], &format!("far-{number}"), 0.9, 4000.0);
    let mut poses: Vec<PredictedPose> = (0..MOST_DETECTIONS).map(far).collect();
    poses.push(detection(&people[0], 0.1, 0.0));
    let Evaluation { metrics, notes, .. } = scored(&people, &poses, &options(0));
    assert_eq!(value(&metrics, "ar", "total", None), Some(0.0));
    assert!(notes.iter().any(|note| note.contains("1 of 21 predictions are beyond the 20")), "{notes:?}");
}

#[test]
fn scores_that_are_no_numbers_are_refused() {
    let people = [person("a.jpg", 0)];
    let refused = |pose: PredictedPose| {
        evaluate_pose(&people, &COCO17, &[pose], &COCO17, &options(0)).unwrap_err().to_string()
    };
    let message = refused(detection(&people[0], f64::NAN, 0.0));
    assert_eq!(
        message,
        "the prediction `a.jpg-0` has the `detection_score` NaN; scores must be finite numbers"
    );
    let mut joints = PredictedPose { detection_score: None, ..detection(&people[0], 0.0, 0.0) };
    joints.score = Some(vec![0.5; 17]);
    let metrics = scored(&people, std::slice::from_ref(&joints), &options(0)).metrics;
    assert!(is_all(value(&metrics, "ap", "total", None)));
    joints.score = Some(vec![f64::INFINITY; 17]);
    assert!(refused(joints).contains("has the `score` inf"));
}

#[test]
fn one_annotation_twice_is_refused() {
    let mut people = [person("a.jpg", 0), person("b.jpg", 0)];
    for one in &mut people {
        one.attributes = Some(r#"{"coco":{"annotation_id":7,"area":100,"bbox":[0,0,10,10]}}"#.into());
    }
    let poses = [detection(&people[0], 0.5, 0.0)];
    let error = evaluate_pose(&people, &COCO17, &poses, &COCO17, &options(0)).unwrap_err();
    let (sample_id, file) = ("b.jpg-0".to_owned(), "made-up.mat".to_owned());
    assert_eq!(error, EvaluateError::DuplicateAnnotation { sample_id, id: 7, file });
}

#[test]
fn predictions_without_a_path_belong_to_the_picture_of_their_person() {
    let people = [person("a.jpg", 0), person("b.jpg", 0)];
    let with: Vec<PredictedPose> = people.iter().map(|one| detection(one, 0.5, 3.0)).collect();
    let mut without = with.clone();
    for pose in &mut without {
        pose.image_path = None;
    }
    assert_eq!(scored(&people, &with, &options(20)), scored(&people, &without, &options(20)));
    let stranger = PredictedPose { sample_id: "z".into(), ..without[0].clone() };
    let notes = scored(&people, &[without[0].clone(), stranger], &options(0)).notes.join("\n");
    assert!(notes.contains("1 predictions belong to no picture that is scored, such as `z`"), "{notes}");
    assert!(notes.contains("1 of 2 pictures have no prediction"), "{notes}");
}

#[test]
fn data_sets_stand_apart_where_there_are_several() {
    let mut people = [person("a.jpg", 0), person("b.jpg", 0)];
    people[1].split = "train".into();
    let poses = [detection(&people[0], 0.5, 0.0), stray(&people[1], "far", 0.9, 4000.0)];
    let metrics = scored(&people, &poses, &options(0)).metrics;
    assert!(is_all(value(&metrics, "ap", "mpii, validation", None)));
    assert_eq!(value(&metrics, "ap", "mpii, train", None), Some(0.0));
    let split = EvaluateOptions { split: Some("train".into()), ..options(0) };
    let metrics = scored(&people, &poses, &split).metrics;
    assert_eq!(value(&metrics, "people_missed", "total", Some(0.5)), Some(1.0));
}

#[test]
fn people_without_an_area_are_measured_by_their_box_and_said() {
    let mut people = [person("a.jpg", 0)];
    people[0].attributes = None;
    let poses = [detection(&people[0], 0.5, 0.0)];
    let notes = scored(&people, &poses, &options(0)).notes.join("\n");
    assert!(notes.contains("1 people state no area"), "{notes}");
    assert!(notes.contains("not comparable with published numbers on COCO val2017"), "{notes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_the_order_of_rows_nor_of_threads_shows(seed in 0..500_u64, spread in 0.5..60.0, count in 1..8) {
        let people: Vec<Person> = (0..count).map(|at| person(&format!("{}.jpg", at / 2), at)).collect();
        let mut poses: Vec<PredictedPose> = Vec::new();
        for (at, one) in people.iter().enumerate() {
            let score = 0.1 + at as f64 / 20.0;
            let pose = noisy_prediction(one, seed, spread);
            poses.push(PredictedPose { detection_score: Some(score), ..pose });
        }
        let expected = scored(&people, &poses, &options(30));
        for row in &expected.metrics {
            let rate = !row.metric.starts_with("people");
            prop_assert!(!rate || (0.0..=100.0).contains(&row.value), "{row:?}");
            if let Some((low, high)) = row.ci_low.zip(row.ci_high) {
                prop_assert!(low <= row.value && row.value <= high, "{row:?}");
            }
        }
        let (mut turned_people, mut turned) = (people.clone(), poses.clone());
        turned_people.reverse();
        turned.reverse();
        prop_assert_eq!(scored(&turned_people, &turned, &options(30)), expected);
    }

    #[test]
    fn a_perfect_prediction_is_right_everywhere(count in 1..8) {
        let people: Vec<Person> = (0..count).map(|at| person(&format!("{}.jpg", at / 2), at)).collect();
        let poses: Vec<PredictedPose> = people.iter().map(|one| detection(one, 0.5, 0.0)).collect();
        for row in scored(&people, &poses, &options(10)).metrics {
            let perfect = ["ap", "ar", "ks", "ks_good"].contains(&row.metric.as_str());
            prop_assert!(!perfect || (is_all(Some(row.value)) && is_all(row.ci_low)), "{row:?}");
        }
    }
}
