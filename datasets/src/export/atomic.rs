//! Targets that are either complete or absent.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ExportError;
use crate::hashing::HashingFile;
use crate::shards::WORK_FOLDER;

/// `target`, links followed.
pub(super) fn resolved(target: &Path) -> PathBuf {
    fs::canonicalize(target).unwrap_or_else(|_| target.to_owned())
}

/// The hidden folder beside `target` that holds it until it is whole.
pub(super) fn work_beside(target: &Path) -> PathBuf {
    let target = resolved(target);
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(WORK_FOLDER);
    target.with_file_name(name)
}

/// Where `target` is written, in a work folder that exists.
fn partial_path(target: &Path) -> Result<PathBuf, ExportError> {
    let work = work_beside(target);
    fs::create_dir_all(&work).map_err(ExportError::io("create the folder", &work))?;
    Ok(work.join("whole"))
}

/// A file that is written in the work folder beside its place.
#[derive(Debug)]
pub(super) struct AtomicFile {
    target: PathBuf,
    partial: PathBuf,
    file: HashingFile,
    done: bool,
}

impl AtomicFile {
    /// # Errors
    /// When `target` is a folder, or the system refuses.
    pub(super) fn create(target: &Path) -> Result<Self, ExportError> {
        if target.is_dir() {
            return Err(ExportError::NotOurs { path: target.to_owned() });
        }
        let partial = partial_path(target)?;
        let file = File::create(&partial).map_err(ExportError::io("create", &partial))?;
        Ok(Self { target: resolved(target), partial, file: HashingFile::new(file), done: false })
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn put(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), ExportError> {
        self.write_all(bytes.as_ref()).map_err(ExportError::io("write", &self.partial))
    }

    /// Adds `value` as JSON.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn put_json(&mut self, value: &impl serde::Serialize) -> Result<(), ExportError> {
        serde_json::to_writer(&mut self.file, value)
            .map_err(|error| ExportError::io("write", &self.partial)(io::Error::from(error)))
    }

    /// BLAKE3 of all bytes so far, in hexadecimal digits.
    pub(super) fn blake3(&self) -> String {
        self.file.blake3()
    }

    /// Brings all bytes to disk.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn close(&mut self) -> Result<(), ExportError> {
        self.file.sync().map_err(ExportError::io("write", &self.partial))
    }

    /// Moves the closed file to its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        fs::rename(&self.partial, &self.target).map_err(ExportError::io("complete", &self.target))?;
        self.done = true;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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

/// A folder that is written in the work folder beside its place.
#[derive(Debug)]
pub(super) struct AtomicFolder {
    target: PathBuf,
    partial: PathBuf,
    done: bool,
}

impl AtomicFolder {
    /// # Errors
    /// When `target` is a file, or the system refuses.
    pub(super) fn create(target: &Path) -> Result<Self, ExportError> {
        if target.is_file() {
            return Err(ExportError::NotOurs { path: target.to_owned() });
        }
        let partial = partial_path(target)?;
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(ExportError::io("remove stale work", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(ExportError::io("create the folder", &partial))?;
        Ok(Self { target: resolved(target), partial, done: false })
    }

    /// Where the folder stands while it is written.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// Moves the folder to its place.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        if self.target.exists() {
            let former = self.partial.with_file_name("former");
            fs::rename(&self.target, &former).map_err(ExportError::io("replace", &self.target))?;
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

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deep/x.json");
        let mut file = AtomicFile::create(&target).unwrap();
        file.put("half").unwrap();
        assert!(!target.exists());
        drop(file);
        assert_eq!(fs::read_dir(work_beside(&target)).unwrap().count(), 0);
        let mut file = AtomicFile::create(&target).unwrap();
        file.put_json(&[1]).unwrap();
        file.close().unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "[1]");
        drop(AtomicFile::create(&target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "[1]");
        assert!(matches!(AtomicFile::create(folder.path()), Err(ExportError::NotOurs { .. })));
        assert!(matches!(AtomicFolder::create(&target), Err(ExportError::NotOurs { .. })));
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        for name in ["old", "new"] {
            let begun = AtomicFolder::create(&target).unwrap();
            fs::write(begun.path().join(name), "").unwrap();
            begun.finish().unwrap();
        }
        assert!(target.join("new").exists() && !target.join("old").exists());
        let dropped = folder.path().join("y");
        drop(AtomicFolder::create(&dropped).unwrap());
        assert!(!dropped.exists());
    }
}
