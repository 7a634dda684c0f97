//! JPEG through libjpeg-turbo; one decompressor per thread, reused.

use std::borrow::Cow;
use std::cell::RefCell;

use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, ScalingFactor};

use super::markers::survey;
use super::repair::{MOST_REPAIRS, repaired};
use super::{Decoded, JPEG_DECODER, Limits, PixelError, Reduction, check_cost, check_pixels};

/// Most scans of a file: a guard against files made to cost hours, as each scan passes over the whole image. Real ones
/// have about ten.
const MAX_SCANS: u32 = 64;

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor>> = const { RefCell::new(None) };
}

fn with_decompressor<T>(
    work: impl FnOnce(&mut Decompressor) -> Result<T, turbojpeg::Error>,
) -> Result<T, turbojpeg::Error> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        // Taken out, so that one that failed is not used again.
        let mut decompressor = if let Some(decompressor) = slot.take() {
            decompressor
        } else {
            let mut decompressor = Decompressor::new()?;
            decompressor.set_scan_limit(MAX_SCANS)?;
            decompressor
        };
        let done = work(&mut decompressor);
        if done.is_ok() {
            *slot = Some(decompressor);
        }
        done
    })
}

fn header(bytes: &[u8]) -> Result<DecompressHeader, PixelError> {
    without_warning(bytes, Decompressor::read_header)
}

/// What `work` on the file `bytes` gives.
///
/// libjpeg-turbo fills in grey after damage and only warns; the wrapper reports any warning as an error, and only the first
/// is kept. So what a harmless one complains of is put right, and `work` is done again.
fn without_warning<T>(
    bytes: &[u8],
    mut work: impl FnMut(&mut Decompressor, &[u8]) -> Result<T, turbojpeg::Error>,
) -> Result<T, PixelError> {
    let (mut file, mut repairs) = (Cow::Borrowed(bytes), 0);
    loop {
        match with_decompressor(|decompressor| work(decompressor, &file)) {
            Ok(done) => return Ok(done),
            Err(error) => {
                let copy = if repairs < MOST_REPAIRS { repaired(&file, &error.to_string()) } else { None };
                file = Cow::Owned(copy.ok_or_else(|| PixelError::unreadable(error))?);
                repairs += 1;
            }
        }
    }
}

fn size_in(header: &DecompressHeader) -> [u32; 2] {
    // A JPEG side has 16 bits.
    [header.width as u32, header.height as u32]
}

pub(super) fn size(bytes: &[u8]) -> Result<[u32; 2], PixelError> {
    Ok(size_in(&header(bytes)?))
}

pub(super) fn decode(
    mut buffer: Vec<u8>,
    bytes: &[u8],
    limits: &Limits,
    reduction: Reduction,
) -> Result<Decoded, PixelError> {
    let header = header(bytes)?;
    check_pixels(size_in(&header), limits)?;
    let reduction = if header.is_lossless { Reduction::Whole } else { reduction };
    let factor = ScalingFactor::new(1, reduction.factor() as usize);
    let scaled = header.scaled(factor);
    let (width, height) = (scaled.width, scaled.height);
    let inks = matches!(header.colorspace, Colorspace::CMYK | Colorspace::YCCK);
    let format = if inks { PixelFormat::CMYK } else { PixelFormat::RGB };
    let pitch = width * format.size();
    let survey = survey(bytes);
    if survey.scans > u64::from(MAX_SCANS) {
        let (found, allowed) = (survey.scans, u64::from(MAX_SCANS));
        return Err(PixelError::TooLarge { found, allowed, unit: "scans" });
    }
    check_cost(survey.coefficient_bytes.saturating_add((pitch * height) as u64), limits)?;
    buffer.resize(pitch * height, 0);
    without_warning(bytes, |decompressor, file| {
        decompressor.set_scaling_factor(factor)?;
        let output = Image { pixels: &mut buffer[..], width, pitch, height, format };
        decompressor.decompress(file, output)
    })?;
    if inks {
        print_inks(&mut buffer);
    }
    let (width, height) = (width as u32, height as u32);
    Ok(Decoded { width, height, rgb: buffer, reduction, decoder: JPEG_DECODER })
}

/// Inks `[N, 4]`, stored inverted as Adobe does, to RGB levels `[N, 3]` in place, as Pillow converts them.
fn print_inks(buffer: &mut Vec<u8>) {
    let pixels = buffer.len() / 4;
    for pixel in 0..pixels {
        let paper = u32::from(buffer[4 * pixel + 3]);
        for channel in 0..3 {
            let ink = 255 - u32::from(buffer[4 * pixel + channel]);
            let product = ink * paper + 128;
            let covered = (product + (product >> 8)) >> 8;
            buffer[3 * pixel + channel] = (paper - covered.min(paper)) as u8;
        }
    }
    buffer.truncate(3 * pixels);
}
