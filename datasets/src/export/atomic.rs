//! Targets that are complete or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::ExportError;

/// The file in an exported folder that says what it is; a folder without it is never replaced.
pub const EXPORT_FILE: &str = "export.json";

fn partial_path(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    target.with_file_name(name)
}

fn make_parent(target: &Path) -> Result<(), ExportError> {
    match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::create_dir_all(parent).map_err(ExportError::io("create the folder", parent)),
        None => Ok(()),
    }
}

/// A file that is written beside its place.
#[derive(Debug)]
pub(super) struct AtomicFile {
    target: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    done: bool,
}

impl AtomicFile {
    /// # Errors
    /// When `target` is there and `overwrite` is not set, or the system refuses.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self, ExportError> {
        if target.is_dir() {
            return Err(ExportError::NotOurs { path: target.to_owned() });
        }
        if target.exists() && !overwrite {
            return Err(ExportError::Exists { path: target.to_owned() });
        }
        make_parent(target)?;
        let partial = partial_path(target);
        let file = File::create(&partial).map_err(ExportError::io("create", &partial))?;
        Ok(Self { target: target.to_owned(), partial, file: BufWriter::new(file), done: false })
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn put(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), ExportError> {
        self.file.write_all(bytes.as_ref()).map_err(ExportError::io("write", &self.partial))
    }

    /// Adds `value` as JSON.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn put_json(&mut self, value: &impl serde::Serialize) -> Result<(), ExportError> {
        serde_json::to_writer(&mut self.file, value)
            .map_err(|error| ExportError::io("write", &self.partial)(io::Error::from(error)))
    }

    /// Moves the file to its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self) -> Result<(), ExportError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(ExportError::io("write", &self.partial))?;
        fs::rename(&self.partial, &self.target).map_err(ExportError::io("complete", &self.target))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    /// Removes what was begun; nothing can be reported from here.
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// A folder that is written beside its place.
#[derive(Debug)]
pub(super) struct AtomicFolder {
    target: PathBuf,
    partial: PathBuf,
    done: bool,
}

impl AtomicFolder {
    /// # Errors
    /// When `target` holds something and `overwrite` is not set or no export made it, or the system refuses.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self, ExportError> {
        let empty = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
        if target.exists() && !empty {
            if !target.join(EXPORT_FILE).is_file() {
                return Err(ExportError::NotOurs { path: target.to_owned() });
            }
            if !overwrite {
                return Err(ExportError::Exists { path: target.to_owned() });
            }
        }
        make_parent(target)?;
        let partial = partial_path(target);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(ExportError::io("remove stale work", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(ExportError::io("create the folder", &partial))?;
        Ok(Self { target: target.to_owned(), partial, done: false })
    }

    /// Where the folder stands while it is written.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Writes `about` to [`EXPORT_FILE`] and moves the folder to its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self, about: &Json) -> Result<(), ExportError> {
        let file = self.partial.join(EXPORT_FILE);
        fs::write(&file, format!("{about:#}\n")).map_err(ExportError::io("write", &file))?;
        if self.target.exists() {
            fs::remove_dir_all(&self.target).map_err(ExportError::io("replace", &self.target))?;
        }
        fs::rename(&self.partial, &self.target).map_err(ExportError::io("complete", &self.target))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for AtomicFolder {
    /// Removes what was begun; nothing can be reported from here.
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/x.json");
        let mut file = AtomicFile::create(&target, false).unwrap();
        file.put("half").unwrap();
        assert!(!target.exists());
        drop(file);
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 0);
        let mut file = AtomicFile::create(&target, false).unwrap();
        file.put_json(&json!([1])).unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "[1]");
        assert!(matches!(AtomicFile::create(&target, false), Err(ExportError::Exists { .. })));
        drop(AtomicFile::create(&target, true).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "[1]");
        assert!(matches!(AtomicFile::create(folder.path(), true), Err(ExportError::NotOurs { .. })));
    }

    #[test]
    fn only_an_exported_folder_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        let begun = AtomicFolder::create(&target, false).unwrap();
        fs::write(begun.path().join("old"), "").unwrap();
        begun.finish(&json!({})).unwrap();
        assert!(matches!(AtomicFolder::create(&target, false), Err(ExportError::Exists { .. })));
        AtomicFolder::create(&target, true).unwrap().finish(&json!({})).unwrap();
        assert!(!target.join("old").exists());
        fs::remove_file(target.join(EXPORT_FILE)).unwrap();
        fs::write(target.join("thesis.tex"), "").unwrap();
        assert!(matches!(AtomicFolder::create(&target, true), Err(ExportError::NotOurs { .. })));
        drop(AtomicFolder::create(&folder.path().join("y"), false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
