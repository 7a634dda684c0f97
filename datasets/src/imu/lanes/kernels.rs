//! The loops over a piece of a file and over a column, by the operations of any [`Bytes`].

use super::{Bytes, Decimal, READ, SEARCHED, Signed};
use crate::imu::number::WHOLE_POWERS;

/// The most lines of which a column is read at once: one bit each.
pub(in super::super) const MOST_LINES: usize = u64::BITS as usize;
/// Marks of a block that are written without a look at how many there are.
const EAGER: usize = 8;

/// Where the fields and lines of a piece end.
#[derive(Debug, Default)]
pub(in super::super) struct Marks {
    /// The place before the first byte, then the places of all separators and ends of lines. There are more behind that
    /// mean nothing.
    places: Vec<u32>,
    /// How many of them mean something.
    count: usize,
    /// The places of ends of lines.
    ends: Vec<u32>,
}

impl Marks {
    /// The place before the first byte, as one that 1 is added to, then those of all separators and ends of lines.
    pub(in super::super) fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// The places of ends of lines.
    pub(in super::super) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Those from number `first` on, with some more behind the last that mean nothing.
    pub(in super::super) fn from(&self, first: usize) -> &[u32] {
        &self.places[first..]
    }
}

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

    /// The marks of `line` and the three behind it.
    #[inline(always)]
    fn four(&self, line: usize) -> Option<Four<'_>> {
        let (bytes, columns) = (self.bytes, self.columns);
        let marks = self.marks.get(line * columns..)?.get(..3 * columns + 2)?;
        Some(Four { bytes, marks, columns })
    }
}

/// One column of four lines, written plainly: no blank before a field, no carriage return behind it.
#[derive(Debug, Clone, Copy)]
struct Four<'a> {
    bytes: &'a [u8],
    marks: &'a [u32],
    columns: usize,
}

impl<'a> Four<'a> {
    /// The field of `line`, of 0 to 3; as [`Fields::signed`].
    #[inline(always)]
    fn get(&self, line: usize) -> Option<Signed<'a>> {
        let (before, end) =
            (*self.marks.get(line * self.columns)?, *self.marks.get(line * self.columns + 1)?);
        Signed::new(self.bytes, before.wrapping_add(1) as usize, end as usize)
    }
}

impl<'a> Signed<'a> {
    /// The field from `begin` to `end`; `None` in the first bytes of a piece.
    #[inline(always)]
    fn new(bytes: &'a [u8], begin: usize, end: usize) -> Option<Self> {
        let text: &[u8; READ] = bytes.get(..end)?.last_chunk()?;
        let length = end.wrapping_sub(begin);
        // Of a longer field this is some other byte, and if it is a sign, the field is odd.
        let negative = text[READ.wrapping_sub(length) % READ] == b'-';
        Some(Self { text, length: length.wrapping_sub(usize::from(negative)), negative })
    }
}

/// Finds the marks of `bytes`, which are fewer than 2^32.
#[inline(always)]
pub(super) fn marks(lanes: impl Bytes, bytes: &[u8], separator: u8, marks: &mut Marks) {
    let Marks { places, count, ends: lines } = marks;
    lines.clear();
    if places.is_empty() {
        places.push(u32::MAX);
    }
    *count = 1;
    let (blocks, rest) = bytes.as_chunks::<SEARCHED>();
    let mut place = 0;
    let mut last = [0; SEARCHED];
    last[..rest.len()].copy_from_slice(rest);
    for block in blocks.iter().chain([&last]) {
        let [mut both, mut ends] = lanes.ends(block, separator);
        let found = both.count_ones() as usize;
        if places.len() < *count + 2 * SEARCHED {
            places.resize(2 * (*count + SEARCHED), 0);
        }
        if let Some(free) = places[*count..].first_chunk_mut::<SEARCHED>() {
            for mark in &mut free[..EAGER] {
                *mark = place + both.trailing_zeros();
                both &= both.wrapping_sub(1);
            }
            if both != 0 {
                for mark in &mut free[EAGER..] {
                    *mark = place + both.trailing_zeros();
                    both &= both.wrapping_sub(1);
                    if both == 0 {
                        break;
                    }
                }
            }
        }
        *count += found;
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
    let mut odd = 0;
    let (fours, rest) = values.as_chunks_mut::<4>();
    let last = 4 * fours.len();
    for (line, values) in (0..).step_by(4).zip(fours) {
        // Two by two, so that no more is under way at once than registers hold.
        if let Some(four) = fields.four(line)
            && let Some(a) = four.get(0)
            && let Some(b) = four.get(1)
            && let first = lanes.two(a, b)
            && let Some(c) = four.get(2)
            && let Some(d) = four.get(3)
        {
            let any;
            (*values, any) = lanes.four(first, lanes.two(c, d));
            if any == 0 {
                continue;
            }
        }
        odd |= values_one_by_one(lanes, fields, line, values);
    }
    odd | values_one_by_one(lanes, fields, last, rest)
}

/// As [`values`], from line `first` on.
#[inline(always)]
fn values_one_by_one(lanes: impl Bytes, fields: Fields<'_>, first: usize, values: &mut [f64]) -> u64 {
    each(fields, first, values, |field| lanes.decimal(field.text, field.length).number(field.negative))
}

/// The stamp of each field to `stamps`, of a clock with `digits` digits down to nanoseconds; a bit for each that is not
/// read, where `stamps` then holds anything.
///
/// It gives what [`stamp`](crate::imu::number::stamp) gives, where it reads a field at all.
#[inline(always)]
pub(super) fn stamps(lanes: impl Bytes, fields: Fields<'_>, digits: usize, stamps: &mut [i64]) -> u64 {
    let mut odd = 0;
    let (fours, rest) = stamps.as_chunks_mut::<4>();
    let last = 4 * fours.len();
    let factor = WHOLE_POWERS.get(digits).copied().unwrap_or(i64::MAX) as u64;
    // Mantissas up to the next power of two below what 64 bits of nanoseconds hold have no bit here.
    let beyond = u64::MAX << (i64::MAX as u64 / factor).ilog2();
    for (line, stamps) in (0..).step_by(4).zip(fours) {
        if let Some(four) = fields.four(line)
            && let Some(a) = four.get(0)
            && let Some(b) = four.get(1)
            && let Some(c) = four.get(2)
            && let Some(d) = four.get(3)
        {
            let (wholes, any) = lanes.four_wholes([a, b, c, d].map(|field| (field.text, field.length)));
            let large = (wholes[0] | wholes[1] | wholes[2] | wholes[3]) & beyond;
            let signs = a.negative | b.negative | c.negative | d.negative;
            if any | large == 0 && !signs {
                *stamps = wholes.map(|whole| (whole * factor) as i64);
                continue;
            }
        }
        odd |= stamps_one_by_one(lanes, fields, digits, line, stamps);
    }
    odd | stamps_one_by_one(lanes, fields, digits, last, rest)
}

/// As [`stamps`], from line `first` on.
#[inline(always)]
fn stamps_one_by_one(
    lanes: impl Bytes,
    fields: Fields<'_>,
    digits: usize,
    first: usize,
    stamps: &mut [i64],
) -> u64 {
    each(fields, first, stamps, |field| {
        let Decimal { mantissa, fraction, odd, .. } = lanes.decimal(field.text, field.length);
        // Digits beyond nanoseconds are left to others.
        let missing = digits.wrapping_sub(fraction);
        let factor = WHOLE_POWERS.get(missing).copied().unwrap_or(i64::MAX);
        let (nanos, beyond) = (mantissa as i64).overflowing_mul(factor);
        let stamp = if field.negative { nanos.wrapping_neg() } else { nanos };
        (stamp, odd | u64::from(missing > digits) | u64::from(beyond))
    })
}

/// What `read` says of each field from line `first` on, to `found`; a bit for each of which it says that it is odd.
#[inline(always)]
fn each<T>(fields: Fields<'_>, first: usize, found: &mut [T], read: impl Fn(Signed<'_>) -> (T, u64)) -> u64 {
    let mut all = 0;
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
    all
}
