//! Where inputs lie that a reader takes by their path.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = TempDir::with_prefix("motionmill-fuzz-").expect("a folder for temporary files");
}

/// The path `name` below a folder of this thread; the folders above it are there.
pub(crate) fn path(name: &str) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    let parent = path.parent().unwrap_or(Path::new("/"));
    if !parent.is_dir() {
        fs::create_dir_all(parent).expect("a folder for temporary files");
    }
    path
}

/// Writes `bytes` as the file `name` below the folder of this thread.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = path(name);
    fs::write(&path, bytes).expect("room for temporary files");
    path
}
