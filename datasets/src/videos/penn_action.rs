//! Reader of Penn Action: `labels/0001.mat`, ..., one file for each video, and `frames/0001/000001.jpg`, ...
//!
//! Source: the README of the data set (Zhang, Zhu and Derpanis, "From Actemes to Action", 2013) as its loaders read it: `x`,
//! `y` and `visibility` are T x 13, `bbox` T x 4 of x1, y1, x2, y2, `action` and `pose` words, `train` 1 or -1, `dimensions`
//! height, width and T. Inferred: coordinates count from 1, as MATLAB does; a joint that is not visible has the place that
//! the file states, if that is within the picture, else none.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::skeleton::PENN13;
use schemas::tables::people::{self, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{Reading, SHAPE, Video, files_below, last_name, named_files, place};
use crate::matlab::{self, AccessError, Value, variable};
use crate::source::{OpenSource, Source};
use crate::{Annotations, ReadError};

/// Name of the data set in ids, rows and rejects.
const DATASET: &str = "penn_action";
/// Number of the first pixel.
const FIRST_PIXEL: f64 = 1.0;

/// Penn Action: the folder `labels` of `.mat` files, one for each video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct PennActionConfig {
    /// The folder `labels`, or one of its files.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PATH"))]
    pub annotations: PathBuf,
    /// The folder `frames`; it may be missing: only stages that need pixels read it.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
}

impl Source for PennActionConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&PENN13))
    }

    fn files(&self) -> Vec<PathBuf> {
        named_files(&self.annotations)
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (found, files) = read(self)?;
        Ok(OpenSource::from(found).with_files(files))
    }
}

/// People of the videos of `config`, and the files of a folder: one row for each frame, in the order of videos and frames.
///
/// The split is that of the file (`train` or `test`). `center` is that of the box and `scale` its longer side / 200 px, since
/// the file states neither. A video whose file is of another shape is one reject, a frame without a place for a visible joint
/// another.
///
/// # Errors
/// When the folder or a file cannot be read, or there is no file.
pub fn read(config: &PennActionConfig) -> Result<(Annotations, Vec<PathBuf>), ReadError> {
    let files = files_below(&config.annotations, "files of MATLAB (`0001.mat`)", |path| {
        crate::files::ends_with(path, "mat")
    })?;
    let mut reading = Reading::new(DATASET, &PENN13, &config.images);
    for path in &files {
        let variables = matlab::read(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        reading.add(&last_name(path), Labels::read(&variables), |frame| {
            [format!("{name}/{frame:06}.jpg"), format!("{name}-{frame:06}")]
        });
    }
    let files = if config.annotations.is_dir() { files } else { Vec::new() };
    Ok((reading.found, files))
}

/// One file.
struct Labels {
    frames: usize,
    /// `[T, 13]`, column-major.
    x: Vec<f64>,
    y: Vec<f64>,
    seen: Vec<f64>,
    /// `[B, 4]`, column-major; there may be a box less than frames.
    boxes: Vec<f64>,
    /// Height, width.
    size: Option<[f64; 2]>,
    split: &'static str,
    action: Option<String>,
    attributes: Map<String, Json>,
}

impl Labels {
    fn read(variables: &[(String, Value)]) -> Result<Self, AccessError> {
        let joints = PENN13.len();
        let x = variable(variables, "x")?;
        let [frames, 13] = *x.dims() else { return Err(x.refuse("T x 13")) };
        let of_frames = |name| {
            let node = variable(variables, name)?;
            let numbers = node.numbers()?;
            if numbers.len() == frames * joints {
                Ok(numbers)
            } else {
                Err(node.refuse(format!("{frames} x 13")))
            }
        };
        let optional = |name| variable(variables, name).ok().filter(|node| !node.is_empty());
        let boxes = optional("bbox").map_or(Ok(Vec::new()), |node| match node.dims() {
            [_, 4] => node.numbers(),
            _ => Err(node.refuse("T x 4")),
        })?;
        let size = optional("dimensions").map(|node| node.numbers()).transpose()?;
        let text = |name| optional(name).map(|node| node.text()).transpose();
        let split = match optional("train").map(|node| node.number()).transpose()? {
            Some(1.0) => "train",
            Some(_) => "test",
            None => crate::split_names::NO_SPLIT,
        };
        let mut attributes = Map::new();
        if let Some(view) = text("pose")? {
            attributes.insert("view".into(), view.into());
        }
        attributes.insert("frames".into(), frames.into());
        Ok(Self {
            frames,
            x: x.numbers()?,
            y: of_frames("y")?,
            seen: of_frames("visibility")?,
            boxes,
            size: size.and_then(|size| Some([*size.first()?, *size.get(1)?])),
            split,
            action: text("action")?,
            attributes,
        })
    }
}

impl Video for Labels {
    fn frames(&self) -> usize {
        self.frames
    }

    fn show(&self, frame: usize, person: &mut Person) -> Result<(), (&'static str, String)> {
        let [height, width] = self.size.unwrap_or([f64::INFINITY; 2]);
        for joint in 0..PENN13.len() {
            let at = joint * self.frames + frame;
            let (x, y) = (self.x[at] - FIRST_PIXEL, self.y[at] - FIRST_PIXEL);
            let visibility = match self.seen[at] {
                1.0 => Visibility::Visible,
                0.0 if x > 0.0 && y > 0.0 && x < width && y < height => Visibility::Occluded,
                0.0 => Visibility::NotAnnotated,
                other => {
                    let detail =
                        format!("`visibility({},{})` must be 0 or 1, found {other}", frame + 1, joint + 1);
                    return Err((SHAPE, detail));
                }
            };
            if visibility.is_annotated() && !(x.is_finite() && y.is_finite()) {
                let detail =
                    format!("`x({0},{1})`, `y({0},{1})`: a visible joint has no place", frame + 1, joint + 1);
                return Err((SHAPE, detail));
            }
            person.pose.set(joint, [x, y], visibility);
        }
        let mut attributes = self.attributes.clone();
        attributes.insert("frame".into(), json!(frame + 1));
        let count = self.boxes.len() / 4;
        if frame < count {
            let corners = [0, 1, 2, 3].map(|part| self.boxes[part * count + frame] - FIRST_PIXEL);
            place(person, corners, &mut attributes);
        }
        person.image_size = self.size.map(|[height, width]| [width as i32, height as i32]);
        person.activity.clone_from(&self.action);
        self.split.clone_into(&mut person.split);
        person.attributes = Some(Json::Object(attributes).to_string());
        Ok(())
    }
}
