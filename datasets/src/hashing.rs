//! A file that hashes what is written to it.

use std::fs::File;
use std::io::{BufWriter, Result, Write};

/// A file that is hashed while it is written.
#[derive(Debug)]
pub(crate) struct HashingFile {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl HashingFile {
    pub(crate) fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), hasher: blake3::Hasher::new(), bytes: 0 }
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// BLAKE3 of all bytes so far, in hexadecimal digits.
    pub(crate) fn blake3(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Brings all bytes to disk.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

impl Write for HashingFile {
    fn write(&mut self, data: &[u8]) -> Result<usize> {
        let written = self.file.write(data)?;
        self.hasher.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}
