//! `motionmill evaluate`: one file a kind of score, and how all of them speak.

mod pose;
mod verification;

pub use verification::scored_and_validation;

use std::collections::BTreeMap;

use schemas::tables::metrics::Metric;
use schemas::tables::rejects::{Reject, by_reason};

use crate::cli::{Evaluate, Format};
use schemas::units::grouped;

/// Seed of the bootstrap on the command line; a plan has its own.
pub const BOOTSTRAP_SEED: u64 = 0;

/// Scores what `kind` names and prints the numbers.
pub fn run(kind: &Evaluate) -> anyhow::Result<()> {
    match kind {
        Evaluate::Pose(args) => pose::run(args),
        Evaluate::Verification(args) => verification::run(args),
    }
}

/// Says on stderr what a reader of the numbers must know; gives the rejects by reason.
fn say_what_was_left_out(notes: &[String], rejects: &[Reject]) -> BTreeMap<String, u64> {
    for note in notes {
        eprintln!("note: {note}");
    }
    let reasons = by_reason(rejects);
    for (reason, count) in &reasons {
        let first = rejects.iter().find(|reject| reject.reason == *reason);
        let example = first.and_then(|reject| reject.sample_id.as_deref()).unwrap_or("a row");
        eprintln!("rejected: {} x {reason}, the first is {example}", grouped(*count));
    }
    reasons
}

/// Prints the numbers on stdout, for people by `table`.
fn print_metrics(rows: &[Metric], format: Format, table: fn(&[Metric]) -> String) -> anyhow::Result<()> {
    match format {
        Format::Text => print!("{}", table(rows)),
        Format::Json => println!("{}", serde_json::to_string_pretty(rows)?),
    }
    Ok(())
}
