//! [`Bytes`] by vectors of 256 bits. The only `unsafe` code of this crate's logs.
//!
//! # Why it is sound
//! - An [`Avx2`] is made by [`Avx2::new`] alone, once the machine is found to have every feature that a function here is
//!   compiled for. So whoever holds one may call these functions and run such instructions.
//! - Memory is read by loads that need no alignment, of 32 bytes from either half of an array of 64, of 16 bytes from
//!   arrays of 16, each by a reference to it.
//! - Memory is written through safe slices alone.

use std::arch::x86_64::{
    __m128d, __m256i, _CMP_GE_OQ, _mm_adds_epu8, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128,
    _mm_madd_epi16, _mm_maddubs_epi16, _mm_movemask_epi8, _mm_packus_epi32, _mm_set1_epi8, _mm_set1_epi16,
    _mm_set1_epi32, _mm_setr_pd, _mm_shuffle_epi8, _mm_xor_si128, _mm256_add_epi64, _mm256_add_pd,
    _mm256_castpd_si256, _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_cmp_pd, _mm256_cmpeq_epi8,
    _mm256_cvtepi32_pd, _mm256_div_pd, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_mul_epu32, _mm256_mul_pd,
    _mm256_or_si256, _mm256_packus_epi32, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32,
    _mm256_set_m128d, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x,
    _mm256_set1_pd, _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_srli_epi64, _mm256_storeu_pd,
    _mm256_storeu_si256, _mm256_subs_epu8, _mm256_testz_si256, _mm256_xor_si256,
};

use super::kernels::{self, Fields, Marks};
use super::{Bytes, Decimal, HALF, READ, SEARCHED, Signed};
use crate::imu::number::{EXACT_POWERS, EXACT_WHOLE};

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
    pub(super) fn marks(self, bytes: &[u8], separator: u8, marks: &mut Marks) {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run(avx2: Avx2, bytes: &[u8], separator: u8, marks: &mut Marks) {
            kernels::marks(avx2, bytes, separator, marks);
        }
        // SAFETY: `self` proves that the machine has the features.
        unsafe { run(self, bytes, separator, marks) }
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
        let (fraction, Writing { shuffle, .. }) = writing(points << 16, length);
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
        let fraction = if fraction < length { fraction } else { 0 };
        Decimal { mantissa, fraction, odd: odd | long(length) }
    }

    type Two = Two;

    #[inline(always)]
    fn two(self, a: Signed<'_>, b: Signed<'_>) -> Two {
        // SAFETY: `self` proves that the machine has AVX2.
        unsafe {
            let bytes = join(a.text, b.text);
            let points = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'.' as i8))) as u32;
            let (_, of_a) = writing(points << 16, a.length);
            let (_, of_b) = writing(points, b.length);
            let digits = _mm256_xor_si256(bytes, _mm256_set1_epi8(b'0' as i8));
            let digits = _mm256_shuffle_epi8(digits, join(&of_a.shuffle, &of_b.shuffle));
            let divisors = [of_a.divisors[usize::from(a.negative)], of_b.divisors[usize::from(b.negative)]];
            Two {
                digits,
                divisors: _mm_setr_pd(divisors[0], divisors[1]),
                long: long(a.length) | long(b.length),
            }
        }
    }

    #[inline(always)]
    fn four(self, first: Two, second: Two) -> ([f64; 4], u64) {
        // SAFETY: `self` proves that the machine has AVX2.
        unsafe {
            let odd = odd_bytes(first.digits, second.digits);
            let eights = eights(first.digits, second.digits);
            let part = |places| {
                _mm256_cvtepi32_pd(_mm256_castsi256_si128(_mm256_permutevar8x32_epi32(eights, places)))
            };
            // Twice eight digits of the first and the third in the lower half, of the others in the upper one.
            let high = part(_mm256_setr_epi32(0, 4, 2, 6, 0, 0, 0, 0));
            let low = part(_mm256_setr_epi32(1, 5, 3, 7, 0, 0, 0, 0));
            // Below 2^53 nothing is rounded here; what is not below comes out as such, since rounding keeps order.
            let sizes = _mm256_add_pd(_mm256_mul_pd(high, _mm256_set1_pd(HALF as f64)), low);
            let beyond = _mm256_cmp_pd::<_CMP_GE_OQ>(sizes, _mm256_set1_pd(EXACT_WHOLE as f64));
            let odd = _mm256_or_si256(odd, _mm256_castpd_si256(beyond));
            let divisors = _mm256_set_m128d(second.divisors, first.divisors);
            let mut values = [0.0; 4];
            _mm256_storeu_pd(values.as_mut_ptr(), _mm256_div_pd(sizes, divisors));
            (values, first.long | second.long | u64::from(_mm256_testz_si256(odd, odd) == 0))
        }
    }

    #[inline(always)]
    fn four_wholes(self, fields: [(&[u8; READ], usize); 4]) -> ([u64; 4], u64) {
        let [a, b, c, d] = fields;
        // With no digit behind a point it has none, and a point is odd.
        let shuffle = |length: usize| &WRITINGS[(length & (WIDTH - 1)) * WIDTH + WIDTH - 1].shuffle;
        // SAFETY: `self` proves that the machine has AVX2.
        unsafe {
            let zeros = _mm256_set1_epi8(b'0' as i8);
            let two = |a: (&[u8; READ], usize), b: (&[u8; READ], usize)| {
                let digits = _mm256_xor_si256(join(a.0, b.0), zeros);
                _mm256_shuffle_epi8(digits, join(shuffle(a.1), shuffle(b.1)))
            };
            let (first, second) = (two(a, b), two(c, d));
            let odd = odd_bytes(first, second);
            let eights = eights(first, second);
            let high = _mm256_mul_epu32(eights, _mm256_set1_epi64x(HALF as i64));
            let sums = _mm256_add_epi64(high, _mm256_srli_epi64::<32>(eights));
            let mut wholes = [0; 4];
            _mm256_storeu_si256(wholes.as_mut_ptr().cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(sums));
            let longs = long(a.1) | long(b.1) | long(c.1) | long(d.1);
            (wholes, longs | u64::from(_mm256_testz_si256(odd, odd) == 0))
        }
    }
}

/// `a` in the lower half, `b` in the upper one.
///
/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn join(a: &[u8; READ], b: &[u8; READ]) -> __m256i {
    // SAFETY: the machine has AVX2; each of the arrays has 16 bytes.
    unsafe {
        let lower = _mm256_castsi128_si256(_mm_loadu_si128(a.as_ptr().cast()));
        _mm256_inserti128_si256::<1>(lower, _mm_loadu_si128(b.as_ptr().cast()))
    }
}

/// Two fields on their way to numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Two {
    /// Their digits, each in one half.
    digits: __m256i,
    /// What to divide their numbers by; negative for a negative number.
    divisors: __m128d,
    /// See [`long`].
    long: u64,
}

/// Not all zeros where a byte of either is above 9.
///
/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn odd_bytes(first: __m256i, second: __m256i) -> __m256i {
    // SAFETY: the machine has AVX2.
    unsafe { _mm256_subs_epu8(_mm256_max_epu8(first, second), _mm256_set1_epi8(9)) }
}

/// The numbers of eight digits each: in the lower half the two of the lower half of `first`, then of `second`, in the
/// upper half those of the upper ones.
///
/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn eights(first: __m256i, second: __m256i) -> __m256i {
    // SAFETY: the machine has AVX2.
    unsafe {
        // 10 and 1 for the digits of a pair, 100 and 1 for two pairs, 10000 and 1 for two of these.
        let (ten, hundred) = (_mm256_set1_epi16(0x010a), _mm256_set1_epi32(0x0001_0064));
        let first = _mm256_madd_epi16(_mm256_maddubs_epi16(first, ten), hundred);
        let second = _mm256_madd_epi16(_mm256_maddubs_epi16(second, ten), hundred);
        _mm256_madd_epi16(_mm256_packus_epi32(first, second), _mm256_set1_epi32(0x0001_2710))
    }
}

/// Not 0 if a field has no bytes, or more than can be read.
#[inline(always)]
fn long(length: usize) -> u64 {
    length.wrapping_sub(1) as u64 & !(READ as u64 - 1)
}

/// How many bytes stand behind the last point of a text and how a field of `length` bytes is then written; the highest
/// bits of `points` say which bytes are points, the highest one that the last is.
#[inline(always)]
fn writing(points: u32, length: usize) -> (usize, &'static Writing) {
    let behind = (points | 0x8000).leading_zeros() as usize;
    (behind, &WRITINGS[(length & (WIDTH - 1)) * WIDTH + (behind & (WIDTH - 1))])
}

/// How a field of some length is written whose point, if it has one, stands so far from its end.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Writing {
    /// Which byte becomes which digit; a number above 127 makes a zero.
    shuffle: [u8; READ],
    /// Ten to the power of the number of digits behind the point, and its negative.
    divisors: [f64; 2],
}

/// Lengths, and places of a point, in [`WRITINGS`]: a power of two above [`READ`].
const WIDTH: usize = 32;
/// The writing of a field of `length` bytes with `behind` digits behind the last point, in place `length * WIDTH +
/// behind`. A point that is not in the field is none.
static WRITINGS: [Writing; WIDTH * WIDTH] = writings();

#[expect(clippy::large_stack_arrays, reason = "it runs in the compiler")]
const fn writings() -> [Writing; WIDTH * WIDTH] {
    let none = Writing { shuffle: [0xff; READ], divisors: [1.0, -1.0] };
    let mut writings = [none; WIDTH * WIDTH];
    let mut at = 0;
    while at < writings.len() {
        let (length, behind) = (at / WIDTH, at % WIDTH);
        let writing = &mut writings[at];
        let point = behind < length;
        if point && length <= READ {
            writing.divisors = [EXACT_POWERS[behind], -EXACT_POWERS[behind]];
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
