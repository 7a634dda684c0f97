//! The `data.yaml`: splits, shape and order of the keypoints, classes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemas::Skeleton;
use schemas::skeleton::{Definition, JointRef, all};
use serde::Deserialize;

use super::label_of;
use crate::{ReadError, files, skeleton_called};

/// Endings of pictures that our decoders read.
const ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff"];

/// What the file says, and where it is.
pub(super) struct DataFile {
    place: PathBuf,
    content: Content,
}

#[derive(Deserialize)]
struct Content {
    /// Folder that the splits are relative to, itself relative to the file's folder.
    #[serde(default)]
    path: Option<PathBuf>,
    #[serde(default)]
    train: Option<Places>,
    #[serde(default)]
    val: Option<Places>,
    #[serde(default)]
    test: Option<Places>,
    /// Keypoints, and numbers per keypoint: 2 or 3.
    kpt_shape: [usize; 2],
    /// The mirrored keypoint of each.
    #[serde(default)]
    flip_idx: Option<Vec<usize>>,
    #[serde(default)]
    names: Option<Names>,
    /// By class: names of the keypoints.
    #[serde(default)]
    kpt_names: Option<BTreeMap<u32, Vec<String>>>,
}

/// Folders of pictures, or lists of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Places {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

/// Names of the classes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    ByNumber(BTreeMap<u32, String>),
}

/// A picture of a split.
pub(super) struct Picture {
    pub split: &'static str,
    pub image: PathBuf,
    pub label: PathBuf,
}

/// The pictures of all splits.
pub(super) struct Pictures {
    pub all: Vec<Picture>,
    /// The files that list them; pictures may also be those of folders.
    pub lists: Vec<PathBuf>,
}

impl DataFile {
    /// # Errors
    /// When the file cannot be read or describes no keypoints.
    pub(super) fn read(place: &Path) -> Result<Self, ReadError> {
        let text = files::read_to_string(place).map_err(|error| ReadError::io(place, error))?;
        let content: Content = serde_saphyr::from_str(&text)
            .map_err(|error| ReadError::malformed(place, "data.yaml", error.to_string()))?;
        if ![2, 3].contains(&content.kpt_shape[1]) {
            let found = format!("{:?}", content.kpt_shape);
            return Err(ReadError::unexpected(
                place,
                "`kpt_shape` must be [joints, 2] or [joints, 3]",
                found,
            ));
        }
        Ok(Self { place: place.to_owned(), content })
    }

    /// Numbers per keypoint: 2, or 3 with visibility.
    pub(super) fn dimensions(&self) -> usize {
        self.content.kpt_shape[1]
    }

    /// The skeleton called `told`; else the known one of the names of the keypoints; else the only one with as many joints
    /// that are mirrored as the file says; else the one that the file itself states.
    ///
    /// # Errors
    /// When that is none, or several.
    pub(super) fn skeleton(&self, told: Option<&str>) -> Result<&'static Skeleton, ReadError> {
        let [joints, _] = self.content.kpt_shape;
        let unexpected = |rule: &str, found: String| ReadError::unexpected(&self.place, rule, found);
        if let Some(name) = told {
            let skeleton = skeleton_called(name)?;
            let rule = format!("`kpt_shape` must be that of `{name}`, {} joints", skeleton.len());
            return if skeleton.len() == joints {
                Ok(skeleton)
            } else {
                Err(unexpected(&rule, joints.to_string()))
            };
        }
        let names = self.content.kpt_names.as_ref().and_then(|classes| classes.values().next());
        let named = |skeleton: &Skeleton| match names {
            Some(names) => skeleton.is_spelt(names),
            None => self.content.flip_idx.as_ref().is_some_and(|flipped| skeleton.mirrored() == *flipped),
        };
        let known: Vec<_> =
            all().iter().copied().filter(|skeleton| skeleton.len() == joints && named(skeleton)).collect();
        if let [only] = known[..] {
            return Ok(only);
        }
        if known.is_empty() && (names.is_some() || self.content.flip_idx.is_some()) {
            return self.stated(joints, names);
        }
        let rule = "`kpt_names`, or else `flip_idx`, must say what the keypoints are; else name them with `skeleton`";
        let known: Vec<&str> = known.iter().map(|skeleton| skeleton.name).collect();
        let fitting = if known.is_empty() { "none that fits".to_owned() } else { known.join(", ") };
        Err(unexpected(rule, format!("{joints} joints, {fitting}")))
    }

    /// The skeleton of `names`, or of numbered joints, with the mirror images that the file states.
    fn stated(&self, joints: usize, names: Option<&Vec<String>>) -> Result<&'static Skeleton, ReadError> {
        let unexpected = |rule: &str, found: String| ReadError::unexpected(&self.place, rule, found);
        let numbered = || (0..joints).map(|joint| format!("keypoint_{joint}")).collect();
        let names = names.cloned().unwrap_or_else(numbered);
        if names.len() != joints {
            let rule = format!("`kpt_names` must be those of `kpt_shape`, {joints} joints");
            return Err(unexpected(&rule, names.len().to_string()));
        }
        let flip_pairs = match &self.content.flip_idx {
            None => None,
            Some(mirrored) => {
                let back = |(joint, other): (usize, &usize)| mirrored.get(*other) == Some(&joint);
                if mirrored.len() != joints || !mirrored.iter().enumerate().all(back) {
                    let rule = "`flip_idx` must have each joint at the place of its mirror image";
                    return Err(unexpected(rule, format!("{mirrored:?}")));
                }
                let pairs = mirrored.iter().enumerate().filter(|(joint, other)| joint < *other);
                Some(pairs.map(|(joint, other)| [joint, *other].map(JointRef::Number)).collect())
            }
        };
        let name = format!("yolo{joints}");
        let definition = Definition { name, joints: names, flip_pairs, ..Definition::default() };
        Skeleton::of(&definition)
            .map_err(|error| unexpected("`kpt_names` must name joints", error.to_string()))
    }

    /// The number of the class called `told`; `None` where there is one class only.
    ///
    /// # Errors
    /// When there is no such class, or there are several and none is told.
    pub(super) fn class(&self, told: Option<&str>) -> Result<Option<u32>, ReadError> {
        let names: BTreeMap<u32, String> = match &self.content.names {
            None => BTreeMap::new(),
            Some(Names::List(names)) => (0..).zip(names.iter().cloned()).collect(),
            Some(Names::ByNumber(names)) => names.clone(),
        };
        let found = told.and_then(|told| names.iter().find(|(_, name)| *name == told));
        match (told, found) {
            (_, Some((number, _))) => Ok(Some(*number)),
            (None, _) if names.len() < 2 => Ok(None),
            _ => {
                let listed: Vec<String> = names.values().map(|name| format!("`{name}`")).collect();
                let rule = "one of the classes must be chosen with `category`";
                Err(ReadError::unexpected(&self.place, rule, listed.join(", ")))
            }
        }
    }

    /// The pictures of all splits.
    ///
    /// # Errors
    /// When a folder or list cannot be read.
    pub(super) fn pictures(&self) -> Result<Pictures, ReadError> {
        let folder = self.place.parent().unwrap_or(Path::new(""));
        let root = self.content.path.as_ref().map_or_else(|| folder.to_owned(), |path| folder.join(path));
        let splits =
            [("train", &self.content.train), ("validation", &self.content.val), ("test", &self.content.test)];
        let mut pictures = Pictures { all: Vec::new(), lists: Vec::new() };
        for (split, places) in splits {
            let places = match places {
                None => &[][..],
                Some(Places::One(place)) => std::slice::from_ref(place),
                Some(Places::Several(places)) => places,
            };
            for place in places {
                let place = root.join(place);
                let images = images_of(&place)?;
                if place.is_file() {
                    pictures.lists.push(place);
                }
                pictures.all.extend(images.into_iter().map(|image| Picture {
                    split,
                    label: label_of(&image),
                    image,
                }));
            }
        }
        Ok(pictures)
    }
}

/// The pictures of the list `place`, in its order, or of the folder `place` and those below it, by name.
fn images_of(place: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let io = |error| ReadError::io(place, error);
    if place.is_file() {
        let folder = place.parent().unwrap_or(Path::new(""));
        let text = files::read_to_string(place).map_err(io)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(lines.map(|line| folder.join(line.strip_prefix("./").unwrap_or(line))).collect());
    }
    let mut images = Vec::new();
    let entries = fs::read_dir(place).map_err(io)?.collect::<Result<Vec<_>, _>>().map_err(io)?;
    for path in entries.into_iter().map(|entry| entry.path()) {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if path.is_dir() {
            images.extend(images_of(&path)?);
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            images.push(path);
        }
    }
    images.sort_unstable();
    Ok(images)
}
