//! Metric tables as plain text for a terminal, at most 100 columns wide.

use std::fmt::Write as _;

use schemas::printable;
use schemas::tables::metrics::Metric;

use super::oks::format_oks;
use super::protocol::Protocol;
use super::rules::Rules;

/// Widest line, in characters.
pub const WIDTH: usize = 100;

/// The rows as text: one table for each protocol, data set, split, model and head, in the order of the rows.
///
/// Poses: a line for the threshold of the published figures, with the area under the curve and the interval of the
/// total, then lines for smaller thresholds. Average precision: one line of the numbers that are quoted. Presence: a line for each group at its best threshold. Rows of other
/// protocols take one line each.
pub fn format_table(metrics: &[Metric]) -> String {
    let key = |m: &Metric| (m.protocol.clone(), m.dataset.clone(), m.split.clone(), m.model.clone(), m.head);
    let mut tables: Vec<(_, Vec<&Metric>)> = Vec::new();
    for metric in metrics {
        match tables.iter_mut().find(|(other, _)| *other == key(metric)) {
            Some((_, rows)) => rows.push(metric),
            None => tables.push((key(metric), vec![metric])),
        }
    }
    let mut text = String::new();
    for (at, (_, rows)) in tables.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let protocol: Option<Protocol> = rows[0].protocol.parse().ok();
        match (protocol, protocol.and_then(Protocol::rules)) {
            (Some(protocol), _) if protocol.is_of_pictures() => format_oks(&mut text, protocol, rows),
            (Some(_), Some(rules)) => format_pose(&mut text, rules, rows),
            (Some(_), None) => format_presence(&mut text, rows),
            (None, _) => format_plain(&mut text, rows),
        }
    }
    text
}

/// Puts `content`, which may name models and data sets, on a line of `text`, cut to [`WIDTH`].
pub(super) fn line(text: &mut String, content: &str) {
    let content = &*printable(content.trim_end());
    if content.chars().count() <= WIDTH {
        text.push_str(content);
    } else {
        text.extend(content.chars().take(WIDTH - 1));
        text.push('…');
    }
    text.push('\n');
}

pub(super) fn title(rows: &[&Metric], what: &str) -> String {
    let first = rows[0];
    let head = first.head.map_or_else(String::new, |head| format!(", head {head}"));
    let set = format!("{}, {}", first.dataset, first.split);
    format!("{}  {what}  {set}  {}{head}", first.protocol, first.model)
}

/// Head of the column of a group.
pub fn heading(group: &str) -> &str {
    match group {
        "head" => "Head",
        "shoulder" => "Shoulder",
        "elbow" => "Elbow",
        "wrist" => "Wrist",
        "hip" => "Hip",
        "knee" => "Knee",
        "ankle" => "Ankle",
        "upper_body" => "UBody",
        "torso" => "Torso",
        "upper_leg" => "U.leg",
        "lower_leg" => "L.leg",
        "upper_arm" => "U.arm",
        "lower_arm" => "L.arm",
        "total" => "Total",
        other => other,
    }
}

/// Width of a column: `100.00` and a space, or the heading and a space.
fn width(heading: &str) -> usize {
    heading.len().max(6) + 1
}

pub(super) fn interval(metric: &Metric) -> Option<String> {
    Some(format!("{:.2} to {:.2}", metric.ci_low?, metric.ci_high?))
}

fn format_pose(text: &mut String, rules: &Rules, rows: &[&Metric]) {
    let group_row = |metric: &str, group: &str, threshold: Option<f64>| {
        let same = |m: &&&Metric| {
            m.metric == metric && m.group.as_deref() == Some(group) && m.threshold == threshold
        };
        rows.iter().find(same).copied()
    };
    let name = if rules.metric == "pckh" { "PCKh".to_owned() } else { rules.metric.to_uppercase() };
    let headline = rules.headline_hundredth as f64 / 100.0;
    line(text, &title(rows, &format!("{name} in percent")));

    let mut head = format!("{:>5}", "at");
    for group in rules.groups {
        let heading = heading(group.name);
        let _ = write!(head, "{heading:>width$}", width = width(heading));
    }
    let _ = write!(head, "{:>7}", "AUC");
    let total = group_row(rules.metric, "total", Some(headline));
    let total_interval = total.and_then(interval);
    if total_interval.is_some() {
        let _ = write!(head, "   95 % of total");
    }
    line(text, &head);

    let smaller: &[usize] = if rules.headline_hundredth > 20 { &[20, 10] } else { &[10, 5] };
    for hundredth in std::iter::once(&rules.headline_hundredth).chain(smaller) {
        let threshold = *hundredth as f64 / 100.0;
        let mut content = format!("{threshold:>5.2}");
        for group in rules.groups {
            let width = width(heading(group.name));
            match group_row(rules.metric, group.name, Some(threshold)) {
                Some(metric) => write!(content, "{:>width$.2}", metric.value),
                None => write!(content, "{:>width$}", "-"),
            }
            .expect("writing to a string cannot fail");
        }
        let area = group_row("auc", "total", None).filter(|_| *hundredth == rules.headline_hundredth);
        let area = area.map_or_else(String::new, |area| format!("{:.2}", area.value));
        let _ = write!(content, "{area:>7}");
        let ends = group_row(rules.metric, "total", Some(threshold)).and_then(interval);
        let _ = write!(content, "   {}", ends.unwrap_or_default());
        line(text, &content);
    }
    if let Some(total) = total {
        let what = if rules.metric == "pcp" { "sticks" } else { "joints" };
        line(text, &format!("      over {} annotated {what}", total.count));
    }
    if let Some((name, hundredth)) = rules.extra {
        let threshold = hundredth as f64 / 100.0;
        if let Some(metric) = group_row(name, "total", Some(threshold)) {
            line(text, &format!("      {name} {:.2}, which is at {threshold:.2}", metric.value));
        }
    }
}

fn format_presence(text: &mut String, rows: &[&Metric]) {
    line(text, &title(rows, "missing joints told by heatmaps, in percent"));
    line(
        text,
        &format!(
            "{:>6} {:<7}{:>10}{:>11}{:>8}{:>9}{:>9}   95 % of accuracy",
            "by", "group", "threshold", "precision", "recall", "accuracy", "missing"
        ),
    );
    for evidence in ["mean", "max"] {
        for best in rows.iter().filter(|m| m.metric == format!("presence_{evidence}_best_accuracy")) {
            let value = |rate: &str, threshold: Option<f64>| {
                let name = format!("presence_{evidence}_{rate}");
                let same =
                    |m: &&&Metric| m.metric == name && m.group == best.group && m.threshold == threshold;
                rows.iter().find(same).map_or_else(|| "-".to_owned(), |m| format!("{:.2}", m.value))
            };
            let content = format!(
                "{evidence:>6} {:<7}{:>10.5}{:>11}{:>8}{:>9.2}{:>9}   {}",
                best.group.as_deref().unwrap_or("-"),
                best.threshold.unwrap_or(f64::NAN),
                value("precision", best.threshold),
                value("recall", best.threshold),
                best.value,
                value("base_rate", None),
                interval(best).unwrap_or_default()
            );
            line(text, &content);
        }
    }
}

fn format_plain(text: &mut String, rows: &[&Metric]) {
    line(text, &title(rows, ""));
    for metric in rows {
        let of = metric.joint.as_deref().or(metric.group.as_deref()).unwrap_or("");
        let at = metric.threshold.map_or_else(String::new, |threshold| format!("{threshold:.3}"));
        let ends = interval(metric).unwrap_or_default();
        line(text, &format!("  {:<24}{of:<16}{at:>8}{:>10.2}   {ends}", metric.metric, metric.value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{noisy_prediction, person};
    use super::super::{EvaluateOptions, evaluate_pose};
    use super::*;
    use schemas::skeleton::MPII16;
    use schemas::tables::keypoints::PredictedPose;
    use schemas::tables::people::Person;

    fn scored(protocol: Protocol, model: &str, resamples: u32) -> String {
        let people: Vec<Person> = (0..20).map(|n| person(&format!("p{n}"), n)).collect();
        let named = |person| PredictedPose {
            model: model.to_owned(),
            score: Some(vec![0.4; 16]),
            ..noisy_prediction(person, 1, 6.0)
        };
        let predictions: Vec<PredictedPose> = people.iter().map(named).collect();
        let options = EvaluateOptions { resamples, ..EvaluateOptions::new(protocol) };
        format_table(&evaluate_pose(&people, &MPII16, &predictions, &MPII16, &options).unwrap().metrics)
    }

    #[test]
    fn every_protocol_prints_within_the_width() {
        for protocol in Protocol::ALL {
            let text = scored(protocol, &"a-long-model-name/".repeat(8), 30);
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            assert!(text.starts_with(protocol.name()) && text.lines().count() > 3, "{text}");
            assert!(!text.contains("NaN"), "{text}");
        }
    }

    #[test]
    fn a_table_reads_as_it_should() {
        let text = scored(Protocol::MpiiHrnet, "made-up", 30);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "mpii-hrnet  PCKh in percent  mpii, all  made-up, head 1");
        assert_eq!(
            lines[1],
            "   at   Head Shoulder  Elbow  Wrist    Hip   Knee  Ankle  UBody  Total    AUC   95 % of total"
        );
        assert!(lines[2].starts_with(" 0.50") && lines[2].contains(" to "), "{text}");
        assert_eq!(lines[5], "      over 280 annotated joints");
        assert!(lines[6].ends_with("which is at 0.11"), "{text}");
        assert!(!scored(Protocol::MpiiHrnet, "made-up", 0).contains(" to "));
    }

    #[test]
    fn no_rows_print_nothing() {
        assert_eq!(format_table(&[]), "");
    }
}
