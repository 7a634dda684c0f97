//! The pixels behind a row: read, cut out, and fitted into a square tile.

use std::path::Path;

use datasets::pixels::{self, Frame, Limits, Reduction};
use image::{Rgb, RgbImage, imageops};
use schemas::Affine;
use tiny_skia::Pixmap;

use super::palette;

/// Between tiles that belong together, px.
pub(crate) const SEAM_PX: u32 = 2;

/// A rectangle of a picture, px, from the first row and column to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Side of the square, or the longer side of what it holds.
    pub side: f64,
}

/// The picture in the file at `path`, which starts from `root` where it is relative, in the frame of annotations that state
/// that size, if they do; or why there is none, in words.
pub(crate) fn read(path: &str, root: Option<&Path>, stated: Option<[i32; 2]>) -> Result<RgbImage, String> {
    let path = root.unwrap_or(Path::new("")).join(path);
    let decoded = pixels::decode_file(&path, &Limits::default(), Frame { stated, ..Frame::default() });
    let decoded = decoded.map_err(|error| {
        let (words, place) = (error.to_string(), format!("`{}`", path.display()));
        if words.contains(&place) { words } else { format!("{words}: {place}") }
    })?;
    raw(decoded.rgb, decoded.width, decoded.height)
}

/// The picture in `bytes` of an image file.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let decoded =
        pixels::decode(bytes, &Limits::default(), Reduction::Whole).map_err(|error| error.to_string())?;
    raw(decoded.rgb, decoded.width, decoded.height)
}

/// The picture of raw RGB bytes, `[height, width, 3]`.
pub(crate) fn raw(rgb: Vec<u8>, width: u32, height: u32) -> Result<RgbImage, String> {
    let found = rgb.len();
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| {
        format!("{width} x {height} RGB pixels are {} bytes, found {found}", width * height * 3)
    })
}

/// The square about all of `picture`.
pub(crate) fn whole(picture: &RgbImage) -> Window {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let side = width.max(height);
    Window { left: (width - side) / 2.0, top: (height - side) / 2.0, side }
}

/// `window` of `picture` as a tile of `tile_px` x `tile_px`, and the map from px of the picture to px of the tile.
/// What lies outside the picture is left blank.
pub(crate) fn tile(picture: &RgbImage, window: Window, tile_px: u32) -> (RgbImage, Affine) {
    let factor = f64::from(tile_px) / window.side;
    // Pixel edges, so that a pixel's area maps to its area.
    let clip = |from: f64, length: u32| {
        let first = from.max(0.0).floor() as u32;
        let last = (from + window.side).min(f64::from(length)).ceil().max(0.0) as u32;
        (first.min(length), last.min(length))
    };
    let (x1, x2) = clip(window.left, picture.width());
    let (y1, y2) = clip(window.top, picture.height());
    let mut tile = RgbImage::from_pixel(tile_px, tile_px, Rgb(palette::MAT));
    let tile_from_picture = Affine::translation(-0.5, -0.5)
        * Affine::scale(factor)
        * Affine::translation(0.5 - window.left, 0.5 - window.top);
    if x1 < x2 && y1 < y2 {
        let cut = imageops::crop_imm(picture, x1, y1, x2 - x1, y2 - y1).to_image();
        let size = |from: u32, to: u32| ((f64::from(to - from) * factor).round() as u32).max(1);
        let fitted = imageops::resize(&cut, size(x1, x2), size(y1, y2), imageops::FilterType::Triangle);
        let place = |at: u32, from: f64| ((f64::from(at) - from) * factor).round() as i64;
        imageops::replace(&mut tile, &fitted, place(x1, window.left), place(y1, window.top));
    }
    (tile, tile_from_picture)
}

/// Draws on `picture` with `draw`; one without area stays as it is.
pub(crate) fn on_canvas(picture: &mut RgbImage, draw: impl FnOnce(&mut Pixmap)) {
    let Some(mut canvas) = Pixmap::new(picture.width(), picture.height()) else { return };
    for (bytes, pixel) in canvas.data_mut().chunks_exact_mut(4).zip(picture.pixels()) {
        let [r, g, b] = pixel.0;
        bytes.copy_from_slice(&[r, g, b, 255]);
    }
    draw(&mut canvas);
    for (pixel, drawn) in picture.pixels_mut().zip(canvas.pixels()) {
        pixel.0 = [drawn.red(), drawn.green(), drawn.blue()];
    }
}

/// `tiles` side by side, for the galleries of a page.
pub(crate) fn side_by_side(tiles: &[RgbImage]) -> RgbImage {
    let seams = (tiles.len() as u32).saturating_sub(1) * SEAM_PX;
    let width = tiles.iter().map(RgbImage::width).sum::<u32>() + seams;
    let height = tiles.iter().map(RgbImage::height).max().unwrap_or(1);
    let mut page = RgbImage::from_pixel(width.max(1), height, Rgb(palette::PAGE));
    let mut x = 0;
    for tile in tiles {
        imageops::replace(&mut page, tile, i64::from(x), 0);
        x += tile.width() + SEAM_PX;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dotted() -> RgbImage {
        let mut picture = RgbImage::from_pixel(80, 60, Rgb([10, 10, 10]));
        for (x, y) in [(30, 20), (31, 20), (30, 21), (31, 21)] {
            picture.put_pixel(x, y, Rgb([255, 255, 255]));
        }
        picture
    }

    #[test]
    fn the_map_leads_to_where_the_pixels_went() {
        let picture = dotted();
        for window in [whole(&picture), Window { left: 20.0, top: 10.0, side: 24.0 }] {
            let (tile, map) = tile(&picture, window, 160);
            let [x, y] = map.apply([30.5, 20.5]);
            assert!(tile.get_pixel(x.round() as u32, y.round() as u32).0[0] > 200, "{window:?}");
        }
    }

    #[test]
    fn what_lies_outside_is_blank() {
        let picture = dotted();
        let (tile, _) = tile(&picture, Window { left: -40.0, top: -40.0, side: 80.0 }, 80);
        assert_eq!(tile.get_pixel(3, 3).0, palette::MAT);
        assert_eq!(tile.get_pixel(60, 60).0, [10, 10, 10]);
        let (blank, _) = super::tile(&picture, Window { left: 500.0, top: 0.0, side: 10.0 }, 16);
        assert!(blank.pixels().all(|pixel| pixel.0 == palette::MAT));
    }

    #[test]
    fn bytes_that_are_no_picture_are_refused_in_words() {
        assert!(decode(&[0xff, 0xd8, 1, 2]).is_err() && decode(b"nothing").is_err());
        assert!(raw(vec![0; 5], 2, 1).unwrap_err().contains("6 bytes, found 5"));
        assert!(read("/no/such.png", None, None).unwrap_err().contains("/no/such.png"));
    }
}
