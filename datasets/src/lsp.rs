//! Reader of LSP: `joints.mat`, 3 x 14 x 2000.

use std::path::Path;

use schemas::Visibility;
use schemas::skeleton::LSP14;
use schemas::tables::people::{Person, Pose};
use schemas::tables::rejects::Reject;

use crate::limb_scale::{LimbRatios, Parents};
use crate::unique_ids::UniqueIds;
use crate::{Annotations, ReadError, matlab};

/// How many images, from the first, train the data set's models; the others test.
pub const TRAIN_IMAGES: usize = 1000;

/// Name of the array in LSP's and LSPET's files.
const ARRAY: &str = "joints";

/// People of the LSP file `path`, whose images lie in the folder `images`, with the published limb list.
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path, images: &Path) -> Result<Annotations, ReadError> {
    read_with(path, images, Parents::default())
}

/// People of the LSP file `path`: the array `joints`, 3 x 14 x N, of x and y, from 1, and 1 where the joint is
/// occluded. One image holds one person, `im0001.jpg` the first.
///
/// The first 1000 train, the others test; a file of fewer than 2000 is halved. LSP states neither centre nor scale:
/// the centre is that of the image, (W/2, H/2) from 1, and unknown where the image is not there; the scale comes from
/// [`LimbRatios`] of the training people. `image_size` is that of the image found. The attributes name the rules.
///
/// # Errors
/// When the file cannot be read or the array has another layout.
pub fn read_with(path: &Path, images: &Path, parents: Parents) -> Result<Annotations, ReadError> {
    let joints = Joints::read(path, Layout::Lsp)?;
    let train = TRAIN_IMAGES.min(joints.people.div_ceil(2));
    let mut found = joints.annotations(path, images, parents, "lsp", 4, |row| {
        let split = if row < train { "train" } else { "test" };
        (split, "image centre")
    });
    for person in &mut found.people {
        person.image_size = image_size(Path::new(&person.image_path));
        person.center = person
            .image_size
            .map(|[width, height]| [f64::from(width) / 2.0 - 1.0, f64::from(height) / 2.0 - 1.0]);
    }
    Ok(found)
}

/// Width and height of the image `path`, or `None` where it is not there or not an image.
fn image_size(path: &Path) -> Option<[i32; 2]> {
    let bytes = std::fs::read(path).ok()?;
    let (width, height) = match turbojpeg::read_header(&bytes) {
        Ok(header) => (header.width, header.height),
        Err(_) => {
            let reader = image::ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format().ok()?;
            let (width, height) = reader.into_dimensions().ok()?;
            (width as usize, height as usize)
        }
    };
    Some([i32::try_from(width).ok()?, i32::try_from(height).ok()?])
}

/// Which of the two files an array comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// 3 x 14 x N, third value 1 = occluded.
    Lsp,
    /// 14 x 3 x N, third value 1 = annotated.
    Lspet,
}

impl Layout {
    fn dims(self) -> [usize; 2] {
        match self {
            Self::Lsp => [3, 14],
            Self::Lspet => [14, 3],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lsp => "LSP",
            Self::Lspet => "LSPET",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Lsp => "lsp",
            Self::Lspet => "lspet",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Lsp => Self::Lspet,
            Self::Lspet => Self::Lsp,
        }
    }

    /// What the third value `flag` says, or `None` where it is neither 0 nor 1.
    fn visibility(self, flag: f64) -> Option<Visibility> {
        match (self, flag) {
            (Self::Lsp, 0.0) | (Self::Lspet, 1.0) => Some(Visibility::Visible),
            (Self::Lsp, 1.0) => Some(Visibility::Occluded),
            (Self::Lspet, 0.0) => Some(Visibility::NotAnnotated),
            _ => None,
        }
    }
}

/// The array of either file.
pub(crate) struct Joints {
    layout: Layout,
    pub(crate) people: usize,
    values: Vec<f64>,
}

impl Joints {
    pub(crate) fn read(path: &Path, layout: Layout) -> Result<Self, ReadError> {
        let variables = matlab::read(path)?;
        let node = matlab::variable(&variables, ARRAY).map_err(|error| error.in_file(path))?;
        let [rows, columns] = layout.dims();
        let rule = || format!("{}'s array `{ARRAY}` must be {rows} x {columns} x N", layout.name());
        let [first, second, people] = match *node.dims() {
            [first, second] => [first, second, 1],
            [first, second, people] => [first, second, people],
            _ => return Err(ReadError::unexpected(path, rule(), node.value().shape())),
        };
        if [first, second] == layout.other().dims() {
            let (name, source) = (layout.other().name(), layout.other().source());
            let found = format!(
                "{}, which is {name}'s layout: its third value means something else; read it as `{source}`",
                node.value().shape()
            );
            return Err(ReadError::unexpected(path, rule(), found));
        }
        let values = node.numbers().map_err(|error| error.in_file(path))?;
        if [first, second] != layout.dims() || values.len() != first * second * people {
            return Err(ReadError::unexpected(path, rule(), node.value().shape()));
        }
        Ok(Self { layout, people, values })
    }

    /// x, y and the third value of a joint, as stored.
    fn joint(&self, person: usize, joint: usize) -> [f64; 3] {
        let values = &self.values[person * 42..(person + 1) * 42];
        [0, 1, 2].map(|part| match self.layout {
            Layout::Lsp => values[joint * 3 + part],
            Layout::Lspet => values[part * 14 + joint],
        })
    }

    fn pose(&self, person: usize) -> Result<Pose, (&'static str, String)> {
        let mut pose = Pose::unknown(14);
        for joint in 0..14 {
            let [x, y, flag] = self.joint(person, joint);
            let place = || format!("joint {} ({})", joint + 1, LSP14.joints[joint]);
            let visibility = self.layout.visibility(flag).ok_or_else(|| {
                ("visibility neither 0 nor 1", format!("{} has the third value {flag}", place()))
            })?;
            if visibility.is_annotated() && !(x.is_finite() && y.is_finite()) {
                return Err(("coordinate not finite", format!("{} is at ({x}, {y})", place())));
            }
            pose.set(joint, [x - 1.0, y - 1.0], visibility);
        }
        Ok(pose)
    }

    /// Everything but the centre. `rules` gives a row's split and the name of the rule that will make its centre.
    pub(crate) fn annotations(
        &self,
        path: &Path,
        images: &Path,
        parents: Parents,
        dataset: &str,
        digits: usize,
        rules: impl Fn(usize) -> (&'static str, &'static str),
    ) -> Annotations {
        let source_file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (mut people, mut rejects, mut ids) = (Vec::new(), Vec::new(), UniqueIds::default());
        for row in 0..self.people {
            let number = row + 1;
            let name = format!("im{number:0digits$}.jpg");
            let sample_id = ids.of(dataset, &name, Some(0));
            let source_record = format!("{ARRAY}(:,:,{number})");
            let (split, center_rule) = rules(row);
            let pose = match self.pose(row) {
                Ok(pose) => pose,
                Err((reason, detail)) => {
                    rejects.push(Reject {
                        stage: dataset.to_owned(),
                        reason: reason.to_owned(),
                        sample_id: Some(sample_id),
                        source_file: Some(source_file.clone()),
                        source_record: Some(source_record),
                        detail,
                    });
                    continue;
                }
            };
            let rules = serde_json::json!({ "center_rule": center_rule, "scale_rule": parents.rule() });
            people.push(Person {
                sample_id,
                dataset: dataset.to_owned(),
                split: split.to_owned(),
                image_path: images.join(&name).to_string_lossy().into_owned(),
                image_size: None,
                person_index: Some(0),
                center: None,
                scale: None,
                head_box: None,
                torso_box: None,
                pose,
                others: Vec::new(),
                activity: None,
                attributes: Some(rules.to_string()),
                source_file: source_file.clone(),
                source_record,
            });
        }
        let train = people.iter().filter(|person| person.split == "train").map(|person| &person.pose);
        let ratios = LimbRatios::of(train, parents);
        for person in &mut people {
            person.scale = ratios.scale(&person.pose);
        }
        Annotations { skeleton: &LSP14, people, images: self.people, rejects }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab::Value;
    use crate::testing::real_data;

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
        // PROTOCOLS: 7.3 % of the third values are ones.
        assert!((of(Visibility::Occluded) as f64 / 28_000.0 - 0.073).abs() < 5e-4);
        assert!(found.people.iter().all(|person| person.center.is_none()));
        assert!(
            found.people.iter().all(|person| person.scale.is_some_and(|scale| scale > 0.2 && scale < 3.0))
        );
    }

    /// `people` people whose joint j is at (10 j + 1, j + 1) and visible.
    fn file(folder: &Path, people: usize, spoil: impl Fn(&mut Vec<f64>)) -> std::path::PathBuf {
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
