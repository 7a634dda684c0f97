//! The `motionmill` command.

use std::process::ExitCode;

use clap::Parser;
use pipeline::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match pipeline::commands::run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = pipeline::commands::Failure::of(&error);
            eprint!("{}", failure.text);
            ExitCode::from(failure.exit_code)
        }
    }
}
