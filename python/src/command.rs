//! The `motionmill` command of the wheel, and what the wheel knows about its environment.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use pipeline::cli::Cli;
use pipeline::commands::{self, Failure};
use pyo3::prelude::*;

use crate::error::detached;

/// Runs the command line `arguments`, the first of which is the command's name; returns the exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    detached(py, || -> anyhow::Result<u8> {
        let code = run(arguments);
        // No one else does: the process ends in Python.
        std::io::stdout().flush()?;
        Ok(code)
    })
}

fn run(arguments: Vec<OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(words) => {
            // Help that cannot be printed, since the reader has gone, is no failure of the command.
            let _ = words.print();
            return words.exit_code() as u8;
        }
    };
    match commands::run(&cli.command) {
        Ok(()) => 0,
        Err(error) => {
            let failure = Failure::of(&error);
            eprint!("{}", failure.text);
            failure.exit_code
        }
    }
}

/// Sets where the `onnxruntime` package of this interpreter is, to be tried before other places.
#[pyfunction]
pub(crate) fn use_runtime_of(package: PathBuf) {
    stages::network::search::use_package(package);
}
