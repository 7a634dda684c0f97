//! The four shapes against the published validation set and against each other, and small files with faults.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::*;
use crate::matlab::Value;
use crate::testing::real_data;

/// `config` for the file `path`.
fn of(path: &Path, config: &MpiiConfig) -> MpiiConfig {
    MpiiConfig { annotations: path.to_owned(), ..config.clone() }
}

/// Joints of the validation set without annotation, by id.
const MISSING: [usize; 16] = [843, 473, 69, 70, 480, 839, 80, 26, 26, 26, 30, 23, 14, 14, 26, 49];

fn release() -> Option<Annotations> {
    let options = MpiiConfig { annotations: PathBuf::new(), images: "images".into(), subset: None };
    Some(read(&of(&real_data("mpii/release_valid.mat")?, &options)).unwrap())
}

fn subset() -> Option<MpiiConfig> {
    Some(MpiiConfig {
        annotations: PathBuf::new(),
        images: "images".into(),
        subset: Some(real_data("mpii/valid.h5")?),
    })
}

fn labelled(found: &Annotations) -> Vec<&Person> {
    found.people.iter().filter(|person| person.pose.annotated() > 0).collect()
}

fn missing(people: &[&Person]) -> Vec<usize> {
    (0..16).map(|joint| people.iter().filter(|person| person.pose.joint(joint).is_none()).count()).collect()
}

fn attributes(person: &Person) -> Json {
    serde_json::from_str(person.attributes.as_deref().unwrap()).unwrap()
}

#[test]
fn release_holds_the_published_counts() {
    let Some(found) = release() else { return };
    let people = labelled(&found);
    assert_eq!((found.images, people.len(), found.rejects.len()), (2769, 2958, 0));
    assert_eq!(people.iter().map(|person| person.pose.annotated()).sum::<usize>(), 44_240);
    assert_eq!(missing(&people), MISSING);
    let of =
        |v| people.iter().flat_map(|person| &person.pose.visibility).filter(|other| **other == v).count();
    assert_eq!((of(Visibility::Visible), of(Visibility::Occluded)), (26_244 + 1_891 + 5_862, 9_513 + 730));
    let mut unstated = BTreeMap::new();
    for person in &people {
        for id in attributes(person)["visibility_unstated"].as_array().into_iter().flatten() {
            *unstated.entry(id.as_u64().unwrap()).or_insert(0) += 1;
        }
    }
    assert_eq!(unstated, BTreeMap::from([(8, 2931), (9, 2931)]));
    // 2,958 + 2,017 without labels + 64 of test images, and 8 images without rectangles.
    assert_eq!(found.people.len(), 2958 + 2017 + 64 + 8);
    assert_eq!(found.people.iter().filter(|person| person.person_index.is_none()).count(), 8);
    let ids: std::collections::HashSet<&str> = found.people.iter().map(|p| p.sample_id.as_str()).collect();
    assert_eq!(ids.len(), found.people.len());

    let first = &found.people[0];
    assert_eq!((first.sample_id.as_str(), first.split.as_str()), ("mpii-005808361-0", "train"));
    assert_eq!(first.image_path, "images/005808361.jpg");
    assert_eq!((first.center, first.scale), (Some([965.0, 339.0]), Some(4.718_487_893_382_794)));
    assert_eq!(first.head_box, Some([913.0, 78.0, 1030.0, 236.0]));
    assert_eq!((first.pose.joint(0), first.activity.as_deref()), (Some([803.0, 710.0]), Some("activity 0")));
    assert_eq!(first.source_record, "annolist(1).annorect(1)");
    let said = attributes(first);
    assert_eq!((&said["single_person"], &said["video"]), (&Json::from(true), &Json::from("video-0")));
    assert_eq!((&said["cat_name"], &said["act_id"]), (&Json::from("category 0"), &Json::from(1)));
    // Annotated joints may lie at or beyond the border: none is lost by its sign.
    let beyond = |value: &f64| *value + 1.0 <= 0.0;
    assert_eq!(people.iter().flat_map(|p| p.pose.keypoints.as_flattened()).filter(|v| beyond(v)).count(), 40);
}

#[test]
fn visibility_is_stored_in_five_ways() {
    let Some(path) = real_data("mpii/release_valid.mat") else { return };
    let variables = matlab::read(&path).unwrap();
    let release = matlab::variable(&variables, "RELEASE").unwrap().row().unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for image in release.require("annolist").unwrap().rows().unwrap() {
        for rect in image.require("annorect").unwrap().rows().unwrap() {
            let Some(points) = rect.filled("annopoints") else { continue };
            for point in points.row().unwrap().require("point").unwrap().rows().unwrap() {
                let value = point.require("is_visible").unwrap();
                let value = value.value();
                let text = value.as_str().map(|text| format!("char {text}"));
                let number = value.as_f64().map(|number| format!("number {number}"));
                *counts.entry(text.or(number).unwrap_or_else(|| "empty".into())).or_default() += 1;
            }
        }
    }
    let expected =
        [("char 0", 730), ("char 1", 1891), ("empty", 5862), ("number 0", 9513), ("number 1", 26_244)];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn the_subset_gives_the_published_people_in_order() {
    let (Some(path), Some(options)) = (real_data("mpii/release_valid.mat"), subset()) else { return };
    let chosen = read(&of(&path, &options)).unwrap();
    assert_eq!((chosen.people.len(), chosen.images, chosen.rejects.len()), (2958, 2729, 0));
    assert!(chosen.people.iter().all(|person| person.split == "validation"));
    assert_eq!(missing(&chosen.people.iter().collect::<Vec<_>>()), MISSING);

    // The hourglass file itself: the same people, once centre and scale are undone.
    let hourglass =
        read(&of(&options.subset.clone().unwrap(), &MpiiConfig { subset: None, ..options })).unwrap();
    assert_eq!((hourglass.people.len(), hourglass.images, hourglass.rejects.len()), (2958, 2729, 0));
    for (ours, theirs) in chosen.people.iter().zip(&hourglass.people) {
        assert_eq!((&ours.sample_id, &ours.image_path), (&theirs.sample_id, &theirs.image_path));
        assert_eq!(theirs.split, "validation");
        let apart = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
        assert!(apart(ours.center.unwrap(), theirs.center.unwrap()) < 1e-6, "{}", ours.sample_id);
        assert!((ours.scale.unwrap() - theirs.scale.unwrap()).abs() < 1e-8, "{}", ours.sample_id);
        for joint in 0..16 {
            match (ours.pose.joint(joint), theirs.pose.joint(joint)) {
                (Some(a), Some(b)) => assert!(apart(a, b) < 1.0, "{} {joint} {a:?} {b:?}", ours.sample_id),
                (None, None) => {}
                other => panic!("{} {joint} {other:?}", ours.sample_id),
            }
        }
    }
}

#[test]
fn json_of_hrnet_is_read_and_matched_by_place() {
    let (Some(path), Some(options)) = (real_data("mpii/images/test_mpii.json"), subset()) else { return };
    let found = read(&of(&path, &MpiiConfig { subset: None, ..options.clone() })).unwrap();
    assert_eq!((found.people.len(), found.rejects.len()), (5, 0));
    let third = &found.people[2];
    assert_eq!((third.sample_id.as_str(), third.split.as_str()), ("mpii-051423444-0", "test"));
    assert_eq!((third.center, third.scale), (Some([1029.0, 395.0]), Some(3.139_233)));
    assert_eq!((third.pose.joint(0), third.pose.joint(10)), (None, Some([987.0, 293.0])));
    // Of the 2,958 pairs the five are found, the others named.
    let chosen = read(&of(&path, &options)).unwrap();
    assert_eq!((chosen.people.len(), chosen.rejects.len()), (5, 2953));
    assert_eq!(chosen.rejects[0].reason, "not in the annotation file");
    assert_eq!(chosen.rejects[0].source_record.as_deref(), Some("row 5 of valid.h5"));
    assert!(chosen.people.iter().all(|person| person.split == "validation"));
}

#[test]
fn ground_truth_of_hrnet_takes_who_is_who_from_the_subset() {
    let (Some(path), Some(options)) = (real_data("mpii/release_valid.mat"), subset()) else { return };
    let people = read(&of(&path, &options)).unwrap().people;
    let (mut points, mut missing, mut heads) = (Vec::new(), Vec::new(), Vec::new());
    for person in &people {
        let at = |axis: usize| (0..16).map(move |joint| (joint, axis));
        let value = |(joint, axis): (usize, usize)| person.pose.joint(joint).map_or(0.0, |p| p[axis] + 1.0);
        points.extend(at(0).chain(at(1)).map(value));
        missing.extend((0..16).map(|joint| u8::from(person.pose.joint(joint).is_none())));
        let [x1, y1, x2, y2] = person.head_box.unwrap().map(|value| value + 1.0);
        heads.extend([x1, x2, y1, y2]);
    }
    let (points, missing, heads) = (
        Value::array(&[16, 2, people.len()], points),
        Value::array(&[16, people.len()], missing),
        Value::array(&[2, 2, people.len()], heads),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gt_valid.mat");
    let variables = [("jnt_missing", &missing), ("pos_gt_src", &points), ("headboxes_src", &heads)];
    matlab::write(&path, &variables).unwrap();

    let found = read(&of(&path, &options)).unwrap();
    assert_eq!((found.people.len(), found.images, found.rejects.len()), (2958, 2729, 0));
    for (ours, theirs) in people.iter().zip(&found.people) {
        assert_eq!((&ours.sample_id, &ours.image_path), (&theirs.sample_id, &theirs.image_path));
        assert_eq!(format!("{:?}", ours.pose.keypoints), format!("{:?}", theirs.pose.keypoints));
        assert_eq!(ours.head_box, theirs.head_box);
    }
    let alone = read(&of(&path, &MpiiConfig::default())).unwrap();
    assert_eq!(alone.people[7].sample_id, "mpii-valid-7");
    assert_eq!((alone.people[7].center, alone.people[7].person_index), (None, None));
    assert_eq!(alone.people[7].source_record, "pos_gt_src(:,:,8)");
}

fn point(id: f64, x: f64, visible: Value) -> Vec<Value> {
    vec![Value::scalar(x), Value::scalar(2.0), Value::scalar(id), visible]
}

fn rect(points: Vec<Vec<Value>>) -> Vec<Value> {
    let place = Value::record([("x", Value::scalar(11.0)), ("y", Value::scalar(21.0))]);
    let points = Value::structs(&[1, points.len()], &["x", "y", "id", "is_visible"], points);
    let number = |value| Value::scalar(value);
    vec![
        number(1.0),
        number(1.0),
        number(1.0),
        number(1.0),
        Value::record([("point", points)]),
        number(0.5),
        place,
        Value::text("crowd"),
    ]
}

fn file(folder: &Path, rects: Vec<Vec<Value>>, name: Value) -> PathBuf {
    let fields = ["x1", "y1", "x2", "y2", "annopoints", "scale", "objpos", "note"];
    let rects = Value::structs(&[1, rects.len()], &fields, rects);
    let image = Value::record([("name", name)]);
    let list = [vec![image.clone(), rects], vec![image, Value::empty()]];
    let act = Value::structs(
        &[2, 1],
        &["act_name"],
        [vec![Value::cell(&[1, 2], vec![Value::text("ski"), Value::text("jump")])], vec![Value::empty()]],
    );
    let release = Value::record([
        ("annolist", Value::structs(&[1, 2], &["image", "annorect"], list)),
        ("img_train", Value::array(&[1, 2], vec![1_u8, 0])),
        ("act", act),
        ("single_person", Value::cell(&[2, 1], vec![Value::scalar(2.0), Value::empty()])),
    ]);
    let path = folder.join("release.mat");
    matlab::write(&path, &[("RELEASE", &release)]).unwrap();
    path
}

#[test]
fn faults_cost_their_person_alone() {
    let folder = tempfile::tempdir().unwrap();
    let seen = || Value::scalar(1.0);
    let mut bare = rect(vec![point(0.0, 5.0, seen())]);
    bare[6] = Value::text("nowhere");
    let rects = vec![
        rect(vec![point(0.0, -4.0, Value::text("0")), point(9.0, 1.0, Value::empty())]),
        rect(vec![point(3.0, 7.0, seen())]),
        rect(vec![point(0.0, f64::NAN, seen())]),
        rect(vec![point(16.0, 5.0, seen())]),
        rect(vec![point(2.0, 5.0, seen()), point(2.0, 6.0, seen())]),
        rect(vec![point(2.0, 5.0, Value::scalar(2.0))]),
        bare,
    ];
    let found = read(&of(&file(folder.path(), rects, Value::text("a.jpg")), &MpiiConfig::default())).unwrap();
    assert_eq!((found.images, found.people.len(), found.rejects.len()), (2, 3, 5));
    let reasons: Vec<&str> = found.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "coordinate not finite",
            "joint id out of range",
            "joint given twice",
            "record of another shape",
            "record of another shape"
        ]
    );
    assert_eq!(
        found.rejects[3].detail,
        "`RELEASE.annolist(1).annorect(6).annopoints.point(1).is_visible` must be 0 or 1, found 2"
    );
    assert_eq!(found.rejects[4].sample_id.as_deref(), Some("mpii-a-6"));

    let [first, second, empty] = &found.people[..] else { unreachable!() };
    assert_eq!((first.pose.visibility[0], first.pose.joint(0)), (Visibility::Occluded, Some([-5.0, 1.0])));
    assert_eq!((first.pose.visibility[9], first.head_box), (Visibility::Visible, Some([0.0; 4])));
    assert_eq!((first.activity.as_deref(), first.center), (Some("ski; jump"), Some([10.0, 20.0])));
    let said = attributes(first);
    assert_eq!((&said["note"], &said["single_person"]), (&Json::from("crowd"), &Json::from(false)));
    assert_eq!(said["visibility_unstated"], Json::from(vec![9]));
    assert_eq!(attributes(second)["single_person"], Json::from(true));
    assert_eq!(format!("{:?}", first.others), format!("{:?}", [&second.pose]));
    assert_eq!(
        (empty.sample_id.as_str(), empty.person_index, empty.split.as_str()),
        ("mpii-a", None, "test")
    );
    assert_eq!(empty.source_record, "annolist(2)");
}

#[test]
fn an_image_without_a_name_loses_all_its_people() {
    let folder = tempfile::tempdir().unwrap();
    let people = vec![rect(vec![point(0.0, 1.0, Value::empty())]); 3];
    let found = read(&of(&file(folder.path(), people, Value::scalar(4.0)), &MpiiConfig::default())).unwrap();
    assert_eq!((found.people.len(), found.rejects.len()), (0, 4));
    assert!(found.rejects[0].detail.contains("`RELEASE.annolist(1).image.name` must be a string, found 4"));
}

fn json_file(folder: &Path, content: &Json) -> Annotations {
    let path = folder.join("annotations.json");
    std::fs::write(&path, content.to_string()).unwrap();
    read(&of(&path, &MpiiConfig::default())).unwrap()
}

#[test]
fn what_stands_for_not_stated_is_null_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let joints = vec![[30.0, 20.0]; 16];
    let triples = vec![[30.0, 20.0, 1.0]; 16];
    for (center, scale, expected) in [
        (json!([-1, -1]), json!(-1), (None, None)),
        (json!([-1.0, -1.0]), json!(-1.0), (None, None)),
        (json!(["-1", "-1"]), json!("-1"), (None, None)),
        (json!(null), json!(null), (None, None)),
        (json!([]), json!(""), (None, None)),
        (json!([11, 21]), json!(0), (Some([10.0, 20.0]), None)),
        (json!([11, 21]), json!(1.5), (Some([10.0, 20.0]), Some(1.5))),
        (json!([-7, 21]), json!(1.5), (Some([-8.0, 20.0]), Some(1.5))),
    ] {
        let hrnet = json!({ "image": "a.jpg", "center": center, "scale": scale, "joints": joints, "joints_vis": vec![true; 16] });
        let machine =
            json!({ "img_paths": "a.jpg", "objpos": center, "scale_provided": scale, "joint_self": triples });
        for entry in [hrnet, machine] {
            let found = json_file(folder.path(), &json!([entry]));
            assert!(found.rejects.is_empty(), "{:?}", found.rejects);
            assert_eq!((found.people[0].center, found.people[0].scale), expected, "{entry}");
        }
        let (Some([x, y]), Some(scale)) =
            (center.as_array().and_then(|c| Some([c.first()?.as_f64()?, c[1].as_f64()?])), scale.as_f64())
        else {
            continue;
        };
        let mut one = rect(vec![point(0.0, 5.0, Value::scalar(1.0))]);
        one[5] = Value::scalar(scale);
        one[6] = Value::record([("x", Value::scalar(x)), ("y", Value::scalar(y))]);
        let release =
            read(&of(&file(folder.path(), vec![one], Value::text("a.jpg")), &MpiiConfig::default())).unwrap();
        assert_eq!((release.people[0].center, release.people[0].scale), expected, "{x} {y} {scale}");
    }
}

#[test]
fn faults_of_json_name_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let sound = json!({ "image": "a.jpg", "joints": vec![[1, 2]; 16], "joints_vis": vec![1; 16] });
    let with = |key: &str, value: Json| {
        let mut entry = sound.clone();
        entry[key] = value;
        json_file(folder.path(), &json!([entry]))
            .rejects
            .first()
            .map(|reject| reject.detail.clone())
            .unwrap_or_default()
    };
    assert_eq!(with("scale", json!("2.5")), "");
    assert_eq!(with("scale", json!("2,5")), "`scale`: invalid value: string \"2,5\", expected a number");
    assert!(with("center", json!([1])).starts_with("`center`: invalid length 1"));
    assert!(with("joints", json!([[1, 2]])).starts_with("`joints` has 1 points and `joints_vis` 16 flags"));
    assert!(with("joints_vis", json!([3])).starts_with("`joints_vis`: invalid value: integer `3`"));
    assert_eq!(with("joints", json!(vec![[json!(null), json!(2)]; 16])), "`joints[0]` is (NaN, 2)");
}

#[test]
fn json_of_the_pose_machine_knows_hidden_joints_and_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut joints = vec![[0.0, 0.0, 0.0]; 16];
    joints[0] = [11.0, 21.0, 1.0];
    joints[6] = [12.0, 22.0, 1.0];
    joints[9] = [13.0, 23.0, 0.0];
    let entry = json!({
        "dataset": "MPI", "isValidation": 1.0, "img_paths": "a.jpg", "img_width": 1280, "img_height": 720.0,
        "objpos": [101, 51], "joint_self": joints, "scale_provided": 2.5, "joint_others": [joints, joints],
        "scale_provided_other": [1, 2], "annolist_index": 5, "people_index": 2, "numOtherPeople": 2
    });
    for content in [json!([entry]), json!({ "root": [entry] }), json!({ "": entry })] {
        let found = json_file(folder.path(), &content);
        let [person] = &found.people[..] else { panic!("{:?}", found.rejects) };
        assert_eq!((person.sample_id.as_str(), person.split.as_str()), ("mpii-a-1", "validation"));
        assert_eq!(
            (person.center, person.scale, person.image_size),
            (Some([100.0, 50.0]), Some(2.5), Some([1280, 720]))
        );
        let seen = [0, 6, 9, 5].map(|joint| person.pose.visibility[joint]);
        assert_eq!(
            seen,
            [Visibility::Visible, Visibility::Visible, Visibility::Occluded, Visibility::NotAnnotated]
        );
        assert_eq!((person.pose.joint(0), person.pose.joint(9)), (Some([10.0, 20.0]), Some([12.0, 22.0])));
        assert_eq!(person.others.len(), 2);
        assert_eq!(attributes(person)["annolist_index"], json!(5));
    }
    // One other person, or nobody, as jsonlab writes them; LSP and LSPET in the same form.
    for (others, count) in [(json!(joints), 1), (json!([joints]), 1), (json!([]), 0), (json!(null), 0)] {
        let mut entry = entry.clone();
        entry["joint_others"] = others;
        assert_eq!(json_file(folder.path(), &json!([entry])).people[0].others.len(), count);
    }
    for (image, dataset, head) in [
        ("lsp_dataset/images/im1001.jpg", "lsp", Visibility::Occluded),
        ("lspet_dataset/images/im00001.jpg", "lspet", Visibility::NotAnnotated),
    ] {
        let mut entry = entry.clone();
        (entry["dataset"], entry["img_paths"]) = (json!("LEEDS"), json!(image));
        let person = &json_file(folder.path(), &json!([entry])).people[0];
        assert_eq!((person.dataset.as_str(), person.split.as_str()), (dataset, "test"));
        assert_eq!((person.pose.visibility[6], person.pose.visibility[9]), (Visibility::NotAnnotated, head));
    }
    let mut spoilt = entry.clone();
    spoilt["joint_self"] = json!([[1, 2, 3]]);
    let found = json_file(folder.path(), &json!([spoilt]));
    assert_eq!(found.rejects[0].detail, "`joint_self`: 1 points; there must be 16");
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("joints.mat");
    matlab::write(&path, &[("joints", &Value::scalar(1.0))]).unwrap();
    let message = read(&of(&path, &MpiiConfig::default())).unwrap_err().to_string();
    assert!(message.contains("`RELEASE` or `pos_gt_src`, found `joints` (double 1x1)"), "{message}");
    std::fs::write(&path, b" {\"a\": 1}").unwrap();
    assert!(read(&of(&path, &MpiiConfig::default())).unwrap_err().to_string().contains("a list of people"));
    std::fs::write(&path, b"[{\"image\": ").unwrap();
    assert!(matches!(
        read(&of(&path, &MpiiConfig::default())),
        Err(ReadError::Malformed { format: "JSON", .. })
    ));
}
