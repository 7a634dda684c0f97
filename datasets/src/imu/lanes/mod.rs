//! The work that runs on many bytes at once: finding the ends of fields, and reading short decimals.
//!
//! [`kernels`] says what is done, once, by the two operations of [`Bytes`]; [`portable`] has them by plain arithmetic on
//! wide integers, [`avx2`] by 256-bit vectors where the machine has them. Both give the same for all bytes.

#![expect(
    clippy::inline_always,
    reason = "what is compiled for AVX2 must stand in the body of the function that asks for it"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod kernels;
mod portable;
#[cfg(test)]
mod tests;

use crate::imu::number::{EXACT_POWERS, EXACT_WHOLE};

pub(super) use kernels::{Fields, MOST_LINES, Marks};

/// Bytes of a block that is searched at once.
const SEARCHED: usize = 64;
/// The most bytes of a field that is read at once.
const READ: usize = 16;
/// A mantissa of [`READ`] digits is two of this many.
const HALF: u64 = 100_000_000;

/// What is done with many bytes at once.
trait Bytes: Copy {
    /// Which of `block` are `separator` or an end of line, and which are an end of line, from the lowest bit on.
    fn ends(self, block: &[u8; SEARCHED], separator: u8) -> [u64; 2];

    /// The decimal in the last `length` bytes of `text`.
    fn decimal(self, text: &[u8; READ], length: usize) -> Decimal;

    /// Two fields on their way to numbers.
    type Two: Copy;

    /// Begins with two fields.
    fn two(self, a: Signed<'_>, b: Signed<'_>) -> Self::Two;

    /// The numbers in two and two fields; not 0 if one of them is odd as in [`Decimal`], or beyond what `f64` holds
    /// exactly.
    fn four(self, first: Self::Two, second: Self::Two) -> ([f64; 4], u64);

    /// The whole numbers in the last bytes of four texts; not 0 if one of them is none, or beyond [`READ`] digits.
    #[inline(always)]
    fn four_wholes(self, fields: [(&[u8; READ], usize); 4]) -> ([u64; 4], u64) {
        let mut any = 0;
        let wholes = fields.map(|(text, length)| {
            let Decimal { mantissa, odd, .. } = self.decimal(text, length);
            any |= odd | u64::from(text[READ.saturating_sub(length)..].contains(&b'.'));
            mantissa
        });
        (wholes, any)
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

/// A decimal without a sign.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    /// All its digits, as one whole number.
    mantissa: u64,
    /// How many of them stand behind its point.
    fraction: usize,
    /// 0 if it is one: a digit or more, at most one point, nothing else, [`READ`] bytes at most.
    odd: u64,
}

impl Decimal {
    /// It or, if `negative`, its negative; and 0 if it is none that is odd, or beyond what `f64` holds exactly.
    #[inline(always)]
    fn number(self, negative: bool) -> (f64, u64) {
        // Both are exact in `f64`, so the quotient is rounded once.
        let size = self.mantissa as i64 as f64 / EXACT_POWERS[self.fraction];
        let value = f64::from_bits(size.to_bits() | u64::from(negative) << 63);
        (value, self.odd | (self.mantissa & !(EXACT_WHOLE - 1)))
    }
}

/// How this machine does it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lanes {
    /// As any machine can.
    Portable,
    /// By AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Lanes {
    /// The fastest way that this machine knows.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::new() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }

    /// See [`kernels::marks`].
    pub(super) fn marks(self, bytes: &[u8], separator: u8, marks: &mut Marks) {
        match self {
            Self::Portable => kernels::marks(portable::Portable, bytes, separator, marks),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.marks(bytes, separator, marks),
        }
    }

    /// See [`kernels::values`].
    pub(super) fn values(self, fields: Fields<'_>, values: &mut [f64]) -> u64 {
        match self {
            Self::Portable => kernels::values(portable::Portable, fields, values),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.values(fields, values),
        }
    }

    /// See [`kernels::stamps`].
    pub(super) fn stamps(self, fields: Fields<'_>, decimals: usize, stamps: &mut [i64]) -> u64 {
        match self {
            Self::Portable => kernels::stamps(portable::Portable, fields, decimals, stamps),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.stamps(fields, decimals, stamps),
        }
    }
}
