//! Charts of trials: both error rates at every threshold, scores, and clients.

use stages::evaluate::verification::series::Series;

use super::chart::{Curve, Figure, Key, det, histogram, line_chart, ranked_bars, series_class};
use super::words::count;

/// Most points of a curve: a chart is some hundred px wide.
const POINTS: usize = 600;
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

/// False accepts against the share of genuine trials accepted, in percent.
pub(crate) fn roc(all: &[Series]) -> Figure {
    let place = |[far, frr]: [f64; 2]| [100.0 * far, 100.0 * (1.0 - frr)];
    // A little wider, so that a curve along the frame is seen.
    let ends = [-2.0, 102.0];
    let axes = [("false accepts, %", ends), ("genuine accepted, %", ends)];
    line_chart("ROC", &summary(all), axes[0], axes[1], &curves(all, place))
}

/// False accepts against false rejects by normal deviate, in percent, with the first series marked at `threshold`.
pub(crate) fn det_plot(all: &[Series], threshold: f64) -> Figure {
    let ends = det_range(all);
    let titles = ["false accepts, % (normal deviate)", "false rejects, % (normal deviate)"];
    let marked = all.first().map(|first| {
        let key = Key::new("diamond s0", "threshold", format!("{threshold:.4}"));
        (key, first.curve.rates_at(threshold))
    });
    det("DET", &summary(all), titles, ends, &det_grid(ends), &curves(all, |rates| rates), marked)
}

/// How the scores of both kinds of trials lie about `threshold`.
pub(crate) fn scores(one: &Series, threshold: f64) -> Figure {
    let (low, high) = one.histogram_range(threshold);
    let kind = |class: &str, trials: u64, genuine| {
        (Key::new(class, class, count(i128::from(trials))), one.histogram(genuine, [low, high]))
    };
    let kinds = [kind("impostor", one.curve.impostor(), false), kind("genuine", one.curve.genuine(), true)];
    let summary = format!("Scores of genuine and impostor trials; the threshold is at {threshold:.4}.");
    let title = format!("Scores, {}", one.label);
    histogram(&title, &summary, "score", [low, high], &kinds, Some(("threshold", threshold)))
}

/// The equal error rate of each client, percent, at a threshold of its own: the hardest first, at most `named` of them
/// with their names.
pub(crate) fn clients(label: &str, mut rates: Vec<(String, f64)>, named: usize) -> Figure {
    rates.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let title = format!("Clients, {label}");
    let unit = "equal error rate, %";
    if rates.is_empty() {
        return ranked_bars(&title, "No client has both kinds of trials.", unit, &rates, None, named);
    }
    let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / rates.len() as f64;
    let summary = format!(
        "{} clients, each at its own threshold, the hardest first; mean {mean:.2} percent.",
        rates.len()
    );
    ranked_bars(&title, &summary, unit, &rates, Some(("mean", mean)), named)
}

fn curves(all: &[Series], place: impl Fn([f64; 2]) -> [f64; 2]) -> Vec<Curve> {
    let curve = |(at, series): (usize, &Series)| {
        let steps = series.curve.thinned(POINTS).into_iter().map(|step| place(series.curve.rates(step)));
        let rate = series.equal.rate;
        Curve {
            label: series.label.clone(),
            value: format!("EER {:.2} %", 100.0 * rate),
            class: series_class(at),
            points: steps.collect(),
            mark: Some(place([rate, rate])),
        }
    };
    all.iter().enumerate().map(curve).collect()
}

fn summary(all: &[Series]) -> String {
    let each: Vec<String> =
        all.iter().map(|one| format!("{} {:.2} percent", one.label, 100.0 * one.equal.rate)).collect();
    format!("Both error rates at every threshold. Equal error rates: {}.", each.join(", "))
}

/// The ends of both axes of a detection error trade-off plot of `all`, shares.
fn det_range(all: &[Series]) -> [f64; 2] {
    let many = all.iter().any(|series| series.curve.impostor().min(series.curve.genuine()) >= MANY);
    let large = all.iter().any(|series| series.equal.half_total.max(series.equal.rate) > 0.9 * USUAL[1]);
    [if many { SMALL } else { USUAL[0] }, if large { LARGE } else { USUAL[1] }]
}

/// The shares from `low` to `high` at which such a plot has a grid, each with its label in percent.
fn det_grid([low, high]: [f64; 2]) -> Vec<(f64, String)> {
    let labelled = GRID.into_iter().map(|percent| (percent / 100.0, percent.to_string()));
    labelled.filter(|(share, _)| (low..=high).contains(share)).collect()
}
