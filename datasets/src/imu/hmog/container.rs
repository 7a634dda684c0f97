//! Where logs lie: a folder, an archive, or an archive inside one.

use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::inner::{Deflated, Section};
use super::unpack::{Bounded, as_io, is_damage, unpacked};
use crate::{ReadError, files};

/// The longest log in an archive, bytes; a log of an hour at 100 Hz has about 25 million.
const MOST_LOG_BYTES: u64 = 1024 * 1024 * 1024;

/// Where logs lie.
#[derive(Debug)]
pub(super) enum Container {
    /// A folder; entries are paths.
    Folder(PathBuf),
    /// An archive.
    Zip(PathBuf),
    /// An archive stored in another one, with the place of its first byte and its length.
    Stored(PathBuf, u64, u64),
    /// An archive deflated in another one.
    Deflated(Deflated),
}

/// What an archive can be read from.
pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// An archive, wherever it lies.
pub(super) type Archive = ZipArchive<Box<dyn ReadSeek>>;

impl Container {
    /// The file that holds it all.
    pub(super) fn file(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Zip(path) | Self::Stored(path, ..) => path,
            Self::Deflated(deflated) => &deflated.outer,
        }
    }

    /// The archive; a folder is none.
    ///
    /// # Errors
    /// When it cannot be read, or is no archive.
    pub(super) fn archive(&self) -> io::Result<Archive> {
        let reader: Box<dyn ReadSeek> = match self {
            Self::Folder(_) => return Err(io::ErrorKind::IsADirectory.into()),
            Self::Zip(path) => Box::new(BufReader::new(files::open(path)?)),
            Self::Stored(path, start, length) => {
                Box::new(BufReader::new(Section::new(files::open(path)?, *start, *length)?))
            }
            Self::Deflated(deflated) => Box::new(Cursor::new(deflated.bytes()?)),
        };
        ZipArchive::new(reader).map_err(as_io)
    }

    /// Hands the entry called `entry` and its length to `take`; the inner error is that of a damaged entry.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn read<T>(
        &self,
        entry: &[u8],
        take: impl FnOnce(&mut dyn Read, u64) -> io::Result<T>,
    ) -> Result<Result<T, io::Error>, ReadError> {
        let done = if let Self::Folder(folder) = self {
            let path = folder.join(String::from_utf8_lossy(entry).as_ref());
            let open = |path: &Path| {
                let file = files::open(path)?;
                let bytes = file.metadata()?.len();
                Ok((file, bytes))
            };
            let (mut file, bytes) = open(&path).map_err(|source| ReadError::io(&path, source))?;
            return Ok(Ok(take(&mut file, bytes).map_err(|source| ReadError::io(&path, source))?));
        } else {
            self.archive().and_then(|mut archive| {
                let file = unpacked(&mut archive, entry)?;
                let most = files::unpacked_limit(file.compressed_size()).min(MOST_LOG_BYTES);
                let bytes = file.size().min(most);
                take(&mut Bounded::new(file, most), bytes)
            })
        };
        match done {
            Err(error) if !is_damage(&error) => Err(ReadError::io(self.file(), error)),
            done => Ok(done),
        }
    }
}
