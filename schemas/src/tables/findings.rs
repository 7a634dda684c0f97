//! `findings`: one row is one thing that a check found about one person, one joint, or one data set.

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::flat::{self, flat_table};
use crate::columns::{SchemaError, strings};

/// The split of a finding about all of a data set.
pub const ALL_SPLITS: &str = "all";

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be right.
    Error,
    /// A suspicion with a value: somebody should look.
    Warning,
    /// Worth knowing, and often deliberate.
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

    /// The severity that a stored word stands for; an unknown word is a note.
    pub fn from_name(name: &str) -> Self {
        match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            _ => Self::Note,
        }
    }
}

impl flat::Cell for Severity {
    const TYPE: DataType = DataType::Utf8;
    type Array = StringArray;

    fn array<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> StringArray {
        values.map(|value| value.map(|severity| severity.name())).collect()
    }

    fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, SchemaError> {
        strings(batch, name)
    }

    fn at(column: &StringArray, row: usize) -> Self {
        Self::from_name(column.value(row))
    }
}

flat_table! {
    "findings"
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
