//! Sums in the order of `numpy`, so that means have its bits.

/// Numbers that are added in one go; of more, both halves are summed.
const BLOCK: usize = 128;
/// Sums that run side by side.
const LANES: usize = 8;

/// The sum of `numbers` as `numpy.sum` makes it (`pairwise_sum` in `loops_utils.h`).
pub(super) fn sum(numbers: &[f64]) -> f64 {
    let count = numbers.len();
    if count < LANES {
        return numbers.iter().fold(0.0, |sum, number| sum + number);
    }
    if count > BLOCK {
        let half = count / 2;
        let (first, second) = numbers.split_at(half - half % LANES);
        return sum(first) + sum(second);
    }
    let mut lanes = [0.0; LANES];
    lanes.copy_from_slice(&numbers[..LANES]);
    let mut chunks = numbers[LANES..].chunks_exact(LANES);
    for chunk in &mut chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, number)| *lane += number);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let whole = ((a + b) + (c + d)) + ((e + f) + (g + h));
    chunks.remainder().iter().fold(whole, |sum, number| sum + number)
}

/// The mean of `numbers`, `NaN` of none.
pub(super) fn mean(numbers: &[f64]) -> f64 {
    sum(numbers) / numbers.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_the_bits_of_numpy() {
        // `numpy.sum(1 / (numpy.arange(n) + 3))` of numpy 2.4.6, by `float.hex` read as bits.
        for (count, bits) in EXPECTED {
            let numbers: Vec<f64> = (0..count).map(|n| 1.0 / (f64::from(n) + 3.0)).collect();
            assert_eq!(sum(&numbers).to_bits(), bits, "{count}");
        }
    }

    const EXPECTED: [(u32, u64); 10] = [
        (1, 0x3fd5_5555_5555_5555),
        (7, 0x3ff5_4374_3743_7437),
        (8, 0x3ff6_dd0d_d0dd_0dd0),
        (9, 0x3ff8_516a_e822_df44),
        (17, 0x4000_61c5_5451_3c25),
        (101, 0x400d_bbfd_01e8_801b),
        (128, 0x400f_96b7_0e38_f84d),
        (129, 0x400f_a659_4108_1d6f),
        (133, 0x400f_e3b7_5c14_55c3),
        (1010, 0x4017_fd54_b90c_bc42),
    ];
}
