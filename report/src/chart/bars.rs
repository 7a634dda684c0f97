//! Charts of bars: shares on top of each other, ranked numbers, histograms.

use super::text::{TEXT_PX, fitted};
use super::{
    Anchor, Axes, BOTTOM_PX, Figure, HEIGHT_PX, Key, LEFT_PX, Mark, NAMES_PX, Scale, TOP_PX, frame, ticks,
};

/// Height of one horizontal bar with the room about it, px.
const SLOT_PX: f64 = 26.0;
/// Share of a slot that the bar fills.
const FILLED: f64 = 0.72;
/// A segment at least so wide, in percent of the bar, has its number written into it.
const LABELLED: f64 = 7.0;

/// One bar of parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StackedBar {
    /// Its name.
    pub name: String,
    /// The parts, in percent, in the order of the segments.
    pub parts: Vec<f64>,
}

/// One part of each bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// What it is.
    pub label: String,
    /// Class of the style sheet.
    pub class: String,
}

/// Bars below each other whose parts add up to 100 %.
pub(crate) fn stacked_bars(
    title: &str,
    summary: &str,
    unit: &str,
    segments: &[Segment],
    bars: &[StackedBar],
) -> Figure {
    let mut axes = rows(unit, [0.0, 100.0], SLOT_PX, bars.iter().map(|bar| bar.name.as_str()));
    for (at, bar) in bars.iter().enumerate() {
        let mut from = 0.0;
        for (segment, part) in segments.iter().zip(&bar.parts).filter(|(_, part)| **part > 0.0) {
            let tip = format!("{}, {}: {part:.2} %", bar.name, segment.label);
            axes.bar([from, from + part], edges(at), &segment.class, &tip);
            if *part >= LABELLED {
                let place = axes.place([from + part / 2.0, middle(at)]);
                axes.words(place, Anchor::Middle, format!("{part:.1}"));
            }
            from += part;
        }
    }
    let keys = segments.iter().map(|segment| Key::new(&segment.class, &segment.label, "")).collect();
    Figure::of(title, summary, axes, keys)
}

/// One bar for each of `bars`, in percent and in their order, from 0 on, with a line at `mark`. More than `named` of
/// them stand side by side without names.
pub(crate) fn ranked_bars(
    title: &str,
    summary: &str,
    unit: &str,
    bars: &[(String, f64)],
    mark: Option<(&str, f64)>,
    named: usize,
) -> Figure {
    let highest = bars.iter().map(|(_, value)| *value).chain(mark.map(|(_, value)| value));
    let (most, count) = ((highest.fold(0.0, f64::max) * 1.12).max(1.0), bars.len() as f64);
    let below_each_other = bars.len() <= named;
    let mut axes = if below_each_other {
        rows(unit, [0.0, most], SLOT_PX, bars.iter().map(|(name, _)| name.as_str()))
    } else {
        let frame = frame(LEFT_PX, HEIGHT_PX);
        let mut axes = Axes::new(frame, Scale::Linear(0.0, count), Scale::Linear(0.0, most));
        axes.x_axis("rank", ticks(0.0, count, 6));
        axes.y_axis(unit, ticks(0.0, most, 6));
        axes
    };
    for (at, (name, value)) in bars.iter().enumerate() {
        let tip = format!("{name}: {value:.2} %");
        if below_each_other {
            axes.bar([0.0, *value], edges(at), "s2", &tip);
        } else {
            axes.bar([at as f64 + 0.1, at as f64 + 0.9], [0.0, *value], "s2", &tip);
        }
    }
    let mut keys = Vec::new();
    if let Some((label, value)) = mark {
        let along =
            if below_each_other { [[value, 0.0], [value, -count]] } else { [[0.0, value], [count, value]] };
        axes.line(&along, "guide", label);
        keys.push(Key::new("guide", label, format!("{value:.2} %")));
    }
    // Above the line, which may run through them.
    for (at, (_, value)) in bars.iter().enumerate().filter(|_| below_each_other) {
        let [x, y] = axes.place([*value, middle(at)]);
        axes.marks.push(Mark::text([x + 5.0, y], Anchor::Start, format!("{value:.2}"), "inner halo"));
    }
    Figure::of(title, summary, axes, keys)
}

/// Two or more kinds of numbers from `ends[0]` to `ends[1]`: the share of each kind in bars of equal width, in percent,
/// with a line at `mark`.
pub(crate) fn histogram(
    title: &str,
    summary: &str,
    x_title: &str,
    ends: [f64; 2],
    kinds: &[(Key, Vec<f64>)],
    mark: Option<(&str, f64)>,
) -> Figure {
    let most =
        kinds.iter().flat_map(|(_, shares)| shares.iter().copied()).fold(0.0, f64::max).max(1e-9) * 1.1;
    let (x, y) = (Scale::Linear(ends[0], ends[1]), Scale::Linear(0.0, most));
    let mut axes = Axes::new(frame(LEFT_PX, HEIGHT_PX), x, y);
    axes.x_axis(x_title, ticks(ends[0], ends[1], 6));
    axes.y_axis("share of each kind, %", ticks(0.0, most, 6));
    for (key, shares) in kinds {
        let width = (ends[1] - ends[0]) / shares.len().max(1) as f64;
        for (at, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let from = ends[0] + width * at as f64;
            let tip = format!("{}, {from:.3} to {:.3}: {share:.2} %", key.label, from + width);
            axes.bar([from, from + width], [0.0, *share], &format!("{} veil", key.class), &tip);
        }
    }
    let mut keys: Vec<Key> = kinds.iter().map(|(key, _)| key.clone()).collect();
    if let Some((label, value)) = mark {
        axes.line(&[[value, 0.0], [value, most]], "guide", label);
        keys.push(Key::new("guide", label, format!("{value:.4}")));
    }
    Figure::of(title, summary, axes, keys)
}

/// Axes of named rows, `slot` px each: row number n lies from -n - 1 to -n along y.
pub(super) fn rows<'a>(
    unit: &str,
    [low, high]: [f64; 2],
    slot: f64,
    names: impl ExactSizeIterator<Item = &'a str>,
) -> Axes {
    let count = names.len().max(1) as f64;
    let frame = frame(NAMES_PX, slot * count + TOP_PX + BOTTOM_PX);
    let mut axes = Axes::new(frame, Scale::Linear(low, high), Scale::Linear(-count, 0.0));
    axes.x_axis(unit, ticks(low, high, 6));
    let label = |name| fitted(name, TEXT_PX, NAMES_PX - 12.0);
    axes.y_ticks = names.enumerate().map(|(at, name)| (middle(at), label(name))).collect();
    axes.y_grid = false;
    axes
}

/// Lower and upper edge of the bar of row number `at`.
fn edges(at: usize) -> [f64; 2] {
    [-FILLED / 2.0, FILLED / 2.0].map(|half| middle(at) + half)
}

/// The middle of row number `at`.
pub(super) fn middle(at: usize) -> f64 {
    -(at as f64) - 0.5
}
