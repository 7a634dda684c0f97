//! The stage on predictions made by hand: which joint is taken from which row, and what is refused.

use std::sync::Arc;

use arrow::array::{Int32Array, StringArray};
use arrow::compute::take_record_batch;
use arrow::datatypes::DataType;
use proptest::prelude::*;
use schemas::columns::with_column;
use schemas::skeleton::FLIC9;
use schemas::tables::keypoints::PredictedPose;

use super::*;

const JOINTS: usize = 9;

fn merge() -> MergeJoints {
    let context = BuildContext { name: "merge".to_owned(), seed: 0, threads: 1, folder: ".".into() };
    MergeJointsConfig {}.build(&context)
}

/// Row for joint `index` of `id`: joint j lies at (100 index + j, head), and has the score index + j / 10.
fn row(id: &str, head: i32, index: i32) -> PredictedPose {
    let numbers = || (0..JOINTS).map(|joint| joint as f64);
    PredictedPose {
        sample_id: id.to_owned(),
        head,
        keypoints: numbers().map(|joint| [100.0 * f64::from(index) + joint, f64::from(head)]).collect(),
        score: Some(numbers().map(|joint| f64::from(index) + joint / 10.0).collect()),
        model: "by-hand".to_owned(),
        ..PredictedPose::default()
    }
}

fn table(rows: &[(&str, i32, i32)]) -> RecordBatch {
    let poses: Vec<PredictedPose> = rows.iter().map(|(id, head, index)| row(id, *head, *index)).collect();
    let batch = keypoints::to_batch(&FLIC9, &poses);
    let index = Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.2)));
    let batch = with_column(&batch, Field::new(JOINT_INDEX, DataType::Int32, false), index).unwrap();
    let paths = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("{}.jpg", row.0))));
    let batch = with_column(&batch, Field::new("image_path", DataType::Utf8, false), paths).unwrap();
    let mut metadata = batch.schema().metadata().clone();
    metadata.insert(MODEL_KEY.to_owned(), "by-hand".to_owned());
    let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()
}

fn whole(id: &str, head: i32) -> Vec<(&str, i32, i32)> {
    (0..JOINTS as i32).map(|index| (id, head, index)).collect()
}

#[test]
fn each_joint_is_that_of_its_own_crop() {
    let batch = table(&[whole("a", 1), whole("a", 2), whole("b", 1)].concat());
    let stage = merge();
    let outcome = stage.run(&batch).unwrap();
    assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    assert_eq!((outcome.rows.num_rows(), outcome.taken, outcome.rejects.len()), (3, Some(27), 0));
    assert!(outcome.rows.column_by_name(JOINT_INDEX).is_none());
    let found = keypoints::from_batch(&outcome.rows).unwrap();
    assert_eq!(
        found.iter().map(|pose| (&*pose.sample_id, pose.head)).collect::<Vec<_>>(),
        [("a", 1), ("a", 2), ("b", 1)]
    );
    for pose in &found {
        for joint in 0..JOINTS {
            assert_eq!(pose.keypoints[joint], [101.0 * joint as f64, f64::from(pose.head)]);
            assert!((pose.score.as_ref().unwrap()[joint] - 1.1 * joint as f64).abs() < 1e-12);
        }
        assert_eq!((&*pose.model, &pose.heatmap_mean), ("by-hand", &None));
    }
    assert_eq!(strings(&outcome.rows, "image_path").unwrap().value(2), "b.jpg");
    assert_eq!(stage.run(&batch.slice(0, 0)).unwrap().rows.num_rows(), 0);
}

#[test]
fn a_pose_with_a_joint_too_few_or_too_many_is_rejected_as_a_whole() {
    let mut rows = whole("short", 1);
    rows.remove(4);
    rows.extend(whole("fine", 1));
    rows.extend([("fine", 1, 3), ("fine", 1, 9), ("fine", 1, -1)]);
    let outcome = merge().run(&table(&rows)).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.taken, outcome.rejects.len()), (1, Some(9), 11));
    let told = |reason: &str| outcome.rejects.iter().filter(|reject| reject.reason == reason).count();
    assert_eq!(["incomplete joints", "repeated joint", "unknown joint"].map(told), [8, 1, 2]);
    let short = outcome.rejects.iter().find(|reject| reject.reason == "incomplete joints").unwrap();
    assert!(short.detail.contains("8 of 9 joints came, not right_elbow"), "{}", short.detail);
}

#[test]
fn only_predictions_around_joints_are_merged() {
    let batch = table(&whole("a", 1));
    let without = batch.project(&(0..7).collect::<Vec<_>>()).unwrap();
    assert!(merge().output_schema(&without.schema()).unwrap_err().to_string().contains(JOINT_INDEX));
    let plain =
        Schema::new_with_metadata(batch.schema().fields().clone(), metadata(samples::NAME, Some(&FLIC9)));
    let error = merge().output_schema(&Arc::new(plain)).unwrap_err();
    assert!(error.to_string().contains("predictions") && error.hint().is_some(), "{error}");
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_show(order in Just((0..18u64).collect::<Vec<_>>()).prop_shuffle()) {
        let batch = table(&[whole("a", 1), whole("b", 1)].concat());
        let shuffled = take_record_batch(&batch, &arrow::array::UInt64Array::from(order)).unwrap();
        let by_id = |batch: &RecordBatch| {
            let mut poses = keypoints::from_batch(&merge().run(batch).unwrap().rows).unwrap();
            poses.sort_by(|a, b| a.sample_id.cmp(&b.sample_id));
            poses
        };
        prop_assert_eq!(by_id(&batch), by_id(&shuffled));
    }
}
