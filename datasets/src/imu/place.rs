//! Where a log lies: in a file, packed by gzip or not, or in an archive.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::hmog::unpack::{Bounded, as_io, unpacked};
use super::listing::is_junk;
use crate::files;

/// The first bytes of what gzip packed. Source: RFC 1952, section 2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The longest log that is unpacked, bytes; one of an hour at 100 Hz has about 25 million.
const MOST_LOG_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// The most entries of an archive of logs.
const MOST_ENTRIES: usize = 1_000_000;

/// Where a log lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file of its own.
    File(PathBuf),
    /// An entry of an archive, by its name there.
    Entry(PathBuf, Vec<u8>),
}

impl Place {
    /// The file that holds it.
    pub(super) fn file(&self) -> &Path {
        match self {
            Self::File(path) | Self::Entry(path, _) => path,
        }
    }

    /// Hands its bytes to `take`, unpacked. The errors are those of the system, of damaged bytes, and of `take`.
    ///
    /// # Errors
    /// As said.
    pub(super) fn read<T>(&self, take: impl FnOnce(Box<dyn Read + '_>) -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::File(path) => {
                let file = files::open(path)?;
                let length = file.metadata()?.len();
                take(gunzipped(Box::new(file), length)?)
            }
            Self::Entry(path, name) => {
                let mut archive = archive(path)?;
                let entry = unpacked(&mut archive, name)?;
                let packed = entry.compressed_size();
                let most = files::unpacked_limit(packed).min(MOST_LOG_BYTES);
                take(gunzipped(Box::new(Bounded::new(entry, most)), packed)?)
            }
        }
    }
}

/// An entry of an archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    /// Its path in the archive, by parts.
    pub(super) parts: Vec<String>,
    /// Its length, unpacked, as the archive says.
    pub(super) bytes: u64,
}

/// What an archive holds: files with a path inside it, how many are litter of a file manager, and the names of those whose
/// path leaves the archive.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) files: Vec<Entry>,
    pub(super) junk: usize,
    pub(super) leaving: Vec<String>,
}

/// What lies in the archive `path`.
///
/// # Errors
/// When it cannot be read, or is no archive.
pub(super) fn entries(path: &Path) -> io::Result<Entries> {
    let mut archive = archive(path)?;
    if archive.len() > MOST_ENTRIES {
        let told = format!("it has {} entries; the most is {MOST_ENTRIES}", archive.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, told));
    }
    let mut found = Entries::default();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(as_io)?;
        if entry.is_dir() {
            continue;
        }
        let shown = entry.name().map_err(as_io)?.replace('\\', "/");
        let parts: Vec<String> = shown.split('/').filter(|part| *part != ".").map(str::to_owned).collect();
        if parts.iter().any(|part| is_junk(part)) {
            found.junk += 1;
        } else if parts.iter().any(|part| part.is_empty() || part == "..") || entry.enclosed_name().is_none()
        {
            found.leaving.push(shown);
        } else {
            found.files.push(Entry { name: entry.name_raw().to_vec(), parts, bytes: entry.size() });
        }
    }
    Ok(found)
}

/// Whether the file `path` is an archive by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_archive(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    files::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"PK\x03\x04" || start == b"PK\x05\x06")
}

fn archive(path: &Path) -> io::Result<ZipArchive<BufReader<File>>> {
    ZipArchive::new(BufReader::new(files::open(path)?)).map_err(as_io)
}

/// `reader`, of `length` bytes, unpacked if gzip packed it.
fn gunzipped<'a>(mut reader: Box<dyn Read + 'a>, length: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
    let packed = start == GZIP;
    let whole = io::Cursor::new(start).chain(reader);
    if !packed {
        return Ok(Box::new(whole));
    }
    let most = files::unpacked_limit(length).min(MOST_LOG_BYTES);
    Ok(Box::new(Bounded::new(MultiGzDecoder::new(whole), most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn text(place: &Place) -> io::Result<String> {
        place.read(|mut reader| {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        })
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn logs_are_unpacked_wherever_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let packed = gzip(b"a,b\n");
        std::fs::write(path("a.csv"), "a,b\n").unwrap();
        std::fs::write(path("a.csv.gz"), [&packed[..], &packed[..]].concat()).unwrap();
        std::fs::write(path("half.gz"), &packed[..packed.len() - 6]).unwrap();
        std::fs::write(path("one"), "1").unwrap();
        let mut writer = zip::ZipWriter::new(File::create(path("a.zip")).unwrap());
        for (name, bytes) in
            [("x/a.csv", &b"a,b\n"[..]), ("x/b.csv.gz", &packed), ("__MACOSX/a", b"x"), ("../c.csv", b"x")]
        {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(text(&Place::File(path("a.csv"))).unwrap(), "a,b\n");
        assert_eq!(text(&Place::File(path("a.csv.gz"))).unwrap(), "a,b\na,b\n");
        assert_eq!(text(&Place::File(path("one"))).unwrap(), "1");
        assert!(text(&Place::File(path("half.gz"))).is_err());
        let found = entries(&path("a.zip")).unwrap();
        assert_eq!((found.junk, found.leaving), (1, vec!["../c.csv".to_owned()]));
        let names: Vec<String> = found.files.iter().map(|entry| entry.parts.join("/")).collect();
        assert_eq!(names, ["x/a.csv", "x/b.csv.gz"]);
        for entry in found.files {
            assert_eq!(text(&Place::Entry(path("a.zip"), entry.name)).unwrap(), "a,b\n");
        }
        assert!(is_archive(&path("a.zip")).unwrap() && !is_archive(&path("a.csv")).unwrap());
        assert!(entries(&path("a.csv")).is_err());
    }
}
