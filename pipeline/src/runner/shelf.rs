//! All rows of one input of an aggregate or of an export: stored on disk, or read from their source again.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datasets::shards::TableReader;
use datasets::source::OpenSource;
use stages::StageError;
use stages::stage::Rows;

/// Bytes of a batch that is read back: enough to keep the cost of a batch small, few enough to hold several.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes that stand for a value of unknown length: a name, or a signal of some minutes.
const TEXT_BYTES: usize = 32;
const LIST_BYTES: usize = 64 << 10;

/// One input: the rows of one node after those of another.
pub(super) struct Shelf {
    pub schema: SchemaRef,
    pub parts: Vec<Part>,
}

/// The rows of one node.
pub(super) enum Part {
    /// What its units have stored, in their order.
    Stored(TableReader),
    /// A source, of which these columns are needed.
    Source(Arc<OpenSource>, Vec<usize>),
}

type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + 'a>;

impl Part {
    fn scan(&self, schema: &SchemaRef) -> Batches<'_> {
        let batch_rows = (BATCH_BYTES / row_bytes(schema).max(1)).clamp(16, 8192);
        match self {
            Self::Stored(table) => Box::new(table.batches(batch_rows).map(|batch| Ok(batch?))),
            Self::Source(source, columns) => match source.projected(columns) {
                Ok(Some(narrow)) => read(&narrow, batch_rows, None),
                Ok(None) => read(source, batch_rows, Some(columns)),
                Err(error) => Box::new(std::iter::once(Err(StageError::step(error)))),
            },
        }
    }
}

/// The rows of `source`, with `columns` alone where given.
fn read<'a>(source: &OpenSource, batch_rows: usize, columns: Option<&'a [usize]>) -> Batches<'a> {
    let chunks = source.chunks(batch_rows);
    Box::new(chunks.flat_map(move |chunk| {
        let loaded = chunk.and_then(|chunk| chunk.load.now()).map_err(StageError::step);
        let (batches, failure) = match loaded {
            Ok(loaded) => (loaded.batches, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        let narrow = move |batch: RecordBatch| match columns {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        };
        batches.into_iter().map(narrow).chain(failure)
    }))
}

impl Rows for Shelf {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn scan(&self) -> Batches<'_> {
        Box::new(self.parts.iter().flat_map(|part| part.scan(&self.schema)))
    }
}

/// About how many bytes a row of `schema` takes.
pub(super) fn row_bytes(schema: &Schema) -> usize {
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
