//! The rows that wait for an aggregate, on disk.

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datasets::shards::{ShardError, TableReader};
use stages::StageError;
use stages::stage::Rows;

/// Bytes of a batch that is read back: enough to keep the cost of a batch small, few enough to hold several.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes that stand for a value of unknown length: a name, or a signal of some minutes.
const TEXT_BYTES: usize = 32;
const LIST_BYTES: usize = 64 << 10;

/// One input of an aggregate: a table that is complete and can be read as often as needed.
#[derive(Debug)]
pub(super) struct Shelf {
    table: TableReader,
    batch_rows: usize,
}

impl Shelf {
    /// Opens the table in `folder`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(folder: &Path) -> Result<Self, ShardError> {
        let table = TableReader::open(folder, None)?;
        let batch_rows = (BATCH_BYTES / row_bytes(table.schema()).max(1)).clamp(16, 8192);
        Ok(Self { table, batch_rows })
    }
}

impl Rows for Shelf {
    fn schema(&self) -> SchemaRef {
        self.table.schema().clone()
    }

    fn scan(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + '_> {
        Box::new(self.table.batches(self.batch_rows).map(|batch| Ok(batch?)))
    }
}

/// About how many bytes a row of `schema` takes.
fn row_bytes(schema: &Schema) -> usize {
    schema.fields().iter().map(|field| value_bytes(field.data_type())).sum()
}

fn value_bytes(data_type: &DataType) -> usize {
    match data_type {
        DataType::FixedSizeList(item, length) => *length as usize * value_bytes(item.data_type()),
        DataType::Struct(members) => members.iter().map(|member| value_bytes(member.data_type())).sum(),
        DataType::List(_) | DataType::Binary => LIST_BYTES,
        other => other.primitive_width().unwrap_or(TEXT_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::columns::fixed_list;

    #[test]
    fn wide_rows_come_in_small_batches() {
        let window = fixed_list(fixed_list(fixed_list(DataType::Float32, 6), 50), 20);
        assert_eq!(value_bytes(&window), 24_000);
        assert_eq!(value_bytes(&DataType::Utf8), TEXT_BYTES);
    }
}
