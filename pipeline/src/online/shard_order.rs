//! The order of the rows of a table on disk: row groups shuffled, rows shuffled among neighbouring groups.

use schemas::random::KeyedRandom;

use super::order::{Share, permutation, shuffle};

/// Key of the draws by which rows are shuffled among the groups that are in memory together.
const KEY: &str = "shuffle-buffer";

/// The rows that `share` reads in `epoch`, in order. `group_rows` are the lengths of the row groups.
///
/// All groups are put in an order keyed by (seed, epoch), the same for any number of ranks. Each rank takes an equal
/// contiguous part of the rows in that order, and each of its workers an equal part of the rank's, so that each reads
/// about its share of the groups and no row comes twice or is left out. Then rows are shuffled among as many
/// neighbouring groups as hold `buffer` rows. Without a `seed` the table's own order is kept.
pub fn places(
    group_rows: &[usize],
    seed: Option<u64>,
    epoch: i32,
    buffer: usize,
    share: Share,
) -> Vec<usize> {
    let mut starts = vec![0];
    for rows in group_rows {
        starts.push(starts[starts.len() - 1] + rows);
    }
    let total = starts[group_rows.len()];
    let order = match seed {
        Some(seed) => permutation(group_rows.len(), seed, "row groups", epoch),
        None => (0..group_rows.len()).collect(),
    };
    let readers = share.world_size * share.workers;
    let reader = share.rank * share.workers + share.worker;
    let cut = |part: usize| (total as u128 * part as u128 / readers as u128) as usize;
    let (first, last) = (cut(reader), cut(reader + 1));
    let (mut rows, mut together, mut before) = (Vec::new(), Vec::new(), 0);
    for group in order {
        let from = first.clamp(before, before + group_rows[group]) - before;
        let to = last.clamp(before, before + group_rows[group]) - before;
        together.extend((from..to).map(|row| starts[group] + row));
        before += group_rows[group];
        if together.len() >= buffer || before >= last {
            if let Some(seed) = seed {
                // Named by its place, so that no two stretches of an epoch are shuffled alike.
                let name = format!("{first} {}", rows.len());
                shuffle(&mut together, &mut KeyedRandom::new(seed, KEY, &name, epoch));
            }
            rows.append(&mut together);
        }
        if before >= last {
            break;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: [usize; 6] = [10, 7, 1, 20, 5, 9];

    fn all(world_size: usize, workers: usize, epoch: i32) -> Vec<Vec<usize>> {
        let readers = (0..world_size).flat_map(|rank| (0..workers).map(move |worker| (rank, worker)));
        readers
            .map(|(rank, worker)| {
                let share = Share { rank, world_size, worker, workers };
                places(&GROUPS, Some(3), epoch, 12, share)
            })
            .collect()
    }

    #[test]
    fn readers_part_the_rows_exactly_and_evenly() {
        for (world_size, workers) in [(1, 1), (2, 1), (1, 3), (3, 2), (7, 9)] {
            for epoch in 0..3 {
                let parts = all(world_size, workers, epoch);
                let lengths: Vec<usize> = parts.iter().map(Vec::len).collect();
                assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1, "{lengths:?}");
                let mut rows: Vec<usize> = parts.into_iter().flatten().collect();
                rows.sort_unstable();
                assert_eq!(rows, (0..52).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn epochs_differ_and_repeat() {
        assert_eq!(all(1, 1, 4), all(1, 1, 4));
        assert_ne!(all(1, 1, 4), all(1, 1, 5));
        let plain = places(&GROUPS, None, 4, 12, Share::default());
        assert_eq!(plain, (0..52).collect::<Vec<_>>());
    }

    #[test]
    fn a_reader_stays_within_few_groups_at_a_time() {
        let rows = places(&[10; 90], Some(1), 0, 30, Share::default());
        for stretch in rows.chunks(30) {
            let mut groups: Vec<usize> = stretch.iter().map(|row| row / 10).collect();
            assert!(!groups.is_sorted(), "rows of different groups are mixed");
            groups.sort_unstable();
            groups.dedup();
            assert_eq!(groups.len(), 3);
        }
    }

    #[test]
    fn an_empty_table_has_no_rows() {
        assert!(places(&[], Some(1), 0, 30, Share::default()).is_empty());
        assert!(places(&[0, 0], Some(1), 0, 30, Share { world_size: 3, ..Share::default() }).is_empty());
    }
}
