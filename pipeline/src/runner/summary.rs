//! What came of a run, for people.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use datasets::shards::{Rejected, Verdict};
use schemas::units::grouped;

use super::counts::{Counts, NodeTotals};
use crate::graph::{Graph, Work};

/// What came of a run.
#[derive(Debug)]
pub struct Summary {
    /// Every source, stage and sink, in dataflow order.
    pub nodes: Vec<NodeSummary>,
    /// Rejects of the whole table, earlier parts of a resumed run included, by reason.
    pub reasons: BTreeMap<String, u64>,
    /// By reason: the first reject, in words.
    pub examples: BTreeMap<String, String>,
    /// What was lost of what was read.
    pub verdict: Verdict,
    /// Notes of the aggregates about their rows.
    pub notes: Vec<String>,
    /// The tables that were written, the rejects last.
    pub sinks: Vec<SinkSummary>,
    /// Wall time.
    pub elapsed: Duration,
}

/// What went through one node.
#[derive(Debug)]
pub struct NodeSummary {
    /// Its name in the plan.
    pub name: String,
    /// What it is, as the plan spells it.
    pub kind: &'static str,
    /// Rows and time.
    pub totals: NodeTotals,
    has_input: bool,
    has_output: bool,
}

/// One table that was written.
#[derive(Debug)]
pub struct SinkSummary {
    /// Its file or folder.
    pub path: PathBuf,
    /// Whether the same work had made it already.
    pub already: bool,
    /// Its rows.
    pub rows: u64,
    /// Its shards, where it is cut into such.
    pub shards: Option<usize>,
}

impl Summary {
    pub(super) fn new(graph: &Graph, counts: &Counts, sinks: Vec<SinkSummary>, elapsed: Duration) -> Self {
        let node = |(index, node): (usize, &crate::graph::Node)| NodeSummary {
            name: node.name.clone(),
            kind: node.kind,
            totals: counts.totals(index),
            has_input: !node.is_source(),
            has_output: !matches!(node.work, Work::Sink(_)),
        };
        let nodes = graph.nodes.iter().enumerate().map(node).collect();
        Self {
            nodes,
            reasons: BTreeMap::new(),
            examples: BTreeMap::new(),
            verdict: Verdict::default(),
            notes: Vec::new(),
            sinks,
            elapsed,
        }
    }

    pub(super) fn with_rejects(self, rejected: Rejected) -> Self {
        let Rejected { rows, examples, verdict } = rejected;
        Self { reasons: rows, examples, verdict: verdict.unwrap_or_default(), ..self }
    }

    /// The summary as a table in plain text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let width =
            self.nodes.iter().map(|node| node.name.len() + node.kind.len() + 3).max().unwrap_or(0).max(8);
        let _ = writeln!(
            text,
            "{:width$} {:>10} {:>10} {:>9} {:>8}",
            "", "rows in", "rows out", "rejected", "seconds"
        );
        for node in &self.nodes {
            let NodeTotals { rows_in, rows_out, rejected, busy } = node.totals;
            let cell = |shown: bool, value: u64| if shown { grouped(value) } else { String::new() };
            let seconds = if node.has_input && node.has_output {
                format!("{:.1}", busy.as_secs_f64())
            } else {
                String::new()
            };
            let line = format!(
                "{:width$} {:>10} {:>10} {:>9} {seconds:>8}",
                format!("{} ({})", node.name, node.kind),
                cell(node.has_input, rows_in),
                cell(node.has_output, rows_out),
                cell(rejected > 0, rejected),
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for (reason, count) in &self.reasons {
            let _ = writeln!(text, "rejected: {} x {reason}", grouped(*count));
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text + &self.written()
    }

    /// The targets, a line each.
    pub fn written(&self) -> String {
        let mut text = String::new();
        for sink in &self.sinks {
            let verb = if sink.already { "up to date" } else { "wrote" };
            let shards = match sink.shards {
                None => String::new(),
                Some(1) => " in 1 shard".to_owned(),
                Some(count) => format!(" in {count} shards"),
            };
            let _ = writeln!(text, "{verb} {}: {} rows{shards}", sink.path.display(), grouped(sink.rows));
        }
        text
    }
}
