//! The threads that work for Python.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// The pool of this process, as many threads as the machine has.
///
/// A process that is forked from one with a pool, as a loader's workers are, has none of its threads: it gets a pool of
/// its own, where the library's global pool would wait for ever.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn pool() -> Result<Arc<ThreadPool>, ThreadPoolBuildError> {
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let here = process::id();
    match slot.as_ref() {
        Some((process, pool)) if *process == here => return Ok(Arc::clone(pool)),
        _ => {}
    }
    let made = Arc::new(ThreadPoolBuilder::new().build()?);
    if let Some(of_parent) = slot.replace((here, Arc::clone(&made))) {
        // Its threads are the parent's; to drop it would be to wait for them.
        std::mem::forget(of_parent);
    }
    Ok(made)
}
