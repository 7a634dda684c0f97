//! The path of one batch through every stage that it reaches.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayData, RecordBatch};
use schemas::tables::rejects::Reject;
use stages::{Outcome, Stage};

use super::counts::Counts;
use super::units::{Sources, is_direct};
use super::{RunError, RunOptions};
use crate::graph::{Graph, Work};

/// What came of one batch.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// What goes to sinks and stores: the node, the position among its inputs, and the rows.
    pub rows: Vec<(usize, usize, RecordBatch)>,
    /// Rows that were rejected on the way.
    pub rejects: Vec<Reject>,
    /// What its source found and put right on the way.
    pub notes: Vec<String>,
    /// What stages tell of rows, and of how many.
    pub told: BTreeMap<&'static str, u64>,
    /// Bytes of everything alive at once, at most.
    pub bytes: u64,
}

/// Carries batches through the graph.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    pub graph: &'a Graph,
    pub sources: &'a Sources,
    pub counts: &'a Counts,
    pub options: &'a RunOptions,
}

impl Route<'_> {
    /// Carries `batches`, which leave node `start`, as far as batches can go without the others.
    ///
    /// # Errors
    /// When a stage fails as a whole, or loses rows, or the run is cancelled.
    pub(super) fn carry(&self, start: usize, batches: Vec<RecordBatch>) -> Result<Delivery, RunError> {
        let nodes = &self.graph.nodes;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        self.counts.add_output(start, rows);
        let mut delivery = Delivery::default();
        let mut alive: Vec<Vec<RecordBatch>> = nodes.iter().map(|_| Vec::new()).collect();
        alive[start] = batches;
        for (index, node) in nodes.iter().enumerate().skip(start + 1) {
            for (position, &input) in node.inputs.iter().enumerate() {
                if alive[input].is_empty() || is_direct(self.graph, self.sources, index, position) {
                    continue;
                }
                for rows in alive[input].clone() {
                    match &node.work {
                        Work::Source(_) | Work::Given(_) => unreachable!("a source has no inputs"),
                        Work::Rows(stage) => {
                            self.options.check_cancelled()?;
                            let outcome = self.stage(index, stage.as_ref(), &rows)?;
                            delivery.rejects.extend(outcome.rejects);
                            for (what, rows) in outcome.told {
                                *delivery.told.entry(what).or_default() += rows;
                            }
                            if outcome.rows.num_rows() > 0 {
                                alive[index].push(outcome.rows);
                            }
                        }
                        Work::Aggregate(_) | Work::Sink(_) => {
                            self.counts.add_input(index, rows.num_rows());
                            delivery.rows.push((index, position, rows));
                        }
                    }
                }
            }
            let kept = delivery.rows.iter().map(|(.., rows)| rows);
            delivery.bytes = delivery.bytes.max(bytes_of(alive.iter().flatten().chain(kept)));
            // Rows that no later node takes are given up at once.
            let held = alive.iter_mut().enumerate().take(index).filter(|(_, rows)| !rows.is_empty());
            for (input, rows) in held {
                if !nodes[index + 1..].iter().any(|later| later.inputs.contains(&input)) {
                    rows.clear();
                }
            }
        }
        Ok(delivery)
    }

    fn stage(&self, node: usize, stage: &dyn Stage, rows: &RecordBatch) -> Result<Outcome, RunError> {
        let name = &self.graph.nodes[node].name;
        let run = || stage.run(rows).map_err(|source| RunError::Stage { stage: name.clone(), source });
        self.counts.stage(node, name, rows.num_rows(), stage.fan_out(), run)
    }
}

/// Bytes of the buffers of `batches`; what several share counts once.
fn bytes_of<'a>(batches: impl Iterator<Item = &'a RecordBatch>) -> u64 {
    fn add(data: &ArrayData, seen: &mut HashMap<usize, usize>) {
        for buffer in data.buffers().iter().chain(data.nulls().map(arrow::buffer::NullBuffer::buffer)) {
            seen.insert(buffer.data_ptr().as_ptr() as usize, buffer.capacity());
        }
        data.child_data().iter().for_each(|child| add(child, seen));
    }
    let mut seen = HashMap::new();
    for column in batches.flat_map(RecordBatch::columns) {
        add(&column.to_data(), &mut seen);
    }
    seen.values().map(|bytes| *bytes as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use std::sync::Arc;

    #[test]
    fn shared_buffers_count_once() {
        let column: arrow::array::ArrayRef = Arc::new(Int64Array::from(vec![1; 1024]));
        let batch = RecordBatch::try_from_iter([("a", column.clone()), ("b", column)]).unwrap();
        let once = bytes_of([&batch].into_iter());
        assert!((8192..9000).contains(&once), "{once}");
        assert_eq!(bytes_of([&batch, &batch.slice(3, 5)].into_iter()), once);
    }
}
