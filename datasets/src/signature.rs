//! What a file is by its first bytes, in words, for messages: a name may be wrong.

/// Beginnings of files, each with what it is.
const BEGINNINGS: [(&[u8], &str); 26] = [
    (b"MATLAB 7.3", "a MATLAB v7.3 file, which is HDF5"),
    (b"MATLAB 5.0", "a MATLAB v5 file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "an array of numpy (.npy)"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow IPC file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a RIFF file (WebP picture, AVI video or sound)"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x80\x02", "a pickle of Python"),
    (b"\x80\x03", "a pickle of Python"),
    (b"\x80\x04", "a pickle of Python"),
    (b"\x80\x05", "a pickle of Python"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML file"),
];

/// Bytes of a file that are looked at to tell text from other bytes.
const LOOKED_AT: usize = 512;

/// What `bytes` begin like, in words.
pub(crate) fn named(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        return "an empty file";
    }
    if let Some((_, name)) = BEGINNINGS.into_iter().find(|(start, _)| bytes.starts_with(start)) {
        return name;
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return "a tar archive";
    }
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    if start.iter().all(|byte| *byte == 0) {
        return "nothing but zero bytes";
    }
    match start.trim_ascii_start().first() {
        Some(b'{' | b'[') => "JSON",
        _ if start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)) => "text",
        _ => "bytes of an unknown format",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let mut tar = vec![0; 600];
        tar[0] = b'a';
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, name) in [
            (&b""[..], "an empty file"),
            (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file"),
            (b"\x93NUMPY\x01\0", "an array of numpy (.npy)"),
            (b" {\"a\": 1}", "JSON"),
            (b"[1]", "JSON"),
            (b"x,y\n1,2\n", "text"),
            (b"\x80\x04\x95", "a pickle of Python"),
            (b"\x01\x02\x03", "bytes of an unknown format"),
            (&[0; 40], "nothing but zero bytes"),
            (&tar, "a tar archive"),
        ] {
            assert_eq!(named(bytes), name);
        }
        for (start, name) in BEGINNINGS {
            assert_eq!(named(&[start, b"rest"].concat()), name);
        }
    }
}
