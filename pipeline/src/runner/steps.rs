//! The units that need all rows: aggregates in dataflow order, then exports.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use stages::StageError;
use stages::stage::{Aggregate, Rows};

use super::counts::Counts;
use super::outputs::{UnitOutputs, Wholes};
use super::record::UnitRecord;
use super::route::Route;
use super::summary::SinkSummary;
use super::units::Unit;
use super::{Run, RunError, rejected_of};
use crate::graph::Work;

/// The units of a run that need all rows.
pub(super) struct Steps<'a> {
    pub run: &'a Run<'a>,
    /// Counts of all units, for the time that they take.
    pub totals: &'a Counts,
}

/// An export whose rows are written, and which is not in its place yet.
struct Closed<'a> {
    unit: &'a Unit,
    counts: Counts,
    shards: UnitOutputs<'a>,
}

impl Steps<'_> {
    /// Does those that are in no record yet, and adds their records. Gives the exports by node.
    ///
    /// # Errors
    /// When a step fails, rows are incomplete, or the system refuses.
    pub(super) fn run_all(
        &self,
        records: &mut BTreeMap<u64, UnitRecord>,
        wholes: &mut Wholes,
    ) -> Result<Vec<(usize, SinkSummary)>, RunError> {
        let Run { graph, options, units, .. } = *self.run;
        let (mut closed, mut done) = (Vec::new(), Vec::new());
        for unit in units.iter().filter(|unit| unit.rows.is_none()) {
            options.check_cancelled()?;
            match &graph.nodes[unit.node].work {
                Work::Aggregate(aggregate) if !records.contains_key(&unit.number) => {
                    let record = self.aggregate(unit, aggregate.as_ref(), records)?;
                    records.insert(unit.number, record);
                }
                Work::Sink(sink) => match self.made(unit, records) {
                    Some(rows) => {
                        let path = sink.path().to_owned();
                        done.push((unit.node, SinkSummary { path, already: false, rows, shards: None }));
                    }
                    None => closed.push(self.export(unit, records, wholes)?),
                },
                _ => {}
            }
        }
        // The record of an export counts the rejects of the whole run, its own and those of other exports included.
        let mut reasons = rejected_of(records.values()).rows;
        for (reason, rows) in closed.iter().flat_map(|export| export.shards.reasons()) {
            *reasons.entry(reason.clone()).or_default() += rows;
        }
        for Closed { unit, counts, shards } in closed {
            let whole = wholes.get_mut(&unit.node).expect("an export is claimed");
            let written = whole.complete(&reasons).map_err(self.failed(unit.node))?;
            records.insert(unit.number, shards.finish(&counts, units.len())?);
            let Work::Sink(sink) = &graph.nodes[unit.node].work else { unreachable!("exports are sinks") };
            let path = sink.path().to_owned();
            done.push((unit.node, SinkSummary { path, already: false, rows: written.rows, shards: None }));
        }
        Ok(done)
    }

    /// Rows of the export of `unit` if it is done and still what it was.
    fn made(&self, unit: &Unit, records: &BTreeMap<u64, UnitRecord>) -> Option<u64> {
        let Run { graph, provenance, .. } = *self.run;
        let node = &graph.nodes[unit.node];
        let Work::Sink(sink) = &node.work else { unreachable!("exports are sinks") };
        if !records.contains_key(&unit.number) {
            return None;
        }
        let provenance = super::outputs::named(provenance, &node.name);
        // One that was damaged since is made again.
        let written = sink.complete(&provenance, true).ok().flatten();
        written.map(|written| written.rows)
    }

    fn aggregate(
        &self,
        unit: &Unit,
        aggregate: &dyn Aggregate,
        records: &BTreeMap<u64, UnitRecord>,
    ) -> Result<UnitRecord, RunError> {
        let Run { graph, sources, provenance, options, outputs, units } = *self.run;
        let node = unit.node;
        let counts = Counts::new(graph);
        let shelves = outputs.inputs(sources, node, records)?;
        let inputs: Vec<&dyn Rows> = shelves.iter().map(|rows| rows as &dyn Rows).collect();
        let (mut shards, mut failure) = (outputs.unit(unit.number), None);
        let route = Route { graph, sources, options, counts: &counts };
        let gathered = counts.aggregate(node, || {
            let mut give = |batch: RecordBatch| {
                let carried = route.carry(node, vec![batch]);
                let written = carried.and_then(|delivery| shards.write(delivery));
                written.and_then(|()| options.check_cancelled()).map_err(|error| {
                    failure = Some(error);
                    StageError::Stopped
                })
            };
            let run = aggregate.run(&inputs, &provenance.plan_hash, &mut give);
            let stage = graph.nodes[node].name.clone();
            run.map_err(|source| failure.take().unwrap_or(RunError::Stage { stage, source }))
        })?;
        self.count_direct(node, &counts);
        shards.reject(&gathered.rejects)?;
        shards.note(gathered.notes);
        self.totals.add_busy(&counts);
        shards.finish(&counts, units.len())
    }

    fn export<'b>(
        &'b self,
        unit: &'b Unit,
        records: &BTreeMap<u64, UnitRecord>,
        wholes: &mut Wholes,
    ) -> Result<Closed<'b>, RunError> {
        let Run { graph, sources, options, outputs, .. } = *self.run;
        let node = unit.node;
        let failed = self.failed(node);
        let whole = wholes.get_mut(&node).expect("an export is claimed");
        let counts = Counts::new(graph);
        whole.begin().map_err(&failed)?;
        for (input, shelf) in outputs.inputs(sources, node, records)?.iter().enumerate() {
            for batch in shelf.scan() {
                options.check_cancelled()?;
                let stage = |source| RunError::Stage { stage: graph.nodes[node].name.clone(), source };
                whole.write(input, &batch.map_err(stage)?).map_err(&failed)?;
            }
        }
        self.count_direct(node, &counts);
        let exported = whole.close().map_err(&failed)?;
        let mut shards = outputs.unit(unit.number);
        shards.reject(&exported.rejects)?;
        shards.note(exported.notes);
        Ok(Closed { unit, counts, shards })
    }

    /// Counts the rows that `node` has read from their source.
    fn count_direct(&self, node: usize, counts: &Counts) {
        let Run { graph, sources, .. } = *self.run;
        for (position, input) in graph.nodes[node].inputs.iter().enumerate() {
            if super::units::is_direct(graph, sources, node, position) {
                counts.add_input(node, usize::try_from(sources[input].length()).unwrap_or(usize::MAX));
            }
        }
    }

    fn failed(&self, node: usize) -> impl Fn(datasets::export::ExportError) -> RunError + use<> {
        super::outputs::failed(&self.run.graph.nodes[node].name)
    }
}
