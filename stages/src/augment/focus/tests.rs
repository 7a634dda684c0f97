//! Crops around joints: where they lie, what rows keep, what is drawn and what is refused.

use proptest::prelude::*;
use schemas::columns::{affines, numbers, vectors_f64};
use schemas::skeleton::LSP14;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::people::{self, Person};
use schemas::tables::{check_version, displacements::Displacement, table_name};

use super::spread::tests::{row, write};
use super::stage::*;
use super::*;
use crate::augment::error::AugmentError;
use crate::augment::geometry;
use crate::augment::laws::{context, person};
use crate::stage::{FanOut, Stage, StageError};
use arrow::array::{Array, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field};
use schemas::Visibility;
use schemas::columns::{integers, points, skeleton_of, strings, with_column};
use schemas::tables::people::Pose;

/// A person of LSP whose joint j lies at (10 j, 100 + 3 j), but for those `missing`.
fn standing(id: &str, missing: &[&str]) -> Person {
    let mut pose = Pose::unknown(14);
    for (joint, name) in LSP14.joints.iter().enumerate().filter(|(_, name)| !missing.contains(name)) {
        let at = joint as f64;
        pose.set(
            joint,
            [10.0 * at, 100.0 + 3.0 * at],
            if name.ends_with("hip") { Visibility::Occluded } else { Visibility::Visible },
        );
    }
    Person { pose, others: vec![], ..person(id, [0.0; 2], 1.0) }
}

fn people_of(people: &[Person]) -> RecordBatch {
    people::to_batch(&LSP14, people)
}

/// A prediction of `person` as `decode` gives it, with what comes along.
fn predicted(person: &Person) -> RecordBatch {
    let pose = PredictedPose {
        sample_id: person.sample_id.clone(),
        head: 1,
        keypoints: person.pose.keypoints.clone(),
        score: Some(vec![0.5; 14]),
        model: "first".to_owned(),
        ..PredictedPose::default()
    };
    let rows = schemas::tables::keypoints::to_batch(&LSP14, &[pose]);
    let path = std::sync::Arc::new(arrow::array::StringArray::from(vec!["a.png"]));
    with_column(&rows, Field::new("image_path", DataType::Utf8, false), path).unwrap()
}

fn build(keys: &str) -> Result<Focus, StageError> {
    toml::from_str::<FocusConfig>(&format!("size = [220, 220]\n{keys}")).unwrap().build(&context("focus", 3))
}

/// Diameter of [`standing`]: left shoulder, joint 9, to right hip, joint 2.
fn diameter() -> f64 {
    70.0f64.hypot(21.0)
}

#[test]
fn every_joint_of_a_pose_is_in_the_middle_of_a_crop_of_its_own() {
    let batch = people_of(&[standing("a", &[]), standing("b", &[])]);
    let stage = build("side = 2").unwrap();
    let outcome = stage.run(&batch).unwrap();
    let rows = &outcome.rows;
    assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    assert_eq!((rows.num_rows(), outcome.taken, outcome.rejects.len()), (28, Some(2), 0));
    assert_eq!(
        integers(rows, JOINT_INDEX).unwrap().values()[..15],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0]
    );
    assert_eq!(strings(rows, "sample_id").unwrap().value(13), "a");
    let (crops, centers) =
        (affines(rows, "crop_from_image").unwrap(), vectors_f64(rows, "crop_center", 2).unwrap());
    for (at, (crop, places)) in crops.iter().zip(points(rows, "keypoints").unwrap()).enumerate() {
        let place = places[at % 14];
        let [x, y] = crop.apply(place);
        assert!((x - 110.0).abs() < 1e-9 && (y - 110.0).abs() < 1e-9, "{x} {y}");
        assert_eq!(centers.row(at).unwrap(), place);
        // The side is two diameters.
        assert!((crop.magnification() * 2.0 * diameter() - 220.0).abs() < 1e-9);
    }
    assert!(numbers(rows, "scale_factor").unwrap().values().iter().all(|factor| *factor == 1.0));
    // Annotations stay: the crop is that of a person.
    assert_eq!(rows.column_by_name("source_record").unwrap().len(), 28);
    assert_eq!(geometry::crop_size_of(rows.schema_ref()).unwrap(), [220, 220]);
    let nobody = stage.run(&batch.slice(0, 0)).unwrap();
    assert_eq!((nobody.rows.num_rows(), nobody.taken), (0, Some(0)));
}

#[test]
fn predictions_become_samples_again() {
    let batch = predicted(&standing("a", &[]));
    let rows = build("side = 1").unwrap().run(&batch).unwrap().rows;
    assert_eq!((rows.num_rows(), table_name(rows.schema_ref())), (14, Some("samples")));
    check_version(rows.schema_ref()).unwrap();
    assert_eq!(skeleton_of(rows.schema_ref()).unwrap(), &LSP14);
    for gone in ["score", "heatmap_mean", "model", "head"] {
        assert!(rows.column_by_name(gone).is_none(), "{gone}");
    }
    assert!(!rows.schema_ref().metadata().contains_key("motionmill.model"));
    let seen = schemas::columns::visibilities(&rows, "visibility", 14).unwrap();
    assert!(seen.iter().flatten().all(|seen| *seen == Visibility::Visible));
    assert!(integers(&rows, "copy").unwrap().values().iter().all(|copy| *copy == 0));
    // What was laid around joints is not laid around them again.
    let error = build("side = 1").unwrap().output_schema(&rows.schema()).unwrap_err();
    assert!(error.hint().unwrap().contains("merge_joints"), "{error}");
}

#[test]
fn one_annotated_joint_a_copy_is_drawn() {
    let batch = people_of(&[standing("a", &["left_wrist", "neck"])]);
    let stage = build("side = 1\njoints = 'one'").unwrap();
    assert_eq!(stage.fan_out(), FanOut::Each(1));
    let mut counts = [0; 14];
    for copy in 0..600 {
        let copies = std::sync::Arc::new(Int32Array::from(vec![copy]));
        let batch = with_column(&batch, Field::new("copy", DataType::Int32, false), copies).unwrap();
        let outcome = stage.run(&batch).unwrap();
        assert_eq!((outcome.rows.num_rows(), outcome.taken), (1, None));
        counts[integers(&outcome.rows, JOINT_INDEX).unwrap().value(0) as usize] += 1;
    }
    let index = |name| LSP14.index_of(name).unwrap();
    assert_eq!((counts[index("left_wrist")], counts[index("neck")]), (0, 0));
    // 50 of each of the other twelve.
    assert!(counts.iter().filter(|count| (25..=80).contains(*count)).count() == 12, "{counts:?}");
}

#[test]
fn crops_are_laid_where_predictions_would_lie() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("displacements");
    let rows: Vec<Displacement> = LSP14
        .joints
        .iter()
        .enumerate()
        .map(|(at, joint)| row(joint, [0.5, 0.0], [0.0, 0.01 * at as f64]))
        .collect();
    write(&path, &rows);
    let keys = format!("side = 1\ndisplacements = '{}'", path.display());
    let batch = people_of(&[standing("a", &[])]);
    let laid = build(&keys).unwrap().run(&batch).unwrap().rows;
    let (places, centers) =
        (points(&laid, "keypoints").unwrap(), vectors_f64(&laid, "crop_center", 2).unwrap());
    let off: Vec<[f64; 2]> = (0..14)
        .map(|at| [0, 1].map(|axis| (centers.row(at).unwrap()[axis] - places[at][at][axis]) / diameter()))
        .collect();
    assert!(off.iter().all(|off| (off[0] - 0.5).abs() < 1e-9));
    assert!(off[0][1] == 0.0 && off[1..].iter().all(|off| off[1] != 0.0 && off[1].abs() < 0.5), "{off:?}");
    let config: FocusConfig = toml::from_str(&format!("size = [8, 8]\n{keys}")).unwrap();
    assert_eq!(config.files().unwrap().len(), 1);
    let absent: FocusConfig = toml::from_str("size = [8, 8]\nside = 1\ndisplacements = 'nowhere'").unwrap();
    assert!(absent.files().is_err() && absent.build(&context("focus", 1)).is_err());
}

#[test]
fn poses_without_extent_or_joints_are_rejected() {
    let mut point = standing("point", &[]);
    point.pose.keypoints.fill([7.0, 7.0]);
    let people = [
        standing("whole", &[]),
        standing("limbs", &["left_shoulder", "right_shoulder"]),
        standing("mirrored", &["right_hip"]),
        point,
    ];
    let batch = people_of(&people);
    let outcome = build("side = 1").unwrap().run(&batch).unwrap();
    let reasons: Vec<_> =
        outcome.rejects.iter().map(|one| (one.sample_id.as_deref(), one.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [(Some("limbs"), "no diameter"), (Some("mirrored"), "no place"), (Some("point"), "no diameter")]
    );
    assert_eq!((outcome.rows.num_rows(), outcome.taken), (14, Some(1)));
    // Whoever is only trained on needs no joint but the one that is looked for, and a diameter.
    let outcome = build("side = 1\njoints = 'one'").unwrap().run(&batch).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (2, 2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    assert!(toml::from_str::<FocusConfig>("size = [8, 8]\nside = 0").is_err());
    assert!(toml::from_str::<FocusConfig>("size = [8, 8]\nside = 1\njoints = 'two'").is_err());
    let batch = people_of(&[standing("a", &[])]);
    let error = build("side = 1\ndiameter = ['left_eye', 'right_hip']").unwrap().run(&batch).unwrap_err();
    assert!(error.to_string().contains("`left_eye`"), "{error}");
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let at = batch.schema().index_of("keypoints").unwrap();
    fields[at] = schemas::tables::samples::crop_keypoints_field(14);
    let crops = arrow::datatypes::Schema::new_with_metadata(fields, batch.schema().metadata().clone());
    let error = build("side = 1").unwrap().output_schema(&std::sync::Arc::new(crops)).unwrap_err();
    assert_eq!(error.to_string(), AugmentError::CropsMade.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_batches_do_not_show(cut in 0usize..6, side in 0.1f64..9.0, one in any::<bool>()) {
        let people: Vec<Person> = (0..6).map(|at| standing(&format!("p{at}"), &[])).collect();
        let stage = build(&format!("side = {side}\njoints = '{}'", if one { "one" } else { "each" })).unwrap();
        let whole = people_of(&people);
        let together = stage.run(&whole).unwrap().rows;
        let parts = [whole.slice(0, cut), whole.slice(cut, 6 - cut)].map(|part| stage.run(&part).unwrap().rows);
        prop_assert_eq!(&arrow::compute::concat_batches(&together.schema(), &parts).unwrap(), &together);
    }
}
