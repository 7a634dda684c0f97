//! Where expectation maximisation starts: k-means from seeds that are far apart.
//!
//! Sources: Arthur, Vassilvitskii 2007 (k-means++: a frame becomes a seed with a probability in proportion to its
//! squared distance from the seeds so far); Lloyd 1982 (move each centre to the mean of its frames, again and again).

use rayon::prelude::*;
use schemas::random::KeyedRandom;

use super::gaussians::Gaussians;
use super::product::{Strided, multiply};
use super::sums::{add_scaled, distance, dot};
use crate::stage::StageError;

/// Frames that one task looks at.
const TASK_FRAMES: usize = 512;

/// A mixture of M = `components` around the centres of the frames `sample`, `[S, D]`.
///
/// Weights are the shares of frames, means the centres; all components have the same variances: those about the
/// centres, at least `floor`, `[D]`, each above 0. A centre without frames keeps its place and counts as one frame.
///
/// # Errors
/// When there are fewer frames than components.
pub fn k_means(
    sample: &[f64],
    components: usize,
    iterations: usize,
    floor: &[f64],
    random: &mut KeyedRandom,
) -> Result<Gaussians, StageError> {
    let dimensions = floor.len();
    super::em::enough_frames((sample.len() / dimensions) as u64, components)?;
    let mut centres = seeds(sample, dimensions, components, random);
    let mut nearest = assign(sample, &centres, dimensions);
    for _ in 0..iterations {
        move_centres(sample, &nearest, &mut centres, dimensions);
        let next = assign(sample, &centres, dimensions);
        if next == nearest {
            break;
        }
        nearest = next;
    }
    let mut counts = vec![0.0; components];
    let mut squares = vec![0.0; dimensions];
    for (frame, nearest) in sample.chunks_exact(dimensions).zip(&nearest) {
        counts[*nearest] += 1.0;
        let centre = &centres[nearest * dimensions..];
        squares.iter_mut().zip(frame).zip(centre).for_each(|((sum, x), c)| *sum += (x - c) * (x - c));
    }
    let counts: Vec<f64> = counts.into_iter().map(|count: f64| count.max(1.0)).collect();
    let total: f64 = counts.iter().sum();
    let frames = nearest.len() as f64;
    let spread: Vec<f64> = squares.iter().zip(floor).map(|(sum, floor)| (sum / frames).max(*floor)).collect();
    let weights = counts.into_iter().map(|count| count / total).collect();
    Gaussians::new(weights, centres, spread.repeat(components))
}

/// Frames of `sample` to begin with, `[M, D]`.
fn seeds(sample: &[f64], dimensions: usize, components: usize, random: &mut KeyedRandom) -> Vec<f64> {
    let frames = sample.len() / dimensions;
    let mut apart = vec![f64::INFINITY; frames];
    let mut seed = random.index(frames);
    let mut centres = Vec::with_capacity(components * dimensions);
    loop {
        let centre = &sample[seed * dimensions..(seed + 1) * dimensions];
        centres.extend_from_slice(centre);
        if centres.len() == components * dimensions {
            return centres;
        }
        apart.par_chunks_mut(TASK_FRAMES).zip(sample.par_chunks(TASK_FRAMES * dimensions)).for_each(
            |(apart, frames)| {
                for (apart, frame) in apart.iter_mut().zip(frames.chunks_exact(dimensions)) {
                    *apart = apart.min(distance(frame, centre));
                }
            },
        );
        let drawn = random.unit() * apart.iter().sum::<f64>();
        let mut sum = 0.0;
        let reached = apart.iter().position(|apart| {
            sum += apart;
            sum > drawn
        });
        // Fewer different frames than components: a frame twice does no harm.
        seed = reached.unwrap_or_else(|| random.index(frames));
    }
}

/// The nearest centre of each frame, the first of several; `[S]`.
fn assign(sample: &[f64], centres: &[f64], dimensions: usize) -> Vec<usize> {
    let components = centres.len() / dimensions;
    let lengths: Vec<f64> = centres.chunks_exact(dimensions).map(|centre| dot(centre, centre)).collect();
    let nearest = |frames: &[f64]| {
        let count = frames.len() / dimensions;
        let mut products = vec![0.0; count * components];
        let centres = Strided::new(centres, components, dimensions, dimensions);
        multiply(
            Strided::new(frames, count, dimensions, dimensions),
            centres.transposed(),
            0.0,
            &mut products,
        );
        let of_row = |row: &[f64]| {
            let distances = row.iter().zip(&lengths).map(|(product, length)| length - 2.0 * product);
            let first = |best: (usize, f64), next: (usize, f64)| if next.1 < best.1 { next } else { best };
            distances.enumerate().fold((0, f64::INFINITY), first).0
        };
        products.chunks_exact(components).map(of_row).collect::<Vec<usize>>()
    };
    sample.par_chunks(TASK_FRAMES * dimensions).flat_map_iter(nearest).collect()
}

fn move_centres(sample: &[f64], nearest: &[usize], centres: &mut [f64], dimensions: usize) {
    let (mut sums, mut counts) = (vec![0.0; centres.len()], vec![0.0; centres.len() / dimensions]);
    for (frame, nearest) in sample.chunks_exact(dimensions).zip(nearest) {
        counts[*nearest] += 1.0;
        add_scaled(&mut sums[nearest * dimensions..(nearest + 1) * dimensions], 1.0, frame);
    }
    let rows = centres.chunks_exact_mut(dimensions).zip(sums.chunks_exact(dimensions));
    for ((centre, sums), count) in rows.zip(counts) {
        if count > 0.0 {
            centre.iter_mut().zip(sums).for_each(|(centre, sum)| *centre = sum / count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three heaps of ten frames on a line.
    fn heaps() -> Vec<f64> {
        (0..30).map(|at| [0.0, 100.0, 200.0][at % 3] + (at / 3) as f64 * 0.1).collect()
    }

    #[test]
    fn centres_find_the_heaps() {
        for copy in 0..20 {
            let mut random = KeyedRandom::new(1, "start", "x", copy);
            let gaussians = k_means(&heaps(), 3, 10, &[1e-6], &mut random).unwrap();
            let mut means = gaussians.means().to_vec();
            means.sort_by(f64::total_cmp);
            for (mean, expected) in means.iter().zip([0.45, 100.45, 200.45]) {
                assert!((mean - expected).abs() < 1e-9, "{means:?}");
            }
            assert_eq!(gaussians.weights(), [1.0 / 3.0; 3]);
            // Variance of 0.0, 0.1, ..., 0.9.
            assert!((gaussians.variances()[0] - 0.0825).abs() < 1e-9);
        }
    }

    #[test]
    fn frames_that_are_all_the_same_and_too_few_frames() {
        let mut random = KeyedRandom::new(1, "start", "x", 0);
        let same = k_means(&[5.0; 8], 3, 10, &[0.5], &mut random).unwrap();
        assert_eq!((same.means(), same.variances()), (&[5.0; 3][..], &[0.5; 3][..]));
        let few = k_means(&[1.0, 2.0], 3, 10, &[0.5], &mut random).unwrap_err();
        assert_eq!(few.to_string(), "2 frames are too few for 3 components");
    }
}
