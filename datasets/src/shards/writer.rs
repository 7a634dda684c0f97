//! Writing a table folder, shard by shard, so that it can be continued and is never seen half done.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use schemas::columns::strings;
use schemas::units::Count;

use super::ShardError;
use super::journal::{Journal, replace_file};
use super::manifest::{MANIFEST_FILE, Manifest, Provenance, ShardEntry};
use super::properties::{stored_schema, writer_properties};
use crate::hashing::HashingFile;

/// Bytes in memory after which a shard is closed: 512 MiB, about what trainers like to fetch at once.
pub const SHARD_BYTES: u64 = 512 << 20;

/// [`SHARD_BYTES`] in MiB, as plans and commands state it.
pub(crate) fn shard_mib() -> Count {
    Count::constant((SHARD_BYTES >> 20) as u32)
}

/// Bytes in memory after which a row group is closed: 32 MiB, well below the 100 MB at which viewers give up.
pub const ROW_GROUP_BYTES: u64 = 32 << 20;

/// The split of rows that name none.
const NO_SPLIT: &str = "all";

/// How a table is cut.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// Bytes in memory after which the shards of all splits are full.
    pub shard_bytes: u64,
    /// Bytes in memory after which a row group is closed.
    pub row_group_bytes: u64,
    /// Replace a table of other provenance.
    pub force: bool,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { shard_bytes: SHARD_BYTES, row_group_bytes: ROW_GROUP_BYTES, force: false }
    }
}

/// Where writing begins.
#[derive(Debug)]
pub enum Started {
    /// Nothing to do: the folder already holds the result of the same work.
    Complete(Manifest),
    /// Write the batches from number `next_batch` on.
    From {
        /// The writer.
        writer: Box<TableWriter>,
        /// Number of the first batch that is still to be written; 0 unless killed work is continued.
        next_batch: u64,
    },
}

/// Writes one table folder.
#[derive(Debug)]
pub struct TableWriter {
    folder: PathBuf,
    partial: PathBuf,
    schema: SchemaRef,
    options: WriterOptions,
    provenance: Provenance,
    closed: Vec<ShardEntry>,
    open: BTreeMap<String, OpenShard>,
    open_bytes: u64,
    batches: u64,
    finished: bool,
}

/// The folder that holds the table of `folder` while it is written.
pub fn partial_path(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    folder.with_file_name(name)
}

impl TableWriter {
    /// Starts, or continues, the table of `schema` in `folder`.
    ///
    /// # Errors
    /// When `folder` holds something else and `force` is not set, or the system refuses.
    pub fn start(
        folder: &Path,
        schema: &SchemaRef,
        provenance: Provenance,
        options: WriterOptions,
    ) -> Result<Started, ShardError> {
        if folder.exists() && !options.force {
            let holds = match Manifest::read(folder) {
                Ok(manifest) if manifest.provenance == provenance => return Ok(Started::Complete(manifest)),
                Ok(manifest) => format!("a `{}` table of other work", manifest.table),
                Err(_) if is_empty_folder(folder) => String::new(),
                Err(_) => "files that motionmill did not write".to_owned(),
            };
            if !holds.is_empty() {
                return Err(ShardError::Exists { holds, path: folder.to_owned() });
            }
        }
        let partial = partial_path(folder);
        let journal =
            Journal::read(&partial).filter(|journal| journal.provenance == provenance && !options.force);
        let closed = journal.as_ref().map(|journal| journal.shards.clone()).unwrap_or_default();
        if journal.is_none() && partial.exists() {
            fs::remove_dir_all(&partial).map_err(ShardError::io("remove stale work", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(ShardError::io("create the output folder", &partial))?;
        remove_unlisted(&partial, &closed)?;
        let next_batch = journal.map_or(0, |journal| journal.next_batch);
        let writer = Self {
            folder: folder.to_owned(),
            partial,
            schema: stored_schema(schema),
            options,
            provenance,
            closed,
            open: BTreeMap::new(),
            open_bytes: 0,
            batches: next_batch,
            finished: false,
        };
        Ok(Started::From { writer: Box::new(writer), next_batch })
    }

    /// Writes batch number `batch_number`, which must not be below the last one; its rows go to their splits. Says
    /// whether the shards are full, so that the caller should [`cut`](Self::cut).
    ///
    /// Tables that are written together are cut together, so that killed work resumes at the same batch for
    /// all.
    ///
    /// # Errors
    /// When the system refuses, or a split cannot be part of a file name.
    pub fn write(&mut self, batch_number: u64, batch: &RecordBatch) -> Result<bool, ShardError> {
        let batch = batch
            .clone()
            .with_schema(self.schema.clone())
            .map_err(|error| ShardError::parquet("write", &self.partial)(error.into()))?;
        for (split, rows) in by_split(&batch)? {
            self.write_split(&split, &rows)?;
        }
        self.batches = batch_number + 1;
        Ok(self.open_bytes >= self.options.shard_bytes)
    }

    fn write_split(&mut self, split: &str, rows: &RecordBatch) -> Result<(), ShardError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        if !self.open.contains_key(split) {
            let number = self.closed.iter().filter(|shard| shard.split == split).count();
            let path = self.partial.join(format!("{split}-{number:05}.parquet"));
            self.open.insert(split.to_owned(), OpenShard::create(path, &self.schema)?);
        }
        let shard = self.open.get_mut(split).expect("just put there");
        self.open_bytes += shard.write(rows, self.options.row_group_bytes)?;
        Ok(())
    }

    /// Notes that all batches below number `batch_number` are done, although they had no rows.
    pub fn pass(&mut self, batch_number: u64) {
        self.batches = self.batches.max(batch_number);
    }

    /// Closes the shards of all splits and notes how far the table has come.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn cut(&mut self) -> Result<(), ShardError> {
        for (split, shard) in std::mem::take(&mut self.open) {
            self.closed.push(shard.close(split)?);
        }
        self.open_bytes = 0;
        let provenance = self.provenance.clone();
        Journal { provenance, next_batch: self.batches, shards: self.closed.clone() }.write(&self.partial)
    }

    /// Completes the table: final shard names, manifest, final folder name.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self, rejects: BTreeMap<String, u64>) -> Result<Manifest, ShardError> {
        if self.closed.is_empty() && self.open.is_empty() {
            // A table without rows keeps its schema in one empty shard.
            let path = self.partial.join(format!("{NO_SPLIT}-00000.parquet"));
            self.open.insert(NO_SPLIT.to_owned(), OpenShard::create(path, &self.schema)?);
        }
        self.cut()?;
        let flowing = super::properties::flowing_schema(&self.schema);
        let mut manifest = Manifest::empty(&flowing, self.provenance.clone());
        manifest.rejects = rejects;
        manifest.shards = self.renamed_shards();
        for shard in &manifest.shards {
            manifest.rows += shard.rows;
            *manifest.splits.entry(shard.split.clone()).or_default() += shard.rows;
        }
        for (from, to) in self.closed.iter().zip(&manifest.shards) {
            let (from, to) = (self.partial.join(&from.file), self.partial.join(&to.file));
            // A run killed during these renames finds some of them done.
            if from.exists() {
                fs::rename(&from, &to).map_err(ShardError::io("rename", &from))?;
            }
        }
        manifest.shards.sort_by(|a, b| (&a.split, &a.file).cmp(&(&b.split, &b.file)));
        replace_file(&self.partial.join(MANIFEST_FILE), &manifest.to_json())?;
        Journal::remove(&self.partial)?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(ShardError::io("replace", &self.folder))?;
        }
        fs::rename(&self.partial, &self.folder).map_err(ShardError::io("complete", &self.folder))?;
        self.finished = true;
        Ok(manifest)
    }

    fn renamed_shards(&self) -> Vec<ShardEntry> {
        let count = |split: &str| self.closed.iter().filter(|shard| shard.split == split).count();
        let renamed = |shard: &ShardEntry| {
            let stem = shard.file.trim_end_matches(".parquet");
            ShardEntry { file: format!("{stem}-of-{:05}.parquet", count(&shard.split)), ..shard.clone() }
        };
        self.closed.iter().map(renamed).collect()
    }
}

impl Drop for TableWriter {
    /// Removes what was begun, unless a journal lets a later run continue it.
    fn drop(&mut self) {
        if !self.finished && Journal::read(&self.partial).is_none() {
            // Nothing can be reported from here, and what stays behind is not taken for a table.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

fn is_empty_folder(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Removes the files of a killed run that its journal does not list; shards that finishing had renamed get their
/// first names back.
fn remove_unlisted(partial: &Path, closed: &[ShardEntry]) -> Result<(), ShardError> {
    let entries = fs::read_dir(partial).map_err(ShardError::io("list", partial))?;
    for entry in entries {
        let path = entry.map_err(ShardError::io("list", partial))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let first_name = name.split("-of-").next().unwrap_or_default();
        let renamed = closed.iter().find(|shard| shard.file.trim_end_matches(".parquet") == first_name);
        if let Some(shard) = renamed {
            fs::rename(&path, partial.join(&shard.file)).map_err(ShardError::io("rename", &path))?;
        } else if name != "journal.json" && !closed.iter().any(|shard| shard.file == name) {
            fs::remove_file(&path).map_err(ShardError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The rows of each split, in the order in which splits first appear.
fn by_split(batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>, ShardError> {
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

/// A shard that is being written.
#[derive(Debug)]
struct OpenShard {
    path: PathBuf,
    writer: ArrowWriter<HashingFile>,
    rows: u64,
    group_bytes: u64,
}

impl OpenShard {
    fn create(path: PathBuf, schema: &SchemaRef) -> Result<Self, ShardError> {
        let file = File::create(&path).map_err(ShardError::io("create", &path))?;
        let writer =
            ArrowWriter::try_new(HashingFile::new(file), schema.clone(), Some(writer_properties(schema)))
                .map_err(ShardError::parquet("begin a shard", &path))?;
        Ok(Self { path, writer, rows: 0, group_bytes: 0 })
    }

    /// Writes `rows` and says how many bytes they took in memory.
    fn write(&mut self, rows: &RecordBatch, row_group_bytes: u64) -> Result<u64, ShardError> {
        self.writer.write(rows).map_err(ShardError::parquet("write", &self.path))?;
        let bytes = logical_bytes(rows);
        self.rows += rows.num_rows() as u64;
        self.group_bytes += bytes;
        if self.group_bytes >= row_group_bytes {
            self.writer.flush().map_err(ShardError::parquet("write", &self.path))?;
            self.group_bytes = 0;
        }
        Ok(bytes)
    }

    fn close(self, split: String) -> Result<ShardEntry, ShardError> {
        let Self { path, writer, rows, .. } = self;
        let mut file = writer.into_inner().map_err(ShardError::parquet("complete a shard", &path))?;
        file.sync().map_err(ShardError::io("write", &path))?;
        Ok(ShardEntry {
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            split,
            rows,
            bytes: file.bytes(),
            blake3: file.blake3(),
        })
    }
}

/// Bytes of the rows themselves: unlike the size of the buffers, it does not depend on how the batch was made.
fn logical_bytes(batch: &RecordBatch) -> u64 {
    let sizes = batch.columns().iter().map(|array| array.to_data().get_slice_memory_size());
    sizes.map(|size| size.unwrap_or(0) as u64).sum()
}
