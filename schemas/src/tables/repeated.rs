//! Columns that hold one name for many rows. The only `unsafe` code of the tables.
//!
//! # Why it is sound
//! A dictionary's keys must be indices into its list of names, which Arrow otherwise checks key by key. [`Repeated`]
//! makes the keys itself, with as many different ones as it was given counts, and [`Repeated::column`] asserts that
//! there is a name for each.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int32Type;

/// Keys that count runs of rows: that of run r is r. All columns of the same keys share their memory.
#[derive(Debug, Clone)]
pub(super) struct Repeated {
    keys: ScalarBuffer<i32>,
    runs: usize,
}

impl Repeated {
    /// The keys of runs of so many rows.
    pub(super) fn new(counts: &[usize]) -> Self {
        let mut keys = Vec::with_capacity(counts.iter().sum());
        for (run, count) in counts.iter().enumerate() {
            keys.resize(keys.len() + count, run as i32);
        }
        Self { keys: keys.into(), runs: counts.len() }
    }

    /// The keys.
    pub(super) fn keys(&self) -> &ScalarBuffer<i32> {
        &self.keys
    }

    /// The column whose run r holds name r of `names`.
    ///
    /// # Panics
    /// When there are fewer names than runs.
    pub(super) fn column(&self, names: StringArray) -> ArrayRef {
        assert!(names.len() >= self.runs, "each run has a name");
        let keys = Int32Array::new(self.keys.clone(), None);
        // SAFETY: keys are from 0 to `runs`, below the number of names.
        let column = unsafe { DictionaryArray::<Int32Type>::new_unchecked(keys, Arc::new(names)) };
        Arc::new(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn columns_are_those_that_arrow_would_check() {
        for counts in [&[][..], &[0], &[3], &[2, 0, 4], &[0, 0], &[1, 1, 1]] {
            let names: StringArray = (0..counts.len()).map(|run| Some(run.to_string())).collect();
            let column = Repeated::new(counts).column(names.clone());
            let column = column.as_dictionary::<Int32Type>();
            let rows = counts.iter().enumerate();
            let keys = rows.flat_map(|(run, count)| std::iter::repeat_n(run as i32, *count));
            let expected = DictionaryArray::new(Int32Array::from_iter_values(keys), Arc::new(names));
            assert_eq!(column, &expected);
            assert!(column.to_data().validate_full().is_ok());
        }
    }

    #[test]
    #[should_panic(expected = "each run has a name")]
    fn runs_without_a_name_are_refused() {
        Repeated::new(&[1, 1]).column(StringArray::from(vec!["only"]));
    }
}
