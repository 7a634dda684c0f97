//! How many batches may be in flight.

use std::sync::{Condvar, Mutex};

/// Admits batches as long as they fit the memory budget.
///
/// What a batch needs is only known once one has been processed, so the largest seen so far is the estimate for
/// all. One batch per thread is always admitted, however large.
#[derive(Debug)]
pub(super) struct Gate {
    budget_bytes: u64,
    always: usize,
    most: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    largest_bytes: u64,
    closed: bool,
}

impl Gate {
    /// A gate for `budget_bytes`, that lets `always` batches in whatever their size and never more than `most`.
    pub(super) fn new(budget_bytes: u64, always: usize, most: usize) -> Self {
        Self { budget_bytes, always, most, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until one more batch fits; `false` when the gate was closed.
    pub(super) fn enter(&self) -> bool {
        let mut state = self.state.lock().expect("no panic while the gate is held");
        while !state.closed && !self.fits(&state) {
            state = self.changed.wait(state).expect("no panic while the gate is held");
        }
        state.in_flight += 1;
        !state.closed
    }

    fn fits(&self, state: &State) -> bool {
        let with_one_more = (state.in_flight as u64 + 1) * state.largest_bytes;
        state.in_flight < self.always || (state.in_flight < self.most && with_one_more <= self.budget_bytes)
    }

    /// Notes that a batch took `bytes` at its largest.
    pub(super) fn measured(&self, bytes: u64) {
        let mut state = self.state.lock().expect("no panic while the gate is held");
        state.largest_bytes = state.largest_bytes.max(bytes);
    }

    /// Notes that a batch was written.
    pub(super) fn leave(&self) {
        self.state.lock().expect("no panic while the gate is held").in_flight -= 1;
        self.changed.notify_all();
    }

    /// Admits nothing more and wakes all waiting threads.
    pub(super) fn close(&self) {
        self.state.lock().expect("no panic while the gate is held").closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_as_many_as_fit_the_budget() {
        let gate = Gate::new(1000, 1, 8);
        assert!(gate.enter());
        gate.measured(300);
        assert!(gate.enter() && gate.enter());
        assert!(!gate.fits(&gate.state.lock().unwrap()), "a fourth batch would take 1200 of 1000 bytes");
        gate.leave();
        assert!(gate.fits(&gate.state.lock().unwrap()));
    }

    #[test]
    fn one_batch_a_thread_goes_in_however_large() {
        let gate = Gate::new(10, 2, 4);
        assert!(gate.enter());
        gate.measured(1000);
        assert!(gate.enter());
        assert!(!gate.fits(&gate.state.lock().unwrap()));
    }

    #[test]
    fn closing_wakes_whoever_waits() {
        let gate = Gate::new(1, 1, 1);
        assert!(gate.enter());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter());
            gate.close();
            assert!(!waiting.join().unwrap());
        });
    }
}
