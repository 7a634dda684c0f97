//! The one way in which commands make tables and files: a plan, checked and run.

use schemas::printable;

use crate::graph::Graph;
use crate::plan::Plan;
use crate::runner::{self, MostRejects, Part, RunError, RunOptions, Summary};

use super::failure::Interrupted;
use super::terminal::tell;
use super::{progress, signals};

/// Runs `plan` and prints its summary on stderr; fails where nothing was kept, or more than `most` rows were rejected.
pub(super) fn run(plan: Plan, force: bool, most: Option<MostRejects>) -> anyhow::Result<()> {
    let threads = progress::available_threads();
    let summary = carry_out(&Graph::build(plan, threads)?, threads, force, Part::All)?;
    tell(&summary.to_text())?;
    Ok(summary.check(most)?)
}

/// Runs `graph`, or a part of it, with a progress bar. A signal ends it.
pub(super) fn carry_out(graph: &Graph, threads: usize, force: bool, part: Part) -> anyhow::Result<Summary> {
    for engine in graph.engines() {
        tell(&printable(&engine))?;
    }
    let options = RunOptions { part, progress: progress::bar(), ..RunOptions::quiet(threads, force) };
    let (done, interrupted) = signals::watched(&options.cancelled, || runner::run(graph, &options));
    match (done, interrupted) {
        (Ok(_), Some(interrupted)) => Err(interrupted.into()),
        (Err(RunError::Cancelled { done, units }), Some(interrupted)) => {
            options.progress.finish_and_clear();
            Err(Interrupted { left: Some([done, units]), ..interrupted }.into())
        }
        (done, _) => Ok(in_print(done?)),
    }
}

/// `summary` with what it has from data ready to be printed.
fn in_print(mut summary: Summary) -> Summary {
    let of = |text: &str| printable(text).into_owned();
    summary.reasons = summary.reasons.iter().map(|(reason, count)| (of(reason), *count)).collect();
    summary.notes.iter_mut().for_each(|note| *note = of(note));
    summary
}
