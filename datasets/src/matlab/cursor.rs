//! The data elements of a MAT v5 file: tags, their data, and numbers in the type of their class.

use super::element::{class, kind};
use super::value::Numbers;

/// Head of a data element.
pub(super) struct Tag {
    pub(super) kind: u32,
    pub(super) bytes: usize,
    /// The data where they stand in the tag itself.
    pub(super) small: Option<[u8; 4]>,
}

pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
    pub(super) big_endian: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        if length > self.remaining() {
            let (at, left) = (self.position, self.remaining());
            return Err(format!("{length} bytes are wanted at byte {at}, {left} are left"));
        }
        let start = self.position;
        self.position += length;
        Ok(&self.bytes[start..self.position])
    }

    pub(super) fn half(&mut self) -> Result<u16, String> {
        let raw = self.take(2)?.try_into().expect("two bytes");
        Ok(if self.big_endian { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }

    pub(super) fn word(&mut self) -> Result<u32, String> {
        let raw = self.take(4)?.try_into().expect("four bytes");
        Ok(if self.big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }

    pub(super) fn tag(&mut self) -> Result<Tag, String> {
        let head = self.word()?;
        if head >> 16 != 0 {
            let bytes = (head >> 16) as usize;
            if bytes > 4 {
                return Err(format!("a small element of {bytes} bytes; it can hold 4"));
            }
            let data = self.take(4)?.try_into().expect("four bytes");
            return Ok(Tag { kind: head & 0xffff, bytes, small: Some(data) });
        }
        let bytes = self.word()? as usize;
        Ok(Tag { kind: head, bytes, small: None })
    }

    /// The data after `tag`, which is not small, and the padding to eight bytes.
    pub(super) fn body(&mut self, tag: &Tag) -> Result<&'a [u8], String> {
        let data = self.take(tag.bytes)?;
        // Some writers leave the last padding out.
        self.position += (tag.bytes.wrapping_neg() % 8).min(self.remaining());
        Ok(data)
    }

    /// The next element that is no array: its type and data.
    pub(super) fn data(&mut self, what: &str) -> Result<(u32, Data<'a>), String> {
        let within = |detail: String| format!("{what}: {detail}");
        let tag = self.tag().map_err(within)?;
        let data = match tag.small {
            Some(bytes) => Data::Small(bytes, tag.bytes),
            None => Data::Slice(self.body(&tag).map_err(within)?),
        };
        Ok((tag.kind, data))
    }

    /// The numbers of `class` that `bytes` hold as `kind`: a writer may store them smaller than their class is.
    pub(super) fn numbers(&self, class: u8, kind: u32, bytes: &[u8]) -> Result<Numbers, String> {
        macro_rules! stored {
            ($type:ty, $target:ty) => {{
                const SIZE: usize = size_of::<$type>();
                if !bytes.len().is_multiple_of(SIZE) {
                    return Err(format!("{} bytes are not a multiple of {SIZE}", bytes.len()));
                }
                let raw =
                    bytes.chunks_exact(SIZE).map(|raw| <[u8; SIZE]>::try_from(raw).expect("exact chunks"));
                if self.big_endian {
                    raw.map(|raw| <$type>::from_be_bytes(raw) as $target).collect()
                } else {
                    raw.map(|raw| <$type>::from_le_bytes(raw) as $target).collect()
                }
            }};
        }
        macro_rules! of_class {
            ($variant:ident, $target:ty) => {
                Numbers::$variant(match kind {
                    kind::INT8 => stored!(i8, $target),
                    kind::UINT8 => stored!(u8, $target),
                    kind::INT16 => stored!(i16, $target),
                    kind::UINT16 => stored!(u16, $target),
                    kind::INT32 => stored!(i32, $target),
                    kind::UINT32 => stored!(u32, $target),
                    kind::SINGLE => stored!(f32, $target),
                    kind::DOUBLE => stored!(f64, $target),
                    kind::INT64 => stored!(i64, $target),
                    kind::UINT64 => stored!(u64, $target),
                    other => return Err(format!("numbers of the unknown type {other}")),
                })
            };
        }
        Ok(match class {
            class::DOUBLE => of_class!(Double, f64),
            class::SINGLE => of_class!(Single, f32),
            class::INT8 => of_class!(Int8, i8),
            class::UINT8 => of_class!(UInt8, u8),
            class::INT16 => of_class!(Int16, i16),
            class::UINT16 => of_class!(UInt16, u16),
            class::INT32 => of_class!(Int32, i32),
            class::UINT32 => of_class!(UInt32, u32),
            class::INT64 => of_class!(Int64, i64),
            class::UINT64 => of_class!(UInt64, u64),
            other => return Err(format!("numbers of the unknown class {other}")),
        })
    }
}

/// Data of an element, in the file or in the tag itself.
pub(super) enum Data<'a> {
    Slice(&'a [u8]),
    Small([u8; 4], usize),
}

impl Data<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Slice(bytes) => bytes,
            Self::Small(bytes, length) => &bytes[..*length],
        }
    }
}
