//! The journal of a table that is being written: how far it has got, and for which work.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Provenance, ShardEntry, ShardError};

const JOURNAL_FILE: &str = "journal.json";

/// The state after the last completed round of shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The work that the shards belong to.
    pub provenance: Provenance,
    /// Number of the first batch that is in no completed shard.
    pub next_batch: u64,
    /// The completed shards, by their names while writing.
    pub shards: Vec<ShardEntry>,
}

impl Journal {
    /// The journal in `folder`, or `None` where there is none or it is damaged, which means to start over.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(folder.join(JOURNAL_FILE)).ok()?).ok()
    }

    /// Replaces the journal in `folder` in one step.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, folder: &Path) -> Result<(), ShardError> {
        let text = serde_json::to_string(self).expect("a journal is plain data");
        replace_file(&folder.join(JOURNAL_FILE), &text)
    }

    /// Removes the journal from `folder`, once a manifest takes its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(folder: &Path) -> Result<(), ShardError> {
        let path = folder.join(JOURNAL_FILE);
        if path.exists() {
            fs::remove_file(&path).map_err(ShardError::io("remove", &path))?;
        }
        Ok(())
    }
}

/// Writes `text` so that a reader sees the old file or the new one, whole.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), ShardError> {
    use std::io::Write;
    let fresh = path.with_extension("fresh");
    let mut file = fs::File::create(&fresh).map_err(ShardError::io("create", &fresh))?;
    file.write_all(text.as_bytes()).map_err(ShardError::io("write", &fresh))?;
    file.sync_all().map_err(ShardError::io("write", &fresh))?;
    fs::rename(&fresh, path).map_err(ShardError::io("replace", path))
}
