//! The loops over a piece of a file and over a column, by the operations of any [`Bytes`].

use super::{Bytes, Decimal, READ, SEARCHED};
use crate::imu::number::{EXACT_WHOLE, WHOLE_POWERS};

/// The most lines of which a column is read at once: one bit each.
pub(in super::super) const MOST_LINES: usize = u64::BITS as usize;
/// Marks of a block that are written without a look at how many there are.
const EAGER: usize = 8;

/// Lines of a column that are read without a look at what is odd with which of them.
const TRIED: usize = 16;

/// One column of neighbouring lines, all of the same number of fields.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Fields<'a> {
    /// What the marks are places in.
    pub(in super::super) bytes: &'a [u8],
    /// The mark before the column's field of the first line, and all behind it.
    pub(in super::super) marks: &'a [u32],
    /// Fields of a line.
    pub(in super::super) columns: usize,
    /// Whether it is the last column, which an end of line may follow that has a carriage return before it.
    pub(in super::super) last: bool,
    /// The byte to pass over before a field.
    pub(in super::super) blank: u8,
}

impl Fields<'_> {
    /// Where the field of `line` begins and ends.
    #[inline(always)]
    pub(in super::super) fn bounds(&self, line: usize) -> (usize, usize) {
        let at = line * self.columns;
        let (begin, end) = (self.marks[at].wrapping_add(1) as usize, self.marks[at + 1] as usize);
        let returned = self.last && begin < end && self.bytes[end - 1] == b'\r';
        (begin, end - usize::from(returned))
    }

    /// The field of `line` as digits, after the sign if there is one; `None` in the first bytes of a piece.
    #[inline(always)]
    fn signed(&self, line: usize) -> Option<Signed<'_>> {
        let (begin, end) = self.bounds(line);
        Signed::new(self.bytes, begin + usize::from(self.bytes[begin] == self.blank), end)
    }

    /// The fields of `count` lines from `first` on, if they are written plainly: no blank before, no carriage return
    /// behind. As those of [`Self::signed`].
    #[inline(always)]
    fn plain(&self, first: usize, count: usize) -> impl Iterator<Item = Option<Signed<'_>>> {
        let marks = &self.marks[first * self.columns..];
        let lines = marks.chunks(self.columns.max(2)).take(count);
        lines.map(|line| {
            let [before, end, ..] = line else { return None };
            Signed::new(self.bytes, before.wrapping_add(1) as usize, *end as usize)
        })
    }
}

/// A field that is a number.
#[derive(Debug, Clone, Copy)]
struct Signed<'a> {
    /// The bytes that end with it.
    text: &'a [u8; READ],
    /// Bytes behind its sign.
    length: usize,
    negative: bool,
}

impl<'a> Signed<'a> {
    /// The field from `begin` to `end`; `None` in the first bytes of a piece.
    #[inline(always)]
    fn new(bytes: &'a [u8], begin: usize, end: usize) -> Option<Self> {
        let negative = *bytes.get(begin)? == b'-';
        let length = end.wrapping_sub(begin + usize::from(negative));
        Some(Self { text: bytes.get(..end)?.last_chunk()?, length, negative })
    }
}

/// The places in `bytes` of all separators and ends of lines, behind the place before the first byte, to `marks`, and
/// those of the ends of lines to `lines`.
///
/// `marks` may be longer than asked for by [`SEARCHED`] numbers without meaning; `bytes` are fewer than 2^32.
#[inline(always)]
pub(super) fn marks(
    lanes: impl Bytes,
    bytes: &[u8],
    separator: u8,
    marks: &mut Vec<u32>,
    lines: &mut Vec<u32>,
) {
    marks.clear();
    lines.clear();
    marks.push(u32::MAX);
    let (blocks, rest) = bytes.as_chunks::<SEARCHED>();
    let mut place = 0;
    let mut last = [0; SEARCHED];
    last[..rest.len()].copy_from_slice(rest);
    for block in blocks.iter().chain([&last]) {
        let [mut both, mut ends] = lanes.ends(block, separator);
        let count = marks.len() + both.count_ones() as usize;
        let mut eager = [0; EAGER];
        for mark in &mut eager {
            *mark = place + both.trailing_zeros();
            both &= both.wrapping_sub(1);
        }
        marks.extend_from_slice(&eager);
        while both != 0 {
            marks.push(place + both.trailing_zeros());
            both &= both - 1;
        }
        marks.truncate(count);
        while ends != 0 {
            lines.push(place + ends.trailing_zeros());
            ends &= ends - 1;
        }
        place += SEARCHED as u32;
    }
}

/// The number of each field to `values`; a bit for each that is not read, where `values` then holds anything.
///
/// It gives what [`decimal`](crate::imu::number::decimal) gives, where it reads a field at all.
#[inline(always)]
pub(super) fn values(lanes: impl Bytes, fields: Fields<'_>, values: &mut [f64]) -> u64 {
    let read = |field: Signed<'_>| {
        let Decimal { mantissa, divisor, odd, .. } = lanes.decimal(field.text, field.length);
        // Both are exact in `f64`, so the quotient is rounded once.
        let size = mantissa as i64 as f64 / divisor;
        let value = f64::from_bits(size.to_bits() | u64::from(field.negative) << 63);
        (value, odd | (mantissa & !(EXACT_WHOLE - 1)))
    };
    each(fields, values, read)
}

/// The stamp of each field to `stamps`, of a clock with `digits` digits down to nanoseconds; a bit for each that is not
/// read, where `stamps` then holds anything.
///
/// It gives what [`stamp`](crate::imu::number::stamp) gives, where it reads a field at all.
#[inline(always)]
pub(super) fn stamps(lanes: impl Bytes, fields: Fields<'_>, digits: usize, stamps: &mut [i64]) -> u64 {
    let read = |field: Signed<'_>| {
        let Decimal { mantissa, fraction, odd, .. } = lanes.decimal(field.text, field.length);
        // Digits beyond nanoseconds are left to others.
        let missing = digits.wrapping_sub(fraction);
        let factor = WHOLE_POWERS.get(missing).copied().unwrap_or(i64::MAX);
        let (nanos, beyond) = (mantissa as i64).overflowing_mul(factor);
        let stamp = if field.negative { nanos.wrapping_neg() } else { nanos };
        (stamp, odd | u64::from(missing > digits) | u64::from(beyond))
    };
    each(fields, stamps, read)
}

/// What `read` says of each field, to `found`; a bit for each of which it says that it is odd.
#[inline(always)]
fn each<T>(fields: Fields<'_>, found: &mut [T], read: impl Fn(Signed<'_>) -> (T, u64)) -> u64 {
    let mut all = 0;
    for (part, found) in found.chunks_mut(TRIED).enumerate() {
        let first = part * TRIED;
        let mut any = 0;
        for (found, field) in found.iter_mut().zip(fields.plain(first, TRIED)) {
            let Some(field) = field else {
                any = 1;
                break;
            };
            let odd;
            (*found, odd) = read(field);
            any |= odd;
        }
        if any != 0 {
            for (line, found) in (first..).zip(found) {
                let odd = match fields.signed(line) {
                    Some(field) => {
                        let odd;
                        (*found, odd) = read(field);
                        odd
                    }
                    None => 1,
                };
                all |= u64::from(odd != 0) << line;
            }
        }
    }
    all
}
