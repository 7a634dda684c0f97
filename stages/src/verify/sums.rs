//! Sums over a frame in eight lanes, which a compiler may put into vectors without changing a bit.

/// Lanes of a sum.
const LANES: usize = 8;

/// The sum of `term(at)` over `0..length`, lane by lane.
#[inline]
fn sum(length: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = length / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    let rest: f64 = (whole..length).map(term).sum();
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7])) + rest
}

/// The sum of a b.
#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let b = &b[..a.len()];
    sum(a.len(), |at| a[at] * b[at])
}

/// The sum of (x - mean)² scale.
#[inline]
pub(super) fn scaled_distance(x: &[f64], mean: &[f64], scale: &[f64]) -> f64 {
    let (mean, scale) = (&mean[..x.len()], &scale[..x.len()]);
    sum(x.len(), |at| (x[at] - mean[at]) * (x[at] - mean[at]) * scale[at])
}

/// The sum of (x - y)².
#[inline]
pub(super) fn distance(x: &[f64], y: &[f64]) -> f64 {
    let y = &y[..x.len()];
    sum(x.len(), |at| (x[at] - y[at]) * (x[at] - y[at]))
}

/// `sums` += `factor` `row`.
#[inline]
pub(super) fn add_scaled(sums: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, number) in sums.iter_mut().zip(row) {
        *sum += factor * number;
    }
}

/// The largest of `numbers`, or minus infinity if there is none.
#[inline]
pub(super) fn largest<T: Copy + PartialOrd>(numbers: &[T], lowest: T) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [lowest; LANES];
    let chunks = numbers.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(lowest, |a, b| larger(a, *b));
    for chunk in chunks {
        for (lane, number) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, *number);
        }
    }
    lanes.into_iter().fold(rest, larger)
}

/// Replaces each of `numbers` by exp(number - `best`), or 0 where that is below exp(`lowest`); gives their sum.
///
/// `best` is the largest of them and `lowest` at least -700. The relative error of an exponential is below 1e-15.
#[inline]
pub(super) fn exponentials(numbers: &mut [f64], best: f64, lowest: f64) -> f64 {
    for number in numbers.iter_mut() {
        let below = *number - best;
        // A mask instead of a branch, so that the loop goes into vectors.
        let mask = u64::from(below >= lowest).wrapping_neg();
        *number = f64::from_bits(exponential(below).to_bits() & mask);
    }
    sum(numbers.len(), |at| numbers[at])
}

/// exp(x) for x from -700 to 700, without a branch: x = k ln 2 + r with |r| <= ln 2 / 2, 2^k from its bits, and the
/// Taylor series of exp(r) to the twelfth power, whose rest is below 2e-16.
#[inline]
fn exponential(x: f64) -> f64 {
    // Adding 1.5 * 2^52 leaves k, rounded to the nearest, in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts, the first with 20 trailing zero bits, so that k times it is exact.
    const HIGH: f64 = 0.693_147_180_369_123_8;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = x - k * HIGH - k * LOW;
    let mut series = 1.0 / 479_001_600.0;
    for factorial in
        [39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0]
    {
        series = series * r + 1.0 / factorial;
    }
    series * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_those_of_the_library() {
        for step in 0..=200_000 {
            let x = -40.0 * f64::from(step) / 200_000.0;
            let (found, expected) = (exponential(x), libm::exp(x));
            assert!((found / expected - 1.0).abs() < 1e-15, "{x}: {found} for {expected}");
        }
        assert!((exponential(-700.0) / libm::exp(-700.0) - 1.0).abs() < 1e-15);
        let mut numbers = [3.0, 2.0, -38.0, f64::NEG_INFINITY, 3.0, 1.0, 0.0, -1.0, -36.5];
        let expected: f64 = [0.0, -1.0, 0.0, -2.0, -3.0, -4.0, -39.5].into_iter().map(f64::exp).sum();
        let sum = exponentials(&mut numbers, 3.0, -40.0);
        assert!((sum - expected).abs() < 1e-14 && numbers[0] == 1.0);
        assert_eq!(numbers[2..4], [0.0, 0.0], "more than 40 below");
    }

    #[test]
    fn lanes_give_the_sums_of_their_definitions() {
        for length in [0, 1, 7, 8, 9, 29] {
            let x: Vec<f64> = (0..length).map(|at| f64::from(at) * 0.5).collect();
            let y: Vec<f64> = (0..length).map(|at| f64::from(at % 5)).collect();
            let pairs = || x.iter().zip(&y);
            assert_eq!(dot(&x, &y), pairs().map(|(a, b)| a * b).sum::<f64>());
            assert_eq!(distance(&x, &y), pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>());
            let scaled = pairs().map(|(a, b)| (a - b).powi(2) * b).sum::<f64>();
            assert_eq!(scaled_distance(&x, &y, &y), scaled);
            let highest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(largest(&y, f64::NEG_INFINITY), highest);
        }
    }
}
