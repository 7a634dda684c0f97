use std::path::Path;

use super::*;
use schemas::Visibility;
use schemas::columns::{numbers, points, strings, vectors_f64};
use schemas::skeleton::COCO17;
use schemas::tables::keypoints::DETECTION_SCORE;
use schemas::tables::people::Person;
use schemas::tables::regions::{self, Why};
use serde_json::{Value as Json, json};

/// `config` for the file `path`.
fn of(path: &Path, config: &CocoConfig) -> CocoConfig {
    CocoConfig { annotations: path.to_owned(), ..config.clone() }
}

/// A person without anything, of the skeleton `coco17`.
pub(super) fn person(image: &str, index: i32) -> Person {
    crate::export::testing::person(image, index, 17)
}

/// Keypoints: the nose at `x`, `y`, an ankle a little below, hidden.
fn keypoints(x: f64, y: f64) -> Vec<f64> {
    let mut numbers = vec![0.0; 51];
    numbers[..3].copy_from_slice(&[x, y, 2.0]);
    numbers[45..48].copy_from_slice(&[x + 4.0, y + 40.0, 1.0]);
    numbers
}

fn file() -> Json {
    let annotation = |id: i64, image: i64, x: f64| {
        json!({
            "id": id, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": [x, 10.0, 20.0, 60.0], "area": 700.5,
            "num_keypoints": 2, "keypoints": keypoints(x, 20.0), "segmentation": [[1, 2, 3, 4, 5, 6]],
        })
    };
    let mut crowd = annotation(13, 9, 0.0);
    crowd["iscrowd"] = json!(1);
    crowd["segmentation"] = json!({ "counts": [1, 2], "size": [2, 2] });
    let mut unlabelled = annotation(14, 9, 300.0);
    unlabelled["keypoints"] = json!(vec![0; 51]);
    json!({
        "info": {}, "licenses": [],
        "images": [
            { "id": 9, "file_name": "000000000009.jpg", "width": 640, "height": 480, "license": 3 },
            { "id": 4, "file_name": "000000000004.jpg", "width": 500, "height": 333 },
            { "id": 5, "file_name": "000000000005.jpg" },
        ],
        "annotations": [annotation(11, 4, 50.0), annotation(12, 9, 100.0), crowd, unlabelled, annotation(15, 9, 200.0)],
        "categories": [{
            "id": 1, "name": "person", "keypoints": COCO17.joints,
            "skeleton": COCO17.limbs.iter().map(|&(a, b)| [a + 1, b + 1]).collect::<Vec<_>>(),
        }],
    })
}

fn written(folder: &Path, name: &str, content: &Json) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path
}

fn read_file(content: &Json) -> Result<Annotations, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "person_keypoints_val2017.json", content);
    read(&of(&path, &CocoConfig { images: "images".into(), ..CocoConfig::default() }))
}

#[test]
fn annotations_become_people_image_by_image() {
    let found = read_file(&file()).unwrap();
    assert_eq!((found.skeleton.name, found.images), ("coco17", 3));
    let ids: Vec<&str> = found.people.iter().map(|person| person.sample_id.as_str()).collect();
    let expected = ["000000000009-0", "000000000009-2", "000000000009-3", "000000000004-0", "000000000005"];
    assert_eq!(ids, expected.map(|id| format!("coco-{id}")));
    let [first, unlabelled, third, _, empty] = &found.people[..] else { panic!("five rows") };
    assert_eq!((first.split.as_str(), first.image_size), ("validation", Some([640, 480])));
    assert_eq!(first.image_path, "images/000000000009.jpg");
    assert_eq!((first.center, first.scale), (Some([110.0, 40.0]), Some(0.3)));
    assert_eq!(first.pose.joint(0), Some([100.0, 20.0]));
    assert_eq!(first.pose.visibility[15], Visibility::Occluded);
    assert_eq!((first.pose.annotated(), first.source_record.as_str()), (2, "annotation 12"));
    // The other labelled person of the image, not the unlabelled one.
    assert_eq!(first.others.len(), 1);
    assert_eq!(first.others[0].joint(0), third.pose.joint(0));
    assert_eq!((unlabelled.pose.annotated(), unlabelled.person_index), (0, Some(2)));
    assert_eq!((empty.person_index, empty.image_size), (None, None));
    let stated = Stated::of(first);
    assert_eq!(stated.bbox, Some([100.0, 10.0, 20.0, 60.0]));
    assert_eq!((stated.image_id, stated.area), (Some(9), Some(700.5)));
    let attributes = first.attributes.as_deref().unwrap();
    assert!(!attributes.contains("[1,2,3,4,5,6]") && attributes.contains("longer side of the box"));
    let [crowd] = &regions::of(first)[..] else { panic!("one region") };
    assert_eq!((crowd.why, crowd.bbox), (Why::Crowd, Some([0.0, 10.0, 20.0, 60.0])));
    assert!(found.rejects.is_empty());
}

#[test]
fn spoilt_records_are_rejects_and_every_record_is_accounted_for() {
    let mut content = file();
    let records = content["annotations"].as_array_mut().unwrap();
    records[0]["keypoints"] = json!([1, 2, 2]);
    records[1]["keypoints"][2] = json!(7);
    records[2]["image_id"] = json!(77);
    records[3]["category_id"] = json!(2);
    records[4]["keypoints"][0] = json!("left");
    let found = read_file(&content).unwrap();
    let mut reasons: Vec<(&str, &str)> = found
        .rejects
        .iter()
        .map(|reject| (reject.source_record.as_deref().unwrap(), reject.reason.as_str()))
        .collect();
    reasons.sort_unstable();
    let shape = "record of another shape";
    let expected = [shape, shape, "image not listed", "another category", shape];
    let records = ["annotations[0]", "annotations[1]", "annotations[2]", "annotations[3]", "annotations[4]"];
    assert_eq!(reasons, std::iter::zip(records, expected).collect::<Vec<_>>());
    // Images whose annotations are all rejects have no row; the third has none from the start.
    assert_eq!(found.people.len(), 1);
}

#[test]
fn values_are_read_by_their_meaning() {
    let expected = read_file(&file()).unwrap();
    let text = |value: &mut Json| *value = Json::from(value.to_string());
    let mut content = file();
    for image in content["images"].as_array_mut().unwrap() {
        text(&mut image["id"]);
        image["license"] = Json::Null;
    }
    content["images"][0]["width"] = json!(640.0);
    content["images"][2]["width"] = json!(0);
    content["categories"][0]["id"] = json!("1");
    for annotation in content["annotations"].as_array_mut().unwrap() {
        for key in ["id", "image_id", "area"] {
            text(&mut annotation[key]);
        }
        annotation["category_id"] = json!(1.0);
        let crowd = annotation["iscrowd"] == json!(1);
        annotation["iscrowd"] = json!(crowd);
        annotation["bbox"].as_array_mut().unwrap().iter_mut().for_each(text);
        let flat = annotation["keypoints"].as_array().unwrap().clone();
        annotation["keypoints"] = flat.chunks(3).map(|point| json!(point)).collect();
    }
    let found = read_file(&content).unwrap();
    assert_eq!(format!("{:?}", found.people), format!("{:?}", expected.people));
    assert_eq!(found.rejects, expected.rejects);
}

#[test]
fn a_reject_names_record_field_and_value() {
    let mut content = file();
    let records = content["annotations"].as_array_mut().unwrap();
    records[0]["image_id"] = json!(3.7);
    records[1]["keypoints"] = json!([1, 2]);
    records[2]["iscrowd"] = json!("some");
    records[3]["bbox"] = json!([1, "2,5", 3, 4]);
    records[4]["keypoints"][2] = json!(7);
    content["images"][2]["file_name"] = json!("");
    let found = read_file(&content).unwrap();
    let mut details: Vec<&str> = found.rejects.iter().map(|reject| reject.detail.as_str()).collect();
    details.sort_unstable();
    assert_eq!(
        details,
        [
            "id 11: `image_id`: invalid value: floating point `3.7`, expected a whole number",
            "id 12: `keypoints` has 2 numbers; there must be 3 for each of 17 joints",
            "id 13: `iscrowd`: invalid value: string \"some\", expected true, false, 0 or 1",
            "id 14: `bbox`: invalid value: string \"2,5\", expected a number",
            "id 15: `keypoints[2]`: the visibility must be 0, 1 or 2, found 7",
            "id 5: `file_name`: invalid value: string \"\", expected a text that is not blank",
        ]
    );
}

#[test]
fn a_box_without_extent_places_nobody() {
    for nothing in [json!([0, 0, 0, 0]), json!([-1, -1, -1, -1]), json!([]), json!(null), json!([5, 5, 0, 9])]
    {
        let mut content = file();
        content["annotations"][0]["bbox"] = nothing;
        let person = &read_file(&content).unwrap().people[3];
        assert_eq!((person.center, person.scale), (None, None));
    }
}

#[test]
fn pictures_are_found_by_names_of_other_systems() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("images/walk")).unwrap();
    for name in ["walk/a b.jpg", "c.JPG", "d.jpg", "D.jpg"] {
        std::fs::write(folder.path().join("images").join(name), "").unwrap();
    }
    let read_names = |names: [&str; 3]| {
        let mut content = file();
        for (image, name) in names.iter().enumerate() {
            content["images"][image]["file_name"] = json!(name);
        }
        let path = written(folder.path(), "train.json", &content);
        read(&of(&path, &CocoConfig { images: folder.path().join("images"), ..CocoConfig::default() }))
            .unwrap()
    };
    let found = read_names(["walk\\a b.jpg", "c.jpg", "Walk/a%20b.JPG"]);
    assert!(found.people.iter().all(|person| Path::new(&person.image_path).is_file()));
    let found = read_names(["walk/a b.jpg", "c.jpg", "d.JPG"]);
    let two = found.rejects.iter().find(|reject| reject.reason == "image name fits two files").unwrap();
    assert!(
        two.detail.starts_with("id 5: `file_name`: `d.JPG` is not there")
            && two.detail.contains("D.jpg` and"),
        "{two:?}"
    );
}

#[test]
fn packed_files_have_the_same_schema_and_rows() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let plain = file().to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let marked = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
    for bytes in
        [plain.clone().into_bytes(), gzip.finish().unwrap(), marked, plain.replace("700.5", "NaN").into()]
    {
        let path = folder.path().join("val.json");
        std::fs::write(&path, &bytes).unwrap();
        let config = of(&path, &CocoConfig::default());
        assert_eq!(Source::schema(&config, &[]).unwrap(), people::schema(&COCO17));
        assert_eq!(read(&config).unwrap().people.len(), 5);
    }
    let path = folder.path().join("x.json");
    std::fs::write(&path, "\x1b[0m").unwrap();
    assert!(
        read(&of(&path, &CocoConfig::default()))
            .unwrap_err()
            .to_string()
            .contains("bytes of an unknown format")
    );
}

#[test]
fn files_of_something_else_are_explained() {
    let message = |content: &Json| read_file(content).unwrap_err().to_string();
    assert!(message(&json!([])).contains("found a list (results of a model?)"));
    assert!(message(&json!({ "images": [] })).contains("missing field `annotations`"));
    let mut content = file();
    content["images"][1]["id"] = json!(9);
    assert!(message(&content).contains("an image's `id` must be its own, found `9` twice"));
    content = file();
    content["categories"] = json!([{ "id": 1, "name": "hand" }]);
    assert!(message(&content).contains("found `hand` (no keypoints)"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.json");
    std::fs::write(&path, &file().to_string()[..500]).unwrap();
    assert!(matches!(read(&of(&path, &CocoConfig::default())), Err(ReadError::Malformed { .. })));
    assert!(matches!(
        read(&of(&folder.path().join("no.json"), &CocoConfig::default())),
        Err(ReadError::Io { .. })
    ));
}

fn detection(image: i64, x: f64, score: f64) -> Json {
    json!({ "image_id": image, "category_id": 1, "keypoints": keypoints(x, 20.0), "score": score })
}

fn results(list: &Json) -> Result<Results, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let people = read_file(&file()).unwrap().people;
    let path = written(folder.path(), "results.json", list);
    read_results(&path, &people, &COCO17, &ResultOptions { model: "net".into(), ..ResultOptions::default() })
}

#[test]
fn detections_go_to_whom_they_are_most_like() {
    // Image 9: people at 100, 300 (unlabelled) and 200. The second detection is nearer to the first person than the
    // first one, and wins although its score is lower.
    let mut list = json!([
        detection(9, 103.0, 0.9),
        detection(9, 101.0, 0.2),
        detection(9, 201.0, 0.4),
        detection(4, 400.0, 0.1)
    ]);
    list[2]["keypoints"][0] = json!(0);
    list[2]["keypoints"][1] = json!(0);
    list[2]["keypoints"][2] = json!(0);
    let found = results(&list).unwrap();
    let ids: Vec<&str> = strings(&found.batch, "sample_id").unwrap().iter().flatten().collect();
    // Alone in its image, the last one is taken however unlike it is.
    assert_eq!(ids, ["coco-000000000009-0", "coco-000000000009-3", "coco-000000000004-0"]);
    let places = points(&found.batch, "keypoints").unwrap();
    assert_eq!(places[0][0], [101.0, 20.0]);
    assert!(places[1][0][0].is_nan() && places[1][15] == [205.0, 60.0]);
    assert_eq!(vectors_f64(&found.batch, "score", 17).unwrap().row(0).unwrap()[..2], [2.0, 0.0]);
    assert_eq!(numbers(&found.batch, DETECTION_SCORE).unwrap().value(0), 0.2);
    let [left] = &found.rejects[..] else { panic!("one reject") };
    assert_eq!((left.reason.as_str(), left.source_record.as_deref()), ("detection of nobody", Some("[0]")));
}

#[test]
fn detections_are_joined_by_number_name_or_stem() {
    let expected = results(&json!([detection(9, 103.0, 0.9), detection(4, 50.0, 0.1)])).unwrap();
    for names in [
        [json!("9"), json!("4")],
        [json!("000000000009.jpg"), json!("000000000004")],
        [json!(9.0), json!("images/000000000004.jpg")],
    ] {
        let mut list = json!([detection(9, 103.0, 0.9), detection(4, 50.0, 0.1)]);
        for (row, name) in names.into_iter().enumerate() {
            list[row]["image_id"] = name;
        }
        let found = results(&list).unwrap();
        assert_eq!(found.batch, expected.batch);
    }
    let mut stranger = detection(9, 103.0, 0.9);
    stranger["image_id"] = json!("elsewhere.jpg");
    let found = results(&json!([stranger])).unwrap();
    assert_eq!((found.batch.num_rows(), found.rejects[0].reason.as_str()), (0, "image not in the people"));
    assert!(
        found.rejects[0].detail.starts_with("`image_id` `elsewhere.jpg` is neither number nor file name")
    );
}

#[test]
fn detections_of_nobody_are_rejects() {
    let mut named = detection(9, 0.0, 0.5);
    named["sample_id"] = json!("coco-000000000009-3");
    let mut stranger = named.clone();
    stranger["sample_id"] = json!("coco-1");
    let mut short = detection(9, 0.0, 0.5);
    short["keypoints"] = json!([1, 2, 3]);
    let unknown = detection(123, 0.0, 0.5);
    let list = json!([named.clone(), named, stranger, short, unknown, { "score": 1 }]);
    let found = results(&list).unwrap();
    assert_eq!(found.batch.num_rows(), 1);
    let reasons: Vec<&str> = found.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    let shape = "record of another shape";
    let expected = ["detected twice", "no person with this id", shape, "image not in the people", shape];
    assert_eq!(reasons, expected);
    assert_eq!(found.notes, ["2 labelled people have no detection"]);
}

#[test]
fn detections_of_nobody_are_kept_where_they_are_asked_for() {
    let mut stranger = detection(9, 0.0, 0.5);
    stranger["sample_id"] = json!("coco-1");
    let list = json!([
        detection(9, 103.0, 0.9),
        stranger,
        detection(123, 0.0, 0.5),
        detection(4, 50.0, 0.1),
        detection(9, 101.0, 0.2)
    ]);
    let folder = tempfile::tempdir().unwrap();
    let people = read_file(&file()).unwrap().people;
    let path = written(folder.path(), "results.json", &list);
    let options = ResultOptions { unmatched: Unmatched::Keep, ..ResultOptions::default() };
    let found = read_results(&path, &people, &COCO17, &options).unwrap();
    let ids: Vec<&str> = strings(&found.batch, "sample_id").unwrap().iter().flatten().collect();
    // In the order of the file; the last detection is nearest to the first person, the first one left for the other.
    let expected =
        ["coco-000000000009-3", "000000000009-detection-1", "coco-000000000004-0", "coco-000000000009-0"];
    assert_eq!(ids, expected);
    let paths: Vec<&str> = strings(&found.batch, "image_path").unwrap().iter().flatten().collect();
    assert_eq!(paths[0], paths[3]);
    assert!(paths[1].ends_with("000000000009.jpg") && paths[2].ends_with("000000000004.jpg"), "{paths:?}");
    let reasons: Vec<&str> = found.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, ["image not in the people"]);
    assert!(found.notes.contains(&"1 detections belong to nobody; kept as rows of their own".to_owned()));
}

#[test]
fn results_of_several_categories_must_be_chosen_from() {
    let mut other = detection(9, 100.0, 0.5);
    other["category_id"] = json!(18);
    let list = json!([detection(9, 100.0, 0.5), other]);
    assert!(results(&list).unwrap_err().to_string().contains("found `1`, `18`"));
    let folder = tempfile::tempdir().unwrap();
    let people = read_file(&file()).unwrap().people;
    let path = written(folder.path(), "results.json", &list);
    let options = ResultOptions { category: Some(1), model: "net".into(), ..ResultOptions::default() };
    let found = read_results(&path, &people, &COCO17, &options).unwrap();
    assert_eq!((found.batch.num_rows(), found.rejects[0].reason.as_str()), (1, "another category"));
    assert!(results(&json!({ "annotations": [] })).unwrap_err().to_string().contains("must be a list"));
    assert_eq!(results(&json!([])).unwrap().batch.num_rows(), 0);
}
