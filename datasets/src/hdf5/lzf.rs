//! The filter `lzf`, which h5py has and HDF5 itself has not.
//!
//! Source: the format of liblzf as h5py's `lzf_filter.c` calls it. A control byte below 32 precedes that many bytes and one
//! more; any other holds a length in its upper three bits (7 means that a byte of length follows) and, with the next byte, how
//! far back the copy begins.

use hdf5_reader::FilterRegistry;
use hdf5_reader::error::Error;

/// Number of the filter in the registry of HDF5.
const ID: u16 = 32_000;
/// The filter's third parameter is the length of a chunk, bytes.
const CHUNK_LENGTH: usize = 2;
/// Control bytes below this one announce bytes that stand for themselves.
const LITERALS: u8 = 1 << 5;
/// The length that says that a byte of length follows.
const LONG: usize = 7;

/// The filters that are always there, and this one; a chunk may have `most` bytes.
pub(super) fn filters(most: usize) -> FilterRegistry {
    let mut filters = FilterRegistry::new();
    filters.register(
        ID,
        Box::new(move |filter, data, _| {
            let stated = filter.client_data.get(CHUNK_LENGTH).map_or(most, |length| *length as usize);
            unpacked(data, stated.min(most))
                .ok_or_else(|| Error::InvalidData("the lzf data are damaged".to_owned()))
        }),
    );
    filters
}

/// The bytes that `packed` stands for; `None` where they are damaged or more than `most`.
fn unpacked(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), packed.iter());
    while let Some(&control) = rest.next() {
        if control < LITERALS {
            let length = usize::from(control) + 1;
            bytes.extend_from_slice(rest.as_slice().get(..length)?);
            rest = rest.as_slice()[length..].iter();
        } else {
            let mut length = usize::from(control >> 5);
            if length == LONG {
                length += usize::from(*rest.next()?);
            }
            let back = (usize::from(control & (LITERALS - 1)) << 8) + usize::from(*rest.next()?) + 1;
            let start = bytes.len().checked_sub(back)?;
            // The copy may reach into itself.
            for at in start..start + length + 2 {
                bytes.push(*bytes.get(at)?);
            }
        }
        if bytes.len() > most {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_and_copies_are_unpacked() {
        assert_eq!(unpacked(b"\x02abc", 9).unwrap(), b"abc");
        // Three bytes, then a copy of four that begins three back and so reaches into itself.
        assert_eq!(unpacked(b"\x02abc\x40\x02", 9).unwrap(), b"abcabca");
        // A long copy: 7 + 3 + 2 bytes, one back.
        assert_eq!(unpacked(b"\x00x\xe0\x03\x00", 99).unwrap(), b"x".repeat(13));
        assert_eq!(unpacked(b"\x02abc", 2), None);
        for damaged in [&b"\x05ab"[..], b"\x20", b"\x00a\x20\x05", b"\xe0"] {
            assert_eq!(unpacked(damaged, 99), None);
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(packed in any::<Vec<u8>>()) {
            let bytes = unpacked(&packed, 4096);
            prop_assert!(bytes.is_none_or(|bytes| bytes.len() <= 4096));
        }
    }
}
