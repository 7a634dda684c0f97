//! Sums over the rows of an input in a fixed order of two levels, so that the sum of a unit can be made anywhere.
//!
//! Additions of floating-point numbers round, so their order shows in the last bits. Every step that adds numbers over
//! rows adds those of a unit first, from its first row on, and then the sums of the units in their order. Units are cut
//! by the plan alone (decision 15). So the bits of a sum depend neither on batches nor on threads, and they stay the same
//! where the sums of units are made by other processes and added afterwards.

/// What can be added up.
pub trait Add {
    /// Adds `other` to it; `other` comes later in the order of rows.
    fn add(&mut self, other: &Self);
}

/// A sum of parts that belong to units.
///
/// ```
/// use stages::unit_sum::{Add, UnitSum};
/// #[derive(Debug, PartialEq)]
/// struct Length(f64);
/// impl Add for Length {
///     fn add(&mut self, other: &Self) {
///         self.0 += other.0;
///     }
/// }
/// let mut sum = UnitSum::default();
/// [(0, 0.1), (0, 0.2), (1, 0.3), (1, 0.4)].into_iter().for_each(|(unit, part)| sum.add(unit, Length(part)));
/// assert_eq!(sum.total(), Some(Length((0.1 + 0.2) + (0.3 + 0.4))));
/// ```
#[derive(Debug, Clone)]
pub struct UnitSum<T> {
    /// The sum of the units that are complete.
    total: Option<T>,
    /// The unit whose parts are coming, and their sum.
    open: Option<(u64, T)>,
}

impl<T> Default for UnitSum<T> {
    fn default() -> Self {
        Self { total: None, open: None }
    }
}

impl<T: Add> UnitSum<T> {
    /// Adds `part` of unit number `unit`. Parts come in the order of rows, so those of a unit one after the other.
    pub fn add(&mut self, unit: u64, part: T) {
        match &mut self.open {
            Some((open, sum)) if *open == unit => sum.add(&part),
            _ => {
                self.close();
                self.open = Some((unit, part));
            }
        }
    }

    /// The sum of what came of unit number `unit` so far, `none` at its start, for parts that are added in place.
    pub fn open(&mut self, unit: u64, none: impl FnOnce() -> T) -> &mut T {
        if self.open.as_ref().is_none_or(|(open, _)| *open != unit) {
            self.close();
        }
        &mut self.open.get_or_insert_with(|| (unit, none())).1
    }

    /// The sum of all units; `None` where no part came.
    pub fn total(mut self) -> Option<T> {
        self.close();
        self.total
    }

    fn close(&mut self) {
        if let Some((_, sum)) = self.open.take() {
            match &mut self.total {
                Some(total) => total.add(&sum),
                None => self.total = Some(sum),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::stage::{Rows, Scan, UnitScan};
    use arrow::array::RecordBatch;
    use arrow::datatypes::SchemaRef;
    use proptest::prelude::*;

    /// Batches of units.
    pub(crate) struct InUnits(pub Vec<Vec<RecordBatch>>);

    impl InUnits {
        /// `batch` in units of these lengths, and a last one with the rest, each in batches of `size` rows.
        pub(crate) fn cut(batch: &RecordBatch, lengths: &[usize], size: usize) -> Self {
            let (mut units, mut first) = (Vec::new(), 0);
            for length in lengths.iter().copied().chain([batch.num_rows()]) {
                let end = (first + length).min(batch.num_rows());
                let starts = (first..end).step_by(size);
                units.push(starts.map(|start| batch.slice(start, size.min(end - start))).collect());
                first = end;
            }
            Self(units)
        }
    }

    impl Rows for InUnits {
        fn schema(&self) -> SchemaRef {
            self.0.concat()[0].schema()
        }

        fn scan(&self) -> Scan<'_> {
            Box::new(self.0.iter().flatten().cloned().map(Ok))
        }

        fn scan_units(&self) -> UnitScan<'_> {
            let units = (0_u64..).zip(&self.0);
            Box::new(
                units.flat_map(|(unit, batches)| batches.iter().map(move |batch| Ok((unit, batch.clone())))),
            )
        }
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Plain(f64);

    impl Add for Plain {
        fn add(&mut self, other: &Self) {
            self.0 += other.0;
        }
    }

    proptest! {
        #[test]
        fn units_that_are_summed_apart_give_the_same_bits(
            units in prop::collection::vec(prop::collection::vec(-1e9_f64..1e9, 0..9), 0..9)
        ) {
            let (mut together, mut in_place) = (UnitSum::default(), UnitSum::default());
            let mut apart: Vec<Plain> = Vec::new();
            for (unit, parts) in (0_u64..).zip(&units) {
                for part in parts {
                    together.add(unit, Plain(*part));
                }
                for part in parts {
                    in_place.open(unit, || Plain(0.0)).0 += part;
                }
                let mut alone = UnitSum::default();
                for part in parts {
                    alone.add(0, Plain(*part));
                }
                apart.extend(alone.total());
            }
            let mut combined = UnitSum::default();
            (0_u64..).zip(apart).for_each(|(unit, sum)| combined.add(unit, sum));
            let bits = |sum: Option<Plain>| sum.map(|sum| sum.0.to_bits());
            let total = bits(together.total());
            prop_assert_eq!(total, bits(combined.total()));
            prop_assert_eq!(total, bits(in_place.total()));
            prop_assert_eq!(total.is_some(), units.iter().any(|parts| !parts.is_empty()));
        }
    }

    #[test]
    fn the_borders_of_units_show() {
        // 1e16 + 1 is 1e16, but 1 + 1 is not.
        let sum = |units: [u64; 3]| {
            let mut sum = UnitSum::default();
            units.into_iter().zip([1e16, 1.0, 1.0]).for_each(|(unit, part)| sum.add(unit, Plain(part)));
            sum.total()
        };
        assert_eq!(sum([0, 0, 0]), Some(Plain(1e16)));
        assert_eq!(sum([0, 1, 1]), Some(Plain(1e16 + 2.0)));
    }
}
