//! Each format from a file that the test makes.

use std::fs;
use std::path::{Path, PathBuf};

use schemas::Visibility;
use schemas::tables::regions::{self, Why};
use serde_json::{Value as Json, json};

use super::*;
use crate::matlab::{self, Value};
use crate::source::Source;

fn attributes(person: &Person) -> Json {
    serde_json::from_str(person.attributes.as_deref().unwrap()).unwrap()
}

fn ids(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.sample_id.as_str()).collect()
}

/// `T x 13`, column-major: joint j of frame t is at `value(t, j)`.
fn of_frames(frames: usize, value: impl Fn(usize, usize) -> f64) -> Value {
    let value = &value;
    Value::array(
        &[frames, 13],
        (0..13).flat_map(|j| (0..frames).map(move |t| value(t, j))).collect::<Vec<f64>>(),
    )
}

/// A video of 3 frames of 480 x 270 px; the last has no box.
fn penn(folder: &Path, name: &str, train: f64) -> PathBuf {
    let labels = folder.join("labels");
    fs::create_dir_all(&labels).unwrap();
    let path = labels.join(name);
    let x = of_frames(3, |t, j| 10.0 * j as f64 + t as f64 + 1.0);
    let y = of_frames(3, |t, j| if (t, j) == (0, 2) { 1.0 } else { 5.0 + j as f64 });
    let seen = of_frames(3, |_, j| f64::from(u8::from(j != 1 && j != 2)));
    let boxes = Value::array(&[2, 4], vec![11.0, 12.0, 21.0, 22.0, 111.0, 112.0, 71.0, 72.0]);
    let variables = [
        ("action", &Value::text("baseball_pitch")),
        ("pose", &Value::text("back")),
        ("x", &x),
        ("y", &y),
        ("visibility", &seen),
        ("bbox", &boxes),
        ("train", &Value::scalar(train)),
        ("dimensions", &Value::array(&[1, 3], vec![270.0, 480.0, 3.0])),
        ("nframes", &Value::scalar(3.0)),
    ];
    matlab::write(&path, &variables).unwrap();
    path
}

#[test]
fn penn_action_has_a_row_for_each_frame() {
    let folder = tempfile::tempdir().unwrap();
    penn(folder.path(), "0001.mat", 1.0);
    penn(folder.path(), "0002.mat", -1.0);
    fs::write(folder.path().join("labels/._0001.mat"), "not a file of MATLAB").unwrap();
    let images = folder.path().join("frames");
    let config = PennActionConfig { annotations: folder.path().join("labels"), images: images.clone() };
    let (found, files) = read_penn_action(&config).unwrap();
    assert_eq!((found.people.len(), found.images, found.rejects.len(), files.len()), (6, 6, 0, 2));
    assert_eq!(ids(&found.people)[2..4], ["penn_action-0001-000003-0", "penn_action-0002-000001-0"]);
    let first = &found.people[0];
    assert_eq!((first.split.as_str(), found.people[3].split.as_str()), ("train", "test"));
    assert_eq!(Path::new(&first.image_path), images.join("0001/000001.jpg"));
    assert_eq!((first.image_size, first.activity.as_deref()), (Some([480, 270]), Some("baseball_pitch")));
    let seen = [0, 1, 2].map(|joint| first.pose.visibility[joint]);
    assert_eq!(seen, [Visibility::Visible, Visibility::Occluded, Visibility::NotAnnotated]);
    assert_eq!((first.pose.joint(0), first.pose.joint(12)), (Some([0.0, 4.0]), Some([120.0, 16.0])));
    assert_eq!((first.center, first.scale), (Some([60.0, 45.0]), Some(0.5)));
    assert_eq!((found.people[2].center, found.people[2].pose.joint(0)), (None, Some([2.0, 4.0])));
    assert_eq!((&attributes(first)["view"], &attributes(first)["frame"]), (&json!("back"), &json!(1)));
    assert_eq!(attributes(first)["coco"]["bbox"], json!([10.0, 20.0, 100.0, 50.0]));
    let one = PennActionConfig { annotations: folder.path().join("labels/0002.mat"), images };
    assert_eq!((read_penn_action(&one).unwrap().0.people.len(), Source::files(&one).len()), (3, 1));
}

#[test]
fn a_video_of_another_shape_is_one_reject() {
    let folder = tempfile::tempdir().unwrap();
    penn(folder.path(), "0001.mat", 1.0);
    let path = folder.path().join("labels/0002.mat");
    matlab::write(&path, &[("x", &Value::array(&[2, 3], vec![1.0; 6]))]).unwrap();
    let config = PennActionConfig { annotations: folder.path().join("labels"), images: PathBuf::new() };
    let (found, _) = read_penn_action(&config).unwrap();
    assert_eq!(found.people.len(), 3);
    assert_eq!(found.rejects[0].detail, "`x` must be T x 13, found double 2x3");
    let empty =
        PennActionConfig { annotations: tempfile::tempdir().unwrap().path().into(), images: PathBuf::new() };
    assert!(read_penn_action(&empty).is_err());
}

#[test]
fn jhmdb_takes_action_and_video_from_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    for (action, video) in [("catch", "ball_a"), ("catch", "ball_b"), ("run", "ball_a")] {
        let place = folder.path().join("joint_positions").join(action).join(video);
        fs::create_dir_all(&place).unwrap();
        // x, y of 15 joints of 2 frames.
        let points: Vec<f64> = (0..2)
            .flat_map(|t| (0..15).flat_map(move |j| [f64::from(j) * 10.0 + 1.0, f64::from(t) + 1.0]))
            .collect();
        let variables = [
            ("pos_img", &Value::array(&[2, 15, 2], points)),
            ("scale", &Value::array(&[1, 2], vec![1.5, 1.25])),
            ("viewpoint", &Value::text("SE")),
        ];
        matlab::write(&place.join("joint_positions.mat"), &variables).unwrap();
    }
    let splits = folder.path().join("splits");
    fs::create_dir(&splits).unwrap();
    fs::write(splits.join("catch_test_split2.txt"), "ball_a.avi 1\r\nball_b.avi 2\r\n").unwrap();
    fs::write(splits.join("run_test_split2.txt"), "other.avi 1\n").unwrap();
    let config = JhmdbConfig {
        annotations: folder.path().join("joint_positions"),
        images: "Rename_Images".into(),
        splits: Some(splits.clone()),
        division: 2,
    };
    let (found, files) = read_jhmdb(&config).unwrap();
    assert_eq!((found.people.len(), found.rejects.len(), files.len()), (6, 0, 5));
    assert_eq!(ids(&found.people)[..2], ["jhmdb-catch-ball_a-00001-0", "jhmdb-catch-ball_a-00002-0"]);
    let told: Vec<&str> = found.people.iter().step_by(2).map(|person| person.split.as_str()).collect();
    assert_eq!(told, ["train", "test", "unassigned"]);
    let second = &found.people[1];
    assert_eq!(second.image_path, "Rename_Images/catch/ball_a/00002.png");
    assert_eq!((second.pose.joint(0), second.pose.joint(14)), (Some([0.0, 1.0]), Some([140.0, 1.0])));
    assert_eq!((second.center, second.scale), (Some([70.0, 1.0]), Some(0.7)));
    assert_eq!(
        (second.activity.as_deref(), &attributes(second)["puppet_scale"]),
        (Some("catch"), &json!(1.25))
    );
    assert_eq!(second.source_file, "catch/ball_a/joint_positions.mat");
    fs::write(splits.join("run_test_split2.txt"), "other.avi three\n").unwrap();
    assert!(
        read_jhmdb(&config)
            .unwrap_err()
            .to_string()
            .contains("line 1 must end with 1 or 2, found `other.avi three`")
    );
}

fn posetrack(folder: &Path, video: &str) -> Json {
    let image = |frame: i64, labelled: bool| {
        json!({
            "has_no_densepose": true, "is_labeled": labelled, "file_name": format!("images/val/{video}/{frame:06}.jpg"),
            "nframes": 100, "frame_id": 10_003_420_000 + frame, "vid_id": "000342", "id": 10_003_420_000 + frame,
            "ignore_regions_x": [[1, 2, 3]], "ignore_regions_y": [[4, 5, 6]],
        })
    };
    let mut keypoints = vec![0.0; 51];
    keypoints[..6].copy_from_slice(&[10.0, 20.0, 1.0, 11.0, 30.0, 1.0]);
    let annotation = |id: i64, frame: i64| {
        json!({
            "bbox_head": [5, 6, 7, 8], "keypoints": keypoints, "track_id": 3, "image_id": 10_003_420_000 + frame,
            "bbox": [10.0, 20.0, 40.0, 100.0], "scores": [], "category_id": 1, "id": id,
        })
    };
    let content = json!({
        "images": [image(0, true), image(1, false), image(2, true)],
        "annotations": [annotation(1, 0), annotation(2, 0)],
        "categories": [{ "supercategory": "person", "id": 1, "name": "person", "skeleton": [], "keypoints": [
            "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
            "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
            "right_ankle",
        ] }],
    });
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("{video}.json")), content.to_string()).unwrap();
    content
}

#[test]
fn posetrack_ids_are_unique_over_videos() {
    let folder = tempfile::tempdir().unwrap();
    let content = posetrack(folder.path(), "000342_mpii_test");
    posetrack(folder.path(), "000001_bonn_train");
    let config = PosetrackConfig { annotations: folder.path().into(), images: "root".into(), split: None };
    let (found, files) = read_posetrack(&config).unwrap();
    assert_eq!((files.len(), found.images), (2, 4));
    assert_eq!(
        ids(&found.people)[..4],
        [
            "posetrack-000001_bonn_train-000000-0",
            "posetrack-000001_bonn_train-000000-1",
            "posetrack-000001_bonn_train-000002",
            "posetrack-000342_mpii_test-000000-0",
        ]
    );
    // By the folder of the pictures, not by the name of the video.
    assert!(found.people.iter().all(|person| person.split == "validation" && person.dataset == "posetrack"));
    let first = &found.people[0];
    assert_eq!(first.image_path, "root/images/val/000001_bonn_train/000000.jpg");
    assert_eq!(
        (first.pose.visibility[0], first.pose.visibility[2]),
        (Visibility::Visible, Visibility::NotAnnotated)
    );
    assert_eq!(
        (first.center, first.scale, first.head_box),
        (Some([30.0, 70.0]), Some(0.5), Some([5.0, 6.0, 12.0, 14.0]))
    );
    let said = attributes(first);
    assert_eq!((&said["coco"]["track_id"], &said["posetrack"]["vid_id"]), (&json!(3), &json!("000342")));
    // Of every row, and of the frame that shows nobody else.
    for person in &found.people[..3] {
        let [region] = &regions::of(person)[..] else { panic!("one region") };
        assert_eq!((region.why, region.bbox), (Why::Ignore, Some([1.0, 4.0, 2.0, 2.0])));
        assert_eq!(region.outline, Some(json!([[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]])));
    }
    let reasons: Vec<&str> = found.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, ["frame not labelled"; 2]);
    assert!(found.rejects[0].source_record.as_deref().unwrap().contains("000001.jpg"));
    // Without the names of joints, they are the data set's own; those of COCO are another skeleton.
    let mut bare = content.clone();
    bare["categories"][0].as_object_mut().unwrap().remove("keypoints");
    let path = folder.path().join("000342_mpii_test.json");
    fs::write(&path, bare.to_string()).unwrap();
    assert_eq!(read_posetrack(&config).unwrap().0.people.len(), 6);
    let mut other = content;
    other["categories"][0]["keypoints"] = json!(schemas::skeleton::COCO17.joints);
    fs::write(&path, other.to_string()).unwrap();
    assert!(read_posetrack(&config).unwrap_err().to_string().contains("found `coco17`"));
}
