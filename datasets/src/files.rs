//! Files of others: opened only if they are files, and believed only as far as their length goes.
//!
//! Opening a FIFO waits for a writer that may never come, and reading a device never ends. So everything that a source, a
//! plan or a table names is opened here.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Bytes that a compressed file of any length may unpack to: 16 MiB.
const UNPACKED: u64 = 16 << 20;
/// How many times more than its length a compressed file may unpack to. Annotations and logs shrink 3 to 20 times, deflate at
/// most 1,032 times.
const UNPACKED_TIMES: u64 = 50;

/// Most bytes that a compressed file of `length` bytes may unpack to: 16 MiB and 50 times its length.
pub fn unpacked_limit(length: u64) -> u64 {
    UNPACKED.saturating_add(length.saturating_mul(UNPACKED_TIMES))
}

/// Opens the file `path` for reading.
///
/// # Errors
/// When the system refuses, or there is something that is no regular file: a folder, FIFO, socket or device.
pub fn open(path: &Path) -> io::Result<File> {
    check(fs::metadata(path)?.file_type())?;
    let file = OpenOptions::new().read(true).open(path)?;
    // What is there may have been exchanged since.
    check(file.metadata()?.file_type())?;
    Ok(file)
}

/// All bytes of the file `path`.
///
/// # Errors
/// As [`open`], or when there is no memory for them.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(|_| ErrorKind::OutOfMemory)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of the file `path`.
///
/// # Errors
/// As [`read`], or when it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// Whether the name of `path` ends with `.ending`, in any case.
pub(crate) fn ends_with(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

fn check(kind: FileType) -> io::Result<()> {
    match name(kind) {
        None => Ok(()),
        Some(name) if kind.is_dir() => {
            Err(io::Error::new(ErrorKind::IsADirectory, format!("it is {name}, not a file")))
        }
        Some(name) => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {name}, not a file"))),
    }
}

/// What `kind` is in words; `None` for a regular file.
fn name(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a FIFO");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        fs::write(&file, "words").unwrap();
        assert_eq!(read(&file).unwrap(), b"words");
        assert_eq!(read_to_string(&file).unwrap(), "words");
        let error = open(folder.path()).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::IsADirectory, "it is a folder, not a file")
        );
        assert_eq!(open(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
        fs::write(&file, [0xFF]).unwrap();
        assert_eq!(read_to_string(&file).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let zero = Path::new("/dev/zero");
        for (path, what) in [(&*fifo, "FIFO"), (&*link, "FIFO"), (&*socket, "socket"), (zero, "device")] {
            let expected = format!("it is a {what}, not a file");
            assert_eq!(open(path).unwrap_err().to_string(), expected);
            assert_eq!(read(path).unwrap_err().to_string(), expected);
        }
    }
}
