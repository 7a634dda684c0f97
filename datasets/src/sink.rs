//! Sinks: what every format that rows go to has in common.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::tables::rejects::Reject;

use crate::export::ExportError;
use crate::shards::{Claiming, Provenance, ShardError, TableFolder};

/// A format that rows go to; its configuration implements this.
///
/// [`crate::registry`] lists them all: the plan, the command line, the Python package and the reference follow from
/// that list.
pub trait Sink {
    /// What its inputs are, in the order of a plan's `inputs`. For a sink with one input, a plan may name several
    /// nodes of one schema, whose rows are written one after the other.
    const INPUTS: &'static [&'static str] = &["rows"];

    /// Whether units write shards of their own; else all rows are written when the last has come.
    const IN_UNITS: bool = false;

    /// The file or folder that it makes.
    fn path(&self) -> &Path;

    /// Checks that rows of the schemas `inputs` can be written, before any row flows.
    ///
    /// # Errors
    /// When they cannot; the message names table or column.
    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError>;

    /// What the target holds, if it is there and the work of `provenance` made it; `deep` checks its bytes too.
    ///
    /// # Errors
    /// When `deep` finds damage.
    fn complete(&self, provenance: &Provenance, deep: bool) -> Result<Option<Written>, ExportError>;

    /// Claims the target for the rows of `inputs`. What is there stays until the new one is complete.
    ///
    /// # Errors
    /// When other work made it and [`Claiming::force`] is not set, another run writes it, or the system refuses.
    fn claim(
        &self,
        inputs: &[SchemaRef],
        provenance: Provenance,
        claiming: Claiming,
    ) -> Result<Target, ExportError>;
}

/// A target that is claimed.
pub enum Target {
    /// Each unit writes shards of its own.
    Table(TableFolder),
    /// All rows are written at once.
    Whole(Box<dyn WholeTarget>),
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

/// A target of which nothing is seen until it is whole.
pub trait WholeTarget: Send {
    /// Begins it.
    ///
    /// # Errors
    /// When the system refuses.
    fn begin(&mut self) -> Result<(), ExportError>;

    /// Writes `rows`, which came by input number `input`; rows of one input come in order.
    ///
    /// # Errors
    /// When the rows are not what the format needs, or the system refuses.
    fn write(&mut self, input: usize, rows: &RecordBatch) -> Result<(), ExportError>;

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
    fn complete(&mut self, rejects: &BTreeMap<String, u64>) -> Result<Written, ExportError>;

    /// Gives the place back: after [`complete`](Self::complete), or where nothing is worth keeping.
    ///
    /// # Errors
    /// When the system refuses.
    fn release(self: Box<Self>) -> Result<(), ShardError>;
}
