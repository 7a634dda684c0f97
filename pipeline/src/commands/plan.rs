//! `motionmill plan` and `motionmill run`.

use std::fs;

use crate::cli::{PlanArgs, RunArgs};
use crate::graph::{Graph, print_graph};
use crate::plan::{Plan, PlanError};
use crate::recipes;
use crate::runner::{self, RunOptions};

use super::progress;

/// The prefix that names a recipe instead of a file.
const RECIPE: &str = "recipe:";

/// Checks the plan and prints its graph.
pub fn print(args: &PlanArgs) -> anyhow::Result<()> {
    let graph = Graph::build(read(args)?, 1)?;
    print!("{}", print_graph(&graph));
    Ok(())
}

/// Checks the plan and runs it.
pub fn run(args: &RunArgs) -> anyhow::Result<()> {
    let threads = args.threads.map_or_else(progress::available_threads, usize::from);
    let graph = Graph::build(read(&args.plan)?, threads)?;
    for engine in graph.engines() {
        eprintln!("{engine}");
    }
    let options = RunOptions { threads, force: args.force, progress: progress::bar(), rejects: None };
    let summary = runner::run(&graph, &options)?;
    eprint!("{}", summary.to_text());
    Ok(())
}

fn read(args: &PlanArgs) -> anyhow::Result<Plan> {
    let origin = args.plan.display().to_string();
    let text = match origin.strip_prefix(RECIPE) {
        Some(name) => recipes::named(name).map(|recipe| recipe.text.to_owned()).ok_or_else(|| {
            let names: Vec<String> = recipes::ALL.iter().map(|recipe| format!("`{}`", recipe.name)).collect();
            PlanError::UnknownRecipe { name: name.to_owned(), recipes: names.join(", ") }
        })?,
        None => fs::read_to_string(&args.plan)
            .map_err(|source| PlanError::Io { path: args.plan.clone(), source })?,
    };
    Ok(Plan::parse(&text, &origin, &args.set)?)
}
