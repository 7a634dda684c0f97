//! People who are not told apart, or not known, are never handed on as background.

use std::fs;
use std::path::Path;

use schemas::skeleton::COCO17;
use schemas::tables::people::Person;
use schemas::tables::regions::{self, Region, Why};
use serde_json::{Value as Json, json};

use super::testing::{export, picture, pieces};
use super::{CocoExport, YoloExport};
use crate::coco::{self, BoxRule, CocoConfig};
use crate::pixels::OrientationRule;

/// A COCO file of the pictures `a.png`, `b.png`, .. of which the n-th has the annotations `of_picture[n]`.
fn people_of(folder: &Path, of_picture: &[Vec<Json>]) -> crate::Annotations {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for (number, (name, found)) in ('a'..='z').zip(of_picture).enumerate() {
        let name = format!("{name}.png");
        picture(folder, &name);
        images.push(json!({ "id": number, "file_name": name, "width": 64, "height": 48 }));
        for one in found {
            let mut one = one.clone();
            one["image_id"] = json!(number);
            annotations.push(one);
        }
    }
    let category =
        |id: u32, name: &str, joints: &[&str]| json!({ "id": id, "name": name, "keypoints": joints });
    let content = json!({
        "images": images, "annotations": annotations,
        "categories": [category(1, "person", COCO17.joints), category(2, "people far away", &[]), category(3, "cup", &[])],
    });
    let path = folder.join("train.json");
    fs::write(&path, content.to_string()).unwrap();
    let config = CocoConfig { annotations: path, images: folder.to_owned(), ..CocoConfig::default() };
    coco::read(&config).unwrap()
}

fn person() -> Json {
    let mut keypoints = vec![0; 51];
    keypoints[..6].copy_from_slice(&[20, 20, 2, 30, 35, 1]);
    json!({ "category_id": 1, "iscrowd": 0, "bbox": [10, 10, 30, 30], "area": 500.0, "keypoints": keypoints })
}

fn with(key: &str, value: Json) -> Json {
    let mut one = person();
    one[key] = value;
    one
}

fn crowd() -> Json {
    let mut one = with("iscrowd", json!(1));
    one["bbox"] = json!([1, 2, 40, 20]);
    one["area"] = json!(321.5);
    one["segmentation"] = json!({ "size": [48, 64], "counts": [0, 3072] });
    one["keypoints"] = json!(vec![0; 51]);
    one
}

/// Every way in which a person of a picture may not become a row.
fn lost() -> Vec<(&'static str, Json)> {
    vec![
        ("a word among the keypoints", with("keypoints", json!(["left"]))),
        ("too few numbers", with("keypoints", json!([1, 2, 2]))),
        ("a visibility that there is not", with("keypoints", json!(vec![7; 51]))),
        ("a category of people that is not read", with("category_id", json!(2))),
        ("no category", with("category_id", json!(null))),
        ("a box of another shape", with("bbox", json!("10 10 30 30"))),
    ]
}

fn yolo(folder: &Path, people: &[Person]) -> (Vec<String>, Vec<String>) {
    let target = folder.join("yolo");
    let sink = YoloExport {
        path: target.clone(),
        images: None,
        bbox: BoxRule::default(),
        orientation: OrientationRule::default(),
        link: false,
    };
    let exported = export(&sink, &[&pieces(&COCO17, people)]).unwrap();
    let list = fs::read_to_string(target.join("train.txt")).unwrap_or_default();
    let pictures = list.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    let mut told = exported.notes;
    told.extend(exported.rejects.into_iter().map(|reject| reject.reason));
    (pictures, told)
}

fn exported_coco(folder: &Path, people: &[Person]) -> Json {
    let target = folder.join("back.json");
    let sink = CocoExport {
        path: target.clone(),
        images: Some(folder.to_owned()),
        bbox: BoxRule::default(),
        orientation: OrientationRule::default(),
    };
    export(&sink, &[&pieces(&COCO17, people)]).unwrap();
    serde_json::from_slice(&fs::read(target).unwrap()).unwrap()
}

fn names(coco: &Json) -> Vec<&str> {
    coco["images"].as_array().unwrap().iter().map(|image| image["file_name"].as_str().unwrap()).collect()
}

#[test]
fn a_picture_of_lost_people_is_in_no_export() {
    for (what, lost) in lost() {
        let folder = tempfile::tempdir().unwrap();
        let found = people_of(folder.path(), &[vec![lost.clone()], vec![person()], vec![]]);
        assert_eq!((found.people.len(), found.rejects.len()), (2, 1), "{what}");
        let (pictures, _) = yolo(folder.path(), &found.people);
        assert_eq!(pictures, ["b.png", "c.png"], "{what}: b shows a person, c nobody");
        assert_eq!(names(&exported_coco(folder.path(), &found.people)), ["b.png", "c.png"], "{what}");
    }
}

#[test]
fn beside_others_a_lost_person_is_a_region() {
    for (what, lost) in lost() {
        let folder = tempfile::tempdir().unwrap();
        let found = people_of(folder.path(), &[vec![lost, person()]]);
        let [region] = &regions::of(&found.people[0])[..] else { panic!("{what}: one region") };
        assert!(matches!(region.why, Why::Rejected | Why::Unread), "{what}");
        let (_, told) = yolo(folder.path(), &found.people);
        assert!(told[0].starts_with("1 pictures also show people"), "{what}: {told:?}");
        let back = exported_coco(folder.path(), &found.people);
        let crowds: Vec<&Json> =
            back["annotations"].as_array().unwrap().iter().filter(|one| one["iscrowd"] == 1).collect();
        // Its own box, or the whole picture where it may be anywhere.
        let [x, y, width, height] = region.bbox.unwrap_or([0.0, 0.0, 64.0, 48.0]);
        assert_eq!(crowds.len(), 1, "{what}");
        assert_eq!(crowds[0]["bbox"], json!([x, y, width, height]), "{what}");
    }
}

#[test]
fn things_are_no_people() {
    let folder = tempfile::tempdir().unwrap();
    let found = people_of(folder.path(), &[vec![with("category_id", json!(3))]]);
    assert!(found.people[0].person_index.is_none() && regions::of(&found.people[0]).is_empty());
    assert_eq!(yolo(folder.path(), &found.people).0, ["a.png"]);
}

#[test]
fn crowds_come_back_with_box_area_and_outline() {
    let folder = tempfile::tempdir().unwrap();
    let found = people_of(folder.path(), &[vec![person()], vec![crowd()], vec![crowd(), person(), person()]]);
    assert!(found.rejects.is_empty());
    let outline = json!({ "size": [48, 64], "counts": [0, 3072] });
    let expected = Region {
        area: Some(321.5),
        outline: Some(outline.clone()),
        index: Some(0),
        ..Region::at(Why::Crowd, Some([1.0, 2.0, 40.0, 20.0]))
    };
    let rows: Vec<usize> = found.people.iter().map(|person| regions::of(person).len()).collect();
    assert_eq!(rows, [0, 1, 1, 1], "of every row of the picture");
    assert_eq!(regions::of(&found.people[1]), [expected]);
    let (pictures, told) = yolo(folder.path(), &found.people);
    assert_eq!(pictures, ["a.png", "c.png"]);
    assert!(told.contains(&"people not told apart".to_owned()), "{told:?}");
    let back = exported_coco(folder.path(), &found.people);
    assert_eq!(names(&back), ["a.png", "b.png", "c.png"]);
    let annotations = back["annotations"].as_array().unwrap();
    let crowds: Vec<&Json> = annotations.iter().filter(|one| one["iscrowd"] == 1).collect();
    assert_eq!(crowds.len(), 2, "one of each picture");
    for crowd in crowds {
        assert_eq!((&crowd["bbox"], &crowd["area"]), (&json!([1.0, 2.0, 40.0, 20.0]), &json!(321.5)));
        assert_eq!((&crowd["segmentation"], &crowd["num_keypoints"]), (&outline, &json!(0)));
    }
    let mut ids: Vec<i64> = annotations.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), annotations.len());
    // Read again, all is as before.
    let config = CocoConfig {
        annotations: folder.path().join("back.json"),
        images: folder.path().to_owned(),
        ..CocoConfig::default()
    };
    let again = coco::read(&config).unwrap().people;
    let regions = |people: &[Person]| people.iter().map(regions::of).collect::<Vec<_>>();
    assert_eq!(regions(&again), regions(&found.people));
}

#[test]
fn a_person_for_whom_no_box_can_be_made_is_no_background_either() {
    let folder = tempfile::tempdir().unwrap();
    let mut boxless = person();
    boxless["keypoints"] = json!(vec![0; 51]);
    boxless.as_object_mut().unwrap().remove("bbox");
    boxless.as_object_mut().unwrap().remove("area");
    let found = people_of(folder.path(), &[vec![boxless], vec![person()]]);
    let (pictures, told) = yolo(folder.path(), &found.people);
    assert_eq!(pictures, ["b.png"]);
    assert!(told.contains(&"no box".to_owned()));
    let back = exported_coco(folder.path(), &found.people);
    let whole = back["annotations"].as_array().unwrap().iter().find(|one| one["iscrowd"] == 1).unwrap();
    assert_eq!(whole["bbox"], json!([0.0, 0.0, 64.0, 48.0]));
}

#[test]
fn labels_stand_where_trainers_look() {
    let folder = tempfile::tempdir().unwrap();
    for below in ["", "images", "images/val/walk", "a/images/b", "images/images", "my images"] {
        let root = folder.path().join("root");
        fs::create_dir_all(root.join(below)).unwrap();
        let path = picture(&root.join(below), "x.1.png");
        let mut one = super::testing::person(&path, 0, 17);
        one.pose.set(0, [20.0, 20.0], schemas::Visibility::Visible);
        one.pose.set(1, [30.0, 35.0], schemas::Visibility::Visible);
        let target = folder.path().join("yolo");
        let sink = YoloExport {
            path: target.clone(),
            images: Some(root.clone()),
            bbox: BoxRule::default(),
            orientation: OrientationRule::default(),
            link: false,
        };
        export(&sink, &[&pieces(&COCO17, &[one])]).unwrap();
        let list = fs::read_to_string(target.join("train.txt")).unwrap();
        let exported = target.join(list.trim().strip_prefix("./").unwrap());
        assert!(exported.exists(), "{below}");
        let exported = exported.to_string_lossy().into_owned();
        // As `ultralytics` has it: the last `/images/` exchanged for `/labels/`, the ending for `.txt`.
        let (before, behind) = exported.rsplit_once("/images/").unwrap();
        let label = format!("{before}/labels/{behind}").replace(".png", ".txt");
        assert_eq!(fs::read_to_string(&label).unwrap().lines().count(), 1, "{below}: {label}");
        fs::remove_dir_all(&root).unwrap();
    }
}
