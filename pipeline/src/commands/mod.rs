//! The subcommands, one file each. Data goes to stdout, everything else to stderr.

mod card;
mod check;
mod demo;
mod doctor;
mod evaluate;
mod failure;
mod formats;
mod inspect;
mod output;
mod plan;
mod preview;
mod progress;
mod report;
mod signals;
mod terminal;
mod verify;
mod work;

pub use failure::{Failure, hint_of_chain, hinted};

use std::ffi::OsString;
use std::io::ErrorKind;

use clap::Parser;

use crate::cli::{Cli, Command};
use failure::MACHINE_AT_FAULT;
use terminal::tell;

/// Carries out the command line `arguments`, the first of which is the command's name, and says what went wrong; gives
/// the exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(words) => {
            // Help whose reader has gone is no failure.
            let unsaid = words.print().is_err_and(|error| error.kind() != ErrorKind::BrokenPipe);
            return if unsaid { MACHINE_AT_FAULT } else { words.exit_code() as u8 };
        }
    };
    match run(&cli.command) {
        Ok(()) => 0,
        Err(error) => {
            let failure = Failure::of(&error);
            // The exit code tells at least that there was a failure.
            let _ = tell(&failure.text);
            failure.exit_code
        }
    }
}

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
        Command::Merge(args) => plan::merge(args),
        Command::Verify { paths } => verify::run(paths),
        Command::Evaluate(kind) => evaluate::run(kind),
        Command::Export(args) => formats::export(args),
        Command::Inspect { path } => inspect::run(path),
        Command::Preview(args) => preview::run(args),
        Command::Report(args) => report::run(args),
        Command::Card(args) => card::run(args),
        Command::Doctor => doctor::run(),
        Command::Demo { out } => demo::run(out),
    }
}
