use std::collections::BTreeMap;

use super::super::filter::tests::{context, people};
use super::*;
use arrow::array::Float64Array;
use arrow::compute::cast;
use schemas::Visibility;
use schemas::columns::{points, with_column};
use schemas::skeleton::{FLIC9, MPII16};
use schemas::tables::people::{Person, Pose, from_batch};

fn map(to: &str) -> MapSkeleton {
    MapSkeletonConfig { to: to.into(), derived: BTreeMap::new() }.build(&context("map")).unwrap()
}

fn people_of(batch: &RecordBatch) -> Vec<Person> {
    from_batch(batch).unwrap()
}

#[test]
fn joints_move_by_name_for_everyone_in_the_row() {
    let batch = people(9).slice(2, 6);
    let stage = map("mpii16");
    let rows = stage.run(&batch).unwrap().rows;
    assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    assert_eq!(skeleton_of(rows.schema_ref()).unwrap(), &MPII16);
    let sources = MPII16.indices_in(&FLIC9);
    for (old, new) in people_of(&batch).iter().zip(people_of(&rows)) {
        assert_eq!(old.others.len(), new.others.len());
        let poses = std::iter::once((&old.pose, &new.pose))
            .chain(old.others.iter().zip(&new.others).map(|(old, new)| (&**old, &**new)));
        for (old, new) in poses {
            for (joint, source) in sources.iter().enumerate() {
                assert_eq!(new.joint(joint), source.and_then(|source| old.joint(source)));
                let visibility = source.map_or(Visibility::NotAnnotated, |source| old.visibility[source]);
                assert_eq!(new.visibility[joint], visibility);
                assert!(new.visibility[joint].is_annotated() || new.keypoints[joint][0].is_nan());
            }
        }
    }
}

#[test]
fn back_and_forth_changes_nothing_that_both_have() {
    let batch = people(7);
    let there = map("mpii16").run(&batch).unwrap().rows;
    let back = map("flic9").run(&there).unwrap().rows;
    assert_eq!(back.schema(), batch.schema());
    for (old, new) in people_of(&batch).iter().zip(people_of(&back)) {
        // All but the nose, which MPII lacks.
        assert!((0..8).all(|joint| old.pose.joint(joint) == new.pose.joint(joint)));
        assert_eq!(new.pose.joint(8), None);
    }
}

#[test]
fn single_precision_of_a_crop_stays_so() {
    let batch = people(5).slice(1, 4);
    let single = schemas::tables::samples::crop_keypoints_field(9);
    let array = cast(batch.column_by_name("keypoints").unwrap(), single.data_type()).unwrap();
    let batch = with_column(&batch, single.clone(), array).unwrap();
    let rows = map("mpii16").run(&batch).unwrap().rows;
    let field = rows.schema_ref().field_with_name("keypoints").unwrap().clone();
    assert_eq!(field, schemas::tables::samples::crop_keypoints_field(16));
    // Row 3 of the slice is person 4, whose joint 2, the left wrist, is at (4, 2).
    let left_wrist = MPII16.index_of("left_wrist").unwrap();
    assert_eq!(points(&rows, "keypoints").unwrap()[3][left_wrist], [4.0, 2.0]);
}

#[test]
fn an_empty_batch_has_the_new_schema() {
    let rows = map("cpm14").run(&people(0)).unwrap().rows;
    assert_eq!((rows.num_rows(), skeleton_of(rows.schema_ref()).unwrap().name), (0, "cpm14"));
}

#[test]
fn wrong_plans_are_refused() {
    let unknown =
        MapSkeletonConfig { to: "mpii".into(), derived: BTreeMap::new() }.build(&context("map")).unwrap_err();
    assert!(unknown.to_string().contains("`map`: no skeleton is called `mpii`"), "{unknown}");
    let batch = people(2);
    let maps = Field::new(HEATMAPS, DataType::Float64, true);
    let batch = with_column(&batch, maps, Arc::new(Float64Array::from(vec![0.0; 2]))).unwrap();
    let error = map("cpm14").output_schema(&batch.schema()).unwrap_err();
    assert!(error.to_string().contains("`heatmaps` follows the skeleton `flic9`"), "{error}");
    let bare = people(2).project(&[0]).unwrap();
    assert!(map("cpm14").output_schema(&bare.schema()).is_err());
}

fn derived(to: &str, pairs: &[(&str, &[&str])]) -> MapSkeletonConfig {
    let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let derived = pairs.iter().map(|(joint, names)| ((*joint).to_owned(), of(names))).collect();
    MapSkeletonConfig { to: to.into(), derived }
}

const NECK: (&str, &[&str]) = ("neck", &["left_shoulder", "right_shoulder"]);

#[test]
fn a_derived_joint_lies_in_the_middle_where_all_of_it_is_known() {
    let batch = people(11).slice(1, 10);
    let stage = derived("mpii16", &[NECK, ("pelvis", &["left_hip", "right_hip", "nose"])]);
    let stage = stage.build(&context("map")).unwrap();
    let rows = stage.run(&batch).unwrap().rows;
    assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    let middle = |pose: &Pose, of: &[usize]| {
        let points: Option<Vec<[f64; 2]>> = of.iter().map(|joint| pose.joint(*joint)).collect();
        let sum =
            |axis: usize| points.as_ref().map(|points| points.iter().map(|point| point[axis]).sum::<f64>());
        Some([sum(0)? / of.len() as f64, sum(1)? / of.len() as f64])
    };
    let mut known = 0;
    for (old, new) in people_of(&batch).iter().zip(people_of(&rows)) {
        let poses = std::iter::once((&old.pose, &new.pose))
            .chain(old.others.iter().zip(&new.others).map(|(old, new)| (&**old, &**new)));
        for (old, new) in poses {
            // Joints of FLIC: shoulders 0 and 3, hips 6 and 7, nose 8.
            for (at, of) in [(8, &[0, 3][..]), (6, &[6, 7, 8])] {
                let expected = middle(old, of);
                known += usize::from(expected.is_some());
                assert_eq!(new.joint(at), expected);
                let codes = of.iter().map(|joint| old.visibility[*joint].code());
                assert_eq!(new.visibility[at].code(), codes.min().unwrap());
                assert!(expected.is_some() || new.keypoints[at].iter().all(|value| value.is_nan()));
            }
            assert_eq!(new.joint(13), old.joint(0));
        }
    }
    assert!(known > 0, "some middles are known");
}

#[test]
fn scores_of_a_derived_joint_are_the_least() {
    use schemas::tables::keypoints::{PredictedPose, from_batch, to_batch};
    let score = |joint: usize| if joint == 7 { f64::NAN } else { 0.1 * joint as f64 };
    let pose = PredictedPose {
        sample_id: "a".into(),
        keypoints: (0..9).map(|joint| [joint as f64, 2.0 * joint as f64]).collect(),
        score: Some((0..9).map(score).collect()),
        ..PredictedPose::default()
    };
    let batch = to_batch(&FLIC9, &[pose]);
    let stage = derived("mpii16", &[NECK, ("pelvis", &["left_hip", "right_hip"])]);
    let rows = stage.build(&context("map")).unwrap().run(&batch).unwrap().rows;
    let [found] = &from_batch(&rows).unwrap()[..] else { panic!("one row") };
    let score = found.score.as_ref().unwrap();
    assert_eq!((found.keypoints[8], score[8]), ([1.5, 3.0], 0.0));
    assert!(found.keypoints[6] == [6.5, 13.0] && score[6].is_nan());
    // Single precision stays so.
    let single = schemas::tables::samples::crop_keypoints_field(9);
    let samples = people(4);
    let array = cast(samples.column_by_name("keypoints").unwrap(), single.data_type()).unwrap();
    let samples = with_column(&samples, single, array).unwrap();
    let rows = stage.build(&context("map")).unwrap().run(&samples).unwrap().rows;
    assert_eq!(
        *rows.schema_ref().field_with_name("keypoints").unwrap(),
        schemas::tables::samples::crop_keypoints_field(16)
    );
}

#[test]
fn derived_joints_that_cannot_be_are_refused() {
    let refused = |config: MapSkeletonConfig| {
        let stage = config.build(&context("map"));
        let error = stage.and_then(|stage| stage.output_schema(&people(1).schema())).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (message, hint) = refused(derived("mpii16", &[("snout", &["nose"])]));
    assert!(message.starts_with("`derived` must be of joints of `mpii16`, `right_ankle`"), "{message}");
    assert!(message.ends_with("found `snout`") && hint.contains("left of `=`"), "{message} {hint}");
    let (message, _) = refused(derived("mpii16", &[("thorax", &["neck", "nose"])]));
    assert!(message.contains("of joints of `flic9`") && message.ends_with("found `neck`"), "{message}");
    assert_eq!(
        refused(derived("mpii16", &[("thorax", &[])])).0,
        "`derived.thorax` must name joints, found none"
    );
    let twice = derived("mpii16", &[NECK, ("upper_neck", &["nose"])]);
    assert_eq!(refused(twice).0, "`derived` must have each joint once, found `upper_neck` twice");
}

#[test]
fn a_skeleton_of_ones_own_is_mapped_to_and_from_without_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name = 'trunk'\njoints = ['hips', 'LShoulder', 'RShoulder']\nlimbs = [[0, 1], [0, 2]]";
    std::fs::write(folder.path().join("trunk.toml"), text).unwrap();
    let config = derived("trunk.toml", &[("hips", &["left_hip", "right_hip"])]);
    assert_eq!(config.files(), [PathBuf::from("trunk.toml")]);
    let at = BuildContext { folder: folder.path().to_owned(), ..context("map") };
    let rows = config.build(&at).unwrap().run(&people(5)).unwrap().rows;
    folder.close().unwrap();
    let trunk = skeleton_of(rows.schema_ref()).unwrap();
    assert_eq!((trunk.name, trunk.flip_pairs()), ("trunk", vec![(1, 2)]));
    let back = map("flic9").run(&rows).unwrap().rows;
    for (old, new) in people_of(&people(5)).iter().zip(people_of(&back)) {
        assert_eq!((old.pose.joint(0), old.pose.joint(3)), (new.pose.joint(0), new.pose.joint(3)));
    }
}
