//! Reader of FLIC: `examples.mat`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::skeleton::FLIC11;
use schemas::tables::crowd::Crowd;
use schemas::tables::people::{self, Person, Pose};
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::matlab::{AccessError, Row};
use crate::pictures::{Pictures, TwoFiles};
use crate::source::{OpenSource, Source};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, matlab};

/// FLIC, `examples.mat`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct FlicConfig {
    /// The annotation file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// Folder of the images; they may be missing: only stages that need pixels read them.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// Whose left and right the joints are named for.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
    pub labels: Labels,
    /// `tr_plus_indices.mat`, the training list of FLIC-plus: numbers of examples of FLIC-full, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub plus: Option<PathBuf>,
}

/// Whose left and right FLIC's joints are named for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The person's, as the file stores it.
    #[default]
    PersonCentric,
    /// The observer's: left and right are swapped where the right shoulder is right of the left one.
    ObserverCentric,
}

impl Source for FlicConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&FLIC11))
    }

    fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.annotations).chain(&self.plus).cloned().collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(read(self)?.into())
    }
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

/// People of the FLIC or FLIC-full file of `config`: the struct array `examples`. Coordinates are assumed to count from
/// 1, and the eleven joints that are ever annotated are read. `center` and `scale` are not stated; `torso_box` is.
///
/// Several examples with one file name are several people of one image. With `plus`, the examples on the list are
/// the training split, those of `istest` the test split, and the others are rejects; without it, `istrain` and
/// `istest` decide, and an example that is neither, or both, is a reject.
///
/// # Errors
/// When a file cannot be read or holds something else, or the list names an example that is not there.
pub fn read(config: &FlicConfig) -> Result<Annotations, ReadError> {
    let path = &*config.annotations;
    let variables = matlab::read(path)?;
    let rows = matlab::variable(&variables, "examples").and_then(|node| node.rows());
    let rows = rows.map_err(|error| error.in_file(path))?;
    let plus = config.plus.as_deref().map(|list| read_plus(list, path, rows.len())).transpose()?;
    let source_file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();

    let pictures = Pictures::new(&config.images);
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
            rows: 1,
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
        let read = person(row, config);
        poses.push(read.as_ref().ok().map(|person| person.pose.clone()));
        let listed = plus.as_ref().map(|list| list.contains(&index));
        let picture = || pictures.find(&image).map_err(Fault::from);
        match read.and_then(|person| Ok((split(row, listed)?, picture()?, person))) {
            Ok((split, picture, person)) => {
                found.people.push(Person {
                    sample_id,
                    split: split.to_owned(),
                    image_path: picture.to_string_lossy().into_owned(),
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
    let crowds: HashMap<String, Crowd> =
        per_image.into_iter().map(|(image, poses)| (image, Crowd::new(poses))).collect();
    for (person, image) in found.people.iter_mut().zip(&names) {
        let own = person.person_index.unwrap_or_default() as usize;
        person.others = crowds[image].others_of(own, &person.pose);
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

impl From<TwoFiles> for Fault {
    fn from(two: TwoFiles) -> Self {
        Self { reason: TwoFiles::REASON, detail: two.to_string() }
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
fn person(row: &Row<'_>, config: &FlicConfig) -> Result<Person, Fault> {
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
    let swapped = backward && config.labels == Labels::ObserverCentric;
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
    let labels = match config.labels {
        Labels::PersonCentric => "person-centric",
        Labels::ObserverCentric => "observer-centric",
    };
    attributes.insert("labels".into(), labels.into());
    attributes.insert("backward".into(), backward.into());

    Ok(Person {
        dataset: DATASET.to_owned(),
        image_size: image_size(row)?,
        torso_box: torso_box(row)?,
        pose,
        attributes: Some(Json::Object(attributes).to_string()),
        ..Person::default()
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
mod tests;
