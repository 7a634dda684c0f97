//! [`Bytes`] by arithmetic on wide integers, a byte a lane.

use super::{Bytes, Decimal, HALF, READ, SEARCHED, Signed};

/// What any machine can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

const ONES: u128 = u128::MAX / 0xff;
const HIGH_BITS: u128 = ONES * 0x80;

impl Bytes for Portable {
    #[inline(always)]
    fn ends(self, block: &[u8; SEARCHED], separator: u8) -> [u64; 2] {
        let (mut both, mut lines) = (0, 0);
        let (words, _) = block.as_chunks::<16>();
        for (at, word) in words.iter().enumerate() {
            let word = u128::from_le_bytes(*word);
            let line = bits(equal(word, b'\n'));
            lines |= line << (16 * at);
            both |= (line | bits(equal(word, separator))) << (16 * at);
        }
        [both, lines]
    }

    #[inline(always)]
    fn decimal(self, text: &[u8; READ], length: usize) -> Decimal {
        let word = u128::from_le_bytes(*text);
        let long = length.wrapping_sub(1) as u64 & !(READ as u64 - 1);
        let length = length.min(READ);
        // The last byte of the text is the highest of the word. A point before the field is none.
        let fraction = (equal(word, b'.').leading_zeros() as usize / 8).min(length);
        let points = usize::from(fraction < length);
        let (behind, count) = (HIGHEST[fraction], length - points);
        let digits = word ^ (ONES * u128::from(b'0'));
        // What stands before the point moves up over it.
        let moved = if points == 0 { digits } else { digits << 8 };
        let digits = ((digits & behind) | (moved & !behind)) & HIGHEST[count];
        // A byte above 9 sets its highest bit; one that carries over has it set already.
        let odd = (digits.wrapping_add(ONES * 0x76) | digits) & HIGH_BITS;
        let mantissa =
            eight_digits(digits as u64).wrapping_mul(HALF).wrapping_add(eight_digits((digits >> 64) as u64));
        let fraction = if points == 0 { 0 } else { fraction };
        let odd = long | u64::from(count == 0) | u64::from(odd != 0);
        Decimal { mantissa, fraction, odd }
    }

    type Two = [(f64, u64); 2];

    #[inline(always)]
    fn two(self, a: Signed<'_>, b: Signed<'_>) -> Self::Two {
        let (first, second) = (self.decimal(a.text, a.length), self.decimal(b.text, b.length));
        [first.number(a.negative), second.number(b.negative)]
    }

    #[inline(always)]
    fn four(self, [a, b]: Self::Two, [c, d]: Self::Two) -> ([f64; 4], u64) {
        ([a.0, b.0, c.0, d.0], a.1 | b.1 | c.1 | d.1)
    }
}

/// The highest bit of each byte of `word` that is `byte`.
#[inline(always)]
fn equal(word: u128, byte: u8) -> u128 {
    let other = word ^ (ONES * u128::from(byte));
    !(((other & !HIGH_BITS) + !HIGH_BITS) | other) & HIGH_BITS
}

/// The highest bits of all bytes, side by side.
#[inline(always)]
fn bits(highest: u128) -> u64 {
    let eight = |word: u64| (word >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eight(highest as u64) | eight((highest >> 64) as u64) << 8
}

/// Masks of the highest bytes, by how many they are. A shift of two words by so many bits costs more.
static HIGHEST: [u128; READ + 1] = {
    let mut masks = [0; READ + 1];
    let mut count = 1;
    while count <= READ {
        masks[count] = u128::MAX << (128 - 8 * count);
        count += 1;
    }
    masks
};

/// The number of eight digits, the first in the lowest byte, by pairs in one word.
#[inline(always)]
fn eight_digits(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}
