//! The order of the rows: shuffled by (seed, epoch), distributed to ranks and workers.

use schemas::random::KeyedRandom;

use super::OnlineError;

/// Key of the draws by which rows are shuffled.
const KEY: &str = "shuffle";

/// Which reader this is, among all that read one data set together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Number of the training process, from 0.
    pub rank: usize,
    /// How many training processes there are.
    pub world_size: usize,
    /// Number of the loader's worker process, from 0.
    pub worker: usize,
    /// How many worker processes this rank has; 1 where it has none.
    pub workers: usize,
}

impl Default for Share {
    fn default() -> Self {
        Self { rank: 0, world_size: 1, worker: 0, workers: 1 }
    }
}

impl Share {
    /// Checks that each number is below its count.
    ///
    /// # Errors
    /// When one is not.
    pub fn check(&self) -> Result<(), OnlineError> {
        let pairs = [
            ("rank", self.rank, "world_size", self.world_size),
            ("worker", self.worker, "workers", self.workers),
        ];
        match pairs.iter().find(|(_, number, _, count)| number >= count) {
            Some((name, number, of, count)) => Err(OnlineError::Setting {
                message: format!("`{name}` must be below `{of}`, which is {count}, found `{number}`"),
            }),
            None => Ok(()),
        }
    }
}

/// The numbers 0 to `count` - 1 in the order of `epoch`: a shuffle keyed by (seed, `name`, epoch) alone.
///
/// ```
/// use pipeline::online::permutation;
/// assert_eq!(permutation(5, 7, "rows", 0), permutation(5, 7, "rows", 0));
/// assert_ne!(permutation(5, 7, "rows", 0), permutation(5, 7, "rows", 1));
/// ```
pub fn permutation(count: usize, seed: u64, name: &str, epoch: i32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    shuffle(&mut order, &mut KeyedRandom::new(seed, KEY, name, epoch));
    order
}

/// Puts `items` in an order drawn from `random` (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], random: &mut KeyedRandom) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.index(last + 1));
    }
}

/// The batches of `share`, out of all rows in `order`: rank r takes every `world_size`-th row from r on, and worker w of
/// a rank every `workers`-th of the rank's batches, so that no row comes twice and none is left out.
///
/// With `drop_last` a rank gives only full batches, and all ranks give the same number.
pub fn batches_of(order: &[usize], batch_size: usize, drop_last: bool, share: Share) -> Vec<Vec<usize>> {
    let mine: Vec<usize> = order.iter().skip(share.rank).step_by(share.world_size).copied().collect();
    let most = if drop_last { order.len() / share.world_size / batch_size } else { usize::MAX };
    let batches = mine.chunks(batch_size).take(most);
    batches.skip(share.worker).step_by(share.workers).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_every_row_once() {
        let mut order = permutation(1000, 1, "rows", 3);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
        assert!(permutation(0, 1, "rows", 0).is_empty());
    }

    #[test]
    fn the_order_is_pinned() {
        // A change here changes the order of every training run: it needs a major version.
        assert_eq!(permutation(8, 7, "rows", 0), PINNED);
    }

    const PINNED: [usize; 8] = [3, 0, 2, 4, 6, 7, 5, 1];

    #[test]
    fn ranks_and_workers_part_the_rows_exactly() {
        let order = permutation(101, 5, "rows", 2);
        for (world_size, workers) in [(1, 1), (1, 3), (2, 1), (3, 2), (7, 4)] {
            for drop_last in [false, true] {
                let mut seen = Vec::new();
                let mut lengths = Vec::new();
                for rank in 0..world_size {
                    let mut batches = 0;
                    for worker in 0..workers {
                        let mine =
                            batches_of(&order, 4, drop_last, Share { rank, world_size, worker, workers });
                        batches += mine.len();
                        assert!(!drop_last || mine.iter().all(|batch| batch.len() == 4));
                        seen.extend(mine.into_iter().flatten());
                    }
                    lengths.push(batches);
                }
                seen.sort_unstable();
                if drop_last {
                    seen.dedup();
                    assert!(lengths.iter().all(|count| *count == 101 / world_size / 4), "{lengths:?}");
                    assert_eq!(seen.len(), lengths.iter().sum::<usize>() * 4);
                } else {
                    assert_eq!(seen, (0..101).collect::<Vec<_>>(), "{world_size} x {workers}");
                }
            }
        }
    }

    #[test]
    fn workers_in_turn_give_the_batches_of_one_alone() {
        let order = permutation(50, 5, "rows", 0);
        let alone = batches_of(&order, 7, false, Share::default());
        let turns = |worker| batches_of(&order, 7, false, Share { worker, workers: 3, ..Share::default() });
        let three: Vec<_> = (0..3).map(turns).collect();
        let merged: Vec<_> = (0..alone.len()).map(|at| three[at % 3][at / 3].clone()).collect();
        assert_eq!(alone, merged);
    }

    #[test]
    fn a_share_beyond_its_count_is_refused() {
        let share = Share { rank: 2, world_size: 2, ..Share::default() };
        assert_eq!(
            share.check().unwrap_err().to_string(),
            "`rank` must be below `world_size`, which is 2, found `2`"
        );
    }
}
