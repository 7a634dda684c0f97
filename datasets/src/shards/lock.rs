//! One writer a target: a lock that the system gives back when its holder ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::ShardError;

/// How often a lock is tried that others are about to give back.
const PATIENCE: u32 = 100;
/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether others may write the same target at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Nobody else.
    #[default]
    Alone,
    /// The other runs of an array, each with units of its own.
    Shared,
}

/// A lock on the file `path`, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Locks `path`, which is created. `target` is what the lock protects.
    ///
    /// # Errors
    /// [`ShardError::Locked`] when another run holds it, or the system refuses.
    pub(crate) fn take(path: &Path, access: Access, target: &Path) -> Result<Self, ShardError> {
        let failed = |error| ShardError::io("lock", path)(error);
        loop {
            let mut options = OpenOptions::new();
            let opened = options.read(true).append(true).create(true).open(path);
            let file = opened.map_err(failed)?;
            let taken = match access {
                Access::Alone => file.try_lock(),
                Access::Shared => file.try_lock_shared(),
            };
            match taken {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(path);
                    return Err(ShardError::Locked { holder, path: target.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Whoever held it may have removed the file between our opening and our locking it.
            let ours = file.metadata().map_err(failed)?;
            if fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                let mut lock = Self { file, path: path.to_owned() };
                if let Err(error) = lock.sign(access) {
                    if access == Access::Alone {
                        // It is ours, and the refusal is the error to report.
                        let _ = fs::remove_file(path);
                    }
                    return Err(failed(error));
                }
                return Ok(lock);
            }
        }
    }

    /// As [`take`](Self::take), but waits a moment for a holder that is about to end.
    pub(crate) fn wait(path: &Path, access: Access, target: &Path) -> Result<Self, ShardError> {
        let mut tries = 0;
        loop {
            match Self::take(path, access, target) {
                Err(ShardError::Locked { .. }) if tries < PATIENCE => std::thread::sleep(PAUSE),
                done => return done,
            }
            tries += 1;
        }
    }

    /// Lets others in who share.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn share(&self) -> Result<(), ShardError> {
        self.file.lock_shared().map_err(ShardError::io("lock", &self.path))
    }

    /// Writes who holds it.
    fn sign(&mut self, access: Access) -> std::io::Result<()> {
        if access == Access::Alone {
            self.file.set_len(0)?;
        }
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { String::new() } else { format!(" on {}", host.trim()) };
        writeln!(self.file, "process {}{host}", std::process::id())
    }
}

/// Who holds the lock `path`, and since when.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    let who = text.lines().last().filter(|_| read.is_ok()).unwrap_or("another process").to_owned();
    let since = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    match since.and_then(|time| SystemTime::now().duration_since(time).ok()) {
        Some(age) => format!("{who}, for {}", words(age)),
        None => who,
    }
}

/// `age` in one unit.
fn words(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_several_that_share() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("lock"), Path::new("people"));
        let first = Lock::take(&path, Access::Alone, target).unwrap();
        let message = Lock::take(&path, Access::Alone, target).unwrap_err().to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert!(message.contains("for 0 s") && message.ends_with("`people`"), "{message}");
        assert!(Lock::take(&path, Access::Shared, target).is_err());
        first.share().unwrap();
        let second = Lock::take(&path, Access::Shared, target).unwrap();
        assert!(Lock::take(&path, Access::Alone, target).is_err());
        drop((first, second));
        assert!(Lock::take(&path, Access::Alone, target).is_ok());
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("lock"), Path::new("people"));
        let first = Lock::take(&path, Access::Alone, target).unwrap();
        fs::remove_file(&path).unwrap();
        let second = Lock::take(&path, Access::Alone, target).unwrap();
        assert!(Lock::take(&path, Access::Alone, target).is_err());
        drop((first, second));
    }
}
