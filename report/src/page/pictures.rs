//! Pictures within a page: as `data:` addresses, with what their colours mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datasets::pixels::encode_jpeg;
use image::RgbImage;

use super::super::palette::Rgb;
use super::super::picture::side_by_side;
use super::content::{Figure, Swatch};

/// Quality of the pictures: at 80, skeletons and faces stay clear and a tile of 240 px takes about 12 kB.
const JPEG_QUALITY: u8 = 80;

/// The figure of `tiles` side by side, or a place as large as a tile with the reason why there are none.
pub(super) fn figure(
    tiles: Result<Vec<RgbImage>, String>,
    tile_px: u32,
    [name, alt, caption]: [String; 3],
) -> Figure {
    let encoded = tiles.and_then(|tiles| {
        let page = side_by_side(&tiles);
        let (width, height) = page.dimensions();
        let bytes = encode_jpeg(page.as_raw(), width, height, JPEG_QUALITY);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok((format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)), [width, height]))
    });
    let (source, size, missing) = match encoded {
        Ok((source, size)) => (source, size, String::new()),
        Err(missing) => (String::new(), [tile_px; 2], missing),
    };
    Figure { source, size, alt, missing, name, caption }
}

/// What each of these colours means.
pub(super) fn keys<const N: usize>(entries: [(Rgb, &str); N]) -> Vec<Swatch> {
    let hex = |[r, g, b]: Rgb| format!("#{r:02x}{g:02x}{b:02x}");
    entries.map(|(colour, label)| Swatch { colour: hex(colour), label: label.to_owned() }).to_vec()
}
