//! Where windows and their blocks lie: bars above a panel, in as many rows as blocks overlap.

use super::super::chart::{Anchor, Axes, Figure, Mark, Shape, TEXT_PX, duration, width_of};
use super::traces::Span;

/// Height of the bar of a block, px.
const BAR_PX: f64 = 5.0;
/// Between rows, px.
const ROW_GAP_PX: f64 = 2.0;
/// Height of the line that a window's length is written in, px.
const WORDS_PX: f64 = 16.0;
/// Below the rows, px.
const FOOT_PX: f64 = 5.0;
/// Most rows; blocks that overlap more share them.
const MOST_ROWS: usize = 6;
/// Blocks nearer than this to each other are not drawn one by one, px.
const LEAST_HOP_PX: f64 = 3.0;

/// How a window is cut from a signal, samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// Blocks of a window, T.
    pub blocks: usize,
    /// Samples of a block, B.
    pub samples: usize,
    /// Samples from the start of one block to that of the next.
    pub hop: usize,
}

/// The first window of each stretch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BlockBars {
    /// The windows, each with its blocks, seconds.
    windows: Vec<Vec<Span>>,
    /// What is written where a stretch is too short: its start and why.
    short: Vec<(f64, String)>,
    /// Whether the windows are shown in the signal too; a panel that is one window shows its blocks alone.
    shaded: bool,
}

impl BlockBars {
    /// The blocks of a panel that is one window.
    pub(super) fn of_window(blocks: &[Span]) -> Self {
        Self { windows: vec![blocks.to_vec()], short: Vec::new(), shaded: false }
    }

    /// The first window that `cut` makes of each of `stretches`, samples being `period` seconds apart.
    pub(super) fn cut(stretches: &[Span], cut: Blocks, period: f64) -> Self {
        let length = (cut.hop * (cut.blocks - 1) + cut.samples) as f64 * period;
        let (mut windows, mut short) = (Vec::new(), Vec::new());
        for [start, end] in stretches {
            // Half a sample of slack: spans are sums of periods.
            if end - start + period / 2.0 < length {
                short.push((*start, format!("shorter than {}", duration(length))));
                continue;
            }
            let block = |number: usize| {
                let from = start + (number * cut.hop) as f64 * period;
                [from, from + cut.samples as f64 * period]
            };
            windows.push((0..cut.blocks).map(block).collect());
        }
        Self { windows, short, shaded: true }
    }

    /// How many rows keep overlapping blocks apart, where blocks are drawn one by one.
    fn count(&self, px_per_second: f64) -> usize {
        let Some([first, second]) = self.windows.first().and_then(|blocks| blocks.first_chunk()) else {
            return 1;
        };
        let (hop, length) = (second[0] - first[0], first[1] - first[0]);
        if hop * px_per_second < LEAST_HOP_PX {
            return 1;
        }
        // Less a little, since 2 x hop is seldom length to the last bit.
        ((length / hop - 1e-6).ceil() as usize).clamp(1, MOST_ROWS)
    }

    /// Height of the rows and what is written above them, px.
    pub(super) fn height(&self, px_per_second: f64) -> f64 {
        WORDS_PX + self.count(px_per_second) as f64 * (BAR_PX + ROW_GAP_PX) + FOOT_PX
    }
}

/// Draws `bars` above the strips of a panel, the first of which is the first of `strips`, and shades the windows in all
/// of them.
pub(super) fn draw(figure: &mut Figure, bars: &BlockBars, strips: &mut [Axes], px_per_second: f64) {
    let Some([left, strips_top, width, _]) = strips.first().map(|strip| strip.frame) else { return };
    let x = strips[0].x;
    let (right, top) = (left + width, strips_top - bars.height(px_per_second));
    let count = bars.count(px_per_second);
    let clipped = |seconds: f64| left + width * x.place(seconds).clamp(0.0, 1.0);
    let mut fill = |left: f64, top: f64, width: f64, class: &str| {
        figure.marks.push(Mark::new(Shape::Bar([left, top, width, BAR_PX]), format!("mark {class}")));
    };
    let mut words: Vec<(f64, &str)> =
        bars.short.iter().map(|(start, text)| (clipped(*start), text.as_str())).collect();
    let long = bars.windows.iter().find_map(|blocks| Some(blocks.last()?[1] - blocks.first()?[0]));
    let long = long.map_or_else(String::new, |seconds| format!("window {}", duration(seconds)));
    for blocks in &bars.windows {
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { continue };
        let (from, to) = (clipped(first[0]), clipped(last[1]));
        if to - from < 1.0 {
            continue;
        }
        let apart = blocks.get(1).map_or(f64::INFINITY, |second| second[0] - first[0]) * px_per_second;
        if apart < LEAST_HOP_PX {
            fill(from, top + WORDS_PX, to - from, "s2");
        } else {
            for (number, [start, end]) in blocks.iter().enumerate() {
                let (start, end) = (clipped(*start), clipped(*end));
                let y = top + WORDS_PX + (number % count) as f64 * (BAR_PX + ROW_GAP_PX);
                let class = if (number / count).is_multiple_of(2) { "s2" } else { "s5" };
                // One px less, so that blocks that follow each other in a row stay apart.
                fill(start, y, (end - start - 1.0).max(0.5), class);
            }
        }
        for strip in strips.iter_mut().filter(|_| bars.shaded) {
            strip.area([first[0], last[1]], "s2 shade");
            for edge in [first[0], last[1]] {
                strip.line(&[[edge, f64::NEG_INFINITY], [edge, f64::INFINITY]], "s2 edge", "");
            }
        }
        words.push((from, &long));
    }
    words.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = left;
    for (x, text) in words.into_iter().filter(|(x, text)| x + width_of(text, TEXT_PX) <= right) {
        if x >= free {
            figure.words([x, top + WORDS_PX / 2.0 - 2.0], Anchor::Start, text, "");
            free = x + width_of(text, TEXT_PX) + 8.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABACUS: Blocks = Blocks { blocks: 20, samples: 50, hop: 25 };

    #[test]
    fn a_window_takes_what_its_blocks_take() {
        let bars = BlockBars::cut(&[[0.0, 10.5], [12.0, 22.4], [30.0, 60.0]], ABACUS, 0.02);
        assert_eq!((bars.windows.len(), bars.short.len()), (2, 1));
        let [start, end] = [bars.windows[1][0][0], bars.windows[1][19][1]];
        assert!((start - 30.0).abs() < 1e-9 && (end - 40.5).abs() < 1e-9);
        assert_eq!(bars.short[0].1, "shorter than 10.5 s");
    }

    #[test]
    fn overlapping_blocks_have_rows_of_their_own() {
        let of = |hop| BlockBars::cut(&[[0.0, 100.0]], Blocks { hop, ..ABACUS }, 0.02).count(100.0);
        assert_eq!([of(50), of(25), of(17), of(10), of(1)], [1, 2, 3, 5, 1]);
        let single = BlockBars::of_window(&[[0.0, 1.0]]);
        assert_eq!(single.count(100.0), 1);
    }
}
