//! Rows and seconds of every node, counted during a run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use schemas::tables::rejects::{Reject, total_rows};
use stages::stage::Gathered;
use stages::{FanOut, Outcome};

use super::RunError;
use super::record::{UnitRecord, name_of};
use crate::graph::Graph;

/// The counters of all nodes.
#[derive(Debug)]
pub(super) struct Counts(Vec<NodeCounts>);

/// The counters of one node.
#[derive(Debug, Default)]
pub(super) struct NodeCounts {
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    rejected: AtomicU64,
    nanos: AtomicU64,
}

/// The counters of one node, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeTotals {
    /// Rows that entered.
    pub rows_in: u64,
    /// Rows that left.
    pub rows_out: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Time spent, summed over threads.
    pub busy: Duration,
}

impl Counts {
    /// Counters at zero for every node of `graph`.
    pub(super) fn new(graph: &Graph) -> Self {
        Self(graph.nodes.iter().map(|_| NodeCounts::default()).collect())
    }

    /// The totals of `node` so far.
    pub(super) fn totals(&self, node: usize) -> NodeTotals {
        let counts = &self.0[node];
        NodeTotals {
            rows_in: counts.rows_in.load(Relaxed),
            rows_out: counts.rows_out.load(Relaxed),
            rejected: counts.rejected.load(Relaxed),
            busy: Duration::from_nanos(counts.nanos.load(Relaxed)),
        }
    }

    /// Notes what a source rejected.
    pub(super) fn add_source(&self, node: usize, rejects: &[Reject]) {
        self.0[node].rejected.fetch_add(total_rows(rejects), Relaxed);
    }

    /// Times `work` on `rows_in` rows of a stage, counts the result, and checks that no row was lost.
    pub(super) fn stage(
        &self,
        node: usize,
        name: &str,
        rows_in: usize,
        fan_out: FanOut,
        work: impl FnOnce() -> Result<Outcome, RunError>,
    ) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let outcome = work()?;
        let (rows_out, rejected) = (outcome.rows.num_rows(), total_rows(&outcome.rejects) as usize);
        self.add(node, rows_in, rows_out, rejected, started.elapsed());
        let (holds, rule) = match fan_out {
            FanOut::ByRow if outcome.taken.is_none() => {
                (rejected + rows_out == rows_in, "each row gives 1".to_owned())
            }
            FanOut::Each(count) => {
                let holds = rejected <= rows_in && (rows_in - rejected) * count == rows_out;
                (holds, format!("each row gives {count}"))
            }
            FanOut::Varies | FanOut::ByRow => {
                let taken = outcome.taken.unwrap_or(0);
                (outcome.taken.is_some() && taken + rejected == rows_in, format!("{taken} rows were taken"))
            }
        };
        if !holds {
            return Err(RunError::LostRows { stage: name.to_owned(), rows_in, rows_out, rejected, rule });
        }
        Ok(outcome)
    }

    /// Times `work` of an aggregate and counts the result.
    pub(super) fn aggregate(
        &self,
        node: usize,
        work: impl FnOnce() -> Result<Gathered, RunError>,
    ) -> Result<Gathered, RunError> {
        let started = Instant::now();
        let gathered = work()?;
        self.add(node, 0, 0, total_rows(&gathered.rejects) as usize, started.elapsed());
        Ok(gathered)
    }

    /// Notes rows that a source or an aggregate gives.
    pub(super) fn add_output(&self, node: usize, rows: usize) {
        self.0[node].rows_out.fetch_add(rows as u64, Relaxed);
    }

    /// Notes rows that an aggregate or a sink takes.
    pub(super) fn add_input(&self, node: usize, rows: usize) {
        self.0[node].rows_in.fetch_add(rows as u64, Relaxed);
    }

    /// Adds the rows of all nodes of `graph` that stand in `records`.
    pub(super) fn add_rows(&self, graph: &Graph, records: &BTreeMap<u64, UnitRecord>) {
        for (counts, node) in self.0.iter().zip(&graph.nodes) {
            let name = name_of(node);
            for [rows_in, rows_out, rejected] in records.values().filter_map(|record| record.rows.get(&name))
            {
                counts.rows_in.fetch_add(*rows_in, Relaxed);
                counts.rows_out.fetch_add(*rows_out, Relaxed);
                counts.rejected.fetch_add(*rejected, Relaxed);
            }
        }
    }

    /// Adds the time that the nodes of another part of the run took.
    pub(super) fn add_busy(&self, other: &Self) {
        for (mine, theirs) in self.0.iter().zip(&other.0) {
            mine.nanos.fetch_add(theirs.nanos.load(Relaxed), Relaxed);
        }
    }

    fn add(&self, node: usize, rows_in: usize, rows_out: usize, rejected: usize, elapsed: Duration) {
        let counts = &self.0[node];
        counts.rows_in.fetch_add(rows_in as u64, Relaxed);
        counts.rows_out.fetch_add(rows_out as u64, Relaxed);
        counts.rejected.fetch_add(rejected as u64, Relaxed);
        counts.nanos.fetch_add(elapsed.as_nanos() as u64, Relaxed);
    }
}
