//! The image of the current row, decoded once for all consecutive rows that share it.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use datasets::pixels::{Decoded, Frame, Framing, Limits, PixelError, Reduction, decode_framed, read_file};

thread_local! {
    /// Memory of the last image and the last file, used again by the thread's next batch.
    static SPARE: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Most bytes of spare memory that a thread keeps between batches: 64 MiB.
const MOST_SPARE: usize = 64 << 20;

/// The last image: what was asked for, and what came of it.
struct Last {
    asked: (PathBuf, Frame, Reduction),
    decoded: Decoded,
    framing: Framing,
}

/// Decodes images, keeping the last.
pub(super) struct Sources {
    limits: Limits,
    last: Option<Last>,
    pixels: Vec<u8>,
    file: Vec<u8>,
}

impl Sources {
    pub(super) fn new(limits: Limits) -> Self {
        let (pixels, file) = SPARE.take();
        Self { limits, last: None, pixels, file }
    }

    /// The pixels of the image at `path` in the frame of its annotations, reduced by `wanted` if its format can and it is not
    /// turned.
    pub(super) fn get(
        &mut self,
        path: &Path,
        frame: Frame,
        wanted: Reduction,
    ) -> Result<(&Decoded, Framing), PixelError> {
        let is_last = |last: &Last| last.asked.0 == path && (last.asked.1, last.asked.2) == (frame, wanted);
        if !self.last.as_ref().is_some_and(is_last) {
            if let Some(last) = self.last.take() {
                self.pixels = last.decoded.rgb;
            }
            read_file(path, &self.limits, &mut self.file)?;
            let buffer = std::mem::take(&mut self.pixels);
            let (decoded, framing) = decode_framed(buffer, &self.file, &self.limits, wanted, frame)?;
            self.last = Some(Last { asked: (path.to_owned(), frame, wanted), decoded, framing });
        }
        let last = self.last.as_ref().expect("just set");
        Ok((&last.decoded, last.framing))
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        let pixels =
            self.last.take().map_or_else(|| std::mem::take(&mut self.pixels), |last| last.decoded.rgb);
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
        let frame = Frame::default();
        let mut sources = Sources::new(Limits::default());
        sources.get(&path, frame, Reduction::Whole).unwrap();
        // The file is gone, the pixels are still there; another image takes their place.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(sources.get(&path, frame, Reduction::Whole).unwrap().0.rgb, [7; 12]);
        assert!(sources.get(&folder.path().join("b.png"), frame, Reduction::Whole).is_err());
        assert!(sources.get(&path, frame, Reduction::Whole).is_err());
    }
}
