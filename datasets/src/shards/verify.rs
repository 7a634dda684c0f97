//! Whether the files of a table are those that were written.

use std::path::Path;

use rayon::prelude::*;

use super::ShardError;
use super::manifest::{Manifest, ShardEntry};
use crate::files;

/// Checks that the file of `entry` in `folder` is the one that was written: there, of its length, with its hash.
///
/// # Errors
/// [`ShardError::Stale`] where it is not, [`ShardError::Io`] where it cannot be read.
pub fn check_shard(folder: &Path, entry: &ShardEntry) -> Result<(), ShardError> {
    check_file(&folder.join(&entry.file), entry.bytes, &entry.blake3)
}

/// Checks that the file `path` has the length `bytes` and the BLAKE3 hash `blake3`.
pub(super) fn check_file(path: &Path, bytes: u64, blake3: &str) -> Result<(), ShardError> {
    let file = files::open(path).map_err(ShardError::io("open a shard", path))?;
    let length = file.metadata().map_err(ShardError::io("open a shard", path))?.len();
    let stale = |detail: String| Err(ShardError::Stale { detail, path: path.to_owned() });
    if length != bytes {
        return stale(format!("{length} bytes long instead of {bytes}"));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(ShardError::io("read", path))?;
    if hasher.finalize().to_hex().as_str() != blake3 {
        return stale("its bytes are not those that were written".to_owned());
    }
    Ok(())
}

impl Manifest {
    /// Checks every shard of the table in `folder`, on all threads; `checked` is told the bytes of each.
    ///
    /// # Errors
    /// The first in the table's order that is damaged or missing.
    pub fn check_shards(&self, folder: &Path, checked: &(dyn Fn(u64) + Sync)) -> Result<(), ShardError> {
        let damages = self.damages(folder, checked);
        damages.into_iter().next().map_or(Ok(()), Err)
    }

    /// Every shard of the table in `folder` that is damaged or missing, in the table's order; `checked` is told the
    /// bytes of each shard.
    pub fn damages(&self, folder: &Path, checked: &(dyn Fn(u64) + Sync)) -> Vec<ShardError> {
        let check = |entry: &ShardEntry| {
            let damage = check_shard(folder, entry).err();
            checked(entry.bytes);
            damage
        };
        self.shards.par_iter().filter_map(check).collect()
    }
}
