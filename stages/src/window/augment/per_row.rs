//! A stage that draws for each row and changes its samples: what `gain_offset` and `rotate_frame` share.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::columns::{integers, strings};
use schemas::random::KeyedRandom;

use super::super::columns::{check_samples, map_samples};
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// What is drawn for one row of signals or windows.
pub trait Vary: Send + Sync {
    /// Checks that the `channels` can be varied so.
    ///
    /// # Errors
    /// When they cannot.
    fn check(&self, channels: &[String]) -> Result<(), StageError>;

    /// Draws from `random` and changes `samples`, `[N, C]` with C = `channels`, all of the row by one draw.
    ///
    /// `random` is the row's own stream, so the outcome depends on (seed, stage name, sample id, copy) alone.
    fn vary(&self, random: &mut KeyedRandom, channels: &[String], samples: &mut [f32]);
}

/// A stage that varies each row of `signals` or `windows` by `V`. It rejects no row.
#[derive(Debug, Clone)]
pub struct PerRow<V> {
    vary: V,
    name: String,
    seed: u64,
}

impl<V: Vary> PerRow<V> {
    /// The stage that varies by `vary` under the name and seed of `context`.
    pub fn new(vary: V, context: &BuildContext) -> Self {
        Self { vary, name: context.name.clone(), seed: context.seed }
    }
}

impl<V: Vary> Stage for PerRow<V> {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        let (_, channels) = check_samples(input)?;
        self.vary.check(&channels)?;
        Ok(input.clone())
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let (column, channels) = check_samples(batch.schema_ref())?;
        self.vary.check(&channels)?;
        let (ids, copies) = (strings(batch, "sample_id")?, integers(batch, "copy")?);
        let rows = map_samples(batch, column, |row, samples| {
            let mut random = KeyedRandom::new(self.seed, &self.name, ids.value(row), copies.value(row));
            self.vary.vary(&mut random, &channels, samples);
        })?;
        Ok(Outcome::all(rows))
    }
}
