//! How wide words are in the font of the pictures.

use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// The font of all pictures; `report/fonts/README.md` says what it holds.
pub(super) const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");
/// Size of words beside marks, px: the least that reads well at full size.
pub(crate) const TEXT_PX: f64 = 12.0;
/// Size of headings, px.
pub(crate) const HEAD_PX: f64 = 15.0;
/// From one line of words to the next, px.
pub(crate) const LINE_PX: f64 = 18.0;
/// Stands for what was left out of a text that is too long.
const ELLIPSIS: char = '…';

/// The font, parsed.
static FONT_REF: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::new(FONT).expect("the bundled font is a font"));

/// Width of `text` in letters of `size` px, px. Kerning is left out, which makes it at most a little too wide.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    let (letters, metrics) =
        (FONT_REF.charmap(), FONT_REF.glyph_metrics(Size::new(size as f32), LocationRef::default()));
    let wide = |letter| metrics.advance_width(letters.map(letter).unwrap_or_default()).unwrap_or(0.0);
    text.chars().map(|letter| f64::from(wide(letter))).sum()
}

/// `text` in at most `room` px of letters of `size` px; a longer one loses its middle.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width_of(text, size) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| -> String {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        letters[..head].iter().chain([&ELLIPSIS]).chain(&letters[letters.len() - tail..]).collect()
    };
    let fits = |kept: &usize| width_of(&cut(*kept), size) <= room;
    (0..letters.len()).rev().find(fits).map_or_else(String::new, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_both_ends() {
        assert_eq!(fitted("mpii-000000001-0", TEXT_PX, 200.0), "mpii-000000001-0");
        let cut = fitted("mpii-000000001-0", TEXT_PX, 60.0);
        assert!(cut.starts_with("mp") && cut.ends_with("-0") && cut.contains('…'), "{cut}");
        assert!(width_of(&cut, TEXT_PX) <= 60.0 && width_of(&cut, TEXT_PX) > 40.0);
        assert_eq!(fitted("abc", TEXT_PX, -5.0), "");
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // The advance of `m` in DejaVu Sans is 1995 of 2048 units, that of `i` 569.
        assert!((width_of("mi", 2048.0) - 2564.0).abs() < 0.5, "{}", width_of("mi", 2048.0));
    }

    #[test]
    fn the_font_has_every_sign_that_charts_write() {
        let letters = FONT_REF.charmap();
        let missing: String = "äß°²·–…→−≤≥µσ".chars().filter(|sign| letters.map(*sign).is_none()).collect();
        assert_eq!(missing, "");
    }
}
