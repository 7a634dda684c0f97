//! The numbers that are quoted, and how they print.

use std::fmt::Write as _;

use schemas::tables::metrics::Metric;

use super::Kind;
use crate::evaluate::protocol::Protocol;
use crate::evaluate::table::{interval, line, title};

/// A number that is quoted: what it is called, and which row it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headline {
    /// As papers and the reference evaluators call it.
    pub name: &'static str,
    /// `metric` of its row.
    pub metric: &'static str,
    /// `group` of its row.
    pub group: &'static str,
    /// `threshold` of its row.
    pub threshold: Option<f64>,
}

impl Headline {
    /// Whether it is the number of `row`.
    pub fn is(&self, row: &Metric) -> bool {
        row.metric == self.metric
            && row.group.as_deref() == Some(self.group)
            && row.threshold == self.threshold
    }
}

const fn number(
    name: &'static str,
    metric: &'static str,
    group: &'static str,
    threshold: Option<f64>,
) -> Headline {
    Headline { name, metric, group, threshold }
}

/// The ten numbers of COCO's evaluation, in its order.
const COCO: [Headline; 10] = [
    number("AP", "ap", "total", None),
    number("AP50", "ap", "total", Some(0.5)),
    number("AP75", "ap", "total", Some(0.75)),
    number("AP-M", "ap", "medium", None),
    number("AP-L", "ap", "large", None),
    number("AR", "ar", "total", None),
    number("AR50", "ar", "total", Some(0.5)),
    number("AR75", "ar", "total", Some(0.75)),
    number("AR-M", "ar", "medium", None),
    number("AR-L", "ar", "large", None),
];

/// The nine numbers of `CrowdPose`'s evaluation, in its order.
const CROWDPOSE: [Headline; 9] = [
    number("AP", "ap", "total", None),
    number("AP50", "ap", "total", Some(0.5)),
    number("AP75", "ap", "total", Some(0.75)),
    number("AR", "ar", "total", None),
    number("AR50", "ar", "total", Some(0.5)),
    number("AR75", "ar", "total", Some(0.75)),
    number("AP-E", "ap", "easy", None),
    number("AP-M", "ap", "medium", None),
    number("AP-H", "ap", "hard", None),
];

pub(super) fn headline(kind: Kind) -> &'static [Headline] {
    match kind {
        Kind::Coco => &COCO,
        Kind::CrowdPose => &CROWDPOSE,
    }
}

/// The numbers that are quoted of `protocol`, in the order of its own evaluation; none where it is no average of precision.
pub fn headlines(protocol: Protocol) -> &'static [Headline] {
    match protocol {
        Protocol::CocoOks => headline(Kind::Coco),
        Protocol::CrowdPose => headline(Kind::CrowdPose),
        _ => &[],
    }
}

/// Width of a column.
const COLUMN: usize = 8;

/// Puts the quoted numbers of `rows`, which are of one head, on lines of `text`: value, interval, who counts.
pub(in super::super) fn format_oks(text: &mut String, protocol: Protocol, rows: &[&Metric]) {
    line(text, &title(rows, "average precision and recall by OKS, in percent"));
    let headlines = headlines(protocol);
    let find = |headline: &Headline| rows.iter().find(|row| headline.is(row)).copied();
    let columns = |cell: &dyn Fn(&Headline) -> String| {
        let mut content = String::new();
        for headline in headlines {
            let _ = write!(content, "{:>COLUMN$}", cell(headline));
        }
        content
    };
    line(text, &columns(&|headline| headline.name.to_owned()));
    let value = |headline: &Headline| {
        find(headline).map_or_else(|| "-".to_owned(), |row| format!("{:.2}", row.value))
    };
    line(text, &columns(&value));
    let total = find(&headlines[0]);
    if let Some(ends) = total.and_then(interval) {
        line(text, &format!("      AP 95 % {ends}, over pictures"));
    }
    let count = |metric: &str| rows.iter().find(|row| row.metric == metric).map(|row| row.value);
    let counts = [count("people_found"), count("people_missed"), count("people_false")];
    if let [Some(found), Some(missed), Some(wrong)] = counts {
        let people = found + missed;
        let content = format!(
            "      at 0.5 {found} of {people} people are found, {missed} missed; {wrong} detections are of nobody"
        );
        line(text, &content);
    }
    let is_comparable = rows.iter().any(|row| row.metric == "comparable" && row.value > 0.0);
    let verdict = if is_comparable { "comparable" } else { "not comparable" };
    line(text, &format!("      {verdict} with published numbers"));
}
