//! Reducing a whole image before it is sampled, where sampling alone would skip pixels.

use std::cell::RefCell;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use schemas::Affine;

use super::rgb::Source;

/// From this shrinking on, the image is reduced first: 2, as in the hourglass code (`src/util/img.lua`).
pub const SHRINK_FROM: f64 = 2.0;

thread_local! {
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// A reduced image and the map to it.
#[derive(Debug)]
pub struct Reduced {
    /// RGB levels `[height, width, 3]`.
    pub rgb: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// From px of the source to px of the reduced image.
    pub reduced_from_source: Affine,
}

/// The map between two rasters of the same picture, whose pixels are areas: (x + 1/2) is scaled, then 1/2 taken off.
pub fn raster_map(factor_x: f64, factor_y: f64) -> Affine {
    Affine([factor_x, 0.0, 0.5 * factor_x - 0.5, 0.0, factor_y, 0.5 * factor_y - 0.5])
}

/// `source` reduced `shrink` times along both sides (down to one pixel), every pixel weighed in by a triangle as wide
/// as two pixels of the result; `None` where `shrink` is below [`SHRINK_FROM`] or the image cannot get smaller.
pub fn reduce(source: Source, shrink: f64) -> Option<Reduced> {
    if shrink.is_nan() || shrink < SHRINK_FROM || (source.width == 1 && source.height == 1) {
        return None;
    }
    let side = |length: usize| ((length as f64 / shrink).floor() as usize).max(1);
    let (width, height) = (side(source.width), side(source.height));
    let whole = ImageRef::new(source.width as u32, source.height as u32, source.rgb, PixelType::U8x3)
        .expect("a source is as long as its sides say");
    let mut reduced = Image::new(width as u32, height as u32, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    RESIZER
        .with_borrow_mut(|resizer| resizer.resize(&whole, &mut reduced, &options))
        .expect("both images are of the same pixel type");
    let factor = |now: usize, before: usize| now as f64 / before as f64;
    let reduced_from_source = raster_map(factor(width, source.width), factor(height, source.height));
    Some(Reduced { rgb: reduced.into_vec(), width, height, reduced_from_source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fast_image_resize::CpuExtensions;

    /// A ramp along x whose level at x is x / 2.
    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..height).flat_map(|_| (0..width).flat_map(|x| [(x / 2) as u8; 3])).collect()
    }

    #[test]
    fn a_ramp_keeps_its_place() {
        let rgb = ramp(400, 90);
        let reduced = reduce(Source { rgb: &rgb, width: 400, height: 90 }, 3.7).unwrap();
        assert_eq!([reduced.width, reduced.height], [108, 24]);
        for x in 4..100 {
            let back = reduced.reduced_from_source.inverse().unwrap().apply([x as f64, 12.0]);
            let level = f64::from(reduced.rgb[(12 * 108 + x) * 3]);
            // Level x / 2 is cut to an integer: 0.25 less on average.
            assert!((level - (back[0] / 2.0 - 0.25)).abs() < 0.8, "{level} at {x}");
        }
    }

    #[test]
    fn little_shrinking_and_single_pixels_stay() {
        let rgb = ramp(4, 4);
        let source = Source { rgb: &rgb, width: 4, height: 4 };
        assert!(reduce(source, 1.99).is_none() && reduce(source, f64::NAN).is_none());
        let dot = reduce(source, 1e12).unwrap();
        assert_eq!((dot.width, dot.height), (1, 1));
        assert!(reduce(Source { rgb: &rgb[..3], width: 1, height: 1 }, 1e12).is_none());
    }

    #[test]
    fn vectors_and_plain_code_reduce_to_the_same_bytes() {
        let rgb: Vec<u8> =
            (0..333 * 97 * 3u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let source = Source { rgb: &rgb, width: 333, height: 97 };
        let fast = reduce(source, 2.3).unwrap();
        RESIZER.with_borrow_mut(|resizer| {
            // SAFETY: plain code runs on every machine.
            unsafe { resizer.set_cpu_extensions(CpuExtensions::None) };
        });
        let plain = reduce(source, 2.3).unwrap();
        RESIZER.with_borrow_mut(|resizer| *resizer = Resizer::new());
        assert!(fast.rgb == plain.rgb);
    }
}
