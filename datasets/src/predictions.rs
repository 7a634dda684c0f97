//! Published predictions: keypoints from another network, one row per person.
//!
//! | file | recognised by | what it holds |
//! |---|---|---|
//! | `.npy`, `.npz` | first bytes | arrays of numpy, of real numbers of any type, f16 among them |
//! | `.mat` of MATLAB v5 and v7.3 | first bytes | arrays; or MPII's submission, the structure `pred` |
//! | HDF5 | first bytes | arrays, packed by gzip, lzf or szip, or not |
//! | JSON, maybe packed by gzip | `[` or `{` | lists of lists |
//!
//! Detections with names of pictures are COCO results: see [`crate::coco::detections`].

mod lists;
mod npy;
mod stored;
pub(crate) mod submission;

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::columns::{field, strings};
use schemas::skeleton::MPII16;
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::people;
use serde::{Deserialize, Serialize};

use crate::export::all_people;
use crate::matlab::{Node, Value};
use crate::source::{OpenSource, Source};
use crate::{ReadError, hdf5, json, matlab, signature, skeleton_called, skeleton_file};
use stored::{AXES_RULE, Order, Stored};

/// A published prediction array (.npy, .npz, .mat, HDF5 or JSON), joined to people row by row, or MPII's submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct PredictionsConfig {
    /// The file.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Name of the array in the file, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub array: Option<String>,
    /// The array's axes: n people, j joints, c coordinates (x, y and maybe a score). Joints and coordinates may share one.
    #[serde(default = "axes")]
    #[cfg_attr(feature = "clap", arg(long, default_value_t = axes()))]
    pub axes: String,
    /// The skeleton whose order the joints have: its name, or a file of one's own.
    #[serde(default = "skeleton")]
    #[schemars(extend("format" = "skeleton"))]
    #[cfg_attr(feature = "clap", arg(long, default_value_t = skeleton(), value_name = "NAME"))]
    pub skeleton: String,
    /// Number of the first pixel: 1 for MATLAB's coordinates, else 0.
    #[cfg_attr(feature = "clap", arg(long, value_name = "NUMBER"))]
    pub first_pixel: f64,
    /// What made the predictions; the file's name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub model: Option<String>,
}

fn axes() -> String {
    "njc".to_owned()
}

fn skeleton() -> String {
    MPII16.name.to_owned()
}

impl Source for PredictionsConfig {
    const INPUTS: &'static [&'static str] = &["people"];

    fn schema(&self, inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        field(&inputs[0], "sample_id")?;
        field(&inputs[0], "split")?;
        Ok(keypoints::schema(skeleton_called(&self.skeleton)?))
    }

    fn files(&self) -> Vec<PathBuf> {
        skeleton_file(&self.skeleton).into_iter().chain([self.file.clone()]).collect()
    }

    fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let skeleton = skeleton_called(&self.skeleton)?;
        let (array, axes) = (self.array.clone().unwrap_or_default(), self.axes.clone());
        let options = Options { array, axes, skeleton, first_pixel: self.first_pixel };
        let model = model_name(self.model.as_ref(), &self.file);
        let bytes = crate::files::read(&self.file).map_err(|error| ReadError::io(&self.file, error))?;
        let predictions = match found(&self.file, bytes, &options.array)? {
            Found::Array(stored) => arranged(&self.file, &stored, &options)?,
            Found::Variables(variables) => {
                if let Some(node) = submitted(&variables, &options.array) {
                    return self.open_submission(&node, &inputs[0], skeleton, &model);
                }
                arranged(&self.file, &matlab_array(&self.file, &variables, &options.array)?, &options)?
            }
        };
        let (mut ids, mut splits) = (Vec::new(), Vec::new());
        for batch in &inputs[0] {
            let persons = people::persons(batch)?;
            let of_persons =
                |(value, is_person): (Option<&str>, &bool)| is_person.then(|| value.map(str::to_owned));
            ids.extend(
                strings(batch, "sample_id")?
                    .iter()
                    .zip(&persons)
                    .filter_map(of_persons)
                    .map(Option::unwrap_or_default),
            );
            splits.extend(strings(batch, "split")?.iter().zip(&persons).filter_map(of_persons));
        }
        let batch = to_batch(&ids, &splits, &predictions, skeleton, &model);
        let batch = batch.map_err(|error| {
            let rule = format!("the array must have one row for each of the {} people", error.ids);
            ReadError::unexpected(&self.file, rule, error.predictions.to_string())
        })?;
        Ok(vec![batch].into())
    }
}

impl PredictionsConfig {
    /// Joins the structure `node` to `people`.
    fn open_submission(
        &self,
        node: &Node<'_>,
        people: &[RecordBatch],
        skeleton: &'static Skeleton,
        model: &str,
    ) -> Result<OpenSource, ReadError> {
        let (_, people) = all_people(people).map_err(|error| {
            ReadError::unexpected(
                &self.file,
                "a submission needs the people that it is of",
                error.to_string(),
            )
        })?;
        let read =
            submission::read(node, &people, skeleton, model).map_err(|error| error.in_file(&self.file))?;
        let (batch, mut rejects, notes) = read;
        let file = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for reject in &mut rejects {
            reject.source_file = Some(file.clone());
        }
        Ok(OpenSource::from(vec![batch]).with(rejects, notes))
    }
}

/// What made the predictions of `file`: `told` if given, else the file's name.
pub(crate) fn model_name(told: Option<&String>, file: &Path) -> String {
    told.cloned().unwrap_or_else(|| file.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Name and layout of a prediction array.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the array in the file, such as `preds`; empty for the only one.
    pub array: String,
    /// What its axes are, as the program that wrote the file shows them: each of `n` people, `j` joints and `c`
    /// coordinates (x, y and maybe a score) once. `njc` is numpy's `[N, J, 2]`, `cjn` MATLAB's 2 x J x N. Where joints and
    /// coordinates share an axis, as in `[N, 2J]`, the later letter runs fastest: `njc` is x1, y1, x2, ..., `ncj` all x, then
    /// all y. MATLAB v7.3 files store their axes in reverse, which is undone here.
    pub axes: String,
    /// The skeleton whose order the joints have.
    pub skeleton: &'static Skeleton,
    /// Number of the first pixel: 1 for predictions in MATLAB's coordinates, 0 for others.
    pub first_pixel: f64,
}

/// Predictions in 0-based px of the image; `NaN` where nothing was predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// `[N, J]` points.
    pub keypoints: Vec<Vec<[f64; 2]>>,
    /// `[N, J]`, where the array holds a third coordinate.
    pub score: Option<Vec<Vec<f64>>>,
}

/// Ids and predictions whose numbers differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there must be as many predictions as people, {ids}, found {predictions}")]
pub struct CountError {
    /// How many people there are.
    pub ids: usize,
    /// How many predictions there are.
    pub predictions: usize,
}

/// Reads the prediction array that `options` describes, from a file of any of the formats above.
///
/// # Errors
/// When the file cannot be read, is of another format, lacks the array (the message lists those that are there), or the
/// array's sizes do not fit the axes, the skeleton and two or three coordinates.
pub fn read(path: &Path, options: &Options) -> Result<Predictions, ReadError> {
    let bytes = crate::files::read(path).map_err(|error| ReadError::io(path, error))?;
    let stored = match found(path, bytes, &options.array)? {
        Found::Array(stored) => stored,
        Found::Variables(variables) => matlab_array(path, &variables, &options.array)?,
    };
    arranged(path, &stored, options)
}

/// What a file holds.
enum Found {
    Array(Stored),
    /// Of a file of MATLAB.
    Variables(Vec<(String, Value)>),
}

/// What the file `path` holds; the array is that called `name`.
fn found(path: &Path, bytes: Vec<u8>, name: &str) -> Result<Found, ReadError> {
    let named = signature::named(&bytes);
    if bytes.starts_with(b"\x93NUMPY") {
        return npy::read(path, &bytes).map(Found::Array);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return npy::read_archive(path, &bytes, name).map(Found::Array);
    }
    if matlab::is_v73(&bytes) && !name.contains('/') {
        return matlab::read_from(path, &bytes).map(Found::Variables);
    }
    if hdf5::is_hdf5(&bytes) {
        return hdf5_array(path, bytes, name).map(Found::Array);
    }
    if json::is_json(&bytes) {
        return lists::read(path, &json::plain(path, bytes)?, name).map(Found::Array);
    }
    if matlab::is_v5(&bytes) {
        return matlab::read_from(path, &bytes).map(Found::Variables);
    }
    let error =
        ReadError::unexpected(path, "predictions must be a .npy, .npz, .mat, HDF5 or JSON file", named);
    Err(if named.contains("pickle") {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        error.advised(format!(
            "write it again in Python: `numpy.save(\"preds.npy\", numpy.stack(pickle.load(open(\"{file}\", \"rb\"))))`"
        ))
    } else {
        error
    })
}

/// The name of the array to read: `name`, or that of the only one of `arrays`.
fn choose(path: &Path, name: &str, arrays: &[&str]) -> Result<String, ReadError> {
    let listed = || arrays.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (name, arrays) {
        (_, []) => Err(ReadError::unexpected(path, "a file with an array", "no arrays at all")),
        ("", [only]) => Ok((*only).to_owned()),
        ("", _) => Err(ReadError::unexpected(path, "one array, or the name of one", listed())
            .advised("name the array: `--array NAME`, in a plan `array = \"NAME\"`")),
        (name, arrays) if arrays.contains(&name) => Ok(name.to_owned()),
        (name, _) => Err(ReadError::unexpected(path, format!("an array called `{name}`"), listed())),
    }
}

fn hdf5_array(path: &Path, bytes: Vec<u8>, name: &str) -> Result<Stored, ReadError> {
    let file = hdf5::File::from_bytes(path, bytes)?;
    let names = file.names()?;
    let name = choose(path, name, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let hdf5::Array { mut dims, values } = file.array(&name)?;
    if file.is_matlab() {
        dims.reverse();
    }
    Ok(Stored { dims, values, column_major: file.is_matlab(), drops_ones: file.is_matlab() })
}

fn matlab_array(path: &Path, variables: &[(String, Value)], name: &str) -> Result<Stored, ReadError> {
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    let name = if name.is_empty() { choose(path, name, &names)? } else { name.to_owned() };
    let node = matlab::variable(variables, &name).map_err(|error| error.in_file(path))?;
    let values = node.numbers().map_err(|error| {
        let error = error.in_file(path);
        if matches!(node.value(), Value::Cell { .. }) {
            error.advised(format!("join the cells in MATLAB and save again: `{name} = cat(3, {name}{{:}})`"))
        } else {
            error
        }
    })?;
    Ok(Stored { dims: node.dims().to_vec(), values, column_major: true, drops_ones: true })
}

/// The submission among `variables`: the structure called `name`, or the one of the name that MPII asks for.
fn submitted<'a>(variables: &'a [(String, Value)], name: &'a str) -> Option<Node<'a>> {
    let name = if name.is_empty() { submission::VARIABLE } else { name };
    matlab::variable(variables, name).ok().filter(|node| submission::is_one(node.value()))
}

fn arranged(path: &Path, stored: &Stored, options: &Options) -> Result<Predictions, ReadError> {
    let order = Order::parse(&options.axes)
        .ok_or_else(|| ReadError::unexpected(path, AXES_RULE, format!("`{}`", options.axes)))?;
    stored.arranged(order, options).ok_or_else(|| {
        let joints = options.skeleton.len();
        let array = if options.array.is_empty() { String::new() } else { format!(" `{}`", options.array) };
        let rule = format!(
            "the array{array} with axes `{}` must have {joints} joints (`{}`) and 2 or 3 coordinates",
            options.axes, options.skeleton.name
        );
        let error = ReadError::unexpected(path, rule, format!("sizes {:?}", stored.dims));
        match stored.fitting(joints)[..] {
            [] => error,
            ref axes => error.advised(format!("the sizes fit `--axes {}`", axes.join("` or `--axes "))),
        }
    })
}

/// Rows of the table `keypoints`, head 1, of `predictions` made by `model` for the people `ids` (`splits` where
/// known), all in the same order.
///
/// # Errors
/// When there are more or fewer predictions, or splits, than ids.
///
/// # Panics
/// When the predictions have another number of joints than `skeleton`.
pub fn to_batch(
    ids: &[String],
    splits: &[Option<String>],
    predictions: &Predictions,
    skeleton: &'static Skeleton,
    model: &str,
) -> Result<RecordBatch, CountError> {
    let rows = predictions.keypoints.len();
    for found in [rows, splits.len(), predictions.score.as_ref().map_or(rows, Vec::len)] {
        if found != ids.len() {
            return Err(CountError { ids: ids.len(), predictions: found });
        }
    }
    let pose = |(row, (id, split)): (usize, (&String, &Option<String>))| PredictedPose {
        sample_id: id.clone(),
        split: split.clone(),
        head: 1,
        keypoints: predictions.keypoints[row].clone(),
        score: predictions.score.as_ref().map(|score| score[row].clone()),
        model: model.to_owned(),
        ..PredictedPose::default()
    };
    let poses: Vec<PredictedPose> = ids.iter().zip(splits).enumerate().map(pose).collect();
    Ok(keypoints::to_batch(skeleton, &poses))
}

#[cfg(test)]
mod format_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::real_data;
    use schemas::skeleton::FLIC11;

    fn options(axes: &str) -> Options {
        Options { array: "preds".into(), axes: axes.into(), skeleton: &MPII16, first_pixel: 1.0 }
    }

    /// The number that stands for coordinate `c` of joint `j` of person `n`.
    fn number(n: usize, j: usize, c: usize) -> f64 {
        (n * 1000 + j * 10 + c) as f64
    }

    fn written(axes: &str, people: usize, coordinates: usize) -> (tempfile::TempDir, PathBuf) {
        let order = Order::parse(axes).unwrap();
        let mut dims = [0; 3];
        (dims[order.people], dims[order.joints], dims[order.coordinates]) = (people, 16, coordinates);
        let mut values = Vec::new();
        for last in 0..dims[2] {
            for middle in 0..dims[1] {
                for first in 0..dims[0] {
                    let at = [first, middle, last];
                    values.push(number(at[order.people], at[order.joints], at[order.coordinates]));
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preds.mat");
        let shown = if dims[2] == 1 { &dims[..2] } else { &dims[..] };
        matlab::write(&path, &[("preds", &Value::array(shown, values))]).unwrap();
        (folder, path)
    }

    #[test]
    fn every_order_of_axes_gives_the_same_points() {
        for axes in ["njc", "ncj", "jnc", "jcn", "cnj", "cjn"] {
            for (people, coordinates) in [(5, 2), (1, 3)] {
                let (_folder, path) = written(axes, people, coordinates);
                let read = read(&path, &options(axes)).unwrap();
                assert_eq!(read.keypoints.len(), people, "{axes}");
                let last = people - 1;
                assert_eq!(
                    read.keypoints[last][7],
                    [number(last, 7, 0) - 1.0, number(last, 7, 1) - 1.0],
                    "{axes}"
                );
                assert_eq!(read.score.is_some(), coordinates == 3);
                assert!(read.score.is_none_or(|score| score[last][7] == number(last, 7, 2)));
            }
        }
    }

    #[test]
    fn files_of_matlab_v73_are_turned_round() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/matlab_v73.mat");
        let options =
            Options { array: "preds".into(), axes: "cjn".into(), skeleton: &FLIC11, first_pixel: 0.0 };
        let read = read(&path, &options).unwrap();
        // The file counts up along coordinates, then joints, then people.
        assert_eq!(read.keypoints.len(), 2);
        assert_eq!(read.keypoints[1][2], [39.0, 40.0]);
        assert_eq!(read.score.unwrap()[1][2], 41.0);
    }

    #[test]
    fn images_without_people_have_no_row_in_the_array() {
        let (_folder, path) = written("njc", 2, 2);
        let mut everybody: Vec<people::Person> =
            [0, 1, 2, 3].map(|index| crate::export::testing::person(&format!("{index}.jpg"), 0, 16)).to_vec();
        // The second image has nobody; the last has a pose, but no number.
        everybody[1].person_index = None;
        everybody[3].person_index = None;
        everybody[3].pose.set(0, [1.0, 1.0], schemas::Visibility::Visible);
        let config = PredictionsConfig {
            file: path,
            array: Some("preds".into()),
            axes: axes(),
            skeleton: skeleton(),
            first_pixel: 1.0,
            model: None,
        };
        let open = |people: &[people::Person]| config.open(&[vec![people::to_batch(&MPII16, people)]]);
        let error = open(&everybody).unwrap_err().to_string();
        assert!(error.contains("one row for each of the 3 people, found 2"), "{error}");
        everybody.remove(0);
        let source = open(&everybody).unwrap();
        let batch = source.chunks(10).next().unwrap().unwrap().load.now().unwrap().batches.remove(0);
        let ids: Vec<&str> = strings(&batch, "sample_id").unwrap().iter().flatten().collect();
        assert_eq!(ids, ["test-2-0", "test-3-0"]);
    }

    #[test]
    fn what_does_not_fit_is_explained() {
        let (_folder, path) = written("njc", 5, 2);
        let message = |options: &Options| read(&path, options).unwrap_err().to_string();
        assert!(message(&options("nxy")).contains("each once, found `nxy`"));
        assert!(
            message(&options("cjn")).contains("16 joints (`mpii16`) and 2 or 3 coordinates, found sizes")
        );
        let wrong = Options { array: "pred".into(), ..options("njc") };
        assert!(message(&wrong).contains("found `preds` (double 5x16x2)"), "{}", message(&wrong));
        let flic = Options { skeleton: &FLIC11, ..options("njc") };
        assert!(message(&flic).contains("11 joints (`flic11`)"));
    }

    #[test]
    fn the_published_example_becomes_a_table() {
        let Some(path) = real_data("mpii/predictions/hg_preds_valid-example.h5") else { return };
        let predictions = read(&path, &options("njc")).unwrap();
        assert_eq!(predictions.keypoints.len(), 2958);
        assert_eq!(predictions.keypoints[0][0], [780.0, 695.0]);
        assert!(predictions.score.is_none());
        let ids: Vec<String> = (0..2958).map(|row| format!("mpii-{row}")).collect();
        let splits = vec![Some("validation".to_owned()); 2958];
        let batch = to_batch(&ids, &splits, &predictions, &MPII16, "hourglass").unwrap();
        assert_eq!(batch.num_rows(), 2958);
        assert_eq!(batch.column_by_name("score").unwrap().null_count(), 2958);
        assert_eq!(schemas::columns::points(&batch, "keypoints").unwrap()[0], predictions.keypoints[0]);
        let error = to_batch(&ids[1..], &splits[1..], &predictions, &MPII16, "hourglass").unwrap_err();
        assert_eq!(error, CountError { ids: 2957, predictions: 2958 });
    }
}
