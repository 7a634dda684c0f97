//! The shards of one unit of a table.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use schemas::columns::strings;

use super::ShardError;
use super::manifest::{InputHash, ShardEntry};
use super::properties::writer_properties;
use super::work_folder::sync_folder;
use crate::hashing::HashingFile;

/// The split of rows that name none.
const NO_SPLIT: &str = "all";

/// Splits of a table: each open shard takes memory and a file.
const MOST_SPLITS: usize = 256;

/// Where the shards of a table lie, and how they are cut.
#[derive(Debug)]
pub(crate) struct Layout {
    pub folder: PathBuf,
    /// Where shards lie until they are whole.
    pub work: PathBuf,
    pub schema: SchemaRef,
    /// Whether rows of one split are stored together; else in the order in which they come.
    pub by_split: bool,
    pub shard_bytes: u64,
    pub row_group_bytes: u64,
}

/// Digits of its own hash in the name of a shard.
const HASH_DIGITS: usize = 8;

/// Writes the shards of one unit of a table: `{split}-{unit}-{part}-{hash}.parquet`, where the hash is the start of the
/// BLAKE3 of the file. Each appears whole.
#[derive(Debug)]
pub struct UnitWriter {
    layout: Arc<Layout>,
    number: u64,
    open: BTreeMap<String, OpenShard>,
    /// Shards of each split so far.
    parts: BTreeMap<String, usize>,
    open_bytes: u64,
    group_bytes: u64,
    closed: Vec<ShardEntry>,
}

impl UnitWriter {
    pub(super) fn new(layout: Arc<Layout>, number: u64) -> Self {
        let (open, parts) = (BTreeMap::new(), BTreeMap::new());
        Self { layout, number, open, parts, open_bytes: 0, group_bytes: 0, closed: Vec::new() }
    }

    /// Writes `batch`, whose rows go to their splits.
    ///
    /// # Errors
    /// When the system refuses, or a split cannot be part of a file name.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ShardError> {
        let Layout { schema, by_split, shard_bytes, row_group_bytes, .. } = &*self.layout;
        let (schema, shard_bytes, row_group_bytes) = (schema.clone(), *shard_bytes, *row_group_bytes);
        let batch = batch
            .clone()
            .with_schema(schema)
            .map_err(|error| ShardError::parquet("write", &self.layout.folder)(error.into()))?;
        let splits = if *by_split { splits(&batch)? } else { vec![(NO_SPLIT.to_owned(), batch)] };
        for (split, rows) in splits {
            self.write_split(&split, &rows)?;
        }
        if self.open_bytes >= shard_bytes {
            self.close()?;
        } else if self.group_bytes >= row_group_bytes {
            self.group_bytes = 0;
            self.open.values_mut().try_for_each(OpenShard::close_row_group)?;
        }
        Ok(())
    }

    fn write_split(&mut self, split: &str, rows: &RecordBatch) -> Result<(), ShardError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let bytes = logical_bytes(rows);
        if !self.open.contains_key(split) {
            let shard = self.begin(split)?;
            self.open.insert(split.to_owned(), shard);
        }
        self.open.get_mut(split).expect("just put there").write(rows)?;
        self.open_bytes += bytes;
        self.group_bytes += bytes;
        Ok(())
    }

    fn begin(&mut self, split: &str) -> Result<OpenShard, ShardError> {
        let part = self.parts.entry(split.to_owned()).or_default();
        let Layout { work, schema, .. } = &*self.layout;
        let name = format!("{split}-{:05}-{part:03}", self.number);
        *part += 1;
        if self.parts.len() > MOST_SPLITS {
            return Err(ShardError::ManySplits { most: MOST_SPLITS, path: self.layout.folder.clone() });
        }
        OpenShard::create(work.join(format!("{name}.{}", std::process::id())), name, schema)
    }

    /// Bytes that open shards hold in memory.
    pub fn bytes(&self) -> u64 {
        self.open.values().map(|shard| shard.writer.memory_size() as u64).sum()
    }

    /// Closes the shards of all splits.
    fn close(&mut self) -> Result<(), ShardError> {
        for (split, shard) in std::mem::take(&mut self.open) {
            let (begun, entry) = shard.close(split)?;
            let place = self.layout.folder.join(&entry.file);
            fs::rename(&begun, &place).map_err(ShardError::io("complete a shard", &place))?;
            self.closed.push(entry);
        }
        (self.open_bytes, self.group_bytes) = (0, 0);
        Ok(())
    }

    /// Closes the last shards and gives all of the unit.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self) -> Result<Vec<ShardEntry>, ShardError> {
        self.close()?;
        if !self.closed.is_empty() {
            sync_folder(&self.layout.folder)?;
        }
        Ok(std::mem::take(&mut self.closed))
    }

    /// One shard without rows.
    pub(super) fn finish_empty(mut self) -> Result<Vec<ShardEntry>, ShardError> {
        let shard = self.begin(NO_SPLIT)?;
        self.open.insert(NO_SPLIT.to_owned(), shard);
        self.finish()
    }
}

impl Drop for UnitWriter {
    /// Removes what was begun; nothing can be reported from here.
    fn drop(&mut self) {
        for shard in self.open.values() {
            let _ = fs::remove_file(&shard.path);
        }
    }
}

/// The rows of each split, in the order in which splits first appear.
fn splits(batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>, ShardError> {
    let Ok(column) = strings(batch, "split") else { return Ok(vec![(NO_SPLIT.to_owned(), batch.clone())]) };
    let name = |row: usize| if column.is_null(row) { NO_SPLIT } else { column.value(row) };
    let mut names: Vec<&str> = Vec::new();
    for row in 0..batch.num_rows() {
        if !names.contains(&name(row)) {
            names.push(name(row));
        }
    }
    if let Some(bad) = names.iter().find(|name| !is_file_part(name)) {
        return Err(ShardError::BadSplit { split: (*bad).to_owned() });
    }
    if let [only] = names[..] {
        return Ok(vec![(only.to_owned(), batch.clone())]);
    }
    let rows_of = |split: &str| {
        let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(name(row) == split)).collect();
        filter_record_batch(batch, &mask).expect("a mask as long as the batch")
    };
    Ok(names.into_iter().map(|split| (split.to_owned(), rows_of(split))).collect())
}

fn is_file_part(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether the file `path` has the name of a shard and the bytes that its name tells of.
///
/// # Errors
/// When it has such a name and cannot be read.
pub(super) fn bears_its_hash(path: &Path) -> Result<bool, ShardError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(stem) = name.strip_suffix(".parquet") else { return Ok(false) };
    let [hash, part, unit, split] = stem.rsplitn(4, '-').collect::<Vec<_>>()[..] else { return Ok(false) };
    let number = |text: &str, digits| text.len() >= digits && text.bytes().all(|c| c.is_ascii_digit());
    let hex = |c: u8| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    let shaped = hash.len() == HASH_DIGITS && hash.bytes().all(hex) && number(part, 3) && number(unit, 5);
    if !shaped || !is_file_part(split) || !path.is_file() || path.is_symlink() {
        return Ok(false);
    }
    Ok(InputHash::of(path)?.blake3.starts_with(hash))
}

/// A shard that is being written.
#[derive(Debug)]
struct OpenShard {
    path: PathBuf,
    /// What its name begins with.
    name: String,
    writer: ArrowWriter<HashingFile>,
    rows: u64,
}

impl OpenShard {
    fn create(path: PathBuf, name: String, schema: &SchemaRef) -> Result<Self, ShardError> {
        let file = File::create(&path).map_err(ShardError::io("create", &path))?;
        let writer =
            ArrowWriter::try_new(HashingFile::new(file), schema.clone(), Some(writer_properties(schema)))
                .map_err(ShardError::parquet("begin a shard", &path))?;
        Ok(Self { path, name, writer, rows: 0 })
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<(), ShardError> {
        self.rows += rows.num_rows() as u64;
        self.writer.write(rows).map_err(ShardError::parquet("write", &self.path))
    }

    fn close_row_group(&mut self) -> Result<(), ShardError> {
        self.writer.flush().map_err(ShardError::parquet("write", &self.path))
    }

    /// The file as it lies in the work folder, and its entry.
    fn close(self, split: String) -> Result<(PathBuf, ShardEntry), ShardError> {
        let Self { path, name, writer, rows } = self;
        let mut file = writer.into_inner().map_err(ShardError::parquet("complete a shard", &path))?;
        file.sync().map_err(ShardError::io("write", &path))?;
        let (bytes, blake3) = (file.bytes(), file.blake3());
        let name = format!("{name}-{}.parquet", &blake3[..HASH_DIGITS]);
        let entry = ShardEntry { file: name, split, rows, bytes, blake3 };
        Ok((path, entry))
    }
}

/// Bytes of the rows themselves: unlike the size of the buffers, it does not depend on how the batch was made.
fn logical_bytes(batch: &RecordBatch) -> u64 {
    let sizes = batch.columns().iter().map(|array| array.to_data().get_slice_memory_size());
    sizes.map(|size| size.unwrap_or(0) as u64).sum()
}
