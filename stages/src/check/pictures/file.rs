//! What one picture file is: its size, the hash of its bytes, its print.

use std::path::Path;

use datasets::pixels::{self, Limits, PixelError, Turn};

use super::print::{self, Print};

/// What is asked of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing; it is not opened.
    Nothing,
    /// Its size, from the header.
    Size,
    /// Size and pixels.
    Pixels,
}

/// What was found; all is `None` where the file is missing, unreadable or not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PictureFile {
    /// Width and height, px, as stored.
    pub size: Option<[u32; 2]>,
    /// Width and height, px, once it is turned by its EXIF orientation.
    pub turned: Option<[u32; 2]>,
    /// First half of the BLAKE3 hash of the file's bytes.
    pub content: Option<u128>,
    /// What the picture looks like; `None` where it is too plain.
    pub print: Option<Print>,
    /// Why it could not be read, as a phrase to be counted.
    pub problem: Option<&'static str>,
}

impl PictureFile {
    /// Reads the file at `path` into `bytes`, whose memory is used again.
    pub(crate) fn read(path: &Path, wanted: Wanted, bytes: &mut Vec<u8>) -> Self {
        let mut found = Self::default();
        if wanted != Wanted::Nothing
            && let Err(error) = found.fill(path, wanted, bytes)
        {
            found.problem = Some(error.reason());
        }
        found
    }

    fn fill(&mut self, path: &Path, wanted: Wanted, bytes: &mut Vec<u8>) -> Result<(), PixelError> {
        let limits = Limits::default();
        pixels::read_file(path, &limits, bytes)?;
        let size = pixels::size_of(bytes)?;
        self.size = Some(size);
        self.turned = Some(Turn::of(bytes).turned(size));
        if wanted == Wanted::Pixels {
            let hash = *blake3::hash(bytes).as_bytes();
            let (half, _) = hash.split_first_chunk().expect("32 bytes");
            self.content = Some(u128::from_be_bytes(*half));
            self.print = Print::of(&pixels::decode(bytes, &limits, print::reduction(size))?);
        }
        Ok(())
    }

    /// Why it can be compared with no other picture, as a phrase to be counted.
    pub(crate) fn incomparable(&self) -> Option<&'static str> {
        self.problem.or_else(|| self.print.is_none().then_some("picture too plain to compare"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_pictures_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.jpg");
        let mut bytes = Vec::new();
        let missing = PictureFile::read(&file, Wanted::Size, &mut bytes);
        assert_eq!((missing.problem, missing.incomparable()), (Some("image missing"), Some("image missing")));
        std::fs::write(&file, b"no picture").unwrap();
        assert_eq!(PictureFile::read(&file, Wanted::Pixels, &mut bytes).problem, Some("image unreadable"));
        assert_eq!(PictureFile::read(&file, Wanted::Nothing, &mut bytes), PictureFile::default());
    }

    #[test]
    fn a_size_needs_no_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        image::RgbImage::from_fn(70, 50, |x, _| image::Rgb([x as u8 * 3; 3])).save(&file).unwrap();
        let mut bytes = Vec::new();
        let sized = PictureFile::read(&file, Wanted::Size, &mut bytes);
        assert_eq!((sized.size, sized.content, sized.print), (Some([70, 50]), None, None));
        let whole = PictureFile::read(&file, Wanted::Pixels, &mut bytes);
        assert_eq!(whole.print.map(|print| print.across), Some(u64::MAX));
        assert!(whole.content.is_some() && whole.incomparable().is_none());
    }
}
