//! Frames in blocks of a fixed size, worked on in parallel and merged in order.
//!
//! Sums over frames are taken block by block, so that they depend neither on threads nor on how the rows of an input
//! are batched. A block never spans two units, so that the sums of a unit can be made anywhere
//! ([`UnitSum`](crate::unit_sum::UnitSum)).

use std::borrow::Cow;

use rayon::prelude::*;

use crate::stage::StageError;

/// Frames of a block; the sum of a unit is the sum over its blocks in order.
pub const BLOCK_FRAMES: usize = 2048;
/// Numbers that are read before they are worked on: 128 MiB. Memory, not results, depends on it.
const GROUP_NUMBERS: usize = 1 << 24;
/// Blocks that are read before they are worked on, if they are small: twice the threads, at least this many.
const GROUP_BLOCKS: usize = 16;

/// Up to [`BLOCK_FRAMES`] frames in row order.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// `[n, D]`.
    pub numbers: Cow<'a, [f64]>,
    /// What each frame belongs to, `[n]`; empty where nobody asked.
    pub tags: Vec<u64>,
    /// Number of the unit that the frames are of.
    pub unit: u64,
}

/// Blocks as they come.
pub type Blocks<'a> = Box<dyn Iterator<Item = Result<Block<'a>, StageError>> + Send + 'a>;

/// Frames of D numbers that can be read as often as needed.
pub trait FrameSource: Sync {
    /// D.
    fn dimensions(&self) -> usize;

    /// All frames from the first one on; all blocks but the last of each unit are full.
    fn blocks(&self) -> Blocks<'_>;
}

/// Frames in memory, `[N, D]`: one unit.
#[derive(Debug, Clone, Copy)]
pub struct FrameMatrix<'a> {
    /// Row by row.
    pub numbers: &'a [f64],
    /// D.
    pub dimensions: usize,
}

impl FrameSource for FrameMatrix<'_> {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn blocks(&self) -> Blocks<'_> {
        let blocks = self.numbers.chunks(BLOCK_FRAMES * self.dimensions);
        Box::new(
            blocks.map(|numbers| Ok(Block { numbers: Cow::Borrowed(numbers), tags: Vec::new(), unit: 0 })),
        )
    }
}

/// The next blocks to work on side by side; none at the end.
///
/// # Errors
/// The first error of `blocks`.
pub fn next_group<'a>(
    blocks: &mut impl Iterator<Item = Result<Block<'a>, StageError>>,
) -> Result<Vec<Block<'a>>, StageError> {
    let (mut group, mut numbers) = (Vec::new(), 0);
    let most = GROUP_BLOCKS.max(2 * rayon::current_num_threads());
    while group.len() < most && numbers < GROUP_NUMBERS {
        let Some(block) = blocks.next().transpose()? else { break };
        numbers += block.numbers.len();
        group.push(block);
    }
    Ok(group)
}

/// Works on `blocks` side by side and hands the results to `merge` in the order of the blocks.
///
/// `scratch` makes the buffers of one task.
///
/// # Errors
/// The first error of `blocks` or of `merge`.
pub fn fold_blocks<'a, S, T: Send>(
    mut blocks: impl Iterator<Item = Result<Block<'a>, StageError>>,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &Block<'a>) -> T + Sync,
    mut merge: impl FnMut(T, Block<'a>) -> Result<(), StageError>,
) -> Result<(), StageError> {
    loop {
        let group = next_group(&mut blocks)?;
        if group.is_empty() {
            return Ok(());
        }
        let results: Vec<T> = group.par_iter().with_max_len(1).map_init(&scratch, &work).collect();
        for (result, block) in results.into_iter().zip(group) {
            merge(result, block)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_whole_and_in_order() {
        let count = BLOCK_FRAMES * (GROUP_BLOCKS + 1) + 3;
        let numbers: Vec<f64> = (0..count * 2).map(|v| v as f64).collect();
        let source = FrameMatrix { numbers: &numbers, dimensions: 2 };
        let (mut seen, mut lengths) = (Vec::new(), Vec::new());
        let first = |(): &mut (), block: &Block<'_>| block.numbers[0];
        fold_blocks(
            source.blocks(),
            || (),
            first,
            |first, block| {
                assert_eq!(first, seen.len() as f64);
                lengths.push(block.numbers.len() / 2);
                seen.extend_from_slice(&block.numbers);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(seen, numbers);
        assert_eq!(*lengths.last().unwrap(), 3);
        assert!(lengths[..lengths.len() - 1].iter().all(|length| *length == BLOCK_FRAMES));
    }

    #[test]
    fn the_first_error_ends_the_fold() {
        let blocks = vec![Err(StageError::Stopped)];
        let folded = fold_blocks(blocks.into_iter(), || (), |(), _| (), |(), _| Ok(()));
        assert!(matches!(folded, Err(StageError::Stopped)));
    }
}
