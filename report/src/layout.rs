//! Tiles, captions and the legend on one page.

use image::{Rgb, RgbImage, imageops};

use super::caption::{self, LETTER_PX};
use super::palette;

/// White about the page and between groups of tiles, px.
const MARGIN_PX: u32 = 14;
/// Between the tiles of one row of the table, px.
const SEAM_PX: u32 = 2;
/// From a tile to its caption and round the legend, px.
const CAPTION_GAP_PX: u32 = 5;

/// The tiles of one row of the table, all of one size, and what stands below them.
#[derive(Debug)]
pub struct Group {
    /// Side by side.
    pub tiles: Vec<RgbImage>,
    /// Below.
    pub caption: String,
}

/// How many columns of groups make a page nearest to 3:2, for `count` groups `wide` x `tall` px.
fn columns_for(count: usize, wide: u32, tall: u32) -> usize {
    let shape = |columns: usize| {
        let rows = count.div_ceil(columns);
        let ratio = (columns as f64 * f64::from(wide)) / (rows as f64 * f64::from(tall));
        (libm::log(ratio / 1.5).abs(), rows * columns - count)
    };
    let better =
        |a: &usize, b: &usize| shape(*a).partial_cmp(&shape(*b)).unwrap_or(std::cmp::Ordering::Equal);
    (1..=count.max(1)).min_by(better).unwrap_or(1)
}

/// The page of `groups`, `columns` side by side or as many as look well.
pub fn page(groups: &[Group], tile_px: u32, columns: Option<usize>) -> RgbImage {
    let tiles = groups.iter().map(|group| group.tiles.len()).max().unwrap_or(1) as u32;
    let wide = tiles * tile_px + (tiles - 1) * SEAM_PX;
    let tall = tile_px + 2 * CAPTION_GAP_PX + LETTER_PX;
    let columns = columns.unwrap_or_else(|| columns_for(groups.len(), wide, tall)).max(1) as u32;
    let rows = (groups.len() as u32).div_ceil(columns).max(1);
    let legend = LETTER_PX + CAPTION_GAP_PX;
    let width = columns * (wide + MARGIN_PX) + MARGIN_PX;
    let height = rows * (tall + MARGIN_PX) + legend + MARGIN_PX;
    let mut page = RgbImage::from_pixel(width, height, Rgb(palette::PAGE));
    for (at, group) in (0u32..).zip(groups) {
        let x = MARGIN_PX + at % columns * (wide + MARGIN_PX);
        let y = MARGIN_PX + at / columns * (tall + MARGIN_PX);
        for (number, tile) in (0u32..).zip(&group.tiles) {
            imageops::replace(&mut page, tile, i64::from(x + number * (tile_px + SEAM_PX)), i64::from(y));
        }
        caption::write(&mut page, &group.caption, [x, y + tile_px + CAPTION_GAP_PX], wide, palette::INK);
    }
    write_legend(&mut page, height - MARGIN_PX - LETTER_PX);
    page
}

/// What the colours and dots mean, at height `y`; entries that find no room are left out.
fn write_legend(page: &mut RgbImage, y: u32) {
    let entries = [
        (palette::LEFT, false, "left"),
        (palette::RIGHT, false, "right"),
        (palette::CENTRE, false, "middle"),
        (palette::INK, true, "ring: hidden"),
    ];
    let mut x = MARGIN_PX;
    for (colour, ring, text) in entries {
        let wide = LETTER_PX * (text.len() as u32 + 2);
        if x + wide + MARGIN_PX > page.width() {
            return;
        }
        for (dx, dy) in (0..LETTER_PX).flat_map(|dx| (0..LETTER_PX).map(move |dy| (dx, dy))) {
            let from_middle = |v: u32| (f64::from(v) - 3.5).powi(2);
            let radius = (from_middle(dx) + from_middle(dy)).sqrt();
            if radius < 4.0 && (!ring || radius > 2.2) {
                page.put_pixel(x + dx, y + dy, Rgb(colour));
            }
        }
        caption::write(page, text, [x + LETTER_PX + CAPTION_GAP_PX, y], wide, palette::INK);
        x += wide + MARGIN_PX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(count: usize) -> Vec<Group> {
        let tile = || RgbImage::from_pixel(40, 40, Rgb([1, 2, 3]));
        (0..count).map(|n| Group { tiles: vec![tile(), tile()], caption: n.to_string() }).collect()
    }

    #[test]
    fn every_tile_is_whole_and_apart_from_the_others() {
        for count in [1, 2, 5, 9] {
            let page = page(&groups(count), 40, None);
            let inked = page.pixels().filter(|pixel| pixel.0 == [1, 2, 3]).count();
            assert_eq!(inked, count * 2 * 40 * 40);
        }
    }

    #[test]
    fn an_empty_sheet_is_a_page_all_the_same() {
        assert!(page(&[], 40, None).width() >= 40);
    }

    #[test]
    fn pages_are_broader_than_tall() {
        assert_eq!(columns_for(6, 100, 100), 3);
        assert_eq!(columns_for(1, 100, 100), 1);
    }
}
