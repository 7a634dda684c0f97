//! Tiles, captions and the legend on one page.

use image::{Rgb, RgbImage, imageops};

use super::chart::{Anchor, Figure, LINE_PX, Mark, Shape, TEXT_PX, draw_over, fitted, width_of};
use super::error::ReportError;
use super::picture::{SEAM_PX, on_canvas};
use super::{palette, pose};

/// White about the page and between groups of tiles, px.
const MARGIN_PX: u32 = 14;
/// Height of a caption, of a name over a tile and of the legend, px.
const CAPTION_PX: u32 = 20;
/// Radius of a dot of the legend, px.
const DOT_PX: f64 = 5.0;

/// The tiles of one row of the table, all of one size, and what stands below them.
#[derive(Debug)]
pub(crate) struct Group {
    /// Side by side.
    pub tiles: Vec<RgbImage>,
    /// On a strip over the upper edge of the first tile; empty for none.
    pub name: String,
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

/// The page of `groups`, tiles being `tile_px` wide and tall, `columns` side by side or as many as look well.
///
/// # Errors
/// When the words make no valid SVG, which is a bug.
pub(crate) fn page(groups: &[Group], tile_px: u32, columns: Option<usize>) -> Result<RgbImage, ReportError> {
    let tiles = groups.iter().map(|group| group.tiles.len()).max().unwrap_or(1) as u32;
    let wide = tiles * tile_px + (tiles - 1) * SEAM_PX;
    let tall = tile_px + CAPTION_PX;
    let columns = columns.unwrap_or_else(|| columns_for(groups.len(), wide, tall)).max(1) as u32;
    let rows = (groups.len() as u32).div_ceil(columns).max(1);
    let width = columns * (wide + MARGIN_PX) + MARGIN_PX;
    let height = rows * (tall + MARGIN_PX) + CAPTION_PX + MARGIN_PX;
    let mut page = RgbImage::from_pixel(width, height, Rgb(palette::PAGE));
    let mut words = Figure::default();
    let line = |figure: &mut Figure, text: &str, [x, y]: [u32; 2], room: u32| {
        let text = fitted(text, TEXT_PX, f64::from(room));
        figure.words([f64::from(x), f64::from(y + CAPTION_PX / 2)], Anchor::Start, text, "ink");
    };
    for (at, group) in (0u32..).zip(groups) {
        let x = MARGIN_PX + at % columns * (wide + MARGIN_PX);
        let y = MARGIN_PX + at / columns * (tall + MARGIN_PX);
        for (number, tile) in (0u32..).zip(&group.tiles) {
            imageops::replace(&mut page, tile, i64::from(x + number * (tile_px + SEAM_PX)), i64::from(y));
        }
        if !group.name.is_empty() {
            let strip = [x, y, tile_px, CAPTION_PX].map(f64::from);
            words.marks.push(Mark::new(Shape::Bar(strip), "mark plain"));
            line(&mut words, &group.name, [x + 4, y], tile_px.saturating_sub(8));
        }
        line(&mut words, &group.caption, [x, y + tile_px], wide);
    }
    write_legend(&mut page, &mut words, height - MARGIN_PX - CAPTION_PX);
    draw_over(&mut page, &words)?;
    Ok(page)
}

/// What the colours and dots mean, from height `y` on, px; entries that find no room are left out.
fn write_legend(page: &mut RgbImage, words: &mut Figure, y: u32) {
    let entries = [
        (palette::LEFT, "left"),
        (palette::RIGHT, "right"),
        (palette::CENTRE, "middle"),
        (palette::INK, "ring: hidden"),
    ];
    let (mut x, y) = (f64::from(MARGIN_PX), f64::from(y + CAPTION_PX / 2));
    let mut dots = Vec::new();
    for (colour, text) in entries {
        let wide = 3.0 * DOT_PX + width_of(text, TEXT_PX);
        if x + wide + f64::from(MARGIN_PX) > f64::from(page.width()) {
            break;
        }
        dots.push((((x + DOT_PX) as f32, y as f32), colour));
        words.words([x + 3.0 * DOT_PX, y], Anchor::Start, text, "ink");
        x += wide + LINE_PX;
    }
    on_canvas(page, |canvas| {
        for (middle, colour) in dots {
            pose::disc(canvas, middle, DOT_PX as f32, colour);
            if colour == palette::INK {
                pose::disc(canvas, middle, DOT_PX as f32 / 2.0, palette::PAGE);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(count: usize) -> Vec<Group> {
        let tile = || RgbImage::from_pixel(40, 40, Rgb([1, 2, 3]));
        (0..count)
            .map(|n| Group { tiles: vec![tile(), tile()], name: String::new(), caption: n.to_string() })
            .collect()
    }

    #[test]
    fn every_tile_is_whole_and_apart_from_the_others() {
        for count in [1, 2, 5, 9] {
            let page = page(&groups(count), 40, None).unwrap();
            let inked = page.pixels().filter(|pixel| pixel.0 == [1, 2, 3]).count();
            assert_eq!(inked, count * 2 * 40 * 40);
        }
    }

    #[test]
    fn an_empty_sheet_is_a_page_all_the_same() {
        assert!(page(&[], 40, None).unwrap().width() >= 40);
    }

    #[test]
    fn pages_are_broader_than_tall() {
        assert_eq!(columns_for(6, 100, 100), 3);
        assert_eq!(columns_for(1, 100, 100), 1);
    }
}
