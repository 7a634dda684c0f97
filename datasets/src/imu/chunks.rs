//! Files in pieces of whole lines: memory is bounded by the size of a piece, however long the file is.

use std::io::{self, Read};

/// Bytes of a piece: it stays in a core's second-level cache while it is parsed.
const CHUNK_BYTES: usize = 256 * 1024;
/// The longest line that a log can have, bytes; a longer one is skipped to its end.
pub(super) const MOST_LINE_BYTES: usize = 1024 * 1024;

/// A piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Whole lines; only the last one of the file may lack its end.
    Lines(&'a [u8]),
    /// One line beyond [`MOST_LINE_BYTES`], skipped.
    TooLong,
}

/// Hands all of `reader` to `take`, in order, without a byte order mark; gives the number of bytes read.
pub(super) fn each_piece(reader: &mut dyn Read, mut take: impl FnMut(Piece<'_>)) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut kept, mut total, mut skipping) = (0, 0u64, false);
    loop {
        let fresh = fill(reader, &mut buffer[kept..])?;
        let ended = kept + fresh < buffer.len();
        let first = total == 0;
        total += fresh as u64;
        let mut bytes = &buffer[..kept + fresh];
        if first {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if skipping {
            match memchr::memchr(b'\n', bytes) {
                Some(end) => (bytes, skipping) = (&bytes[end + 1..], false),
                None => bytes = &[],
            }
        }
        let whole = if ended { bytes.len() } else { memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1) };
        if whole > 0 {
            take(Piece::Lines(&bytes[..whole]));
        }
        if ended {
            return Ok(total);
        }
        let (rest, end) = (bytes.len() - whole, kept + fresh);
        buffer.copy_within(end - rest..end, 0);
        kept = rest;
        if kept >= MOST_LINE_BYTES {
            take(Piece::TooLong);
            (kept, skipping) = (0, true);
        } else if kept == buffer.len() {
            buffer.resize(2 * kept, 0);
        }
    }
}

/// Reads until `buffer` is full or the file ends.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines and, as `None`, skipped ones.
    fn lines(text: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut found = Vec::new();
        let read = each_piece(&mut &text[..], |piece| match piece {
            Piece::Lines(bytes) => {
                found.extend(bytes.split_inclusive(|b| *b == b'\n').map(|l| Some(l.to_vec())));
            }
            Piece::TooLong => found.push(None),
        });
        assert_eq!(read.unwrap(), text.len() as u64);
        found
    }

    #[test]
    fn pieces_join_to_the_file() {
        for length in [0, 1, 99, 70_000, CHUNK_BYTES - 1] {
            let line = [vec![b'x'; length], vec![b'\n']].concat();
            let text = [line.repeat(600_000 / line.len() + 2), b"end".to_vec()].concat();
            let found = lines(&text);
            assert!(found.iter().all(Option::is_some));
            assert_eq!(found.iter().flatten().flatten().copied().collect::<Vec<u8>>(), text, "{length}");
            assert_eq!(found.len(), text.split(|b| *b == b'\n').count());
        }
    }

    #[test]
    fn a_line_without_end_is_skipped_and_the_next_ones_are_read() {
        let text = [&b"\xef\xbb\xbfa\n"[..], &vec![b'x'; 3 * MOST_LINE_BYTES], b"\nb\n"].concat();
        assert_eq!(lines(&text), [Some(b"a\n".to_vec()), None, Some(b"b\n".to_vec())]);
        assert!(lines(b"").is_empty() && lines(b"\xef\xbb\xbf").is_empty());
    }
}
