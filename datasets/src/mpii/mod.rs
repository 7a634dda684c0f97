//! Reader of MPII Human Pose, in the five formats in which its annotations circulate.
//!
//! | file | recognised by | what it holds |
//! |---|---|---|
//! | `mpii_human_pose_v1_u12_1.mat` | MAT v5 with `RELEASE` | everything |
//! | `valid.json` of `HRNet` and mmpose | JSON | joints, centre, scale; which joints are annotated, not which are hidden |
//! | `mpii_annotations.json` of pytorch-pose, `MPI_annotations.json` of the convolutional pose machine, and `LEEDS_annotations.json` of both | JSON with `joint_self` | joints, hidden ones among them, centre, scale, other people; LSP and LSPET too |
//! | `valid.h5` of the stacked hourglass | HDF5 | joints cut to whole px; centre and scale already adjusted, which is undone |
//! | `gt_valid.mat` of `HRNet` | MAT v5 with `pos_gt_src` | only joints and head boxes, to be scored against |
//!
//! All count pixels from 1, which is converted to 0. What a format writes for "not stated", such as the centre (-1, -1) and the
//! scale -1 of people of the test set, is null.

mod entry;
mod ground_truth;
mod hourglass;
mod hrnet;
mod joint_self;
mod people_json;
mod release;
mod subset;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Visibility;
use schemas::skeleton::MPII16;
use schemas::tables::crowd;
use schemas::tables::people::{self, Person, Pose};
use schemas::tables::rejects::Reject;
use serde::{Deserialize, Serialize};

use crate::matlab::{self, AccessError};
use crate::pictures::{Pictures, TwoFiles};
use crate::source::{OpenSource, Source};
use crate::split_names::split_of;
use crate::{Annotations, ReadError, hdf5, json};

/// MPII Human Pose: the `RELEASE` `.mat`, the JSON of `HRNet`, pytorch-pose or the pose machine, the hourglass `.h5`, or `gt_valid.mat`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct MpiiConfig {
    /// The annotation file; which of the five it is, is recognised from its content.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// Folder of the images; they may be missing: only stages that need pixels read them.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
    /// A `valid.h5` of the stacked hourglass: only its people are kept, in its order, as the split `validation`, so
    /// that prediction arrays line up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub subset: Option<PathBuf>,
}

impl Source for MpiiConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&MPII16))
    }

    fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.annotations).chain(&self.subset).cloned().collect()
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        Ok(read(self)?.into())
    }
}

/// Name of the data set in ids, rows and rejects.
const DATASET: &str = "mpii";
/// What stands for a centre or scale that is not stated: `HRNet`'s and pytorch-pose's loaders test the centre's x for it.
const UNSTATED: f64 = -1.0;

/// People of the MPII annotation file of `config`, whose kind is recognised from its content.
///
/// One row per rectangle (`annorect`), labelled or not, and one without a person for each image without rectangles.
/// Records that cannot be read are rejects. With `subset` the other people are left out without a reject, but each
/// pair of the subset that the file does not hold is a reject. `RELEASE` says which images are for training; the
/// splits of other files are told by a word of their name (`train`, `valid`, `test`), else they are `unassigned`.
///
/// # Errors
/// When a file cannot be read or is none of the five, or holds nothing of the subset.
pub fn read(config: &MpiiConfig) -> Result<Annotations, ReadError> {
    let annotations = &*config.annotations;
    let subset = config.subset.as_deref().map(subset::Subset::read).transpose()?;
    let bytes = crate::files::read(annotations).map_err(|error| ReadError::io(annotations, error))?;
    let source = Origin {
        path: annotations,
        pictures: Pictures::new(&config.images),
        file: annotations.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let found = if hdf5::is_hdf5(&bytes) && !bytes.starts_with(b"MATLAB") {
        hourglass::read(&source, &hdf5::File::from_bytes(annotations, bytes)?)?
    } else if json::is_json(&bytes) {
        people_json::read(&source, &json::plain(annotations, bytes)?)?
    } else {
        let variables = matlab::read_from(annotations, &bytes)?;
        drop(bytes);
        let has = |name: &str| variables.iter().any(|(other, _)| other == name);
        if has("RELEASE") {
            release::read(&source, &variables)?
        } else if has("pos_gt_src") {
            return ground_truth::read(&source, &variables, subset.as_ref());
        } else {
            let rule = "MPII annotations must hold `RELEASE` or `pos_gt_src`";
            return Err(ReadError::unexpected(annotations, rule, matlab::listed(&variables)));
        }
    };
    match subset {
        Some(subset) => subset.choose(&source, found),
        None => Ok(found.annotations),
    }
}

/// The file that is read.
struct Origin<'a> {
    path: &'a Path,
    pictures: Pictures,
    /// Its name, without folders.
    file: String,
}

/// People and the names of their images.
struct Found {
    annotations: Annotations,
    /// File name of each person's image.
    names: Vec<String>,
    /// Whether `person_index` is MPII's own number of the rectangle, not just an order of appearance.
    numbered: bool,
}

impl Origin<'_> {
    /// A person of whom nothing is known yet.
    ///
    /// # Errors
    /// When the name of the image fits two files.
    fn person(&self, image: &str, person_index: Option<i32>, record: String) -> Result<Person, Fault> {
        let picture = self
            .pictures
            .find(image)
            .map_err(|error| Fault { reason: TwoFiles::REASON, detail: error.to_string() })?;
        Ok(self.person_at(&picture, person_index, record))
    }

    /// As [`Self::person`], of the picture at the path `picture`.
    fn person_at(&self, picture: &Path, person_index: Option<i32>, record: String) -> Person {
        Person {
            dataset: DATASET.to_owned(),
            split: split_of(&self.file).to_owned(),
            image_path: picture.to_string_lossy().into_owned(),
            person_index,
            pose: Pose::unknown(MPII16.len()),
            source_file: self.file.clone(),
            source_record: record,
            ..Person::default()
        }
    }

    fn reject(&self, sample_id: Option<String>, record: String, fault: Fault) -> Reject {
        Reject {
            stage: DATASET.to_owned(),
            reason: fault.reason.to_owned(),
            sample_id,
            source_file: Some(self.file.clone()),
            source_record: Some(record),
            detail: fault.detail,
            rows: 1,
        }
    }
}

/// Reason of a record that is not as the format says.
const SHAPE: &str = "record of another shape";

/// Why a record cannot be used.
#[derive(Debug)]
struct Fault {
    reason: &'static str,
    detail: String,
}

impl Fault {
    fn not_finite(detail: String) -> Self {
        Self { reason: "coordinate not finite", detail }
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        Self { reason: SHAPE, detail: error.to_string() }
    }
}

/// Gives each person of a flat list the poses of the other labelled ones of the same image.
fn fill_others(people: &mut [Person], names: &[String]) {
    let mut per_image: HashMap<&str, Vec<usize>> = HashMap::new();
    for (row, name) in names.iter().enumerate() {
        per_image.entry(name).or_default().push(row);
    }
    let mut people: Vec<Option<&mut Person>> = people.iter_mut().map(Some).collect();
    for rows in per_image.values() {
        crowd::fill_others(rows.iter().filter_map(|row| people[*row].take()));
    }
}

/// `center` in px from 1, where it is stated: formats write -1, or (-1, -1), where it is not.
fn stated_center(center: Option<[f64; 2]>) -> Option<[f64; 2]> {
    center.filter(|center| center[0] != UNSTATED && is_finite(center))
}

/// `scale`, where it is stated: a height is above 0.
fn stated_scale(scale: Option<f64>) -> Option<f64> {
    scale.filter(|scale| scale.is_finite() && *scale > 0.0)
}

fn is_finite(point: &[f64; 2]) -> bool {
    point.iter().all(|value| value.is_finite())
}

/// The number of different names.
fn distinct(names: &[String]) -> usize {
    names.iter().collect::<std::collections::HashSet<_>>().len()
}

/// Visible where annotated: what a file says that does not tell hidden joints from others.
fn visible_if(annotated: bool) -> Visibility {
    if annotated { Visibility::Visible } else { Visibility::NotAnnotated }
}

#[cfg(test)]
mod tests;
