//! The numbers of the metric table: by group, by joint, by other conventions, by output head; and the curves.

use std::collections::BTreeSet;

use schemas::tables::metrics::Metric;
use schemas::tables::rejects::Reject;

use super::super::super::chart::{Curve, Figure, line_chart, series_class};
use super::super::super::error::ReportError;
use super::super::super::words::{count, interval, number, spaced};
use super::super::ReportOptions;
use super::super::content::{Block, Cell, Table};
use super::{PoseInput, headline, in_section, rate_name};
use stages::evaluate::rules::Rules;
use stages::evaluate::table::heading;
use stages::evaluate::{Evaluation, OutputHead, Protocol};

/// Two numbers that are meant to be one may differ by so much: they are sums in one order.
const SAME: f64 = 1e-9;

/// The rows of one protocol and model.
pub(super) struct Scores {
    rows: Vec<Metric>,
    /// Output heads, ascending.
    pub heads: Vec<i32>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// Who could not be scored.
    pub rejects: Vec<Reject>,
    model: String,
    sets: BTreeSet<String>,
}

impl Scores {
    /// The rows of the run's own metric table, where it has some, checked against what the tables give now; else those.
    pub(super) fn of(
        input: &PoseInput<'_>,
        protocol: Protocol,
        options: &ReportOptions,
    ) -> Result<Self, ReportError> {
        let model = input.predictions.first().map(|pose| pose.model.clone()).unwrap_or_default();
        let stored: Vec<Metric> = input
            .metrics
            .iter()
            .filter(|row| row.protocol == protocol.name() && row.model == model)
            .cloned()
            .collect();
        let resamples = if stored.is_empty() { options.resamples } else { 0 };
        let Evaluation { metrics, mut notes, rejects } = input.evaluated(protocol, resamples)?;
        let rows = if stored.is_empty() {
            notes.push(
                "Numbers are scored now from truth and predictions; no metric table of the run has them."
                    .to_owned(),
            );
            metrics
        } else {
            notes.push(checked(&stored, &metrics));
            stored
        };
        let heads: BTreeSet<i32> = rows.iter().filter_map(|row| row.head).collect();
        let sets = input.truth.iter().map(|person| format!("{} {}", person.dataset, person.split)).collect();
        let rejects = in_section(&rejects, &input.name);
        Ok(Self { rows, heads: heads.into_iter().collect(), notes, rejects, model, sets })
    }

    /// Data sets and splits of the people.
    pub(super) fn set(&self) -> String {
        self.sets.iter().map(String::as_str).collect::<Vec<_>>().join(" + ")
    }

    /// The last output head, which is the one that is looked at closely.
    pub(super) fn head(&self) -> OutputHead<'_> {
        OutputHead { model: &self.model, number: self.heads.last().copied().unwrap_or(1) }
    }

    /// The rows of the last output head.
    pub(super) fn of_last_head(&self) -> impl Iterator<Item = &Metric> {
        let last = self.heads.last().copied();
        self.rows.iter().filter(move |row| row.head == last)
    }

    /// The row of output head number `head`, or of the last one.
    fn find(
        &self,
        head: Option<i32>,
        metric: &str,
        joint: Option<&str>,
        group: Option<&str>,
        threshold: Option<f64>,
    ) -> Option<&Metric> {
        let head = head.or(self.heads.last().copied());
        self.rows.iter().find(|row| {
            row.head == head
                && row.metric == metric
                && row.joint.as_deref() == joint
                && row.group.as_deref() == group
                && row.threshold == threshold
        })
    }

    fn rules(&self) -> Option<&'static Rules> {
        self.rows.first()?.protocol.parse::<Protocol>().ok()?.rules()
    }

    /// The figure that papers quote.
    pub(super) fn total(&self) -> Option<&Metric> {
        let rules = self.rules()?;
        self.find(None, rules.metric, None, Some("total"), Some(at(rules.headline_hundredth)))
    }

    /// Each group at the published threshold and at two smaller ones.
    pub(super) fn groups(&self, rules: &Rules) -> Block {
        let mut head = vec!["at".to_owned()];
        head.extend(rules.groups.iter().map(|group| heading(group.name).to_owned()));
        head.push("95 % of total".to_owned());
        let find =
            |metric: &str, group: &str, threshold| self.find(None, metric, None, Some(group), threshold);
        let row = |name: String, cell: &dyn Fn(&str) -> Cell, total: Option<&Metric>| -> Vec<Cell> {
            let ends = total.map_or_else(String::new, |m| interval(m.ci_low, m.ci_high));
            let cells = rules.groups.iter().map(|group| cell(group.name));
            std::iter::once(name.into()).chain(cells).chain([ends.into()]).collect()
        };
        let rates = |hundredth: &usize| {
            let of = |group: &str| find(rules.metric, group, Some(at(*hundredth)));
            row(format!("{:.2}", at(*hundredth)), &|group| self.cell(of(group)), of("total"))
        };
        let mut rows: Vec<Vec<Cell>> = thresholds(rules).iter().map(rates).collect();
        let area = |group: &str| find("auc", group, None);
        rows.push(row("AUC".to_owned(), &|group| self.cell(area(group)), area("total")));
        let headline = |group: &str| find(rules.metric, group, Some(at(rules.headline_hundredth)));
        let annotated = |group: &str| Cell::or_dash(headline(group).map(|row| count(row.count)));
        rows.push(row("annotated".to_owned(), &annotated, None));
        let caption = format!("{} in percent, by threshold and group", rate_name(rules));
        Block::table(Table::new(caption, head, rows))
    }

    fn cell(&self, row: Option<&Metric>) -> Cell {
        let strong = row.is_some_and(|row| {
            row.group.as_deref() == Some("total")
                && self.rules().is_some_and(|rules| row.threshold == Some(at(rules.headline_hundredth)))
        });
        Cell { strong, ..Cell::or_dash(row.map(|row| number(row.value))) }
    }

    /// Each joint or stick at the published threshold, with its interval.
    pub(super) fn joints(&self, rules: &Rules) -> Block {
        let threshold = at(rules.headline_hundredth);
        let smaller = at(thresholds(rules)[1]);
        let of_joint = |row: &&Metric| {
            row.joint.is_some() && row.threshold == Some(threshold) && row.metric == rules.metric
        };
        let row = |row: &Metric| {
            let joint = row.joint.as_deref();
            let other = self.find(None, rules.metric, joint, None, Some(smaller));
            vec![
                spaced(joint.unwrap_or_default()).into(),
                Cell::barred(row.value, false),
                interval(row.ci_low, row.ci_high).into(),
                Cell::or_dash(other.map(|other| number(other.value))),
                count(row.count).into(),
            ]
        };
        let last = self.heads.last().copied();
        let rows = self.rows.iter().filter(|row| row.head == last).filter(of_joint).map(row).collect();
        let what = if rules.metric == "pcp" { "stick" } else { "joint" };
        let head = [what, &headline(rules), "95 % interval", &format!("@{smaller}"), "annotated"];
        let caption = format!("Each {what}, in percent");
        Block::table(Table::new(caption, head, rows))
    }

    /// The rate of each group over all thresholds.
    pub(super) fn curves(&self, rules: &Rules, unit: &str) -> Figure {
        let curve = |(place, group): (usize, &stages::evaluate::rules::Group)| {
            let points = (0..=rules.last_hundredth).filter_map(|hundredth| {
                let row = self.find(None, rules.metric, None, Some(group.name), Some(at(hundredth)))?;
                Some([at(hundredth), row.value])
            });
            let points: Vec<[f64; 2]> = points.collect();
            let total = group.name == "total";
            Curve {
                label: spaced(group.name),
                value: points.last().map_or_else(String::new, |[_, rate]| format!("{rate:.1}")),
                class: if total { "total".to_owned() } else { series_class(place) },
                points,
                mark: None,
            }
        };
        let curves = rules.groups.iter().enumerate().map(curve);
        // A protocol for any skeleton has groups that this one lacks.
        let curves: Vec<Curve> = curves.filter(|curve| !curve.points.is_empty()).collect();
        let name = rate_name(rules);
        let title = format!("{name} over its threshold");
        let total = self.total().map_or_else(String::new, |total| {
            format!(
                "At {} the total is {} percent.",
                total.threshold.unwrap_or_default(),
                number(total.value)
            )
        });
        let summary = format!("One curve for each group of joints, rising with the threshold. {total}");
        let x = (format!("threshold, in parts of {unit}"), [0.0, at(rules.last_hundredth)]);
        line_chart(&title, &summary, (&x.0, x.1), (&format!("{name}, %"), [0.0, 100.0]), &curves)
    }

    /// The totals of all output heads, where there are several.
    pub(super) fn table_of_heads(&self, rules: &Rules) -> Option<Block> {
        if self.heads.len() < 2 {
            return None;
        }
        let row = |head: &i32| {
            let of = |metric: &str, threshold| self.find(Some(*head), metric, None, Some("total"), threshold);
            let total = of(rules.metric, Some(at(rules.headline_hundredth)));
            let cell = |row: Option<&Metric>| Cell::or_dash(row.map(|row| number(row.value)));
            let ends = total.map_or_else(String::new, |row| interval(row.ci_low, row.ci_high));
            vec![head.to_string().into(), cell(total), ends.into(), cell(of("auc", None))]
        };
        let head = ["output head", &headline(rules), "95 % interval", "AUC"];
        let rows = self.heads.iter().map(row).collect();
        let table = Table::new("Totals of every output head, in percent", head, rows);
        Some(Block::fold("Output heads", vec![Block::table(table)]))
    }

    /// All rows as they stand, for protocols without places.
    pub(super) fn plain(&self) -> Block {
        Block::table(plain_table(&self.rows.iter().collect::<Vec<_>>(), "All numbers"))
    }
}

/// Rows as they stand in the metric table.
pub(crate) fn plain_table(rows: &[&Metric], caption: &str) -> Table {
    let row = |row: &&Metric| -> Vec<Cell> {
        let of = row.joint.as_deref().or(row.group.as_deref()).unwrap_or("–");
        vec![
            row.metric.clone().into(),
            number(row.value).into(),
            interval(row.ci_low, row.ci_high).into(),
            Cell::or_dash(row.threshold.map(|threshold| threshold.to_string())),
            count(row.count).into(),
            spaced(of).into(),
            format!("{}, {} {}, {}", row.protocol, row.dataset, row.split, row.model).into(),
        ]
    };
    let head = ["metric", "value", "95 % interval", "at", "count", "of", "protocol, set, model"];
    Table::new(caption, head, rows.iter().map(row).collect()).words_from(5)
}

/// How many of the rows `stored` are not among `scored`, with the same value and count.
pub fn disagreeing(stored: &[Metric], scored: &[Metric]) -> usize {
    let same = |row: &&Metric| {
        let twin = scored.iter().find(|other| {
            other.head == row.head
                && other.model == row.model
                && other.protocol == row.protocol
                && other.metric == row.metric
                && other.joint == row.joint
                && other.group == row.group
                && other.threshold == row.threshold
        });
        twin.is_some_and(|twin| (twin.value - row.value).abs() <= SAME && twin.count == row.count)
    };
    stored.iter().filter(|row| !same(row)).count()
}

/// What checking the stored rows against those scored anew gives, in words.
fn checked(stored: &[Metric], scored: &[Metric]) -> String {
    let (differing, all) = (disagreeing(stored, scored), count(stored.len() as i64));
    if differing == 0 {
        return format!("Numbers are those of the run's metric table; all {all} were scored anew and agree.");
    }
    format!(
        "Attention: {} of the {all} numbers of the run's metric table are not what truth and predictions give now; the \
         table is shown as it stands.",
        count(differing as i64)
    )
}

/// The published threshold and two smaller ones, in hundredths.
fn thresholds(rules: &Rules) -> [usize; 3] {
    let [second, third] = if rules.headline_hundredth > 20 { [20, 10] } else { [10, 5] };
    [rules.headline_hundredth, second, third]
}

/// A threshold.
pub(super) fn at(hundredth: usize) -> f64 {
    hundredth as f64 / 100.0
}
