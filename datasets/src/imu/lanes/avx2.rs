//! [`Bytes`] by vectors of 256 bits. The only `unsafe` code of this crate's logs.
//!
//! # Why it is sound
//! - An [`Avx2`] is made by [`Avx2::new`] alone, once the machine is found to have every feature that a function here is
//!   compiled for. So whoever holds one may call these functions and run such instructions.
//! - Memory is read by loads that need no alignment, of 32 bytes from either half of an array of 64, of 16 bytes from
//!   arrays of 16, each by a reference to it.
//! - Memory is written through safe slices alone.

use std::arch::x86_64::{
    _mm_adds_epu8, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_madd_epi16, _mm_maddubs_epi16,
    _mm_movemask_epi8, _mm_packus_epi32, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_shuffle_epi8,
    _mm_xor_si128, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8,
};

use super::kernels::{self, Fields};
use super::{Bytes, Decimal, HALF, READ, SEARCHED};
use crate::imu::number::EXACT_POWERS;

/// Proof that the machine has AVX2 and what came with it.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    /// The proof, if it can be had.
    pub(super) fn new() -> Option<Self> {
        let features = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt");
        features.then_some(Self(()))
    }

    /// See [`kernels::marks`].
    pub(super) fn marks(self, bytes: &[u8], separator: u8, marks: &mut Vec<u32>, lines: &mut Vec<u32>) {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run(avx2: Avx2, bytes: &[u8], separator: u8, marks: &mut Vec<u32>, lines: &mut Vec<u32>) {
            kernels::marks(avx2, bytes, separator, marks, lines);
        }
        // SAFETY: `self` proves that the machine has the features.
        unsafe { run(self, bytes, separator, marks, lines) }
    }

    /// See [`kernels::values`].
    pub(super) fn values(self, fields: Fields<'_>, values: &mut [f64]) -> u64 {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run(avx2: Avx2, fields: Fields<'_>, values: &mut [f64]) -> u64 {
            kernels::values(avx2, fields, values)
        }
        // SAFETY: `self` proves that the machine has the features.
        unsafe { run(self, fields, values) }
    }

    /// See [`kernels::stamps`].
    pub(super) fn stamps(self, fields: Fields<'_>, decimals: usize, stamps: &mut [i64]) -> u64 {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run(avx2: Avx2, fields: Fields<'_>, decimals: usize, stamps: &mut [i64]) -> u64 {
            kernels::stamps(avx2, fields, decimals, stamps)
        }
        // SAFETY: `self` proves that the machine has the features.
        unsafe { run(self, fields, decimals, stamps) }
    }
}

impl Bytes for Avx2 {
    #[inline(always)]
    fn ends(self, block: &[u8; SEARCHED], separator: u8) -> [u64; 2] {
        let (halves, _) = block.as_chunks::<32>();
        let (mut both, mut lines) = (0, 0);
        for (at, half) in halves.iter().enumerate() {
            // SAFETY: `self` proves that the machine has AVX2; `half` is 32 bytes.
            let found = unsafe {
                let bytes = _mm256_loadu_si256(half.as_ptr().cast());
                let line = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\n' as i8));
                let field = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(separator as i8));
                [_mm256_or_si256(line, field), line].map(|found| _mm256_movemask_epi8(found) as u32)
            };
            both |= u64::from(found[0]) << (32 * at);
            lines |= u64::from(found[1]) << (32 * at);
        }
        [both, lines]
    }

    #[inline(always)]
    fn decimal(self, text: &[u8; READ], length: usize) -> Decimal {
        // SAFETY: `self` proves that the machine has AVX2 and so all before it; `text` is 16 bytes.
        let (digits, points) = unsafe {
            let bytes = _mm_loadu_si128(text.as_ptr().cast());
            let points = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'.' as i8))) as u32;
            (_mm_xor_si128(bytes, _mm_set1_epi8(b'0' as i8)), points)
        };
        // The last byte of the text is bit 15.
        let fraction = (points << 16 | 0x8000).leading_zeros() as usize;
        let Writing { shuffle, divisor, fraction } =
            &WRITINGS[(length & (WIDTH - 1)) * WIDTH + (fraction & (WIDTH - 1))];
        // SAFETY: as above; `shuffle` is 16 bytes.
        let (odd, halves) = unsafe {
            let digits = _mm_shuffle_epi8(digits, _mm_loadu_si128(shuffle.as_ptr().cast()));
            // Numbers above 9 have their highest bit set.
            let odd = _mm_movemask_epi8(_mm_adds_epu8(digits, _mm_set1_epi8(0x76))) as u64;
            // 10 and 1 for the digits of a pair, 100 and 1 for two pairs, 10000 and 1 for two of these.
            let pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
            let fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x0001_0064));
            let eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x0001_2710));
            (odd, _mm_cvtsi128_si64(eights) as u64)
        };
        let mantissa = (halves & 0xffff_ffff) * HALF + (halves >> 32);
        let long = length.wrapping_sub(1) as u64 & !(READ as u64 - 1);
        Decimal { mantissa, fraction: *fraction, divisor: *divisor, odd: odd | long }
    }
}

/// How a field of some length is written whose point, if it has one, stands so far from its end.
#[derive(Debug, Clone, Copy)]
struct Writing {
    /// Which byte becomes which digit; a number above 127 makes a zero.
    shuffle: [u8; READ],
    /// Ten to the power of `fraction`.
    divisor: f64,
    /// Digits behind the point.
    fraction: usize,
}

/// Lengths, and places of a point, in [`WRITINGS`]: a power of two above [`READ`].
const WIDTH: usize = 32;
/// The writing of a field of `length` bytes with `behind` digits behind the last point, in place `length * WIDTH +
/// behind`. A point that is not in the field is none.
static WRITINGS: [Writing; WIDTH * WIDTH] = writings();

#[expect(clippy::large_stack_arrays, reason = "it runs in the compiler")]
const fn writings() -> [Writing; WIDTH * WIDTH] {
    let none = Writing { shuffle: [0xff; READ], divisor: 1.0, fraction: 0 };
    let mut writings = [none; WIDTH * WIDTH];
    let mut at = 0;
    while at < writings.len() {
        let (length, behind) = (at / WIDTH, at % WIDTH);
        let writing = &mut writings[at];
        let point = behind < length;
        if point && length <= READ {
            writing.fraction = behind;
            writing.divisor = EXACT_POWERS[behind];
        }
        let mut place = 0;
        while place + (point as usize) < length && place < READ {
            // From the last one on; those before the point stand one byte further away.
            let away = place + (point && place >= behind) as usize;
            if away < READ {
                writing.shuffle[READ - 1 - place] = (READ - 1 - away) as u8;
            }
            place += 1;
        }
        if length == 1 && point {
            // A point alone is read as a digit, which it is not.
            writing.shuffle[READ - 1] = READ as u8 - 1;
        }
        at += 1;
    }
    writings
}
