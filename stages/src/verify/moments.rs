//! Mean and covariance of all frames in one pass.
//!
//! Each block is centred on its own mean; blocks, and then units, are merged by their means and scatters: Chan, Golub and
//! `LeVeque` 1983. Nothing cancels, however far from 0 the data lie.

use super::blocks::{Block, fold_blocks};
use super::product::{Strided, multiply};
use super::sums::add_scaled;
use crate::stage::StageError;
use crate::unit_sum::{Add, UnitSum};

/// What is kept besides the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scatter {
    /// The sum of (x - mean)² of each dimension, `[D]`.
    Diagonal,
    /// The sum of (x - mean)(x - mean)ᵀ, `[D, D]`.
    Full,
}

/// Number, mean and scatter of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// N.
    pub frames: u64,
    /// `[D]`.
    pub mean: Vec<f64>,
    /// `[D]` or `[D, D]`.
    pub scatter: Vec<f64>,
}

/// The moments of all frames of D = `dimensions`.
///
/// # Errors
/// The first error of `blocks`.
pub fn moments<'a>(
    blocks: impl Iterator<Item = Result<Block<'a>, StageError>>,
    dimensions: usize,
    kept: Scatter,
    mut each: impl FnMut(&Block<'a>),
) -> Result<Moments, StageError> {
    let width = match kept {
        Scatter::Diagonal => 1,
        Scatter::Full => dimensions,
    };
    let mut sum = UnitSum::default();
    let work = |(): &mut (), block: &Block<'a>| of_block(&block.numbers, dimensions, kept);
    fold_blocks(
        blocks,
        || (),
        work,
        |moments, block| {
            sum.add(block.unit, moments);
            each(&block);
            Ok(())
        },
    )?;
    let none = || Moments { frames: 0, mean: vec![0.0; dimensions], scatter: vec![0.0; dimensions * width] };
    Ok(sum.total().unwrap_or_else(none))
}

fn of_block(numbers: &[f64], dimensions: usize, kept: Scatter) -> Moments {
    let count = numbers.len() / dimensions;
    let mut mean = vec![0.0; dimensions];
    numbers.chunks_exact(dimensions).for_each(|frame| add_scaled(&mut mean, 1.0, frame));
    for sum in &mut mean {
        *sum /= count as f64;
    }
    let mut centred = numbers.to_vec();
    centred.chunks_exact_mut(dimensions).for_each(|frame| add_scaled(frame, -1.0, &mean));
    let scatter = match kept {
        Scatter::Diagonal => {
            let mut sums = vec![0.0; dimensions];
            for frame in centred.chunks_exact(dimensions) {
                sums.iter_mut().zip(frame).for_each(|(sum, x)| *sum += x * x);
            }
            sums
        }
        Scatter::Full => {
            let mut sums = vec![0.0; dimensions * dimensions];
            let centred = Strided::new(&centred, count, dimensions, dimensions);
            multiply(centred.transposed(), centred, 0.0, &mut sums);
            sums
        }
    };
    Moments { frames: count as u64, mean, scatter }
}

/// Both have frames.
impl Add for Moments {
    fn add(&mut self, other: &Self) {
        let (before, more) = (self.frames as f64, other.frames as f64);
        let apart: Vec<f64> = other.mean.iter().zip(&self.mean).map(|(b, a)| b - a).collect();
        let factor = before * more / (before + more);
        let width = self.scatter.len() / apart.len();
        add_scaled(&mut self.scatter, 1.0, &other.scatter);
        if width == 1 {
            self.scatter.iter_mut().zip(&apart).for_each(|(sum, d)| *sum += factor * d * d);
        } else {
            for (row, d) in self.scatter.chunks_exact_mut(width).zip(&apart) {
                add_scaled(row, factor * d, &apart);
            }
        }
        add_scaled(&mut self.mean, more / (before + more), &apart);
        self.frames += other.frames;
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::{BLOCK_FRAMES, FrameMatrix, FrameSource as _};
    use super::*;

    #[test]
    fn moments_far_from_zero_are_exact() {
        let count = BLOCK_FRAMES * 2 + 100;
        // x runs through -1, 0, 1 and y = 2 x, both a million away from 0.
        let numbers: Vec<f64> =
            (0..count).map(|at| (at % 3) as f64 - 1.0).flat_map(|x| [1e6 + x, -1e6 + 2.0 * x]).collect();
        let source = FrameMatrix { numbers: &numbers, dimensions: 2 };
        let full = moments(source.blocks(), 2, Scatter::Full, |_| ()).unwrap();
        let diagonal = moments(source.blocks(), 2, Scatter::Diagonal, |_| ()).unwrap();
        assert_eq!(full.frames, count as u64);
        let sum: f64 = (0..count).map(|at| (at % 3) as f64 - 1.0).sum();
        let (mean, squares) = (sum / count as f64, (0..count).filter(|at| at % 3 != 1).count() as f64);
        let scatter = squares - count as f64 * mean * mean;
        for (found, expected) in full.scatter.iter().zip([1.0, 2.0, 2.0, 4.0]) {
            assert!((found - expected * scatter).abs() < 1e-6, "{found} for {}", expected * scatter);
        }
        assert!((full.mean[0] - 1e6 - mean).abs() < 1e-9 && full.mean == diagonal.mean);
        assert!((diagonal.scatter[1] - full.scatter[3]).abs() < 1e-6);
    }

    #[test]
    fn one_frame_has_no_scatter() {
        let source = FrameMatrix { numbers: &[3.0, 4.0], dimensions: 2 };
        let one = moments(source.blocks(), 2, Scatter::Full, |_| ()).unwrap();
        assert_eq!((one.mean, one.scatter), (vec![3.0, 4.0], vec![0.0; 4]));
    }
}
