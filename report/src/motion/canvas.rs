//! A page to draw lines, areas and small words on. Places are px from the top left corner.

use image::RgbImage;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash,
    Transform,
};

use super::super::caption::{self, LETTER_PX};
use super::super::palette::{self, Rgb};
use stages::stage::StageError;

/// The largest side of a page, px: beyond, a viewer no longer opens it.
pub const MOST_PX: u32 = 16_384;
/// Places are held within so many px about the page, which keeps infinite ones drawable.
const REACH: f32 = 40_000.0;

/// A point, px.
pub type Point = [f32; 2];
/// Left, top, width and height, px.
pub type Area = [f32; 4];

/// Where a word stands about its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Left,
    /// Its middle is there.
    Centre,
    /// It ends there.
    Right,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colour.
    pub ink: Rgb,
    /// How many px wide each px of a letter is.
    pub size: u32,
    /// Whether it reads from bottom to top.
    pub upward: bool,
}

/// Plain small words.
pub const PLAIN: Style = Style { ink: palette::INK, size: 1, upward: false };

/// A page under work.
pub struct Canvas {
    pixels: Pixmap,
    words: Vec<(String, Point, Anchor, Style)>,
    clip: Option<Mask>,
}

impl Canvas {
    /// An empty page.
    ///
    /// # Errors
    /// When it has no area or a side beyond [`MOST_PX`].
    pub fn new(width: u32, height: u32) -> Result<Self, StageError> {
        let page = (width.max(height) <= MOST_PX).then(|| Pixmap::new(width, height)).flatten();
        let mut pixels = page.ok_or_else(|| {
            StageError::config(
                format!("a page of {width} x {height} px cannot be drawn"),
                format!("ask for fewer rows, or a side of at most {MOST_PX} px"),
            )
        })?;
        pixels.fill(colour_of(palette::PAGE, 255));
        Ok(Self { pixels, words: Vec::new(), clip: None })
    }

    /// Draws within `area` alone until [`Canvas::unclip`].
    pub fn clip(&mut self, [x, y, width, height]: Area) {
        self.clip = Mask::new(self.pixels.width(), self.pixels.height());
        if let Some((mask, rect)) = self.clip.as_mut().zip(Rect::from_xywh(x, y, width, height)) {
            mask.fill_path(&PathBuilder::from_rect(rect), FillRule::Winding, false, Transform::identity());
        }
    }

    /// Draws everywhere.
    pub fn unclip(&mut self) {
        self.clip = None;
    }

    /// Fills `area`; one without width or height is left out.
    pub fn fill(&mut self, [x, y, width, height]: Area, colour: Rgb, alpha: u8) {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            let (path, paint) = (PathBuilder::from_rect(rect), paint_of(colour, alpha));
            let mask = self.clip.as_ref();
            self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), mask);
        }
    }

    /// A crisp horizontal or vertical line, one px wide.
    pub fn rule(&mut self, from: Point, to: Point, colour: Rgb) {
        let [x, y] = [from[0].min(to[0]).round(), from[1].min(to[1]).round()];
        let (width, height) = ((to[0] - from[0]).abs(), (to[1] - from[1]).abs());
        self.fill([x, y, width.round().max(1.0), height.round().max(1.0)], colour, 255);
    }

    /// The outline of `area`, one px wide.
    pub fn outline(&mut self, [x, y, width, height]: Area, colour: Rgb) {
        self.rule([x, y], [x + width, y], colour);
        self.rule([x, y + height], [x + width + 1.0, y + height], colour);
        self.rule([x, y], [x, y + height], colour);
        self.rule([x + width, y], [x + width, y + height], colour);
    }

    /// A line through `points`; where one is no number the line breaks, and a point alone is a dot.
    pub fn line(&mut self, points: impl IntoIterator<Item = Point>, width: f32, colour: Rgb) {
        self.stroke(points, width, colour, None);
    }

    /// A dashed line through `points`.
    pub fn dashed(&mut self, points: impl IntoIterator<Item = Point>, colour: Rgb) {
        self.stroke(points, 1.2, colour, StrokeDash::new(vec![5.0, 4.0], 0.0));
    }

    fn stroke(
        &mut self,
        points: impl IntoIterator<Item = Point>,
        width: f32,
        colour: Rgb,
        dash: Option<StrokeDash>,
    ) {
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, dash, ..Stroke::default() };
        let paint = paint_of(colour, 255);
        let mut builder = PathBuilder::new();
        let mut before: Option<Point> = None;
        let mut alone = Vec::new();
        let mut length = 0;
        for point in points.into_iter().map(Some).chain([None]) {
            let point = point.filter(|point| !point.iter().any(|v| v.is_nan()));
            let point = point.map(|point| point.map(|v| v.clamp(-REACH, REACH)));
            match (before, point) {
                (None, Some([x, y])) => {
                    builder.move_to(x, y);
                    length = 1;
                }
                (Some(_), Some([x, y])) => {
                    builder.line_to(x, y);
                    length += 1;
                }
                (Some(last), None) if length == 1 => alone.push(last),
                _ => {}
            }
            before = point;
        }
        if let Some(path) = builder.finish() {
            let mask = self.clip.as_ref();
            self.pixels.stroke_path(&path, &paint, &stroke, Transform::identity(), mask);
        }
        for point in alone {
            self.dot(point, width, colour);
        }
    }

    /// A filled disc; one at no place is left out.
    pub fn dot(&mut self, [x, y]: Point, radius: f32, colour: Rgb) {
        if x.abs() < REACH && y.abs() < REACH {
            self.shape(PathBuilder::from_circle(x, y, radius).as_ref(), colour);
        }
    }

    /// A filled diamond; one at no place is left out.
    pub fn diamond(&mut self, [x, y]: Point, radius: f32, colour: Rgb) {
        if x.abs() < REACH && y.abs() < REACH {
            let mut builder = PathBuilder::new();
            builder.move_to(x - radius, y);
            builder.line_to(x, y - radius);
            builder.line_to(x + radius, y);
            builder.line_to(x, y + radius);
            builder.close();
            self.shape(builder.finish().as_ref(), colour);
        }
    }

    fn shape(&mut self, path: Option<&Path>, colour: Rgb) {
        if let Some(path) = path {
            let (paint, mask) = (paint_of(colour, 255), self.clip.as_ref());
            self.pixels.fill_path(path, &paint, FillRule::Winding, Transform::identity(), mask);
        }
    }

    /// Writes `text` at `place`, the top of its letters, or, where it reads upward, their left.
    pub fn write(&mut self, text: &str, place: Point, anchor: Anchor, style: Style) {
        self.words.push((text.to_owned(), place, anchor, style));
    }

    /// The page, its words on top.
    pub fn finish(self) -> RgbImage {
        let mut page = RgbImage::new(self.pixels.width(), self.pixels.height());
        for (pixel, drawn) in page.pixels_mut().zip(self.pixels.pixels()) {
            pixel.0 = [drawn.red(), drawn.green(), drawn.blue()];
        }
        for (text, place, anchor, style) in &self.words {
            write_word(&mut page, text, *place, *anchor, *style);
        }
        page
    }
}

/// Width of `text` in plain letters, px.
pub fn width_of(text: &str) -> f32 {
    (text.chars().count() as u32 * LETTER_PX) as f32
}

/// `text` in at most `width` px: its beginning, and two dots where it is cut.
pub fn fitted(text: &str, width: f32) -> String {
    let most = (width.max(0.0) / LETTER_PX as f32) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(2)).chain("..".chars()).collect()
}

fn write_word(page: &mut RgbImage, text: &str, [x, y]: Point, anchor: Anchor, style: Style) {
    let letters = text.chars().count() as u32;
    let mut stencil = RgbImage::new((letters * LETTER_PX).max(1), LETTER_PX);
    caption::write(&mut stencil, text, [0, 0], letters * LETTER_PX, [255; 3]);
    let length = (letters * LETTER_PX * style.size) as f32;
    let before = match anchor {
        Anchor::Left => 0.0,
        Anchor::Centre => length / 2.0,
        Anchor::Right => length,
    };
    let (left, top) = if style.upward { (x, y + before) } else { (x - before, y) };
    let (left, top) = (left.round() as i64, top.round() as i64);
    let size = i64::from(style.size);
    for (column, row, _) in stencil.enumerate_pixels().filter(|(.., pixel)| pixel.0[0] > 0) {
        let (along, across) = (i64::from(column) * size, i64::from(row) * size);
        for (a, b) in (0..size).flat_map(|a| (0..size).map(move |b| (a, b))) {
            let (px, py) = if style.upward {
                (left + across + b, top - along - a - 1)
            } else {
                (left + along + a, top + across + b)
            };
            if (0..i64::from(page.width())).contains(&px) && (0..i64::from(page.height())).contains(&py) {
                page.put_pixel(px as u32, py as u32, image::Rgb(style.ink));
            }
        }
    }
}

fn colour_of([r, g, b]: Rgb, alpha: u8) -> Color {
    Color::from_rgba8(r, g, b, alpha)
}

fn paint_of(colour: Rgb, alpha: u8) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(colour_of(colour, alpha));
    paint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::colours::{BLUE, VERMILLION};

    fn inked(page: &RgbImage, ink: Rgb) -> Vec<(u32, u32)> {
        page.enumerate_pixels().filter(|(.., pixel)| pixel.0 == ink).map(|(x, y, _)| (x, y)).collect()
    }

    #[test]
    fn lines_break_where_there_is_no_number_and_stay_in_their_area() {
        let mut canvas = Canvas::new(60, 40).unwrap();
        canvas.clip([0.0, 0.0, 30.0, 40.0]);
        let points = [[5.0, 10.5], [10.0, 10.5], [f32::NAN, 10.5], [20.0, 10.5], [f32::INFINITY, 10.5]];
        canvas.line(points, 3.0, BLUE);
        let page = canvas.finish();
        assert_eq!(page.get_pixel(7, 10).0, BLUE);
        assert_eq!(page.get_pixel(15, 10).0, palette::PAGE);
        assert_eq!(page.get_pixel(25, 10).0, BLUE);
        assert_eq!(page.get_pixel(35, 10).0, palette::PAGE);
    }

    #[test]
    fn words_stand_where_their_anchor_says() {
        let mut canvas = Canvas::new(100, 60).unwrap();
        let style = Style { ink: VERMILLION, ..PLAIN };
        canvas.write("II", [50.0, 4.0], Anchor::Right, style);
        canvas.write("II", [50.0, 50.0], Anchor::Left, Style { ink: BLUE, upward: true, ..PLAIN });
        canvas.write("outside", [95.0, 55.0], Anchor::Left, PLAIN);
        let page = canvas.finish();
        let (flat, tall) = (inked(&page, VERMILLION), inked(&page, BLUE));
        assert!(!flat.is_empty() && flat.iter().all(|(x, y)| (34..50).contains(x) && (4..12).contains(y)));
        assert!(
            tall.len() == flat.len()
                && tall.iter().all(|(x, y)| (50..58).contains(x) && (34..50).contains(y))
        );
    }

    #[test]
    fn pages_without_bounds_are_refused() {
        assert!(Canvas::new(0, 10).is_err());
        assert!(Canvas::new(10, MOST_PX + 1).err().unwrap().hint().is_some());
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(fitted("session", 56.0), "session");
        assert_eq!(fitted("session", 48.0), "sess..");
        assert_eq!(fitted("session", -5.0), "..");
    }
}
