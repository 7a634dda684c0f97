//! `people` to a folder that YOLO-pose trainers read.
//!
//! ```text
//! data.yaml               kpt_shape, flip_idx, names, a folder of pictures a split
//! images/train/NAME.jpg   the pictures, copied or linked
//! labels/train/NAME.txt   one line per person: class, box centre and size, then x, y, visibility of each joint
//! train.txt               the pictures of the split
//! ```
//! Numbers are fractions of the picture's width and height: x / width, without half a pixel, as `ultralytics`
//! converts COCO. Visibility is 0, 1 or 2. The readers drop a picture with a number outside 0 to 1, so an annotated
//! joint outside the picture is written as not annotated. The splits `validation` and `all` are called `val` and
//! `train`. Format: docs.ultralytics.com/datasets/pose.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemars::JsonSchema;
use schemas::Skeleton;
use schemas::tables::people::Person;
use schemas::tables::regions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::atomic::AtomicFolder;
use super::images::{Framed, ImageNames, Sizes, TURNED};
use super::{Encode, Export, ExportError, NO_BOX, OneSkeleton, Target, expect_people, is_person, people_of};
use crate::coco::{BoxRule, PersonBox};
use crate::pixels::{OrientationRule, without_orientation};
use crate::sink::Exported;

/// Stage name in rejects.
const FORMAT: &str = "yolo";

/// Why a picture of crowds alone is left out.
const NOT_TOLD_APART: &str = "people not told apart";

/// A folder of pictures, labels and data.yaml for trainers of YOLO-pose, of a table of people.
///
/// Rejects are rows whose picture is missing or unreadable, and people for whom no box can be made. A picture
/// without people has an empty label file, which tells trainers that nobody is there; so a picture of which only a crowd,
/// or people without a box, are known is left out. Labels stand where trainers look: the last folder `images` of the
/// picture's path exchanged for `labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(deny_unknown_fields)]
pub struct YoloExport {
    /// The folder.
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long = "out", value_name = "DIR"))]
    pub path: PathBuf,
    /// Folder that image names are made relative to; bare file names if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR"))]
    pub images: Option<PathBuf>,
    /// How a person's box is made, if the source states none.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t, value_name = "RULE"))]
    pub bbox: BoxRule,
    /// What is done with a picture whose EXIF orientation turns it.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t, value_name = "RULE"))]
    pub orientation: OrientationRule,
    /// Link to the pictures instead of copying them.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long))]
    pub link: bool,
}

impl Export for YoloExport {
    const FORMAT: &'static str = FORMAT;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        expect_people(inputs)
    }

    fn begin(&self, _inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError> {
        Ok(Box::new(Encoder {
            folder: AtomicFolder::create(&self.path)?,
            bbox: self.bbox,
            link: self.link,
            names: ImageNames::below(self.images.as_deref()),
            sizes: Sizes::by(self.orientation),
            skeleton: OneSkeleton::default(),
            labels: HashMap::new(),
            lists: BTreeMap::new(),
            outside: 0,
            as_stored: 0,
            partly: 0,
        }))
    }
}

struct Encoder {
    folder: AtomicFolder,
    bbox: BoxRule,
    link: bool,
    names: ImageNames,
    sizes: Sizes,
    skeleton: OneSkeleton,
    /// By label file: the picture that it is of.
    labels: HashMap<PathBuf, String>,
    /// By split: its pictures, a line each.
    lists: BTreeMap<String, String>,
    /// Annotated joints outside the picture.
    outside: u64,
    /// Pictures whose copy has lost the EXIF orientation.
    as_stored: u64,
    /// Pictures that also show people who are not told apart, or not known.
    partly: u64,
}

impl Encode for Encoder {
    fn put(&mut self, _: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError> {
        let (found, people) = people_of(batch)?;
        self.skeleton.check(found)?;
        people.iter().try_for_each(|person| self.person(person, exported))
    }

    fn end(self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError> {
        let Self { folder, lists, outside, partly, as_stored, sizes, skeleton, .. } = *self;
        for (split, list) in &lists {
            let path = folder.path().join(format!("{split}.txt"));
            fs::write(&path, list).map_err(ExportError::io("write", &path))?;
        }
        let yaml = folder.path().join("data.yaml");
        fs::write(&yaml, description(skeleton.get()?, lists.keys()))
            .map_err(ExportError::io("write", &yaml))?;
        exported.note(outside, "annotated joints lie outside the picture; they are written as not annotated");
        exported.note(sizes.turned, TURNED);
        exported.note(
            as_stored,
            "copies are without their EXIF orientation, since their labels are of the stored pixels",
        );
        exported.note(
            partly,
            "pictures also show people who are not labelled, which trainers take for background",
        );
        if !(lists.contains_key("train") && lists.contains_key("val")) {
            let splits: Vec<String> = lists.keys().map(|split| format!("`{split}`")).collect();
            exported.notes.push(format!(
                "trainers want `train` and `val` in data.yaml, the table has {}",
                splits.join(", ")
            ));
        }
        let counts: BTreeMap<&String, usize> =
            lists.iter().map(|(split, list)| (split, list.lines().count())).collect();
        Ok(Target::Folder(folder, json!({ "images": counts })))
    }
}

impl Encoder {
    fn person(&mut self, person: &Person, exported: &mut Exported) -> Result<(), ExportError> {
        let Framed { size, is_stored_turned } = match self.sizes.framed(&person.image_path, person.image_size)
        {
            Ok(framed) => framed,
            Err((reason, detail)) => {
                exported.reject(FORMAT, person, reason, detail);
                return Ok(());
            }
        };
        // What the label file will say of the row, before the picture is there for its sake.
        let line = if is_person(person) {
            let Some(found) = PersonBox::of(person, self.bbox, Some(size)) else {
                exported.reject(FORMAT, person, "no box", NO_BOX);
                return Ok(());
            };
            line(person, &found, size, &mut self.outside)
        } else if regions::of(person).is_empty() {
            String::new()
        } else {
            exported.reject(
                FORMAT,
                person,
                NOT_TOLD_APART,
                "an empty label file would say that nobody is there",
            );
            return Ok(());
        };
        let (name, split) = (self.names.of(&person.image_path)?, split_name(&person.split));
        let (picture, label) = places(&split, &name);
        let label = self.folder.path().join(label);
        match self.labels.get(&label) {
            Some(other) if *other == person.image_path => {}
            // Pictures that differ in their endings alone would share their labels.
            Some(first) => {
                let (first, second) = (first.clone(), person.image_path.clone());
                return Err(ExportError::SameName { name, first, second });
            }
            None => {
                let place = self.folder.path().join(&picture);
                if is_stored_turned {
                    bring_as_stored(&person.image_path, &place)?;
                    self.as_stored += 1;
                } else {
                    bring(&person.image_path, &place, self.link)?;
                }
                let _ = writeln!(self.lists.entry(split.clone()).or_default(), "./{picture}");
                make_parent(&label)?;
                append(&label, "")?;
                self.labels.insert(label.clone(), person.image_path.clone());
                self.partly += u64::from(!regions::of(person).is_empty());
            }
        }
        append(&label, &line)?;
        exported.written += 1;
        Ok(())
    }
}

/// Where the picture `name` of `split` goes, and its labels: as trainers find them, by the last folder `images`.
fn places(split: &str, name: &str) -> (String, String) {
    let picture = format!("images/{split}/{name}");
    let at = format!("/{picture}").rfind("/images/").expect("it begins with one");
    let label = format!("{}labels/{}", &picture[..at], &picture[at + "images/".len()..]);
    let label = Path::new(&label).with_extension("txt").to_string_lossy().into_owned();
    (picture, label)
}

/// The split as YOLO calls it, fit for a folder.
fn split_name(split: &str) -> String {
    match split {
        "validation" => "val".to_owned(),
        "all" | "" => "train".to_owned(),
        other => schemas::sample_id::sanitised(other),
    }
}

fn make_parent(path: &Path) -> Result<(), ExportError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(ExportError::io("create the folder", parent))
}

/// Brings the picture `from` to `to`.
fn bring(from: &str, to: &Path, as_link: bool) -> Result<(), ExportError> {
    make_parent(to)?;
    let from = Path::new(from);
    if !as_link {
        return fs::copy(from, to).map(drop).map_err(ExportError::io("copy", from));
    }
    let absolute = std::path::absolute(from).map_err(ExportError::io("find", from))?;
    link(&absolute, to).map_err(ExportError::io("link to", from))
}

/// Copies the picture `from` to `to` without its EXIF orientation: readers that turn pictures would miss the labels.
fn bring_as_stored(from: &str, to: &Path) -> Result<(), ExportError> {
    make_parent(to)?;
    let from = Path::new(from);
    let mut bytes = crate::files::read(from).map_err(ExportError::io("copy", from))?;
    without_orientation(&mut bytes);
    fs::write(to, bytes).map_err(ExportError::io("write", to))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(from, to)
}

fn append(path: &Path, text: &str) -> Result<(), ExportError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(ExportError::io("write", path))
}

/// The line of `person`: six digits, a thousandth of a pixel.
fn line(person: &Person, found: &PersonBox, size: [u32; 2], outside: &mut u64) -> String {
    let [width, height] = size.map(f64::from);
    let [x, y, w, h] = found.xywh;
    // A stated box may stick out by a rounding error, which readers do not forgive.
    let (x1, y1) = (x.clamp(0.0, width), y.clamp(0.0, height));
    let (x2, y2) = ((x + w).clamp(0.0, width), (y + h).clamp(0.0, height));
    let mut line = format!(
        "0 {:.6} {:.6} {:.6} {:.6}",
        f64::midpoint(x1, x2) / width,
        f64::midpoint(y1, y2) / height,
        (x2 - x1) / width,
        (y2 - y1) / height
    );
    for joint in 0..person.pose.keypoints.len() {
        let Some([x, y]) = person.pose.joint(joint) else {
            line.push_str(" 0 0 0");
            continue;
        };
        if (0.0..=width).contains(&x) && (0.0..=height).contains(&y) {
            let code = person.pose.visibility[joint].code();
            let _ = write!(line, " {:.6} {:.6} {code}", x / width, y / height);
        } else {
            *outside += 1;
            line.push_str(" 0 0 0");
        }
    }
    line.push('\n');
    line
}

/// `data.yaml`. Without `path`, readers take the folder that the file is in.
fn description<'a>(skeleton: &Skeleton, splits: impl Iterator<Item = &'a String>) -> String {
    let mut text = format!("# Keypoints `{}`, written by motionmill.\n", skeleton.name);
    for split in splits {
        let _ = writeln!(text, "{split}: images/{split}");
    }
    let (joints, mirrored) = (skeleton.len(), skeleton.mirrored());
    let _ = writeln!(
        text,
        "kpt_shape: [{joints}, 3]\nflip_idx: {mirrored:?}\nnames:\n  0: person\nkpt_names:\n  0:"
    );
    for joint in skeleton.joints {
        let plain = joint.starts_with(|first: char| first.is_ascii_alphabetic())
            && joint.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
        // Other names could mean something in YAML, whose quoted texts are those of JSON.
        let _ =
            if plain { writeln!(text, "    - {joint}") } else { writeln!(text, "    - {}", json!(joint)) };
    }
    text
}
