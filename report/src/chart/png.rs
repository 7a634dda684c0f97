//! Pictures of figures: their SVG, drawn in light colours and with the bundled font.

use std::sync::{Arc, LazyLock};

use image::{Rgb, RgbImage};
use resvg::usvg::{Options, Tree, fontdb::Database};
use tiny_skia::Transform;

use super::super::error::ReportError;
use super::super::{palette, picture};
use super::text::FONT;
use super::{COLOURS, Figure, STYLE};

/// The largest side of a picture, px: beyond, viewers no longer open it.
pub(crate) const MOST_PX: u32 = 16_384;
/// Name of the bundled font.
const FAMILY: &str = "DejaVu Sans";

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(FONT.to_vec());
    let style_sheet = Some(light(STYLE));
    Options { font_family: FAMILY.to_owned(), fontdb: Arc::new(fonts), style_sheet, ..Options::default() }
});

/// The picture of `figure`, one px of the picture to one of the figure.
///
/// # Errors
/// When it has no area or a side beyond [`MOST_PX`].
pub(crate) fn draw(figure: &Figure) -> Result<RgbImage, ReportError> {
    let [width, height] = figure.size.map(|side| side.ceil().max(0.0) as u32);
    if width.min(height) == 0 || width.max(height) > MOST_PX {
        return Err(ReportError::PictureSize { width, height, most: MOST_PX });
    }
    let mut page = RgbImage::from_pixel(width, height, Rgb(palette::PAGE));
    draw_over(&mut page, figure)?;
    Ok(page)
}

/// Draws `figure` over `page`, from its top left corner.
///
/// # Errors
/// When the figure makes no valid SVG, which is a bug.
pub(crate) fn draw_over(page: &mut RgbImage, figure: &Figure) -> Result<(), ReportError> {
    let (width, height) = page.dimensions();
    let elements = figure.elements();
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\n{elements}</svg>"
    );
    let tree = Tree::from_str(&svg, &OPTIONS)?;
    picture::on_canvas(page, |canvas| resvg::render(&tree, Transform::identity(), &mut canvas.as_mut()));
    Ok(())
}

/// `style` with the colours of light pages in place of the custom properties, which the renderer does not know.
fn light(style: &str) -> String {
    let block = COLOURS.split(['{', '}']).nth(1).unwrap_or_default();
    let properties = block.split(';').filter_map(|line| line.trim().split_once(": "));
    let named = properties.filter(|(name, _)| name.starts_with("--"));
    named.fold(style.to_owned(), |style, (name, value)| style.replace(&format!("var({name})"), value))
}

#[cfg(test)]
mod tests {
    use super::super::{Anchor, Axes, Mark, Scale, Shape};
    use super::*;

    /// The colour of the class `s2` on light pages.
    const BLUE: [u8; 3] = [0, 114, 178];

    #[test]
    fn every_class_has_its_colour() {
        let style = light(STYLE);
        assert!(style.contains("#0072b2") && !style.contains("var("), "{style}");
    }

    #[test]
    fn lines_break_where_there_is_no_number_and_stay_in_their_frame() {
        let mut axes = Axes::new([0.0, 0.0, 40.0, 20.0], Scale::Linear(0.0, 40.0), Scale::Linear(0.0, 20.0));
        let points = [[2.0, 10.5], [10.0, 10.5], [f64::NAN, 10.5], [20.0, 10.5], [f64::INFINITY, 10.5]];
        axes.line(&points, "s2", "");
        axes.line(&[[15.0, 3.5]], "s2", "");
        let page = draw(&Figure { axes: vec![axes], ..Figure::sized(60.0, 20.0) }).unwrap();
        let is_blue = |x, y| page.get_pixel(x, y).0 == BLUE;
        // The frame is 20 px tall: y points up.
        assert!(is_blue(6, 9) && is_blue(30, 9), "{:?}", page.get_pixel(6, 9));
        assert_eq!(page.get_pixel(15, 9).0, [255; 3]);
        assert_eq!(page.get_pixel(50, 9).0, palette::PAGE);
        assert!(page.get_pixel(15, 16).0[0] < 200, "a point alone is a dot");
    }

    #[test]
    fn words_stand_where_their_anchor_says() {
        let mut figure = Figure::sized(120.0, 80.0);
        figure.words([60.0, 20.0], Anchor::End, "HHH", "head");
        let inked = |figure: &Figure| -> Vec<(u32, u32)> {
            let page = draw(figure).unwrap();
            page.enumerate_pixels().filter(|(.., pixel)| pixel.0[0] < 120).map(|(x, y, _)| (x, y)).collect()
        };
        let flat = inked(&figure);
        assert!(flat.len() > 30 && flat.iter().all(|(x, y)| (20..60).contains(x) && (13..28).contains(y)));
        figure.marks = vec![Mark::text([60.0, 40.0], Anchor::Upward, "HHH", "head")];
        let tall = inked(&figure);
        assert!(tall.len() > 30 && tall.iter().all(|(x, y)| (52..68).contains(x) && (20..60).contains(y)));
    }

    #[test]
    fn words_cannot_become_markup() {
        let mut figure = Figure::sized(120.0, 40.0);
        figure.words([4.0, 20.0], Anchor::Start, "</text><b & \"c\" \u{1}", "head");
        figure.marks.push(Mark { tip: "<&>".into(), ..Mark::new(Shape::Dot([60.0, 20.0]), "dot s2") });
        draw(&figure).unwrap();
    }

    #[test]
    fn pictures_without_bounds_are_refused() {
        use schemas::Hinted;
        assert!(draw(&Figure::sized(0.0, 10.0)).is_err());
        assert!(draw(&Figure::sized(10.0, 20_000.0)).unwrap_err().hint().is_some());
    }
}
