//! Reader of LSP extended training: `joints.mat`, 14 x 3 x 10000.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::skeleton::LSP14;
use schemas::tables::people;
use serde::{Deserialize, Serialize};

use crate::limb_scale::{Parents, visible_box};
use crate::lsp::{Joints, Layout};
use crate::source::{OpenSource, Source};
use crate::{Annotations, ReadError};

/// Leeds Sports Pose extended training, `joints.mat` of 14 x 3 x N.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct LspetConfig {
    /// The annotation file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// Folder of the images; they may be missing: only stages that need pixels read them.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
}

impl Source for LspetConfig {
    fn schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, ReadError> {
        Ok(people::schema(&LSP14))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.annotations.clone()]
    }

    fn open(&self, _inputs: &[Vec<RecordBatch>]) -> Result<OpenSource, ReadError> {
        let (found, notes) = read_noted(&self.annotations, &self.images, Parents::default())?;
        Ok(OpenSource::from(found).noted(notes))
    }
}

/// People of the LSPET file `path`, whose images lie in the folder `images`, with the published limb list.
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path, images: &Path) -> Result<Annotations, ReadError> {
    read_with(path, images, Parents::default())
}

/// People of the LSPET file `path`: the array `joints`, 14 x 3 x N, of x and y, from 1, and 1 where the joint is
/// annotated (the coordinates of the others mean nothing). One image holds one person, `im00001.jpg` the first, or the
/// picture of that number with another ending, such as the PNG of the edition with higher resolution; all are the training
/// split.
///
/// LSPET states neither centre nor scale: the centre is that of the rectangle around the annotated joints, the scale
/// comes from [`crate::limb_scale::LimbRatios`] of all people. The attributes name the rules.
///
/// # Errors
/// When the file cannot be read or the array has another layout.
pub fn read_with(path: &Path, images: &Path, parents: Parents) -> Result<Annotations, ReadError> {
    Ok(read_noted(path, images, parents)?.0)
}

/// As [`read_with`], with notes.
fn read_noted(path: &Path, images: &Path, parents: Parents) -> Result<(Annotations, Vec<String>), ReadError> {
    let joints = Joints::read(path, Layout::Lspet)?;
    let rules = |_| ("train", "centre of the annotated joints' rectangle");
    let (mut found, notes) = joints.annotations(path, images, parents, "lspet", 5, rules);
    for person in &mut found.people {
        let middle = |[x1, y1, x2, y2]: [f64; 4]| [f64::midpoint(x1, x2), f64::midpoint(y1, y2)];
        person.center = visible_box(&person.pose).map(middle);
    }
    Ok((found, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab::{self, Value};
    use crate::testing::real_data;
    use schemas::Visibility;

    #[test]
    fn lspet_is_read_as_published() {
        let Some(path) = real_data("lspet/joints.mat") else { return };
        let found = read(&path, Path::new("images")).unwrap();
        assert_eq!((found.people.len(), found.images, found.rejects.len()), (10_000, 10_000, 0));
        assert!(found.people.iter().all(|person| person.split == "train"));
        let joints = || found.people.iter().flat_map(|person| &person.pose.visibility);
        assert!(joints().all(|v| *v != Visibility::Occluded));
        // Measured: 88.0 % of the third values are ones.
        let visible = joints().filter(|v| **v == Visibility::Visible).count();
        assert!((visible as f64 / 140_000.0 - 0.88).abs() < 5e-4, "{visible}");
        let last = &found.people[9_999];
        assert_eq!(
            (last.sample_id.as_str(), last.image_path.as_str()),
            ("lspet-im10000-0", "images/im10000.jpg")
        );
        assert!(found.people.iter().all(|person| person.center.is_some() == (person.pose.annotated() > 0)));
    }

    #[test]
    fn joints_that_are_not_annotated_have_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joints.mat");
        let mut values = vec![0.0; 42];
        // Right ankle at (11, 31) and head top at (21, 1), from 1; garbage at the right knee.
        (values[0], values[14], values[28]) = (11.0, 31.0, 1.0);
        (values[13], values[27], values[41]) = (21.0, 1.0, 1.0);
        (values[1], values[15]) = (-7.5, 40.0);
        matlab::write(&path, &[("joints", &Value::array(&[14, 3], values))]).unwrap();
        let found = read(&path, Path::new("")).unwrap();
        let person = &found.people[0];
        assert_eq!(person.pose.annotated(), 2);
        assert_eq!((person.pose.joint(0), person.pose.joint(1)), (Some([10.0, 30.0]), None));
        assert_eq!(person.center, Some([15.0, 15.0]));
        assert_eq!(person.scale, None);
    }

    #[test]
    fn the_number_names_the_picture_whatever_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joints.mat");
        matlab::write(&path, &[("joints", &Value::array(&[14, 3, 4], vec![1.0; 168]))]).unwrap();
        let images = folder.path().join("images");
        std::fs::create_dir(&images).unwrap();
        let names = |read: &Annotations| -> Vec<String> {
            let name = |person: &people::Person| {
                Path::new(&person.image_path).file_name().unwrap().to_string_lossy().into_owned()
            };
            read.people.iter().map(name).collect()
        };
        let read = || read_noted(&path, &images, Parents::default()).unwrap();
        let put = |name: &str| std::fs::write(images.join(name), "").unwrap();
        // Nothing is there: the name is the published one.
        assert_eq!(names(&read().0)[0], "im00001.jpg");
        put("im00001.png");
        put("im00002.PNG");
        let (found, notes) = read();
        assert_eq!(names(&found), ["im00001.png", "im00002.PNG", "im00003.png", "im00004.png"]);
        assert!(notes.is_empty());
        // Both of one number: those of the ending that more numbers have.
        put("im00001.jpg");
        put("im00003.jpg");
        put("im00004.jpg");
        let (found, notes) = read();
        assert_eq!(names(&found), ["im00001.jpg", "im00002.PNG", "im00003.jpg", "im00004.jpg"]);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("1 pictures are there as `.jpg` and as `.png`"), "{}", notes[0]);
        assert_eq!(found.people[1].sample_id, "lspet-im00002-0");
    }

    #[test]
    fn the_other_layout_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joints.mat");
        matlab::write(&path, &[("joints", &Value::array(&[3, 14, 2], vec![1.0; 84]))]).unwrap();
        let message = read(&path, folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("14 x 3 x N, found double 3x14x2") && message.contains("as `lsp`"),
            "{message}"
        );
    }
}
