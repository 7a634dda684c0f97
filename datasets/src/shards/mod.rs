//! Table folders: Parquet shards and their manifest.
//!
//! A table on disk is a folder of `{split}-{unit}-{part}-{tag}.parquet` shards and a `manifest.json` that lists them with
//! their hashes. Each unit of a run writes shards of its own, each of which appears whole; the manifest is written
//! last, and it alone makes the folder a table. While the table is written, the hidden folder `.motionmill` in it
//! says by which work. See `docs/decisions/0015-a-run-is-a-set-of-units.md`.

mod adopt;
mod decoding;
mod error;
mod folder;
mod lock;
mod manifest;
mod pages;
mod properties;
mod reader;
mod row_groups;
mod sink;
mod source;
mod unique;
mod unit;
mod verify;
pub(crate) mod work_folder;

pub use error::ShardError;
pub(crate) use folder::shard_mib;
pub use folder::{Claiming, ROW_GROUP_BYTES, SHARD_BYTES, Shelf, TableFolder, TableOptions};
pub use lock::Access;
pub use manifest::{InputHash, MANIFEST_FILE, Manifest, Provenance, Rejected, ShardEntry, Verdict};
pub use reader::{Batches, TableReader};
pub use row_groups::RowGroup;
pub use sink::ParquetSink;
pub use source::TableSource;
pub use unit::UnitWriter;
pub use verify::check_shard;
pub use work_folder::{WORK_FOLDER, replace_file};

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
