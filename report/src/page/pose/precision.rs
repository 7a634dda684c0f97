//! The section of a network that is scored by whole pictures: average precision and recall.

use schemas::tables::metrics::Metric;
use stages::evaluate::oks::{Headline, headlines};
use stages::evaluate::{OutputHead, Protocol};

use super::super::super::chart::{Curve, Figure, line_chart, series_class};
use super::super::super::words::{count, interval, number, spaced};
use super::super::content::{Block, Card, Cell, Section, Table};
use super::PoseInput;
use super::scores::Scores;

/// Puts the numbers of `scores` into `section`; gives the card of the number that papers quote first.
pub(super) fn fill(
    section: &mut Section,
    input: &PoseInput<'_>,
    protocol: Protocol,
    scores: &Scores,
) -> Option<Card> {
    let rows: Vec<&Metric> = scores.of_last_head().collect();
    let OutputHead { model, number: head } = scores.head();
    let quoted = headlines(protocol);
    let total = quoted.first().and_then(|first| rows.iter().find(|row| first.is(row)).copied());
    let is_comparable = rows.iter().any(|row| row.metric == "comparable" && row.value > 0.0);
    section.lead = format!(
        "{model}, output head {head}. {} people who count of {}, protocol {protocol}: all predictions of a picture are \
         compared with all its people by object keypoint similarity. Truth in {}, predictions in {}.",
        total.map_or_else(|| "No".to_owned(), |total| count(total.count)),
        scores.set(),
        input.truth_skeleton.name,
        input.prediction_skeleton.name
    );
    section.blocks.push(Block::table(quoted_table(quoted, &rows, is_comparable)));
    section.blocks.push(Block::Notes { notes: scores.notes.clone() });
    if total.is_some() {
        section.blocks.push(Block::charts(vec![curves(&rows)]));
    }
    section.blocks.push(Block::table(parts_table(&rows)));
    section.blocks.push(Block::table(joints_table(&rows)));
    section.blocks.push(Block::fold("All numbers", vec![scores.plain()]));
    total.map(|total| {
        let ends = interval(total.ci_low, total.ci_high);
        let ends = if ends.is_empty() { ends } else { format!("95 % {ends}. ") };
        let place = if is_comparable {
            "comparable with published numbers"
        } else {
            "not comparable with published numbers"
        };
        Card {
            title: format!("{} · {}", scores.set(), quoted[0].name),
            value: format!("{} %", number(total.value)),
            detail: format!("{ends}{protocol}, {} people, {place}", count(total.count)),
            target: section.id.clone(),
        }
    })
}

/// The numbers that papers quote, each with whether it may stand beside theirs.
fn quoted_table(quoted: &[Headline], rows: &[&Metric], is_comparable: bool) -> Table {
    let row = |(at, headline): (usize, &Headline)| -> Vec<Cell> {
        let found = rows.iter().find(|row| headline.is(row));
        let ends = found.map_or_else(String::new, |row| interval(row.ci_low, row.ci_high));
        let verdict = match found {
            None => "nobody counts",
            Some(_) if is_comparable => "yes",
            Some(_) => "no",
        };
        vec![
            headline.name.into(),
            found.map_or_else(|| "–".into(), |row| Cell::barred(row.value, at == 0)),
            ends.into(),
            Cell::or_dash(found.map(|row| count(row.count))),
            verdict.into(),
        ]
    };
    let found = quoted.iter().filter(|headline| rows.iter().any(|row| headline.is(row))).count();
    let comparable = if is_comparable { found } else { 0 };
    let caption = format!(
        "The numbers that are quoted, in percent; {comparable} of {} may stand beside published ones (why not is said below)",
        quoted.len()
    );
    let head = ["number", "value", "95 % interval", "people", "comparable"];
    Table::new(caption, head, quoted.iter().enumerate().map(row).collect())
}

/// Precision and recall of each range of people and each kind of pictures.
fn parts_table(rows: &[&Metric]) -> Table {
    let of =
        |metric: &'static str| rows.iter().filter(move |row| row.metric == metric && row.threshold.is_none());
    let row = |precision: &&Metric| -> Vec<Cell> {
        let recall = of("ar").find(|row| row.group == precision.group);
        let group = precision.group.as_deref().unwrap_or_default();
        vec![
            group.into(),
            Cell::barred(precision.value, group == "total"),
            interval(precision.ci_low, precision.ci_high).into(),
            Cell::or_dash(recall.map(|row| number(row.value))),
            count(precision.count).into(),
        ]
    };
    let head = ["people", "AP", "95 % interval", "AR", "who count"];
    Table::new("By size, by annotated joints, by pictures, in percent", head, of("ap").map(row).collect())
}

/// How alike the joints are of the people who are found.
fn joints_table(rows: &[&Metric]) -> Table {
    let of = |metric: &'static str| rows.iter().filter(move |row| row.metric == metric);
    let row = |alike: &&Metric| -> Vec<Cell> {
        let good = of("ks_good").find(|row| row.joint == alike.joint);
        vec![
            spaced(alike.joint.as_deref().unwrap_or_default()).into(),
            Cell::barred(alike.value, false),
            interval(alike.ci_low, alike.ci_high).into(),
            Cell::or_dash(good.map(|row| number(row.value))),
            count(alike.count).into(),
        ]
    };
    let head = ["joint", "similarity", "95 % interval", "at least 0.85", "annotated"];
    let caption = "Keypoint similarity of each joint of the people who are found at 0.5, in percent";
    Table::new(caption, head, of("ks").map(row).collect())
}

/// Precision and recall over the threshold of similarity.
fn curves(rows: &[&Metric]) -> Figure {
    let curve = |(at, (metric, label)): (usize, (&str, &str))| {
        let of_metric =
            rows.iter().filter(|row| row.metric == metric && row.group.as_deref() == Some("total"));
        let points: Vec<[f64; 2]> = of_metric.filter_map(|row| Some([row.threshold?, row.value])).collect();
        Curve {
            label: label.to_owned(),
            value: points.first().map_or_else(String::new, |[_, value]| format!("{value:.1}")),
            class: series_class(at),
            points,
            mark: None,
        }
    };
    let curves: Vec<Curve> =
        [("ap", "precision"), ("ar", "recall")].into_iter().enumerate().map(curve).collect();
    let title = "Average precision and recall over the threshold of similarity";
    let summary = "Both fall as a person has to be met more closely to be found.";
    line_chart(title, summary, ("threshold of similarity", [0.5, 0.95]), ("%", [0.0, 100.0]), &curves)
}
