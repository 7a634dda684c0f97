//! Plans run from Python.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pipeline::graph::{Graph, print_graph};
use pipeline::plan::{Override, Plan};
use pipeline::runner::{self, MostRejects, RunOptions, Summary};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::error::{Kind, detached, exception, to_python};
use crate::value::{plan_table, plan_value};

/// How a plan in memory is named in errors.
const IN_MEMORY: &str = "plan";
/// How long a run goes on before it is asked whether the user has interrupted it.
const PATIENCE: Duration = Duration::from_millis(50);

/// The plans that ship with motionmill: name and text.
#[pyfunction]
pub(crate) fn recipes() -> Vec<(&'static str, &'static str)> {
    pipeline::recipes::ALL.iter().map(|recipe| (recipe.name, recipe.text)).collect()
}

/// Checks a plan and returns its graph as text.
#[pyfunction]
pub(crate) fn check_plan(
    py: Python<'_>,
    plan: &Bound<'_, PyAny>,
    overrides: &Bound<'_, PyDict>,
) -> PyResult<String> {
    let plan = plan_of(py, plan, overrides)?;
    detached(py, || Graph::build(plan, 1).map(|graph| print_graph(&graph)))
}

/// Checks a plan and runs it; returns the summary as JSON.
#[pyfunction]
pub(crate) fn run_plan(
    py: Python<'_>,
    plan: &Bound<'_, PyAny>,
    overrides: &Bound<'_, PyDict>,
    threads: usize,
    force: bool,
    fail_on_rejects: Option<&str>,
) -> PyResult<String> {
    let plan = plan_of(py, plan, overrides)?;
    let most = fail_on_rejects.map(str::parse::<MostRejects>).transpose();
    let most = most.map_err(|message| PyValueError::new_err(format!("fail_on_rejects {message}")))?;
    let options = RunOptions::quiet(threads, force);
    let cancelled = Arc::clone(&options.cancelled);
    until_interrupted(py, &cancelled, || -> anyhow::Result<String> {
        let graph = Graph::build(plan, threads)?;
        let summary = runner::run(&graph, &options)?;
        summary.check(most)?;
        Ok(told(&summary).to_string())
    })
}

/// Does `work` on a thread of its own, and asks it to end when the user interrupts this one.
fn until_interrupted<T: Send>(
    py: Python<'_>,
    cancelled: &AtomicBool,
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> PyResult<T> {
    std::thread::scope(|scope| {
        let (done, waiting) = channel();
        let worker = scope.spawn(move || {
            let result = work();
            // Nobody waits for it only where the wait itself has failed.
            let _ = done.send(());
            result
        });
        // The channel is closed by a panic too.
        let mut waiting = waiting;
        let mut interrupted = None;
        loop {
            let (waited, back) = py.detach(move || (waiting.recv_timeout(PATIENCE), waiting));
            waiting = back;
            if waited != Err(RecvTimeoutError::Timeout) {
                break;
            }
            if interrupted.is_none()
                && let Err(signal) = py.check_signals()
            {
                cancelled.store(true, Ordering::Relaxed);
                interrupted = Some(signal);
            }
        }
        let result = detached(py, || match worker.join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        });
        interrupted.map_or(result, Err)
    })
}

/// The plan that `plan` is: a table, TOML text of several lines, or the name of a file or recipe.
pub(crate) fn plan_of(
    py: Python<'_>,
    plan: &Bound<'_, PyAny>,
    overrides: &Bound<'_, PyDict>,
) -> PyResult<Plan> {
    let overrides = plan_table(overrides, "")?.into_iter().map(|(key, value)| {
        let parsed = format!("{key}={value}").parse::<Override>();
        parsed.map_err(|reason| exception(Kind::Config, &format!("cannot set `{key}`: {reason}"), None))
    });
    let overrides: Vec<Override> = overrides.collect::<PyResult<_>>()?;
    let is_file = plan.hasattr("__fspath__")?;
    match plan_value(plan, IN_MEMORY)? {
        Some(toml::Value::String(text)) if is_file || !text.contains('\n') => {
            detached(py, || Plan::read(&text, &overrides))
        }
        Some(toml::Value::String(text)) => Plan::parse(&text, IN_MEMORY, &overrides).map_err(to_python),
        Some(toml::Value::Table(table)) => {
            let text = toml::to_string(&table).map_err(to_python)?;
            Plan::parse(&text, IN_MEMORY, &overrides).map_err(to_python)
        }
        _ => {
            let message = "a plan is a path, `recipe:NAME`, TOML text of several lines or a dictionary";
            Err(exception(Kind::Config, message, None))
        }
    }
}

fn told(summary: &Summary) -> Value {
    let nodes: Vec<Value> = summary
        .nodes
        .iter()
        .map(|node| {
            json!({
                "name": node.name,
                "kind": node.kind,
                "rows_in": node.totals.rows_in,
                "rows_out": node.totals.rows_out,
                "rejected": node.totals.rejected,
                "seconds": node.totals.busy.as_secs_f64(),
            })
        })
        .collect();
    let tables: Vec<Value> = summary
        .sinks
        .iter()
        .map(|sink| {
            json!({ "folder": sink.path, "rows": sink.rows, "shards": sink.shards, "already": sink.already })
        })
        .collect();
    json!({
        "nodes": nodes,
        "tables": tables,
        "rejected": summary.reasons,
        "notes": summary.notes,
        "seconds": summary.elapsed.as_secs_f64(),
        "text": summary.to_text(),
    })
}
