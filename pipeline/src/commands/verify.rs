//! `motionmill verify`: whether the files of tables and exports are those that were written.

use std::path::{Path, PathBuf};

use datasets::export::check_export;
use datasets::shards::{Manifest, ShardError};
use schemas::units::grouped;

use super::failure::Hint;
use super::{progress, terminal};

/// Checks each of `paths`, and fails at the end if one is damaged.
pub(super) fn run(paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut damaged = 0;
    for path in paths {
        match verify(path) {
            Verified::Whole(what) => terminal::print(&format!("{}: {what}\n", path.display()))?,
            Verified::Damaged(damages) => {
                damaged += 1;
                for damage in damages {
                    terminal::tell(&format!("damaged: {damage}\n"))?;
                }
            }
        }
    }
    if damaged == 0 {
        return Ok(());
    }
    Err(Hint::error(
        format!("{damaged} of {} are damaged", paths.len()),
        "make them again: the command that made each, with `--force`",
    ))
}

enum Verified {
    /// All is as it was written; what there is, in words.
    Whole(String),
    /// What is not.
    Damaged(Vec<String>),
}

fn verify(path: &Path) -> Verified {
    let manifest = match Manifest::read(path) {
        Ok(manifest) => manifest,
        Err(ShardError::NoManifest { .. }) => {
            return match check_export(path) {
                Ok(rows) => Verified::Whole(format!("whole, {} rows", grouped(rows))),
                Err(error) => Verified::Damaged(vec![error.to_string()]),
            };
        }
        Err(error) => return Verified::Damaged(vec![error.to_string()]),
    };
    let bar = progress::bytes(manifest.shards.iter().map(|shard| shard.bytes).sum());
    let damages = manifest.damages(path, &|bytes| bar.inc(bytes));
    bar.finish_and_clear();
    if !damages.is_empty() {
        return Verified::Damaged(damages.iter().map(ToString::to_string).collect());
    }
    let (rows, shards) = (grouped(manifest.rows), manifest.shards.len());
    Verified::Whole(format!("whole, {rows} rows in {shards} shards"))
}
