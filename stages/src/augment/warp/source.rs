//! The image of the current row, decoded once for all consecutive rows that share it.

use std::cell::Cell;
use std::path::PathBuf;

use datasets::pixels::{
    Decoded, Limits, OrientationRule, PixelError, Reduction, Turn, decode_into, read_file, size_of,
};

thread_local! {
    /// Memory of the last image and the last file, used again by the thread's next batch.
    static SPARE: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Most bytes of spare memory that a thread keeps between batches: 64 MiB.
const MOST_SPARE: usize = 64 << 20;

/// An image, and what tells the frame of its annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub path: PathBuf,
    /// Width and height in px that the annotations state.
    pub stated: Option<[i32; 2]>,
    pub rule: OrientationRule,
}

/// What became of the EXIF orientation of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has none, or one that turns nothing.
    Plain,
    Turned,
    AsStored,
}

impl Framing {
    /// What a summary says of rows of such images.
    pub(super) fn told(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Turned => Some("rows are of pictures that were turned by their EXIF orientation"),
            Self::AsStored => Some(
                "rows are of pictures whose EXIF orientation was ignored: their annotations are of the stored pixels",
            ),
        }
    }
}

/// Decodes images, keeping the last.
pub(super) struct Sources {
    limits: Limits,
    last: Option<(Picture, Reduction, Decoded, Framing)>,
    pixels: Vec<u8>,
    file: Vec<u8>,
}

impl Sources {
    pub(super) fn new(limits: Limits) -> Self {
        let (pixels, file) = SPARE.take();
        Self { limits, last: None, pixels, file }
    }

    /// The pixels of `picture` in the frame of its annotations, reduced by `wanted` if its format can and it is not turned.
    pub(super) fn get(
        &mut self,
        picture: Picture,
        wanted: Reduction,
    ) -> Result<(&Decoded, Framing), PixelError> {
        let known =
            matches!(&self.last, Some((last, reduction, ..)) if *last == picture && *reduction == wanted);
        if !known {
            if let Some((_, _, decoded, _)) = self.last.take() {
                self.pixels = decoded.rgb;
            }
            read_file(&picture.path, &self.limits, &mut self.file)?;
            let (turn, asked) = self.turn(&picture)?;
            let reduction = if turn.is_none() { wanted } else { Reduction::Whole };
            let buffer = std::mem::take(&mut self.pixels);
            let decoded = turn.apply(decode_into(buffer, &self.file, &self.limits, reduction)?);
            let framing = match (asked.is_none(), turn.is_none()) {
                (true, _) => Framing::Plain,
                (false, true) => Framing::AsStored,
                (false, false) => Framing::Turned,
            };
            self.last = Some((picture, wanted, decoded, framing));
        }
        let (_, _, decoded, framing) = self.last.as_ref().expect("just set");
        Ok((decoded, *framing))
    }

    /// How `picture`, whose file is read, is turned, and what it asks for.
    fn turn(&self, picture: &Picture) -> Result<(Turn, Turn), PixelError> {
        let asked = Turn::of(&self.file);
        if asked.is_none() {
            return Ok((asked, asked));
        }
        Ok((picture.rule.turn(asked, size_of(&self.file)?, picture.stated)?, asked))
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        let pixels = self.last.take().map_or_else(|| std::mem::take(&mut self.pixels), |last| last.2.rgb);
        let file = std::mem::take(&mut self.file);
        if pixels.capacity() + file.capacity() <= MOST_SPARE {
            SPARE.set((pixels, file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::pixels::encode_png;

    #[test]
    fn rows_of_one_image_share_its_decoding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, encode_png(&[7; 2 * 2 * 3], 2, 2).unwrap()).unwrap();
        let of = |path: &std::path::Path| Picture {
            path: path.to_owned(),
            stated: None,
            rule: OrientationRule::default(),
        };
        let mut sources = Sources::new(Limits::default());
        sources.get(of(&path), Reduction::Whole).unwrap();
        // The file is gone, the pixels are still there; another image takes their place.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(sources.get(of(&path), Reduction::Whole).unwrap().0.rgb, [7; 12]);
        assert!(sources.get(of(&folder.path().join("b.png")), Reduction::Whole).is_err());
        assert!(sources.get(of(&path), Reduction::Whole).is_err());
    }
}
