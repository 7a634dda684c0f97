//! What a run lost of what it read, and whether that is more than its user allows.

use datasets::shards::{Rejected, Verdict};
use schemas::printable;
use schemas::units::grouped;

use super::allowed::{MostRejects, lines};
use super::counts::{Counts, NodeTotals};
use super::summary::SinkSummary;
use super::units::Sources;
use super::{RunError, Summary};
use crate::graph::{Graph, Node, Work};
use crate::plan::SourceConfig;

/// The stage whose rejects are what it was told to leave out.
const FILTER: &str = "filter";
/// The step that gives nothing where all is well.
const CHECK: &str = "check";

/// What a run lost whose nodes took and gave `totals` and which `rejected` so much; `sinks` are what was written.
pub(super) fn verdict(
    graph: &Graph,
    sources: &Sources,
    totals: &Counts,
    rejected: &Rejected,
    sinks: &[(usize, SinkSummary)],
) -> Verdict {
    let given = |index: usize, node: &Node| match totals.totals(index).rows_out {
        // Steps that need all rows read those of a table or an annotation file themselves.
        0 if node.is_source() => {
            sources.get(&index).filter(|source| source.is_rereadable()).map_or(0, |source| source.length())
        }
        rows => rows,
    };
    let nodes = || graph.nodes.iter().enumerate();
    let read = nodes()
        .filter(|(_, node)| node.is_source())
        .map(|(index, node)| given(index, node) + totals.totals(index).rejected);
    let filtered =
        nodes().filter(|(_, node)| node.kind == FILTER).map(|(index, _)| totals.totals(index).rejected);
    let lost = nodes().find_map(|(index, node)| {
        let sink = sinks.iter().find(|(sink, _)| *sink == index).map(|(_, sink)| sink.rows);
        loss(node, NodeTotals { rows_out: given(index, node), ..totals.totals(index) }, sink)
    });
    Verdict {
        read: read.sum(),
        rejected: rejected.rows.values().sum::<u64>().saturating_sub(filtered.sum()),
        lost: lost.or_else(|| empty(graph, totals)),
    }
}

/// What `node` lost as a whole, if it did; a sink wrote `written` rows.
fn loss(node: &Node, totals: NodeTotals, written: Option<u64>) -> Option<String> {
    let NodeTotals { rows_in, rows_out, rejected, .. } = totals;
    let name = printable(&node.name);
    let joins_files = SourceConfig::KINDS.iter().any(|(kind, _)| *kind == node.kind);
    match &node.work {
        Work::Source(_) | Work::Given(_) if rows_out == 0 => Some(match rejected {
            0 => format!("the source `{name}` gives no rows"),
            count => format!("every record of the source `{name}` was rejected, {} in all", grouped(count)),
        }),
        Work::Aggregate(_) if joins_files && rows_out == 0 => Some(match rejected {
            0 => format!("the source `{name}` gives no rows"),
            count => format!("every record of `{name}` was rejected, {} in all", grouped(count)),
        }),
        Work::Rows(_) | Work::Aggregate(_)
            if rows_out == 0 && rejected > 0 && ![FILTER, CHECK].contains(&node.kind) =>
        {
            Some(format!("no row passed `{name}`, {} were rejected there", grouped(rejected)))
        }
        Work::Sink(_) if written == Some(0) && rows_in > 0 => {
            Some(format!("the sink `{name}` could write none of {} rows", grouped(rows_in)))
        }
        _ => None,
    }
}

/// Whether filters left nothing for any sink.
fn empty(graph: &Graph, totals: &Counts) -> Option<String> {
    let fed_by_filter = |node: &Node| {
        node.inputs.iter().all(|&input| {
            matches!(graph.nodes[input].work, Work::Rows(_)) && totals.totals(input).rows_out == 0
        })
    };
    let mut sinks = graph.nodes.iter().filter(|node| matches!(node.work, Work::Sink(_)));
    let mut nodes = graph.nodes.iter().enumerate();
    let filtered = nodes.any(|(index, node)| node.kind == FILTER && totals.totals(index).rejected > 0);
    (filtered && sinks.all(fed_by_filter)).then(|| "every row was filtered out".to_owned())
}

impl Summary {
    /// Whether the run kept something of all that it read, and rejected no more than `most`. Its tables are complete
    /// either way.
    ///
    /// # Errors
    /// When a source gave nothing, nothing passed a stage, nothing could be written, or more was rejected.
    pub fn check(&self, most: Option<MostRejects>) -> Result<(), RunError> {
        let Verdict { read, rejected, lost } = &self.verdict;
        let rejects = || self.rejects();
        if let Some(lost) = lost {
            return Err(RunError::Lost { what: lost.clone(), rejects: rejects() });
        }
        match most.filter(|most| !most.allows(&self.verdict)) {
            None => Ok(()),
            Some(most) => {
                Err(RunError::Rejects { rejected: *rejected, read: *read, most, rejects: rejects() })
            }
        }
    }

    /// The rejects, a line for each reason: how many there are, and the first.
    fn rejects(&self) -> Vec<String> {
        lines(&self.reasons, &self.examples)
    }
}
