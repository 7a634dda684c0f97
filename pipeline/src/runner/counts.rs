//! Rows and seconds of every node, counted while a run goes on.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use stages::Outcome;
use stages::stage::Gathered;

use super::RunError;
use crate::graph::{Graph, Work};

/// The counters of all nodes.
#[derive(Debug)]
pub struct Counts(Vec<NodeCounts>);

/// The counters of one node.
#[derive(Debug, Default)]
pub struct NodeCounts {
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
    pub fn new(graph: &Graph) -> Self {
        Self(graph.nodes.iter().map(|_| NodeCounts::default()).collect())
    }

    /// The totals of `node` so far.
    pub fn totals(&self, node: usize) -> NodeTotals {
        let counts = &self.0[node];
        NodeTotals {
            rows_in: counts.rows_in.load(Relaxed),
            rows_out: counts.rows_out.load(Relaxed),
            rejected: counts.rejected.load(Relaxed),
            busy: Duration::from_nanos(counts.nanos.load(Relaxed)),
        }
    }

    /// Notes what a source rejected when it was opened.
    pub fn add_source(&self, node: usize, rejected: usize) {
        self.0[node].rejected.fetch_add(rejected as u64, Relaxed);
    }

    /// Notes rows that came out of a source, or into a sink.
    pub fn add_rows(&self, node: usize, work: &Work, rows: usize) {
        let counts = &self.0[node];
        let counter = if matches!(work, Work::Sink(_)) { &counts.rows_in } else { &counts.rows_out };
        counter.fetch_add(rows as u64, Relaxed);
    }

    /// Times `work` on `rows_in` rows of a stage, counts what came of it, and checks that no row was lost.
    pub fn stage(
        &self,
        node: usize,
        name: &str,
        rows_in: usize,
        fan_out: usize,
        work: impl FnOnce() -> Result<Outcome, RunError>,
    ) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let outcome = work()?;
        let (rows_out, rejected) = (outcome.rows.num_rows(), outcome.rejects.len());
        self.add(node, rows_in, rows_out, rejected, started.elapsed());
        if rejected > rows_in || (rows_in - rejected) * fan_out != rows_out {
            return Err(RunError::LostRows { stage: name.to_owned(), rows_in, rows_out, rejected, fan_out });
        }
        Ok(outcome)
    }

    /// Times `work` of an aggregate and counts what came of it.
    pub fn aggregate(
        &self,
        node: usize,
        work: impl FnOnce() -> Result<Gathered, RunError>,
    ) -> Result<Gathered, RunError> {
        let started = Instant::now();
        let gathered = work()?;
        self.add(node, 0, gathered.rows.num_rows(), gathered.rejects.len(), started.elapsed());
        Ok(gathered)
    }

    /// Notes rows that an aggregate takes.
    pub fn add_input(&self, node: usize, rows: usize) {
        self.0[node].rows_in.fetch_add(rows as u64, Relaxed);
    }

    fn add(&self, node: usize, rows_in: usize, rows_out: usize, rejected: usize, elapsed: Duration) {
        let counts = &self.0[node];
        counts.rows_in.fetch_add(rows_in as u64, Relaxed);
        counts.rows_out.fetch_add(rows_out as u64, Relaxed);
        counts.rejected.fetch_add(rejected as u64, Relaxed);
        counts.nanos.fetch_add(elapsed.as_nanos() as u64, Relaxed);
    }
}
