//! Rows of verification and identification as plain text for a terminal, at most 100 columns wide.

use std::fmt::Write as _;

use schemas::tables::metrics::Metric;

use super::super::table::line;
use super::identify;
use super::score::{CLIENT_GROUP, CURVE_GROUP, PROTOCOL, VALIDATION_GROUP};

/// How many of the hardest clients are listed.
const HARDEST: usize = 5;

/// Whether `protocol` is one of those that [`format_verification`] prints.
pub fn is_verification(protocol: &str) -> bool {
    let plain = protocol.strip_prefix(PROTOCOL);
    protocol == identify::PROTOCOL || plain.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The rows as text, a block for each protocol, data set, split and model in the order of the rows; rows of other
/// protocols are ignored. Points of curves are left out; of the clients' own rows, the hardest are listed.
pub fn format_verification(metrics: &[Metric]) -> String {
    let key = |m: &Metric| [&m.protocol, &m.dataset, &m.split, &m.model].map(String::clone);
    let mut blocks: Vec<([String; 4], Vec<&Metric>)> = Vec::new();
    for metric in metrics.iter().filter(|metric| is_verification(&metric.protocol)) {
        match blocks.iter_mut().find(|(other, _)| *other == key(metric)) {
            Some((_, rows)) => rows.push(metric),
            None => blocks.push((key(metric), vec![metric])),
        }
    }
    let mut text = String::new();
    for (at, ([protocol, dataset, split, model], rows)) in blocks.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        line(&mut text, &format!("{protocol}  {dataset}, {split}  {model}"));
        line(&mut text, &format!("  {:<34}{:>10}  {:<18}{:>12}", "", "%", "95 % interval", "trials"));
        for row in rows.iter().filter(|row| is_figure(row)) {
            line(&mut text, &figure(row));
        }
        hardest(&mut text, rows);
    }
    text
}

/// Whether `row` is one of the few figures of its block.
fn is_figure(row: &Metric) -> bool {
    let group = row.group.as_deref().unwrap_or("");
    let counts = row.metric.ends_with("_trials");
    group != CURVE_GROUP && !group.starts_with(CLIENT_GROUP) && !counts
}

fn figure(row: &Metric) -> String {
    let of = row.group.as_ref().map_or_else(String::new, |group| format!(", {group}"));
    let at = match row.threshold {
        Some(classes) if row.protocol == identify::PROTOCOL => format!(", of {classes}"),
        Some(threshold) => format!(" at {threshold:.4}"),
        None => String::new(),
    };
    let name = format!("{}{of}{at}", row.metric.replace('_', " "));
    let digits = if row.metric == "threshold" { 4 } else { 2 };
    let ends = match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!("{low:.digits$} to {high:.digits$}"),
        _ => String::new(),
    };
    format!("  {name:<34}{:>10.digits$}  {ends:<18}{:>12}", row.value, row.count)
}

/// How many trials of each kind there are, and the clients with the highest error.
fn hardest(text: &mut String, rows: &[&Metric]) {
    for (group, which) in [(None, "scored"), (Some(VALIDATION_GROUP), "for the threshold")] {
        let count = |metric: &str| {
            rows.iter().find(|row| row.metric == metric && row.group.as_deref() == group).map(|row| row.count)
        };
        if let (Some(genuine), Some(impostor)) = (count("genuine_trials"), count("impostor_trials")) {
            line(text, &format!("  {which}: {genuine} genuine, {impostor} impostor trials"));
        }
    }
    let name = |row: &Metric| Some(row.group.as_deref()?.strip_prefix(CLIENT_GROUP)?.to_owned());
    let mut clients: Vec<(String, f64)> =
        rows.iter().filter_map(|row| Some((name(row)?, row.value))).collect();
    clients.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if clients.len() > 1 {
        let mut content = "  hardest clients:".to_owned();
        for (at, (client, eer)) in clients.iter().take(HARDEST).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(content, "{comma} {client} {eer:.2}");
        }
        line(text, &content);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::table::WIDTH;
    use super::super::fixtures::trials;
    use super::super::{VerificationOptions, evaluate_verification};
    use super::*;

    #[test]
    fn a_block_reads_as_it_should() {
        let (test, validation) = (trials("test", 12, 1), trials("validation", 9, 2));
        let options = VerificationOptions { resamples: 20, ..VerificationOptions::default() };
        let metrics = evaluate_verification(&test, Some(&validation), &options).unwrap().metrics;
        let text = format_verification(&metrics);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "verification  made, test  gmm");
        assert!(lines[2].starts_with("  eer, linear at ") && lines[2].contains(" to "), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("  hter at ")), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("  scored: 36 genuine, 396 impostor")), "{text}");
        assert!(lines.last().unwrap().starts_with("  hardest clients: "), "{text}");
        assert!(lines.len() < 20 && lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn other_protocols_are_passed_over() {
        assert!(is_verification("verification") && is_verification("verification-zt"));
        assert!(is_verification("identification") && !is_verification("verifications"));
        assert_eq!(format_verification(&[]), "");
    }
}
