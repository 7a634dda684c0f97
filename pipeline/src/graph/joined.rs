//! A source that joins its files to the rows of its inputs: it returns its rows when all of theirs have
//! arrived.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use stages::StageError;
use stages::stage::{Aggregate, Gathered, Give, Rows};

use crate::plan::SourceConfig;

/// Rows of a batch that it gives.
const BATCH_ROWS: usize = 1024;

/// The source as a step over all rows of its inputs.
pub(super) struct JoinedSource {
    pub read: SourceConfig,
    pub schema: SchemaRef,
}

impl Aggregate for JoinedSource {
    fn inputs(&self) -> &'static [&'static str] {
        self.read.inputs()
    }

    fn needed_columns(&self, _input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, _inputs: &[SchemaRef]) -> Result<SchemaRef, StageError> {
        Ok(self.schema.clone())
    }

    fn run(&self, inputs: &[&dyn Rows], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let all = |rows: &&dyn Rows| rows.scan().collect::<Result<Vec<RecordBatch>, StageError>>();
        let tables = inputs.iter().map(all).collect::<Result<Vec<_>, _>>()?;
        let source = self.read.open(&tables).map_err(StageError::step)?;
        for chunk in source.chunks(BATCH_ROWS) {
            chunk
                .and_then(|chunk| chunk.load.now())
                .map_err(StageError::step)?
                .batches
                .into_iter()
                .try_for_each(&mut *give)?;
        }
        Ok(Gathered { rejects: source.rejects().to_vec(), notes: source.notes().to_vec() })
    }
}
