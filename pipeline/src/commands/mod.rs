//! The subcommands, one file each. Data goes to stdout, everything else to stderr.

mod check;
mod coco_results;
mod demo;
mod doctor;
mod evaluate;
mod export;
mod failure;
mod ingest;
mod inspect;
mod plan;
mod predictions;
mod preview;
mod progress;
mod report;
mod table;

pub use evaluate::{BOOTSTRAP_SEED, scored_and_validation};
pub use failure::{Failure, hint_of_chain};

use crate::cli::{Command, Ingest};

/// Carries out `command`.
///
/// # Errors
/// Whatever went wrong; [`Failure`] says it to people.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Ingest(Ingest::Predictions(args)) => predictions::run(args),
        Command::Ingest(Ingest::CocoResults(args)) => coco_results::run(args),
        Command::Ingest(format) => ingest::run(format),
        Command::Check(args) => check::run(args),
        Command::Plan(args) => plan::print(args),
        Command::Run(args) => plan::run(args),
        Command::Evaluate(kind) => evaluate::run(kind),
        Command::Export(format) => export::run(format),
        Command::Inspect { path } => inspect::run(path),
        Command::Preview(args) => preview::run(args),
        Command::Report(args) => report::run(args),
        Command::Doctor => doctor::run(),
        Command::Demo { out } => demo::run(out),
    }
}
