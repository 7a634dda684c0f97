//! The inner blocks of [`super::sample`] with 256-bit vectors. The only `unsafe` code of this crate's pixels.
//!
//! # Why it is sound
//! - AVX2 instructions run only after [`is_available`] said yes; [`sample`] asserts it.
//! - Memory is read by gathers of 4 bytes at `at`, `at + 2`, `at + pitch` and `at + pitch + 2`, where `at` is the
//!   byte offset of a column's upper left neighbour (x, y). The last byte read is `at + pitch + 5`, which is the blue
//!   level of (x + 1, y + 1). [`sample`] asserts for the first and the last column that 0 <= x, x + 1 < width, 0 <= y
//!   and y + 1 < height. Places in between are integers on the straight line between those two, so x and y lie
//!   between theirs, and every read lies inside `source.rgb`, whose length is asserted to be width x height x 3.
//! - Offsets are signed 32-bit numbers; width and height are asserted to be at most 2^15 - 1 and the length to fit
//!   `i32`, so neither a place (16 + 15 bits) nor an offset wraps.
//! - Memory is written to a local array of the vectors' size alone.

use std::arch::x86_64::{
    __m256i, _mm_storeu_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_i32gather_epi32, _mm256_madd_epi16, _mm256_mullo_epi32, _mm256_or_si256,
    _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_slli_epi32,
    _mm256_srai_epi32, _mm256_srli_epi32, _mm256_sub_epi32,
};

use super::rgb::{BLOCK, Source, WEIGHT_BITS};

/// Whether this machine has AVX2.
pub(super) fn is_available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

/// Fills `block` with the columns at `start + i * step`, places in steps of 2^-16 px.
///
/// # Panics
/// When the machine has no AVX2, or the first or last column has not all neighbours inside: see the module.
pub(super) fn sample(source: Source, start: [i32; 2], step: [i32; 2], block: &mut [u8; BLOCK * 3]) {
    assert!(is_available(), "the caller looked for AVX2");
    let (width, height) = (source.width, source.height);
    assert!(
        i16::try_from(width.max(height)).is_ok() && i32::try_from(source.rgb.len()).is_ok(),
        "32 bits do"
    );
    assert_eq!(source.rgb.len(), width * height * 3, "the source's shape");
    let count = BLOCK as i64 - 1;
    for (axis, side) in [width, height].into_iter().enumerate() {
        let first = i64::from(start[axis]);
        let last = first + count * i64::from(step[axis]);
        let inside = 0..(side as i64 - 1) << 16;
        assert!(inside.contains(&first) && inside.contains(&last), "all neighbours are inside");
    }
    // SAFETY: AVX2 is there, and all that `columns` asks for was asserted above.
    unsafe { columns(source, start, step, block) }
}

/// # Safety
/// The conditions of the module must hold.
#[target_feature(enable = "avx2")]
unsafe fn columns(source: Source, start: [i32; 2], step: [i32; 2], block: &mut [u8; BLOCK * 3]) {
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let along = |axis: usize| {
        let steps = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step[axis]));
        _mm256_add_epi32(_mm256_set1_epi32(start[axis]), steps)
    };
    let (mut u, mut v) = (along(0), along(1));
    let eight = [0, 1].map(|axis: usize| _mm256_set1_epi32(step[axis].wrapping_mul(8)));
    // Four bytes more than the block, since the last store of 16 bytes carries 12.
    let mut packed = [0u8; BLOCK * 3 + 4];
    for half in 0..2 {
        // SAFETY: the conditions of the module hold for every column.
        let pixels = unsafe { eight_columns(source, u, v) };
        let at = half * 24;
        let (low, high) = (_mm256_castsi256_si128(pixels), _mm256_extracti128_si256::<1>(pixels));
        // SAFETY: at + 12 + 16 is at most 52, the length of `packed`; the store needs no alignment.
        unsafe {
            _mm_storeu_si128(packed.as_mut_ptr().add(at).cast(), low);
            _mm_storeu_si128(packed.as_mut_ptr().add(at + 12).cast(), high);
        }
        u = _mm256_add_epi32(u, eight[0]);
        v = _mm256_add_epi32(v, eight[1]);
    }
    block.copy_from_slice(&packed[..BLOCK * 3]);
}

/// Eight columns at places (`u`, `v`): 12 bytes of RGB in the low end of each half.
///
/// # Safety
/// All neighbours of all eight places must be inside the source.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn eight_columns(source: Source, u: __m256i, v: __m256i) -> __m256i {
    let (x, y) = (_mm256_srai_epi32::<16>(u), _mm256_srai_epi32::<16>(v));
    let pitch = _mm256_set1_epi32((source.width * 3) as i32);
    let three = _mm256_set1_epi32(3);
    let above = _mm256_add_epi32(_mm256_mullo_epi32(y, pitch), _mm256_mullo_epi32(x, three));
    let below = _mm256_add_epi32(above, pitch);
    let two = _mm256_set1_epi32(2);
    #[expect(clippy::cast_ptr_alignment, reason = "a gather needs no alignment")]
    let base = source.rgb.as_ptr().cast::<i32>();
    let gather = |at: __m256i| {
        // SAFETY: `at` to `at + 3` lies inside, by the conditions of the module.
        unsafe { _mm256_i32gather_epi32::<1>(base, at) }
    };
    // R G B r and B r g b of each column, where small letters are the right neighbour.
    let rows = [
        (gather(above), gather(_mm256_add_epi32(above, two))),
        (gather(below), gather(_mm256_add_epi32(below, two))),
    ];
    let (across, down) = (weights(u), weights(v));
    let half = _mm256_set1_epi32(1 << (2 * WEIGHT_BITS - 1));
    let channel = |pair: [__m256i; 2]| {
        // Left and right neighbour times their weights: at most 255 * 128, which fits 16 bits with a sign.
        let (top, bottom) = (_mm256_madd_epi16(pair[0], across), _mm256_madd_epi16(pair[1], across));
        let both = _mm256_or_si256(top, _mm256_slli_epi32::<16>(bottom));
        let sum = _mm256_add_epi32(_mm256_madd_epi16(both, down), half);
        _mm256_srli_epi32::<14>(sum)
    };
    let outer = shuffle([0, -1, 3, -1]);
    let (left, right) = (shuffle([1, -1, -1, -1]), shuffle([-1, -1, 2, -1]));
    let red = channel(rows.map(|(first, _)| _mm256_shuffle_epi8(first, outer)));
    let green = channel(rows.map(|(first, second)| {
        _mm256_or_si256(_mm256_shuffle_epi8(first, left), _mm256_shuffle_epi8(second, right))
    }));
    let blue = channel(rows.map(|(_, second)| _mm256_shuffle_epi8(second, outer)));
    let words =
        _mm256_or_si256(_mm256_or_si256(red, _mm256_slli_epi32::<8>(green)), _mm256_slli_epi32::<16>(blue));
    let squeeze = _mm256_setr_epi8(
        0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, //
        0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,
    );
    _mm256_shuffle_epi8(words, squeeze)
}

/// For each place, 128 - w in the low and w in the high 16 bits, where w is its weight.
#[target_feature(enable = "avx2")]
#[inline]
fn weights(place: __m256i) -> __m256i {
    let fraction = _mm256_srli_epi32::<9>(place);
    let weight = _mm256_and_si256(fraction, _mm256_set1_epi32((1 << WEIGHT_BITS) - 1));
    let rest = _mm256_sub_epi32(_mm256_set1_epi32(1 << WEIGHT_BITS), weight);
    _mm256_or_si256(rest, _mm256_slli_epi32::<16>(weight))
}

/// A shuffle that does `bytes` within each 32-bit lane; -1 makes 0.
#[target_feature(enable = "avx2")]
#[inline]
fn shuffle(bytes: [i8; 4]) -> __m256i {
    let lane = |number: i8| bytes.map(|byte| if byte < 0 { -1 } else { byte + 4 * number });
    let ([a, b, c, d], [e, f, g, h]) = (lane(0), lane(1));
    let ([i, j, k, l], [m, n, o, p]) = (lane(2), lane(3));
    _mm256_setr_epi8(
        a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, //
        a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p,
    )
}
