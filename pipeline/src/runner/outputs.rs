//! All targets of a run: its sinks, the inputs of its aggregates and exports, and the rejects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datasets::export::ExportError;
use datasets::shards::{
    Claiming, Manifest, Provenance, Rejected, ShardEntry, ShardError, Shelf, TableFolder, TableOptions,
    UnitWriter, check_shard,
};
use datasets::sink::{Target, WholeTarget};
use rayon::prelude::*;
use schemas::tables::rejects::{self, Reject, by_reason};

use super::counts::Counts;
use super::part::Part;
use super::record::UnitRecord;
use super::route::Delivery;
use super::summary::SinkSummary;
use super::units::{Sources, Unit, is_direct, is_whole};
use super::{RunError, shelf, sibling};
use crate::graph::{Graph, Work};

/// Where rows of a unit go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The table of this node.
    Sink(usize),
    /// The store for this position among the inputs of this node.
    Input(usize, usize),
    Rejects,
}

/// The tables and stores of a run, which all its units write.
pub(super) struct Outputs<'a> {
    graph: &'a Graph,
    tables: BTreeMap<usize, TableFolder>,
    /// Each with the columns that are kept.
    stores: BTreeMap<(usize, usize), (Shelf, Vec<usize>)>,
    rejects: TableFolder,
}

/// The files and folders that are written at once, by node.
pub(super) type Wholes = BTreeMap<usize, Box<dyn WholeTarget>>;

/// The rejects table of `graph`.
pub(super) fn rejects_path(graph: &Graph) -> PathBuf {
    graph.plan.rejects.clone().unwrap_or_else(|| {
        let first = graph.plan.sinks.values().next().expect("a checked graph has a sink");
        sibling(first.write.path(), "-rejects")
    })
}

/// The provenance of the target that the plan calls `name`.
pub(super) fn named(provenance: &Provenance, name: &str) -> Provenance {
    Provenance { made_by: name.to_owned(), ..provenance.clone() }
}

pub(super) fn failed(node: &str) -> impl Fn(ExportError) -> RunError + use<> {
    let node = node.to_owned();
    move |source| RunError::Sink { node: node.clone(), source }
}

/// What all targets hold, if the same work has made every one of them, the rejects last; and what was rejected. `deep`
/// checks their bytes.
///
/// # Errors
/// When `deep` finds damage.
pub(super) fn up_to_date(
    graph: &Graph,
    provenance: &Provenance,
    deep: bool,
) -> Result<Option<(Vec<SinkSummary>, Rejected)>, RunError> {
    let mut sinks = Vec::new();
    for node in &graph.nodes {
        let Work::Sink(sink) = &node.work else { continue };
        let complete = sink.complete(&named(provenance, &node.name), deep).map_err(failed(&node.name))?;
        let Some(written) = complete else { return Ok(None) };
        let path = sink.path().to_owned();
        sinks.push(SinkSummary { path, already: true, rows: written.rows, shards: written.shards });
    }
    let path = rejects_path(graph);
    let Some(manifest) = TableFolder::complete_of(&path, &named(provenance, "rejects")) else {
        return Ok(None);
    };
    if deep {
        manifest.check_shards(&path, &|_| ())?;
    }
    let shards = Some(manifest.shards.len());
    sinks.push(SinkSummary { path, already: true, rows: manifest.rows, shards });
    let Manifest { rejects: rows, examples, verdict, .. } = manifest;
    Ok(Some((sinks, Rejected { rows, examples, verdict })))
}

/// Whether work of `provenance` is begun and not complete.
pub(super) fn is_begun(graph: &Graph, provenance: &Provenance) -> bool {
    TableFolder::is_begun(&rejects_path(graph), &named(provenance, "rejects"))
}

impl<'a> Outputs<'a> {
    /// Claims every target of `graph`.
    ///
    /// # Errors
    /// When other work has made one, another run writes one, or the system refuses.
    pub(super) fn claim(
        graph: &'a Graph,
        sources: &Sources,
        provenance: &Provenance,
        claim: Claiming,
    ) -> Result<(Self, Wholes), RunError> {
        let options = TableOptions { claim, ..TableOptions::default() };
        let path = rejects_path(graph);
        let rejects = TableFolder::claim(&path, &rejects::schema(), named(provenance, "rejects"), &options)?;
        let mut claimed = Self { graph, tables: BTreeMap::new(), stores: BTreeMap::new(), rejects };
        let mut wholes = BTreeMap::new();
        match claimed.claim_sinks(sources, provenance, claim, &mut wholes) {
            Ok(()) => Ok((claimed, wholes)),
            Err(refused) => {
                if !claimed.rejects.continued() {
                    // Nothing has come of it; the refusal is the error to report.
                    let _ = claimed.release(wholes);
                }
                Err(refused)
            }
        }
    }

    fn claim_sinks(
        &mut self,
        sources: &Sources,
        provenance: &Provenance,
        claim: Claiming,
        wholes: &mut Wholes,
    ) -> Result<(), RunError> {
        let graph = self.graph;
        for (index, node) in graph.nodes.iter().enumerate() {
            let schemas =
                || node.inputs.iter().map(|&input| graph.nodes[input].schema.clone()).collect::<Vec<_>>();
            if let Work::Sink(sink) = &node.work {
                let target = sink.claim(&schemas(), named(provenance, &node.name), claim);
                match target.map_err(failed(&node.name))? {
                    Target::Table(table) => drop(self.tables.insert(index, table)),
                    Target::Whole(whole) => drop(wholes.insert(index, whole)),
                }
            }
            if matches!(node.work, Work::Aggregate(_)) || is_whole(&node.work) {
                for (position, schema) in schemas().iter().enumerate() {
                    if is_direct(graph, sources, index, position) {
                        continue;
                    }
                    let columns = needed(graph, index, position)?;
                    let narrow = schema.project(&columns).expect("columns of the schema").into();
                    let store = self.rejects.shelf(&format!("{}-{position}", node.name), &narrow)?;
                    self.stores.insert((index, position), (store, columns));
                }
            }
        }
        Ok(())
    }

    /// Begins the shards of unit `number`.
    pub(super) fn unit(&self, number: u64) -> UnitOutputs<'_> {
        UnitOutputs { outputs: self, record: UnitRecord::new(number), writers: BTreeMap::new() }
    }

    /// The most bytes that a unit holds in memory: a row group of each target.
    pub(super) fn unit_bytes(&self) -> u64 {
        (self.tables.len() + self.stores.len() + 1) as u64 * datasets::shards::ROW_GROUP_BYTES
    }

    fn writer(&self, place: Place, number: u64) -> UnitWriter {
        match place {
            Place::Sink(node) => self.tables[&node].unit(number),
            Place::Input(node, position) => self.stores[&(node, position)].0.unit(number),
            Place::Rejects => self.rejects.unit(number),
        }
    }

    /// What the record calls `place`.
    fn name(&self, place: Place) -> String {
        match place {
            Place::Sink(node) => format!("sink {}", self.graph.nodes[node].name),
            Place::Input(node, position) => format!("input {position} of {}", self.graph.nodes[node].name),
            Place::Rejects => "rejects".to_owned(),
        }
    }

    fn places(&self) -> impl Iterator<Item = (Place, &Path)> {
        let tables = self.tables.iter().map(|(&node, table)| (Place::Sink(node), table.path()));
        let stores = self
            .stores
            .iter()
            .map(|(&(node, position), (store, _))| (Place::Input(node, position), store.path()));
        tables.chain(stores).chain([(Place::Rejects, self.rejects.path())])
    }

    /// The records of those of `units` that `part` is about and that are done: every shard that they list is there and
    /// whole. A record that is not is removed.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn done(&self, units: &[Unit], part: Part) -> Result<BTreeMap<u64, UnitRecord>, RunError> {
        let folders: BTreeMap<String, &Path> =
            self.places().map(|(place, folder)| (self.name(place), folder)).collect();
        let whole = |record: &UnitRecord| {
            record.shards.iter().all(|(name, shards)| {
                let Some(folder) = folders.get(name) else { return false };
                shards.iter().all(|shard| check_shard(folder, shard).is_ok())
            })
        };
        let of = |unit: &Unit| -> Result<Option<(u64, UnitRecord)>, ShardError> {
            let record = UnitRecord::read(self.rejects.work_path(), unit.number, units.len() as u64);
            match record.filter(whole) {
                Some(record) => Ok(Some((unit.number, record))),
                None => UnitRecord::remove(self.rejects.work_path(), unit.number).map(|()| None),
            }
        };
        // Of an array, each run looks at its own units: those of the others may be large, and are at work.
        let of_part = units.par_iter().filter(|unit| part.takes(unit.number));
        let records: Vec<_> = of_part.map(of).collect::<Result<_, _>>()?;
        Ok(records.into_iter().flatten().collect())
    }

    /// The records of those of `units` that have one, unchecked.
    pub(super) fn recorded(&self, units: &[Unit]) -> Vec<UnitRecord> {
        let read = |unit: &Unit| UnitRecord::read(self.rejects.work_path(), unit.number, units.len() as u64);
        units.iter().filter_map(read).collect()
    }

    /// Removes shards of units that are not among the `records` of those that are done.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn remove_unfinished(&self, records: &BTreeMap<u64, UnitRecord>) -> Result<(), RunError> {
        for (place, _) in self.places() {
            let name = self.name(place);
            let done = records.values().filter_map(|record| record.shards.get(&name)).flatten();
            match place {
                Place::Sink(node) => self.tables[&node].remove_all_but(done)?,
                Place::Input(node, position) => self.stores[&(node, position)].0.remove_all_but(done)?,
                Place::Rejects => self.rejects.remove_all_but(done)?,
            }
        }
        Ok(())
    }

    /// The rows of all inputs of `node`, which needs all of them.
    ///
    /// # Errors
    /// When a column is missing.
    pub(super) fn inputs(
        &self,
        sources: &Sources,
        node: usize,
        records: &BTreeMap<u64, UnitRecord>,
    ) -> Result<Vec<shelf::Shelf>, RunError> {
        let Node { inputs, names, .. } = Node::of(self.graph, node);
        let mut shelves: Vec<Option<shelf::Shelf>> = (0..names).map(|_| None).collect();
        for (position, &input) in inputs.iter().enumerate() {
            let columns = needed(self.graph, node, position)?;
            let schema = self.graph.nodes[input].schema.project(&columns).expect("columns of the schema");
            let part = if let Some((store, _)) = self.stores.get(&(node, position)) {
                let shards = shards_of(records, &self.name(Place::Input(node, position)));
                shelf::Part::Stored(store.reader(&shards))
            } else {
                let source = std::sync::Arc::clone(&sources[&input]);
                shelf::Part::Source(source, columns, super::units::size(self.graph))
            };
            let empty = || shelf::Shelf { schema: schema.into(), parts: Vec::new() };
            shelves[position.min(names - 1)].get_or_insert_with(empty).parts.push(part);
        }
        Ok(shelves.into_iter().flatten().collect())
    }

    /// Completes the tables of the sinks of the units in `records`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn complete(
        &self,
        records: &BTreeMap<u64, UnitRecord>,
        rejected: &Rejected,
    ) -> Result<Vec<(usize, SinkSummary)>, RunError> {
        let mut done = Vec::new();
        for (&node, table) in &self.tables {
            let shards = shards_of(records, &self.name(Place::Sink(node)));
            let Work::Sink(sink) = &self.graph.nodes[node].work else {
                unreachable!("only sinks have tables")
            };
            let manifest = table.complete(shards, rejected.clone())?;
            let (path, shards) = (sink.path().to_owned(), Some(manifest.shards.len()));
            done.push((node, SinkSummary { path, already: false, rows: manifest.rows, shards }));
        }
        Ok(done)
    }

    /// Completes the table of rejects of the units in `records`, after all others.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn complete_rejects(
        &self,
        records: &BTreeMap<u64, UnitRecord>,
        rejected: Rejected,
    ) -> Result<SinkSummary, RunError> {
        let manifest = self.rejects.complete(shards_of(records, "rejects"), rejected)?;
        let (path, shards) = (rejects_path(self.graph), Some(manifest.shards.len()));
        Ok(SinkSummary { path, already: false, rows: manifest.rows, shards })
    }

    /// Gives all places back; that of the rejects, which holds the records, last.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn release(self, wholes: Wholes) -> Result<(), ShardError> {
        for table in self.tables.into_values() {
            table.release()?;
        }
        for whole in wholes.into_values() {
            whole.release()?;
        }
        self.rejects.release()
    }
}

/// The inputs of a node, and how many names they have: of one name, several nodes come one after the other.
struct Node<'a> {
    inputs: &'a [usize],
    names: usize,
}

impl<'a> Node<'a> {
    fn of(graph: &'a Graph, node: usize) -> Self {
        let node = &graph.nodes[node];
        Self { inputs: &node.inputs, names: node.work.inputs().len() }
    }
}

/// The columns that `node` needs of its input at `position`.
fn needed(graph: &Graph, node: usize, position: usize) -> Result<Vec<usize>, RunError> {
    let Node { inputs, names } = Node::of(graph, node);
    let schema = &graph.nodes[inputs[position]].schema;
    match &graph.nodes[node].work {
        Work::Aggregate(aggregate) => {
            let stage = |source| RunError::Stage { stage: graph.nodes[node].name.clone(), source };
            aggregate.needed_columns(position.min(names - 1), schema).map_err(stage)
        }
        _ => Ok((0..schema.fields().len()).collect()),
    }
}

fn shards_of(records: &BTreeMap<u64, UnitRecord>, name: &str) -> Vec<ShardEntry> {
    records.values().filter_map(|record| record.shards.get(name)).flatten().cloned().collect()
}

/// The shards of one unit.
pub(super) struct UnitOutputs<'a> {
    outputs: &'a Outputs<'a>,
    record: UnitRecord,
    writers: BTreeMap<Place, UnitWriter>,
}

impl UnitOutputs<'_> {
    /// Writes the results of the next batch.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn write(&mut self, delivery: Delivery) -> Result<(), RunError> {
        let Delivery { rows, rejects, notes, told, .. } = delivery;
        self.record.notes.extend(notes);
        for (what, rows) in told {
            *self.record.told.entry(what.to_owned()).or_default() += rows;
        }
        for (node, position, rows) in rows {
            match self.outputs.stores.get(&(node, position)) {
                Some((_, columns)) => {
                    let narrow = rows.project(columns).expect("columns of the rows");
                    self.put(Place::Input(node, position), &narrow)?;
                }
                None => self.put(Place::Sink(node), &rows)?,
            }
        }
        self.reject(&rejects)
    }

    /// Writes `rejects`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn reject(&mut self, rejects: &[Reject]) -> Result<(), RunError> {
        if rejects.is_empty() {
            return Ok(());
        }
        for (reason, rows) in by_reason(rejects) {
            *self.record.reasons.entry(reason).or_default() += rows;
        }
        for reject in rejects {
            if !self.record.examples.contains_key(&reject.reason) {
                self.record.examples.insert(reject.reason.clone(), reject.words());
            }
        }
        self.put(Place::Rejects, &rejects::to_batch(rejects))
    }

    /// Adds to what readers of the rows must know.
    pub(super) fn note(&mut self, notes: impl IntoIterator<Item = String>) {
        self.record.notes.extend(notes);
    }

    /// Rejects so far, by reason.
    pub(super) fn reasons(&self) -> &BTreeMap<String, u64> {
        &self.record.reasons
    }

    fn put(&mut self, place: Place, rows: &arrow::array::RecordBatch) -> Result<(), RunError> {
        let (outputs, number) = (self.outputs, self.record.unit);
        let writer = self.writers.entry(place).or_insert_with(|| outputs.writer(place, number));
        Ok(writer.write(rows)?)
    }

    /// Bytes that its open shards hold in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.writers.values().map(UnitWriter::bytes).sum()
    }

    /// Closes all shards and writes the record, of `units` units in all: by it the unit is done.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn finish(mut self, counts: &Counts, units: usize) -> Result<UnitRecord, RunError> {
        for (place, writer) in std::mem::take(&mut self.writers) {
            let shards = writer.finish()?;
            if !shards.is_empty() {
                self.record.shards.insert(self.outputs.name(place), shards);
            }
        }
        for (index, node) in self.outputs.graph.nodes.iter().enumerate() {
            let totals = counts.totals(index);
            let rows = [totals.rows_in, totals.rows_out, totals.rejected];
            if rows != [0; 3] {
                self.record.rows.insert(super::record::name_of(node), rows);
            }
        }
        self.record.units = units as u64;
        self.record.write(self.outputs.rejects.work_path())?;
        Ok(self.record)
    }
}
