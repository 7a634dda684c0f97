//! What decoding an image may cost.

use super::PixelError;

/// Most pixels that an image may have by default: 100 million, 300 MB of RGB. The largest MPII image has 2.1
/// million.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Most bytes that an image file may have by default: 256 MiB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Most pixels along a side: 65,535, as in JPEG.
pub const MAX_SIDE: u32 = 65_535;

/// Most bytes that decoding may take for each allowed pixel: 400 MB by default. A picture with transparency, of 16 bits a
/// channel or of a progressive JPEG takes more than the 3 of its RGB, so that fewer pixels are allowed.
const DECODING_BYTES: u64 = 4;

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels of an image as stored, before any reduction.
    pub max_pixels: u64,
    /// Most bytes of a file.
    pub max_file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: MAX_PIXELS, max_file_bytes: MAX_FILE_BYTES }
    }
}

impl Limits {
    /// Most bytes of memory that decoding may take: 4 for each pixel of `max_pixels`, and no less than 1 MiB.
    pub(super) fn decoding_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(DECODING_BYTES).max(1 << 20)
    }
}

/// Refuses an image of more pixels, or longer sides, than `limits` allow.
pub(super) fn check_pixels([width, height]: [u32; 2], limits: &Limits) -> Result<(), PixelError> {
    if width.max(height) > MAX_SIDE {
        let (found, allowed) = (u64::from(width.max(height)), u64::from(MAX_SIDE));
        return Err(PixelError::TooLarge { found, allowed, unit: "pixels along a side" });
    }
    let (found, allowed) = (u64::from(width) * u64::from(height), limits.max_pixels);
    if found > allowed {
        return Err(PixelError::TooLarge { found, allowed, unit: "pixels" });
    }
    if found == 0 {
        return Err(PixelError::unreadable(format!("the image is {width} x {height} px")));
    }
    Ok(())
}

/// Refuses an image that takes `found` bytes of memory while it is decoded, where that is more than `limits` allow.
pub(super) fn check_cost(found: u64, limits: &Limits) -> Result<(), PixelError> {
    let allowed = limits.decoding_bytes();
    if found > allowed {
        return Err(PixelError::TooLarge { found, allowed, unit: "bytes while it is decoded" });
    }
    Ok(())
}

/// Limits of the `image` crate: `bytes` for what a decoder allocates.
pub(super) fn allocations(bytes: u64) -> image::Limits {
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(bytes);
    limits
}
