//! The frames that each client is adapted with: which client they belong to, and their sums for each component.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use rayon::prelude::*;
use schemas::columns::strings;

use super::blocks::fold_blocks;
use super::density::Densities;
use super::frames::{ENROLMENT, Frames, chosen};
use super::responsibilities::Responsibilities;
use super::statistics::{Order, Statistics};
use crate::stage::StageError;

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

/// The sums of each client, by number. Each client's frames are added one by one in row order.
///
/// # Errors
/// When reading fails.
pub(super) fn client_sums(
    frames: &mut Frames<'_>,
    densities: &Densities,
    order: Order,
) -> Result<Vec<Statistics>, StageError> {
    let mut sums: Vec<Statistics> = Vec::new();
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
            let highest = block.tags.iter().max().map_or(0, |tag| *tag as usize + 1);
            while sums.len() < highest {
                sums.push(Statistics::new(densities, order));
            }
            let mut rows = vec![Vec::new(); sums.len()];
            block.tags.iter().enumerate().for_each(|(row, tag)| rows[*tag as usize].push(row));
            let of_client = |(sums, rows): (&mut Statistics, Vec<usize>)| {
                let mut buffer = Vec::new();
                for row in rows {
                    let frame = &block.numbers[row * dimensions..(row + 1) * dimensions];
                    sums.add_frame(densities, frame, entries.row(row), &mut buffer);
                }
            };
            sums.par_iter_mut().zip(rows).filter(|(_, rows)| !rows.is_empty()).for_each(of_client);
            Ok(())
        },
    )?;
    Ok(sums)
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
