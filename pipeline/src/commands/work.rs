//! The one way in which commands make tables and files: a plan, checked and run.

use crate::graph::Graph;
use crate::plan::Plan;
use crate::runner::{self, RunOptions, Summary};

use super::progress;

/// Runs `plan` and prints its summary on stderr.
pub(super) fn run(plan: Plan, force: bool) -> anyhow::Result<()> {
    let threads = progress::available_threads();
    let summary = carry_out(&Graph::build(plan, threads)?, threads, force)?;
    eprint!("{}", summary.to_text());
    Ok(())
}

/// Runs `graph` with a progress bar.
pub(super) fn carry_out(graph: &Graph, threads: usize, force: bool) -> anyhow::Result<Summary> {
    for engine in graph.engines() {
        eprintln!("{engine}");
    }
    let options = RunOptions { progress: progress::bar(), ..RunOptions::quiet(threads, force) };
    Ok(runner::run(graph, &options)?)
}
