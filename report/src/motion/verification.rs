//! One sheet of how well people are told apart: ROC, detection error trade-off, scores, clients.

use schemas::tables::trials::Trial;

use super::super::Sheet;
use super::super::chart::{Figure, SERIES, draw};
use super::super::error::ReportError;
use super::super::error_rates::{clients, det_plot, roc, scores};
use stages::evaluate::verification::series::{Series, series};
use stages::evaluate::verification::{EerMethod, equal_error};

/// Most clients whose names stand beside their bars, so that the chart is no taller than the one beside it.
const NAMED: usize = 12;

/// How trials are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VerificationSheetOptions {
    /// The threshold that is marked, a score. Where `None`: that of the equal error point on the trials of split
    /// `validation` of the same system, where there are some, else that of the trials themselves.
    pub threshold: Option<f64>,
    /// How equal error rates are read off.
    pub eer: EerMethod,
}

/// The sheet of `trials`: four plots, the same as those of a page.
///
/// Every data set, system, normalisation and split has a curve in the upper two; the lower two are of the first of
/// them, by name. Dots are equal error points, the diamond is the threshold. [`Sheet::drawn`] counts trials.
///
/// # Errors
/// When no data set, system, normalisation and split has genuine and impostor trials with finite scores, there are
/// more of them than colours, or the threshold is not finite.
pub fn verification_sheet(
    trials: &[Trial],
    options: &VerificationSheetOptions,
) -> Result<Sheet, ReportError> {
    if trials.is_empty() {
        return Err(ReportError::NoRows { table: "trials" });
    }
    let (all, rejects) = series(trials, options.eer);
    let Some(first) = all.first() else {
        let why: Vec<String> =
            rejects.iter().map(|reject| format!("{} ({})", reject.reason, reject.detail)).collect();
        return Err(ReportError::NoSeries { reasons: why.join("; ") });
    };
    if all.len() > SERIES {
        return Err(ReportError::TooManySeries { found: all.len(), most: SERIES });
    }
    let threshold = threshold(&all, first, options)?;
    let rates = first.clients(options.eer).into_iter().map(|(name, rate)| (name.to_owned(), 100.0 * rate));
    let figures = vec![
        roc(&all),
        det_plot(&all, threshold),
        scores(first, threshold),
        clients(&first.label, rates.collect(), NAMED),
    ];
    let picture = draw(&Figure::grid(&common(&all), figures, 2))?;
    let drawn = all.iter().map(|series| series.scored.len()).sum();
    Ok(Sheet { picture, drawn, rejects })
}

/// The threshold that is marked.
fn threshold(all: &[Series], first: &Series, options: &VerificationSheetOptions) -> Result<f64, ReportError> {
    if let Some(threshold) = options.threshold {
        return if threshold.is_finite() { Ok(threshold) } else { Err(ReportError::Threshold { threshold }) };
    }
    let beside = all.iter().find(|series| series.key[..3] == first.key[..3] && series.key[3] == "validation");
    Ok(equal_error(&beside.unwrap_or(first).curve, options.eer).threshold)
}

/// What all series have in common.
fn common(all: &[Series]) -> String {
    // Model, data set, split, normalisation, by their place in the key.
    let common = [1, 0, 3, 2].into_iter().filter_map(|part| {
        let value = &all.first()?.key[part];
        let shared = all.iter().all(|series| series.key[part] == *value);
        let text = if part == 2 { format!("normalisation {value}") } else { value.clone() };
        (shared && !value.is_empty()).then_some(text)
    });
    common.collect::<Vec<_>>().join(" · ")
}
