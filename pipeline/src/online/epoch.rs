//! One epoch of a chain or of shards as a stream of batches.

use std::sync::Arc;

use arrow::array::RecordBatch;
use schemas::tables::rejects::Reject;

use super::order::{Share, batches_of, permutation};
use super::shard_order::places;
use super::stream::{DEFAULT_AHEAD, Stream};
use super::{Chain, OnlineError, Shards};

/// Default number of rows among which shards are shuffled: 3 or 4 row groups of pictures with maps.
pub const DEFAULT_BUFFER: usize = 256;

/// One batch of an epoch.
#[derive(Debug)]
pub struct Batch {
    /// Its number among the batches of this reader, from 0.
    pub number: usize,
    /// The rows that were made.
    pub rows: RecordBatch,
    /// Those that were not, with the reason.
    pub rejects: Vec<Reject>,
}

/// How an epoch is divided and made. Of these, only `epoch` changes the rows themselves.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Seed of the order; rows come in the order of the data set where there is none.
    pub shuffle: Option<u64>,
    /// The epoch: the key of the order, and the copy that a chain makes.
    pub epoch: i32,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Whether a last batch of fewer rows is left out.
    pub drop_last: bool,
    /// Who asks.
    pub share: Share,
    /// Number of the first batch that is given: 0, or where an earlier run stopped.
    pub start: usize,
    /// Threads that make batches.
    pub threads: usize,
    /// Batches that may be ready in addition to those in progress.
    pub ahead: usize,
    /// Rows among which shards are shuffled.
    pub buffer: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            shuffle: None,
            epoch: 0,
            batch_size: 1,
            drop_last: false,
            share: Share::default(),
            start: 0,
            threads: 1,
            ahead: DEFAULT_AHEAD,
            buffer: DEFAULT_BUFFER,
        }
    }
}

impl Feed {
    fn check(&self) -> Result<(), OnlineError> {
        self.share.check()?;
        if self.batch_size == 0 {
            let message = "`batch_size` must be at least 1, found `0`".to_owned();
            return Err(OnlineError::Setting { message });
        }
        Ok(())
    }

    /// The rows of each batch of an epoch of `chain`.
    ///
    /// # Errors
    /// When settings contradict each other.
    pub fn of_chain(&self, chain: &Chain) -> Result<Vec<Vec<usize>>, OnlineError> {
        self.check()?;
        let order = match self.shuffle {
            Some(seed) => permutation(chain.len(), seed, "rows", self.epoch),
            None => (0..chain.len()).collect(),
        };
        Ok(batches_of(&order, self.batch_size, self.drop_last, self.share))
    }

    /// The rows of each batch of an epoch of `shards`.
    ///
    /// # Errors
    /// When settings contradict each other.
    pub fn of_shards(&self, shards: &Shards) -> Result<Vec<Vec<usize>>, OnlineError> {
        self.check()?;
        let rows = places(&shards.group_rows(), self.shuffle, self.epoch, self.buffer, self.share);
        // Stretches differ by a row at most, so the shortest says how many full batches every reader has.
        let readers = self.share.world_size * self.share.workers;
        let most = if self.drop_last { shards.len() / readers / self.batch_size } else { usize::MAX };
        Ok(rows.chunks(self.batch_size).take(most).map(<[usize]>::to_vec).collect())
    }

    fn stream(
        &self,
        batches: Vec<Vec<usize>>,
        make: impl Fn(&[usize]) -> Result<(RecordBatch, Vec<Reject>), OnlineError> + Send + Sync + 'static,
    ) -> Result<Stream<Batch>, OnlineError> {
        let (start, total) = (self.start, batches.len());
        if start > total {
            let message =
                format!("`start` must be at most the {total} batches of the epoch, found `{start}`");
            return Err(OnlineError::Setting { message });
        }
        let make = move |number: usize| {
            let number = start + number;
            let (rows, rejects) = make(&batches[number])?;
            Ok(Batch { number, rows, rejects })
        };
        Stream::start(total - start, self.threads, self.ahead, Box::new(make))
    }
}

/// The batches of one epoch of `chain`.
///
/// # Errors
/// When settings contradict each other, or no thread can be started.
pub fn chain_stream(chain: Arc<Chain>, feed: &Feed) -> Result<Stream<Batch>, OnlineError> {
    let (batches, epoch) = (feed.of_chain(&chain)?, feed.epoch);
    feed.stream(batches, move |indices| {
        let outcome = chain.samples(indices, epoch)?;
        Ok((outcome.rows, outcome.rejects))
    })
}

/// The batches of one epoch of `shards`.
///
/// # Errors
/// When settings contradict each other, or no thread can be started.
pub fn shard_stream(shards: Arc<Shards>, feed: &Feed) -> Result<Stream<Batch>, OnlineError> {
    let batches = feed.of_shards(&shards)?;
    feed.stream(batches, move |indices| Ok((shards.rows(indices)?, Vec::new())))
}
