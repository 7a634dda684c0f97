//! The rows of an input in batches of a fixed length, however they were batched.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use crate::stage::{Rows, StageError};

/// Batches of `length` rows, the last one shorter, in row order.
pub(crate) struct Rechunked<'a> {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + 'a>,
    length: usize,
    waiting: Vec<RecordBatch>,
    rows: usize,
}

impl<'a> Rechunked<'a> {
    /// The rows of `rows` in batches of `length`.
    pub(crate) fn new(rows: &'a dyn Rows, length: usize) -> Self {
        Self { batches: rows.scan(), length, waiting: Vec::new(), rows: 0 }
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>, StageError> {
        while self.rows < self.length {
            let Some(batch) = self.batches.next().transpose()? else { break };
            self.rows += batch.num_rows();
            self.waiting.push(batch);
        }
        if self.rows == 0 {
            return Ok(None);
        }
        let surplus = self.rows.saturating_sub(self.length);
        let mut batches = std::mem::take(&mut self.waiting);
        if surplus > 0
            && let Some(last) = batches.pop()
        {
            let kept = last.num_rows() - surplus;
            batches.push(last.slice(0, kept));
            self.waiting.push(last.slice(kept, surplus));
        }
        self.rows = surplus;
        Ok(Some(concat_batches(&batches[0].schema(), &batches)?))
    }
}

impl Iterator for Rechunked<'_> {
    type Item = Result<RecordBatch, StageError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::Int32Type;
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn rows_keep_their_order(lengths in prop::collection::vec(0_usize..9, 0..9), length in 1_usize..7) {
            let mut first = 0;
            let batches: Vec<RecordBatch> = lengths
                .iter()
                .map(|count| {
                    let numbers = Int32Array::from_iter_values(first..first + *count as i32);
                    first += *count as i32;
                    RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap()
                })
                .collect();
            let chunks: Vec<RecordBatch> = Rechunked::new(&batches, length).map(Result::unwrap).collect();
            let full = chunks.iter().rev().skip(1).all(|chunk| chunk.num_rows() == length);
            prop_assert!(full && chunks.iter().all(|chunk| chunk.num_rows() > 0));
            let rows: Vec<i32> = chunks
                .iter()
                .flat_map(|chunk| chunk.column(0).as_primitive::<Int32Type>().values().to_vec())
                .collect();
            prop_assert_eq!(rows, (0..first).collect::<Vec<i32>>());
        }
    }
}
