//! Sheets of signals: one panel a session or window, its sensors below each other over one axis of seconds.

use arrow::array::RecordBatch;

use super::super::Sheet;
use super::super::chart::{
    self, Anchor, Axes, Figure, HEAD_PX, LINE_PX, Mark, Scale, Shape, TEXT_PX, duration, fitted,
    series_class, ticks, width_of,
};
use super::super::error::{ReportError, within};
use super::super::words::spaced;
use super::block_bars::{self, BlockBars, Blocks};
use super::traces::{Strip, Trace, traces};

/// Width of a page unless asked otherwise, px: it fits a laptop's screen.
pub(super) const DEFAULT_WIDTH_PX: u32 = 1000;
/// The least width of a page, px: below, labels and legend leave no room for a line.
pub(super) const LEAST_WIDTH_PX: u32 = 480;
/// Panels of a page unless asked otherwise.
pub(super) const DEFAULT_PANELS: usize = 6;
/// The most panels of a page.
pub(super) const MOST_PANELS: usize = 48;
/// White about the page, px.
const MARGIN_PX: f64 = 16.0;
/// Room for labels and units left of a strip, px.
const LEFT_PX: f64 = 84.0;
/// Room for the legend right of a strip, px.
const RIGHT_PX: f64 = 76.0;
/// Height of the title of a panel with the space below, px.
const TITLE_PX: f64 = 24.0;
/// Height of a strip, px.
const STRIP_PX: f64 = 108.0;
/// Between strips, px.
const SEAM_PX: f64 = 8.0;
/// Labels of seconds below a panel and the space to the next, px.
const FOOT_PX: f64 = 60.0;
/// A line with more samples than this for each px is drawn by its least and largest values.
const DENSE: usize = 4;

/// How signals are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalOptions {
    /// Width of the page, px.
    pub width_px: u32,
    /// At most so many panels are drawn, evenly spread over the batch.
    pub panels: usize,
    /// Show where the first window of each stretch and its blocks lie. Readings have no common rate, so they show
    /// none.
    pub blocks: Option<Blocks>,
}

impl Default for SignalOptions {
    fn default() -> Self {
        Self { width_px: DEFAULT_WIDTH_PX, panels: DEFAULT_PANELS, blocks: None }
    }
}

/// The page of `batch`, a table `readings`, `signals` or `windows`.
///
/// Neighbouring rows of one session share a panel, its gaps shaded; a window has a panel of its own, its blocks as
/// bars above and laid where they came from, so that they overlap as they do in time. [`Sheet::drawn`] counts panels.
///
/// # Errors
/// When there is nothing to draw, the batch is none of these tables, or the options are out of range.
pub fn signal_sheet(batch: &RecordBatch, options: &SignalOptions) -> Result<Sheet, ReportError> {
    check(options)?;
    let all = traces(batch)?;
    if all.is_empty() {
        return Err(ReportError::NoRows { table: "signals" });
    }
    let chosen = options.panels.min(all.len());
    let panels: Vec<Panel<'_>> =
        (0..chosen).map(|number| Panel::new(&all[number * all.len() / chosen], options)).collect();
    let starred = panels.iter().any(|panel| panel.trace.strips.iter().any(|strip| strip.unit.ends_with('*')));
    let (width, foot) =
        (f64::from(options.width_px), if starred || chosen < all.len() { LINE_PX } else { 0.0 });
    let height = panels.iter().map(Panel::height).sum::<f64>() + MARGIN_PX + foot;
    let mut figure = Figure::sized(width, height);
    let mut top = MARGIN_PX;
    for panel in &panels {
        panel.draw(&mut figure, top);
        top += panel.height();
    }
    let foot = height - LINE_PX;
    if starred {
        figure.words([MARGIN_PX, foot], Anchor::Start, "* unless the signal is normalised", "");
    }
    if chosen < all.len() {
        let text = format!("{chosen} of {} shown", all.len());
        figure.words([width - MARGIN_PX, foot], Anchor::End, text, "");
    }
    Ok(Sheet { picture: chart::draw(&figure)?, drawn: chosen, rejects: Vec::new() })
}

fn check(options: &SignalOptions) -> Result<(), ReportError> {
    within("panels", options.panels, 1, MOST_PANELS)?;
    within("px of width", options.width_px as usize, LEAST_WIDTH_PX as usize, chart::MOST_PX as usize)?;
    if let Some(cut) = options.blocks {
        for (what, found) in
            [("blocks", cut.blocks), ("samples of a block", cut.samples), ("samples of hop", cut.hop)]
        {
            within(what, found, 1, usize::MAX)?;
        }
    }
    Ok(())
}

/// A trace, and how it is laid out.
struct Panel<'a> {
    trace: &'a Trace,
    seconds: f64,
    width: f64,
    bars: Option<BlockBars>,
}

impl<'a> Panel<'a> {
    fn new(trace: &'a Trace, options: &SignalOptions) -> Self {
        let seconds = if trace.seconds > 0.0 { trace.seconds } else { 1.0 };
        let width = f64::from(options.width_px) - 2.0 * MARGIN_PX - LEFT_PX - RIGHT_PX;
        let bars = match (options.blocks, trace.period) {
            _ if !trace.blocks.is_empty() => Some(BlockBars::of_window(&trace.blocks)),
            (Some(cut), Some(period)) => Some(BlockBars::cut(&trace.stretches, cut, period)),
            _ => None,
        };
        Self { trace, seconds, width, bars }
    }

    fn bars_height(&self) -> f64 {
        self.bars.as_ref().map_or(0.0, |bars| bars.height(self.width / self.seconds))
    }

    fn height(&self) -> f64 {
        let strips = self.trace.strips.len().max(1) as f64;
        TITLE_PX + self.bars_height() + strips * (STRIP_PX + SEAM_PX) - SEAM_PX + FOOT_PX
    }

    fn draw(&self, figure: &mut Figure, top: f64) {
        let (left, right) = (MARGIN_PX + LEFT_PX, MARGIN_PX + LEFT_PX + self.width + RIGHT_PX);
        let title = fitted(&self.trace.title, HEAD_PX, (right - MARGIN_PX) * 0.6);
        figure.words([MARGIN_PX, top + LINE_PX / 2.0 - 2.0], Anchor::Start, &title, "head");
        let room = right - MARGIN_PX - width_of(&title, HEAD_PX) - LINE_PX;
        let detail = fitted(&self.trace.detail, TEXT_PX, room);
        figure.words([right, top + LINE_PX / 2.0 - 2.0], Anchor::End, detail, "");
        let first = top + TITLE_PX + self.bars_height();
        let mut strips = Vec::new();
        for (at, strip) in self.trace.strips.iter().enumerate() {
            strips.push(self.strip(figure, strip, [left, first + at as f64 * (STRIP_PX + SEAM_PX)]));
        }
        let Some(last) = strips.last_mut() else {
            figure.words([left, first + LINE_PX], Anchor::Start, "no sensor has a reading", "warning");
            return;
        };
        last.x_axis("time, s", self.ticks());
        if let Some(bars) = &self.bars {
            block_bars::draw(figure, bars, &mut strips, self.width / self.seconds);
        }
        figure.axes.extend(strips);
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        ticks(0.0, self.seconds, (self.width / 80.0) as usize)
    }

    /// The axes of `strip` from `left` and `top` on, px; the names of its lines stand beside it in `figure`.
    fn strip(&self, figure: &mut Figure, strip: &Strip, [left, top]: [f64; 2]) -> Axes {
        let frame = [left, top, self.width, STRIP_PX];
        let points = || strip.lines.iter().flat_map(|line| line.pieces.iter().flatten());
        let y = Scale::about(points().map(|[_, value]| *value));
        let mut axes = Axes::new(frame, Scale::Linear(0.0, self.seconds), y);
        let short = spaced(&strip.name).replace("accelerometer", "acc").replace("gyroscope", "gyro");
        let title = if strip.unit.is_empty() { short } else { format!("{short}, {}", strip.unit) };
        if let Scale::Linear(low, high) = y {
            axes.y_axis(&fitted(&title, TEXT_PX, STRIP_PX), ticks(low, high, 4));
        }
        // Labels stand below the last strip alone.
        axes.x_ticks = self.ticks().into_iter().map(|(seconds, _)| (seconds, String::new())).collect();
        self.gaps(&mut axes, strip);
        for (at, line) in strip.lines.iter().enumerate() {
            let class = series_class(at);
            for piece in &line.pieces {
                axes.line(&thinned(piece, &axes), &format!("{class} thin"), "");
            }
            let (x, y) = (left + self.width + 10.0, top + 8.0 + LINE_PX * at as f64);
            if y + LINE_PX / 2.0 < top + STRIP_PX {
                figure.marks.push(Mark::new(Shape::Bar([x, y - 1.5, 14.0, 3.0]), format!("mark {class}")));
                let name = fitted(&line.name, TEXT_PX, RIGHT_PX - 30.0);
                figure.words([x + 20.0, y], Anchor::Start, name, "ink");
            }
        }
        if !points().any(|[_, value]| value.is_finite()) {
            let place = [left + self.width / 2.0, top + STRIP_PX / 2.0];
            figure.words(place, Anchor::Middle, "no finite number", "warning");
        }
        axes
    }

    /// Shades the times between the stretches of the strip's own lines, and says how long a wide one is.
    fn gaps(&self, axes: &mut Axes, strip: &Strip) {
        if !self.trace.blocks.is_empty() {
            return;
        }
        let period = self.trace.period.unwrap_or(0.0);
        let mut spans: Vec<[f64; 2]> = strip.lines.first().map_or_else(Vec::new, |line| {
            let ends = |piece: &Vec<[f64; 2]>| Some([piece.first()?[0], piece.last()?[0] + period]);
            line.pieces.iter().filter_map(ends).collect()
        });
        spans.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [_, top, _, height] = axes.frame;
        let mut covered = 0.0_f64;
        for [start, end] in spans.into_iter().chain([[self.seconds; 2]]) {
            if start - covered > period * 0.5 {
                axes.area([covered, start], "gap");
                let (from, to) = (axes.place_x(covered), axes.place_x(start));
                let text = duration(start - covered);
                if width_of(&text, TEXT_PX) + 6.0 < to - from {
                    axes.words([f64::midpoint(from, to), top + height - 10.0], Anchor::Middle, text);
                }
            }
            covered = covered.max(end);
        }
    }
}

/// The points of `piece` that are drawn: of many within one column the first, least, largest and last. Values that are
/// not finite become `NaN`, where lines break.
fn thinned(piece: &[[f64; 2]], axes: &Axes) -> Vec<[f64; 2]> {
    let finite = |[time, value]: &[f64; 2]| [*time, if value.is_finite() { *value } else { f64::NAN }];
    let columns = match (piece.first(), piece.last()) {
        (Some(first), Some(last)) => (axes.place_x(last[0]) - axes.place_x(first[0])).max(1.0) as usize,
        _ => return Vec::new(),
    };
    if piece.len() <= DENSE * columns {
        return piece.iter().map(finite).collect();
    }
    let mut points = Vec::with_capacity(DENSE * columns);
    for column in 0..columns {
        let part = &piece[column * piece.len() / columns..(column + 1) * piece.len() / columns];
        let by_value = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
        let numbers = || part.iter().filter(|point| point[1].is_finite());
        let picked = [part.first(), numbers().min_by(by_value), numbers().max_by(by_value), part.last()];
        let mut picked: Vec<&[f64; 2]> = picked.into_iter().flatten().collect();
        picked.sort_by(|a, b| a[0].total_cmp(&b[0]));
        points.extend(picked.into_iter().map(finite));
    }
    points
}
