//! The two plots of both error rates at every threshold: ROC and detection error trade-off.

use super::super::caption::LETTER_PX;
use super::super::palette::INK;
use super::axis::{Scale, ticks};
use super::canvas::{Anchor, Area, Canvas, PLAIN, Style, fitted};
use super::colours::{FRAME, GROUND, of_line};
use super::plot::Plot;
use stages::evaluate::verification::series::Series;

/// Most points of a curve that are drawn; a plot is some hundred px wide.
const POINTS: usize = 1500;
/// Shares at the grid of a detection error trade-off plot, in percent.
const GRID: [f64; 14] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 90.0, 95.0, 98.0];
/// The usual ends of its axes, shares.
const USUAL: [f64; 2] = [0.008, 0.55];
/// The lower end where there are trials enough for small rates, a share.
const SMALL: f64 = 0.0008;
/// The upper end where some rate is above [`USUAL`] when errors are alike, a share.
const LARGE: f64 = 0.985;
/// Impostor and genuine trials that make a rate of 0.1 % worth showing.
const MANY: u64 = 3_000;
/// How far the titles of the y axes stand from the frame, px.
pub const TITLE_DISTANCE_PX: f32 = 48.0;

/// FAR against the share of genuine trials accepted, in percent.
pub fn roc(canvas: &mut Canvas, area: Area, all: &[Series]) {
    // A little wider, so that a curve along the frame is seen.
    let scale = Scale::Linear(-2.0, 102.0);
    let plot = Plot { area, x: scale, y: scale };
    let ticks = ticks(0.0, 100.0, 5);
    plot.ground(canvas, &ticks, &ticks);
    canvas.clip(plot.area);
    canvas.dashed([plot.place(0.0, 100.0), plot.place(100.0, 0.0)], FRAME);
    for (at, series) in all.iter().enumerate() {
        let steps = series.curve.thinned(POINTS).into_iter().map(|step| series.curve.rates(step));
        canvas.line(steps.map(|[far, frr]| plot.place(100.0 * far, 100.0 - 100.0 * frr)), 2.0, of_line(at));
    }
    canvas.unclip();
    for (at, series) in all.iter().enumerate() {
        let rate = 100.0 * series.equal.rate;
        mark(canvas, plot.place(rate, 100.0 - rate), at);
    }
    legend(canvas, area, all);
    plot.frame(canvas);
    plot.x_labels(canvas, &ticks);
    plot.y_labels(canvas, &ticks);
    plot.x_title(canvas, "false accepts, %");
    plot.y_title(canvas, "genuine accepted, %", TITLE_DISTANCE_PX);
}

/// The ends of both axes of a detection error trade-off plot of `all`, shares.
pub fn det_range(all: &[Series]) -> [f64; 2] {
    let many = all.iter().any(|series| series.curve.impostor().min(series.curve.genuine()) >= MANY);
    let large = all.iter().any(|series| series.equal.half_total.max(series.equal.rate) > 0.9 * USUAL[1]);
    [if many { SMALL } else { USUAL[0] }, if large { LARGE } else { USUAL[1] }]
}

/// The shares from `low` to `high` at which such a plot has a grid, each with its label in percent.
pub fn det_grid([low, high]: [f64; 2]) -> Vec<(f64, String)> {
    let labelled = GRID.into_iter().map(|percent| (percent / 100.0, percent.to_string()));
    labelled.filter(|(share, _)| (low..=high).contains(share)).collect()
}

/// FAR against FRR by normal deviate, in percent.
pub fn det(canvas: &mut Canvas, area: Area, all: &[Series], threshold: f64) {
    let [low, high] = det_range(all);
    let scale = Scale::Probit(low, high);
    let plot = Plot { area, x: scale, y: scale };
    let grid = det_grid([low, high]);
    plot.ground(canvas, &grid, &grid);
    canvas.clip(plot.area);
    canvas.dashed([plot.place(low, low), plot.place(high, high)], FRAME);
    for (at, series) in all.iter().enumerate() {
        let steps = series.curve.thinned(POINTS).into_iter().map(|step| series.curve.rates(step));
        canvas.line(steps.map(|[far, frr]| plot.place(far, frr)), 2.0, of_line(at));
    }
    for (at, series) in all.iter().enumerate() {
        mark(canvas, plot.place(series.equal.rate, series.equal.rate), at);
    }
    if let Some(first) = all.first() {
        let [far, frr] = first.curve.rates_at(threshold).map(|rate| rate.clamp(low, high));
        let [x, y] = plot.place(far, frr);
        canvas.diamond([x, y], 6.5, INK);
        canvas.diamond([x, y], 4.5, of_line(0));
    }
    canvas.unclip();
    plot.frame(canvas);
    plot.x_labels(canvas, &grid);
    plot.y_labels(canvas, &grid);
    plot.x_title(canvas, "false accepts, %");
    plot.y_title(canvas, "false rejects, %", TITLE_DISTANCE_PX);
}

/// The dot of an equal error rate.
fn mark(canvas: &mut Canvas, [x, y]: [f32; 2], at: usize) {
    canvas.dot([x, y], 5.0, INK);
    canvas.dot([x, y], 3.5, of_line(at));
}

/// Names and equal error rates, in the corner that a good curve leaves free.
fn legend(canvas: &mut Canvas, [left, top, width, height]: Area, all: &[Series]) {
    let room = width * 0.62;
    let (x, mut y) = (left + width - room, top + height - 10.0 - 16.0 * all.len() as f32);
    canvas.fill([x - 8.0, y - 24.0, room + 2.0, top + height - y + 18.0], GROUND, 225);
    for (at, series) in all.iter().enumerate() {
        let rate = format!("{:.2} %", 100.0 * series.equal.rate);
        let name = fitted(&series.label, room - 24.0 - 10.0 - (rate.len() as u32 * LETTER_PX) as f32 - 8.0);
        canvas.fill([x, y + 2.0, 16.0, 3.0], of_line(at), 255);
        canvas.write(&name, [x + 22.0, y], Anchor::Left, PLAIN);
        canvas.write(&rate, [left + width - 10.0, y], Anchor::Right, PLAIN);
        y += 16.0;
    }
    let head = [left + width - 10.0, top + height - 28.0 - 16.0 * all.len() as f32];
    canvas.write("equal error rate", head, Anchor::Right, Style { ink: FRAME, ..PLAIN });
}
