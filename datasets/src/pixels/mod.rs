//! Pixels of image files: decoding within limits, with a record of what was done.
//!
//! The format is sniffed from the first bytes, never from the file's name. The header is read and checked against
//! [`Limits`] before a pixel is allocated, and damaged data is an error, never an image that is grey from the
//! middle on. JPEG goes through libjpeg-turbo with its default inverse transform and upsampling, so pixels are the
//! same as in `OpenCV` and Pillow; other formats go through the `image` crate. Transparency is dropped.
//!
//! [`decode`] gives the pixels as they are stored. A file may ask for them to be turned, and annotations may be of either
//! frame: [`OrientationRule`] decides, by default by the size that the annotations state.

mod encode;
mod jpeg;
mod limits;
mod markers;
mod orientation;
mod repair;
mod tiff;

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::files;
use crate::guarded::guarded;
use limits::{allocations, check_cost, check_pixels};

pub use encode::{JPEG_QUALITY, encode_jpeg, encode_png};
pub use limits::{Limits, MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE};
pub use orientation::{Frame, Framing, OrientationRule, Turn, without_orientation};

/// Most bytes of what is not pixels, such as a colour profile once it is unpacked: 16 MiB.
const METADATA_BYTES: u64 = 16 << 20;

/// Bytes that hold the header of most image files; where they do not, the whole file is read.
const HEADER_BYTES: u64 = 64 << 10;

/// What decoded the pixels of a JPEG file, for provenance. Decoders that are not libjpeg-turbo differ by some levels.
pub const JPEG_DECODER: &str = "libjpeg-turbo (islow, fancy upsampling)";

/// What decoded the pixels of any other file, for provenance.
pub const OTHER_DECODER: &str = "image 0.25";

/// By how much an image is reduced while it is decoded. Only JPEG supports this; other formats are decoded in
/// full size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Reduction {
    /// All pixels.
    #[default]
    Whole,
    /// One pixel for 2x2.
    Half,
    /// One pixel for 4x4.
    Quarter,
    /// One pixel for 8x8.
    Eighth,
}

impl Reduction {
    /// The strongest reduction that leaves at least one pixel for each `shrink` pixels along an axis.
    ///
    /// ```
    /// use datasets::pixels::Reduction;
    /// assert_eq!(Reduction::at_most(3.9), Reduction::Half);
    /// assert_eq!(Reduction::at_most(f64::NAN), Reduction::Whole);
    /// ```
    pub fn at_most(shrink: f64) -> Self {
        let steps = [Self::Eighth, Self::Quarter, Self::Half];
        steps.into_iter().find(|step| f64::from(step.factor()) <= shrink).unwrap_or_default()
    }

    /// 1, 2, 4 or 8.
    pub fn factor(self) -> u32 {
        match self {
            Self::Whole => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// A decoded image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Columns of `rgb`.
    pub width: u32,
    /// Rows of `rgb`.
    pub height: u32,
    /// RGB levels `[height, width, 3]`, without padding.
    pub rgb: Vec<u8>,
    /// The reduction that was applied: a reduced image has `ceil(side / factor)` pixels along a side.
    pub reduction: Reduction,
    /// What decoded it: [`JPEG_DECODER`] or [`OTHER_DECODER`].
    pub decoder: &'static str,
}

/// Why there are no pixels.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum PixelError {
    /// There is no such file.
    #[error("no such image: `{}`", path.display())]
    Missing { path: PathBuf },
    /// The system refused.
    #[error("{source}: `{}`", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The bytes are not an image, or a damaged or unsupported one.
    #[error("{detail}")]
    Unreadable { detail: String },
    /// The image costs more than [`Limits`] allow.
    #[error("the image has {found} {unit}, allowed are {allowed}")]
    TooLarge { found: u64, allowed: u64, unit: &'static str },
    /// The file asks for a turn, and nothing tells whether the annotations are of the turned picture.
    #[error(
        "its EXIF orientation {orientation} turns {} x {} px into {} x {} px, and {}", stored[0], stored[1], turned[0],
        turned[1], why_not_turned(*stated, *may_turn)
    )]
    Orientation {
        orientation: u8,
        stored: [u32; 2],
        turned: [u32; 2],
        stated: Option<[i32; 2]>,
        may_turn: bool,
    },
}

fn why_not_turned(stated: Option<[i32; 2]>, may_turn: bool) -> String {
    if !may_turn {
        return "`orientation = \"refuse\"` allows no turn".to_owned();
    }
    let size = stated.map_or_else(
        || "the annotations state no size".to_owned(),
        |[width, height]| format!("the annotations state {width} x {height} px"),
    );
    format!("{size}, which does not tell their frame: set `orientation` to `apply` or `ignore`")
}

impl PixelError {
    fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::Unreadable { detail: error.to_string() }
    }

    /// The short fixed phrase under which a reject is counted.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "image missing",
            Self::Io { .. } | Self::Unreadable { .. } => "image unreadable",
            Self::TooLarge { .. } => "image too large",
            Self::Orientation { .. } => "image orientation",
        }
    }
}

/// Decodes the image file `bytes`.
///
/// # Errors
/// When the bytes are no sound image, or one larger than `limits` allow.
pub fn decode(bytes: &[u8], limits: &Limits, reduction: Reduction) -> Result<Decoded, PixelError> {
    decode_into(Vec::new(), bytes, limits, reduction)
}

/// Decodes the image file `bytes` into `buffer`, whose memory is used again and whose content is lost.
///
/// # Errors
/// When the bytes are no sound image, or one larger than `limits` allow.
pub fn decode_into(
    buffer: Vec<u8>,
    bytes: &[u8],
    limits: &Limits,
    reduction: Reduction,
) -> Result<Decoded, PixelError> {
    if is_jpeg(bytes) {
        return jpeg::decode(buffer, bytes, limits, reduction);
    }
    sound(|| decode_other(bytes, limits))
}

/// What `work` on bytes of others gives; where a decoder panics, they are unreadable.
fn sound<T>(work: impl FnOnce() -> Result<T, PixelError>) -> Result<T, PixelError> {
    let panicked = |panic: String| PixelError::unreadable(format!("it cannot be decoded ({panic})"));
    guarded(work).unwrap_or_else(|panic| Err(panicked(panic)))
}

/// As [`decode`], of what is no JPEG.
fn decode_other(bytes: &[u8], limits: &Limits) -> Result<Decoded, PixelError> {
    let (mut decoder, format) = decoder(bytes)?;
    let (width, height) = decoder.dimensions();
    check_pixels([width, height], limits)?;
    let pixels = u64::from(width) * u64::from(height);
    let converted = if decoder.color_type() == ColorType::Rgb8 { 0 } else { 3 * pixels };
    // The decoder of WebP holds its own RGBA.
    let inside = if format == ImageFormat::WebP { 4 * pixels } else { 0 };
    check_cost(decoder.total_bytes().saturating_add(converted).saturating_add(inside), limits)?;
    decoder.set_limits(allocations(limits.decoding_bytes())).map_err(PixelError::unreadable)?;
    let rgb = match DynamicImage::from_decoder(decoder).map_err(PixelError::unreadable)? {
        DynamicImage::ImageRgb8(rgb) => rgb,
        other => other.to_rgb8(),
    };
    let (width, height) = rgb.dimensions();
    Ok(Decoded { width, height, rgb: rgb.into_raw(), reduction: Reduction::Whole, decoder: OTHER_DECODER })
}

/// As [`decode_into`], in the frame of the annotations of the image; and what became of its EXIF orientation. An image that is
/// turned is not reduced: a block that its edge cuts would lie at another edge.
///
/// # Errors
/// As [`decode`], and when nothing tells the frame of the annotations, or the image may not be turned.
pub fn decode_framed(
    buffer: Vec<u8>,
    bytes: &[u8],
    limits: &Limits,
    reduction: Reduction,
    frame: Frame,
) -> Result<(Decoded, Framing), PixelError> {
    let asked = Turn::of(bytes);
    if asked.is_none() {
        return Ok((decode_into(buffer, bytes, limits, reduction)?, Framing::Plain));
    }
    let (turn, framing) = frame.turn(asked, size_of(bytes)?)?;
    let reduction = if turn.is_none() { reduction } else { Reduction::Whole };
    Ok((turn.apply(decode_into(buffer, bytes, limits, reduction)?), framing))
}

/// Decodes the image file at `path`, in the frame of its annotations.
///
/// # Errors
/// When the file cannot be read, and as [`decode_framed`].
pub fn decode_file(path: &Path, limits: &Limits, frame: Frame) -> Result<Decoded, PixelError> {
    let mut bytes = Vec::new();
    read_file(path, limits, &mut bytes)?;
    Ok(decode_framed(Vec::new(), &bytes, limits, Reduction::Whole, frame)?.0)
}

/// Reads the file at `path` into `bytes`, whose content is replaced.
///
/// # Errors
/// When there is no such file, it cannot be read, or it has more bytes than `limits` allow.
pub fn read_file(path: &Path, limits: &Limits, bytes: &mut Vec<u8>) -> Result<(), PixelError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => PixelError::Missing { path: path.to_owned() },
        _ => PixelError::Io { path: path.to_owned(), source },
    };
    bytes.clear();
    let file = files::open(path).map_err(failed)?;
    let allowed = limits.max_file_bytes;
    if let Ok(metadata) = file.metadata() {
        let length = metadata.len().min(allowed.saturating_add(1));
        bytes.reserve(usize::try_from(length).unwrap_or(0));
    }
    // One byte more than allowed, so that a file that grows while it is read cannot exceed the limit either.
    let found = file.take(allowed.saturating_add(1)).read_to_end(bytes).map_err(failed)? as u64;
    if found > allowed {
        return Err(PixelError::TooLarge { found, allowed, unit: "bytes" });
    }
    Ok(())
}

/// Width and height in px of the image file at `path`, from its header.
///
/// # Errors
/// When the file cannot be read or its header is not that of an image.
pub fn size(path: &Path) -> Result<[u32; 2], PixelError> {
    Ok(header(path, |_| true)?.1)
}

/// Width and height in px of the image file at `path` in the frame of its annotations, and what became of its EXIF
/// orientation.
///
/// # Errors
/// As [`size`], and when nothing tells the frame of the annotations, or the image may not be turned.
pub fn framed_size(path: &Path, frame: Frame) -> Result<([u32; 2], Framing), PixelError> {
    let (stored, asked) = size_and_turn(path)?;
    let (turn, framing) = frame.turn(asked, stored)?;
    Ok((turn.turned(stored), framing))
}

/// Width and height in px of the image file at `path` as it is stored, and the turn that it asks for.
///
/// # Errors
/// As [`size`].
pub fn size_and_turn(path: &Path) -> Result<([u32; 2], Turn), PixelError> {
    // Before the pixels of a JPEG stands its EXIF block; in other formats it may come last.
    let (bytes, size) = header(path, is_jpeg)?;
    Ok((size, Turn::of(&bytes)))
}

/// The first bytes of the image file at `path`, if they have its header and `suffices` holds of them, else all; and its size.
fn header(path: &Path, suffices: impl Fn(&[u8]) -> bool) -> Result<(Vec<u8>, [u32; 2]), PixelError> {
    let mut bytes = Vec::new();
    let read = files::open(path).and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut bytes));
    if read.is_ok()
        && suffices(&bytes)
        && let Ok(size) = size_of(&bytes)
    {
        return Ok((bytes, size));
    }
    // Where the system refuses, this says why.
    read_file(path, &Limits::default(), &mut bytes)?;
    let size = size_of(&bytes)?;
    Ok((bytes, size))
}

/// Width and height in px of the image file `bytes`, from its header.
///
/// # Errors
/// When the header is not that of an image.
pub fn size_of(bytes: &[u8]) -> Result<[u32; 2], PixelError> {
    if is_jpeg(bytes) {
        return jpeg::size(bytes);
    }
    let (width, height) = sound(|| Ok(decoder(bytes)?.0.dimensions()))?;
    Ok([width, height])
}

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// What decodes `bytes`, which are no JPEG, and their format. What is not pixels is bounded by [`METADATA_BYTES`]; a colour
/// profile that is larger is passed over, as all are.
fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, ImageFormat), PixelError> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(PixelError::unreadable)?;
    let Some(format) = reader.format() else {
        return Err(PixelError::unreadable("the bytes are of no known image format"));
    };
    if let Some(detail) = tiff::overfull_field(bytes) {
        return Err(PixelError::unreadable(detail));
    }
    reader.limits(allocations(METADATA_BYTES));
    Ok((reader.into_decoder().map_err(PixelError::unreadable)?, format))
}

#[cfg(test)]
mod tests;
