//! All tables that a run writes: its sinks, the inputs of its aggregates, and the rejects.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datasets::shards::{
    Manifest, Provenance, SHARD_BYTES, ShardError, Started, TableReader, TableWriter, WriterOptions,
};
use schemas::tables::rejects::{self, Reject};
use std::sync::Arc;

use super::shelf::Shelf;
use super::summary::SinkSummary;
use super::{RunError, route::Delivery, sibling};
use crate::graph::{Graph, Work};
use crate::plan::SinkConfig;

/// One table that is being written, or is complete already.
struct Output {
    folder: PathBuf,
    /// Columns of the rows that are kept; all if `None`.
    columns: Option<Vec<usize>>,
    state: State,
}

enum State {
    Writing { writer: Box<TableWriter>, next_batch: u64 },
    Complete(Manifest),
}

impl Output {
    fn start(
        folder: &Path,
        schema: &SchemaRef,
        provenance: Provenance,
        shard_bytes: u64,
        force: bool,
    ) -> Result<Self, ShardError> {
        let options = WriterOptions { shard_bytes, force, ..WriterOptions::default() };
        let state = match TableWriter::start(folder, schema, provenance, options)? {
            Started::Complete(manifest) => State::Complete(manifest),
            Started::From { writer, next_batch } => State::Writing { writer, next_batch },
        };
        Ok(Self { folder: folder.to_owned(), columns: None, state })
    }

    /// Number of the first batch that this table lacks.
    fn next_batch(&self) -> u64 {
        match &self.state {
            State::Writing { next_batch, .. } => *next_batch,
            State::Complete(_) => u64::MAX,
        }
    }

    fn write(&mut self, number: u64, rows: &RecordBatch) -> Result<bool, RunError> {
        let State::Writing { writer, next_batch } = &mut self.state else { return Ok(false) };
        if number < *next_batch {
            return Ok(false);
        }
        match &self.columns {
            None => Ok(writer.write(number, rows)?),
            Some(columns) => {
                let kept = rows.project(columns).map_err(|error| ShardError::Parquet {
                    action: "write",
                    path: self.folder.clone(),
                    source: error.into(),
                })?;
                Ok(writer.write(number, &kept)?)
            }
        }
    }

    fn cut(&mut self, next: u64) -> Result<(), RunError> {
        if let State::Writing { writer, next_batch } = &mut self.state
            && *next_batch <= next
        {
            writer.pass(next);
            writer.cut()?;
        }
        Ok(())
    }

    fn complete(self, rejects: BTreeMap<String, u64>) -> Result<SinkSummary, RunError> {
        let (already, manifest) = match self.state {
            State::Complete(manifest) => (true, manifest),
            State::Writing { writer, .. } => (false, writer.finish(rejects)?),
        };
        Ok(SinkSummary { folder: self.folder, already, rows: manifest.rows, shards: manifest.shards.len() })
    }
}

/// All tables of a run.
pub struct Outputs {
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

impl Outputs {
    /// Starts, or continues, every table.
    ///
    /// # Errors
    /// When one is there by other work, or the system refuses.
    pub fn start(
        graph: &Graph,
        rejects: &Path,
        provenance: &Provenance,
        force: bool,
    ) -> Result<Self, RunError> {
        let work = sibling(rejects, ".work");
        let named = |made_by: &str| Provenance { made_by: made_by.to_owned(), ..provenance.clone() };
        let (mut sinks, mut inputs) = (BTreeMap::new(), BTreeMap::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            match &node.work {
                Work::Sink(SinkConfig::Parquet { path, shard_mib }) => {
                    let bytes = u64::from(shard_mib.get()) << 20;
                    let output = Output::start(path, &node.schema, named(&node.name), bytes, force)?;
                    sinks.insert(index, output);
                }
                Work::Aggregate(aggregate) => {
                    for (number, &input) in node.inputs.iter().enumerate() {
                        let schema = &graph.nodes[input].schema;
                        let stage = |source| RunError::Stage { stage: node.name.clone(), source };
                        let columns = aggregate.needed_columns(number, schema).map_err(stage)?;
                        let narrow: Arc<Schema> =
                            Arc::new(schema.project(&columns).expect("columns of the schema"));
                        let folder = work.join(format!("{}-{number}", node.name));
                        let mut output =
                            Output::start(&folder, &narrow, named(&node.name), SHARD_BYTES, force)?;
                        output.columns = Some(columns);
                        inputs.insert((index, number), output);
                    }
                }
                _ => {}
            }
        }
        let rejects = Output::start(rejects, &rejects::schema(), named("rejects"), SHARD_BYTES, force)?;
        Ok(Self { sinks, inputs, rejects, notes: Vec::new(), work })
    }

    fn all(&self) -> impl Iterator<Item = &Output> {
        self.sinks.values().chain(self.inputs.values()).chain([&self.rejects])
    }

    /// Whether every sink holds the result of this very run already.
    pub fn complete(&self) -> bool {
        self.sinks.values().chain([&self.rejects]).all(|output| matches!(output.state, State::Complete(_)))
    }

    /// Number of the first batch that some table lacks.
    pub fn next_batch(&self) -> u64 {
        self.all().map(Output::next_batch).min().unwrap_or(0)
    }

    /// Writes what came of one batch; deliveries come in the order of their numbers.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn deliver(&mut self, delivery: Delivery) -> Result<(), RunError> {
        let Delivery { number, rows, rejects, notes, .. } = delivery;
        self.notes.extend(notes);
        let mut full = false;
        for (node, position, rows) in rows {
            let output = match self.sinks.get_mut(&node) {
                Some(sink) => sink,
                None => self.inputs.get_mut(&(node, position)).expect("rows go to sinks and aggregates"),
            };
            full |= output.write(number, &rows)?;
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
        self.rejects.write(number, &rejects::to_batch(rejects))
    }

    /// Writes rejects that belong to batch `number`, before its delivery.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn record_rejects(&mut self, number: u64, rejects: &[Reject]) -> Result<(), RunError> {
        self.write_rejects(number, rejects)?;
        Ok(())
    }

    /// What sources found on the way so far.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Every input of the aggregate `node`, once all rows have come.
    ///
    /// # Errors
    /// When they cannot be completed or opened.
    pub fn aggregate_inputs(&mut self, node: usize) -> Result<Vec<Shelf>, RunError> {
        let mut shelves = Vec::new();
        while let Some(output) = self.inputs.remove(&(node, shelves.len())) {
            let folder = output.folder.clone();
            output.complete(BTreeMap::new())?;
            shelves.push(Shelf::open(&folder)?);
        }
        Ok(shelves)
    }

    /// Completes rejects and sinks, each with the rejects by reason in its manifest.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> Result<(Vec<SinkSummary>, BTreeMap<String, u64>), RunError> {
        let Self { sinks, rejects, work, .. } = self;
        let folder = rejects.folder.clone();
        let summary = rejects.complete(BTreeMap::new())?;
        let reasons = count_reasons(&folder)?;
        let mut summaries = Vec::new();
        for output in sinks.into_values() {
            summaries.push(output.complete(reasons.clone())?);
        }
        summaries.push(summary);
        if work.exists() {
            fs::remove_dir_all(&work).map_err(|source| ShardError::Io {
                action: "remove",
                path: work,
                source,
            })?;
        }
        Ok((summaries, reasons))
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
