//! The two plots of scores and people: histograms of both kinds of trials, equal error rates of clients.

use super::super::palette::INK;
use super::axis::{Scale, ticks};
use super::canvas::{Anchor, Area, Canvas, PLAIN, Style, fitted, width_of};
use super::colours::{BLUE, FRAME, VERMILLION};
use super::curves::TITLE_DISTANCE_PX;
use super::plot::Plot;
use stages::evaluate::verification::series::{BINS, Series};

/// Most clients whose names are written below their bars.
const NAMED: usize = 24;
/// Room for a name below its bar, px.
const NAME_PX: f32 = 72.0;

/// How the scores of genuine and impostor trials lie about `threshold`: shares of each kind, in percent.
pub fn histogram(canvas: &mut Canvas, area: Area, series: &Series, threshold: f64) {
    let (low, high) = series.histogram_range(threshold);
    let bins = [(VERMILLION, false), (BLUE, true)]
        .map(|(colour, kind)| (colour, series.histogram(kind, [low, high])));
    let most = bins.iter().flat_map(|(_, shares)| shares.iter().copied()).fold(0.0, f64::max);
    let plot = Plot { area, x: Scale::Linear(low, high), y: Scale::Linear(0.0, most * 1.18) };
    let (x_ticks, y_ticks) = (ticks(low, high, 6), ticks(0.0, most * 1.18, 5));
    plot.ground(canvas, &x_ticks, &y_ticks);
    let [left, top, width, height] = area;
    let bar = width / BINS as f32;
    for (colour, shares) in &bins {
        let outline = shares.iter().enumerate().flat_map(|(at, share)| {
            let y = plot.place_y(*share);
            [[left + bar * at as f32, y], [left + bar * (at + 1) as f32, y]]
        });
        for (at, share) in shares.iter().enumerate() {
            let y = plot.place_y(*share);
            let (from, to) = ((left + bar * at as f32).round(), (left + bar * (at + 1) as f32).round());
            canvas.fill([from, y, to - from, top + height - y], *colour, 90);
        }
        canvas.clip(area);
        canvas.line(outline, 1.5, *colour);
        canvas.unclip();
    }
    let x = plot.place_x(threshold);
    canvas.dashed([[x, top], [x, top + height]], INK);
    let text = format!("threshold {threshold:.3}");
    let fits = x + 6.0 + width_of(&text) < left + width;
    let (place, anchor) = if fits { (x + 6.0, Anchor::Left) } else { (x - 6.0, Anchor::Right) };
    canvas.write(&text, [place, top + 6.0], anchor, PLAIN);
    plot.frame(canvas);
    plot.x_labels(canvas, &x_ticks);
    plot.y_labels(canvas, &y_ticks);
    plot.x_title(canvas, "score");
    plot.y_title(canvas, "share of each kind, %", TITLE_DISTANCE_PX);
}

/// The equal error rate of each client at a threshold of its own, the lowest first, in percent.
pub fn clients(canvas: &mut Canvas, area: Area, rates: &[(&str, f64)], pooled: f64) {
    let [left, top, width, height] = area;
    let named = rates.len() <= NAMED;
    let area = [left, top, width, if named { height - NAME_PX + 16.0 } else { height }];
    let most = rates.iter().map(|(_, rate)| 100.0 * rate).fold(100.0 * pooled, f64::max).max(1.0);
    let y_ticks = ticks(0.0, most * 1.15, 5);
    let plot = Plot { area, x: Scale::Linear(0.0, 1.0), y: Scale::Linear(0.0, most * 1.15) };
    plot.ground(canvas, &[], &y_ticks);
    let bottom = area[1] + area[3];
    let slot = width / rates.len().max(1) as f32;
    let gap = if slot >= 4.0 { (slot * 0.25).min(8.0) } else { 0.0 };
    for (at, (name, rate)) in rates.iter().enumerate() {
        let (x, y) = (left + slot * at as f32 + gap / 2.0, plot.place_y(100.0 * rate));
        // A client without error has a line on the ground, not nothing.
        canvas.fill([x, y.min(bottom - 1.5), slot - gap, (bottom - y).max(1.5)], BLUE, 255);
        if named {
            let place = [x + (slot - gap) / 2.0 - 4.0, bottom + 6.0];
            let name = fitted(name, NAME_PX - 16.0);
            let half = width_of(&name) / 2.0;
            let style = Style { upward: true, ..PLAIN };
            canvas.write(&name, [place[0], place[1] + half], Anchor::Centre, style);
        }
    }
    if rates.is_empty() {
        let place = [left + width / 2.0, area[1] + area[3] / 2.0];
        canvas.write("no client has both kinds of trials", place, Anchor::Centre, PLAIN);
    } else {
        let mean = 100.0 * rates.iter().map(|(_, rate)| rate).sum::<f64>() / rates.len() as f64;
        let y = plot.place_y(mean);
        canvas.dashed([[left, y], [left + width, y]], INK);
        let text = format!("mean {mean:.2} %, pooled {:.2} %", 100.0 * pooled);
        canvas.write(&text, [left + 8.0, area[1] + 6.0], Anchor::Left, PLAIN);
    }
    plot.frame(canvas);
    plot.y_labels(canvas, &y_ticks);
    plot.y_title(canvas, "equal error rate, %", TITLE_DISTANCE_PX);
    if !named {
        let text = format!("{} clients, by rate", rates.len());
        let place = [left + width / 2.0, bottom + 8.0];
        canvas.write(&text, place, Anchor::Centre, Style { ink: FRAME, ..PLAIN });
    }
}
