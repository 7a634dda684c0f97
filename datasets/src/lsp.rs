//! Reader of LSP: `joints.mat`, 3 x 14 x 2000.

mod joints;
mod numbered;

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::skeleton::LSP14;
use schemas::tables::people;
use serde::{Deserialize, Serialize};

use crate::limb_scale::Parents;
use crate::pixels;
use crate::source::{OpenSource, Source};
use crate::{Annotations, ReadError};

pub(crate) use joints::{Joints, Layout};

/// Leeds Sports Pose, `joints.mat` of 3 x 14 x N.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct LspConfig {
    /// The annotation file.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FILE"))]
    pub annotations: PathBuf,
    /// Folder of the images; they may be missing: only stages that need pixels read them.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: PathBuf,
}

impl Source for LspConfig {
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

/// How many images, from the first, are the training split; the others are the test split.
pub const TRAIN_IMAGES: usize = 1000;

/// People of the LSP file `path`, whose images lie in the folder `images`, with the published limb list.
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path, images: &Path) -> Result<Annotations, ReadError> {
    read_with(path, images, Parents::default())
}

/// People of the LSP file `path`: the array `joints`, 3 x 14 x N, of x and y, from 1, and 1 where the joint is
/// occluded. One image holds one person, `im0001.jpg` the first, or the picture of that number with another ending.
///
/// The first 1000 are the training split, the others the test split; a file of fewer than 2000 is halved. LSP states
/// neither centre nor scale: the centre is that of the image, (W/2, H/2) from 1, and unknown where the image file is
/// missing; the scale comes from [`crate::limb_scale::LimbRatios`] of the training people. `image_size` is that of
/// the image file. The attributes name the rules.
///
/// # Errors
/// When the file cannot be read or the array has another layout.
pub fn read_with(path: &Path, images: &Path, parents: Parents) -> Result<Annotations, ReadError> {
    Ok(read_noted(path, images, parents)?.0)
}

/// As [`read_with`], with notes.
fn read_noted(path: &Path, images: &Path, parents: Parents) -> Result<(Annotations, Vec<String>), ReadError> {
    let joints = Joints::read(path, Layout::Lsp)?;
    let train = TRAIN_IMAGES.min(joints.people.div_ceil(2));
    let (mut found, notes) = joints.annotations(path, images, parents, "lsp", 4, |row| {
        let split = if row < train { "train" } else { "test" };
        (split, "image centre")
    });
    for person in &mut found.people {
        person.image_size =
            pixels::size(Path::new(&person.image_path)).ok().map(|size| size.map(|side| side as i32));
        person.center = person
            .image_size
            .map(|[width, height]| [f64::from(width) / 2.0 - 1.0, f64::from(height) / 2.0 - 1.0]);
    }
    Ok((found, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab;
    use crate::matlab::Value;
    use crate::testing::real_data;
    use schemas::Visibility;

    #[test]
    fn lsp_is_read_as_published() {
        let Some(path) = real_data("lsp/joints.mat") else { return };
        let found = read(&path, Path::new("images")).unwrap();
        assert_eq!((found.people.len(), found.images, found.rejects.len()), (2000, 2000, 0));
        assert_eq!(found.people.iter().filter(|person| person.split == "test").count(), 1000);
        let last = &found.people[1999];
        assert_eq!((last.sample_id.as_str(), last.split.as_str()), ("lsp-im2000-0", "test"));
        assert_eq!(last.image_path, "images/im2000.jpg");
        assert_eq!(last.source_record, "joints(:,:,2000)");
        let of =
            |v| found.people.iter().flat_map(|p| &p.pose.visibility).filter(|other| **other == v).count();
        assert_eq!(of(Visibility::NotAnnotated), 0);
        // Measured: 7.3 % of the third values are ones.
        assert!((of(Visibility::Occluded) as f64 / 28_000.0 - 0.073).abs() < 5e-4);
        assert!(found.people.iter().all(|person| person.center.is_none()));
        assert!(
            found.people.iter().all(|person| person.scale.is_some_and(|scale| scale > 0.2 && scale < 3.0))
        );
    }

    /// `people` people whose joint j is at (10 j + 1, j + 1) and visible.
    fn file(folder: &Path, people: usize, spoil: impl Fn(&mut Vec<f64>)) -> PathBuf {
        let joint = |j: usize| [10.0 * j as f64 + 1.0, j as f64 + 1.0, 0.0];
        let mut values: Vec<f64> = (0..people).flat_map(|_| (0..14).flat_map(joint)).collect();
        spoil(&mut values);
        let path = folder.join("joints.mat");
        matlab::write(&path, &[("joints", &Value::array(&[3, 14, people], values))]).unwrap();
        path
    }

    #[test]
    fn a_small_file_is_halved_and_sizes_come_from_the_images() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), 5, |_| ());
        image::RgbImage::new(40, 20)
            .save_with_format(folder.path().join("im0002.jpg"), image::ImageFormat::Png)
            .unwrap();
        let found = read(&path, folder.path()).unwrap();
        let splits: Vec<&str> = found.people.iter().map(|person| person.split.as_str()).collect();
        assert_eq!(splits, ["train", "train", "train", "test", "test"]);
        assert_eq!(found.people[0].pose.keypoints[13], [130.0, 13.0]);
        assert_eq!((found.people[0].center, found.people[1].center), (None, Some([19.0, 9.0])));
        assert_eq!(found.people[1].image_size, Some([40, 20]));
        let attributes = found.people[1].attributes.as_deref().unwrap();
        assert_eq!(
            attributes,
            r#"{"center_rule":"image centre","scale_rule":"limb lengths, parents as published"}"#
        );
    }

    #[test]
    fn bad_rows_are_rejected_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), 3, |values| {
            values[0] = f64::NAN;
            values[42 + 2] = 7.0;
        });
        let found = read(&path, folder.path()).unwrap();
        assert_eq!(found.people.len(), 1);
        let reasons: Vec<&str> = found.rejects.iter().map(|reject| reject.reason.as_str()).collect();
        assert_eq!(reasons, ["coordinate not finite", "visibility neither 0 nor 1"]);
        assert_eq!(found.rejects[1].detail, "joint 1 (right_ankle) has the third value 7");
        assert_eq!(found.rejects[1].source_record.as_deref(), Some("joints(:,:,2)"));
    }

    #[test]
    fn the_other_layout_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joints.mat");
        matlab::write(&path, &[("joints", &Value::array(&[14, 3, 2], vec![1.0; 84]))]).unwrap();
        let message = read(&path, folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("3 x 14 x N, found double 14x3x2") && message.contains("as `lspet`"),
            "{message}"
        );
        matlab::write(&path, &[("joints", &Value::array(&[3, 16], vec![1.0; 48]))]).unwrap();
        let message = read(&path, folder.path()).unwrap_err().to_string();
        assert!(message.contains("3 x 14 x N, found double 3x16"), "{message}");
    }
}
