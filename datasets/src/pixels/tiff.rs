//! What the directory of a TIFF file claims, before it is decoded: the decoder makes room for as many values as a field
//! counts before it looks whether the file has them.
//!
//! Sources: TIFF revision 6.0, section 2; the `BigTIFF` design of the `libtiff` project.

/// The first field of the first directory of `bytes` that counts more values than the file has room for, in words; `None`
/// where there is none, or `bytes` are no TIFF file, or one that ends early, which the decoder says.
pub(super) fn overfull_field(bytes: &[u8]) -> Option<String> {
    let file = File { bytes, is_little: bytes.starts_with(b"II") };
    let (fields, entry_bytes) = match (bytes.get(..2)?, file.number(2, 2)?) {
        (b"II" | b"MM", 42) => {
            let directory = file.number(4, 4)?;
            (file.entries(directory, 2, 12)?, 12)
        }
        (b"II" | b"MM", 43) => {
            let directory = file.number(8, 8)?;
            (file.entries(directory, 8, 20)?, 20)
        }
        _ => return None,
    };
    let count_bytes = if entry_bytes == 12 { 4 } else { 8 };
    fields.into_iter().find_map(|at| {
        let (tag, kind) = (file.number(at, 2)?, file.number(at + 2, 2)?);
        let count = file.number(at + 4, count_bytes)?;
        let found = count.checked_mul(value_bytes(kind)).filter(|found| *found <= bytes.len() as u64);
        found
            .is_none()
            .then(|| format!("its field {tag} counts {count} values, more than the file has room for"))
    })
}

struct File<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl File<'_> {
    /// The number of `length` bytes at `at`.
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let found = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.is_little { found.iter().rev().fold(0, add) } else { found.iter().fold(0, add) })
    }

    /// Where the entries of the directory at `at` lie, which begins with their number of `count_bytes` bytes; those that
    /// the file has.
    fn entries(&self, at: u64, count_bytes: usize, entry_bytes: u64) -> Option<Vec<u64>> {
        let first = at.checked_add(count_bytes as u64)?;
        let there = (self.bytes.len() as u64).saturating_sub(first) / entry_bytes;
        let count = self.number(at, count_bytes)?.min(there);
        Some((0..count).map(|entry| first + entry * entry_bytes).collect())
    }
}

/// Bytes of a value of the type `kind`; 1 for types that are not known.
fn value_bytes(kind: u64) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one field, in either order of bytes, classic or big.
    fn file(is_little: bool, is_big: bool, kind: u64, count: u64) -> Vec<u8> {
        let mut bytes = if is_little { b"II".to_vec() } else { b"MM".to_vec() };
        let mut put = |number: u64, length: usize| {
            let all = number.to_be_bytes();
            let mut part = all[8 - length..].to_vec();
            if is_little {
                part.reverse();
            }
            bytes.extend(part);
        };
        let layout: &[(u64, usize)] = if is_big {
            &[(43, 2), (8, 2), (0, 2), (16, 8), (1, 8), (339, 2), (kind, 2), (count, 8), (0, 8), (0, 8)]
        } else {
            &[(42, 2), (8, 4), (1, 2), (339, 2), (kind, 2), (count, 4), (0, 4), (0, 4)]
        };
        for (number, length) in layout {
            put(*number, *length);
        }
        bytes
    }

    #[test]
    fn a_field_has_no_more_values_than_the_file_bytes() {
        for (is_little, is_big) in [(true, false), (false, false), (true, true), (false, true)] {
            let length = file(is_little, is_big, 3, 0).len() as u64;
            for (kind, size) in [(1, 1), (2, 1), (3, 2), (4, 4), (5, 8), (12, 8)] {
                let claims = |count| overfull_field(&file(is_little, is_big, kind, count));
                assert_eq!(claims(length / size), None, "type {kind}");
                let found = claims(length / size + 1).unwrap();
                assert!(found.contains("field 339") && found.contains("more than the file"), "{found}");
                assert!(claims(u64::from(u32::MAX)).is_some());
            }
        }
        assert!(overfull_field(&file(true, true, 12, u64::MAX)).is_some());
    }

    #[test]
    fn files_that_end_anywhere_and_others_pass() {
        for whole in [file(true, false, 3, 1), file(false, true, 3, 1)] {
            for kept in 0..=whole.len() {
                assert_eq!(overfull_field(&whole[..kept]), None);
            }
        }
        assert_eq!(overfull_field(b"RIFF\0\0\0\0WEBP"), None);
    }
}
