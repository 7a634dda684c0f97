//! Bytes of a log as UTF-8 with line feeds: what other encodings and line ends become before lines are read.
//!
//! A log in UTF-8 with line feeds, with or without a byte order mark, is not touched.

use std::io::{self, Read};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes that are looked at before anything is read.
const LOOKED_AT: usize = 64 * 1024;
/// Bytes that are turned at once.
const PIECE: usize = 16 * 1024;

/// The encoding of a log. Without it, a log is UTF-8, or UTF-16 where it begins with its byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8, of which ASCII is a part.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Latin-1 with the letters that Windows-1252 has beyond it.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// The letters of Windows-1252 from 0x80 to 0x9f; the five that are none stay the control characters of Latin-1. Source: the
/// index `windows-1252` of the WHATWG Encoding Standard.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The letter of a byte of [`Encoding::Latin1`].
pub(super) fn latin1(byte: u8) -> char {
    if (0x80..0xa0).contains(&byte) { WINDOWS[usize::from(byte) - 0x80] } else { char::from(byte) }
}

/// `bytes` as text, to be compared or shown: those that are no UTF-8 are read as Latin-1.
pub(super) fn lenient(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| latin1(*byte)).collect(), str::to_owned)
}

/// `reader` as UTF-8 with line feeds.
///
/// # Errors
/// When the first bytes cannot be read.
pub(super) fn plain<'a>(
    mut reader: Box<dyn Read + 'a>,
    encoding: Option<Encoding>,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    reader.by_ref().take(LOOKED_AT as u64).read_to_end(&mut start)?;
    let marked = match &start[..] {
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => encoding,
    };
    let whole = Box::new(io::Cursor::new(start.clone()).chain(reader));
    let (turned, sample): (Box<dyn Read + 'a>, _) = match marked {
        None | Some(Encoding::Utf8) => (whole, start),
        Some(encoding) => {
            let mut sample = Vec::new();
            Turned::new(&start[..], encoding).read_to_end(&mut sample)?;
            (Box::new(Turned::new(whole, encoding)), sample)
        }
    };
    // The classic Mac OS ended lines by carriage returns alone.
    let returns = memchr::memchr(b'\n', &sample).is_none() && memchr::memchr(b'\r', &sample).is_some();
    // A line feed may still come behind a last carriage return.
    let returns = returns && memchr::memchr(b'\r', &sample) != Some(sample.len() - 1);
    Ok(if returns { Box::new(Returns(turned)) } else { turned })
}

/// Another encoding as UTF-8.
struct Turned<R> {
    reader: R,
    encoding: Encoding,
    /// Bytes that were read, and how many of them stand at the front and wait for more.
    bytes: Vec<u8>,
    waiting: usize,
    /// Text that was not handed on yet, from `at` on.
    text: String,
    at: usize,
}

impl<R: Read> Turned<R> {
    fn new(reader: R, encoding: Encoding) -> Self {
        Self { reader, encoding, bytes: vec![0; PIECE], waiting: 0, text: String::new(), at: 0 }
    }

    /// Reads and turns the next piece; nothing is left in `text` at the end.
    fn refill(&mut self) -> io::Result<()> {
        let fresh = loop {
            match self.reader.read(&mut self.bytes[self.waiting..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                fresh => break fresh?,
            }
        };
        let filled = self.waiting + fresh;
        self.text.clear();
        self.at = 0;
        if matches!(self.encoding, Encoding::Latin1 | Encoding::Utf8) {
            self.text.extend(self.bytes[..filled].iter().map(|byte| latin1(*byte)));
            return Ok(());
        }
        let big = self.encoding == Encoding::Utf16Be;
        let (pairs, _) = self.bytes[..filled].as_chunks::<2>();
        let mut units: Vec<u16> = pairs
            .iter()
            .map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) })
            .collect();
        // The first half of a pair waits for the second, and so does half a unit; at the end both are broken.
        if fresh > 0 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        let used = if fresh > 0 { 2 * units.len() } else { filled };
        self.text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        self.bytes.copy_within(used..filled, 0);
        self.waiting = filled - used;
        Ok(())
    }
}

impl<R: Read> Read for Turned<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            let waited = self.waiting;
            self.refill()?;
            if self.text.is_empty() && self.waiting <= waited {
                return Ok(0);
            }
        }
        let left = &self.text.as_bytes()[self.at..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

/// Carriage returns as line feeds.
struct Returns<'a>(Box<dyn Read + 'a>);

impl Read for Returns<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        buffer[..count].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A reader of a few bytes at a time.
    struct Few<'a>(&'a [u8], usize);

    impl Read for Few<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: &[u8], encoding: Option<Encoding>) -> Vec<u8> {
        let mut all = Vec::new();
        plain(Box::new(bytes), encoding).unwrap().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn encodings_and_line_ends_become_plain() {
        let text = "t;größe €\r\n1;2\r\n";
        let units = |big: bool| -> Vec<u8> {
            let turned = text
                .encode_utf16()
                .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
            turned.collect()
        };
        let marked = format!("\u{feff}{text}");
        assert_eq!(read(&[&[0xff, 0xfe], &units(false)[..]].concat(), None), marked.as_bytes());
        assert_eq!(read(&[&[0xfe, 0xff], &units(true)[..]].concat(), None), marked.as_bytes());
        assert_eq!(read(&units(false), Some(Encoding::Utf16Le)), text.as_bytes());
        assert_eq!(read(&units(true), Some(Encoding::Utf16Be)), text.as_bytes());
        assert_eq!(read(b"t;gr\xf6\xdfe \x80\r\n1;2\r\n", Some(Encoding::Latin1)), text.as_bytes());
        assert_eq!(read(b"a\rb\rc", None), b"a\nb\nc");
        for same in [&b"a\r\nb\r\n"[..], b"", b"a", b"\xff\xfd", text.as_bytes(), b"a\r"] {
            assert_eq!(read(same, None), same);
        }
        // What breaks off is shown as such.
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, 0x3d, 0xd8, b'b'], None), "\u{feff}a\u{fffd}".as_bytes());
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same(text in "\\PC{0,60}", size in 1_usize..9) {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut all = Vec::new();
            Turned::new(Few(&bytes, size), Encoding::Utf16Le).read_to_end(&mut all).unwrap();
            prop_assert_eq!(String::from_utf8(all).unwrap(), text);
        }
    }
}
