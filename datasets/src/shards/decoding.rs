//! Decoding of Parquet files that others may have written or damaged: what their metadata say is checked against the file,
//! and a panic of the decoder is an error.

use std::fs::File;
use std::path::Path;

use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::ShardError;
use super::pages;
use crate::files;
use crate::guarded::guarded;

/// Most values of a list of constant length of which a column may hold none but null ones: two million, 16 MiB of numbers.
const MOST_NULL_VALUES: u64 = 2 << 20;

/// An open Parquet file, and what its end says.
pub(super) fn open(path: &Path) -> Result<(File, ArrowReaderMetadata), ShardError> {
    let opened = || {
        let file = files::open(path)?;
        Ok((file.metadata()?.len(), file))
    };
    let (length, file) = opened().map_err(ShardError::io("open", path))?;
    let metadata = decoded(path, || {
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())?;
        check(metadata.metadata(), length)?;
        check_lists(&metadata)?;
        Ok(metadata)
    })?;
    Ok((file, metadata))
}

/// Checks that no page of `columns` of the open `file`, all if `None`, unpacks to more than memory should hold.
pub(super) fn check_pages(
    path: &Path,
    file: &File,
    metadata: &ArrowReaderMetadata,
    columns: Option<&[usize]>,
) -> Result<(), ShardError> {
    let roots = metadata.parquet_schema();
    let wanted =
        |leaf: usize| columns.is_none_or(|columns| columns.contains(&roots.get_column_root_idx(leaf)));
    decoded(path, || {
        for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
            for (_, column) in group.columns().iter().enumerate().filter(|(leaf, _)| wanted(*leaf)) {
                let (start, length) = column.byte_range();
                pages::check(file, start, length).map_err(|detail| {
                    damaged(&format!("column `{}` of row group {number} {detail}", column.column_path()))
                })?;
            }
        }
        Ok(())
    })
}

/// The outcome of `work`, a step of reading the Parquet file `path`: where the decoder panics, the file is damaged.
pub(super) fn decoded<T>(path: &Path, work: impl FnOnce() -> ParquetResult<T>) -> Result<T, ShardError> {
    let done = guarded(work).unwrap_or_else(|panic| Err(damaged(&format!("it cannot be decoded ({panic})"))));
    done.map_err(ShardError::parquet("read", path))
}

fn damaged(detail: &str) -> ParquetError {
    ParquetError::General(format!("the file is damaged: {detail}"))
}

/// Checks what later reading takes for granted: counts that are none below zero and agree, and columns that lie within a
/// file of `length` bytes.
fn check(metadata: &ParquetMetaData, length: u64) -> ParquetResult<()> {
    let stated = metadata.file_metadata().num_rows();
    let mut rows = 0_i64;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let sum = rows.checked_add(group.num_rows()).filter(|_| group.num_rows() >= 0);
        rows = sum.ok_or_else(|| damaged(&format!("row group {number} has {} rows", group.num_rows())))?;
        for column in group.columns() {
            check_column(column, length).map_err(|detail| {
                damaged(&format!("column `{}` of row group {number} {detail}", column.column_path()))
            })?;
        }
    }
    if rows != stated {
        return Err(damaged(&format!("it states {stated} rows, its row groups have {rows}")));
    }
    Ok(())
}

/// Checks that no list of constant length is longer than the values that its column has: the decoder makes room for the
/// whole length of each list that is null.
fn check_lists(metadata: &ArrowReaderMetadata) -> ParquetResult<()> {
    let (roots, file) = (metadata.parquet_schema(), metadata.metadata());
    for (root, field) in metadata.schema().fields().iter().enumerate() {
        let length = constant_length(field.data_type());
        if length <= MOST_NULL_VALUES {
            continue;
        }
        let leaves = (0..roots.num_columns()).filter(|leaf| roots.get_column_root_idx(*leaf) == root);
        let of_leaf = |leaf: usize| -> u64 {
            let groups = file.row_groups().iter().map(|group| group.column(leaf).num_values());
            groups.map(|values| u64::try_from(values).unwrap_or(0)).fold(0, u64::saturating_add)
        };
        let values = leaves.map(of_leaf).max().unwrap_or(0);
        if length > values {
            let name = field.name();
            return Err(damaged(&format!(
                "column `{name}` has lists of {length} values and {values} values in all"
            )));
        }
    }
    Ok(())
}

/// Values of a list of constant length and of those in it; the most that a member of a struct has.
fn constant_length(data_type: &DataType) -> u64 {
    match data_type {
        DataType::FixedSizeList(item, length) => {
            u64::try_from(*length).unwrap_or(0).saturating_mul(constant_length(item.data_type()))
        }
        DataType::List(item) | DataType::LargeList(item) => constant_length(item.data_type()),
        DataType::Struct(members) => {
            members.iter().map(|member| constant_length(member.data_type())).max().unwrap_or(1)
        }
        _ => 1,
    }
}

fn check_column(column: &ColumnChunkMetaData, length: u64) -> Result<(), String> {
    let (values, packed) = (column.num_values(), column.compressed_size());
    if values < 0 || packed < 0 || column.uncompressed_size() < 0 {
        let unpacked = column.uncompressed_size();
        return Err(format!("has {values} values in {packed} bytes, {unpacked} when unpacked"));
    }
    let (data, dictionary) = (column.data_page_offset(), column.dictionary_page_offset());
    let first = dictionary.unwrap_or(data);
    let end = u64::try_from(first).ok().and_then(|first| first.checked_add(packed as u64));
    if data < 0 || end.is_none_or(|end| end > length) {
        return Err(format!(
            "begins at byte {} and has {packed} bytes, the file has {length}",
            first.min(data)
        ));
    }
    Ok(())
}
