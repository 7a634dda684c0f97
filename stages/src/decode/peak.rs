//! The highest px of a map and the map's mean, in two passes that the compiler vectorises.

/// Numbers handled at once; any fixed count gives the same bits on every machine.
const LANES: usize = 16;

/// The highest px of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Column, from 0.
    pub x: usize,
    /// Row, from 0.
    pub y: usize,
    /// Its height.
    pub value: f32,
}

/// The highest px of `map`, `[h, width]`, the first in row-major order where several are; and the mean of the map.
///
/// `NaN` counts as lower than everything; `None` where nothing is finite there, or the highest px is infinite.
pub fn peak_and_mean(map: &[f32], width: usize) -> (Option<Peak>, f64) {
    let (highest, sum) = highest_and_sum(map);
    let peak = highest.is_finite().then(|| first_equal(map, highest)).flatten();
    let mean = sum / map.len() as f64;
    (peak.map(|at| Peak { x: at % width, y: at / width, value: highest }), mean)
}

fn highest_and_sum(map: &[f32]) -> (f32, f64) {
    let (mut highest, mut sums) = ([f32::NEG_INFINITY; LANES], [0.0f32; LANES]);
    let (chunks, rest) = map.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            highest[lane] = if chunk[lane] > highest[lane] { chunk[lane] } else { highest[lane] };
            sums[lane] += chunk[lane];
        }
    }
    let all = highest.iter().chain(rest);
    let highest = all.fold(f32::NEG_INFINITY, |best, value| if *value > best { *value } else { best });
    let sum = sums.iter().chain(rest).map(|value| f64::from(*value)).sum();
    (highest, sum)
}

/// Index of the first number equal to `value`: whole chunks are compared without a branch inside.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch the loop becomes vector instructions")]
fn first_equal(map: &[f32], value: f32) -> Option<usize> {
    let has = |chunk: &[f32]| chunk.iter().fold(false, |any, number| any | (*number == value));
    let start = map.chunks(4 * LANES).position(has)? * 4 * LANES;
    map[start..].iter().position(|number| *number == value).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_first_maximum(
            levels in proptest::collection::vec(-3i8..4, 1..400), width in 1usize..20,
        ) {
            // Few levels, so that maxima are tied.
            let map: Vec<f32> = levels.iter().map(|level| f32::from(*level)).collect();
            let (found, mean) = peak_and_mean(&map, width);
            let mut first = 0;
            for at in 0..map.len() {
                if map[at] > map[first] {
                    first = at;
                }
            }
            prop_assert_eq!(found, Some(Peak { x: first % width, y: first / width, value: map[first] }));
            let plain = map.iter().map(|value| f64::from(*value)).sum::<f64>() / map.len() as f64;
            prop_assert!((mean - plain).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_not_finite_is_no_peak() {
        let mut map = vec![f32::NAN; 40];
        assert_eq!(peak_and_mean(&map, 8).0, None);
        map[17] = -2.0;
        assert_eq!(peak_and_mean(&map, 8).0, Some(Peak { x: 1, y: 2, value: -2.0 }));
        map[3] = f32::INFINITY;
        assert_eq!(peak_and_mean(&map, 8).0, None);
    }
}
