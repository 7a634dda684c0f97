//! `repeat`: each row several times, so that each copy can be augmented differently.

use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{field, integers, schema_with, with_column, wrong_type};
use schemas::tables::samples::COPY;
use schemas::units::Count;
use serde::{Deserialize, Serialize};

use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError, reject};

/// Keys of the stage `repeat`.
///
/// ```
/// let config: stages::ingest::RepeatConfig = toml::from_str("copies = 3")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatConfig {
    /// How many rows come out for each that goes in, 1 or more.
    pub copies: Count,
}

impl RepeatConfig {
    /// The stage.
    ///
    /// # Errors
    /// Never; the count is in range by its type.
    pub fn build(&self, context: &BuildContext) -> Result<Repeat, StageError> {
        Ok(Repeat { name: context.name.clone(), copies: self.copies.get() })
    }
}

/// Each row several times, its copies consecutive, numbered in the column `copy`.
///
/// Rows that are copies already are repeated in turn: copy c becomes the copies c x n to c x n + n - 1, so numbers
/// stay unique and do not depend on batches.
#[derive(Debug, Clone)]
pub struct Repeat {
    name: String,
    copies: u32,
}

impl Stage for Repeat {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        if let Ok(copy) = field(input, COPY)
            && copy.data_type() != &DataType::Int32
        {
            return Err(wrong_type(COPY, "Int32", copy.data_type()).into());
        }
        Ok(Arc::new(schema_with(input, copy_field())))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let before = match batch.column_by_name(COPY) {
            Some(_) => Some(integers(batch, COPY)?),
            None => None,
        };
        let (mut rows, mut numbers, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let first = before.map_or(0, |copies| if copies.is_null(row) { 0 } else { copies.value(row) });
            let last = i64::from(first) * i64::from(self.copies) + i64::from(self.copies) - 1;
            let Ok(last) = i32::try_from(last) else {
                let detail = format!("copy {first} times {} is beyond {}", self.copies, i32::MAX);
                rejects.push(reject(batch, row, &self.name, "too many copies", detail));
                continue;
            };
            rows.extend(std::iter::repeat_n(row as u64, self.copies as usize));
            numbers.extend(last - (self.copies as i32 - 1)..=last);
        }
        let repeated = take_record_batch(batch, &UInt64Array::from(rows))?;
        let rows = with_column(&repeated, copy_field(), Arc::new(Int32Array::from(numbers)))?;
        Ok(Outcome::some(rows, rejects))
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Each(self.copies as usize)
    }
}

fn copy_field() -> Field {
    Field::new(COPY, DataType::Int32, false)
}

#[cfg(test)]
mod tests {
    use super::super::filter::tests::{context, people};
    use super::*;
    use schemas::columns::strings;

    fn repeat(copies: f64) -> Repeat {
        let copies = Count::try_from(copies).unwrap();
        RepeatConfig { copies }.build(&context("repeat")).unwrap()
    }

    fn rows(batch: &RecordBatch) -> Vec<(String, i32)> {
        let (ids, copies) = (strings(batch, "sample_id").unwrap(), integers(batch, COPY).unwrap());
        ids.iter().flatten().map(str::to_owned).zip(copies.values().iter().copied()).collect()
    }

    #[test]
    fn copies_stand_side_by_side_and_are_numbered() {
        let batch = people(4).slice(1, 2);
        let stage = repeat(2.0);
        let once = stage.run(&batch).unwrap().rows;
        assert_eq!(once.schema(), stage.output_schema(&batch.schema()).unwrap());
        let named = |id: &str, copy| (id.to_owned(), copy);
        let expected = [named("flic-1", 0), named("flic-1", 1), named("flic-2", 0), named("flic-2", 1)];
        assert_eq!(rows(&once), expected);
        // Copies of copies have numbers of their own.
        let twice = stage.run(&once.slice(1, 2)).unwrap().rows;
        let expected = [named("flic-1", 2), named("flic-1", 3), named("flic-2", 0), named("flic-2", 1)];
        assert_eq!(rows(&twice), expected);
        assert_eq!(stage.fan_out(), FanOut::Each(2));
    }

    #[test]
    fn one_copy_adds_the_column_and_an_empty_batch_stays_empty() {
        assert_eq!(rows(&repeat(1.0).run(&people(1)).unwrap().rows), [("flic-0".to_owned(), 0)]);
        let empty = repeat(3.0).run(&people(0)).unwrap().rows;
        assert_eq!((empty.num_rows(), empty.schema_ref().index_of(COPY).is_ok()), (0, true));
    }

    #[test]
    fn numbers_beyond_the_column_are_rejected() {
        let column = Arc::new(Int32Array::from(vec![1_000_000, 3]));
        let batch = with_column(&people(2), copy_field(), column).unwrap();
        let outcome = repeat(5_000.0).run(&batch).unwrap();
        assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (5_000, 1));
        assert_eq!(rows(&outcome.rows)[0], ("flic-1".to_owned(), 15_000));
        assert!(toml::from_str::<RepeatConfig>("copies = 0").is_err());
    }
}
