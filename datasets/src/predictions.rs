//! Published prediction arrays: keypoints from another network, one row per person.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::columns::{field, strings};
use schemas::skeleton::MPII16;
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::people;
use schemas::{SchemaError, Skeleton};
use serde::{Deserialize, Serialize};

use crate::source::{OpenSource, Source};
use crate::{ReadError, hdf5, matlab};

/// A published prediction array (.mat or .h5), joined to people row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct PredictionsConfig {
    /// The file.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Name of the array in the file.
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAME"))]
    pub array: String,
    /// The array's axes: n people, j joints, c coordinates (x, y and maybe a score).
    #[serde(default = "axes")]
    #[cfg_attr(feature = "clap", arg(long, default_value_t = axes()))]
    pub axes: String,
    /// The skeleton whose order the joints have.
    #[serde(default = "skeleton")]
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
        Ok(keypoints::schema(Skeleton::named(&self.skeleton).map_err(SchemaError::from)?))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.file.clone()]
    }

    fn open(&self, inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let skeleton = Skeleton::named(&self.skeleton).map_err(SchemaError::from)?;
        let (array, axes) = (self.array.clone(), self.axes.clone());
        let options = Options { array, axes, skeleton, first_pixel: self.first_pixel };
        let read = read(&self.file, &options)?;
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
        let batch = to_batch(&ids, &splits, &read, skeleton, &model_name(self.model.as_ref(), &self.file));
        let batch = batch.map_err(|error| {
            let rule = format!("the array must have one row for each of the {} people", error.ids);
            ReadError::unexpected(&self.file, rule, error.predictions.to_string())
        })?;
        Ok(vec![batch].into())
    }
}

/// What made the predictions of `file`: `told` if given, else the file's name.
pub(crate) fn model_name(told: Option<&String>, file: &Path) -> String {
    told.cloned().unwrap_or_else(|| file.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Name and layout of a prediction array.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the array in the file, such as `preds`.
    pub array: String,
    /// What its axes are, as the program that wrote the file shows them: each of `n` people, `j` joints and `c`
    /// coordinates (x, y and maybe a score) once. `njc` is numpy's `[N, J, 2]`, `cjn` MATLAB's 2 x J x N. MATLAB
    /// v7.3 files store their axes in reverse, which is undone here.
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

/// Reads the prediction array that `options` describes, from a MAT v5, MATLAB v7.3 or HDF5 file.
///
/// # Errors
/// When the file cannot be read, lacks the array (the message lists those that are there), or the array's sizes do
/// not fit the axes, the skeleton and two or three coordinates.
pub fn read(path: &Path, options: &Options) -> Result<Predictions, ReadError> {
    let order = Order::parse(&options.axes)
        .ok_or_else(|| ReadError::unexpected(path, AXES_RULE, format!("`{}`", options.axes)))?;
    let bytes = crate::files::read(path).map_err(|error| ReadError::io(path, error))?;
    let (dims, values, column_major) = if hdf5::is_hdf5(&bytes) {
        let file = hdf5::File::from_bytes(path, bytes)?;
        let mut array = file.array(&options.array)?;
        if file.is_matlab() {
            array.dims.reverse();
        }
        (array.dims, array.values, file.is_matlab())
    } else {
        let variables = matlab::read_from(path, &bytes)?;
        let node = matlab::variable(&variables, &options.array).map_err(|error| error.in_file(path))?;
        (node.dims().to_vec(), node.numbers().map_err(|error| error.in_file(path))?, true)
    };
    arrange(&dims, &values, column_major, order, options).map_err(|found| {
        let joints = options.skeleton.len();
        let rule = format!(
            "the array `{}` with axes `{}` must have {joints} joints (`{}`) and 2 or 3 coordinates",
            options.array, options.axes, options.skeleton.name
        );
        ReadError::unexpected(path, rule, found)
    })
}

const AXES_RULE: &str = "the axes must be the letters `n`, `j` and `c`, each once";

/// Which axis holds people, joints and coordinates.
#[derive(Clone, Copy)]
struct Order {
    people: usize,
    joints: usize,
    coordinates: usize,
}

impl Order {
    fn parse(axes: &str) -> Option<Self> {
        let find = |letter| axes.find(letter);
        let order = Self { people: find('n')?, joints: find('j')?, coordinates: find('c')? };
        (axes.len() == 3).then_some(order)
    }
}

fn arrange(
    dims: &[usize],
    values: &[f64],
    column_major: bool,
    order: Order,
    options: &Options,
) -> Result<Predictions, String> {
    let found = || format!("sizes {dims:?}");
    // MATLAB drops last axes of size one: 2 x 16 is 2 x 16 x 1.
    let missing = if column_major { 3_usize.checked_sub(dims.len()) } else { (dims.len() == 3).then_some(0) };
    let missing = missing.ok_or_else(found)?;
    let dims: Vec<usize> = dims.iter().copied().chain(std::iter::repeat_n(1, missing)).collect();
    let strides =
        if column_major { [1, dims[0], dims[0] * dims[1]] } else { [dims[1] * dims[2], dims[2], 1] };
    let size = |axis: usize| dims[axis];
    let scored = match size(order.coordinates) {
        2 => false,
        3 => true,
        _ => return Err(found()),
    };
    if size(order.joints) != options.skeleton.len() || values.len() != dims.iter().product::<usize>() {
        return Err(found());
    }
    let at = |person: usize, joint: usize, coordinate: usize| {
        let Order { people, joints, coordinates } = order;
        values[person * strides[people] + joint * strides[joints] + coordinate * strides[coordinates]]
    };
    let per_person = |joint_of: &dyn Fn(usize, usize) -> [f64; 2]| -> Vec<Vec<[f64; 2]>> {
        let joints = 0..size(order.joints);
        (0..size(order.people)).map(|n| joints.clone().map(|j| joint_of(n, j)).collect()).collect()
    };
    let first = options.first_pixel;
    let keypoints = per_person(&|n, j| [at(n, j, 0) - first, at(n, j, 1) - first]);
    let score = scored.then(|| {
        let joints = 0..size(order.joints);
        (0..size(order.people)).map(|n| joints.clone().map(|j| at(n, j, 2)).collect()).collect()
    });
    Ok(Predictions { keypoints, score })
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
mod tests {
    use super::*;
    use crate::matlab::Value;
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
            array: "preds".into(),
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
