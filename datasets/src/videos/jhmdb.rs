//! Reader of JHMDB: `joint_positions/ACTION/VIDEO/joint_positions.mat`, and `Rename_Images/ACTION/VIDEO/00001.png`, ...
//!
//! Source: the README of the joint positions (Jhuang, Gall, Zuffi, Schmid and Black, "Towards understanding action
//! recognition", 2013) as its loaders read it: `pos_img` is 2 x 15 x T, x and y in px; `scale` and `viewpoint` are the
//! puppet's. The file `splits/ACTION_test_split1.txt` has a line `VIDEO.avi 1` for a video of the training split, 2 of the
//! test split. Every joint is annotated, hidden or not, even outside of the picture. Inferred: coordinates count from 1, as
//! MATLAB does.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::skeleton::JHMDB15;
use schemas::tables::people::{self, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{Reading, Video, files_below, last_name, named_files};
use crate::matlab::{self, AccessError, Value, variable};
use crate::source::{OpenSource, Source};
use crate::{Annotations, ReadError};

/// Name of the data set in ids, rows and rejects.
const DATASET: &str = "jhmdb";
/// Number of the first pixel.
const FIRST_PIXEL: f64 = 1.0;
/// The division that is meant if none is named; the data set has three.
const DIVISION: u8 = 1;

/// JHMDB: the folder `joint_positions` of `.mat` files, one for each video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct JhmdbConfig {
    /// The folder `joint_positions`, or one of its files.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PATH"))]
    pub annotations: PathBuf,
    /// The folder `Rename_Images`; it may be missing: only stages that need pixels read it.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// The folder `splits`; without it, people are of the split `unassigned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub splits: Option<PathBuf>,
    /// Number of the division into splits, 1 to 3.
    #[serde(default = "division")]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NUMBER", default_value_t = division()))]
    pub division: u8,
}

fn division() -> u8 {
    DIVISION
}

impl Source for JhmdbConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&JHMDB15))
    }

    fn files(&self) -> Vec<PathBuf> {
        named_files(&self.annotations)
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (found, files) = read(self)?;
        Ok(OpenSource::from(found).with_files(files))
    }
}

/// People of the videos of `config`, and the files of folders: one row for each frame, in the order of actions, videos and
/// frames.
///
/// Joints are visible where they are annotated, which is everywhere. The file states no box: `center` is that of the joints'
/// rectangle and `scale` its longer side / 200 px. A video whose file is of another shape is one reject.
///
/// # Errors
/// When a folder or file cannot be read, or there is no file.
pub fn read(config: &JhmdbConfig) -> Result<(Annotations, Vec<PathBuf>), ReadError> {
    let files = files_below(&config.annotations, "files `joint_positions.mat`", |path| {
        crate::files::ends_with(path, "mat")
    })?;
    let mut reading = Reading::new(DATASET, &JHMDB15, &config.images);
    let mut splits = Splits { config, known: HashMap::new(), files: Vec::new() };
    for path in &files {
        let variables = matlab::read(path)?;
        // The folders name action and video.
        let folder = path.parent().unwrap_or(Path::new(""));
        let (video, action) = (last_name(folder), folder.parent().map(last_name).unwrap_or_default());
        let split = splits.of(&action, &video)?;
        let positions = Positions::read(&variables, action.clone(), split);
        reading.add(&format!("{action}/{video}/{}", last_name(path)), positions, |frame| {
            let id = format!("{action}-{video}-{frame:05}").replace('.', "_");
            [format!("{action}/{video}/{frame:05}.png"), id]
        });
    }
    let mut read = if config.annotations.is_dir() { files } else { Vec::new() };
    read.extend(splits.files);
    Ok((reading.found, read))
}

/// The splits of the videos, by action.
struct Splits<'a> {
    config: &'a JhmdbConfig,
    known: HashMap<String, HashMap<String, &'static str>>,
    files: Vec<PathBuf>,
}

impl Splits<'_> {
    fn of(&mut self, action: &str, video: &str) -> Result<&'static str, ReadError> {
        let none = crate::split_names::NO_SPLIT;
        let Some(folder) = &self.config.splits else { return Ok(none) };
        if !self.known.contains_key(action) {
            let path = folder.join(format!("{action}_test_split{}.txt", self.config.division));
            let text = crate::files::read_to_string(&path).map_err(|error| ReadError::io(&path, error))?;
            let mut videos = HashMap::new();
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let (name, code) = line.trim().rsplit_once(char::is_whitespace).unwrap_or((line, ""));
                let split = match code {
                    "1" => "train",
                    "2" => "test",
                    _ => {
                        let rule = format!("line {} must end with 1 or 2", number + 1);
                        return Err(ReadError::unexpected(&path, rule, format!("`{line}`")));
                    }
                };
                videos.insert(name.trim().trim_end_matches(".avi").to_owned(), split);
            }
            self.known.insert(action.to_owned(), videos);
            self.files.push(path);
        }
        Ok(self.known[action].get(video).copied().unwrap_or(none))
    }
}

/// One file.
struct Positions {
    action: String,
    split: &'static str,
    frames: usize,
    /// `[2, 15, T]`, column-major.
    points: Vec<f64>,
    /// `[T]`, where it is stated.
    scales: Vec<f64>,
    viewpoint: Option<String>,
}

impl Positions {
    fn read(variables: &[(String, Value)], action: String, split: &'static str) -> Result<Self, AccessError> {
        let points = variable(variables, "pos_img")?;
        let frames = match *points.dims() {
            [2, 15] => 1,
            [2, 15, frames] => frames,
            _ => return Err(points.refuse("2 x 15 x T")),
        };
        let optional = |name| variable(variables, name).ok().filter(|node| !node.is_empty());
        Ok(Self {
            action,
            split,
            frames,
            points: points.numbers()?,
            scales: optional("scale").map(|node| node.numbers()).transpose()?.unwrap_or_default(),
            viewpoint: optional("viewpoint").map(|node| node.text()).transpose()?,
        })
    }
}

impl Video for Positions {
    fn frames(&self) -> usize {
        self.frames
    }

    fn show(&self, frame: usize, person: &mut Person) -> Result<(), (&'static str, String)> {
        let mut rectangle = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for joint in 0..JHMDB15.len() {
            let at = 2 * (frame * JHMDB15.len() + joint);
            let [x, y] = [self.points[at], self.points[at + 1]].map(|value| value - FIRST_PIXEL);
            if !(x.is_finite() && y.is_finite()) {
                let detail = format!("`pos_img(:,{},{})` is ({x}, {y})", joint + 1, frame + 1);
                return Err(("coordinate not finite", detail));
            }
            person.pose.set(joint, [x, y], Visibility::Visible);
            rectangle = [rectangle[0].min(x), rectangle[1].min(y), rectangle[2].max(x), rectangle[3].max(y)];
        }
        let [x1, y1, x2, y2] = rectangle;
        let side = (x2 - x1).max(y2 - y1);
        let mut attributes = Map::new();
        attributes.insert("visibility_means".into(), "annotated".into());
        attributes.insert("frame".into(), json!(frame + 1));
        attributes.insert("frames".into(), json!(self.frames));
        if side > 0.0 {
            person.center = Some([f64::midpoint(x1, x2), f64::midpoint(y1, y2)]);
            person.scale = Some(side / 200.0);
            attributes.insert("center_means".into(), "centre of the joints' rectangle".into());
            attributes.insert("scale_means".into(), "longer side of the joints' rectangle / 200 px".into());
        }
        if let Some(scale) = self.scales.get(frame) {
            attributes.insert("puppet_scale".into(), json!(scale));
        }
        if let Some(viewpoint) = &self.viewpoint {
            attributes.insert("viewpoint".into(), viewpoint.as_str().into());
        }
        person.attributes = Some(Json::Object(attributes).to_string());
        person.activity = Some(self.action.clone());
        self.split.clone_into(&mut person.split);
        Ok(())
    }
}
