//! JPEG files as cameras and film archives write them.

use turbojpeg::{Image, PixelFormat, Subsamp};

/// Quality of the files written; about what MPII's frames have.
pub(super) const QUALITY: i32 = 90;

/// `rgb`, `[height, width, 3]`, as a JPEG file with halved colour resolution.
///
/// # Errors
/// When the encoder refuses, with what it said.
pub(super) fn encode(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>, String> {
    let image = Image { pixels: rgb, width, pitch: width * 3, height, format: PixelFormat::RGB };
    let file = turbojpeg::compress(image, QUALITY, Subsamp::Sub2x2).map_err(|error| error.to_string())?;
    Ok(file.to_vec())
}
