//! The units of a run: which rows are one unit, and which rows need not be stored because they can be read again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use datasets::source::OpenSource;

use super::RunError;
use super::shelf::UnitSize;
use crate::graph::{Graph, Work};

/// The open sources by node.
pub(super) type Sources = BTreeMap<usize, Arc<OpenSource>>;

/// A part of the run that is done or not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its number; units of sources come first, in the order of the nodes.
    pub number: u64,
    /// The node whose rows it is about: a source, an aggregate, or a sink that is written at once.
    pub node: usize,
    /// Which rows of the source; `None` for a node that needs all rows.
    pub rows: Option<Range<u64>>,
    /// Whether it is the first of its node.
    pub first: bool,
}

/// All units of `graph`, in the order of their numbers.
///
/// # Errors
/// When the borders of sessions in a table of readings cannot be read.
pub(super) fn units(graph: &Graph, sources: &Sources) -> Result<Vec<Unit>, RunError> {
    let (batches, batch_rows) = size(graph);
    let mut units = Vec::new();
    for (&node, source) in sources {
        let parts = if carries(graph, sources, node) {
            source.units(batches, batch_rows).map_err(|error| graph.nodes[node].unreadable(error))?
        } else {
            // Its rows are read by those that need all; what it rejected belongs to a unit all the same.
            std::iter::once(0..0).collect()
        };
        for (place, rows) in parts.into_iter().enumerate() {
            units.push(Unit { number: units.len() as u64, node, rows: Some(rows), first: place == 0 });
        }
    }
    let all_rows = |work: &Work| matches!(work, Work::Aggregate(_)) || is_whole(work);
    for (node, _) in graph.nodes.iter().enumerate().filter(|(_, node)| all_rows(&node.work)) {
        units.push(Unit { number: units.len() as u64, node, rows: None, first: true });
    }
    Ok(units)
}

/// How many batches make a unit, and how many rows a batch.
pub(super) fn size(graph: &Graph) -> UnitSize {
    let runner = &graph.plan.runner;
    (u64::from(runner.unit_batches.get()), runner.batch_rows.get() as usize)
}

/// Whether `work` is a sink that is written at once.
pub(super) fn is_whole(work: &Work) -> bool {
    matches!(work, Work::Sink(sink) if !sink.in_units())
}

/// Whether the rows of input `position` of `node` are read from their source again rather than stored.
pub(super) fn is_direct(graph: &Graph, sources: &Sources, node: usize, position: usize) -> bool {
    let waits = matches!(graph.nodes[node].work, Work::Aggregate(_)) || is_whole(&graph.nodes[node].work);
    let source = sources.get(&graph.nodes[node].inputs[position]);
    waits && source.is_some_and(|source| source.is_rereadable())
}

/// Whether rows of the source `source` flow through the graph: to a stage, a table or a store.
pub(super) fn carries(graph: &Graph, sources: &Sources, source: usize) -> bool {
    let takers = graph.nodes.iter().enumerate();
    let mut edges =
        takers.flat_map(|(node, taker)| taker.inputs.iter().enumerate().map(move |edge| (node, edge)));
    edges.any(|(node, (position, &input))| input == source && !is_direct(graph, sources, node, position))
}
