//! Small text, from an 8x8 bitmap font.

use font8x8::legacy::BASIC_LEGACY;
use image::{Rgb, RgbImage};

/// Width and height of one letter, px.
pub const LETTER_PX: u32 = 8;
/// Stands for what was left out of a text that is too long.
const ELLIPSIS: &str = "..";

/// Writes `text` with its top left corner at (`x`, `y`), at most `width` px wide; a longer text loses its middle.
/// Letters outside ASCII become `?`; what falls outside `page` is not drawn.
pub fn write(page: &mut RgbImage, text: &str, [x, y]: [u32; 2], width: u32, ink: [u8; 3]) {
    let text = shortened(text, (width / LETTER_PX) as usize);
    for (at, letter) in text.chars().enumerate() {
        let glyph = BASIC_LEGACY[if letter.is_ascii() { letter as usize } else { usize::from(b'?') }];
        for (row, bits) in glyph.iter().enumerate() {
            for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                let (px, py) = (x + at as u32 * LETTER_PX + column, y + row as u32);
                if px < page.width() && py < page.height() {
                    page.put_pixel(px, py, Rgb(ink));
                }
            }
        }
    }
}

/// `text` in at most `letters` letters: its beginning and its end.
fn shortened(text: &str, letters: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= letters {
        return text.to_owned();
    }
    let kept = letters.saturating_sub(ELLIPSIS.len());
    let (head, tail) = (kept / 2, kept - kept / 2);
    let ends =
        all[..head].iter().copied().chain(ELLIPSIS.chars()).chain(all[all.len() - tail..].iter().copied());
    ends.take(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_both_ends() {
        assert_eq!(shortened("mpii-000000001-0", 20), "mpii-000000001-0");
        assert_eq!(shortened("abcdefghij", 6), "ab..ij");
        assert_eq!(shortened("abc", 1), ".");
        assert_eq!(shortened("abc", 0), "");
    }

    #[test]
    fn letters_are_drawn_and_stay_on_the_page() {
        let mut page = RgbImage::new(20, 6);
        write(&mut page, "Iäx", [10, 2], 100, [9, 9, 9]);
        let inked = page.enumerate_pixels().filter(|(.., pixel)| pixel.0 == [9, 9, 9]);
        let places: Vec<(u32, u32)> = inked.map(|(x, y, _)| (x, y)).collect();
        assert!(!places.is_empty() && places.iter().all(|(x, y)| *x >= 10 && *y >= 2));
    }
}
