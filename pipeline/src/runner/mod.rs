//! The embedded runner: a run is a set of units, each done or not done.
//!
//! The rows of each source are cut into units by the plan alone ([`units`]). A unit writes shards of its own and then
//! its [`record`]; by that it is done. Nothing is shared between units, so neither threads, nor kills, nor the number of
//! machines show in a byte. Several units are at work at once ([`flow`]); aggregates and exports, which need all rows,
//! come after them; the manifests are last. See `docs/decisions/0015-a-run-is-a-set-of-units.md`.

mod allowed;
mod budget;
mod counts;
mod error;
mod flow;
mod outputs;
mod part;
mod places;
mod provenance;
mod record;
mod route;
mod shelf;
mod steps;
mod summary;
mod units;
mod verdict;

pub use allowed::{MostRejects, lines as reject_lines};
pub use error::RunError;
pub use part::{Part, part_of_array};
pub use provenance::provenance;
pub use summary::{NodeSummary, SinkSummary, Summary};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use datasets::shards::{Access, Claiming, Provenance, Rejected};
use indicatif::ProgressBar;
use schemas::units::grouped;

use crate::graph::{Graph, GraphError};
use budget::Budget;
use counts::Counts;
use flow::Flow;
use outputs::{Outputs, Wholes, rejects_path, up_to_date};
use record::UnitRecord;
use steps::Steps;
use units::{Sources, Unit};

/// How a run is carried out; nothing here changes a row.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Threads that carry batches.
    pub threads: usize,
    /// Replace outputs of other work.
    pub force: bool,
    /// Which units are done here.
    pub part: Part,
    /// Where progress is shown.
    pub progress: ProgressBar,
    /// Set to end the run early; units that are done by then stay done for the next run.
    pub cancelled: Arc<AtomicBool>,
}

impl RunOptions {
    /// A whole run that shows no progress.
    pub fn quiet(threads: usize, force: bool) -> Self {
        Self { threads, force, part: Part::All, progress: ProgressBar::hidden(), cancelled: Arc::default() }
    }

    fn check_cancelled(&self) -> Result<(), RunError> {
        if self.cancelled.load(Ordering::Relaxed) {
            Err(RunError::Cancelled { done: 0, units: 0 })
        } else {
            Ok(())
        }
    }
}

/// Runs `graph`, or the part of it that `options` name, and returns a summary.
///
/// # Errors
/// When two outputs meet, other work has made an output already, another run is at work there, a source or sink fails, a
/// stage cannot work at all, memory is too small, or rows were lost, which is a bug. Units that are done stay done: the
/// next run continues with the others.
pub fn run(graph: &Graph, options: &RunOptions) -> Result<Summary, RunError> {
    let started = Instant::now();
    places::check(graph, &rejects_path(graph))?;
    let sources = open_sources(graph)?;
    let provenance = provenance(graph, &sources)?;
    let complete = |(sinks, rejected)| {
        Summary::new(graph, &Counts::new(graph), sinks, started.elapsed()).with_rejects(rejected)
    };
    if !options.force
        && let Some(found) = up_to_date(graph, &provenance, false)?
    {
        if matches!(options.part, Part::Share { .. }) {
            // The merge has checked them, and nothing is left to share.
            return Ok(complete(found));
        }
        if let Some(found) = up_to_date(graph, &provenance, true)? {
            // A run that was killed at its very end may have left the places of its work behind. What others have
            // begun since, or are at work on, is theirs.
            let claim = Claiming { merge: true, ..Claiming::default() };
            match Outputs::claim(graph, &sources, &provenance, claim) {
                Ok((outputs, wholes)) => outputs.release(wholes)?,
                Err(error) if error.is_claimed() => {}
                Err(error) => return Err(error),
            }
            return Ok(complete(found));
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|error| RunError::Threads { detail: error.to_string() })?;
    let access = if matches!(options.part, Part::Share { .. }) { Access::Shared } else { Access::Alone };
    let units = units::units(graph, &sources)?;
    let merge = options.part == Part::Merge;
    if merge && !outputs::is_begun(graph, &provenance) {
        return Err(missing(&units, |_| true));
    }
    let claim = Claiming { access, force: options.force, merge };
    let (outputs, mut wholes) = Outputs::claim(graph, &sources, &provenance, claim)?;
    let run =
        Run { graph, sources: &sources, provenance: &provenance, options, outputs: &outputs, units: &units };
    match run.carry_out(&pool, &mut wholes) {
        Ok(done) if !done.whole => Ok(done.summary(graph, started)),
        Ok(done) => {
            outputs.release(wholes)?;
            Ok(done.summary(graph, started))
        }
        Err(error) => {
            let records = outputs.recorded(&units);
            let (done, units) = (records.len() as u64, units.len() as u64);
            // What has come to nothing leaves nothing; the error is the one to report.
            if access == Access::Alone && done == 0 {
                let _ = outputs.release(wholes);
            }
            Err(if let RunError::Cancelled { .. } = error {
                RunError::Cancelled { done, units }
            } else {
                let Rejected { rows, examples, .. } = rejected_of(&records);
                error.after(reject_lines(&rows, &examples))
            })
        }
    }
}

/// A run whose places are claimed.
struct Run<'a> {
    graph: &'a Graph,
    sources: &'a Sources,
    provenance: &'a Provenance,
    options: &'a RunOptions,
    outputs: &'a Outputs<'a>,
    units: &'a [Unit],
}

/// What came of a run.
struct Done {
    /// Whether all tables are complete.
    whole: bool,
    records: BTreeMap<u64, UnitRecord>,
    sinks: Vec<SinkSummary>,
    rejected: Rejected,
    /// Rows and time of the nodes.
    totals: Counts,
}

impl Run<'_> {
    fn carry_out(&self, pool: &rayon::ThreadPool, wholes: &mut Wholes) -> Result<Done, RunError> {
        let Self { graph, sources, options, outputs, units, .. } = *self;
        let mut records = pool.install(|| outputs.done(units, options.part))?;
        if !matches!(options.part, Part::Share { .. }) {
            outputs.remove_unfinished(&records)?;
        }
        let is_missing = |unit: &Unit| !records.contains_key(&unit.number);
        let todo: Vec<&Unit> =
            flowing(units).filter(|unit| options.part.takes(unit.number) && is_missing(unit)).collect();
        if options.part == Part::Merge && !todo.is_empty() {
            return Err(missing(units, is_missing));
        }
        let totals = Counts::new(graph);
        let runner = &graph.plan.runner;
        let estimate =
            graph.nodes.iter().map(|node| shelf::row_bytes(&node.schema)).max().unwrap_or(0) as u64;
        let batch_bytes = estimate * u64::from(runner.batch_rows.get());
        let (memory_mib, unit_bytes) = (runner.memory_mib.get(), outputs.unit_bytes());
        let budget = Budget::new(memory_mib, options.threads, batch_bytes, unit_bytes);
        options.progress.set_length(sources.values().map(|source| source.length()).sum());
        let flow = Flow { graph, sources, outputs, options, totals: &totals, units: units.len() };
        records.extend(flow.run(pool, todo, budget)?);
        if matches!(options.part, Part::Share { .. }) {
            options.progress.finish_and_clear();
            totals.add_rows(graph, &records);
            let rejected = rejected_of(records.values());
            return Ok(Done { whole: false, records, sinks: Vec::new(), rejected, totals });
        }
        let steps = Steps { run: self, totals: &totals };
        let mut exported = pool.install(|| steps.run_all(&mut records, wholes))?;
        options.progress.finish_and_clear();
        let mut rejected = rejected_of(records.values());
        let mut sinks = outputs.complete(&records, &rejected)?;
        sinks.append(&mut exported);
        totals.add_rows(graph, &records);
        rejected.verdict = Some(verdict::verdict(graph, sources, &totals, &rejected, &sinks));
        // In the order of the plan, the rejects last.
        sinks.sort_by_key(|(node, _)| *node);
        let mut sinks: Vec<SinkSummary> = sinks.into_iter().map(|(_, sink)| sink).collect();
        sinks.push(outputs.complete_rejects(&records, rejected.clone())?);
        Ok(Done { whole: true, records, sinks, rejected, totals })
    }
}

impl Done {
    fn summary(self, graph: &Graph, started: Instant) -> Summary {
        let mut told: BTreeMap<&String, u64> = BTreeMap::new();
        for (what, rows) in self.records.values().flat_map(|record| &record.told) {
            *told.entry(what).or_default() += rows;
        }
        let told = told.iter().map(|(what, rows)| format!("{} {what}", grouped(*rows)));
        let notes = self.records.values().flat_map(|record| record.notes.clone()).chain(told).collect();
        let summary = Summary::new(graph, &self.totals, self.sinks, started.elapsed());
        Summary { notes, ..summary.with_rejects(self.rejected) }
    }
}

/// Those of `units` whose rows flow from a source: what an array of runs shares.
fn flowing(units: &[Unit]) -> impl Iterator<Item = &Unit> {
    units.iter().filter(|unit| unit.rows.is_some())
}

/// What a merge says of those of `units` that it needs and that are missing.
fn missing(units: &[Unit], is_missing: impl Fn(&Unit) -> bool) -> RunError {
    let missing: Vec<&Unit> = flowing(units).filter(|unit| is_missing(unit)).collect();
    let first = missing.first().map_or(0, |unit| unit.number);
    RunError::Missing { missing: missing.len() as u64, units: flowing(units).count() as u64, first }
}

/// Rejects of the units of `records`, in their order, by reason.
fn rejected_of<'a>(records: impl IntoIterator<Item = &'a UnitRecord>) -> Rejected {
    let mut rejected = Rejected::default();
    for record in records {
        for (reason, rows) in &record.reasons {
            *rejected.rows.entry(reason.clone()).or_default() += rows;
        }
        for (reason, example) in &record.examples {
            rejected.examples.entry(reason.clone()).or_insert_with(|| example.clone());
        }
    }
    rejected
}

/// Every source by its node, open.
fn open_sources(graph: &Graph) -> Result<Sources, GraphError> {
    let sources = graph.nodes.iter().enumerate().filter(|(_, node)| node.is_source());
    sources.map(|(index, node)| Ok((index, node.open()?))).collect()
}

/// The path beside `path` with `suffix` at the end of its name.
fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
