//! Single files that a command draws: whole at their name, or not there; and nobody else's file is replaced.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use datasets::pixels::{PixelError, encode_png};
use report::Sheet;

use super::failure::Hint;
use super::terminal::{TerminalError, tell};

/// The chunk `tEXt` with which a picture says that motionmill drew it: length, type, `Software`, a zero, the name, CRC-32.
const PNG_MARK: &[u8] = b"\0\0\0\x13tEXtSoftware\0motionmill\x76\x17\x9a\xc8";
/// Where it stands: after the signature of 8 bytes and the chunk `IHDR` of 25, which comes first (PNG, section 5.6).
const PNG_MARK_AT: usize = 33;
/// How a page says that motionmill wrote it.
const PAGE_MARK: &str = "<meta name=\"generator\" content=\"motionmill ";
/// The first bytes of a file, in which its mark stands.
const HEAD_BYTES: u64 = 4096;

/// What a file holds; it follows from the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A page of HTML.
    Page,
    /// A PNG.
    Picture,
}

impl Kind {
    fn ending(self) -> &'static str {
        match self {
            Self::Page => ".html",
            Self::Picture => ".png",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Picture => "picture",
        }
    }

    /// Whether `head`, the first bytes of a file, are of a file of this kind that motionmill made.
    fn is_ours(self, head: &[u8]) -> bool {
        match self {
            Self::Page => String::from_utf8_lossy(head).contains(PAGE_MARK),
            Self::Picture => head.get(PNG_MARK_AT..).is_some_and(|rest| rest.starts_with(PNG_MARK)),
        }
    }

    /// Whether `head` may be of a page or picture at all. What is neither is worth nothing under such a name: an empty
    /// file that holds a place, or a few words.
    fn may_be_one(self, head: &[u8]) -> bool {
        let is_binary =
            head.contains(&0) || std::str::from_utf8(head).is_err_and(|e| e.error_len().is_some());
        is_binary || (self == Self::Page && head.contains(&b'<'))
    }
}

/// Where a command will put one file.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    kind: Kind,
}

impl Output {
    /// The place `path` of a file of one of `kinds`. What stands there is replaced if motionmill made it, or if it is no
    /// page or picture at all; another page or picture only with `force`.
    ///
    /// # Errors
    /// When the name has another ending, or what stands there is not replaced: the file of another, a folder, a link, a
    /// pipe or device.
    pub(super) fn at(path: &Path, kinds: &[Kind], force: bool) -> anyhow::Result<Self> {
        let named = path.display();
        let ending =
            path.extension().map(|ending| format!(".{}", ending.to_string_lossy().to_ascii_lowercase()));
        let Some(kind) = kinds.iter().copied().find(|kind| ending.as_deref() == Some(kind.ending())) else {
            let nouns: Vec<_> = kinds.iter().map(|kind| format!("a {}", kind.noun())).collect();
            let endings: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.ending())).collect();
            return Err(Hint::error(
                format!("the output is {}, found `{named}`", nouns.join(" or ")),
                format!("name a file that ends in {}", endings.join(" or ")),
            ));
        };
        let there = match fs::symlink_metadata(path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), kind });
            }
            Err(error) => return Err(error).with_context(|| format!("cannot write `{named}`")),
        };
        if !there.is_file() {
            let what = if there.is_dir() {
                "a folder"
            } else if there.is_symlink() {
                "a link to another place"
            } else {
                "not a regular file"
            };
            let message = format!("the output is {what}, which is not replaced: `{named}`");
            return Err(Hint::error(message, "name another file"));
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
        read.with_context(|| format!("cannot tell whether `{named}` may be replaced"))?;
        if !force && !kind.is_ours(&head) && kind.may_be_one(&head) {
            return Err(Hint::error(
                format!("there is a {} that motionmill has not made: `{named}`", kind.noun()),
                "name another file, or replace it with `--force`",
            ));
        }
        Ok(Self { path: path.to_owned(), kind })
    }

    /// What the file holds.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Writes `page`, which says who made it.
    ///
    /// # Errors
    /// When the system refuses; then nothing has changed at its place.
    pub(super) fn write_page(&self, page: &str) -> anyhow::Result<()> {
        self.write(page.as_bytes())
    }

    /// Writes the picture of `sheet`, after saying which of its rows are not drawn.
    ///
    /// # Errors
    /// When the system refuses; then nothing has changed at its place.
    pub(super) fn write_sheet(&self, sheet: &Sheet) -> anyhow::Result<()> {
        for reject in &sheet.rejects {
            let id = schemas::printable(reject.sample_id.as_deref().unwrap_or("a row"));
            tell(&format!("not drawn: {id}: {}", schemas::printable(&reject.detail)))?;
        }
        let (width, height) = sheet.picture.dimensions();
        self.write(&marked_png(sheet.picture.as_raw(), width, height)?)
    }

    /// Says that the file is there, and `what` of it.
    pub(super) fn tell_written(&self, what: &str) -> Result<(), TerminalError> {
        tell(&format!("wrote {}{what}", schemas::printable(&self.path.display().to_string())))
    }

    /// Writes `bytes` under another name beside the place, brings them to disk and moves them there. The name is hidden;
    /// a failure removes the file.
    fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let write = || {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let name = self.path.file_name().unwrap_or_default().to_string_lossy();
            let mut begun = beside(folder, &name)?;
            begun.write_all(bytes)?;
            begun.as_file().sync_all()?;
            begun.persist(&self.path)?;
            // The new name is in the folder; where a folder cannot be synced, as on some network disks, the file is whole
            // all the same.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
            io::Result::Ok(())
        };
        write().with_context(|| format!("cannot write the {} `{}`", self.kind.noun(), self.path.display()))
    }
}

/// `rgb`, `[height, width, 3]`, as a PNG file that says that motionmill drew it.
fn marked_png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, PixelError> {
    let mut file = encode_png(rgb, width, height)?;
    file.splice(PNG_MARK_AT..PNG_MARK_AT, PNG_MARK.iter().copied());
    Ok(file)
}

/// An empty file beside `name`, readable by whom other new files are.
fn beside(folder: &Path, name: &str) -> io::Result<tempfile::NamedTempFile> {
    let (prefix, mut builder) = (format!(".{name}."), tempfile::Builder::new());
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use datasets::pixels::{Limits, Reduction};

    use super::*;

    const PAGE: &str = "<!doctype html>\n<meta name=\"generator\" content=\"motionmill 0.1.0\">";

    #[test]
    fn the_mark_of_a_picture_is_a_chunk_of_it() {
        // CRC-32 over type and data, as PNG has it in its annex D.
        let crc = PNG_MARK[4..PNG_MARK.len() - 4].iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        });
        assert_eq!((!crc).to_be_bytes(), PNG_MARK[PNG_MARK.len() - 4..]);
        assert_eq!(PNG_MARK.len(), 12 + usize::from(PNG_MARK[3]));
        let file = marked_png(&[9; 18], 3, 2).unwrap();
        assert_eq!(&file[12..16], b"IHDR");
        let decoded = datasets::pixels::decode(&file, &Limits::default(), Reduction::Whole).unwrap();
        assert_eq!((decoded.width, decoded.height), (3, 2));
    }

    #[test]
    fn what_motionmill_made_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Output::at(&folder.path().join(name), &[Kind::Page, Kind::Picture], false);
        for _ in 0..2 {
            at("a.html").unwrap().write_page(PAGE).unwrap();
            at("b.PNG").unwrap().write(&marked_png(&[9; 18], 3, 2).unwrap()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside them");
    }

    #[test]
    fn what_others_made_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let both = [Kind::Page, Kind::Picture];
        fs::write(path("a.html"), "<!doctype html><p>mine</p>").unwrap();
        fs::write(path("b.png"), encode_png(&[7; 18], 3, 2).unwrap()).unwrap();
        for name in ["a.html", "b.png"] {
            let refused = Output::at(&path(name), &both, false).unwrap_err();
            assert!(refused.to_string().contains("motionmill has not made"), "{refused}");
            Output::at(&path(name), &both, true).unwrap();
        }
        for (name, text) in [("c.html", ""), ("d.html", "older output"), ("e.png", "older output")] {
            fs::write(path(name), text).unwrap();
            Output::at(&path(name), &both, false).unwrap();
        }
        fs::create_dir(path("f.html")).unwrap();
        assert!(Output::at(&path("f.html"), &both, true).unwrap_err().to_string().contains("a folder"));
        assert!(
            Output::at(&path("x.txt"), &both, true).unwrap_err().to_string().contains("page or a picture")
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link.html"), folder.path().join("elsewhere.html"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for _ in 0..2 {
            let refused = Output::at(&link, &[Kind::Page], true).unwrap_err();
            assert!(refused.to_string().contains("a link"), "{refused}");
            fs::write(&target, PAGE).unwrap();
        }
    }
}
