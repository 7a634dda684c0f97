//! A stage that draws for each sample and changes its geometry: what scale, rotate, shift, flip and colour share.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use schemas::columns::{field, integers, strings};
use schemas::random::KeyedRandom;
use schemas::tables::samples::COPY;

use super::geometry::{self, Geometry};
use crate::stage::{BuildContext, Outcome, Stage, StageError};

/// What is drawn for one sample.
pub trait Draw: Send + Sync {
    /// Draws from `random` and changes `geometry`.
    ///
    /// `random` is the sample's own stream, so the outcome depends on (seed, stage name, sample id, copy) alone.
    fn draw(&self, random: &mut KeyedRandom, geometry: &mut Geometry);
}

/// A stage that draws by `D` for each sample. It rejects no row.
#[derive(Debug, Clone)]
pub struct Keyed<D> {
    draw: D,
    name: String,
    seed: u64,
}

impl<D: Draw> Keyed<D> {
    /// The stage that draws by `draw` under the name and seed of `context`.
    pub fn new(draw: D, context: &BuildContext) -> Self {
        Self { draw, name: context.name.clone(), seed: context.seed }
    }
}

impl<D: Draw> Stage for Keyed<D> {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        geometry::check(input)?;
        field(input, "sample_id")?;
        field(input, COPY)?;
        Ok(input.clone())
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let size = geometry::check(batch.schema_ref())?;
        let ids = strings(batch, "sample_id")?;
        let copies = integers(batch, COPY)?;
        let mut rows = geometry::read(batch)?;
        for (row, geometry) in rows.iter_mut().enumerate() {
            let mut random = KeyedRandom::new(self.seed, &self.name, ids.value(row), copies.value(row));
            self.draw.draw(&mut random, geometry);
        }
        Ok(Outcome::all(geometry::write(batch, &rows, size)?))
    }
}
