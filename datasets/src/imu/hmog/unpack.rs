//! Unpacking entries of an archive, within bounds.

use std::io::{self, Read, Seek};

use zip::ZipArchive;

/// The entry of that name, which unpacks as it is read.
///
/// # Errors
/// When there is none, or it is packed in a way that we cannot read.
pub(in crate::imu) fn unpacked<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    name: &[u8],
) -> io::Result<zip::read::ZipFile<'a, R>> {
    let index = archive.index_for_name_raw(name).ok_or(io::ErrorKind::InvalidData)?;
    archive.by_index(index).map_err(as_io)
}

/// Whether an error tells of the bytes, not of the machine.
pub(in crate::imu) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof | Other | FileTooLarge)
}

/// A reader that fails beyond a number of bytes: an archive may promise little and unpack to terabytes.
#[derive(Debug)]
pub(in crate::imu) struct Bounded<R> {
    reader: R,
    left: u64,
    most: u64,
}

impl<R: Read> Bounded<R> {
    /// Of at most `most` bytes.
    pub(in crate::imu) fn new(reader: R, most: u64) -> Self {
        Self { reader, left: most, most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it unpacks to more than {} bytes", self.most),
            )
        })?;
        Ok(count)
    }
}

/// A zip error as one of reading.
pub(in crate::imu) fn as_io(error: zip::result::ZipError) -> io::Error {
    match error {
        zip::result::ZipError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_too_much_fails() {
        let mut text = Vec::new();
        assert_eq!(Bounded::new(&[7u8; 100][..], 100).read_to_end(&mut text).unwrap(), 100);
        let error = Bounded::new(io::repeat(7), 1000).read_to_end(&mut text).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
