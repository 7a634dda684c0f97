//! Pictures of every format.

use std::io::Cursor;

use datasets::pixels::{self, Limits, Reduction, encode_jpeg, encode_png};
use image::{DynamicImage, ImageFormat};

use crate::Target;
use crate::pieces::{mode, with_mode};

pub(crate) const TARGET: Target = Target {
    name: "pictures",
    seeds,
    words: &[
        "IHDR", "IDAT", "PLTE", "tRNS", "iCCP", "IEND", "acTL", "RIFF", "WEBP", "VP8 ", "VP8L", "VP8X",
        "ALPH", "ANIM", "II*\u{0}", "MM\u{0}*", "P6\n", "P5\n", "P7\n", "Exif", "JFIF",
    ],
    run,
};

/// A million pixels: a hundredth of what a run allows, so that one input stays fast.
const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_file_bytes: 1 << 20 };

const REDUCTIONS: [Reduction; 4] = [Reduction::Whole, Reduction::Half, Reduction::Quarter, Reduction::Eighth];

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let reduction = REDUCTIONS[mode % 4];
    let size = pixels::size_of(rest);
    let mut copy = rest.to_vec();
    pixels::without_orientation(&mut copy);
    assert!(pixels::Turn::of(&copy).is_none(), "an orientation that was taken out");
    match pixels::decode(rest, &LIMITS, reduction) {
        Ok(decoded) => {
            let [width, height] = size.expect("what can be decoded has a size");
            let side = |side: u32| side.div_ceil(decoded.reduction.factor());
            assert_eq!((decoded.width, decoded.height), (side(width), side(height)));
            let pixels = u64::from(decoded.width) * u64::from(decoded.height);
            assert_eq!(decoded.rgb.len() as u64, 3 * pixels);
            pixels
        }
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.reason().is_empty());
            0
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let (width, height) = (12, 10);
    let rgb: Vec<u8> = (0..width * height * 3).map(|at| (at * 7 % 251) as u8).collect();
    let whole = image::RgbImage::from_raw(width, height, rgb.clone()).expect("as many levels as pixels");
    let whole = DynamicImage::ImageRgb8(whole);
    let written = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("a picture that the format can hold");
        bytes.into_inner()
    };
    let mut seeds = vec![
        encode_png(&rgb, width, height).expect("a picture"),
        encode_jpeg(&rgb, width, height, 75).expect("a picture"),
        written(&DynamicImage::ImageLuma16(whole.to_luma16()), ImageFormat::Png),
        written(&DynamicImage::ImageRgba8(whole.to_rgba8()), ImageFormat::WebP),
        written(&DynamicImage::ImageLuma8(whole.to_luma8()), ImageFormat::Tiff),
    ];
    seeds.extend(
        [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Pnm]
            .map(|format| written(&whole, format)),
    );
    seeds.iter().enumerate().map(|(mode, seed)| with_mode(mode % 4, seed)).collect()
}
