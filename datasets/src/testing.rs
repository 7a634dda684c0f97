//! What tests share. Real data is never part of the repository, so tests that need it skip without it.

use std::path::{Path, PathBuf};

#[cfg(test)]
use crate::imu::{Loaded, Logs};

/// `path` below the folder of real data, or `None`, with a message, where it is not there.
///
/// The folder is `$MOTIONMILL_TEST_DATA`, else `shared/data` beside the workspace.
#[expect(clippy::print_stderr, reason = "tests alone call it")]
pub fn real_data(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let found = std::env::var_os("MOTIONMILL_TEST_DATA").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: real data `{path}` is not there");
    None
}

/// Everything in `logs`, one log after the other.
#[cfg(test)]
pub(crate) fn load_all(logs: &Logs) -> Loaded {
    let mut all =
        Loaded { rejects: logs.rejects().to_vec(), notes: logs.notes().to_vec(), ..Loaded::default() };
    for item in logs.items() {
        let loaded = item.load().unwrap();
        all.batches.extend(loaded.batches);
        all.rejects.extend(loaded.rejects);
        all.notes.extend(loaded.notes);
    }
    all
}
