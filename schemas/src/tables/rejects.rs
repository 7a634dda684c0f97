//! `rejects`: one row is one row that could not be used, with the reason.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::flat::{counts, flat_table};
use crate::columns::{SchemaError, strings};

flat_table! {
    "rejects"
    /// One row of the table.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Reject {
        /// The stage or reader that refused the row.
        pub stage: String,
        /// A short fixed phrase, so that rejects can be counted: `image missing`, `filtered out`, ...
        pub reason: String,
        /// Id of the row, where it has one.
        pub sample_id: Option<String>,
        /// The annotation file it came from.
        pub source_file: Option<String>,
        /// The record in that file.
        pub source_record: Option<String>,
        /// What was found, in words.
        pub detail: String,
        /// How many rows it stands for: one, unless neighbouring rows share reason and detail.
        pub rows: u64,
    }
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

impl Reject {
    /// Where it was found and what: `train.json, annotation 7: ...`.
    pub fn words(&self) -> String {
        let id = self.sample_id.as_ref().filter(|_| self.source_record.is_none());
        let place = [&self.source_file, &self.source_record].into_iter().flatten().chain(id);
        let place: Vec<&str> = place.map(String::as_str).collect();
        if place.is_empty() { self.detail.clone() } else { format!("{}: {}", place.join(", "), self.detail) }
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

/// The reason of each row of `batch`, and how many rows it stands for.
///
/// # Errors
/// When a column is absent or of another type.
pub fn reasons(batch: &RecordBatch) -> Result<impl Iterator<Item = (&str, u64)>, SchemaError> {
    let rows = counts(batch, "rows")?;
    Ok(strings(batch, "reason")?.iter().flatten().zip(rows.values().iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_says_where_it_was_found() {
        let bare = Reject { detail: "no such image".into(), ..Reject::default() };
        assert_eq!(bare.words(), "no such image");
        let named = Reject { sample_id: Some("lsp-7".into()), ..bare.clone() };
        assert_eq!(named.words(), "lsp-7: no such image");
        let (file, record) = (Some("a.json".into()), Some("image 7".into()));
        let found = Reject { source_file: file, source_record: record, ..named };
        assert_eq!(found.words(), "a.json, image 7: no such image");
    }

    #[test]
    fn rows_come_back() {
        let rejects = [
            Reject { reason: "image missing".into(), sample_id: Some("a".into()), ..Reject::default() },
            Reject { stage: "warp".into(), source_record: Some("3".into()), rows: 7, ..Reject::default() },
        ];
        assert_eq!(from_batch(&to_batch(&rejects)).unwrap(), rejects);
    }
}
