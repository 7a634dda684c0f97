//! FLIC as published, and small files with faults.

use super::*;
use crate::matlab::Value;
use crate::testing::real_data;

/// `config` for the file `path`.
fn at(path: &Path, config: &FlicConfig) -> FlicConfig {
    FlicConfig { annotations: path.to_owned(), ..config.clone() }
}

fn backward(found: &Annotations, split: &str) -> usize {
    let people = found.people.iter().filter(|person| person.split == split);
    people
        .filter(|person| person.pose.keypoints[RIGHT_SHOULDER][0] > person.pose.keypoints[LEFT_SHOULDER][0])
        .count()
}

#[test]
fn flic_is_read_as_published() {
    let Some(path) = real_data("flic/examples.mat") else { return };
    let options = FlicConfig { images: "images".into(), ..FlicConfig::default() };
    let found = read(&at(&path, &options)).unwrap();
    let of = |split: &str| found.people.iter().filter(|person| person.split == split).count();
    assert_eq!((found.people.len(), found.rejects.len(), of("train"), of("test")), (5003, 0, 3987, 1016));
    assert_eq!(found.people.len() - found.images, 451);
    assert_eq!((backward(&found, "train"), backward(&found, "test")), (199, 48));
    assert!(found.people.iter().all(|person| person.pose.annotated() == 11));
    assert!(found.people.iter().all(|person| person.image_size == Some([720, 480])));
    // Measured: 14 coordinates outside the image, counted from 1.
    let points = || found.people.iter().flat_map(|person| &person.pose.keypoints);
    let outside = points().flat_map(|[x, y]| [(x + 1.0, 720.0), (y + 1.0, 480.0)]);
    assert_eq!(outside.filter(|(value, size)| value > size || *value < 1.0).count(), 14);
    let shared = found.people.iter().filter(|person| !person.others.is_empty()).count();
    assert!(shared > 451, "{shared}");
    let first = &found.people[0];
    assert_eq!(first.sample_id, "flic-12-oclock-high-special-edition-00006361-0");
    assert_eq!(first.source_record, "examples(1)");
    assert!((first.pose.keypoints[0][0] - 326.877_563).abs() < 1e-5);
    assert!((first.torso_box.unwrap()[3] - 359.880_55).abs() < 1e-4);
    let attributes: Json = serde_json::from_str(first.attributes.as_deref().unwrap()).unwrap();
    assert_eq!((&attributes["currframe"], &attributes["poselet_hit_idx"][1]), (&json!(6361), &json!(148)));

    let viewed = FlicConfig { labels: Labels::ObserverCentric, ..options.clone() };
    let viewed = read(&at(&path, &viewed)).unwrap();
    assert_eq!((backward(&viewed, "train"), backward(&viewed, "test")), (0, 0));
    let differ = std::iter::zip(&found.people, &viewed.people).filter(|(a, b)| a.pose != b.pose).count();
    assert_eq!(differ, 247);

    let Some(plus) = real_data("flic/tr_plus_indices.mat") else { return };
    let message = read(&at(&path, &FlicConfig { plus: Some(plus), ..options })).unwrap_err().to_string();
    assert!(message.contains("examples of FLIC-full") && message.contains("5003"), "{message}");
}

fn example(image: &str, x: f64, train: bool, test: bool) -> Vec<Value> {
    let mut coords = vec![f64::NAN; 58];
    for column in COLUMNS {
        (coords[2 * column], coords[2 * column + 1]) = (x + column as f64, 5.0);
    }
    vec![
        Value::array(&[2, 29], coords),
        Value::text(image),
        Value::array(&[1, 3], vec![480_u16, 720, 3]),
        Value::array(&[1, 4], vec![1.0_f32, 2.0, 11.0, 12.0]),
        Value::Logical { dims: vec![1, 1], values: vec![train] },
        Value::Logical { dims: vec![1, 1], values: vec![test] },
        Value::scalar(1.0),
    ]
}

fn write(folder: &Path, examples: Vec<Vec<Value>>) -> PathBuf {
    let fields = ["coords", "filepath", "imgdims", "torsobox", "istrain", "istest", "isbad"];
    let path = folder.join("examples.mat");
    let value = Value::structs(&[1, examples.len()], &fields, examples);
    matlab::write(&path, &[("examples", &value)]).unwrap();
    path
}

#[test]
fn people_of_one_file_are_each_others_others() {
    let folder = tempfile::tempdir().unwrap();
    let examples = vec![
        example("a.jpg", 1.0, true, false),
        example("b.jpg", 1.0, false, true),
        example("a.jpg", 9.0, true, false),
    ];
    let found = read(&at(&write(folder.path(), examples), &FlicConfig::default())).unwrap();
    let ids: Vec<&str> = found.people.iter().map(|person| person.sample_id.as_str()).collect();
    assert_eq!(ids, ["flic-a-0", "flic-b-0", "flic-a-1"]);
    assert_eq!(found.images, 2);
    assert_eq!(found.people[0].others, [std::sync::Arc::new(found.people[2].pose.clone())]);
    assert_eq!(found.people[0].torso_box, Some([0.0, 1.0, 10.0, 11.0]));
    assert!(found.people[0].activity.is_none() && found.people[1].others.is_empty());
    assert!(found.people[0].attributes.as_deref().unwrap().contains(r#""isbad":1"#));
}

#[test]
fn the_list_of_flic_plus_chooses_what_trains() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        vec![
            example("a.jpg", 1.0, true, false),
            example("b.jpg", 1.0, false, false),
            example("c.jpg", 1.0, false, true),
        ],
    );
    let plus = folder.path().join("tr_plus_indices.mat");
    matlab::write(&plus, &[("tr_plus_indices", &Value::array(&[1, 1], vec![2_u16]))]).unwrap();
    let found = read(&at(&path, &FlicConfig { plus: Some(plus), ..FlicConfig::default() })).unwrap();
    let rows: Vec<_> = found.people.iter().map(|p| (p.sample_id.as_str(), p.split.as_str())).collect();
    assert_eq!(rows, [("flic-b-0", "train"), ("flic-c-0", "test")]);
    assert_eq!(found.rejects[0].reason, "not on the list of FLIC-plus");
    let without = read(&at(&path, &FlicConfig::default())).unwrap();
    assert_eq!((without.people.len(), without.rejects[0].reason.as_str()), (2, "neither train nor test"));
}

#[test]
fn bad_examples_are_rejected_and_keep_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut half = example("a.jpg", 1.0, true, false);
    let mut coords = half[0].as_f64s().unwrap();
    coords[1] = f64::NAN;
    half[0] = Value::array(&[2, 29], coords);
    let mut other = example("a.jpg", 1.0, true, false);
    other[0] = Value::text("none");
    let mut nameless = example("a.jpg", 1.0, true, false);
    nameless[1] = Value::scalar(1.0);
    let found = write(folder.path(), vec![half, other, nameless, example("a.jpg", 1.0, true, false)]);
    let found = read(&at(&found, &FlicConfig::default())).unwrap();
    assert_eq!((found.people.len(), found.people[0].sample_id.as_str()), (1, "flic-a-2"));
    let details: Vec<&str> = found.rejects.iter().map(|reject| reject.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "`examples(1).coords(:,1)` is (0, NaN)",
            "`examples(2).coords` must be 2 x 29, found `none`",
            "`examples(3).filepath` must be a string, found 1"
        ]
    );
}
