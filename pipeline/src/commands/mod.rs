//! The subcommands, one file each. Data goes to stdout, everything else to stderr.

mod check;
mod demo;
mod doctor;
mod evaluate;
mod failure;
mod formats;
mod inspect;
mod plan;
mod preview;
mod progress;
mod report;
mod work;

pub use failure::{Failure, hint_of_chain, hinted};

use crate::cli::Command;

/// Carries out `command`.
///
/// # Errors
/// Whatever went wrong; [`Failure`] reports it to the user.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Ingest(args) => formats::ingest(args),
        Command::Check(args) => check::run(args),
        Command::Plan(args) => plan::print(args),
        Command::Run(args) => plan::run(args),
        Command::Evaluate(kind) => evaluate::run(kind),
        Command::Export(args) => formats::export(args),
        Command::Inspect { path } => inspect::run(path),
        Command::Preview(args) => preview::run(args),
        Command::Report(args) => report::run(args),
        Command::Doctor => doctor::run(),
        Command::Demo { out } => demo::run(out),
    }
}
