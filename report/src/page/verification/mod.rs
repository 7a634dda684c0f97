//! The section of one table of trials: how well people are told apart.

mod against;

use schemas::tables::metrics::Metric;
use schemas::tables::rejects::Reject;
use schemas::tables::trials::Trial;

use super::super::chart::{Figure, SERIES};
use super::super::error::ReportError;
use super::super::error_rates::{self, det_plot, roc, scores};
use super::super::words::{anchor, count, interval, number};
use super::content::{Block, Card, Cell, Section, Table};
use super::{Given, ReportOptions};
use stages::evaluate::verification::score::{CLIENT_GROUP, CURVE_GROUP};
use stages::evaluate::verification::series::{Series, series};
use stages::evaluate::verification::{EerMethod, VerificationOptions, evaluate_verification};

/// Most clients whose names stand beside their bars; more become a profile without names.
const NAMED: usize = 40;

/// The trials of one table.
pub struct VerificationInput {
    /// What the section is called: where the trials stand.
    pub name: String,
    /// All trials.
    pub trials: Vec<Trial>,
    /// Trials for the threshold from another table; those of [`Self::validation_split`] of `trials` where `None`.
    pub validation: Option<Vec<Trial>>,
    /// The split that is scored.
    pub split: String,
    /// The split that gives the threshold.
    pub validation_split: String,
    /// Rows of a metric table that the same run made.
    pub metrics: Vec<Metric>,
    /// Seed of the intervals where they are drawn here.
    pub seed: u64,
    /// Trials of another run, and where they stand.
    pub against: Option<(String, Vec<Trial>)>,
}

/// The section of `input`, with the numbers that stand at the top of the page.
///
/// # Errors
/// When there is nothing to score, or genuine or impostor trials are missing.
pub(super) fn section(
    input: &VerificationInput,
    options: &ReportOptions,
    given: &mut Given,
) -> Result<Section, ReportError> {
    let id = anchor(&input.name);
    let mut section = Section { id, title: input.name.clone(), ..Section::default() };
    let how = VerificationOptions {
        resamples: options.resamples,
        seed: input.seed,
        ..VerificationOptions::default()
    };
    let (metrics, notes) = numbers(input, &how, given)?;
    let (all, refused) = series(&input.trials, EerMethod::default());
    given.rejects.extend(refused.into_iter().map(|reject| {
        let rest = ("not drawn", reject.detail.clone());
        Reject {
            stage: format!("report, {}", input.name),
            detail: format!("{}: {}", rest.0, rest.1),
            ..reject
        }
    }));
    let mut blocks = metrics.iter();
    let scored = blocks.by_ref().filter(|row| row.metric == "eer" && !is_client(row)).collect::<Vec<_>>();
    section.lead = format!(
        "{} trials; a score at or above the threshold is accepted. The threshold is that of equal errors on the split \
         {}, the errors are those of the split {}.",
        count(input.trials.len() as i64),
        input.validation_split,
        input.split
    );
    for row in &scored {
        given.cards.push(card(&section, row));
        section.blocks.push(Block::table(figures(&metrics, row)));
    }
    section.blocks.push(Block::Notes { notes });
    if all.len() > SERIES {
        let note = format!(
            "{} series of trials cannot be told apart in one plot; the first {SERIES} are drawn",
            all.len()
        );
        section.blocks.push(Block::Notes { notes: vec![note] });
    }
    let drawn = &all[..all.len().min(SERIES)];
    if let Some(first) = drawn.first() {
        let threshold = threshold_of(&metrics, first);
        section.blocks.push(Block::charts(vec![roc(drawn), det_plot(drawn, threshold)]));
    }
    for one in drawn.iter().filter(|series| series.key[3] == input.split || drawn.len() == 1) {
        let threshold = threshold_of(&metrics, one);
        section.blocks.push(Block::charts(vec![scores(one, threshold), clients(&metrics, one)]));
    }
    section.blocks.extend(against::blocks(input, &how));
    Ok(section)
}

/// The rows of the run's own metric table where it has some, else those scored now; and what a reader must know.
fn numbers(
    input: &VerificationInput,
    options: &VerificationOptions,
    given: &mut Given,
) -> Result<(Vec<Metric>, Vec<String>), ReportError> {
    let of = |split: &str| -> Vec<Trial> {
        let same = |trial: &&Trial| trial.split == split && trial.client_split == split;
        input.trials.iter().filter(same).cloned().collect()
    };
    let mut test = of(&input.split);
    if test.is_empty() && input.trials.iter().all(|trial| trial.split == input.trials[0].split) {
        // A table of one split is scored whatever that is called.
        test = input.trials.iter().filter(|trial| trial.split == trial.client_split).cloned().collect();
    }
    let validation = input.validation.clone().unwrap_or_else(|| of(&input.validation_split));
    let validation = (!validation.is_empty()).then_some(&validation[..]);
    let has = !input.metrics.is_empty();
    let resamples = if has { 0 } else { options.resamples };
    let evaluation =
        evaluate_verification(&test, validation, &VerificationOptions { resamples, ..options.clone() })?;
    let stage = format!("report, {}", input.name);
    given
        .rejects
        .extend(evaluation.rejects.into_iter().map(|reject| Reject { stage: stage.clone(), ..reject }));
    let mut notes = evaluation.notes;
    if !has {
        notes.push("Numbers are scored now from the trials; no metric table of the run has them.".to_owned());
        return Ok((evaluation.metrics, notes));
    }
    let same = |row: &&Metric| {
        evaluation.metrics.iter().any(|twin| {
            let key = |m: &Metric| (m.protocol.clone(), m.model.clone(), m.metric.clone(), m.group.clone());
            key(twin) == key(row) && (twin.value - row.value).abs() <= 1e-9 && twin.count == row.count
        })
    };
    // Curves may have another number of points.
    let figures = || input.metrics.iter().filter(|row| row.group.as_deref() != Some(CURVE_GROUP));
    let (all, agree) = (figures().count(), figures().filter(same).count());
    notes.push(if all == agree {
        format!("Numbers are those of the run's metric table; all {all} were scored anew and agree.")
    } else {
        format!("Attention: {} of the {all} numbers of the run's metric table are not what the trials give now; the table is shown as it stands.", all - agree)
    });
    Ok((input.metrics.clone(), notes))
}

fn is_client(row: &Metric) -> bool {
    row.group.as_deref().is_some_and(|group| group.starts_with(CLIENT_GROUP))
}

fn same_block(row: &Metric, other: &Metric) -> bool {
    let key = |m: &Metric| (m.protocol.clone(), m.dataset.clone(), m.split.clone(), m.model.clone());
    key(row) == key(other)
}

fn card(section: &Section, eer: &Metric) -> Card {
    let ends = interval(eer.ci_low, eer.ci_high);
    let ends = if ends.is_empty() { ends } else { format!("95 % {ends}. ") };
    Card {
        title: format!("{} {} · equal error rate", eer.dataset, eer.split),
        value: format!("{} %", number(eer.value)),
        detail: format!("{ends}{}, {}, {} trials", eer.protocol, eer.model, count(eer.count)),
        target: section.id.clone(),
    }
}

/// The figures of the block of `eer`.
fn figures(metrics: &[Metric], eer: &Metric) -> Table {
    let wanted =
        |row: &&Metric| same_block(row, eer) && !is_client(row) && row.group.as_deref() != Some(CURVE_GROUP);
    let row = |row: &Metric| -> Vec<Cell> {
        let counts = row.metric.ends_with("_trials");
        let unit = row.metric == "threshold";
        let value = match (counts, unit) {
            (true, _) => count(row.value as i64),
            (false, true) => format!("{:.4}", row.value),
            (false, false) => format!("{} %", number(row.value)),
        };
        let ends = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) if unit => format!("{low:.4} to {high:.4}"),
            (low, high) => interval(low, high),
        };
        let of = row.group.as_ref().map_or_else(String::new, |group| format!(", {group}"));
        vec![
            format!("{}{of}", label(&row.metric)).into(),
            Cell::strong(value, matches!(row.metric.as_str(), "eer" | "hter")),
            ends.into(),
            row.threshold.map_or_else(String::new, |threshold| format!("{threshold:.4}")).into(),
            count(row.count).into(),
        ]
    };
    let head = ["figure", "value", "95 % interval", "at threshold", "trials"];
    let caption = format!("{}, {} {}, {}", eer.protocol, eer.dataset, eer.split, eer.model);
    Table::new(caption, head, metrics.iter().filter(wanted).map(row).collect())
}

fn label(metric: &str) -> String {
    let (name, rest) = metric.split_once('_').unwrap_or((metric, ""));
    let name = match name {
        "eer" | "far" | "frr" | "hter" => name.to_uppercase(),
        other => other.to_owned(),
    };
    format!("{name} {}", rest.replace('_', " ")).trim_end().to_owned()
}

/// The threshold of the numbers of `series`, else that of its own equal errors.
fn threshold_of(metrics: &[Metric], series: &Series) -> f64 {
    let of = |row: &&Metric| {
        row.metric == "threshold" && row.dataset == series.key[0] && row.model == series.key[1]
    };
    metrics.iter().find(of).map_or(series.equal.threshold, |row| row.value)
}

/// Equal error rates by client: the rows of the metric table where it has them.
fn clients(metrics: &[Metric], one: &Series) -> Figure {
    let name = |row: &Metric| Some(row.group.as_deref()?.strip_prefix(CLIENT_GROUP)?.to_owned());
    let of = |row: &&Metric| row.dataset == one.key[0] && row.model == one.key[1] && row.split == one.key[3];
    let mut rates: Vec<(String, f64)> =
        metrics.iter().filter(of).filter_map(|row| Some((name(row)?, row.value))).collect();
    if rates.is_empty() {
        let own = one.clients(EerMethod::default());
        rates = own.into_iter().map(|(name, rate)| (name.to_owned(), 100.0 * rate)).collect();
    }
    error_rates::clients(&one.label, rates, NAMED)
}
