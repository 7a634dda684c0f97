//! Reader of FLIC: `examples.mat`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use schemas::Visibility;
use schemas::skeleton::FLIC11;
use schemas::tables::people::{Person, Pose};
use schemas::tables::rejects::Reject;
use serde_json::{Map, Value as Json, json};

use crate::matlab::{AccessError, Row};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, matlab};

/// Whose left and right the labels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Labels {
    /// The person's own, as the file has them.
    #[default]
    PersonCentric,
    /// The viewer's: all lefts and rights of a person are swapped where the right shoulder is right of the left one.
    ObserverCentric,
}

/// How the file is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder of the images.
    pub images: PathBuf,
    /// Whose left and right.
    pub labels: Labels,
    /// `tr_plus_indices.mat`, the training list of FLIC-plus: numbers of examples of FLIC-full, from 1.
    pub plus: Option<PathBuf>,
}

/// The columns of `coords`, from 0, that are annotated, in the order of `flic11`.
const COLUMNS: [usize; 11] = [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16];
/// All columns of `coords`.
const ALL_COLUMNS: usize = 29;
/// Indices into `flic11`.
const LEFT_SHOULDER: usize = 0;
const RIGHT_SHOULDER: usize = 3;
/// Fields that have columns of their own.
const OWN_FIELDS: [&str; 6] = ["coords", "filepath", "imgdims", "torsobox", "istrain", "istest"];
const DATASET: &str = "flic";

/// People of the FLIC or FLIC-full file `path`: the struct array `examples`. Coordinates are taken to count from 1,
/// and the eleven joints that are ever annotated are taken. `center` and `scale` are not stated; `torso_box` is.
///
/// Several examples of one file name are several people of one image. With `plus`, the examples on the list train,
/// those of `istest` test, and the others are rejects; without, `istrain` and `istest` tell, and an example that is
/// neither, or both, is a reject.
///
/// # Errors
/// When a file cannot be read or holds something else, or the list names an example that is not there.
pub fn read(path: &Path, options: &Options) -> Result<Annotations, ReadError> {
    let variables = matlab::read(path)?;
    let rows = matlab::variable(&variables, "examples").and_then(|node| node.rows());
    let rows = rows.map_err(|error| error.in_file(path))?;
    let plus = options.plus.as_deref().map(|list| read_plus(list, path, rows.len())).transpose()?;
    let source_file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();

    let mut ids = UniqueIds::default();
    let mut per_image: HashMap<String, Vec<Option<Pose>>> = HashMap::new();
    let mut names = Vec::new();
    let mut found = Annotations { skeleton: &FLIC11, people: Vec::new(), images: 0, rejects: Vec::new() };
    for (index, row) in rows.iter().enumerate() {
        let reject = |sample_id: Option<String>, fault: Fault| Reject {
            stage: DATASET.to_owned(),
            reason: fault.reason.to_owned(),
            sample_id,
            source_file: Some(source_file.clone()),
            source_record: Some(row.place()),
            detail: fault.detail,
        };
        let image = match row.require("filepath").and_then(|node| node.text()) {
            Ok(image) => image,
            Err(error) => {
                found.rejects.push(reject(None, error.into()));
                continue;
            }
        };
        let poses = per_image.entry(image.clone()).or_default();
        let person_index = poses.len() as i32;
        let sample_id = ids.of(DATASET, &image, Some(person_index));
        let read = person(row, options);
        poses.push(read.as_ref().ok().map(|person| person.pose.clone()));
        let listed = plus.as_ref().map(|list| list.contains(&index));
        match read.and_then(|person| Ok((split(row, listed)?, person))) {
            Ok((split, person)) => {
                found.people.push(Person {
                    sample_id,
                    split: split.to_owned(),
                    image_path: options.images.join(&image).to_string_lossy().into_owned(),
                    person_index: Some(person_index),
                    source_file: source_file.clone(),
                    source_record: row.place(),
                    ..person
                });
                names.push(image);
            }
            Err(fault) => found.rejects.push(reject(Some(sample_id), fault)),
        }
    }
    found.images = per_image.len();
    for (person, image) in found.people.iter_mut().zip(&names) {
        let own = person.person_index.unwrap_or_default() as usize;
        let poses = per_image[image].iter().enumerate();
        person.others =
            poses.filter(|(index, _)| *index != own).filter_map(|(_, pose)| pose.clone()).collect();
    }
    Ok(found)
}

/// Why an example cannot be used.
struct Fault {
    reason: &'static str,
    detail: String,
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        Self { reason: "record of another shape", detail: error.to_string() }
    }
}

/// Examples, from 0, of the FLIC-plus list `list`, which is meant for the `count` examples of `path`.
fn read_plus(list: &Path, path: &Path, count: usize) -> Result<HashSet<usize>, ReadError> {
    let variables = matlab::read(list)?;
    let node = matlab::variable(&variables, "tr_plus_indices").map_err(|error| error.in_file(list))?;
    let numbers = node.numbers().map_err(|error| error.in_file(list))?;
    let index = |number: f64| {
        let whole = number.fract() == 0.0 && number >= 1.0 && number <= count as f64;
        if whole {
            return Ok(number as usize - 1);
        }
        let rule = format!(
            "`tr_plus_indices` numbers the examples of FLIC-full (20,928), from 1, so it must stay within the {count} \
             examples of `{}`",
            path.display()
        );
        Err(ReadError::unexpected(list, rule, number.to_string()))
    };
    numbers.into_iter().map(index).collect()
}

fn split(row: &Row<'_>, on_the_list: Option<bool>) -> Result<&'static str, Fault> {
    let flag = |name: &str| -> Result<bool, Fault> {
        Ok(row.filled(name).map_or(Ok(0.0), |node| node.finite())? != 0.0)
    };
    let train = match on_the_list {
        Some(on_the_list) => on_the_list,
        None => flag("istrain")?,
    };
    let fault = |reason| Fault { reason, detail: format!("`{}`", row.place()) };
    match (train, flag("istest")?) {
        (true, false) => Ok("train"),
        (false, true) => Ok("test"),
        (true, true) => Err(fault("both train and test")),
        (false, false) if on_the_list.is_some() => Err(fault("not on the list of FLIC-plus")),
        (false, false) => Err(fault("neither train nor test")),
    }
}

/// The person of `row`, but for split, ids and source.
fn person(row: &Row<'_>, options: &Options) -> Result<Person, Fault> {
    let coords = row.require("coords")?;
    if *coords.dims() != [2, ALL_COLUMNS] {
        return Err(coords.refuse("2 x 29").into());
    }
    let coords = coords.numbers()?;
    let point = |column: usize| [coords[2 * column] - 1.0, coords[2 * column + 1] - 1.0];
    let mut pose = Pose::unknown(FLIC11.len());
    for (joint, column) in COLUMNS.into_iter().enumerate() {
        let [x, y] = point(column);
        match (x.is_finite(), y.is_finite()) {
            (true, true) => pose.set(joint, [x, y], Visibility::Visible),
            (false, false) if x.is_nan() && y.is_nan() => {}
            _ => {
                let detail = format!("`{}.coords(:,{})` is ({x}, {y})", row.place(), column + 1);
                return Err(Fault { reason: "coordinate not finite", detail });
            }
        }
    }
    let backward = match (pose.joint(RIGHT_SHOULDER), pose.joint(LEFT_SHOULDER)) {
        (Some(right), Some(left)) => right[0] > left[0],
        _ => false,
    };
    let swapped = backward && options.labels == Labels::ObserverCentric;
    if swapped {
        let mirrored = FLIC11.mirrored();
        pose = Pose {
            keypoints: mirrored.iter().map(|&joint| pose.keypoints[joint]).collect(),
            visibility: mirrored.iter().map(|&joint| pose.visibility[joint]).collect(),
        };
    }

    let mut attributes = Map::new();
    for name in row.fields().iter().filter(|name| !OWN_FIELDS.contains(&name.as_str())) {
        if let Some(node) = row.get(name) {
            attributes.insert(name.clone(), node.value().to_json());
        }
    }
    let others = (0..ALL_COLUMNS).filter(|column| !COLUMNS.contains(column));
    let others: Map<String, Json> = others
        .filter(|&column| point(column).iter().all(|value| value.is_finite()))
        .map(|column| ((column + 1).to_string(), json!(point(column))))
        .collect();
    if !others.is_empty() {
        attributes.insert("other_columns".into(), Json::Object(others));
    }
    let labels = match options.labels {
        Labels::PersonCentric => "person-centric",
        Labels::ObserverCentric => "observer-centric",
    };
    attributes.insert("labels".into(), labels.into());
    attributes.insert("backward".into(), backward.into());

    Ok(Person {
        sample_id: String::new(),
        dataset: DATASET.to_owned(),
        split: String::new(),
        image_path: String::new(),
        image_size: image_size(row)?,
        person_index: None,
        center: None,
        scale: None,
        head_box: None,
        torso_box: torso_box(row)?,
        pose,
        others: Vec::new(),
        activity: None,
        attributes: Some(Json::Object(attributes).to_string()),
        source_file: String::new(),
        source_record: String::new(),
    })
}

fn image_size(row: &Row<'_>) -> Result<Option<[i32; 2]>, Fault> {
    let Some(node) = row.filled("imgdims") else { return Ok(None) };
    let sizes = node.numbers()?;
    let size = |value: f64| (value.fract() == 0.0 && value > 0.0 && value < 1e6).then_some(value as i32);
    match sizes[..] {
        [height, width, ..] if size(width).is_some() && size(height).is_some() => {
            Ok(size(width).zip(size(height)).map(<[i32; 2]>::from))
        }
        _ => Err(node.refuse("height, width and channels").into()),
    }
}

fn torso_box(row: &Row<'_>) -> Result<Option<[f64; 4]>, Fault> {
    let Some(node) = row.filled("torsobox") else { return Ok(None) };
    match node.numbers()?[..] {
        [x1, y1, x2, y2] if [x1, y1, x2, y2].iter().all(|value| value.is_finite()) => {
            Ok(Some([x1, y1, x2, y2].map(|value| value - 1.0)))
        }
        _ => Err(node.refuse("four finite numbers").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab::Value;
    use crate::testing::real_data;

    fn backward(found: &Annotations, split: &str) -> usize {
        let people = found.people.iter().filter(|person| person.split == split);
        people
            .filter(|person| {
                person.pose.keypoints[RIGHT_SHOULDER][0] > person.pose.keypoints[LEFT_SHOULDER][0]
            })
            .count()
    }

    #[test]
    fn flic_is_read_as_published() {
        let Some(path) = real_data("flic/examples.mat") else { return };
        let options = Options { images: "images".into(), ..Options::default() };
        let found = read(&path, &options).unwrap();
        let of = |split: &str| found.people.iter().filter(|person| person.split == split).count();
        assert_eq!((found.people.len(), found.rejects.len(), of("train"), of("test")), (5003, 0, 3987, 1016));
        assert_eq!(found.people.len() - found.images, 451);
        assert_eq!((backward(&found, "train"), backward(&found, "test")), (199, 48));
        assert!(found.people.iter().all(|person| person.pose.annotated() == 11));
        assert!(found.people.iter().all(|person| person.image_size == Some([720, 480])));
        // PROTOCOLS: 14 coordinates outside the image, counted from 1.
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
        assert_eq!(
            (&attributes["currframe"], &attributes["poselet_hit_idx"][1]),
            (&json!(6361), &json!(148))
        );

        let viewed = Options { labels: Labels::ObserverCentric, ..options.clone() };
        let viewed = read(&path, &viewed).unwrap();
        assert_eq!((backward(&viewed, "train"), backward(&viewed, "test")), (0, 0));
        let differ = std::iter::zip(&found.people, &viewed.people).filter(|(a, b)| a.pose != b.pose).count();
        assert_eq!(differ, 247);

        let Some(plus) = real_data("flic/tr_plus_indices.mat") else { return };
        let message = read(&path, &Options { plus: Some(plus), ..options }).unwrap_err().to_string();
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
        let found = read(&write(folder.path(), examples), &Options::default()).unwrap();
        let ids: Vec<&str> = found.people.iter().map(|person| person.sample_id.as_str()).collect();
        assert_eq!(ids, ["flic-a-0", "flic-b-0", "flic-a-1"]);
        assert_eq!(found.images, 2);
        assert_eq!(found.people[0].others, [found.people[2].pose.clone()]);
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
        let found = read(&path, &Options { plus: Some(plus), ..Options::default() }).unwrap();
        let rows: Vec<_> = found.people.iter().map(|p| (p.sample_id.as_str(), p.split.as_str())).collect();
        assert_eq!(rows, [("flic-b-0", "train"), ("flic-c-0", "test")]);
        assert_eq!(found.rejects[0].reason, "not on the list of FLIC-plus");
        let without = read(&path, &Options::default()).unwrap();
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
        let found = read(&found, &Options::default()).unwrap();
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
}
