//! Sums of products, the work of the low-pass. The only `unsafe` code of this stage.
//!
//! # Why it is sound
//! [`avx::convolve`] is compiled for AVX, and called once the machine is found to have it. It reads and writes memory
//! four numbers at a time, which need no alignment, in arrays of four and by references to them.

/// Sums that run side by side, so that it runs on several numbers at once and always adds alike.
const LANES: usize = 8;

/// For each of `sums`, number s: the sum of the products of `taps` and the numbers of `signal` from s * `multiple` on.
///
/// It is the same to the last bit on every machine.
///
/// # Panics
/// When the signal is too short.
pub(super) fn convolve(taps: &[f64], signal: &[f64], multiple: usize, sums: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the machine has AVX.
        return unsafe { avx::convolve(taps, signal, multiple, sums) };
    }
    each(taps, signal, multiple, sums);
}

fn each(taps: &[f64], signal: &[f64], multiple: usize, sums: &mut [f64]) {
    for (at, sum) in sums.iter_mut().enumerate() {
        let signal = &signal[at * multiple..][..taps.len()];
        let mut running = [0.0; LANES];
        let (eights, _) = taps.as_chunks::<LANES>();
        for (taps, signal) in eights.iter().zip(signal.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                running[lane] += taps[lane] * signal[lane];
            }
        }
        let [a, b, c, d, e, f, g, h] = running;
        *sum = total([a + e, b + f, c + g, d + h], taps, signal);
    }
}

/// The sum of the `running` sums, two and two, and of the products that are left behind the last whole eight.
#[inline]
fn total([a, b, c, d]: [f64; LANES / 2], taps: &[f64], signal: &[f64]) -> f64 {
    let (taps, signal) = (taps.as_chunks::<LANES>().1, signal.as_chunks::<LANES>().1);
    let rest: f64 = taps.iter().zip(signal).map(|(tap, value)| tap * value).sum();
    rest + (a + b) + (c + d)
}

/// By vectors of four numbers. No product is fused with a sum, which would round once less.
#[cfg(target_arch = "x86_64")]
mod avx {
    use std::arch::x86_64::{
        __m256d, _mm256_add_pd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_setzero_pd, _mm256_storeu_pd,
    };

    use super::{LANES, each, total};

    /// Sums that are made at once, so that each tap is loaded once for all of them.
    const TOGETHER: usize = 4;

    /// See [`super::convolve`].
    #[target_feature(enable = "avx")]
    pub(super) fn convolve(taps: &[f64], signal: &[f64], multiple: usize, sums: &mut [f64]) {
        let (groups, rest) = sums.as_chunks_mut::<TOGETHER>();
        let last = groups.len() * TOGETHER * multiple;
        for (at, sums) in groups.iter_mut().enumerate() {
            let first = at * TOGETHER * multiple;
            let part = |number: usize| &signal[first + number * multiple..][..taps.len()];
            let parts = [part(0), part(1), part(2), part(3)];
            for ((sum, running), part) in sums.iter_mut().zip(running(taps, parts)).zip(parts) {
                *sum = total(running, taps, part);
            }
        }
        if !rest.is_empty() {
            each(taps, &signal[last..], multiple, rest);
        }
    }

    /// The running sums of each of `signals`, which are as long as `taps`, lane l and lane l + 4 in one.
    #[target_feature(enable = "avx")]
    #[inline]
    fn running(taps: &[f64], signals: [&[f64]; TOGETHER]) -> [[f64; LANES / 2]; TOGETHER] {
        let mut sums = [[_mm256_setzero_pd(); 2]; TOGETHER];
        let (eights, _) = taps.as_chunks::<LANES>();
        let eight = |signal: usize| &signals[signal].as_chunks::<LANES>().0[..eights.len()];
        let (a, b, c, d) = (eight(0), eight(1), eight(2), eight(3));
        for (at, taps) in eights.iter().enumerate() {
            let taps = halves(taps);
            for (sums, signal) in sums.iter_mut().zip([&a[at], &b[at], &c[at], &d[at]]) {
                let signal = halves(signal);
                sums[0] = _mm256_add_pd(sums[0], _mm256_mul_pd(taps[0], signal[0]));
                sums[1] = _mm256_add_pd(sums[1], _mm256_mul_pd(taps[1], signal[1]));
            }
        }
        let mut running = [[0.0; LANES / 2]; TOGETHER];
        for (running, sums) in running.iter_mut().zip(sums) {
            // SAFETY: there are four numbers.
            unsafe { _mm256_storeu_pd(running.as_mut_ptr(), _mm256_add_pd(sums[0], sums[1])) };
        }
        running
    }

    /// The first and the last four of eight numbers.
    #[target_feature(enable = "avx")]
    #[inline]
    fn halves(eight: &[f64; LANES]) -> [__m256d; 2] {
        let (halves, _) = eight.as_chunks::<4>();
        // SAFETY: a half has four numbers.
        unsafe { [_mm256_loadu_pd(halves[0].as_ptr()), _mm256_loadu_pd(halves[1].as_ptr())] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_the_same_on_every_machine(
            numbers in prop::collection::vec(-1e6_f64..1e6, 300),
            length in 1_usize..100,
            multiple in 1_usize..6,
            count in 1_usize..30,
        ) {
            let taps: Vec<f64> = numbers[..length].iter().map(|number| number / 1e7).collect();
            let (mut found, mut expected) = (vec![0.0; count], vec![0.0; count]);
            convolve(&taps, &numbers, multiple, &mut found);
            each(&taps, &numbers, multiple, &mut expected);
            let bits = |sums: &[f64]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }
}
