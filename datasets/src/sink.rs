//! Sinks: what every format that rows go to has in common.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::tables::rejects::Reject;

use crate::export::ExportError;
use crate::shards::Provenance;

/// A format that rows go to; its configuration implements this.
///
/// [`crate::registry`] lists them all: the plan, the command line, the Python package and the reference follow from
/// that list.
pub trait Sink {
    /// What its inputs are, in the order of a plan's `inputs`. For a sink with one input, a plan may name several
    /// nodes of one schema, whose rows are written one after the other.
    const INPUTS: &'static [&'static str] = &["rows"];

    /// The file or folder that it makes.
    fn path(&self) -> &Path;

    /// Checks that rows of the schemas `inputs` can be written, before any row flows.
    ///
    /// # Errors
    /// When they cannot; the message names table or column.
    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError>;

    /// Starts, or resumes, the target; `force` replaces the result of other work.
    ///
    /// # Errors
    /// When other work made it and `force` is not set, or the system refuses.
    fn start(&self, inputs: &[SchemaRef], provenance: Provenance, force: bool) -> Result<Start, ExportError>;
}

/// Where writing begins.
pub enum Start {
    /// Nothing to do: the same work has made the target already.
    Complete(Written),
    /// Write the batches from [`SinkWriter::next_batch`] on.
    Begun(Box<dyn SinkWriter>),
}

/// What a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its rows.
    pub rows: u64,
    /// Its shards; `None` for a target that is not cut into shards.
    pub shards: Option<usize>,
}

/// What happened to the rows that a target was given.
#[derive(Debug, Default)]
pub struct Exported {
    /// Rows in the target.
    pub written: u64,
    /// Rows that do not, each with the reason.
    pub rejects: Vec<Reject>,
    /// What readers of the target must know.
    pub notes: Vec<String>,
}

/// A target that is being written. It appears only when complete.
pub trait SinkWriter: Send {
    /// Number of the first batch that it lacks: 0 unless killed work is resumed.
    fn next_batch(&self) -> u64 {
        0
    }

    /// Writes batch number `number`, which came by input number `input`; numbers never fall. Says whether the target
    /// should be [`cut`](Self::cut) here.
    ///
    /// # Errors
    /// When the rows are not what the format needs, or the system refuses.
    fn write(&mut self, number: u64, input: usize, rows: &RecordBatch) -> Result<bool, ExportError>;

    /// Makes what was written so far permanent, so that killed work resumes at batch number `next`. Targets that
    /// are written together are cut together.
    ///
    /// # Errors
    /// When the system refuses.
    fn cut(&mut self, next: u64) -> Result<(), ExportError> {
        let _ = next;
        Ok(())
    }

    /// Ends the writing after the last row and says what happened to the rows. The target is not in its place
    /// yet.
    ///
    /// # Errors
    /// When the rows are incomplete, or the system refuses.
    fn close(&mut self) -> Result<Exported, ExportError>;

    /// Puts the closed target into its place. `rejects` are those of the whole run, by reason.
    ///
    /// # Errors
    /// When the system refuses.
    fn complete(self: Box<Self>, rejects: &BTreeMap<String, u64>) -> Result<Written, ExportError>;
}
