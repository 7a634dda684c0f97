//! `motionmill evaluate`: a plan that scores, one file per kind of score, and the output they share.

mod pose;
mod verification;

use std::path::Path;

use datasets::shards::{ParquetSink, TableReader};
use schemas::printable;
use schemas::tables::metrics::{self, Metric};
use schemas::tables::rejects::{self, by_reason};
use schemas::units::grouped;
use stages::registry::StageConfig;

use super::terminal::{print, print_json, tell};
use super::{progress, work};
use crate::cli::{Evaluate, Format};
use crate::graph::Graph;
use crate::plan::{Plan, SinkConfig};
use crate::runner::Part;

/// Seed of the bootstrap on the command line; a plan has its own.
const BOOTSTRAP_SEED: u64 = 0;

/// Scores what `kind` names and prints the numbers.
pub(super) fn run(kind: &Evaluate) -> anyhow::Result<()> {
    match kind {
        Evaluate::Pose(args) => pose::run(args),
        Evaluate::Verification(args) => verification::run(args),
    }
}

/// Where the numbers go.
struct Told<'a> {
    format: Format,
    out: Option<&'a Path>,
    force: bool,
    /// The numbers for people.
    table: fn(&[Metric]) -> String,
}

/// Runs `stage` on the sources `inputs` of `plan`, prints the numbers on stdout, and what a reader of them must know on
/// stderr; gives the numbers.
fn score(plan: Plan, inputs: &[&str], stage: StageConfig, told: &Told<'_>) -> anyhow::Result<Vec<Metric>> {
    // Without a place for them the numbers are printed and nothing stays.
    let passing = tempfile::tempdir()?;
    let out = told.out.map_or_else(|| passing.path().join("metrics"), Path::to_owned);
    let name = stage.kind();
    let plan = Plan { seed: BOOTSTRAP_SEED, ..plan }.with_stage(name, inputs, stage).with_sink(
        "metrics",
        &[name],
        SinkConfig::Parquet(ParquetSink::at(&out)),
    );
    let threads = progress::available_threads();
    let summary = work::carry_out(&Graph::build(plan, threads)?, threads, told.force, Part::All)?;
    for note in &summary.notes {
        tell(&format!("note: {note}"))?;
    }
    let rejected = summary.sinks.last().map(|table| read(&table.path, rejects::from_batch)).transpose()?;
    let rejected = rejected.unwrap_or_default();
    for (reason, count) in by_reason(&rejected) {
        let first = rejected.iter().find(|reject| reject.reason == reason);
        let example = first.and_then(|reject| reject.sample_id.as_deref()).unwrap_or("a row");
        let (reason, example) = (printable(&reason), printable(example));
        tell(&format!("rejected: {} x {reason}, the first is {example}", grouped(count)))?;
    }
    let scored = read(&out, metrics::from_batch)?;
    match told.format {
        Format::Text => print(&(told.table)(&scored))?,
        Format::Json => print_json(&scored)?,
    }
    if told.out.is_some() {
        tell(&summary.written())?;
    }
    summary.check(None)?;
    Ok(scored)
}

/// All rows of the table `path`.
fn read<T, E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    rows: impl Fn(&arrow::array::RecordBatch) -> Result<Vec<T>, E>,
) -> anyhow::Result<Vec<T>> {
    let mut all = Vec::new();
    for batch in TableReader::open(path, None)?.batches(8192) {
        all.extend(rows(&batch?)?);
    }
    Ok(all)
}
