//! Workers that threads borrow in turn.

use std::sync::{Condvar, Mutex, PoisonError};

/// Workers that threads borrow in turn.
pub struct SessionPool<W> {
    idle: Mutex<Vec<W>>,
    returned: Condvar,
}

impl<W> SessionPool<W> {
    /// A pool of `workers`, at least one.
    pub fn new(workers: Vec<W>) -> Self {
        assert!(!workers.is_empty(), "a pool has workers");
        Self { idle: Mutex::new(workers), returned: Condvar::new() }
    }

    /// Calls `work` with a worker that nobody else uses meanwhile, waiting for one if need be.
    pub fn with<T>(&self, work: impl FnOnce(&mut W) -> T) -> T {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = loop {
            match idle.pop() {
                Some(worker) => break worker,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        let mut borrowed = Borrowed { pool: self, worker: Some(worker) };
        work(borrowed.worker.as_mut().expect("held until dropped"))
    }
}

/// Gives the worker back even where the work panics.
struct Borrowed<'a, W> {
    pool: &'a SessionPool<W>,
    worker: Option<W>,
}

impl<W> Drop for Borrowed<'_, W> {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
            self.pool.returned.notify_one();
        }
    }
}
