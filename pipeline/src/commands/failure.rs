//! How a failure is reported: the chain of causes, a blank line, what to change; and the exit code.

use std::fmt::Write;

use ::report::ReportError;
use datasets::ReadError;
use datasets::export::ExportError;
use datasets::shards::ShardError;
use schemas::{Hinted, SchemaError};
use stages::StageError;
use stages::evaluate::EvaluateError;

use crate::graph::GraphError;
use crate::runner::RunError;

/// Exit code where the input, the plan or the command line is at fault.
const INPUT_AT_FAULT: u8 = 1;
/// Exit code of a bug or a machine that fails.
const MACHINE_AT_FAULT: u8 = 2;

/// A failure, ready to be printed.
#[derive(Debug)]
pub struct Failure {
    /// What to print on stderr.
    pub text: String,
    /// What to exit with.
    pub exit_code: u8,
}

impl Failure {
    /// The failure that `error` is.
    pub fn of(error: &anyhow::Error) -> Self {
        let mut text = format!("error: {error}\n");
        let mut last = error.to_string();
        for cause in error.chain().skip(1) {
            let cause = cause.to_string();
            // Some libraries repeat their cause in their own words.
            if !last.ends_with(&cause) {
                let _ = writeln!(text, "  caused by: {cause}");
            }
            last = cause;
        }
        if let Some(hint) = hint_of_chain(error) {
            let _ = writeln!(text, "\nhint: {hint}");
        }
        let internal =
            error.chain().any(|cause| cause.downcast_ref::<RunError>().is_some_and(RunError::is_internal));
        Self { text, exit_code: if internal { MACHINE_AT_FAULT } else { INPUT_AT_FAULT } }
    }
}

/// What to change so that `error` does not occur again, where that is known.
pub fn hint_of_chain(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(hint_of)
}

fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(Hint { hint, .. }) = cause.downcast_ref() {
        return Some(hint.clone());
    }
    if let Some(error) = cause.downcast_ref::<GraphError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<RunError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<StageError>() {
        return error.hint();
    }
    hinted(cause)?.hint()
}

/// `cause` as an error of the libraries that knows its hint and fault, where it is one.
pub fn hinted<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn Hinted> {
    fn known<'a, E: Hinted + 'static>(
        cause: &'a (dyn std::error::Error + 'static),
    ) -> Option<&'a dyn Hinted> {
        cause.downcast_ref::<E>().map(|error| error as &dyn Hinted)
    }
    let all = [
        known::<ShardError>,
        known::<ReadError>,
        known::<ExportError>,
        known::<SchemaError>,
        known::<EvaluateError>,
        known::<ReportError>,
    ];
    all.iter().find_map(|known| known(cause))
}

/// An error of a command itself, with its hint.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Hint {
    pub message: String,
    pub hint: String,
}

impl Hint {
    pub(super) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: hint.into() }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_hint_stand_apart() {
        let stage = StageError::from(stages::network::NetworkError::NoDevices);
        let error = anyhow::Error::new(GraphError::Build { node: "net".into(), source: stage });
        let failure = Failure::of(&error);
        assert_eq!(
            failure.text,
            "error: cannot build the stage `net`\n  caused by: `devices` is empty\n\n\
             hint: name the GPUs to use, such as `devices = [0]`\n"
        );
        assert_eq!(failure.exit_code, 1);
    }

    #[test]
    fn a_bug_exits_with_two() {
        let lost = RunError::LostRows {
            stage: "x".into(),
            rows_in: 2,
            rows_out: 1,
            rejected: 0,
            rule: String::new(),
        };
        assert_eq!(Failure::of(&lost.into()).exit_code, 2);
    }
}
