//! Which frames make one score: those of a session, those of a sequence, or a single one.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use schemas::columns::{integers, strings};
use serde::{Deserialize, Serialize};

use super::frames::{PROBE, chosen};
use super::trial_rows::{Fine, PoolKey};
use crate::stage::StageError;

/// How many frames are pooled into one score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// All of a session.
    #[default]
    Session,
    /// All of a sequence.
    Sequence,
    /// One.
    Frame,
}

impl Pool {
    /// The columns that the trials need besides their own.
    pub fn fine(self) -> Fine {
        Fine { segment: self != Self::Session, frame: self == Self::Frame }
    }
}

/// The pools found so far, numbered as they came.
#[derive(Debug, Default)]
pub struct Pools {
    pool: Pool,
    numbers: HashMap<PoolKey, u64>,
    /// How many pools were forgotten: number n stands at n - `forgotten`.
    pub forgotten: u64,
    /// By place.
    pub keys: Vec<PoolKey>,
    /// Frames of each, by place.
    pub frames: Vec<i64>,
}

impl Pools {
    /// No pools yet.
    pub fn new(pool: Pool) -> Self {
        Self { pool, ..Self::default() }
    }

    /// The pool of each row of `batch` that is a probe of one of `splits`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn pick(&mut self, batch: &RecordBatch, splits: &[String]) -> Result<Vec<Option<u64>>, StageError> {
        let serves = chosen(batch, splits, Some(PROBE))?;
        let text = |name: &str| strings(batch, name);
        let names = [text("dataset")?, text("split")?, text("subject")?, text("device")?, text("session")?];
        let [segments, sequences, frames] =
            [integers(batch, "segment")?, integers(batch, "sequence")?, integers(batch, "frame")?];
        let mut pool_of = |row: usize| {
            let [dataset, split, subject, device, session] = names.map(|names| names.value(row));
            let fine = self.pool != Pool::Session;
            let segment = fine.then(|| segments.value(row));
            let sequence = fine.then(|| sequences.value(row));
            let frame = (self.pool == Pool::Frame).then(|| frames.value(row));
            // Neighbours share a pool as a rule: no key is made for them.
            let same = |key: &PoolKey| {
                [&key.dataset, &key.split, &key.subject, &key.device, &key.session]
                    == [dataset, split, subject, device, session]
                    && (key.segment, key.sequence, key.frame) == (segment, sequence, frame)
            };
            if self.pool != Pool::Frame && self.keys.last().is_some_and(same) {
                return self.keys.len() as u64 - 1;
            }
            let [dataset, split, subject, device, session] =
                [dataset, split, subject, device, session].map(str::to_owned);
            self.number(PoolKey { dataset, split, subject, device, session, segment, sequence, frame })
        };
        Ok((0..batch.num_rows()).map(|row| serves[row].then(|| pool_of(row))).collect())
    }

    fn number(&mut self, key: PoolKey) -> u64 {
        let next = self.forgotten + self.keys.len() as u64;
        if self.pool != Pool::Frame {
            let number = *self.numbers.entry(key.clone()).or_insert(next);
            if number < next {
                return number;
            }
        }
        self.keys.push(key);
        self.frames.push(0);
        next
    }

    /// Places of the pools with frames: in row order where each frame is a pool, else in order of their keys.
    pub fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.keys.len()).filter(|&at| self.frames[at] > 0).collect();
        if self.pool != Pool::Frame {
            order.sort_by(|&a, &b| self.keys[a].cmp(&self.keys[b]));
        }
        order
    }

    /// Forgets the first pools up to the last that has a frame; those behind it are still to be read.
    pub fn forget(&mut self) {
        let read = self.frames.iter().rposition(|frames| *frames > 0).map_or(0, |at| at + 1);
        self.forgotten += read as u64;
        self.keys.drain(..read);
        self.frames.drain(..read);
    }
}
