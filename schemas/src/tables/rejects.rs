//! `rejects`: one row is one row that could not be used, with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::metadata;
use crate::columns::{SchemaError, column, strings, wrong_type};

/// Name of the table.
pub const NAME: &str = "rejects";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The stage or reader that refused the row.
    pub stage: String,
    /// A short fixed phrase, fit to be counted: `image missing`, `filtered out`, ...
    pub reason: String,
    /// Id of the row, where it has one.
    pub sample_id: Option<String>,
    /// The annotation file it came from.
    pub source_file: Option<String>,
    /// The record in that file.
    pub source_record: Option<String>,
    /// What was found, in words.
    pub detail: String,
    /// How many rows it stands for: one, unless neighbours share reason and detail.
    pub rows: u64,
}

impl Default for Reject {
    fn default() -> Self {
        Self {
            stage: String::new(),
            reason: String::new(),
            sample_id: None,
            source_file: None,
            source_record: None,
            detail: String::new(),
            rows: 1,
        }
    }
}

/// How many rows `rejects` stand for.
pub fn total_rows(rejects: &[Reject]) -> u64 {
    rejects.iter().map(|reject| reject.rows).sum()
}

/// How many rows `rejects` stand for, by reason.
pub fn by_reason(rejects: &[Reject]) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for reject in rejects {
        *reasons.entry(reject.reason.clone()).or_default() += reject.rows;
    }
    reasons
}

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let fields = vec![
        text("stage", false),
        text("reason", false),
        text("sample_id", true),
        text("source_file", true),
        text("source_record", true),
        text("detail", false),
        Field::new("rows", DataType::UInt64, false),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The reason of each row of `batch`, and how many rows it stands for.
///
/// # Errors
/// When a column is absent or of another type.
pub fn reasons(batch: &RecordBatch) -> Result<impl Iterator<Item = (&str, u64)>, SchemaError> {
    let rows = column(batch, "rows")?;
    let rows: &UInt64Array =
        rows.as_primitive_opt().ok_or_else(|| wrong_type("rows", "UInt64", rows.data_type()))?;
    Ok(strings(batch, "reason")?.iter().flatten().zip(rows.values().iter().copied()))
}

/// The rows `rejects` as a batch.
pub fn to_batch(rejects: &[Reject]) -> RecordBatch {
    let text = |get: fn(&Reject) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rejects.iter().map(get)))
    };
    let optional = |get: fn(&Reject) -> Option<&str>| -> ArrayRef {
        Arc::new(rejects.iter().map(get).collect::<StringArray>())
    };
    let columns = vec![
        text(|r| &r.stage),
        text(|r| &r.reason),
        optional(|r| r.sample_id.as_deref()),
        optional(|r| r.source_file.as_deref()),
        optional(|r| r.source_record.as_deref()),
        text(|r| &r.detail),
        Arc::new(UInt64Array::from_iter_values(rejects.iter().map(|reject| reject.rows))),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Reject>, SchemaError> {
    let text = |name: &str| strings(batch, name);
    let (stage, detail) = (text("stage")?, text("detail")?);
    let (id, file, record) = (text("sample_id")?, text("source_file")?, text("source_record")?);
    let optional = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
    let reject = |(row, (reason, rows)): (usize, (&str, u64))| Reject {
        stage: stage.value(row).to_owned(),
        reason: reason.to_owned(),
        sample_id: optional(id, row),
        source_file: optional(file, row),
        source_record: optional(record, row),
        detail: detail.value(row).to_owned(),
        rows,
    };
    Ok(reasons(batch)?.enumerate().map(reject).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let rejects = [
            Reject { reason: "image missing".into(), sample_id: Some("a".into()), ..Reject::default() },
            Reject { stage: "warp".into(), source_record: Some("3".into()), rows: 7, ..Reject::default() },
        ];
        assert_eq!(from_batch(&to_batch(&rejects)).unwrap(), rejects);
    }
}
