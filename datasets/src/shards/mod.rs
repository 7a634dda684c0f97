//! Table folders: Parquet shards and their manifest.
//!
//! A table on disk is a folder of `{split}-{i:05d}-of-{n:05d}.parquet` shards and a `manifest.json` that lists
//! them with their hashes. While it is written it is called `{folder}.partial`, beside its final place, and a
//! journal there records after each completed round of shards how far it has got; only a complete table ever has
//! the final name. So a table that can be opened is complete, and a killed writer can be resumed.

mod error;
mod journal;
mod manifest;
mod properties;
mod reader;
mod row_groups;
mod sink;
mod source;
mod writer;

pub use error::ShardError;
pub use journal::Journal;
pub use manifest::{InputHash, MANIFEST_FILE, Manifest, Provenance, ShardEntry};
pub use reader::{Batches, TableReader};
pub use row_groups::RowGroup;
pub use sink::ParquetSink;
pub use source::TableSource;
pub(crate) use writer::shard_mib;
pub use writer::{ROW_GROUP_BYTES, SHARD_BYTES, Started, TableWriter, WriterOptions, partial_path};

#[cfg(test)]
mod tests;
