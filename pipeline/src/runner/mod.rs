//! The embedded runner: bounded flow over a checked graph, order restored at the sinks.
//!
//! One batch of a source is one unit of work: a thread carries it through every stage that it reaches, and its
//! output waits for its turn at the sinks by batch number. So the output does not depend on the number of
//! threads, and the batches in flight are all the memory that a run needs. Sources are read one after the
//! other; aggregates run when all rows have arrived. See `docs/decisions/0002-one-batch-one-task.md`.

mod counts;
mod error;
mod gate;
mod outputs;
mod provenance;
mod route;
mod shelf;
mod summary;

pub use error::RunError;
pub use provenance::provenance;
pub use summary::{NodeSummary, SinkSummary, Summary};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use arrow::array::RecordBatch;
use indicatif::ProgressBar;

use datasets::imu::Loaded;
use datasets::source::{Chunk, Chunks, Load, OpenSource};
use stages::StageError;
use stages::stage::{Aggregate, Gathered, Rows};

use crate::graph::{Graph, GraphError, Work};
use counts::Counts;
use gate::Gate;
use outputs::{Finished, Outputs};
use route::{Delivery, Route};

/// How a run is carried out; nothing here changes a row.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Threads that carry batches.
    pub threads: usize,
    /// Replace outputs of other work.
    pub force: bool,
    /// Where progress is shown.
    pub progress: ProgressBar,
    /// Set to end the run early; what is complete by then stays for the next run.
    pub cancelled: Arc<AtomicBool>,
}

impl RunOptions {
    /// A run that shows no progress.
    pub fn quiet(threads: usize, force: bool) -> Self {
        Self { threads, force, progress: ProgressBar::hidden(), cancelled: Arc::default() }
    }

    fn check_cancelled(&self) -> Result<(), RunError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(RunError::Cancelled) } else { Ok(()) }
    }
}

/// Runs `graph` to the end and returns a summary.
///
/// # Errors
/// When other work has made an output already, a source or sink fails, a stage cannot work at all, or rows were
/// lost, which is a bug. Completed shards stay beside their final place for the next run to resume from.
pub fn run(graph: &Graph, options: &RunOptions) -> Result<Summary, RunError> {
    let started = std::time::Instant::now();
    let sources = open_sources(graph)?;
    let provenance = provenance(graph, &sources)?;
    let rejects = graph.plan.rejects.clone().unwrap_or_else(|| default_rejects(graph));
    let mut outputs = Outputs::start(graph, &rejects, &provenance, options.force)?;
    let counts = Counts::new(graph);
    let (mut next_number, mut notes) = (0, Vec::new());
    if !outputs.complete() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
        let pool = pool.map_err(|error| RunError::Threads { detail: error.to_string() })?;
        options.progress.set_length(sources.values().map(|source| source.length()).sum());
        for (&node, source) in &sources {
            outputs.record_rejects(next_number, source.rejects())?;
            counts.add_source(node, source.rejects());
            notes.extend(source.counts());
            notes.extend_from_slice(source.notes());
            let chunks = source.chunks(graph.plan.runner.batch_rows.get() as usize);
            let flow = Flow { graph, counts: &counts, options, node };
            next_number = flow.run(&pool, chunks, next_number, &mut outputs)?;
            notes.extend(outputs.take_notes());
        }
        for (node, work) in graph.nodes.iter().enumerate() {
            let Work::Aggregate(aggregate) = &work.work else { continue };
            options.check_cancelled()?;
            let plan_hash = &provenance.plan_hash;
            let step = AggregateStep { graph, counts: &counts, options, node, plan_hash };
            let (gathered, next) =
                pool.install(|| step.run(aggregate.as_ref(), next_number, &mut outputs))?;
            notes.extend(gathered.notes);
            next_number = next;
        }
    }
    options.progress.finish_and_clear();
    let Finished { sinks, reasons, notes: last_notes } = outputs.finish(next_number)?;
    notes.extend(last_notes);
    Ok(Summary { notes, ..Summary::new(graph, &counts, sinks, reasons, started.elapsed()) })
}

/// Every source by its node, open.
fn open_sources(graph: &Graph) -> Result<BTreeMap<usize, Arc<OpenSource>>, GraphError> {
    let sources = graph.nodes.iter().enumerate().filter(|(_, node)| node.is_source());
    sources.map(|(index, node)| Ok((index, node.open()?))).collect()
}

fn default_rejects(graph: &Graph) -> PathBuf {
    let first = graph.plan.sinks.values().next().expect("a checked graph has a sink");
    sibling(first.write.path(), "-rejects")
}

/// The path beside `path` with `suffix` at the end of its name.
fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// The flow of one source.
struct Flow<'a> {
    graph: &'a Graph,
    counts: &'a Counts,
    options: &'a RunOptions,
    node: usize,
}

impl Flow<'_> {
    /// Carries all `batches`, the first of which has number `first`; gives the number after the last.
    fn run(
        &self,
        pool: &rayon::ThreadPool,
        chunks: Chunks,
        first: u64,
        outputs: &mut Outputs,
    ) -> Result<u64, RunError> {
        let budget = u64::from(self.graph.plan.runner.memory_mib.get()) << 20;
        // A batch waits for its turn while others are carried, so twice as many as threads may be in flight.
        let gate = Gate::new(budget, self.options.threads, 2 * self.options.threads);
        let stop = AtomicBool::new(false);
        let (sender, receiver) = channel();
        let resume_at = outputs.next_batch();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let result = write_in_order(receiver, first.max(resume_at), &gate, outputs);
                if result.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
                gate.close();
                result
            });
            let fed = pool
                .in_place_scope(|scope| self.feed(scope, chunks, first, resume_at, &gate, &stop, &sender));
            drop(sender);
            let written = writer.join().expect("the writer does not panic");
            written.and(fed)
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the loop's own state, named, is clearer than a struct of it"
    )]
    fn feed<'scope>(
        &'scope self,
        scope: &rayon::Scope<'scope>,
        chunks: Chunks,
        first: u64,
        resume_at: u64,
        gate: &'scope Gate,
        stop: &'scope AtomicBool,
        sender: &Sender<Result<Delivery, RunError>>,
    ) -> Result<u64, RunError> {
        let mut number = first;
        for chunk in chunks {
            let Chunk { length, load } =
                chunk.map_err(|error| self.graph.nodes[self.node].unreadable(error))?;
            self.options.check_cancelled()?;
            if number >= resume_at {
                if !gate.enter() || stop.load(Ordering::Relaxed) {
                    break;
                }
                let sender = sender.clone();
                scope.spawn(move |_| {
                    let delivery = self.load_and_carry(number, load);
                    self.options.progress.inc(length);
                    // The writer has gone only if it failed, and then its own error is the one to report.
                    let _ = sender.send(delivery);
                });
            } else {
                self.options.progress.inc(length);
            }
            number += 1;
        }
        Ok(number)
    }

    fn load_and_carry(&self, number: u64, load: Load) -> Result<Delivery, RunError> {
        let node = self.node;
        let Loaded { batches, rejects, notes } =
            load.now().map_err(|error| self.graph.nodes[node].unreadable(error))?;
        self.counts.add_source(node, &rejects);
        let mut delivery = Route::new(self.graph, self.counts).carry(node, number, batches)?;
        let on_the_way = std::mem::replace(&mut delivery.rejects, rejects);
        delivery.rejects.extend(on_the_way);
        delivery.notes = notes;
        Ok(delivery)
    }
}

/// One aggregate at work: what it gives goes on through the graph at once.
struct AggregateStep<'a> {
    graph: &'a Graph,
    counts: &'a Counts,
    options: &'a RunOptions,
    node: usize,
    plan_hash: &'a str,
}

impl AggregateStep<'_> {
    /// Runs `aggregate`; its first batch has number `first`. Gives the number after its last.
    fn run(
        &self,
        aggregate: &dyn Aggregate,
        first: u64,
        outputs: &mut Outputs,
    ) -> Result<(Gathered, u64), RunError> {
        let (node, mut number, mut failure) = (self.node, first, None);
        let gathered = self.counts.aggregate(node, || {
            let shelves = outputs.aggregate_inputs(node)?;
            let inputs: Vec<&dyn Rows> = shelves.iter().map(|shelf| shelf as &dyn Rows).collect();
            let mut give = |batch: RecordBatch| {
                let carried = Route::new(self.graph, self.counts).carry(node, number, vec![batch]);
                number += 1;
                let delivered = carried.and_then(|delivery| outputs.deliver(delivery));
                delivered.and_then(|()| self.options.check_cancelled()).map_err(|error| {
                    failure = Some(error);
                    StageError::Stopped
                })
            };
            let run = aggregate.run(&inputs, self.plan_hash, &mut give);
            let stage = self.graph.nodes[node].name.clone();
            run.map_err(|source| failure.take().unwrap_or(RunError::Stage { stage, source }))
        })?;
        outputs.record_rejects(number, &gathered.rejects)?;
        Ok((gathered, number + 1))
    }
}

/// Puts deliveries into the order of their numbers and writes them; the first to come has number `first`.
fn write_in_order(
    receiver: Receiver<Result<Delivery, RunError>>,
    first: u64,
    gate: &Gate,
    outputs: &mut Outputs,
) -> Result<(), RunError> {
    let mut waiting: BTreeMap<u64, Delivery> = BTreeMap::new();
    let mut next = first;
    for delivery in receiver {
        let delivery = delivery?;
        gate.measured(delivery.bytes);
        waiting.insert(delivery.number, delivery);
        while let Some(ready) = waiting.remove(&next) {
            outputs.deliver(ready)?;
            gate.leave();
            next += 1;
        }
    }
    Ok(())
}
