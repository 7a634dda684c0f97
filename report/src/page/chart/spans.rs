//! A chart of numbers with their intervals, below each other, about zero.

use super::super::super::motion::axis::{Scale, ticks};
use super::super::content::{signed, signed_interval};
use super::{Chart, Dot, Plot, Tick};

/// Height of one row, px.
const ROW_PX: f64 = 24.0;
/// Room for the names, px.
const NAMES_PX: f64 = 118.0;

/// A number and its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What it is of.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Both ends of its interval.
    pub ends: Option<[f64; 2]>,
}

/// The spans in their order, with a line at zero.
pub fn spans(title: &str, summary: &str, unit: &str, all: &[Span]) -> Chart {
    let numbers = all.iter().flat_map(|span| {
        let [low, high] = span.ends.unwrap_or([span.value; 2]);
        [low, high, span.value]
    });
    let reach = numbers.map(f64::abs).filter(|v| v.is_finite()).fold(0.0, f64::max).max(0.5) * 1.1;
    let count = all.len().max(1) as f64;
    let height = ROW_PX * count + super::TOP_PX + super::BOTTOM_PX;
    let (x, y) = (Scale::Linear(-reach, reach), Scale::Linear(-count, 0.0));
    let mut plot = Plot::new(title, height, NAMES_PX, x, y);
    plot.x_axis(unit, ticks(-reach, reach, 6));
    plot.line(&[[0.0, 0.0], [0.0, -count]], "guide", "no difference");
    for (at, span) in all.iter().enumerate() {
        let y = -(at as f64) - 0.5;
        let clear = span.ends.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        let class = if clear { "s2" } else { "muted" };
        let mut tip = format!("{}: {}", span.name, signed(span.value));
        if let Some([low, high]) = span.ends {
            tip = format!("{tip}, {}", signed_interval(span.ends));
            plot.line(&[[low, y], [high, y]], &format!("{class} whisker"), &tip);
        }
        let place = [plot.place_x(span.value), plot.place_y(y)];
        plot.chart.dots.push(Dot { place, class: class.to_owned(), tip });
        let at = plot.place_y(y);
        plot.chart.y_ticks.push(Tick { at, label: span.name.clone(), grid: false });
    }
    plot.finished(summary)
}
