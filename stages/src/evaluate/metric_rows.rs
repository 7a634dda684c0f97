//! From cells, values and intervals to rows of the metric table.

use std::collections::BTreeSet;

use schemas::tables::metrics::Metric;

use super::bootstrap::intervals;
use super::curves::Cell;
use super::options::EvaluateOptions;
use super::output_head::OutputHead;

/// Who is scored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scored<'a> {
    /// N.
    pub people: usize,
    /// Their data sets, joined.
    pub dataset: &'a str,
}

/// The rows of one output head, and a note on those that are undefined: a rate of no annotated joint has no row.
///
/// `statistic` maps weights of the people, `[N]`, to one number per cell.
pub(super) fn rows(
    options: &EvaluateOptions,
    head: OutputHead<'_>,
    scored: Scored<'_>,
    cells: Vec<Cell>,
    statistic: impl Fn(&[u32]) -> Vec<f64> + Sync,
    notes: &mut Vec<String>,
) -> Vec<Metric> {
    let values = statistic(&vec![1; scored.people]);
    debug_assert_eq!(cells.len(), values.len());
    let ends = match options.resamples {
        0 => vec![None; values.len()],
        resamples => intervals(scored.people, resamples, options.seed, &values, &statistic),
    };
    let mut undefined = BTreeSet::new();
    let mut metrics = Vec::with_capacity(cells.len());
    for ((cell, value), ends) in cells.into_iter().zip(values).zip(ends) {
        if value.is_nan() {
            undefined.insert(cell.joint.or(cell.group.map(str::to_owned)).unwrap_or(cell.metric));
            continue;
        }
        metrics.push(Metric {
            protocol: options.protocol.to_string(),
            dataset: scored.dataset.to_owned(),
            split: options.split.clone().unwrap_or_else(|| "all".to_owned()),
            metric: cell.metric,
            joint: cell.joint,
            group: cell.group.map(str::to_owned),
            threshold: cell.threshold,
            value,
            count: cell.count,
            ci_low: ends.map(|[low, _]| low),
            ci_high: ends.map(|[_, high]| high),
            model: head.model.to_owned(),
            head: Some(head.number),
            run: options.run.clone(),
        });
    }
    if !undefined.is_empty() {
        let names: Vec<String> = undefined.into_iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("nobody has {} annotated; such rates have no row", names.join(", ")));
    }
    metrics
}
