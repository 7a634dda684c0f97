//! The `motionmill` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pipeline::commands::main(std::env::args_os()))
}
