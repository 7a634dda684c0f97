//! The hidden folder of a target that is being written: a mark that says which work it is, a lock, and files that
//! are not whole yet.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{Access, Lock};
use super::{Provenance, ShardError};

/// Name of the folder in a table that is being written.
pub const WORK_FOLDER: &str = ".motionmill";

const MARK: &str = "mark.json";
const LOCK: &str = "lock";

/// Which work a target is being written by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    /// What makes the target.
    pub provenance: Provenance,
    /// Whether an array of runs has begun it.
    #[serde(default)]
    pub shared: bool,
}

/// The work folder of one target, locked.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    lock: Lock,
    alone: bool,
}

impl WorkFolder {
    /// Takes the work folder `path` of `target`.
    ///
    /// # Errors
    /// When another run works there, or the system refuses.
    pub(crate) fn take(path: &Path, target: &Path, access: Access) -> Result<Self, ShardError> {
        if path.is_symlink() {
            return Err(ShardError::Foreign { what: "it is a link", path: path.to_owned() });
        }
        let lock = path.join(LOCK);
        // Another run that ends removes the folder between these two steps.
        for _ in 0..10 {
            fs::create_dir_all(path).map_err(ShardError::io("create the folder", path))?;
            match take_lock(&lock, access, target) {
                Err(ShardError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                Ok((lock, alone)) => return Ok(Self { path: path.to_owned(), lock, alone }),
                Err(refused) => {
                    // Whatever another run has in it keeps it.
                    let _ = fs::remove_dir(path);
                    return Err(refused);
                }
            }
        }
        Err(ShardError::Locked { holder: "several processes".to_owned(), path: target.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nobody else can be at work in it.
    pub(crate) fn alone(&self) -> bool {
        self.alone
    }

    /// Lets the other runs of an array in.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn share(&mut self) -> Result<(), ShardError> {
        self.alone = false;
        self.lock.share()
    }

    /// The mark, or `None` where there is none yet.
    pub(crate) fn mark(&self) -> Option<Mark> {
        mark_of(&self.path)
    }

    /// Sets the mark.
    ///
    /// # Errors
    /// When the system refuses.
    fn set_mark(&self, mark: &Mark) -> Result<(), ShardError> {
        let text = serde_json::to_string_pretty(mark).expect("a mark is plain data");
        replace_file(&self.path.join(MARK), text.as_bytes())?;
        sync_folder(&self.path)
    }

    /// Itself, with `mark`. Where that cannot be written, the folder is removed.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn marked(self, mark: &Mark) -> Result<Self, ShardError> {
        match self.set_mark(mark) {
            Ok(()) => Ok(self),
            Err(refused) => {
                // The refusal is the error to report.
                let _ = self.remove();
                Err(refused)
            }
        }
    }

    /// Removes everything in the folder besides lock and mark.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn clear(&self) -> Result<(), ShardError> {
        for entry in fs::read_dir(&self.path).map_err(ShardError::io("list", &self.path))? {
            let path = entry.map_err(ShardError::io("list", &self.path))?.path();
            if path.file_name().is_some_and(|name| name != MARK && name != LOCK) {
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(ShardError::io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Removes the folder; the mark goes last but for the lock, so that a kill on the way leaves it ours.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn remove(self) -> Result<(), ShardError> {
        self.clear()?;
        for name in [MARK, LOCK] {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ShardError::io("remove", &self.path)(error));
                }
                _ => {}
            }
        }
        match fs::remove_dir(&self.path) {
            // A run that was about to be refused may have put its own lock there.
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed.map_err(ShardError::io("remove", &self.path)),
        }
    }
}

/// The mark in the work folder `path`, if there is one.
pub(crate) fn mark_of(path: &Path) -> Option<Mark> {
    serde_json::from_slice(&fs::read(path.join(MARK)).ok()?).ok()
}

/// The lock, and whether it is held alone: of runs that share it, the first has it alone until it lets others in.
fn take_lock(path: &Path, access: Access, target: &Path) -> Result<(Lock, bool), ShardError> {
    match Lock::take(path, Access::Alone, target) {
        Err(ShardError::Locked { .. }) if access == Access::Shared => {
            Ok((Lock::wait(path, access, target)?, false))
        }
        taken => Ok((taken?, true)),
    }
}

/// Writes `bytes` to `path`, in a folder of our own, so that a reader sees the old file or the new one, whole.
///
/// # Errors
/// When the system refuses.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ShardError> {
    replace_by_way_of(path.parent().unwrap_or(Path::new(".")), path, bytes)
}

/// As [`replace_file`], by way of a file in `work`, so that a kill leaves nothing beside `path`.
pub(crate) fn replace_by_way_of(work: &Path, path: &Path, bytes: &[u8]) -> Result<(), ShardError> {
    use std::io::Write;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = work.join(name);
    let mut file = fs::File::create(&fresh).map_err(ShardError::io("create", &fresh))?;
    file.write_all(bytes).map_err(ShardError::io("write", &fresh))?;
    file.sync_all().map_err(ShardError::io("write", &fresh))?;
    fs::rename(&fresh, path).map_err(ShardError::io("replace", path))
}

/// Brings the entries of the folder `path` to disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), ShardError> {
    let folder = fs::File::open(path).map_err(ShardError::io("open", path))?;
    folder.sync_all().map_err(ShardError::io("write", path))
}
