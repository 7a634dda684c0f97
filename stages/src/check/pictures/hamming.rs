//! All pairs of prints within a few bits of each other, without comparing all pairs.
//!
//! Two numbers of 64 bits that differ in at most d bits are equal in at least one of d + 1 bands, so only prints that
//! share a band are compared. Source: Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index
//! Hashing" (CVPR 2012), section 3.

use std::collections::HashMap;

use rayon::prelude::*;

use super::print::Print;

/// For each of `prints`, the numbers of those within `limit` bits of it and how many bits differ, itself included,
/// ascending.
pub(super) fn neighbours(prints: &[Print], limit: u32) -> Vec<Vec<(usize, u32)>> {
    let bands = Band::all(limit + 1);
    let buckets: Vec<HashMap<u64, Vec<usize>>> = bands.par_iter().map(|band| band.buckets(prints)).collect();
    let near = |number: usize| {
        let mut found = Vec::new();
        for (band, buckets) in bands.iter().zip(&buckets) {
            let candidates = &buckets[&band.of(prints[number])];
            found.extend(candidates.iter().filter_map(|&other| {
                let distance = prints[number].distance(prints[other]);
                (distance <= limit).then_some((other, distance))
            }));
        }
        found.sort_unstable();
        found.dedup();
        found
    };
    (0..prints.len()).into_par_iter().map(near).collect()
}

/// Some neighbouring bits of a print across.
struct Band {
    shift: u32,
    mask: u64,
}

impl Band {
    /// The 64 bits in `count` bands.
    fn all(count: u32) -> Vec<Self> {
        let edge = |band: u32| band * 64 / count;
        let mask = |width: u32| if width == 64 { u64::MAX } else { (1 << width) - 1 };
        (0..count).map(|band| Self { shift: edge(band), mask: mask(edge(band + 1) - edge(band)) }).collect()
    }

    fn of(&self, print: Print) -> u64 {
        print.across >> self.shift & self.mask
    }

    fn buckets(&self, prints: &[Print]) -> HashMap<u64, Vec<usize>> {
        let mut buckets: HashMap<u64, Vec<usize>> = HashMap::new();
        for (number, print) in prints.iter().enumerate() {
            buckets.entry(self.of(*print)).or_default().push(number);
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn none_is_missed_and_none_is_too_far(
            seeds in prop::collection::vec((0_u64..4, any::<u64>(), any::<u64>()), 1..40),
            limit in 0_u32..=12,
        ) {
            // Numbers around a few centres, so that some are near.
            let spread = |centre: u64, noise: u64| {
                centre.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (noise & noise.rotate_left(17) & noise.rotate_left(31))
            };
            let print = |&(centre, a, b): &(u64, u64, u64)| {
                Print { across: spread(centre, a), down: spread(centre, b) }
            };
            let prints: Vec<Print> = seeds.iter().map(print).collect();
            for (number, found) in neighbours(&prints, limit).into_iter().enumerate() {
                let slow: Vec<(usize, u32)> = (0..prints.len())
                    .map(|other| (other, prints[number].distance(prints[other])))
                    .filter(|(_, distance)| *distance <= limit)
                    .collect();
                prop_assert_eq!(found, slow);
            }
        }
    }
}
