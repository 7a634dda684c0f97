//! All targets that a run writes: its sinks, the inputs of its aggregates, and the rejects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::export::ExportError;
use datasets::shards::{ParquetSink, Provenance, ShardError, TableReader};
use datasets::sink::{Exported, Sink, SinkWriter, Start, Written};
use schemas::tables::rejects::{self, Reject};
use std::sync::Arc;

use super::shelf::Shelf;
use super::summary::SinkSummary;
use super::{RunError, route::Delivery, sibling};
use crate::graph::{Graph, Work};

/// One target that is being written, or is complete already.
struct Output {
    /// What it is called in the plan.
    node: String,
    path: PathBuf,
    /// Columns of the rows that are kept; all if `None`.
    columns: Option<Vec<usize>>,
    state: State,
}

enum State {
    /// With the number of the first batch that it lacks.
    Writing(Box<dyn SinkWriter>, u64),
    Complete(Written),
}

impl Output {
    fn start(node: &str, path: &Path, started: Result<Start, ExportError>) -> Result<Self, RunError> {
        let state = match started.map_err(|source| RunError::Sink { node: node.to_owned(), source })? {
            Start::Complete(written) => State::Complete(written),
            Start::Begun(writer) => {
                let next_batch = writer.next_batch();
                State::Writing(writer, next_batch)
            }
        };
        Ok(Self { node: node.to_owned(), path: path.to_owned(), columns: None, state })
    }

    /// A table of the run's own, in `folder`.
    fn table(
        node: &str,
        folder: &Path,
        schema: SchemaRef,
        provenance: Provenance,
        force: bool,
    ) -> Result<Self, RunError> {
        Self::start(node, folder, ParquetSink::at(folder).start(&[schema], provenance, force))
    }

    fn failed(&self) -> impl FnOnce(ExportError) -> RunError + use<> {
        let node = self.node.clone();
        move |source| RunError::Sink { node, source }
    }

    /// Number of the first batch that this target lacks.
    fn next_batch(&self) -> u64 {
        match &self.state {
            State::Writing(_, next_batch) => *next_batch,
            State::Complete(_) => u64::MAX,
        }
    }

    fn write(&mut self, number: u64, input: usize, rows: &RecordBatch) -> Result<bool, RunError> {
        let failed = self.failed();
        let State::Writing(writer, next_batch) = &mut self.state else { return Ok(false) };
        if number < *next_batch {
            return Ok(false);
        }
        let kept = match &self.columns {
            None => Ok(rows.clone()),
            Some(columns) => rows.project(columns).map_err(ExportError::from),
        };
        kept.and_then(|kept| writer.write(number, input, &kept)).map_err(failed)
    }

    fn cut(&mut self, next: u64) -> Result<(), RunError> {
        let failed = self.failed();
        match &mut self.state {
            State::Writing(writer, next_batch) if *next_batch <= next => writer.cut(next).map_err(failed),
            _ => Ok(()),
        }
    }

    /// Ends the writing; nothing to say of a target that was complete.
    fn close(&mut self) -> Result<Exported, RunError> {
        let failed = self.failed();
        match &mut self.state {
            State::Writing(writer, _) => writer.close().map_err(failed),
            State::Complete(_) => Ok(Exported::default()),
        }
    }

    fn complete(self, rejects: &BTreeMap<String, u64>) -> Result<SinkSummary, RunError> {
        let failed = self.failed();
        let (already, written) = match self.state {
            State::Complete(written) => (true, written),
            State::Writing(writer, _) => (false, writer.complete(rejects).map_err(failed)?),
        };
        Ok(SinkSummary { path: self.path, already, rows: written.rows, shards: written.shards })
    }
}

/// All targets of a run.
pub(super) struct Outputs {
    /// By node: sinks.
    sinks: BTreeMap<usize, Output>,
    /// By aggregate and number of the input: its rows until all have come.
    inputs: BTreeMap<(usize, usize), Output>,
    rejects: Output,
    /// What sources found on the way, in order.
    notes: Vec<String>,
    /// Folder of `inputs`.
    work: PathBuf,
}

/// What stands where, when a run is over.
pub(super) struct Finished {
    /// The targets, the rejects last.
    pub sinks: Vec<SinkSummary>,
    /// Rejects by reason.
    pub reasons: BTreeMap<String, u64>,
    /// What readers of the targets must know.
    pub notes: Vec<String>,
}

impl Outputs {
    /// Starts, or resumes, every target.
    ///
    /// # Errors
    /// When other work has made one, or the system refuses.
    pub(super) fn start(
        graph: &Graph,
        rejects: &Path,
        provenance: &Provenance,
        force: bool,
    ) -> Result<Self, RunError> {
        let work = sibling(rejects, ".work");
        let named = |made_by: &str| Provenance { made_by: made_by.to_owned(), ..provenance.clone() };
        let (mut sinks, mut inputs) = (BTreeMap::new(), BTreeMap::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            let schema_of = |input: usize| graph.nodes[input].schema.clone();
            match &node.work {
                Work::Sink(sink) => {
                    let schemas: Vec<SchemaRef> = node.inputs.iter().copied().map(schema_of).collect();
                    let started = sink.start(&schemas, named(&node.name), force);
                    sinks.insert(index, Output::start(&node.name, sink.path(), started)?);
                }
                Work::Aggregate(aggregate) => {
                    for number in 0..aggregate.inputs().len() {
                        let schema = schema_of(node.inputs[number]);
                        let stage = |source| RunError::Stage { stage: node.name.clone(), source };
                        let columns = aggregate.needed_columns(number, &schema).map_err(stage)?;
                        let narrow = Arc::new(schema.project(&columns).expect("columns of the schema"));
                        let folder = work.join(format!("{}-{number}", node.name));
                        let output = Output::table(&node.name, &folder, narrow, named(&node.name), force)?;
                        inputs.insert((index, number), Output { columns: Some(columns), ..output });
                    }
                }
                _ => {}
            }
        }
        let rejects = Output::table("rejects", rejects, rejects::schema(), named("rejects"), force)?;
        Ok(Self { sinks, inputs, rejects, notes: Vec::new(), work })
    }

    fn all(&self) -> impl Iterator<Item = &Output> {
        self.sinks.values().chain(self.inputs.values()).chain([&self.rejects])
    }

    /// Whether every sink already holds the result of this run.
    pub(super) fn complete(&self) -> bool {
        self.sinks.values().chain([&self.rejects]).all(|output| matches!(output.state, State::Complete(_)))
    }

    /// Number of the first batch that some target lacks.
    pub(super) fn next_batch(&self) -> u64 {
        self.all().map(Output::next_batch).min().unwrap_or(0)
    }

    /// Writes the results of one batch; deliveries arrive in the order of their numbers.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn deliver(&mut self, delivery: Delivery) -> Result<(), RunError> {
        let Delivery { number, rows, rejects, notes, .. } = delivery;
        self.notes.extend(notes);
        let mut full = false;
        for (node, input, rows) in rows {
            full |= if let Some(sink) = self.sinks.get_mut(&node) {
                sink.write(number, input, &rows)?
            } else {
                let shelf = self.inputs.get_mut(&(node, input)).expect("rows go to sinks and aggregates");
                shelf.write(number, 0, &rows)?
            };
        }
        full |= self.write_rejects(number, &rejects)?;
        // A run that was killed between two journals left some tables ahead: the others are cut where those were.
        if full || self.all().any(|output| output.next_batch() == number + 1) {
            let outputs = self.sinks.values_mut().chain(self.inputs.values_mut()).chain([&mut self.rejects]);
            for output in outputs {
                output.cut(number + 1)?;
            }
        }
        Ok(())
    }

    fn write_rejects(&mut self, number: u64, rejects: &[Reject]) -> Result<bool, RunError> {
        if rejects.is_empty() {
            return Ok(false);
        }
        self.rejects.write(number, 0, &rejects::to_batch(rejects))
    }

    /// Writes rejects that belong to batch `number`, before its delivery.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn record_rejects(&mut self, number: u64, rejects: &[Reject]) -> Result<(), RunError> {
        self.write_rejects(number, rejects)?;
        Ok(())
    }

    /// What sources found on the way so far.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Every input of the aggregate `node`, once all rows have come.
    ///
    /// # Errors
    /// When they cannot be completed or opened.
    pub(super) fn aggregate_inputs(&mut self, node: usize) -> Result<Vec<Shelf>, RunError> {
        let mut shelves = Vec::new();
        while let Some(mut output) = self.inputs.remove(&(node, shelves.len())) {
            output.close()?;
            let table = output.complete(&BTreeMap::new())?;
            shelves.push(Shelf::open(&table.path)?);
        }
        Ok(shelves)
    }

    /// Completes all targets: each is closed first, so that its rejects are in the rejects table, as those of batch
    /// `number`; then each is moved into its place, with the rejects by reason.
    ///
    /// # Errors
    /// When rows are incomplete, or the system refuses.
    pub(super) fn finish(mut self, number: u64) -> Result<Finished, RunError> {
        let mut notes = Vec::new();
        let mut rejected = Vec::new();
        for output in self.sinks.values_mut() {
            let exported = output.close()?;
            notes.extend(exported.notes);
            rejected.extend(exported.rejects);
        }
        self.record_rejects(number, &rejected)?;
        let Self { sinks: outputs, rejects, work, .. } = self;
        let summary = rejects.complete(&BTreeMap::new())?;
        let reasons = count_reasons(&summary.path)?;
        let mut sinks = Vec::new();
        for output in outputs.into_values() {
            sinks.push(output.complete(&reasons)?);
        }
        sinks.push(summary);
        if work.exists() {
            fs::remove_dir_all(&work).map_err(|source| ShardError::Io {
                action: "remove",
                path: work,
                source,
            })?;
        }
        Ok(Finished { sinks, reasons, notes })
    }
}

fn count_reasons(folder: &Path) -> Result<BTreeMap<String, u64>, RunError> {
    let mut reasons = BTreeMap::new();
    for batch in TableReader::open(folder, None)?.batches(8192) {
        let batch = batch?;
        for (reason, rows) in rejects::reasons(&batch).expect("the table of rejects is ours") {
            *reasons.entry(reason.to_owned()).or_default() += rows;
        }
    }
    Ok(reasons)
}
