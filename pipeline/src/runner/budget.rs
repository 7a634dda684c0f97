//! How many batches may be in flight and how many units open, so that memory stays within `memory_mib`.

use super::RunError;

/// Admits batches and units as long as they fit.
///
/// What one takes is known once one has been processed; until then the schema's estimate stands for a batch, and a full
/// row group of every target for a unit. One batch of one unit is always admitted, and refused as an error once it turns
/// out larger than all memory.
#[derive(Debug)]
pub(super) struct Budget {
    memory_mib: u32,
    /// Never more batches or units than these.
    most_batches: usize,
    most_units: usize,
    batch_bytes: u64,
    unit_bytes: u64,
    in_flight: usize,
    /// The most that a unit has taken so far; it stands for all once one is done.
    unit_measured: u64,
    unit_done: bool,
}

impl Budget {
    /// A budget of `memory_mib` for `threads` threads; a batch takes about `batch_bytes` and a unit at most
    /// `unit_bytes`.
    pub(super) fn new(memory_mib: u32, threads: usize, batch_bytes: u64, unit_bytes: u64) -> Self {
        Self {
            memory_mib,
            // A batch waits for its turn while others are carried.
            most_batches: threads.saturating_mul(2),
            most_units: threads,
            batch_bytes,
            unit_bytes,
            in_flight: 0,
            unit_measured: 0,
            unit_done: false,
        }
    }

    fn bytes(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// Whether one more batch may be read.
    pub(super) fn fits(&self) -> bool {
        let with_one_more = (self.in_flight as u64 + 1).saturating_mul(self.batch_bytes);
        let for_batches = self.bytes().saturating_sub(self.unit_bytes).max(self.bytes() / 2);
        self.in_flight == 0 || (self.in_flight < self.most_batches && with_one_more <= for_batches)
    }

    /// Whether one more unit may be opened beside `open`: all together take at most half of the memory.
    pub(super) fn fits_unit(&self, open: usize) -> bool {
        let with_one_more = (open as u64 + 1).saturating_mul(self.unit_bytes);
        open == 0 || (open < self.most_units && with_one_more <= self.bytes() / 2)
    }

    /// Notes that a batch is read.
    pub(super) fn enter(&mut self) {
        self.in_flight += 1;
    }

    /// Notes that a batch is written, or that there was none.
    pub(super) fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// Notes that a batch took `bytes` at its largest.
    ///
    /// # Errors
    /// When one batch alone does not fit.
    pub(super) fn measured(&mut self, bytes: u64) -> Result<(), RunError> {
        self.batch_bytes = self.batch_bytes.max(bytes);
        self.refuse("a batch", bytes)
    }

    /// Notes that the shards of a unit hold `bytes` in memory.
    ///
    /// # Errors
    /// When one unit alone does not fit.
    pub(super) fn measured_unit(&mut self, bytes: u64) -> Result<(), RunError> {
        self.unit_measured = self.unit_measured.max(bytes);
        if self.unit_done {
            self.unit_bytes = self.unit_measured;
        }
        self.refuse("a row group of each table", bytes)
    }

    /// Notes that a unit was written to its end: the largest so far stands for all.
    pub(super) fn unit_done(&mut self) {
        self.unit_done = true;
        self.unit_bytes = self.unit_measured.max(1);
    }

    fn refuse(&self, what: &str, bytes: u64) -> Result<(), RunError> {
        if bytes <= self.bytes() {
            return Ok(());
        }
        let (needed_mib, memory_mib) = (bytes.div_ceil(1 << 20), self.memory_mib);
        Err(RunError::Memory { what: what.to_owned(), needed_mib, memory_mib })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn only_as_many_batches_as_fit() {
        let mut budget = Budget::new(100, 4, 10 * MIB, 40 * MIB);
        for _ in 0..6 {
            assert!(budget.fits());
            budget.enter();
        }
        assert!(!budget.fits(), "a seventh would leave no room for a unit");
        budget.measured(30 * MIB).unwrap();
        budget.leave();
        assert!(!budget.fits());
        for _ in 0..5 {
            budget.leave();
        }
        assert!(budget.fits(), "one is always admitted");
        assert!(matches!(budget.measured(101 * MIB), Err(RunError::Memory { needed_mib: 101, .. })));
    }

    #[test]
    fn units_are_opened_by_what_the_first_took() {
        let mut budget = Budget::new(100, 4, MIB, 40 * MIB);
        assert!(budget.fits_unit(0) && !budget.fits_unit(1));
        budget.measured_unit(10 * MIB).unwrap();
        assert!(!budget.fits_unit(1), "it may still grow");
        budget.unit_done();
        assert!(budget.fits_unit(3) && !budget.fits_unit(4));
    }
}
