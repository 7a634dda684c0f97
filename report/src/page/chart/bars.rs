//! Charts of bars: shares on top of each other, ranked numbers, histograms.

use super::super::super::motion::axis::{Scale, ticks};
use super::{Chart, HEIGHT_PX, Key, LEFT_PX, Label, Plot, Tick};

/// Height of one horizontal bar with the room about it, px.
const SLOT_PX: f64 = 26.0;
/// Share of a slot that the bar fills.
const FILLED: f64 = 0.72;
/// Room for the names left of horizontal bars, px.
const NAMES_PX: f64 = 118.0;
/// A segment at least so wide, in percent of the bar, has its number written into it.
const LABELLED: f64 = 7.0;
/// Most bars that stand below each other with their names; more become a profile without names.
const NAMED: usize = 40;

/// One bar of parts.
#[derive(Debug, Clone, PartialEq)]
pub struct StackedBar {
    /// Its name.
    pub name: String,
    /// The parts, in percent, in the order of the segments.
    pub parts: Vec<f64>,
}

/// One part of each bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What it is.
    pub label: String,
    /// Class of the style sheet.
    pub class: String,
}

/// Bars below each other whose parts add up to 100 %.
pub fn stacked_bars(
    title: &str,
    summary: &str,
    unit: &str,
    segments: &[Segment],
    bars: &[StackedBar],
) -> Chart {
    let mut plot = rows(title, unit, 100.0, bars.iter().map(|bar| bar.name.as_str()));
    for (at, bar) in bars.iter().enumerate() {
        let y = edges(at);
        let mut from = 0.0;
        for (segment, part) in segments.iter().zip(&bar.parts).filter(|(_, part)| **part > 0.0) {
            let tip = format!("{}, {}: {part:.2} %", bar.name, segment.label);
            plot.bar([from, from + part], y, &segment.class, tip);
            if *part >= LABELLED {
                let place = [plot.place_x(from + part / 2.0), middle(&plot, y)];
                plot.chart.labels.push(Label { place, anchor: "middle", text: format!("{part:.1}") });
            }
            from += part;
        }
    }
    let key = |segment: &Segment| Key {
        class: segment.class.clone(),
        label: segment.label.clone(),
        value: String::new(),
    };
    plot.chart.keys = segments.iter().map(key).collect();
    plot.finished(summary)
}

/// One bar for each of `bars`, in their order, from 0 on, with a line at `mark`. Many bars stand side by side without
/// names.
pub fn ranked_bars(
    title: &str,
    summary: &str,
    unit: &str,
    bars: &[(String, f64)],
    mark: Option<(&str, f64)>,
) -> Chart {
    let highest = bars.iter().map(|(_, value)| *value).chain(mark.map(|(_, value)| value));
    let most = (highest.fold(0.0, f64::max) * 1.12).max(1.0);
    let mut plot = if bars.len() <= NAMED {
        let mut plot = rows(title, unit, most, bars.iter().map(|(name, _)| name.as_str()));
        for (at, (name, value)) in bars.iter().enumerate() {
            plot.bar([0.0, *value], edges(at), "s2", format!("{name}: {value:.2} %"));
            let place = [plot.place_x(*value) + 5.0, middle(&plot, edges(at))];
            plot.chart.labels.push(Label { place, anchor: "start", text: format!("{value:.2}") });
        }
        if let Some((label, value)) = mark {
            plot.line(&[[value, 0.0], [value, -(bars.len() as f64)]], "guide", label);
        }
        plot
    } else {
        let (x, y) = (Scale::Linear(0.0, bars.len() as f64), Scale::Linear(0.0, most));
        let mut plot = Plot::new(title, HEIGHT_PX, LEFT_PX, x, y);
        plot.x_axis("rank", ticks(0.0, bars.len() as f64, 6));
        plot.y_axis(unit, ticks(0.0, most, 6));
        for (at, (name, value)) in bars.iter().enumerate() {
            plot.bar(
                [at as f64 + 0.1, at as f64 + 0.9],
                [0.0, *value],
                "s2",
                format!("{name}: {value:.2} %"),
            );
        }
        if let Some((label, value)) = mark {
            plot.line(&[[0.0, value], [bars.len() as f64, value]], "guide", label);
        }
        plot
    };
    if let Some((label, value)) = mark {
        let (class, value) = ("guide".to_owned(), format!("{value:.2} %"));
        plot.chart.keys.push(Key { class, label: label.to_owned(), value });
    }
    plot.finished(summary)
}

/// Two or more kinds of numbers from `ends[0]` to `ends[1]`: the share of each kind in bars of equal width, with a line
/// at `mark`.
pub fn histogram(
    title: &str,
    summary: &str,
    x_title: &str,
    ends: [f64; 2],
    kinds: &[(Key, Vec<f64>)],
    mark: Option<(&str, f64)>,
) -> Chart {
    let most =
        kinds.iter().flat_map(|(_, shares)| shares.iter().copied()).fold(0.0, f64::max).max(1e-9) * 1.1;
    let (x, y) = (Scale::Linear(ends[0], ends[1]), Scale::Linear(0.0, most));
    let mut plot = Plot::new(title, HEIGHT_PX, LEFT_PX, x, y);
    plot.x_axis(x_title, ticks(ends[0], ends[1], 6));
    plot.y_axis("share of each kind, %", ticks(0.0, most, 6));
    for (key, shares) in kinds {
        let width = (ends[1] - ends[0]) / shares.len().max(1) as f64;
        for (at, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let from = ends[0] + width * at as f64;
            let tip = format!("{}, {from:.3} to {:.3}: {share:.2} %", key.label, from + width);
            plot.bar([from, from + width], [0.0, *share], &format!("{} veil", key.class), tip);
        }
        plot.chart.keys.push(key.clone());
    }
    if let Some((label, value)) = mark {
        plot.line(&[[value, 0.0], [value, most]], "guide", label);
        let (class, value) = ("guide".to_owned(), format!("{value:.4}"));
        plot.chart.keys.push(Key { class, label: label.to_owned(), value });
    }
    plot.finished(summary)
}

/// A plot of horizontal bars called `names`: bar number n lies from -n - 1 to -n along y.
fn rows<'a>(title: &str, unit: &str, most: f64, names: impl ExactSizeIterator<Item = &'a str>) -> Plot {
    let count = names.len().max(1);
    let height = SLOT_PX * count as f64 + super::TOP_PX + super::BOTTOM_PX;
    let (x, y) = (Scale::Linear(0.0, most), Scale::Linear(-(count as f64), 0.0));
    let mut plot = Plot::new(title, height, NAMES_PX, x, y);
    plot.x_axis(unit, ticks(0.0, most, 6));
    let tick = |(at, name): (usize, &str)| Tick {
        at: plot.place_y(-(at as f64) - 0.5),
        label: shortened(name),
        grid: false,
    };
    plot.chart.y_ticks = names.enumerate().map(tick).collect();
    plot
}

/// Lower and upper edge of bar number `at`.
fn edges(at: usize) -> [f64; 2] {
    let margin = (1.0 - FILLED) / 2.0;
    [-(at as f64) - 1.0 + margin, -(at as f64) - margin]
}

fn middle(plot: &Plot, [low, high]: [f64; 2]) -> f64 {
    plot.place_y(f64::midpoint(low, high))
}

/// Most letters of a name left of a bar.
const LETTERS: usize = 17;

fn shortened(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}
