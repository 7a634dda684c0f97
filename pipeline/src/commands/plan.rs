//! `motionmill plan` and `motionmill run`.

use crate::cli::{PlanArgs, RunArgs};
use crate::graph::{Graph, print_graph};
use crate::plan::Plan;

use super::{progress, terminal, work};

/// Checks the plan and prints its graph.
pub(super) fn print(args: &PlanArgs) -> anyhow::Result<()> {
    let graph = Graph::build(read(args)?, 1)?;
    Ok(terminal::print(&print_graph(&graph))?)
}

/// Checks the plan and runs it.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let threads = args.threads.map_or_else(progress::available_threads, usize::from);
    let graph = Graph::build(read(&args.plan)?, threads)?;
    let summary = work::carry_out(&graph, threads, args.force)?;
    Ok(terminal::tell(&summary.to_text())?)
}

fn read(args: &PlanArgs) -> anyhow::Result<Plan> {
    Ok(Plan::read(&args.plan.display().to_string(), &args.set)?)
}
