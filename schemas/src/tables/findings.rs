//! `findings`: one row is one thing that a check found about one person, one joint, or one data set.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::metadata;
use crate::columns::{SchemaError, numbers, strings};

/// Name of the table.
pub const NAME: &str = "findings";

/// The split of a finding about all of a data set.
pub const ALL_SPLITS: &str = "all";

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be right.
    Error,
    /// A suspicion with a value: somebody must look.
    Warning,
    /// Worth knowing, and often meant.
    Note,
}

impl Severity {
    /// The word that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// The severity that a stored word stands for; a word that we do not know is a note.
    pub fn from_name(name: &str) -> Self {
        match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            _ => Self::Note,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The person; `None` for a finding about all of a data set.
    pub sample_id: Option<String>,
    /// Data set of the person.
    pub dataset: String,
    /// Split of the person, [`ALL_SPLITS`] for a finding about all of a data set.
    pub split: String,
    /// The rule that found it: `out_of_image`, `leak`, ...
    pub rule: String,
    /// How sure it is.
    pub severity: Severity,
    /// The joint, where it is about one.
    pub joint: Option<String>,
    /// What was measured, in `unit`.
    pub value: Option<f64>,
    /// What is allowed at most, in `unit`.
    pub limit: Option<f64>,
    /// Unit of `value` and `limit`: `px`, `sigma`, `bits`, ...
    pub unit: Option<String>,
    /// What was found, in words.
    pub detail: String,
    /// The other person, for duplicates and leaks.
    pub other_sample_id: Option<String>,
    /// Path of the person's image.
    pub image_path: Option<String>,
    /// The annotation file.
    pub source_file: Option<String>,
    /// The record in that file.
    pub source_record: Option<String>,
}

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let fields = vec![
        text("sample_id", true),
        text("dataset", false),
        text("split", false),
        text("rule", false),
        text("severity", false),
        text("joint", true),
        number("value"),
        number("limit"),
        text("unit", true),
        text("detail", false),
        text("other_sample_id", true),
        text("image_path", true),
        text("source_file", true),
        text("source_record", true),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The rows `findings` as a batch.
pub fn to_batch(findings: &[Finding]) -> RecordBatch {
    let text = |get: fn(&Finding) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(findings.iter().map(get)))
    };
    let optional = |get: fn(&Finding) -> Option<&str>| -> ArrayRef {
        Arc::new(findings.iter().map(get).collect::<StringArray>())
    };
    let number = |get: fn(&Finding) -> Option<f64>| -> ArrayRef {
        Arc::new(findings.iter().map(get).collect::<Float64Array>())
    };
    let columns = vec![
        optional(|f| f.sample_id.as_deref()),
        text(|f| &f.dataset),
        text(|f| &f.split),
        text(|f| &f.rule),
        text(|f| f.severity.name()),
        optional(|f| f.joint.as_deref()),
        number(|f| f.value),
        number(|f| f.limit),
        optional(|f| f.unit.as_deref()),
        text(|f| &f.detail),
        optional(|f| f.other_sample_id.as_deref()),
        optional(|f| f.image_path.as_deref()),
        optional(|f| f.source_file.as_deref()),
        optional(|f| f.source_record.as_deref()),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Finding>, SchemaError> {
    let text = |name: &str| strings(batch, name);
    let optional = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
    let number = |array: &Float64Array, row| array.is_valid(row).then(|| array.value(row));
    let (ids, datasets, splits) = (text("sample_id")?, text("dataset")?, text("split")?);
    let (rules, severities, joints) = (text("rule")?, text("severity")?, text("joint")?);
    let (values, limits, units) = (numbers(batch, "value")?, numbers(batch, "limit")?, text("unit")?);
    let (details, others, images) = (text("detail")?, text("other_sample_id")?, text("image_path")?);
    let (files, records) = (text("source_file")?, text("source_record")?);
    let row_at = |row| Finding {
        sample_id: optional(ids, row),
        dataset: datasets.value(row).to_owned(),
        split: splits.value(row).to_owned(),
        rule: rules.value(row).to_owned(),
        severity: Severity::from_name(severities.value(row)),
        joint: optional(joints, row),
        value: number(values, row),
        limit: number(limits, row),
        unit: optional(units, row),
        detail: details.value(row).to_owned(),
        other_sample_id: optional(others, row),
        image_path: optional(images, row),
        source_file: optional(files, row),
        source_record: optional(records, row),
    };
    Ok((0..batch.num_rows()).map(row_at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let whole = Finding {
            sample_id: Some("lsp-im0001-0".into()),
            dataset: "lsp".into(),
            split: "train".into(),
            rule: "out_of_image".into(),
            severity: Severity::Warning,
            joint: Some("left_ankle".into()),
            value: Some(3.5),
            limit: Some(0.0),
            unit: Some("px".into()),
            detail: "3.5 px beyond the left edge".into(),
            other_sample_id: None,
            image_path: Some("images/im0001.jpg".into()),
            source_file: Some("joints.mat".into()),
            source_record: Some("joints(:,:,1)".into()),
        };
        let bare = Finding {
            sample_id: None,
            split: ALL_SPLITS.into(),
            severity: Severity::Note,
            joint: None,
            value: None,
            limit: None,
            unit: None,
            other_sample_id: Some("lsp-im0002-0".into()),
            image_path: None,
            ..whole.clone()
        };
        let findings = [whole, bare];
        assert_eq!(from_batch(&to_batch(&findings)).unwrap(), findings);
        let json = serde_json::to_string(&findings).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Finding>>(&json).unwrap(), findings);
    }

    #[test]
    fn severities_keep_their_words() {
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            assert_eq!(Severity::from_name(severity.name()), severity);
        }
    }
}
