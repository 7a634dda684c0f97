//! The `motionmill` command of the wheel, and what the wheel knows about its environment.

use std::ffi::OsString;
use std::path::PathBuf;

use pipeline::commands;
use pyo3::prelude::*;

use crate::error::detached;

/// Runs the command line `arguments`, the first of which is the command's name; returns the exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    detached(py, || anyhow::Ok(commands::main(arguments)))
}

/// Sets where the `onnxruntime` package of this interpreter is, to be tried before other places.
#[pyfunction]
pub(crate) fn use_runtime_of(package: PathBuf) {
    stages::network::search::use_package(package);
}
