//! A table that was written before, read back by row groups.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use datasets::shards::{RowGroup, TableReader};
use schemas::SchemaError;
use schemas::tables::samples::IMAGE;
use stages::augment::geometry::crop_size_of;

use super::{OnlineError, Pictures, pictures};

/// A table of samples or windows, any rows of which can be read.
///
/// The unit of reading is a row group; the last few are kept.
pub struct Shards {
    table: TableReader,
    groups: Vec<RowGroup>,
    columns: Option<Vec<String>>,
    /// Number of each group's first row in the table, and after the last the number of rows.
    starts: Vec<usize>,
    schema: SchemaRef,
    size: Option<[u32; 2]>,
    pictures: Pictures,
    kept: Mutex<VecDeque<(usize, Slot)>>,
    most_kept: usize,
}

/// A row group that is being read, or was.
type Slot = Arc<Mutex<Option<RecordBatch>>>;

impl Shards {
    /// Opens the table at `path`, or one `split` of it, with all columns or only `columns`, keeping at most `most_kept`
    /// row groups in memory.
    ///
    /// # Errors
    /// When there is no such table, split or column, or its pictures cannot be decoded.
    pub fn open(
        path: &Path,
        split: Option<&str>,
        columns: Option<Vec<String>>,
        pictures: Pictures,
        most_kept: usize,
    ) -> Result<Self, OnlineError> {
        let table = TableReader::open(path, split)?;
        let groups = table.row_groups()?;
        let mut starts = vec![0];
        for group in &groups {
            starts.push(starts[starts.len() - 1] + group.rows);
        }
        let schema = match &columns {
            Some(names) => {
                let indices = names.iter().map(|name| {
                    schemas::columns::field(table.schema(), name)?;
                    table.schema().index_of(name).map_err(SchemaError::from)
                });
                let mut indices = indices.collect::<Result<Vec<usize>, SchemaError>>()?;
                indices.sort_unstable();
                Arc::new(table.schema().project(&indices).map_err(SchemaError::from)?)
            }
            None => table.schema().clone(),
        };
        let mut shards = Self {
            table,
            groups,
            columns,
            starts,
            schema,
            size: None,
            pictures,
            kept: Mutex::default(),
            most_kept: most_kept.max(1),
        };
        if pictures::is_encoded(&shards.schema) {
            shards.size = shards.picture_size()?;
            if let Some(size) = shards.size {
                shards.schema = Arc::new(pictures::decoded_schema(&shards.schema, size));
            }
        }
        shards.schema = Arc::new(pictures.schema(&shards.schema));
        Ok(shards)
    }

    /// Width and height of all pictures: as the table says it, else that of the first.
    fn picture_size(&self) -> Result<Option<[u32; 2]>, OnlineError> {
        if let Ok(size) = crop_size_of(self.table.schema()) {
            return Ok(Some(size));
        }
        let image = [IMAGE.to_owned()];
        match self.groups.first() {
            Some(group) => pictures::first_size(&self.table.read_row_group(group, Some(&image))?),
            None => Ok(None),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The schema of the rows as they are given.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows of each row group, in the table's order.
    pub fn group_rows(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.rows).collect()
    }

    /// What made the table, as one hash: equal if the rows are equal.
    pub fn content_hash(&self) -> String {
        let shards = self.table.manifest().map(|manifest| {
            manifest.shards.iter().map(|shard| shard.blake3.as_str()).collect::<Vec<_>>().join("\n")
        });
        blake3::hash(shards.unwrap_or_default().as_bytes()).to_hex().to_string()
    }

    /// The rows `indices` of the table, in that order.
    ///
    /// # Errors
    /// When there is no such row, a shard cannot be read, or a picture cannot be decoded.
    pub fn rows(&self, indices: &[usize]) -> Result<RecordBatch, OnlineError> {
        let mut numbers: Vec<usize> = Vec::new();
        let mut places = Vec::with_capacity(indices.len());
        for &index in indices {
            if index >= self.len() {
                return Err(OnlineError::Index { index, length: self.len() });
            }
            let group = self.starts.partition_point(|start| *start <= index) - 1;
            let at = numbers.iter().position(|number| *number == group).unwrap_or_else(|| {
                numbers.push(group);
                numbers.len() - 1
            });
            places.push((at, index - self.starts[group]));
        }
        if numbers.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let groups = numbers.iter().map(|&number| self.group(number)).collect::<Result<Vec<_>, _>>()?;
        let groups: Vec<&RecordBatch> = groups.iter().collect();
        let mut rows = interleave_record_batch(&groups, &places).map_err(SchemaError::from)?;
        if let Some(size) = self.size {
            rows = pictures::decode(&rows, size)?;
        }
        self.pictures.apply(rows)
    }

    /// Row group `number`, read now unless it is kept. Threads that want one group at once wait for one reading.
    fn group(&self, number: usize) -> Result<RecordBatch, OnlineError> {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let found = kept.iter().position(|(group, _)| *group == number);
            let slot = found.and_then(|at| kept.remove(at)).map(|(_, slot)| slot).unwrap_or_default();
            kept.push_back((number, Arc::clone(&slot)));
            if kept.len() > self.most_kept {
                kept.pop_front();
            }
            slot
        };
        let mut group = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = &*group {
            return Ok(rows.clone());
        }
        let rows = self.table.read_row_group(&self.groups[number], self.columns.as_deref())?;
        Ok(group.insert(rows).clone())
    }
}
