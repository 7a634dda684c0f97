//! Archives of made-up logs, sound and damaged.

use std::io::{Cursor, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An archive of `entries`; the same entries give the same bytes.
pub(super) fn packed<'a>(
    entries: impl Iterator<Item = (String, &'a [u8])>,
    deflated: bool,
) -> Result<Vec<u8>, ZipError> {
    let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let mut options = SimpleFileOptions::default().compression_method(method);
    if deflated {
        options = options.compression_level(Some(1));
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(name, options)?;
        } else {
            writer.start_file(name, options)?;
            writer.write_all(bytes)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}

/// Damages the middle of an entry.
pub(super) fn damage(zipped: &mut [u8], entry: &str) -> Result<(), ZipError> {
    let (start, length) = {
        let mut archive = ZipArchive::new(Cursor::new(&*zipped))?;
        let file = archive.by_name(entry)?;
        (file.data_start().unwrap_or(0), file.compressed_size())
    };
    let middle = (start + length / 2) as usize;
    zipped[middle..middle + 16].iter_mut().for_each(|byte| *byte = !*byte);
    Ok(())
}
