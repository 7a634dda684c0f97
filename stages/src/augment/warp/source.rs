//! The image of the current row, decoded once for all consecutive rows that share it.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use datasets::pixels::{Decoded, Limits, PixelError, Reduction, decode_into, read_file};

thread_local! {
    /// Memory of the last image and the last file, used again by the thread's next batch.
    static SPARE: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Most bytes of spare memory that a thread keeps between batches: 64 MiB.
const MOST_SPARE: usize = 64 << 20;

/// Decodes images, keeping the last.
pub(super) struct Sources {
    limits: Limits,
    last: Option<(PathBuf, Reduction, Decoded)>,
    pixels: Vec<u8>,
    file: Vec<u8>,
}

impl Sources {
    pub(super) fn new(limits: Limits) -> Self {
        let (pixels, file) = SPARE.take();
        Self { limits, last: None, pixels, file }
    }

    /// The pixels of the image at `path`, reduced by `wanted` if its format can.
    pub(super) fn get(&mut self, path: &Path, wanted: Reduction) -> Result<&Decoded, PixelError> {
        let known = matches!(&self.last, Some((last, reduction, _)) if last == path && *reduction == wanted);
        if !known {
            if let Some((_, _, decoded)) = self.last.take() {
                self.pixels = decoded.rgb;
            }
            read_file(path, &self.limits, &mut self.file)?;
            let decoded = decode_into(std::mem::take(&mut self.pixels), &self.file, &self.limits, wanted)?;
            self.last = Some((path.to_owned(), wanted, decoded));
        }
        let (_, _, decoded) = self.last.as_ref().expect("just set");
        Ok(decoded)
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
        let mut sources = Sources::new(Limits::default());
        sources.get(&path, Reduction::Whole).unwrap();
        // The file is gone, the pixels are still there; another image takes their place.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(sources.get(&path, Reduction::Whole).unwrap().rgb, [7; 12]);
        assert!(sources.get(&folder.path().join("b.png"), Reduction::Whole).is_err());
        assert!(sources.get(&path, Reduction::Whole).is_err());
    }
}
