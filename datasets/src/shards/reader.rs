//! Reading a table folder, or one Parquet file, batch by batch.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use schemas::tables::check_version;

use super::ShardError;
use super::adopt;
use super::decoding::{self, decoded};
use super::manifest::{Manifest, ShardEntry};
use super::properties::flowing_schema;
use super::unit::bears_its_hash;
use super::verify::check_file;
use super::work_folder::WORK_FOLDER;

/// A table that can be read.
#[derive(Debug, Clone)]
pub struct TableReader {
    schema: SchemaRef,
    files: Vec<Arc<TableFile>>,
    manifest: Option<Manifest>,
    /// The columns that are read, in the order in which they are given; all if `None`.
    columns: Option<Vec<usize>>,
    /// Whether its rows are brought to the types of `schema`.
    is_adopted: bool,
}

/// One file of a table.
#[derive(Debug)]
pub(super) struct TableFile {
    pub path: PathBuf,
    pub rows: u64,
    /// Length and BLAKE3, where they are known.
    told: Option<(u64, String)>,
    /// Set once the file is known to be the one that was written.
    checked: AtomicBool,
}

impl TableFile {
    fn of(folder: &Path, entry: &ShardEntry) -> Arc<Self> {
        let told = Some((entry.bytes, entry.blake3.clone()));
        Arc::new(Self {
            path: folder.join(&entry.file),
            rows: entry.rows,
            told,
            checked: AtomicBool::new(false),
        })
    }

    /// Hashes the file before its first row is read: damage is an error, never another number.
    pub(super) fn check(&self) -> Result<(), ShardError> {
        if let (Some((bytes, blake3)), false) = (&self.told, self.checked.load(Ordering::Relaxed)) {
            check_file(&self.path, *bytes, blake3)?;
            self.checked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl TableReader {
    /// Opens the table folder, or the single Parquet file, at `path`; `split` selects one split of a folder.
    ///
    /// # Errors
    /// When there is no complete table, a shard is missing or has another length than the manifest says, or the
    /// split does not exist.
    pub fn open(path: &Path, split: Option<&str>) -> Result<Self, ShardError> {
        Self::open_like(path, split, None)
    }

    /// As [`open`](Self::open); a file that another program wrote again, or a folder of such files, is read as a table of the
    /// schema `like`.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the file does not hold what such a table holds.
    pub fn open_like(path: &Path, split: Option<&str>, like: Option<&Schema>) -> Result<Self, ShardError> {
        if path.is_file() {
            return Self::of_files(path, &[path.to_owned()], like);
        }
        let manifest = match Manifest::read(path) {
            Err(ShardError::NoManifest { path }) => {
                let files = foreign_files(&path)?;
                if files.is_empty() || split.is_some() {
                    return Err(ShardError::NoManifest { path });
                }
                return Self::of_files(&path, &files, like);
            }
            manifest => manifest?,
        };
        let mut files = Vec::new();
        for shard in manifest.shards.iter().filter(|shard| split.is_none_or(|split| shard.split == split)) {
            let file = path.join(&shard.file);
            let length = file.metadata().map_err(ShardError::io("open a shard", &file))?.len();
            if length != shard.bytes {
                let detail = format!("{} bytes long instead of {}", length, shard.bytes);
                return Err(ShardError::Stale { detail, path: file });
            }
            files.push(TableFile::of(path, shard));
        }
        if let (Some(split), true) = (split, files.is_empty()) {
            let splits: Vec<String> = manifest.splits.keys().map(|name| format!("`{name}`")).collect();
            let detail = format!("there is no split `{split}`; the splits are {}", splits.join(", "));
            return Err(ShardError::BadManifest { detail, path: path.to_owned() });
        }
        let first = files.first().map(|file| file.path.clone()).ok_or_else(|| ShardError::BadManifest {
            detail: "it lists no shard".to_owned(),
            path: path.to_owned(),
        })?;
        let schema = current(flowing_schema(decoding::open(&first)?.1.schema()), path)?;
        Ok(Self { schema, files, manifest: Some(manifest), columns: None, is_adopted: false })
    }

    /// The rows of `files`, which have no manifest, one after the other: the table at `path`. A column may be of another type
    /// in each, as data frames have those that are all null.
    fn of_files(path: &Path, files: &[PathBuf], like: Option<&Schema>) -> Result<Self, ShardError> {
        let (mut schemas, mut table) = (Vec::new(), Vec::new());
        for file in files {
            let (_, metadata) = decoding::open(file)?;
            let rows = metadata.metadata().file_metadata().num_rows() as u64;
            schemas.push(flowing_schema(metadata.schema()));
            table.push(Arc::new(TableFile {
                path: file.clone(),
                rows,
                told: None,
                checked: AtomicBool::new(true),
            }));
        }
        let Some(first) = schemas.first() else {
            return Err(ShardError::NoManifest { path: path.to_owned() });
        };
        let names = |schema: &Schema| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        if let Some(other) = schemas.iter().position(|schema| names(schema) != names(first)) {
            let [mine, theirs] = [&schemas[other], first].map(|schema| names(schema).join(", "));
            let detail = format!("its columns are {mine}, those of the file before {theirs}");
            return Err(ShardError::Adopted { detail, path: files[other].clone() });
        }
        let schema = adopt::adopted(first, like)
            .map_err(|detail| ShardError::Adopted { detail, path: path.to_owned() })?;
        let schema = current(schema, path)?;
        let is_adopted = schemas.iter().any(|found| found.fields() != schema.fields());
        Ok(Self { schema, files: table, manifest: None, columns: None, is_adopted })
    }

    /// Whether its rows are brought to the types of its schema.
    pub(super) fn is_adopted(&self) -> bool {
        self.is_adopted
    }

    /// The rows of `shards` in `folder`, whose schema is `schema`.
    pub(super) fn of_shards(folder: &Path, schema: SchemaRef, shards: &[ShardEntry]) -> Self {
        let files = shards.iter().map(|shard| TableFile::of(folder, shard)).collect();
        Self { schema, files, manifest: None, columns: None, is_adopted: false }
    }

    /// The same rows, of shards that this run has written or hashed: their bytes are not hashed once more.
    pub(super) fn checked(self) -> Self {
        for file in &self.files {
            file.checked.store(true, Ordering::Relaxed);
        }
        self
    }

    /// The same rows with the columns numbered `columns` alone; the others are not read.
    ///
    /// # Errors
    /// When there are fewer columns.
    pub fn project(&self, columns: &[usize]) -> Result<Self, ShardError> {
        let path = self.files.first().map(|file| file.path.clone()).unwrap_or_default();
        let schema = self.schema.project(columns);
        let schema = schema.map_err(|error| ShardError::parquet("read", &path)(error.into()))?;
        Ok(Self { schema: Arc::new(schema), columns: Some(columns.to_vec()), ..self.clone() })
    }

    /// The schema of its batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The manifest, where a folder was opened.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    pub(super) fn table_files(&self) -> &[Arc<TableFile>] {
        &self.files
    }

    /// Rows of each shard, in order.
    pub fn shard_rows(&self) -> impl Iterator<Item = u64> {
        self.files.iter().map(|file| file.rows)
    }

    /// Its shards, in order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The rows, in order, at most `batch_rows` at a time; a batch never spans two shards.
    pub fn batches(&self, batch_rows: usize) -> Batches {
        self.batches_of(0..self.rows(), batch_rows)
    }

    /// As [`batches`](Self::batches), of the rows numbered `rows` alone.
    pub fn batches_of(&self, rows: Range<u64>, batch_rows: usize) -> Batches {
        let (mut files, mut first) = (VecDeque::new(), 0);
        for file in &self.files {
            let (start, end) = (rows.start.max(first), rows.end.min(first + file.rows));
            if start < end {
                files.push_back((Arc::clone(file), start - first..end - first));
            }
            first += file.rows;
        }
        let (schema, columns) = (self.schema.clone(), self.columns.clone());
        let is_adopted = self.is_adopted;
        Batches { files, batch_rows, schema, columns, is_adopted, current: None, next_row: 0 }
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
    /// Files that are still to be read, and which of their rows.
    files: VecDeque<(Arc<TableFile>, Range<u64>)>,
    batch_rows: usize,
    schema: SchemaRef,
    columns: Option<Vec<usize>>,
    is_adopted: bool,
    current: Option<(PathBuf, ParquetRecordBatchReader)>,
    /// The number of the next row in the current file.
    next_row: u64,
}

impl Batches {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ShardError> {
        loop {
            if let Some((path, reader)) = &mut self.current {
                if let Some(batch) = decoded(path, || Ok(reader.next()))? {
                    let first = self.next_row;
                    self.next_row += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
                    let failed = |error| ShardError::parquet("read", path)(error);
                    // Parquet gives columns in the order of the file.
                    let batch = batch.and_then(|batch| match &self.columns {
                        Some(columns) => batch.project(&ranks(columns)),
                        None => Ok(batch),
                    });
                    if self.is_adopted {
                        let batch = batch.map_err(|error| failed(error.into()))?;
                        let cast = adopt::recast(&batch, &self.schema, first);
                        let foreign = |detail| ShardError::Adopted { detail, path: path.clone() };
                        return cast.map(Some).map_err(foreign);
                    }
                    let batch = batch.and_then(|batch| batch.with_schema(self.schema.clone()));
                    return batch.map(Some).map_err(|error| failed(error.into()));
                }
                self.current = None;
            }
            let Some((file, rows)) = self.files.pop_front() else { return Ok(None) };
            file.check()?;
            let path = file.path.clone();
            let (opened, metadata) = decoding::open(&path)?;
            let found = metadata.metadata().file_metadata().num_rows();
            if u64::try_from(found) != Ok(file.rows) {
                let detail = format!("{found} rows instead of {}", file.rows);
                return Err(ShardError::Stale { detail, path });
            }
            if file.told.is_none() {
                decoding::check_pages(&path, &opened, &metadata, self.columns.as_deref())?;
            }
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata);
            let mut builder = builder.with_batch_size(self.batch_rows);
            if let Some(columns) = &self.columns {
                let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
                builder = builder.with_projection(mask);
            }
            if rows != (0..file.rows) {
                let (offset, limit) = (rows.start as usize, (rows.end - rows.start) as usize);
                builder = builder.with_offset(offset).with_limit(limit);
            }
            self.next_row = rows.start;
            let reader = decoded(&path, || builder.build())?;
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

/// The Parquet files in the folder `path`, by name, where no program but another has written it: the parts that Spark,
/// `DuckDB` and others make of a table. A folder that motionmill has begun holds none.
fn foreign_files(path: &Path) -> Result<Vec<PathBuf>, ShardError> {
    let Ok(entries) = std::fs::read_dir(path) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(ShardError::io("list", path))?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name == WORK_FOLDER || bears_its_hash(&file)? {
            return Ok(Vec::new());
        }
        if name.ends_with(".parquet") && !name.starts_with(['.', '_']) && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The place of each of `columns` among them in ascending order.
fn ranks(columns: &[usize]) -> Vec<usize> {
    columns.iter().map(|column| columns.iter().filter(|other| *other < column).count()).collect()
}

/// `schema` of the table at `path`, which must be of the present version.
fn current(schema: SchemaRef, path: &Path) -> Result<SchemaRef, ShardError> {
    match check_version(&schema) {
        Ok(()) => Ok(schema),
        Err(source) => Err(ShardError::OtherVersion { source, path: path.to_owned() }),
    }
}
