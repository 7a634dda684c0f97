//! Charts as plain geometry: numbers in, places in px out. One template draws them all as inline SVG.
//!
//! A chart knows no colours: every mark has a class, and the style sheet gives it one for light and one for dark pages.

mod bars;
mod lines;
mod spans;

pub use bars::{Segment, StackedBar, histogram, ranked_bars, stacked_bars};
pub use lines::{Curve, det, line_chart};
pub use spans::{Span, spans};

use serde::Serialize;

use super::super::motion::axis::Scale;

/// Width of a chart in its own px; pages scale it to their column.
const WIDTH_PX: f64 = 560.0;
/// Height of a chart of curves, px.
const HEIGHT_PX: f64 = 350.0;
/// Room left of the frame for labels and the title of the axis, px.
const LEFT_PX: f64 = 58.0;
/// Room right of the frame, px.
const RIGHT_PX: f64 = 14.0;
/// Room above the frame, px.
const TOP_PX: f64 = 12.0;
/// Room below the frame for labels and the title of the axis, px.
const BOTTOM_PX: f64 = 46.0;

/// One chart, ready for the template `chart.html`. All places are px of the chart, rounded to tenths.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Chart {
    /// What it shows: its heading, and its name for those who do not see it.
    pub title: String,
    /// What can be read off it, in a sentence, for those who do not see it.
    pub summary: String,
    /// Width and height.
    pub size: [f64; 2],
    /// The frame: left, top, width, height.
    pub frame: [f64; 4],
    /// What the x axis is of, with its unit.
    pub x_title: String,
    /// What the y axis is of, with its unit.
    pub y_title: String,
    /// Labels and grid lines of the x axis.
    pub x_ticks: Vec<Tick>,
    /// Labels and grid lines of the y axis.
    pub y_ticks: Vec<Tick>,
    /// Filled rectangles.
    pub bars: Vec<Bar>,
    /// Curves.
    pub lines: Vec<Line>,
    /// Single points.
    pub dots: Vec<Dot>,
    /// Words beside marks.
    pub labels: Vec<Label>,
    /// What the classes stand for, below the chart.
    pub keys: Vec<Key>,
}

/// A place on an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tick {
    /// Along the axis.
    pub at: f64,
    /// What stands there.
    pub label: String,
    /// Whether a grid line is drawn through it.
    pub grid: bool,
}

/// A filled rectangle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// Left, top, width, height.
    pub place: [f64; 4],
    /// Class of the style sheet.
    pub class: String,
    /// What a pointer that rests on it shows.
    pub tip: String,
}

/// A curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// `x,y x,y ...`
    pub points: String,
    /// Class of the style sheet.
    pub class: String,
    /// What a pointer that rests on it shows.
    pub tip: String,
}

/// A single point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dot {
    /// From left and top.
    pub place: [f64; 2],
    /// Class of the style sheet.
    pub class: String,
    /// What a pointer that rests on it shows.
    pub tip: String,
}

/// Words in the chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// From left and top.
    pub place: [f64; 2],
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// The words.
    pub text: String,
}

/// What a class stands for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// Class of the style sheet.
    pub class: String,
    /// The words.
    pub label: String,
    /// A number beside them.
    pub value: String,
}

/// A chart with two scales, to which marks are added.
struct Plot {
    chart: Chart,
    x: Scale,
    y: Scale,
}

impl Plot {
    fn new(title: &str, height: f64, left: f64, x: Scale, y: Scale) -> Self {
        let frame = [left, TOP_PX, WIDTH_PX - left - RIGHT_PX, height - TOP_PX - BOTTOM_PX];
        let chart = Chart { title: title.to_owned(), size: [WIDTH_PX, height], frame, ..Chart::default() };
        Self { chart, x, y }
    }

    fn place_x(&self, x: f64) -> f64 {
        let [left, _, width, _] = self.chart.frame;
        tenths(left + width * self.x.place(x))
    }

    fn place_y(&self, y: f64) -> f64 {
        let [_, top, _, height] = self.chart.frame;
        tenths(top + height * (1.0 - self.y.place(y)))
    }

    fn x_axis(&mut self, title: &str, ticks: Vec<(f64, String)>) {
        title.clone_into(&mut self.chart.x_title);
        let tick = |(value, label)| Tick { at: self.place_x(value), label, grid: true };
        self.chart.x_ticks = ticks.into_iter().map(tick).collect();
    }

    fn y_axis(&mut self, title: &str, ticks: Vec<(f64, String)>) {
        title.clone_into(&mut self.chart.y_title);
        let tick = |(value, label)| Tick { at: self.place_y(value), label, grid: true };
        self.chart.y_ticks = ticks.into_iter().map(tick).collect();
    }

    /// A curve through `points`; those that are not finite are left out.
    fn line(&mut self, points: &[[f64; 2]], class: &str, tip: &str) {
        let [left, top, width, height] = self.chart.frame;
        let place = |[x, y]: &[f64; 2]| {
            let (x, y) = (self.place_x(*x), self.place_y(*y));
            // A curve may leave the frame a little; far outside there is nothing to draw.
            let near = |at: f64, from: f64, length: f64| {
                at.is_finite().then(|| at.clamp(from - 20.0, from + length + 20.0))
            };
            Some(format!("{},{}", near(x, left, width)?, near(y, top, height)?))
        };
        let points = points.iter().filter_map(place).collect::<Vec<_>>().join(" ");
        self.chart.lines.push(Line { points, class: class.to_owned(), tip: tip.to_owned() });
    }

    /// The chart, with what can be read off it.
    fn finished(self, summary: &str) -> Chart {
        Chart { summary: summary.to_owned(), ..self.chart }
    }

    fn bar(&mut self, [x1, x2]: [f64; 2], [y1, y2]: [f64; 2], class: &str, tip: String) {
        let (left, right) = (self.place_x(x1.min(x2)), self.place_x(x1.max(x2)));
        let (top, bottom) = (self.place_y(y1.max(y2)), self.place_y(y1.min(y2)));
        let place = [left, top, tenths(right - left), tenths(bottom - top)];
        self.chart.bars.push(Bar { place, class: class.to_owned(), tip });
    }
}

/// Rounded to tenths of a px: finer is not seen and makes long files.
fn tenths(px: f64) -> f64 {
    (px * 10.0).round() / 10.0
}

/// The class of series number `at`; there are eight.
pub fn series_class(at: usize) -> String {
    format!("s{}", at % SERIES)
}

/// How many series the style sheet tells apart by colour.
pub const SERIES: usize = 8;

#[cfg(test)]
mod tests;
