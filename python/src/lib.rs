//! `motionmill._native`: the Rust side of the wheel.
//!
//! It holds no arithmetic: it passes Arrow tables between the languages without a copy, releases the interpreter lock
//! while Rust works, and turns errors into the exceptions of `motionmill.errors`. The public face is the Python package
//! around it.

mod command;
mod error;
mod online;
mod plan;
mod pool;
mod readers;
mod reference;
mod rows;
mod stage;
mod synthetic;
mod value;
mod write;

use pyo3::prelude::*;

/// The Rust side of the wheel.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<stage::NativeStage>()?;
    online::register(module)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(command::use_runtime_of, module)?)?;
    module.add_class::<readers::NativeSource>()?;
    module.add_class::<readers::NativeBatches>()?;
    module.add_function(wrap_pyfunction!(write::write, module)?)?;
    module.add_function(wrap_pyfunction!(stage::stage_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(reference::plan_schemas, module)?)?;
    module.add_function(wrap_pyfunction!(reference::skeletons, module)?)?;
    module.add_function(wrap_pyfunction!(plan::recipes, module)?)?;
    module.add_function(wrap_pyfunction!(plan::check_plan, module)?)?;
    module.add_function(wrap_pyfunction!(plan::run_plan, module)?)?;
    module.add_function(wrap_pyfunction!(synthetic::write_people, module)?)?;
    module.add_function(wrap_pyfunction!(synthetic::write_logs, module)?)?;
    Ok(())
}
