//! One sheet of how well people are told apart: ROC, detection error trade-off, scores, clients.

use schemas::tables::trials::Trial;

use super::super::Sheet;
use super::canvas::{Anchor, Area, Canvas, PLAIN, Style, fitted, width_of};
use super::colours::{BLUE, FRAME, LINES, VERMILLION};
use super::{curves, spread};
use stages::evaluate::verification::series::{Series, series};
use stages::evaluate::verification::{EerMethod, equal_error};
use stages::stage::StageError;

/// White about the page, px.
const MARGIN_PX: f32 = 18.0;
/// Side of a plot, px.
const PLOT_PX: f32 = 400.0;
/// Height of the plots in the lower row, px.
const LOW_PLOT_PX: f32 = 300.0;
/// Room for labels left of a plot, px.
const LEFT_PX: f32 = 60.0;
/// Between the left plots and what stands left of the right ones, px.
const SEAM_PX: f32 = 28.0;
/// Height of the titles of the page, px.
const TITLE_PX: f32 = 30.0;
/// Height of the title of a plot, px.
const HEAD_PX: f32 = 20.0;
/// Room for labels below a plot, px.
const FOOT_PX: f32 = 44.0;

/// How trials are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VerificationSheetOptions {
    /// The threshold that is marked. Where `None`: that of the equal error point on the trials of split `validation` of
    /// the same system, where there are some, else that of the trials themselves.
    pub threshold: Option<f64>,
    /// How equal error rates are read off.
    pub eer: EerMethod,
}

/// The sheet of `trials`: four plots.
///
/// Every data set, system, normalisation and split has a curve in the upper two; the lower two are of the first of
/// them, by name. Dots are equal error points, the diamond is the threshold. [`Sheet::drawn`] counts trials.
///
/// # Errors
/// When no data set, system, normalisation and split has genuine and impostor trials with finite scores, there are
/// more of them than colours, or the threshold is not finite.
pub fn verification_sheet(trials: &[Trial], options: &VerificationSheetOptions) -> Result<Sheet, StageError> {
    if trials.is_empty() {
        return Err(StageError::data("there are no trials to draw", "give a table that has rows"));
    }
    let (all, rejects) = series(trials, options.eer);
    let Some(first) = all.first() else {
        let why: Vec<String> =
            rejects.iter().map(|reject| format!("{} ({})", reject.reason, reject.detail)).collect();
        return Err(StageError::data(
            format!("no trials can be drawn: {}", why.join("; ")),
            "give genuine and impostor trials with finite scores",
        ));
    };
    if all.len() > LINES.len() {
        return Err(StageError::data(
            format!("{} series of trials cannot be told apart in one plot", all.len()),
            format!("keep at most {} models, normalisations and splits", LINES.len()),
        ));
    }
    let threshold = threshold(&all, first, options)?;
    let [left, right] = [MARGIN_PX + LEFT_PX, MARGIN_PX + 2.0 * LEFT_PX + PLOT_PX + SEAM_PX];
    let upper = MARGIN_PX + TITLE_PX + HEAD_PX;
    let lower = upper + PLOT_PX + FOOT_PX + HEAD_PX + 8.0;
    let (width, height) = (right + PLOT_PX + MARGIN_PX, lower + LOW_PLOT_PX + FOOT_PX);
    let mut canvas = Canvas::new(width as u32, height as u32)?;
    page_title(&mut canvas, &all, width);
    let title = |canvas: &mut Canvas, text: &str, [x, y, ..]: Area| {
        canvas.write(text, [x, y - 15.0], Anchor::Left, PLAIN);
    };
    // The lower plots are of one series; where there are more, they say which.
    let of = if all.len() > 1 { format!(", {}", first.label) } else { String::new() };
    let roc = [left, upper, PLOT_PX, PLOT_PX];
    title(&mut canvas, "ROC", roc);
    curves::roc(&mut canvas, roc, &all);
    let det = [right, upper, PLOT_PX, PLOT_PX];
    title(&mut canvas, "DET, by normal deviate", det);
    key(&mut canvas, det);
    curves::det(&mut canvas, det, &all, threshold);
    let scores = [left, lower, PLOT_PX, LOW_PLOT_PX];
    title(&mut canvas, &fitted(&format!("scores{of}"), PLOT_PX * 0.42), scores);
    kinds(&mut canvas, first, scores);
    spread::histogram(&mut canvas, scores, first, threshold);
    let clients = [right, lower, PLOT_PX, LOW_PLOT_PX];
    let own = format!("each client at its own threshold{of}");
    title(&mut canvas, &fitted(&own, PLOT_PX), clients);
    spread::clients(&mut canvas, clients, &first.clients(options.eer), first.equal.rate);
    let drawn = all.iter().map(|series| series.scored.len()).sum();
    Ok(Sheet { picture: canvas.finish(), drawn, rejects })
}

/// The threshold that is marked.
fn threshold(all: &[Series], first: &Series, options: &VerificationSheetOptions) -> Result<f64, StageError> {
    if let Some(threshold) = options.threshold {
        let hint = "give a threshold among the scores";
        let error = || StageError::config(format!("the threshold `{threshold}` has no place"), hint);
        return if threshold.is_finite() { Ok(threshold) } else { Err(error()) };
    }
    let beside = all.iter().find(|series| series.key[..3] == first.key[..3] && series.key[3] == "validation");
    Ok(equal_error(&beside.unwrap_or(first).curve, options.eer).threshold)
}

/// What all series have in common, in large letters where they fit.
fn page_title(canvas: &mut Canvas, all: &[Series], width: f32) {
    // Model, data set, split, normalisation, by their place in the key.
    let common = [1, 0, 3, 2].into_iter().filter_map(|part| {
        let value = &all.first()?.key[part];
        let shared = all.iter().all(|series| series.key[part] == *value);
        let text = if part == 2 { format!("normalisation {value}") } else { value.clone() };
        (shared && !value.is_empty()).then_some(text)
    });
    let text = common.collect::<Vec<_>>().join("  ");
    let room = width - 2.0 * MARGIN_PX;
    let size = if 2.0 * width_of(&text) <= room { 2 } else { 1 };
    canvas.write(&fitted(&text, room), [MARGIN_PX, MARGIN_PX], Anchor::Left, Style { size, ..PLAIN });
}

/// What dot and diamond mean, above the right end of `area`.
fn key(canvas: &mut Canvas, [x, y, width, _]: Area) {
    let mut right = x + width;
    for (text, dot) in [("threshold", false), ("equal errors", true)] {
        canvas.write(text, [right, y - 15.0], Anchor::Right, Style { ink: FRAME, ..PLAIN });
        right -= width_of(text) + 10.0;
        let place = [right, y - 11.0];
        if dot {
            canvas.dot(place, 4.0, FRAME);
        } else {
            canvas.diamond(place, 5.0, FRAME);
        }
        right -= 16.0;
    }
}

/// The colours of both kinds of trials and how many there are, above the right end of `area`.
fn kinds(canvas: &mut Canvas, first: &Series, [x, y, width, _]: Area) {
    let mut right = x + width;
    let kinds = [("impostor", first.curve.impostor(), VERMILLION), ("genuine", first.curve.genuine(), BLUE)];
    for (name, count, colour) in kinds {
        let text = format!("{count} {name}");
        canvas.write(&text, [right, y - 15.0], Anchor::Right, Style { ink: FRAME, ..PLAIN });
        right -= width_of(&text) + 14.0;
        canvas.fill([right, y - 15.0, 9.0, 8.0], colour, 255);
        right -= 16.0;
    }
}
