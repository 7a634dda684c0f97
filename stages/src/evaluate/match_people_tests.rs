//! Who is whom in a picture.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use schemas::Visibility;
use schemas::columns::{fixed_list, numbers};
use schemas::skeleton::MPII16;
use schemas::tables::keypoints::{DETECTION_SCORE, PredictedPose};
use schemas::tables::people::Pose;
use schemas::tables::vector_array;

use super::*;

/// Somebody whose joints lie about (`x`, 50).
fn person(id: &str, image: &str, x: f64) -> Person {
    let mut pose = Pose::unknown(16);
    for joint in 0..16 {
        pose.set(
            joint,
            [x + f64::from(joint as u8), 50.0 + 4.0 * f64::from(joint as u8)],
            Visibility::Visible,
        );
    }
    Person {
        sample_id: id.into(),
        image_path: image.into(),
        split: "test".into(),
        person_index: Some(0),
        pose,
        ..Person::default()
    }
}

fn predictions(of: &[(&Person, f64, f64)]) -> RecordBatch {
    let pose = |(person, shift, _): &(&Person, f64, f64)| PredictedPose {
        sample_id: format!("d{shift}"),
        head: 1,
        keypoints: person.pose.keypoints.iter().map(|[x, y]| [x + shift, *y]).collect(),
        model: "net".into(),
        ..PredictedPose::default()
    };
    let poses: Vec<PredictedPose> = of.iter().map(pose).collect();
    let batch = keypoints::to_batch(&MPII16, &poses);
    let paths: ArrayRef =
        Arc::new(StringArray::from_iter_values(of.iter().map(|(person, ..)| &person.image_path)));
    let batch = with_column(&batch, Field::new("image_path", DataType::Utf8, false), paths).unwrap();
    let boxes: Vec<[f64; 4]> =
        of.iter().map(|(person, shift, _)| frame_of(person).map(|side| side + shift)).collect();
    let boxes = vector_array(boxes.iter().map(|one| Some(&one[..])), 4);
    let batch = with_column(&batch, Field::new(BOX, fixed_list(DataType::Float64, 4), true), boxes).unwrap();
    let scores: arrow::array::Float64Array = of.iter().map(|(.., score)| Some(*score)).collect();
    with_column(&batch, Field::new(DETECTION_SCORE, DataType::Float64, true), Arc::new(scores)).unwrap()
}

fn frame_of(person: &Person) -> [f64; 4] {
    corners(PersonBox::of(person, BoxRule::default(), None).unwrap().xywh)
}

fn run(plan: &str, truth: &[Person], predicted: RecordBatch) -> (Vec<(String, f64)>, Gathered) {
    let context = BuildContext { name: "match".into(), seed: 0, threads: 1, folder: ".".into() };
    let config: MatchPeopleConfig = toml::from_str(plan).unwrap();
    let mut given = Vec::new();
    let truth = vec![people::to_batch(&MPII16, truth)];
    let mut give = |batch: RecordBatch| {
        let scores = numbers(&batch, DETECTION_SCORE)?.values().to_vec();
        given.extend(strings(&batch, "sample_id")?.iter().map(|id| id.unwrap().to_owned()).zip(scores));
        Ok(())
    };
    let gathered = config.build(&context).run([&truth, &vec![predicted]], "", &mut give).unwrap();
    (given, gathered)
}

#[test]
fn the_most_alike_are_matched_first_and_the_rest_is_counted() {
    let truth = [person("a", "1.jpg", 10.0), person("b", "1.jpg", 60.0), person("c", "2.jpg", 10.0)];
    // Two see `a`, the surer one worse; nobody sees `c`, and one sees somebody in a picture without people.
    let stranger = person("x", "3.jpg", 10.0);
    let predicted = predictions(&[
        (&truth[0], 3.0, 0.9),
        (&truth[1], 1.0, 0.5),
        (&truth[0], 0.5, 0.4),
        (&stranger, 0.0, 0.8),
    ]);
    for plan in ["", "by = { box = {} }"] {
        let (matched, gathered) = run(plan, &truth, predicted.clone());
        assert_eq!(matched, [("b".to_owned(), 0.5), ("a".to_owned(), 0.4)], "{plan}");
        assert_eq!(gathered.rejects.len(), 2);
        assert_eq!(gathered.rejects[0].reason, "detection of nobody");
        assert_eq!(gathered.notes[0], "2 predictions matched, 2 of nobody");
        assert!(
            gathered.notes[1].starts_with("model `net`, head 1: 1 of 3 people missed"),
            "{:?}",
            gathered.notes
        );
    }
}

#[test]
fn what_is_not_alike_enough_is_nobody() {
    let truth = [person("a", "1.jpg", 10.0)];
    let predicted = predictions(&[(&truth[0], 8.0, 0.9)]);
    assert_eq!(run("by = { box = { minimum = 0.5 } }", &truth, predicted.clone()).0.len(), 0);
    assert_eq!(run("by = { box = { minimum = 0.1 } }", &truth, predicted.clone()).0.len(), 1);
    assert_eq!(run("by = { oks = { minimum = 0.99 } }", &truth, predicted.clone()).0.len(), 0);
    assert_eq!(run("", &truth, predicted).0.len(), 1);
}

#[test]
fn joints_are_compared_by_name() {
    let truth = [person("a", "1.jpg", 10.0)];
    let batch = predictions(&[(&truth[0], 0.0, 0.9)]);
    let context = BuildContext { name: "map".into(), seed: 0, threads: 1, folder: ".".into() };
    let mapped = toml::from_str::<crate::ingest::MapSkeletonConfig>("to = 'cpm14'").unwrap();
    let mapped = mapped.build(&context).unwrap();
    let batch = crate::Stage::run(&mapped, &batch).unwrap().rows;
    assert_eq!(run("by = { oks = { minimum = 0.8 } }", &truth, batch).0.len(), 1);
}
