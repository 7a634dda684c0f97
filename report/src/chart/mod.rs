//! The one model of a chart: numbers in, places in px out.
//!
//! A [`Figure`] is a size, [`Axes`] with marks in their units, marks beside them, and keys. `svg` writes it, for the page
//! as it stands and for pictures through `png`; both are the same markup. A chart knows no colours: every mark has a
//! class, and `colours.css` gives it one for light and one for dark pages. `lines`, `bars` and `spans` are the kinds of
//! charts.

mod axis;
mod bars;
mod compose;
mod lines;
mod png;
mod spans;
mod svg;
mod text;

pub(crate) use axis::{Scale, duration, ticks};
pub(crate) use bars::{Segment, StackedBar, histogram, ranked_bars, stacked_bars};
pub(crate) use lines::{Curve, det, line_chart};
pub(crate) use png::{MOST_PX, draw, draw_over};
pub(crate) use spans::{Span, spans};
pub(crate) use text::{HEAD_PX, LINE_PX, TEXT_PX, fitted, width_of};

use serde::Serialize;

/// Custom properties of the style sheet: the colours of light and of dark pages.
pub(crate) const COLOURS: &str = include_str!("colours.css");
/// Style of the classes that marks have.
pub(crate) const STYLE: &str = include_str!("chart.css");
/// How many series the style sheet tells apart by colour.
pub(crate) const SERIES: usize = 8;

/// Width of a chart in its own px; pages scale it to their column.
const WIDTH_PX: f64 = 560.0;
/// Height of a chart of curves, px.
const HEIGHT_PX: f64 = 350.0;
/// Room left of the frame for labels and the title of the axis, px.
const LEFT_PX: f64 = 58.0;
/// Room left of the frame for the names of horizontal bars, px.
const NAMES_PX: f64 = 126.0;
/// Room right of the frame, px.
const RIGHT_PX: f64 = 14.0;
/// Room above the frame, px.
const TOP_PX: f64 = 12.0;
/// Room below the frame for labels and the title of the axis, px.
const BOTTOM_PX: f64 = 46.0;
/// Marks are held within so many px about their frame; further out there is nothing to see.
const REACH_PX: f64 = 20.0;
/// Radius of a dot, px.
const DOT_PX: f64 = 4.5;
/// Half the width of a diamond, px.
const DIAMOND_PX: f64 = 6.5;
/// A chart, or several that belong together. All places are px from its top left corner.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Figure {
    /// What it shows: its heading, and its name for those who do not see it.
    pub title: String,
    /// What can be read off it, in a sentence, for those who do not see it.
    pub summary: String,
    /// Width and height, px.
    pub size: [f64; 2],
    /// Framed areas with scales.
    pub axes: Vec<Axes>,
    /// What stands outside of the axes, above them.
    pub marks: Vec<Mark>,
    /// What the classes stand for.
    pub keys: Vec<Key>,
    /// Figures within this one, each with the place of its top left corner.
    pub insets: Vec<([f64; 2], Self)>,
}

/// A framed area with two scales. Its marks are cut off at the frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axes {
    /// Left, top, width and height, px.
    pub frame: [f64; 4],
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
    /// What the x axis is of, with its unit.
    pub x_title: String,
    /// What the y axis is of, with its unit.
    pub y_title: String,
    /// Labels and grid lines of the x axis, in its units; a label may be empty.
    pub x_ticks: Vec<(f64, String)>,
    /// Labels of the y axis, in its units.
    pub y_ticks: Vec<(f64, String)>,
    /// Whether the y axis has grid lines too.
    pub y_grid: bool,
    /// What it shows, the last on top.
    pub marks: Vec<Mark>,
}

/// One mark.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// Its outline, px of the figure.
    pub shape: Shape,
    /// Classes of the style sheet.
    pub class: String,
    /// What a pointer that rests on it shows; empty for nothing.
    pub tip: String,
}

/// The outline of a mark, px of the figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A filled rectangle: left, top, width, height.
    Bar([f64; 4]),
    /// A line through points. It breaks where one is `NaN`; a point alone is a dot.
    Line(Vec<[f64; 2]>),
    /// A disc about a centre.
    Dot([f64; 2]),
    /// A diamond about a centre.
    Diamond([f64; 2]),
    /// Words.
    Text {
        /// Where they are anchored, in the middle of the line's height.
        at: [f64; 2],
        /// What of them stands there.
        anchor: Anchor,
        /// The words.
        words: String,
    },
}

/// What of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
    /// Its middle, reading from bottom to top.
    Upward,
}

/// What a class stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Key {
    /// Classes of the style sheet; `guide` makes a dashed line of it, `diamond` a diamond.
    pub class: String,
    /// The words.
    pub label: String,
    /// A number beside them.
    pub value: String,
}

impl Key {
    /// What `class` stands for, with a number beside it or an empty text.
    pub(crate) fn new(class: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { class: class.into(), label: label.into(), value: value.into() }
    }
}

impl Mark {
    /// A mark without a tip.
    pub(crate) fn new(shape: Shape, class: impl Into<String>) -> Self {
        Self { shape, class: class.into(), tip: String::new() }
    }

    /// Words whose `anchor` is at `at`, px of the figure.
    pub(crate) fn text(
        at: [f64; 2],
        anchor: Anchor,
        words: impl Into<String>,
        class: impl Into<String>,
    ) -> Self {
        Self::new(Shape::Text { at, anchor, words: words.into() }, class)
    }
}

impl Axes {
    /// Axes in `frame` (left, top, width and height, px of the figure) without ticks and marks.
    pub(crate) fn new(frame: [f64; 4], x: Scale, y: Scale) -> Self {
        let (x_title, y_title) = (String::new(), String::new());
        let (x_ticks, y_ticks, marks) = (Vec::new(), Vec::new(), Vec::new());
        Self { frame, x, y, x_title, y_title, x_ticks, y_ticks, y_grid: true, marks }
    }

    /// How far right `x` is, px of the figure.
    pub(crate) fn place_x(&self, x: f64) -> f64 {
        let [left, _, width, _] = self.frame;
        held(left + width * self.x.place(x), left, width)
    }

    /// How far down `y` is, px of the figure.
    pub(crate) fn place_y(&self, y: f64) -> f64 {
        let [_, top, _, height] = self.frame;
        held(top + height * (1.0 - self.y.place(y)), top, height)
    }

    /// Where (`x`, `y`) is, px of the figure.
    pub(crate) fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.place_x(x), self.place_y(y)]
    }

    /// Gives the x axis its title and `ticks`, in its own units.
    pub(crate) fn x_axis(&mut self, title: &str, ticks: Vec<(f64, String)>) {
        (self.x_title, self.x_ticks) = (title.to_owned(), ticks);
    }

    /// Gives the y axis its title and `ticks`, in its own units.
    pub(crate) fn y_axis(&mut self, title: &str, ticks: Vec<(f64, String)>) {
        (self.y_title, self.y_ticks) = (title.to_owned(), ticks);
    }

    /// A curve through `points`, in the units of the axes.
    pub(crate) fn line(&mut self, points: &[[f64; 2]], class: &str, tip: &str) {
        let points = points.iter().map(|point| self.place(*point)).collect();
        self.add(Shape::Line(points), format!("curve {class}"), tip);
    }

    /// A filled rectangle, in the units of the axes.
    pub(crate) fn bar(&mut self, [x1, x2]: [f64; 2], [y1, y2]: [f64; 2], class: &str, tip: &str) {
        let (left, right) = (self.place_x(x1.min(x2)), self.place_x(x1.max(x2)));
        let (top, bottom) = (self.place_y(y1.max(y2)), self.place_y(y1.min(y2)));
        self.add(Shape::Bar([left, top, right - left, bottom - top]), format!("mark {class}"), tip);
    }

    /// The ground from `x1` to `x2`, in the units of the x axis, as high as the frame.
    pub(crate) fn area(&mut self, [x1, x2]: [f64; 2], class: &str) {
        let [_, top, _, height] = self.frame;
        let (left, right) = (self.place_x(x1), self.place_x(x2));
        self.add(Shape::Bar([left, top, right - left, height]), format!("mark {class}"), "");
    }

    /// A point, in the units of the axes; one that is `NaN` is left out.
    pub(crate) fn dot(&mut self, point: [f64; 2], class: &str, tip: &str) {
        self.add(Shape::Dot(self.place(point)), format!("dot {class}"), tip);
    }

    /// A point of another kind, in the units of the axes, moved to within the frame; one that is `NaN` is left out.
    pub(crate) fn diamond(&mut self, point: [f64; 2], class: &str, tip: &str) {
        let [left, top, width, height] = self.frame;
        let [x, y] = self.place(point);
        let within =
            |at: f64, from: f64, length: f64| at.clamp(from + DIAMOND_PX, from + length - DIAMOND_PX);
        let place = [within(x, left, width), within(y, top, height)];
        self.add(Shape::Diamond(place), format!("dot {class}"), tip);
    }

    /// Words within the frame, `at` in px of the figure.
    pub(crate) fn words(&mut self, at: [f64; 2], anchor: Anchor, words: impl Into<String>) {
        self.marks.push(Mark::text(at, anchor, words, "inner"));
    }

    fn add(&mut self, shape: Shape, class: String, tip: &str) {
        self.marks.push(Mark { shape, class, tip: tip.to_owned() });
    }
}

impl Figure {
    /// An empty figure of `width` x `height` px.
    pub(crate) fn sized(width: f64, height: f64) -> Self {
        Self { size: [width, height], ..Self::default() }
    }

    /// The figure of `axes` alone, as made by one of the kinds of charts.
    fn of(title: &str, summary: &str, axes: Axes, keys: Vec<Key>) -> Self {
        let [_, top, _, height] = axes.frame;
        let (title, summary) = (title.to_owned(), summary.to_owned());
        let size = [WIDTH_PX, top + height + BOTTOM_PX];
        Self { title, summary, size, axes: vec![axes], keys, ..Self::default() }
    }

    /// Adds words outside of the axes, `at` in px.
    pub(crate) fn words(&mut self, at: [f64; 2], anchor: Anchor, words: impl Into<String>, class: &str) {
        self.marks.push(Mark::text(at, anchor, words, class));
    }
}

/// `place`, rounded to tenths of a px and held near the stretch of `length` px from `from`: finer is not seen, and
/// further out there is nothing to draw.
fn held(place: f64, from: f64, length: f64) -> f64 {
    (place.clamp(from - REACH_PX, from + length + REACH_PX) * 10.0).round() / 10.0
}

/// The frame of a chart `height` px tall, with `left` px beside it: left, top, width and height, px.
fn frame(left: f64, height: f64) -> [f64; 4] {
    [left, TOP_PX, WIDTH_PX - left - RIGHT_PX, height - TOP_PX - BOTTOM_PX]
}

/// The class of series number `at`; there are [`SERIES`].
pub(crate) fn series_class(at: usize) -> String {
    format!("s{}", at % SERIES)
}

#[cfg(test)]
mod tests;
