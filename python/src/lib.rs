//! `motionmill._native`: the Rust side of the wheel.

use pyo3::prelude::*;

/// The Rust side of the wheel.
#[pymodule]
fn _native(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
