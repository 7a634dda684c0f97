//! A plan run on request, row by row: training samples made while a network trains.
//!
//! A [`Chain`] is the linear chain of a checked plan that leads to one sink, divided in two. The **head**, the stages
//! that only select rows (`filter`, `split`, `select`, `map_skeleton`), runs once when the chain is opened, so that a
//! data set has a length and an order. The **tail** runs for the rows that are asked for, in any order and in batches
//! of any size: stages are pure functions of their rows, so none of this affects a sample.
//!
//! `repeat` is taken out: which copy of a sample is made is its **epoch**. Copy c that `motionmill run` writes with
//! `repeat.copies` = n is bit for bit the sample of epoch c. Pixels are returned raw: `encode_image` is taken out where
//! it is lossless (`png`), else run and decoded again, so that a sample is always what a reader of the shard sees.
//!
//! [`Shards`] are tables that were written before, read back by row groups. A [`Stream`] makes batches of either in
//! advance, on its own threads, and returns them in order.

mod chain;
mod epoch;
mod error;
mod order;
mod path;
mod pictures;
mod shard_order;
mod shards;
mod stream;

pub use chain::{Chain, ChainOptions, People};
pub use epoch::{Batch, DEFAULT_BUFFER, Feed, chain_stream, shard_stream};
pub use error::OnlineError;
pub use order::{Share, batches_of, permutation};
pub use pictures::Pictures;
pub use shard_order::places;
pub use shards::Shards;
pub use stream::{DEFAULT_AHEAD, Next, Stream};

#[cfg(test)]
mod tests;
