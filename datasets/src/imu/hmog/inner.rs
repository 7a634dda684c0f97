//! Archives inside an archive.
//!
//! A stored one is read where it lies in the outer file. A deflated one is unpacked to memory: once for all its
//! sessions, shared by the threads that load them, and given up after the last or when a few others came after it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::unpack::{Bounded, as_io, unpacked};
use crate::files;

/// Subjects whose archive stays in memory: the one whose sessions are being loaded, and the next.
const KEPT_SUBJECTS: usize = 2;
/// The longest archive of one subject, unpacked from the outer one, bytes.
pub(super) const MOST_SUBJECT_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// The bytes of deflated archives that are in memory now.
#[derive(Debug, Default)]
pub(super) struct Kept {
    recent: Mutex<VecDeque<Arc<Slot>>>,
}

/// The bytes of one, while they are needed.
#[derive(Debug, Default)]
struct Slot {
    bytes: Mutex<Option<Arc<[u8]>>>,
    /// Sessions that were read since the bytes came.
    read: Mutex<usize>,
}

/// A deflated archive inside another one.
#[derive(Debug)]
pub(super) struct Deflated {
    pub(super) outer: PathBuf,
    /// The name of the entry, as it stands in the outer archive.
    pub(super) entry: Vec<u8>,
    kept: Arc<Kept>,
    slot: Arc<Slot>,
}

impl Deflated {
    pub(super) fn new(outer: PathBuf, entry: Vec<u8>, kept: &Arc<Kept>) -> Self {
        Self { outer, entry, kept: Arc::clone(kept), slot: Arc::default() }
    }

    /// The bytes, unpacked now or still in memory.
    ///
    /// # Errors
    /// When the outer archive cannot be read, or the entry is corrupt, beyond [`MOST_SUBJECT_BYTES`], or beyond what its
    /// packed bytes may unpack to.
    pub(super) fn bytes(&self) -> io::Result<Arc<[u8]>> {
        let mut held = lock(&self.slot.bytes);
        if let Some(bytes) = held.as_ref() {
            return Ok(Arc::clone(bytes));
        }
        let file = files::open(&self.outer)?;
        let length = file.metadata()?.len();
        let mut outer = zip::ZipArchive::new(io::BufReader::new(file)).map_err(as_io)?;
        let entry = unpacked(&mut outer, &self.entry)?;
        let most = files::unpacked_limit(entry.compressed_size().min(length)).min(MOST_SUBJECT_BYTES);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(entry.size().min(most) as usize)?;
        Bounded::new(entry, most).read_to_end(&mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        *held = Some(Arc::clone(&bytes));
        // The lock of this slot goes before that of another one is taken.
        drop(held);
        let mut recent = lock(&self.kept.recent);
        recent.push_back(Arc::clone(&self.slot));
        let old = if recent.len() > KEPT_SUBJECTS { recent.pop_front() } else { None };
        drop(recent);
        if let Some(old) = old {
            *lock(&old.bytes) = None;
        }
        Ok(bytes)
    }

    /// Says that one of `sessions` sessions has been read.
    pub(super) fn session_done(&self, sessions: usize) {
        let mut read = lock(&self.slot.read);
        *read += 1;
        if *read >= sessions {
            *read = 0;
            drop(read);
            self.forget();
        }
    }

    /// Gives the bytes up; who reads them now keeps them until then.
    pub(super) fn forget(&self) {
        *lock(&self.slot.bytes) = None;
        lock(&self.kept.recent).retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

/// The value, whatever a panic elsewhere left: each of these locks guards a value that is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A part of a file, read as a file.
#[derive(Debug)]
pub(super) struct Section {
    file: File,
    start: u64,
    length: u64,
    at: u64,
}

impl Section {
    /// The `length` bytes of `file` from `start` on.
    pub(super) fn new(mut file: File, start: u64, length: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, length, at: 0 })
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.length.saturating_sub(self.at).min(buffer.len() as u64) as usize;
        let count = self.file.read(&mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before =
            || io::Error::new(io::ErrorKind::InvalidInput, "a place before the start of the archive");
        let at = at.ok_or_else(before)?;
        self.file.seek(SeekFrom::Start(self.start.checked_add(at).ok_or_else(before)?))?;
        self.at = at;
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn bytes_stay_while_they_are_needed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = zip::ZipWriter::new(file.reopen().unwrap());
        for name in ["a", "b", "c"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let kept = Arc::default();
        let all = ["a", "b", "c"].map(|name| Deflated::new(file.path().to_owned(), name.into(), &kept));
        let held = || all.iter().filter(|one| lock(&one.slot.bytes).is_some()).count();
        assert_eq!((all[0].bytes().unwrap().as_ref(), held()), (&b"a"[..], 1));
        let first = all[0].bytes().unwrap();
        all[0].session_done(2);
        assert_eq!(held(), 1);
        all[0].session_done(2);
        assert_eq!((held(), first.as_ref()), (0, &b"a"[..]));
        for one in &all {
            one.bytes().unwrap();
        }
        assert_eq!((held(), lock(&all[0].slot.bytes).is_none()), (2, true));
        assert!(Deflated::new(file.path().to_owned(), "d".into(), &kept).bytes().is_err());
    }

    #[test]
    fn a_section_is_a_file_of_its_own() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut section = Section::new(file, 3, 4).unwrap();
        let mut text = String::new();
        section.read_to_string(&mut text).unwrap();
        assert_eq!(text, "3456");
        assert_eq!(section.seek(SeekFrom::End(-1)).unwrap(), 3);
        text.clear();
        section.read_to_string(&mut text).unwrap();
        assert_eq!(text, "6");
        assert!(section.seek(SeekFrom::Current(-9)).is_err());
    }
}
