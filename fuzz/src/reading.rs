//! Sources, read as a run reads them.

use arrow::array::RecordBatch;
use datasets::ReadError;
use datasets::registry::SourceConfig;
use schemas::Hinted;

/// Rows of a batch.
const BATCH_ROWS: usize = 32;

/// How many rows `source` gives, joined to `inputs`; none where it is refused.
pub(crate) fn rows(source: &SourceConfig, inputs: &[Vec<RecordBatch>]) -> u64 {
    each_batch(source, inputs, &mut |_| {})
}

/// As [`rows`]; `look` sees every batch.
pub(crate) fn each_batch(
    source: &SourceConfig,
    inputs: &[Vec<RecordBatch>],
    look: &mut dyn FnMut(&RecordBatch),
) -> u64 {
    match read(source, inputs, look) {
        Ok(rows) => rows,
        Err(error) => {
            told(&error);
            0
        }
    }
}

fn read(
    source: &SourceConfig,
    inputs: &[Vec<RecordBatch>],
    look: &mut dyn FnMut(&RecordBatch),
) -> Result<u64, ReadError> {
    let schemas: Vec<_> = inputs.iter().map(|batches| batches[0].schema()).collect();
    let schema = source.schema(&schemas)?;
    let open = source.open(inputs)?;
    assert_eq!(open.schema(), schema, "an open source has the schema that was told before");
    let mut rows = 0;
    for unit in open.units(1, BATCH_ROWS)? {
        for chunk in open.chunks_of(unit, BATCH_ROWS) {
            for batch in chunk?.load.now()?.batches {
                assert_eq!(batch.schema(), schema, "a batch has the schema of its source");
                rows += batch.num_rows() as u64;
                look(&batch);
            }
        }
    }
    Ok(rows)
}

/// Makes the words of an error, as the command line does.
pub(crate) fn told(error: &impl Hinted) {
    assert!(!error.to_string().is_empty());
    error.hint();
}
