//! Sheets of signals: one panel a session or window, its sensors below each other over one axis of seconds.

use arrow::array::RecordBatch;

use super::super::Sheet;
use super::super::caption::LETTER_PX;
use super::axis::{Scale, duration, ticks};
use super::block_bars::{self, BlockBars, Blocks};
use super::canvas::{Anchor, Canvas, PLAIN, Style, fitted, width_of};
use super::colours::{FRAME, GAP, VERMILLION, of_line};
use super::plot::Plot;
use super::traces::{Strip, Trace, traces};
use stages::stage::StageError;

/// Width of a page unless asked otherwise, px: it fits a laptop's screen.
pub const DEFAULT_WIDTH_PX: u32 = 1000;
/// The least width of a page, px: below, labels and legend leave no room for a line.
pub const LEAST_WIDTH_PX: u32 = 480;
/// Panels of a page unless asked otherwise.
pub const DEFAULT_PANELS: usize = 6;
/// The most panels of a page.
pub const MOST_PANELS: usize = 48;
/// White about the page, px.
const MARGIN_PX: f32 = 16.0;
/// Room for labels and units left of a strip, px.
const LEFT_PX: f32 = 78.0;
/// Room for the legend right of a strip, px.
const RIGHT_PX: f32 = 76.0;
/// Height of the title of a panel with the space below, px.
const TITLE_PX: f32 = 18.0;
/// Height of a strip, px.
const STRIP_PX: f32 = 108.0;
/// Between strips, px.
const SEAM_PX: f32 = 8.0;
/// Labels of seconds below a panel and the space to the next, px.
const FOOT_PX: f32 = 44.0;
/// A line with more samples than this for each px is drawn by its least and largest values.
const DENSE: usize = 4;

/// How signals are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalOptions {
    /// Width of the page, px.
    pub width_px: u32,
    /// At most so many panels are drawn, evenly spread over the batch.
    pub panels: usize,
    /// Only the first so many seconds of each panel; all where `None`.
    pub seconds: Option<f64>,
    /// Show where the first window of each stretch and its blocks lie. Readings have no common rate, so they show
    /// none.
    pub blocks: Option<Blocks>,
}

impl Default for SignalOptions {
    fn default() -> Self {
        Self { width_px: DEFAULT_WIDTH_PX, panels: DEFAULT_PANELS, seconds: None, blocks: None }
    }
}

/// The page of `batch`, a table `readings`, `signals` or `windows`.
///
/// Neighbouring rows of one session share a panel, its gaps shaded; a window has a panel of its own, its blocks as
/// bars above and laid where they came from, so that they overlap as they do in time. [`Sheet::drawn`] counts panels.
///
/// # Errors
/// When there is nothing to draw, the batch is none of these tables, or the options are out of range.
pub fn signal_sheet(batch: &RecordBatch, options: &SignalOptions) -> Result<Sheet, StageError> {
    check(options)?;
    let all = traces(batch)?;
    if all.is_empty() {
        return Err(StageError::data("there are no rows of signals to draw", "give a table that has rows"));
    }
    let chosen = options.panels.min(all.len());
    let panels: Vec<Panel<'_>> =
        (0..chosen).map(|number| Panel::new(&all[number * all.len() / chosen], options)).collect();
    let starred = panels.iter().any(|panel| panel.trace.strips.iter().any(|strip| strip.unit.ends_with('*')));
    let height: f32 = panels.iter().map(Panel::height).sum::<f32>() + 2.0 * MARGIN_PX - 12.0;
    let mut canvas = Canvas::new(options.width_px, height as u32)?;
    let mut top = MARGIN_PX;
    for panel in &panels {
        panel.draw(&mut canvas, top);
        top += panel.height();
    }
    let grey = Style { ink: FRAME, ..PLAIN };
    let foot = height - MARGIN_PX - LETTER_PX as f32 + 2.0;
    if starred {
        canvas.write("* unless the signal is normalised", [MARGIN_PX, foot], Anchor::Left, grey);
    }
    if chosen < all.len() {
        let text = format!("{chosen} of {} shown", all.len());
        canvas.write(&text, [options.width_px as f32 - MARGIN_PX, foot], Anchor::Right, grey);
    }
    Ok(Sheet { picture: canvas.finish(), drawn: chosen, rejects: Vec::new() })
}

fn check(options: &SignalOptions) -> Result<(), StageError> {
    if options.width_px < LEAST_WIDTH_PX || !(1..=MOST_PANELS).contains(&options.panels) {
        let (panels, width) = (options.panels, options.width_px);
        return Err(StageError::config(
            format!("a page {width} px wide cannot have {panels} panels of signals"),
            format!("ask for 1 to {MOST_PANELS} panels and at least {LEAST_WIDTH_PX} px"),
        ));
    }
    if options.seconds.is_some_and(|seconds| !(seconds.is_finite() && seconds > 0.0)) {
        return Err(StageError::config("no signal can be drawn over no time", "ask for some `seconds`"));
    }
    if options.blocks.is_some_and(|cut| cut.blocks == 0 || cut.samples == 0 || cut.hop == 0) {
        return Err(StageError::config(
            "a window needs blocks, samples and a hop",
            "give three numbers of at least 1",
        ));
    }
    Ok(())
}

/// A trace, and how it is laid out.
struct Panel<'a> {
    trace: &'a Trace,
    seconds: f64,
    width: f32,
    bars: Option<BlockBars>,
}

impl<'a> Panel<'a> {
    fn new(trace: &'a Trace, options: &SignalOptions) -> Self {
        let all = if trace.seconds > 0.0 { trace.seconds } else { 1.0 };
        let seconds = options.seconds.map_or(all, |most| most.min(all));
        let width = options.width_px as f32 - 2.0 * MARGIN_PX - LEFT_PX - RIGHT_PX;
        let bars = match (options.blocks, trace.period) {
            _ if !trace.blocks.is_empty() => Some(BlockBars::of_window(&trace.blocks)),
            (Some(cut), Some(period)) => Some(BlockBars::cut(&trace.stretches, cut, period)),
            _ => None,
        };
        Self { trace, seconds, width, bars }
    }

    fn bars_height(&self) -> f32 {
        self.bars.as_ref().map_or(0.0, |bars| bars.height(f64::from(self.width) / self.seconds))
    }

    fn height(&self) -> f32 {
        let strips = self.trace.strips.len().max(1) as f32;
        TITLE_PX + self.bars_height() + strips * (STRIP_PX + SEAM_PX) - SEAM_PX + FOOT_PX
    }

    fn draw(&self, canvas: &mut Canvas, top: f32) {
        let (left, right) = (MARGIN_PX + LEFT_PX, MARGIN_PX + LEFT_PX + self.width);
        let whole = right + RIGHT_PX - MARGIN_PX;
        let title = fitted(&self.trace.title, whole * 0.6);
        canvas.write(&title, [MARGIN_PX, top], Anchor::Left, PLAIN);
        let room = whole - width_of(&title) - 2.0 * LETTER_PX as f32;
        let detail = fitted(self.trace.detail.trim_end(), room);
        canvas.write(&detail, [right + RIGHT_PX, top], Anchor::Right, Style { ink: FRAME, ..PLAIN });
        let x = Scale::Linear(0.0, self.seconds);
        let ticks = ticks(0.0, self.seconds, (self.width / 80.0) as usize);
        let mut at = top + TITLE_PX + self.bars_height();
        let lowest = at + self.trace.strips.len() as f32 * (STRIP_PX + SEAM_PX) - SEAM_PX;
        let mut last = None;
        for strip in &self.trace.strips {
            let area = [left, at, self.width, STRIP_PX];
            last =
                Some(self.strip(canvas, strip, Plot { area, x, y: scale_of(strip, self.seconds) }, &ticks));
            at += STRIP_PX + SEAM_PX;
        }
        if let Some(plot) = last {
            plot.x_labels(canvas, &ticks);
            let place = [right + RIGHT_PX, lowest + 5.0];
            canvas.write("seconds", place, Anchor::Right, Style { ink: FRAME, ..PLAIN });
            if let Some(bars) = &self.bars {
                let bottom = top + TITLE_PX + self.bars_height();
                let per_second = f64::from(self.width) / self.seconds;
                let [_, plot_top, _, _] = plot.area;
                let strips = [bottom, plot_top + STRIP_PX];
                block_bars::draw(canvas, bars, &plot, strips, per_second);
            }
        } else {
            canvas.write("no sensor has a reading", [left, at], Anchor::Left, PLAIN);
        }
    }

    fn strip(&self, canvas: &mut Canvas, strip: &Strip, plot: Plot, x_ticks: &[(f64, String)]) -> Plot {
        let y_ticks = match plot.y {
            Scale::Linear(low, high) => ticks(low, high, 4),
            Scale::Probit(..) => Vec::new(),
        };
        plot.ground(canvas, x_ticks, &y_ticks);
        canvas.clip(plot.area);
        self.gaps(canvas, strip, &plot);
        for (at, line) in strip.lines.iter().enumerate() {
            for piece in &line.pieces {
                let seen = &piece[..piece.partition_point(|[time, _]| *time <= self.seconds)];
                canvas.line(thinned(seen, &plot), 1.2, of_line(at));
            }
        }
        canvas.unclip();
        plot.frame(canvas);
        plot.y_labels(canvas, &y_ticks);
        let sensor = strip.name.replace('_', " ");
        let title =
            if strip.unit.is_empty() { sensor } else { format!("{}, {}", short(&sensor), strip.unit) };
        plot.y_title(canvas, &fitted(&title, STRIP_PX), LEFT_PX - 8.0);
        let [left, top, width, _] = plot.area;
        for (at, line) in strip.lines.iter().enumerate().take((STRIP_PX / 14.0) as usize) {
            let (x, y) = (left + width + 10.0, top + 4.0 + 14.0 * at as f32);
            canvas.fill([x, y + 3.0, 14.0, 3.0], of_line(at), 255);
            let name = fitted(&line.name, RIGHT_PX - 30.0);
            canvas.write(&name, [x + 20.0, y], Anchor::Left, PLAIN);
        }
        if !strip.lines.iter().any(|line| line.pieces.iter().flatten().any(|point| point[1].is_finite())) {
            let style = Style { ink: VERMILLION, ..PLAIN };
            let place = [left + width / 2.0, top + STRIP_PX / 2.0 - 4.0];
            canvas.write("no finite number", place, Anchor::Centre, style);
        }
        plot
    }

    /// Shades the times between the stretches of the strip's own lines, and says how long a wide one is.
    fn gaps(&self, canvas: &mut Canvas, strip: &Strip, plot: &Plot) {
        if !self.trace.blocks.is_empty() {
            return;
        }
        let period = self.trace.period.unwrap_or(0.0);
        let mut spans: Vec<[f64; 2]> = strip.lines.first().map_or_else(Vec::new, |line| {
            let ends = |piece: &Vec<[f64; 2]>| Some([piece.first()?[0], piece.last()?[0] + period]);
            line.pieces.iter().filter_map(ends).collect()
        });
        spans.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [_, top, _, height] = plot.area;
        let mut covered = 0.0_f64;
        for [start, end] in spans.into_iter().chain([[self.seconds.max(self.trace.seconds); 2]]) {
            if start - covered > period * 0.5 {
                let (from, to) = (plot.place_x(covered), plot.place_x(start.min(self.seconds)));
                canvas.fill([from, top, (to - from).max(1.0), height], GAP, 255);
                let text = duration(start - covered);
                if width_of(&text) + 6.0 < to - from {
                    let place = [f32::midpoint(from, to), top + height - 12.0];
                    canvas.write(&text, place, Anchor::Centre, Style { ink: FRAME, ..PLAIN });
                }
            }
            covered = covered.max(end);
        }
    }
}

/// The usual short name of a sensor.
fn short(sensor: &str) -> String {
    sensor.replace("accelerometer", "acc").replace("gyroscope", "gyro")
}

fn scale_of(strip: &Strip, seconds: f64) -> Scale {
    let points = strip.lines.iter().flat_map(|line| line.pieces.iter().flatten());
    Scale::about(points.filter(|[time, _]| *time <= seconds).map(|[_, value]| *value))
}

/// The points of `piece`, px; of many within one column the first, least, largest and last.
fn thinned(piece: &[[f64; 2]], plot: &Plot) -> Vec<[f32; 2]> {
    let place = |[time, value]: &[f64; 2]| {
        if value.is_finite() { plot.place(*time, *value) } else { [f32::NAN; 2] }
    };
    let columns = match (piece.first(), piece.last()) {
        (Some(first), Some(last)) => (plot.place_x(last[0]) - plot.place_x(first[0])).max(1.0) as usize,
        _ => return Vec::new(),
    };
    if piece.len() <= DENSE * columns {
        return piece.iter().map(place).collect();
    }
    let mut points = Vec::with_capacity(DENSE * columns);
    for column in 0..columns {
        let part = &piece[column * piece.len() / columns..(column + 1) * piece.len() / columns];
        let by_value = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
        let finite = || part.iter().filter(|point| point[1].is_finite());
        let picked = [part.first(), finite().min_by(by_value), finite().max_by(by_value), part.last()];
        let mut picked: Vec<&[f64; 2]> = picked.into_iter().flatten().collect();
        picked.sort_by(|a, b| a[0].total_cmp(&b[0]));
        points.extend(picked.into_iter().map(place));
    }
    points
}
