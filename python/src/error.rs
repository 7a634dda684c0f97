//! Rust errors as the exceptions of `motionmill.errors`: one class per kind, the hint separate from the
//! message.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use datasets::guarded::panic_text;
use pipeline::commands::{hint_of_chain, hinted};
use pipeline::graph::GraphError;
use pipeline::plan::PlanError;
use pipeline::runner::RunError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use schemas::skeleton::SkeletonError;
use schemas::{Fault, Hinted, SchemaError};
use stages::StageError;
use stages::evaluate::EvaluateError;

/// The module of the exceptions.
const MODULE: &str = "motionmill.errors";

/// Which exception an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key or value of a plan, or keys that contradict each other.
    Config,
    /// A table lacks a column, or it has another type.
    Schema,
    /// Rows that contradict the plan or each other.
    Data,
    /// A file or folder that cannot be read or written.
    File,
    /// The inference runtime.
    Inference,
    /// A bug in motionmill.
    Internal,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Config => "ConfigError",
            Self::Schema => "SchemaError",
            Self::Data => "DataError",
            Self::File => "FileError",
            Self::Inference => "InferenceError",
            Self::Internal => "InternalError",
        }
    }

    /// The kind of the innermost error that is one of ours.
    fn of(error: &anyhow::Error) -> Self {
        error.chain().filter_map(kind_of_one).last().unwrap_or(Self::Data)
    }
}

fn kind_of_one(cause: &(dyn std::error::Error + 'static)) -> Option<Kind> {
    if let Some(error) = cause.downcast_ref::<StageError>() {
        return Some(error.fault().map_or(Kind::Internal, Kind::from));
    }
    if let Some(error) = cause.downcast_ref::<RunError>() {
        return match error {
            error if error.is_internal() => Some(Kind::Internal),
            RunError::Shard(error) => Some(error.fault().into()),
            RunError::Source(_) | RunError::Sink { .. } => None,
            _ => Some(Kind::Data),
        };
    }
    if cause.is::<SkeletonError>() || cause.is::<PlanError>() {
        return Some(Kind::Config);
    }
    if let Some(error) = cause.downcast_ref::<GraphError>() {
        return (!matches!(error, GraphError::Source { .. } | GraphError::Sink { .. }))
            .then_some(Kind::Config);
    }
    let fault = hinted(cause).map(Hinted::fault);
    fault.map(Kind::from).or_else(|| cause.is::<std::io::Error>().then_some(Kind::File))
}

impl From<Fault> for Kind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Config => Self::Config,
            Fault::Schema => Self::Schema,
            Fault::Data => Self::Data,
            Fault::File => Self::File,
            Fault::Inference => Self::Inference,
        }
    }
}

/// `error` as an exception.
pub(crate) fn to_python(error: impl Into<anyhow::Error>) -> PyErr {
    let error = error.into();
    let mut message = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !message.contains(&cause) {
            let _ = write!(message, ": {cause}");
        }
    }
    // Rows in memory have no file to name; what a library dropped is given back.
    let hint = if lost_metadata(&error) { Some(METADATA_HINT.to_owned()) } else { hint_of_chain(&error) };
    exception(Kind::of(&error), &message, hint.as_deref())
}

/// What to do about rows that went through a library without schema metadata.
const METADATA_HINT: &str = "polars and pandas drop the schema metadata: give it back with \
    `rows.to_arrow().replace_schema_metadata(people.schema.metadata)`, of the table that the rows came from";

/// Whether `error` is that of rows without their schema metadata.
fn lost_metadata(error: &anyhow::Error) -> bool {
    let lost =
        |error: &SchemaError| matches!(error, SchemaError::NoSkeleton | SchemaError::NoMetadata { .. });
    error.chain().any(|cause| match cause.downcast_ref::<StageError>() {
        Some(StageError::Schema(error)) => lost(error),
        Some(StageError::Step(error)) => match error.error().downcast_ref::<EvaluateError>() {
            Some(EvaluateError::Schema(error)) => lost(error),
            _ => false,
        },
        _ => cause.downcast_ref::<SchemaError>().is_some_and(lost),
    })
}

/// The exception of `kind` that says `message`.
pub(crate) fn exception(kind: Kind, message: &str, hint: Option<&str>) -> PyErr {
    Python::attach(|py| {
        let class = py.import(MODULE).and_then(|module| module.getattr(kind.class()));
        match class.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
            Ok(class) => PyErr::from_type(class, (message.to_owned(), hint.map(str::to_owned))),
            Err(error) => error,
        }
    })
}

/// Does `work` without the interpreter lock; its errors and panics come back as exceptions.
pub(crate) fn detached<T: Send, E: Into<anyhow::Error> + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    // A panic is a bug, and what it leaves half done is not used again: the exception ends the call.
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(to_python(error)),
        Err(panic) => {
            let text = panic_text(panic.as_ref()).unwrap_or("a panic without a message");
            let message = format!("a bug in motionmill: {text}");
            Err(exception(Kind::Internal, &message, None))
        }
    }
}
