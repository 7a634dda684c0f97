//! The path of one batch through every stage that it reaches.

use arrow::array::RecordBatch;
use schemas::tables::rejects::Reject;

use super::RunError;
use super::counts::Counts;
use crate::graph::{Graph, Work};

/// What came of one batch.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Number of the batch.
    pub number: u64,
    /// What goes to sinks and aggregates: the node, the number of its input, and the rows.
    pub rows: Vec<(usize, usize, RecordBatch)>,
    /// Rows that were rejected on the way.
    pub rejects: Vec<Reject>,
    /// What its source found and put right on the way.
    pub notes: Vec<String>,
    /// Bytes of everything alive at the end of the path.
    pub bytes: u64,
}

/// Carries batches through the graph.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    graph: &'a Graph,
    counts: &'a Counts,
}

impl<'a> Route<'a> {
    /// A route through `graph`.
    pub(super) fn new(graph: &'a Graph, counts: &'a Counts) -> Self {
        Self { graph, counts }
    }

    /// Carries `batches`, which leave node `start`, as far as batches can go without the others.
    ///
    /// # Errors
    /// When a stage fails as a whole, or loses rows.
    pub(super) fn carry(
        &self,
        start: usize,
        number: u64,
        batches: Vec<RecordBatch>,
    ) -> Result<Delivery, RunError> {
        let nodes = &self.graph.nodes;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        self.counts.add_output(start, rows);
        let mut delivery =
            Delivery { number, rows: Vec::new(), rejects: Vec::new(), notes: Vec::new(), bytes: 0 };
        let mut alive: Vec<Vec<RecordBatch>> = nodes.iter().map(|_| Vec::new()).collect();
        alive[start] = batches;
        for (index, node) in nodes.iter().enumerate().skip(start + 1) {
            for (position, &input) in node.inputs.iter().enumerate() {
                for rows in alive[input].clone() {
                    match &node.work {
                        Work::Source(_) | Work::Given(_) => unreachable!("a source has no inputs"),
                        Work::Rows(stage) => {
                            let run = || {
                                let failed = |source| RunError::Stage { stage: node.name.clone(), source };
                                stage.run(&rows).map_err(failed)
                            };
                            let counted =
                                self.counts.stage(index, &node.name, rows.num_rows(), stage.fan_out(), run);
                            let outcome = counted?;
                            delivery.rejects.extend(outcome.rejects);
                            if outcome.rows.num_rows() > 0 {
                                alive[index].push(outcome.rows);
                            }
                        }
                        Work::Aggregate(_) | Work::Sink(_) => {
                            // Of one input, several nodes come one after the other.
                            let input = position.min(node.work.inputs().len() - 1);
                            self.counts.add_input(index, rows.num_rows());
                            delivery.rows.push((index, input, rows));
                        }
                    }
                }
            }
        }
        let batches = alive.iter().flatten();
        delivery.bytes = batches.map(|batch| batch.get_array_memory_size() as u64).sum();
        Ok(delivery)
    }
}
