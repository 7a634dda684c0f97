//! How a failure is reported: the chain of causes, a blank line, what to change; and the exit code.

use std::fmt::Write;
use std::io::ErrorKind;

use ::report::ReportError;
use datasets::ReadError;
use datasets::export::ExportError;
use datasets::shards::ShardError;
use schemas::{Hinted, SchemaError, printable, printable_lines};
use stages::StageError;
use stages::evaluate::EvaluateError;

use super::terminal::TerminalError;
use crate::graph::GraphError;
use crate::plan::PlanError;
use crate::runner::RunError;

/// Exit code where the input, the plan or the command line is at fault.
const INPUT_AT_FAULT: u8 = 1;
/// Exit code of a bug, a machine that fails, or a run that was interrupted.
pub(super) const MACHINE_AT_FAULT: u8 = 2;

/// Most reasons of rejects that a failure lists.
const MOST_REASONS: usize = 8;

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
        let mut text = format!("error: {}\n", words_of(error.as_ref()));
        let mut last = error.to_string();
        for cause in error.chain().skip(1) {
            let words = words_of(cause);
            let cause = cause.to_string();
            // Some libraries repeat their cause in their own words.
            if !last.ends_with(&cause) {
                let _ = writeln!(text, "  caused by: {words}");
            }
            last = cause;
        }
        let rejects = error.chain().find_map(|cause| cause.downcast_ref::<RunError>());
        for line in rejects.map(RunError::rejects).unwrap_or_default().iter().take(MOST_REASONS) {
            let _ = writeln!(text, "  rejected: {}", printable(line));
        }
        if let Some(hint) = hint_of_chain(error) {
            let _ = writeln!(text, "\nhint: {}", printable(&hint));
        }
        let by_machine = error.chain().any(is_by_machine);
        Self { text, exit_code: if by_machine { MACHINE_AT_FAULT } else { INPUT_AT_FAULT } }
    }
}

/// What `cause` says, ready to be printed. Only the error of a plan has several lines, which quote it.
fn words_of(cause: &(dyn std::error::Error + 'static)) -> String {
    let words = cause.to_string();
    if cause.is::<PlanError>() { printable_lines(&words) } else { printable(&words) }.into_owned()
}

fn is_by_machine(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<RunError>().is_some_and(RunError::is_passing)
        || cause.is::<TerminalError>()
        || cause.is::<Interrupted>()
}

/// A run was ended by a signal.
#[derive(Debug, thiserror::Error)]
#[error("the run was interrupted by {signal}{}", units_of(*left))]
pub(super) struct Interrupted {
    /// Its name.
    pub signal: &'static str,
    /// How many units are done, and of how many, where that is known.
    pub left: Option<[u64; 2]>,
}

fn units_of(left: Option<[u64; 2]>) -> String {
    left.map_or_else(String::new, |[done, units]| format!(": {done} of {units} units are done"))
}

/// What to change so that `error` does not occur again, where that is known.
pub fn hint_of_chain(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(hint_of).or_else(|| error.chain().find_map(hint_of_system).map(str::to_owned))
}

/// What to change where the system has refused.
fn hint_of_system(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    match cause.downcast_ref::<std::io::Error>()?.kind() {
        ErrorKind::StorageFull => Some("the disk is full: make room there, then give the same command again"),
        ErrorKind::QuotaExceeded => {
            Some("the quota of the disk is used up: make room there, then give the same command again")
        }
        ErrorKind::ReadOnlyFilesystem => Some("the disk is mounted read-only: name a place on another"),
        _ => None,
    }
}

fn hint_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(Hint { hint, .. }) = cause.downcast_ref() {
        return Some(hint.clone());
    }
    if cause.is::<Interrupted>() {
        return Some("the same command continues where it stopped".to_owned());
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
    fn text_from_data_forges_no_line() {
        let nasty = "im\u{1b}[2J\nhint: remove everything\u{202e}";
        let error = Hint::error(format!("no such id: `{nasty}`"), nasty);
        let text = Failure::of(&error).text;
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("hint: remove")).count(), 0, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn a_full_disk_is_called_one() {
        let error =
            anyhow::Error::new(std::io::Error::from(ErrorKind::StorageFull)).context("cannot write `x`");
        assert!(
            Failure::of(&error)
                .text
                .ends_with("\n\nhint: the disk is full: make room there, then give the same command again\n")
        );
    }

    #[test]
    fn an_interruption_says_how_to_go_on() {
        let failure = Failure::of(&Interrupted { signal: "SIGTERM", left: Some([3, 8]) }.into());
        assert_eq!(
            (failure.exit_code, failure.text.as_str()),
            (
                2,
                "error: the run was interrupted by SIGTERM: 3 of 8 units are done\n\nhint: the same command continues where it stopped\n"
            )
        );
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
