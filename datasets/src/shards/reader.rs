//! Reading a table folder, or one Parquet file, batch by batch.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use schemas::tables::check_version;

use super::ShardError;
use super::manifest::Manifest;
use super::properties::flowing_schema;

/// A table that can be read.
#[derive(Debug, Clone)]
pub struct TableReader {
    schema: SchemaRef,
    files: Vec<(PathBuf, u64)>,
    manifest: Option<Manifest>,
}

impl TableReader {
    /// Opens the table folder, or the single Parquet file, at `path`; `split` selects one split of a folder.
    ///
    /// # Errors
    /// When there is no complete table, a shard is missing or has another length than the manifest says, or the
    /// split does not exist.
    pub fn open(path: &Path, split: Option<&str>) -> Result<Self, ShardError> {
        if path.is_file() {
            let builder = builder(path)?;
            let rows = builder.metadata().file_metadata().num_rows() as u64;
            let schema = current(flowing_schema(builder.schema()), path)?;
            return Ok(Self { schema, files: vec![(path.to_owned(), rows)], manifest: None });
        }
        let manifest = Manifest::read(path)?;
        let mut files = Vec::new();
        for shard in manifest.shards.iter().filter(|shard| split.is_none_or(|split| shard.split == split)) {
            let file = path.join(&shard.file);
            let length = file.metadata().map_err(ShardError::io("open a shard", &file))?.len();
            if length != shard.bytes {
                let detail = format!("{} bytes long instead of {}", length, shard.bytes);
                return Err(ShardError::Stale { detail, path: file });
            }
            files.push((file, shard.rows));
        }
        if let (Some(split), true) = (split, files.is_empty()) {
            let splits: Vec<String> = manifest.splits.keys().map(|name| format!("`{name}`")).collect();
            let detail = format!("there is no split `{split}`; the splits are {}", splits.join(", "));
            return Err(ShardError::BadManifest { detail, path: path.to_owned() });
        }
        let first = files.first().map(|(file, _)| file.clone()).ok_or_else(|| ShardError::BadManifest {
            detail: "it lists no shard".to_owned(),
            path: path.to_owned(),
        })?;
        let schema = current(flowing_schema(builder(&first)?.schema()), path)?;
        Ok(Self { schema, files, manifest: Some(manifest) })
    }

    /// The schema of its batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The manifest, where a folder was opened.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Its shards, in order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.as_path())
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|(_, rows)| rows).sum()
    }

    /// The rows, in order, at most `batch_rows` at a time; a batch never spans two shards.
    pub fn batches(&self, batch_rows: usize) -> Batches {
        let files = self.files.iter().map(|(file, _)| file.clone()).collect();
        Batches { files, batch_rows, schema: self.schema.clone(), current: None }
    }

    /// All rows at once, for tables that are known to be small.
    ///
    /// # Errors
    /// When a shard cannot be read.
    pub fn read_all(&self) -> Result<Vec<RecordBatch>, ShardError> {
        self.batches(8192).collect()
    }
}

/// The batches of a table.
#[derive(Debug)]
pub struct Batches {
    files: VecDeque<PathBuf>,
    batch_rows: usize,
    schema: SchemaRef,
    current: Option<(PathBuf, ParquetRecordBatchReader)>,
}

impl Batches {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ShardError> {
        loop {
            if let Some((path, reader)) = &mut self.current {
                let failed = |error| ShardError::parquet("read", path)(error);
                if let Some(batch) = reader.next() {
                    let batch = batch.and_then(|batch| batch.with_schema(self.schema.clone()));
                    return batch.map(Some).map_err(|error| failed(error.into()));
                }
                self.current = None;
            }
            let Some(path) = self.files.pop_front() else { return Ok(None) };
            let reader = builder(&path)?
                .with_batch_size(self.batch_rows)
                .build()
                .map_err(ShardError::parquet("read", &path))?;
            self.current = Some((path, reader));
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ShardError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_batch();
        if next.is_err() {
            self.files.clear();
            self.current = None;
        }
        next.transpose()
    }
}

/// `schema` of the table at `path`, which must be of the present version.
fn current(schema: SchemaRef, path: &Path) -> Result<SchemaRef, ShardError> {
    match check_version(&schema) {
        Ok(()) => Ok(schema),
        Err(source) => Err(ShardError::OtherVersion { source, path: path.to_owned() }),
    }
}

fn builder(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, ShardError> {
    let file = File::open(path).map_err(ShardError::io("open", path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(ShardError::parquet("read", path))
}
