//! The names and sizes of images in an export.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::pixels::{self, Frame, Framing, OrientationRule};

use super::ExportError;

/// Calls each image by its path below a folder, or by its file's name alone where no folder is given.
#[derive(Debug)]
pub(super) struct ImageNames {
    folder: Option<PathBuf>,
    /// By name: the path that has it.
    given: HashMap<String, String>,
}

impl ImageNames {
    pub(super) fn below(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned), given: HashMap::new() }
    }

    /// The name of the image at `path`, with `/` between folders.
    ///
    /// # Errors
    /// When another image has the name, or the image lies elsewhere.
    pub(super) fn of(&mut self, path: &str) -> Result<String, ExportError> {
        let name = match &self.folder {
            None => path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(),
            Some(folder) => {
                let outside = || ExportError::Outside { folder: folder.clone(), image: path.to_owned() };
                let below = Path::new(path).strip_prefix(folder).map_err(|_| outside())?;
                let parts = below.components().map(|part| part.as_os_str().to_string_lossy());
                parts.collect::<Vec<_>>().join("/")
            }
        };
        if let Some(first) = self.given.get(&name) {
            if first == path {
                return Ok(name);
            }
            return Err(ExportError::SameName { name, first: first.clone(), second: path.to_owned() });
        }
        self.given.insert(name.clone(), path.to_owned());
        Ok(name)
    }
}

/// An image in the frame of its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framed {
    /// Width and height, px.
    pub size: [u32; 2],
    /// Whether the file has an EXIF orientation that its annotations do not follow.
    pub is_stored_turned: bool,
}

/// Sizes of images, each found once.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    rule: OrientationRule,
    found: HashMap<String, Result<Framed, (&'static str, String)>>,
    /// Missing image files whose size the annotations state.
    pub stated: u64,
    /// Images whose annotations are of the picture as viewers turn it.
    pub turned: u64,
}

impl Sizes {
    /// Sizes in the frame that `rule` tells.
    pub(super) fn by(rule: OrientationRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Width and height of the image at `path`: from its header, or `stated` where there is no such file. Else why
    /// there is none: a reason to count, and its detail.
    pub(super) fn of(
        &mut self,
        path: &str,
        stated: Option<[i32; 2]>,
    ) -> Result<[u32; 2], (&'static str, String)> {
        match self.framed(path, stated) {
            Err((reason, _)) if reason == MISSING && positive(stated).is_some() => {
                let size = positive(stated).expect("it is there");
                self.stated += 1;
                self.found.insert(path.to_owned(), Ok(Framed { size, is_stored_turned: false }));
                Ok(size)
            }
            found => found.map(|framed| framed.size),
        }
    }

    /// The image in the file at `path`, for annotations that `state` a size, if they do.
    pub(super) fn framed(
        &mut self,
        path: &str,
        stated: Option<[i32; 2]>,
    ) -> Result<Framed, (&'static str, String)> {
        if let Some(known) = self.found.get(path) {
            return known.clone();
        }
        let found = match pixels::framed_size(Path::new(path), Frame { rule: self.rule, stated }) {
            Ok((size, framing)) => {
                self.turned += u64::from(framing == Framing::Turned);
                Ok(Framed { size, is_stored_turned: framing == Framing::AsStored })
            }
            Err(error) => Err((error.reason(), error.to_string())),
        };
        self.found.insert(path.to_owned(), found.clone());
        found
    }
}

/// What is noted of images that are turned.
pub(super) const TURNED: &str =
    "images are turned by their EXIF orientation; their labels are of the turned image";

/// The reason of images that are not there.
const MISSING: &str = "image missing";

fn positive(stated: Option<[i32; 2]>) -> Option<[u32; 2]> {
    let [width, height] = stated?;
    let size = [u32::try_from(width).ok()?, u32::try_from(height).ok()?];
    size.iter().all(|side| *side > 0).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Hinted;

    #[test]
    fn names_are_told_apart_or_refused() {
        let mut bare = ImageNames::below(None);
        assert_eq!(bare.of("raw/a/1.jpg").unwrap(), "1.jpg");
        assert_eq!(bare.of("raw/a/1.jpg").unwrap(), "1.jpg");
        let error = bare.of("raw/b/1.jpg").unwrap_err();
        assert_eq!(error.to_string(), "two images are called `1.jpg`: `raw/a/1.jpg` and `raw/b/1.jpg`");
        assert!(error.hint().unwrap().contains("--images"));
        let mut below = ImageNames::below(Some(Path::new("raw/")));
        assert_eq!(below.of("raw/a/1.jpg").unwrap(), "a/1.jpg");
        assert_eq!(below.of("raw/b/1.jpg").unwrap(), "b/1.jpg");
        assert!(below.of("elsewhere/1.jpg").unwrap_err().to_string().contains("below `raw/`"));
    }

    #[test]
    fn sizes_come_from_headers_and_only_then_from_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, pixels::encode_png(&[0; 18], 3, 2).unwrap()).unwrap();
        let (path, mut sizes) = (path.to_string_lossy(), Sizes::default());
        assert_eq!(sizes.of(&path, Some([9, 9])), Ok([3, 2]));
        assert_eq!((sizes.of("absent.png", Some([9, 8])), sizes.stated), (Ok([9, 8]), 1));
        assert_eq!(sizes.of("other.png", Some([0, 8])).unwrap_err().0, "image missing");
        std::fs::write(folder.path().join("b.png"), "text").unwrap();
        let text = folder.path().join("b.png");
        assert_eq!(sizes.of(&text.to_string_lossy(), Some([9, 9])).unwrap_err().0, "image unreadable");
    }
}
