//! The files below a folder, in a stable order.

use std::path::{Path, PathBuf};

use crate::ReadError;

/// A file below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Its path below the folder, by parts.
    pub(super) parts: Vec<String>,
    pub(super) bytes: u64,
}

impl Found {
    /// Its path below the folder, with `/`.
    pub(super) fn name(&self) -> String {
        self.parts.join("/")
    }
}

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Files, sorted by their parts.
    pub(super) files: Vec<Found>,
    /// Folders, each by its parts, sorted.
    pub(super) folders: Vec<Vec<String>>,
    /// How many files and folders are litter of a file manager.
    pub(super) junk: usize,
}

/// The files down to `depth` parts below `folder`.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn walk(folder: &Path, depth: usize) -> Result<Listing, ReadError> {
    let mut listing = Listing::default();
    visit(folder, &[], depth, &mut listing)?;
    listing.files.sort_by(|a, b| a.parts.cmp(&b.parts));
    listing.folders.sort();
    Ok(listing)
}

fn visit(folder: &Path, parts: &[String], depth: usize, listing: &mut Listing) -> Result<(), ReadError> {
    let entries = std::fs::read_dir(folder).map_err(|source| ReadError::io(folder, source))?;
    for entry in entries {
        let path = entry.map_err(|source| ReadError::io(folder, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_junk(&name) {
            listing.junk += 1;
            continue;
        }
        let kind = std::fs::metadata(&path).map_err(|source| ReadError::io(&path, source))?;
        let parts = [parts, &[name]].concat();
        if kind.is_dir() {
            listing.folders.push(parts.clone());
            if parts.len() < depth {
                visit(&path, &parts, depth, listing)?;
            }
        } else {
            listing.files.push(Found { path, parts, bytes: kind.len() });
        }
    }
    Ok(())
}

/// Whether one part of a path is litter: `__MACOSX`, `._x`, `.DS_Store`, `Thumbs.db`.
pub(super) fn is_junk(part: &str) -> bool {
    part == "__MACOSX" || part.starts_with("._") || part == ".DS_Store" || part == "Thumbs.db"
}

/// The topmost of `folders`, which are sorted, in which none of the files of `used` lies; both by their parts.
pub(super) fn without_data<'a>(folders: &'a [Vec<String>], used: &[&[String]]) -> Vec<&'a Vec<String>> {
    let mut used = used.to_vec();
    used.sort_unstable();
    let mut empty: Vec<&Vec<String>> = Vec::new();
    for folder in folders {
        // In order, what lies in a folder follows right behind it.
        let below = empty.last().is_some_and(|above| folder.starts_with(above));
        let first = used.partition_point(|parts| *parts < &folder[..]);
        if !below && !used.get(first).is_some_and(|parts| parts.starts_with(folder)) {
            empty.push(folder);
        }
    }
    empty
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_empty_folders_are_known() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b/1.csv", "a/2.csv", "a/1.csv", "a/._1.csv", "__MACOSX/a/1.csv"] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("c/d")).unwrap();
        let listing = walk(folder.path(), 3).unwrap();
        let names: Vec<String> = listing.files.iter().map(Found::name).collect();
        assert_eq!((names.join(" "), listing.junk), ("a/1.csv a/2.csv b/1.csv".to_owned(), 2));
        let used: Vec<&[String]> = listing.files[..2].iter().map(|file| &file.parts[..]).collect();
        assert_eq!(without_data(&listing.folders, &used), [&["b"][..], &["c"][..]]);
    }
}
