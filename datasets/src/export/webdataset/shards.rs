//! The tar files of a `WebDataset`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use schemas::sample_id::sanitised;
use serde_json::{Map, Value as Json, json};

use super::Member;
use crate::export::ExportError;

/// Tar files consist of blocks of this size: a header of one, data filled up, two empty ones at the end.
const BLOCK: u64 = 512;

/// The shards of all splits.
pub(super) struct Shards {
    folder: PathBuf,
    shard_bytes: u64,
    open: BTreeMap<String, Shard>,
    counts: BTreeMap<String, u32>,
    /// By file name: rows and bytes.
    written: BTreeMap<String, Json>,
}

struct Shard {
    name: String,
    path: PathBuf,
    tar: tar::Builder<BufWriter<File>>,
    rows: u64,
    bytes: u64,
}

impl Shards {
    pub(super) fn new(folder: &Path, shard_bytes: u64) -> Self {
        let (open, counts, written) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { folder: folder.to_owned(), shard_bytes, open, counts, written }
    }

    /// Adds the members of one sample to the shard of `split` that has room.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn append(&mut self, split: &str, key: &str, members: &[Member]) -> Result<(), ExportError> {
        let split = sanitised(split);
        let bytes: u64 =
            members.iter().map(|(_, data)| BLOCK + (data.len() as u64).next_multiple_of(BLOCK)).sum();
        let is_full = |shard: &Shard| shard.bytes + bytes + 2 * BLOCK > self.shard_bytes;
        if self.open.get(&split).is_some_and(is_full) {
            self.close(&split)?;
        }
        if !self.open.contains_key(&split) {
            let number = self.counts.entry(split.clone()).or_default();
            let name = format!("{split}-{number:06}.tar");
            *number += 1;
            let path = self.folder.join(&name);
            let file = File::create(&path).map_err(ExportError::io("create", &path))?;
            let tar = tar::Builder::new(BufWriter::new(file));
            self.open.insert(split.clone(), Shard { name, path, tar, rows: 0, bytes: 0 });
        }
        let Some(shard) = self.open.get_mut(&split) else { return Ok(()) };
        for (extension, data) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            let name = format!("{key}.{extension}");
            let added = shard.tar.append_data(&mut header, name, data.as_slice());
            added.map_err(ExportError::io("write", &shard.path))?;
        }
        shard.rows += 1;
        shard.bytes += bytes;
        Ok(())
    }

    fn close(&mut self, split: &str) -> Result<(), ExportError> {
        let Some(Shard { name, path, tar, rows, .. }) = self.open.remove(split) else { return Ok(()) };
        let file = tar.into_inner().and_then(|mut file| file.flush().map(|()| file));
        let file = file.map_err(ExportError::io("write", &path))?;
        let bytes = file.get_ref().metadata().map_err(ExportError::io("write", &path))?.len();
        self.written.insert(name, json!({ "rows": rows, "bytes": bytes }));
        Ok(())
    }

    /// Closes all shards and says what each holds.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn finish(mut self) -> Result<Json, ExportError> {
        for split in self.open.keys().cloned().collect::<Vec<_>>() {
            self.close(&split)?;
        }
        Ok(Json::Object(self.written.into_iter().collect::<Map<_, _>>()))
    }
}
