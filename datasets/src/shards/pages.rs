//! The headers of a column's pages, which say how much memory the decoder takes before it has seen a byte of the page.
//!
//! A header is a struct of Thrift's compact protocol; only its first three fields are looked at: type, bytes when unpacked,
//! bytes in the file. Source: `parquet.thrift` of Apache Parquet, and Thrift's `thrift-compact-protocol.md`.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Most bytes that a page may unpack to: 256 MiB. Writers make pages of about one MiB.
pub(super) const MOST_PAGE_BYTES: i64 = 256 << 20;
/// How deep a header's structs may nest; those of the format nest twice.
const MOST_DEPTH: usize = 8;

/// Types of the compact protocol.
mod kind {
    pub(super) const STOP: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

/// Checks the pages of the column in bytes `start..start + length` of `file`.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(file: &File, start: u64, length: u64) -> Result<(), String> {
    let seekable = file.try_clone().map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(seekable);
    let (mut at, end) = (start, start.saturating_add(length));
    while at < end {
        reader.seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
        let mut header = Header { bytes: (&mut reader).take(end - at), used: 0 };
        let [unpacked, packed] = header.sizes().map_err(|error| format!("has a page header that {error}"))?;
        if !(0..=MOST_PAGE_BYTES).contains(&unpacked) || packed < 0 {
            return Err(format!(
                "has a page of {packed} bytes that unpacks to {unpacked}; the most is {MOST_PAGE_BYTES}"
            ));
        }
        at = at.saturating_add(header.used).saturating_add(packed as u64);
    }
    Ok(())
}

/// A header that is being read.
struct Header<R> {
    bytes: R,
    used: u64,
}

type Step<T> = Result<T, &'static str>;

const ENDS: &str = "ends too early";
const UNKNOWN: &str = "cannot be read";

impl<R: Read> Header<R> {
    /// The bytes of the page when unpacked, and in the file; the whole header is read.
    fn sizes(&mut self) -> Step<[i64; 2]> {
        let mut sizes = [None; 2];
        let mut number = 0;
        while let Some((next, kind)) = self.field(number)? {
            number = next;
            match number {
                2 | 3 if kind == kind::I32 => sizes[number as usize - 2] = Some(self.integer()?),
                _ => self.skip(kind, 0)?,
            }
        }
        match sizes {
            [Some(unpacked), Some(packed)] => Ok([unpacked, packed]),
            _ => Err("states no size"),
        }
    }

    /// Number and type of the field behind field `before`; `None` at the struct's end.
    fn field(&mut self, before: i64) -> Step<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == kind::STOP {
            return Ok(None);
        }
        let number = match i64::from(head >> 4) {
            0 => self.integer()?,
            step => before.saturating_add(step),
        };
        Ok(Some((number, head & 15)))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Step<()> {
        if depth > MOST_DEPTH {
            return Err("nests too deep");
        }
        match kind {
            kind::TRUE | kind::FALSE => Ok(()),
            kind::BYTE => self.pass(1),
            kind::I16 | kind::I32 | kind::I64 => self.varint().map(|_| ()),
            kind::DOUBLE => self.pass(8),
            kind::BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            kind::LIST | kind::SET => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // A truth value of a list takes a byte, unlike one that is a field.
                let item = if (head & 15) <= kind::FALSE { kind::BYTE } else { head & 15 };
                (0..count).try_for_each(|_| self.skip(item, depth + 1))
            }
            kind::STRUCT => {
                let mut number = 0;
                while let Some((next, kind)) = self.field(number)? {
                    number = next;
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(UNKNOWN),
        }
    }

    fn pass(&mut self, length: u64) -> Step<()> {
        let passed = std::io::copy(&mut (&mut self.bytes).take(length), &mut std::io::sink());
        self.used += length;
        if passed.ok() == Some(length) { Ok(()) } else { Err(ENDS) }
    }

    fn byte(&mut self) -> Step<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte).map_err(|_| ENDS)?;
        self.used += 1;
        Ok(byte[0])
    }

    fn varint(&mut self) -> Step<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(UNKNOWN)
    }

    /// A signed integer in zigzag form.
    fn integer(&mut self) -> Step<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[u8]) -> Step<([i64; 2], u64)> {
        let mut header = Header { bytes, used: 0 };
        header.sizes().map(|sizes| (sizes, header.used))
    }

    #[test]
    fn a_header_is_read_to_its_end() {
        // Type 0; 300 and 100 bytes; a data page header with values, and statistics of a binary of 3 bytes; stop.
        let header = [0x15, 0, 0x15, 0xD8, 4, 0x15, 0xC8, 1, 0x2C, 0x15, 20, 0x4C, 0x18, 3, 1, 2, 3, 0, 0, 0];
        assert_eq!(sizes(&[&header[..], &[9; 9]].concat()), Ok(([300, 100], header.len() as u64)));
        for end in 0..header.len() {
            assert_eq!(sizes(&header[..end]), Err(ENDS), "{end}");
        }
        assert_eq!(sizes(&[0x15, 0, 0]), Err("states no size"));
        assert_eq!(sizes(&[0x15, 0, 0x15, 1, 0x15, 1, 0]), Ok(([-1, -1], 7)));
        // Structs within structs, and an integer without end.
        assert_eq!(sizes(&[0x1C; 100]), Err("nests too deep"));
        assert_eq!(
            sizes(&[0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]),
            Err(UNKNOWN)
        );
    }

    #[test]
    fn a_page_that_unpacks_to_more_than_memory_is_refused() {
        let file = tempfile::tempfile().unwrap();
        let page = |unpacked: &[u8]| [&[0x15, 0, 0x15][..], unpacked, &[0x15, 6, 0, 1, 2, 3]].concat();
        let checked = |bytes: &[u8]| {
            let mut writer = &file;
            writer.set_len(0).unwrap();
            writer.rewind().unwrap();
            std::io::Write::write_all(&mut writer, bytes).unwrap();
            check(&file, 0, bytes.len() as u64)
        };
        // 256 MiB, and two bytes more, in zigzag form.
        let (most, more) = ([0x80, 0x80, 0x80, 0x80, 2], [0x84, 0x80, 0x80, 0x80, 2]);
        assert_eq!(checked(&[page(&most), page(&[8])].concat()), Ok(()));
        let error = checked(&[page(&[8]), page(&more)].concat()).unwrap_err();
        assert_eq!(error, "has a page of 3 bytes that unpacks to 268435458; the most is 268435456");
        assert_eq!(checked(&[0x15, 0]), Err("has a page header that ends too early".to_owned()));
    }
}
