//! Row groups of a table: parts that can be read independently, in any order.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use schemas::columns::field;

use super::properties::flowing_schema;
use super::reader::{TableFile, TableReader};

use super::ShardError;
use super::adopt;
use super::decoding::{self, decoded};
use crate::files;

/// One row group of a table.
#[derive(Debug, Clone)]
pub struct RowGroup {
    /// How many rows it has.
    pub rows: usize,
    file: Arc<TableFile>,
    number: usize,
    metadata: ArrowReaderMetadata,
}

impl TableReader {
    /// The row groups of all shards, in the table's order.
    ///
    /// # Errors
    /// When the end of a shard, which lists them, cannot be read.
    pub fn row_groups(&self) -> Result<Vec<RowGroup>, ShardError> {
        let mut groups = Vec::new();
        for file in self.table_files() {
            let (_, metadata) = decoding::open(&file.path)?;
            for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
                let rows = usize::try_from(group.num_rows()).unwrap_or(0);
                groups.push(RowGroup { rows, file: Arc::clone(file), number, metadata: metadata.clone() });
            }
        }
        Ok(groups)
    }

    /// All rows of `group`, with all columns or only `columns`, in the table's order.
    ///
    /// # Errors
    /// When the shard cannot be read, or has no such column.
    pub fn read_row_group(
        &self,
        group: &RowGroup,
        columns: Option<&[String]>,
    ) -> Result<RecordBatch, ShardError> {
        group.file.check()?;
        let path = &group.file.path;
        let failed = |error| ShardError::parquet("read", path)(error);
        let opened = files::open(path).map_err(ShardError::io("open", path))?;
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, group.metadata.clone());
        if let Some(columns) = columns {
            let roots = columns.iter().map(|name| {
                field(self.schema(), name)
                    .and_then(|_| Ok(self.schema().index_of(name)?))
                    .map_err(|error| failed(parquet::errors::ParquetError::General(error.to_string())))
            });
            let roots = roots.collect::<Result<Vec<usize>, _>>()?;
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
        let builder = builder.with_row_groups(vec![group.number]).with_batch_size(group.rows.max(1));
        let (schema, batches) = decoded(path, || {
            let reader = builder.build()?;
            let schema = flowing_schema(&arrow::array::RecordBatchReader::schema(&reader));
            let batches = reader.map(|batch| batch.and_then(|batch| batch.with_schema(schema.clone())));
            let batches = batches.collect::<Result<Vec<_>, _>>()?;
            Ok((schema, batches))
        })?;
        let (schema, batches) = if self.is_adopted() {
            let places = schema.fields().iter().map(|field| self.schema().index_of(field.name()));
            let places = places.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
            let schema = Arc::new(self.schema().project(&places).map_err(|error| failed(error.into()))?);
            let cast =
                batches.iter().map(|batch| adopt::recast(batch, &schema, 0)).collect::<Result<Vec<_>, _>>();
            let foreign = |detail| ShardError::Adopted { detail, path: path.clone() };
            (schema, cast.map_err(foreign)?)
        } else {
            (schema, batches)
        };
        match &batches[..] {
            [only] => Ok(only.clone()),
            _ => concat_batches(&schema, &batches).map_err(|error| failed(error.into())),
        }
    }
}
