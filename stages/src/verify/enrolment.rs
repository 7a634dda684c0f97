//! The frames that each client is adapted with: which client they belong to, and their sums for each component.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use rayon::prelude::*;
use schemas::columns::strings;

use super::blocks::fold_blocks;
use super::density::Densities;
use super::frames::{ENROLMENT, Frames, chosen};
use super::responsibilities::Responsibilities;
use super::statistics::{Order, Statistics};
use crate::stage::StageError;
use crate::unit_sum::UnitSum;

/// Subjects as they come, by name and split.
pub(super) type Clients = HashMap<(String, String), u64>;

/// The number of the client of each row of `splits` that serves for enrolment.
///
/// # Errors
/// When a column is absent or of another type.
pub(super) fn pick_clients(
    batch: &RecordBatch,
    splits: &[String],
    clients: &mut Clients,
) -> Result<Vec<Option<u64>>, StageError> {
    let serves = chosen(batch, splits, Some(ENROLMENT))?;
    let (names, splits) = (strings(batch, "subject")?, strings(batch, "split")?);
    let client = |(row, serves): (usize, bool)| {
        let next = clients.len() as u64;
        let key = || (names.value(row).to_owned(), splits.value(row).to_owned());
        serves.then(|| *clients.entry(key()).or_insert(next))
    };
    Ok(serves.into_iter().enumerate().map(client).collect())
}

/// The sums of each client, by number; `None` where a client has no frame. Of each unit a client's frames are added one
/// by one in row order, and then the sums of the units.
///
/// # Errors
/// When reading fails.
pub(super) fn client_sums(
    frames: &mut Frames<'_>,
    densities: &Densities,
    order: Order,
) -> Result<Vec<Option<Statistics>>, StageError> {
    let mut sums: Vec<UnitSum<Statistics>> = Vec::new();
    let dimensions = densities.dimensions();
    fold_blocks(
        frames,
        Responsibilities::default,
        |near, block| {
            let mut entries = Entries::default();
            near.for_each_slab(densities, block, |_, _, near| entries.extend(near));
            entries
        },
        |entries, block| {
            let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (row, tag) in block.tags.iter().enumerate() {
                rows.entry(*tag as usize).or_default().push(row);
            }
            let clients = rows.last_key_value().map_or(0, |(last, _)| last + 1);
            sums.resize_with(clients.max(sums.len()), UnitSum::default);
            let of_client = |(sums, rows): (&mut UnitSum<Statistics>, Vec<usize>)| {
                let sums = sums.open(block.unit, || Statistics::new(densities, order));
                let mut buffer = Vec::new();
                for row in rows {
                    let frame = &block.numbers[row * dimensions..(row + 1) * dimensions];
                    sums.add_frame(densities, frame, entries.row(row), &mut buffer);
                }
            };
            chosen_of(&mut sums, rows).into_par_iter().for_each(of_client);
            Ok(())
        },
    )?;
    Ok(sums.into_iter().map(UnitSum::total).collect())
}

/// Those of `items` that `wanted` numbers, each with its value; the others are not looked at.
fn chosen_of<T, V>(mut items: &mut [T], wanted: BTreeMap<usize, V>) -> Vec<(&mut T, V)> {
    let (mut first, mut chosen) = (0, Vec::with_capacity(wanted.len()));
    for (number, value) in wanted {
        let (item, rest) =
            items[number - first..].split_first_mut().expect("as many items as the last number");
        chosen.push((item, value));
        (items, first) = (rest, number + 1);
    }
    chosen
}

/// What is near each frame of a block.
#[derive(Debug, Default)]
struct Entries {
    ends: Vec<usize>,
    indices: Vec<u32>,
    shares: Vec<f64>,
    log_likelihoods: Vec<f64>,
}

impl Entries {
    fn extend(&mut self, near: &Responsibilities) {
        self.log_likelihoods.extend_from_slice(&near.log_likelihoods);
        near.for_each_frame(|_, entries| {
            for (index, share) in entries {
                self.indices.push(index);
                self.shares.push(share);
            }
            self.ends.push(self.indices.len());
        });
    }

    fn row(&self, row: usize) -> (&[u32], &[f64], f64) {
        let range = if row == 0 { 0 } else { self.ends[row - 1] }..self.ends[row];
        (&self.indices[range.clone()], &self.shares[range], self.log_likelihoods[row])
    }
}
