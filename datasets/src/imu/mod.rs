//! Logs of phone accelerometers and gyroscopes, read as sessions.
//!
//! [`Logs::open_csv`] reads CSV logs as a plan declares them, or one of two known sets by its name; [`Logs::open_hmog`]
//! reads HMOG, zipped or not. Opening only lists the files; each of [`Logs::items`] then loads independently, on any
//! thread, as one batch of `readings` per session. Stamps are neither sorted nor thinned out: repeated and backward
//! stamps are data.
//!
//! Every line is a reading of each of its sensors, or is in a reject with its number; see [`reasons`]. A fault in the cells of
//! one sensor does not cost the other's reading, and a sensor whose three cells are empty or `NaN` has none beside one that
//! has. Comments and what stands above a header are passed over. A last line without a line end is used if no column is
//! missing: whether its last field was cut short cannot be known. A file is read in pieces, so memory holds only the
//! readings: 32 bytes each, 36 with an activity.

mod any_line;
mod assemble;
mod block;
mod chunks;
mod columns;
mod config;
mod csv;
mod cut;
mod declaration;
mod events;
mod faults;
mod fields;
mod file_group;
mod files_found;
pub mod guess;
mod header;
mod hmog;
mod labels;
mod lanes;
mod layout;
mod listing;
mod log_file;
mod memory;
mod moment;
mod number;
mod overlap;
mod pattern;
mod place;
mod plain_line;
mod presets;
pub mod reasons;
mod rows;
mod scan;
mod sensor_names;
mod text;
mod units;

#[cfg(test)]
mod tests;

pub use columns::{ColumnRef, Separator};
pub use config::CsvLogs;
pub use file_group::{
    COMMENT, ClockOffsets, Cut, DecimalMark, Events, FileGroup, NameFrom, SensorColumns, SensorNames,
    StampClock, StampColumns,
};
pub use hmog::{DATASET as HMOG_DATASET, DEVICE as HMOG_DEVICE, HmogClock, HmogLogs, TASKS};
pub use moment::{DateOrder, Zone};
pub use number::Clock;
pub use overlap::TOGETHER_SECONDS;
pub use pattern::Pattern;
pub use presets::{HHAR_GAP_SECONDS, Preset};
pub use text::Encoding;
pub use units::{AccelerationUnit, Factor, STANDARD_GRAVITY, TurnUnit, Unit, Units};

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use schemas::tables::rejects::Reject;

use crate::ReadError;

/// What can be loaded by itself: one session, or one log that holds several.
pub trait SessionSource: Debug + Send + Sync {
    /// Its name in messages: subject, device and session as far as they are known.
    fn name(&self) -> &str;

    /// Bytes of its files, as an estimate of the work.
    fn bytes(&self) -> u64;

    /// Reads it, on any thread and as often as one likes; it always gives the same.
    ///
    /// # Errors
    /// When the system refuses; what is wrong with the bytes is told by rejects.
    fn load(&self) -> Result<Loaded, ReadError>;
}

/// What an item gives.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// One batch of `readings` a session, with all its rows.
    pub batches: Vec<RecordBatch>,
    /// Lines and files that could not be used, and sensors that are missing.
    pub rejects: Vec<Reject>,
    /// What was found and put right, or let pass, in words.
    pub notes: Vec<String>,
}

/// Logs that were found, not yet read.
#[derive(Debug)]
pub struct Logs {
    items: Vec<Arc<dyn SessionSource>>,
    rejects: Vec<Reject>,
    notes: Vec<String>,
    inputs: Vec<PathBuf>,
}

impl Logs {
    /// What can be loaded, in an order that depends on names alone.
    pub fn items(&self) -> &[Arc<dyn SessionSource>] {
        &self.items
    }

    /// What opening found and cannot use: folders without data, entries of archives that were refused, ...
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// What opening found and put right, or let pass, in words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All files that loading reads, sorted.
    pub fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }
}

/// `1 file`, `2 files`.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
