//! Pixels to image files.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::PixelError;

/// Default JPEG quality: 95, where crops of 256 px lose less than the source's own compression did.
pub const JPEG_QUALITY: u8 = 95;

/// `rgb`, `[height, width, 3]`, as a PNG file: without loss, with fast compression.
///
/// # Errors
/// When `rgb` has another length or the encoder refuses.
pub fn encode_png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, PixelError> {
    check_length(rgb, width, height)?;
    let mut file = Vec::with_capacity(rgb.len() / 2);
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(PixelError::unreadable)?;
    Ok(file)
}

/// `rgb`, `[height, width, 3]`, as a JPEG file of `quality` 1 to 100, with full colour resolution.
///
/// # Errors
/// When `rgb` has another length or the encoder refuses.
pub fn encode_jpeg(rgb: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>, PixelError> {
    check_length(rgb, width, height)?;
    let image = Image {
        pixels: rgb,
        width: width as usize,
        pitch: 3 * width as usize,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    let mut compressor = Compressor::new().map_err(PixelError::unreadable)?;
    compressor.set_quality(i32::from(quality)).map_err(PixelError::unreadable)?;
    compressor.set_subsamp(Subsamp::None).map_err(PixelError::unreadable)?;
    compressor.compress_to_vec(image).map_err(PixelError::unreadable)
}

fn check_length(rgb: &[u8], width: u32, height: u32) -> Result<(), PixelError> {
    let expected = 3 * width as usize * height as usize;
    if rgb.len() == expected && expected > 0 {
        return Ok(());
    }
    Err(PixelError::unreadable(format!("{width} x {height} px take {expected} bytes, found {}", rgb.len())))
}
