//! A chart of numbers with their intervals, below each other, about zero.

use super::super::words::{signed, signed_interval};
use super::Figure;
use super::bars::{middle, rows};

/// Height of one row, px.
const ROW_PX: f64 = 24.0;

/// A number and its interval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    /// What it is of.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Both ends of its interval.
    pub ends: Option<[f64; 2]>,
}

/// The spans in their order, with a line at zero.
pub(crate) fn spans(title: &str, summary: &str, unit: &str, all: &[Span]) -> Figure {
    let numbers = all.iter().flat_map(|span| {
        let [low, high] = span.ends.unwrap_or([span.value; 2]);
        [low, high, span.value]
    });
    let reach = numbers.map(f64::abs).filter(|v| v.is_finite()).fold(0.0, f64::max).max(0.5) * 1.1;
    let mut axes = rows(unit, [-reach, reach], ROW_PX, all.iter().map(|span| span.name.as_str()));
    axes.line(&[[0.0, 0.0], [0.0, -(all.len().max(1) as f64)]], "guide", "no difference");
    for (at, span) in all.iter().enumerate() {
        let clear = span.ends.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        let class = if clear { "s2" } else { "muted" };
        let mut tip = format!("{}: {}", span.name, signed(span.value));
        if let Some([low, high]) = span.ends {
            tip = format!("{tip}, {}", signed_interval(span.ends));
            axes.line(&[[low, middle(at)], [high, middle(at)]], &format!("{class} whisker"), &tip);
        }
        axes.dot([span.value, middle(at)], class, &tip);
    }
    Figure::of(title, summary, axes, Vec::new())
}
