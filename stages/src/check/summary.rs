//! How many people each rule looked at, and how many it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use schemas::tables::findings::Finding;
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::seen::Looked;

/// Counts while people are looked at.
pub(super) struct Tally {
    rule: Rule,
    checked: u64,
    in_part: BTreeMap<&'static str, u64>,
    not_checked: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn of(rule: Rule) -> Self {
        Self { rule, checked: 0, in_part: BTreeMap::new(), not_checked: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, looked: Looked) {
        match looked {
            Looked::Checked => self.checked += 1,
            Looked::InPart(reason) => {
                self.checked += 1;
                *self.in_part.entry(reason).or_default() += 1;
            }
            Looked::Not(reason) => *self.not_checked.entry(reason).or_default() += 1,
        }
    }

    /// The summary, with what `findings` has of the rule.
    pub(super) fn summary(self, findings: &[Finding]) -> RuleSummary {
        let ours = || findings.iter().filter(|finding| finding.rule == self.rule.name());
        let person = |finding: &Finding| Some((finding.dataset.clone(), finding.sample_id.clone()?));
        RuleSummary {
            rule: self.rule,
            findings: ours().count() as u64,
            people: ours().filter_map(person).collect::<BTreeSet<_>>().len() as u64,
            checked: self.checked,
            in_part: owned(self.in_part),
            not_checked: owned(self.not_checked),
        }
    }
}

fn owned(reasons: BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    reasons.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect()
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSummary {
    /// The rule.
    pub rule: Rule,
    /// How many findings there are.
    pub findings: u64,
    /// How many people they concern.
    pub people: u64,
    /// How many people were looked at.
    pub checked: u64,
    /// How many of them could only be looked at in part, by reason.
    pub in_part: BTreeMap<String, u64>,
    /// How many people could not be looked at, by reason.
    pub not_checked: BTreeMap<String, u64>,
}

impl RuleSummary {
    /// Percent of the people looked at that findings concern; `None` where nobody was.
    pub fn share(&self) -> Option<f64> {
        (self.checked > 0).then(|| 100.0 * self.people as f64 / self.checked as f64)
    }

    /// How many people could not be looked at.
    pub fn left_out(&self) -> u64 {
        self.not_checked.values().sum()
    }

    /// Who could not be looked at, or in part, in words.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let total = self.checked + self.left_out();
        let kinds = [("not checked", &self.not_checked), ("checked in part", &self.in_part)];
        kinds.into_iter().filter(|(_, reasons)| !reasons.is_empty()).map(move |(how, reasons)| {
            let each: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            let count: u64 = reasons.values().sum();
            format!("{}: {count} of {total} people {how}: {}", self.rule, each.join(", "))
        })
    }
}

/// `summary` as a table for people.
///
/// ```
/// use stages::check::{Rule, RuleSummary, format_summary};
/// let leaks = RuleSummary {
///     rule: Rule::Leak, findings: 2, people: 2, checked: 40, in_part: [].into(), not_checked: [].into(),
/// };
/// let text = format_summary(&[leaks]);
/// assert!(text.ends_with("leak                       2         2     5.0 %          40             0\n"), "{text}");
/// ```
pub fn format_summary(summary: &[RuleSummary]) -> String {
    let mut text = format!(
        "{:<18} {:>9} {:>9} {:>9} {:>11} {:>13}\n",
        "rule", "findings", "people", "share", "checked", "not checked"
    );
    for row in summary {
        let share = row.share().map_or_else(|| "-".to_owned(), |share| format!("{share:.1} %"));
        let _ = writeln!(
            text,
            "{:<18} {:>9} {:>9} {:>9} {:>11} {:>13}",
            row.rule,
            row.findings,
            row.people,
            share,
            row.checked,
            row.left_out()
        );
    }
    text
}
