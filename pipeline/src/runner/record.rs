//! The record of a unit: by it the unit is done.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use datasets::shards::{ShardEntry, ShardError, replace_file};
use serde::{Deserialize, Serialize};

use crate::graph::{Node, Work};

/// What a unit has done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitRecord {
    /// Its number.
    pub unit: u64,
    /// How many units the run has: a source that has grown cuts another run.
    pub units: u64,
    /// Its shards, by target.
    pub shards: BTreeMap<String, Vec<ShardEntry>>,
    /// Rows in, out and rejected of each node that it reached, by [`name_of`] the node.
    pub rows: BTreeMap<String, [u64; 3]>,
    /// Rejects by reason.
    pub reasons: BTreeMap<String, u64>,
    /// By reason: the first reject, in words.
    #[serde(default)]
    pub examples: BTreeMap<String, String>,
    /// What readers of the rows must know.
    pub notes: Vec<String>,
    /// What stages tell of rows, and of how many.
    #[serde(default)]
    pub told: BTreeMap<String, u64>,
    /// BLAKE3 of all of the above, as compact JSON.
    #[serde(default)]
    blake3: String,
}

/// What a record calls `node`: a sink may have the name of a source.
pub(super) fn name_of(node: &Node) -> String {
    if matches!(node.work, Work::Sink(_)) { format!("sink {}", node.name) } else { node.name.clone() }
}

impl UnitRecord {
    /// The record of `unit`, of nothing yet.
    pub(super) fn new(unit: u64) -> Self {
        Self { unit, ..Self::default() }
    }

    fn path(folder: &Path, unit: u64) -> PathBuf {
        folder.join(format!("unit-{unit:05}.json"))
    }

    fn hash(&self) -> String {
        let bare = Self { blake3: String::new(), ..self.clone() };
        let text = serde_json::to_string(&bare).expect("a record is plain data");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// The record of `unit` of `units` in `folder`; `None` where there is none, or it is damaged, which means to do
    /// the unit again.
    pub(super) fn read(folder: &Path, unit: u64, units: u64) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(Self::path(folder, unit)).ok()?).ok()?;
        (record.unit == unit && record.units == units && record.blake3 == record.hash()).then_some(record)
    }

    /// Writes the record to `folder`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn write(&mut self, folder: &Path) -> Result<(), ShardError> {
        self.blake3 = self.hash();
        let text = serde_json::to_string(self).expect("a record is plain data");
        replace_file(&Self::path(folder, self.unit), text.as_bytes())
    }

    /// Removes the record of `unit` from `folder`, if it is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn remove(folder: &Path, unit: u64) -> Result<(), ShardError> {
        let path = Self::path(folder, unit);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ShardError::Io { action: "remove", path, source })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut record =
            UnitRecord { unit: 3, units: 5, notes: vec!["a note".into()], ..UnitRecord::default() };
        record.write(folder.path()).unwrap();
        assert_eq!(UnitRecord::read(folder.path(), 3, 5), Some(record));
        assert_eq!(UnitRecord::read(folder.path(), 3, 6), None, "of another division");
        assert_eq!(UnitRecord::read(folder.path(), 2, 5), None);
        let path = UnitRecord::path(folder.path(), 3);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("a note", "a vote")).unwrap();
        assert_eq!(UnitRecord::read(folder.path(), 3, 5), None, "changed");
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert_eq!(UnitRecord::read(folder.path(), 3, 5), None, "cut short");
        UnitRecord::remove(folder.path(), 3).unwrap();
        UnitRecord::remove(folder.path(), 3).unwrap();
    }
}
