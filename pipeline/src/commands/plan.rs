//! `motionmill plan`, `motionmill run` and `motionmill merge`.

use std::num::NonZeroUsize;

use crate::cli::{ARRAY, MergeArgs, PlanArgs, RejectsArgs, RunArgs};
use crate::graph::{Graph, print_graph};
use crate::plan::Plan;
use crate::runner::{Part, part_of_array};

use super::failure::Hint;
use super::{progress, terminal, work};

/// Checks the plan and prints its graph.
pub(super) fn print(args: &PlanArgs) -> anyhow::Result<()> {
    let graph = Graph::build(read(args)?, 1)?;
    Ok(terminal::print(&print_graph(&graph))?)
}

/// Checks the plan and runs it, or a part of it.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let part = match args.shard.as_deref() {
        None => Part::All,
        Some(ARRAY) => part_of_array(|name| std::env::var(name).ok()).map_err(no_part)?,
        Some(part) => part.parse().map_err(no_part)?,
    };
    carry_out(&args.plan, args.threads, args.force, part, args.rejects)
}

fn no_part(message: String) -> anyhow::Error {
    Hint::error(message, "say which part this is: `--shard 3/64`")
}

/// Completes a plan whose parts are done.
pub(super) fn merge(args: &MergeArgs) -> anyhow::Result<()> {
    carry_out(&args.plan, args.threads, args.force, Part::Merge, args.rejects)
}

fn carry_out(
    plan: &PlanArgs,
    threads: Option<NonZeroUsize>,
    force: bool,
    part: Part,
    rejects: RejectsArgs,
) -> anyhow::Result<()> {
    let threads = threads.map_or_else(progress::available_threads, usize::from);
    let graph = Graph::build(read(plan)?, threads)?;
    let summary = work::carry_out(&graph, threads, force, part)?;
    terminal::tell(&summary.to_text())?;
    Ok(summary.check(rejects.fail_on_rejects)?)
}

fn read(args: &PlanArgs) -> anyhow::Result<Plan> {
    Ok(Plan::read(&args.plan.display().to_string(), &args.set)?)
}
