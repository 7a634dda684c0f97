//! Ids of a table of people are unique: predictions, exports and scores find their person by them.

use std::collections::HashSet;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, SchemaRef};
use schemas::columns::strings;
use schemas::tables::samples::COPY;
use schemas::tables::{people, table_name};

use super::{ShardEntry, ShardError, TableReader};

/// Rows of a batch: two narrow columns.
const BATCH_ROWS: usize = 8192;
/// Bytes that stand for an id: so few collide by chance once in 10^19 tables of 10^9 rows.
const HASH_BYTES: usize = 16;

/// Checks the ids in the `shards` of `folder`, which this run has written or hashed and whose rows are of `schema`: of one
/// person, each copy has one row.
///
/// # Errors
/// When two rows have one id, or the shards cannot be read.
pub(super) fn check(folder: &Path, schema: &SchemaRef, shards: &[ShardEntry]) -> Result<(), ShardError> {
    if table_name(schema) != Some(people::NAME) || schema.index_of("sample_id").is_err() {
        return Ok(());
    }
    let columns: Vec<usize> =
        ["sample_id", COPY].iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let table = TableReader::of_shards(folder, schema.clone(), shards).checked().project(&columns)?;
    let mut seen: HashSet<[u8; HASH_BYTES]> = HashSet::new();
    for batch in table.batches(BATCH_ROWS) {
        let batch = batch?;
        let Ok(ids) = strings(&batch, "sample_id") else { return Ok(()) };
        let copies = batch.column_by_name(COPY).and_then(|column| column.as_primitive_opt::<Int32Type>());
        for (row, id) in ids.iter().enumerate() {
            let Some(id) = id else { continue };
            let copy = copies.filter(|copies| copies.is_valid(row)).map_or(0, |copies| copies.value(row));
            let mut hasher = blake3::Hasher::new();
            hasher.update(id.as_bytes()).update(&copy.to_le_bytes());
            let hash = hasher.finalize();
            let (hash, _) = hash.as_bytes().split_first_chunk().expect("32 bytes");
            if !seen.insert(*hash) {
                return Err(ShardError::SameId { id: id.to_owned(), path: folder.to_owned() });
            }
        }
    }
    Ok(())
}
