//! Batches made in advance on separate threads, returned in order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use datasets::guarded::panic_text;

use super::OnlineError;

/// By default, how many finished batches may wait for their turn in addition to those in progress.
pub const DEFAULT_AHEAD: usize = 2;

/// What makes the batch of a number.
pub(super) type Make<T> = dyn Fn(usize) -> Result<T, OnlineError> + Send + Sync;

/// The batches 0 to `count` - 1 in order, made on its own threads.
///
/// Dropping it stops the threads: each ends after its current batch.
pub struct Stream<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    process: u32,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Next<T> {
    /// The next batch, or why there is none; after an error no more come.
    Ready(Result<T, OnlineError>),
    /// It is not made yet.
    Waiting,
    /// All were given.
    End,
}

struct Shared<T> {
    make: Box<Make<T>>,
    count: usize,
    ahead: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    claimed: usize,
    given: usize,
    made: BTreeMap<usize, Result<T, OnlineError>>,
    stopped: bool,
}

impl<T: Send + 'static> Stream<T> {
    /// Starts `threads` threads that make `count` batches; `ahead` more than threads may be there before their turn.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        count: usize,
        threads: usize,
        ahead: usize,
        make: Box<Make<T>>,
    ) -> Result<Self, OnlineError> {
        let threads = threads.max(1).min(count);
        let state = State { claimed: 0, given: 0, made: BTreeMap::new(), stopped: false };
        let ahead = threads + ahead;
        let shared =
            Arc::new(Shared { make, count, ahead, state: Mutex::new(state), changed: Condvar::new() });
        let mut stream =
            Self { shared: Arc::clone(&shared), threads: Vec::new(), process: std::process::id() };
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new()
                .name(format!("motionmill-{number}"))
                .spawn(move || shared.work())
                .map_err(|error| OnlineError::Threads { detail: error.to_string() })?;
            stream.threads.push(thread);
        }
        Ok(stream)
    }

    /// Waits for the next batch, at most for `patience`.
    pub fn next_within(&self, patience: Duration) -> Next<T> {
        if std::process::id() != self.process {
            let detail = "they stayed behind in the process that was forked".to_owned();
            return Next::Ready(Err(OnlineError::Threads { detail }));
        }
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        loop {
            if state.given == self.shared.count || state.stopped {
                return Next::End;
            }
            let number = state.given;
            if let Some(batch) = state.made.remove(&number) {
                state.given += 1;
                state.stopped = batch.is_err();
                self.shared.changed.notify_all();
                return Next::Ready(batch);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Waiting;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while the lock is held; a batch is made outside it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if state.stopped || state.claimed == self.count {
                return;
            }
            if state.claimed >= state.given + self.ahead {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let number = state.claimed;
            state.claimed += 1;
            drop(state);
            let made = catch_unwind(AssertUnwindSafe(|| (self.make)(number)));
            let made = made.unwrap_or_else(|panic| {
                let detail = panic_text(&*panic).unwrap_or("a thread panicked").to_owned();
                Err(OnlineError::Panicked { detail })
            });
            state = self.lock();
            state.made.insert(number, made);
            self.changed.notify_all();
        }
    }
}

impl<T: Send + 'static> Iterator for Stream<T> {
    type Item = Result<T, OnlineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_within(Duration::from_hours(1)) {
                Next::Ready(batch) => return Some(batch),
                Next::Waiting => {}
                Next::End => return None,
            }
        }
    }
}

impl<T> Drop for Stream<T> {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut self.threads);
        if std::process::id() != self.process {
            // A forked process has none of these threads, and one of them may have held the lock.
            threads.into_iter().for_each(std::mem::forget);
            return;
        }
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        for thread in threads {
            // A batch that panicked was caught, so there is nothing to hear of.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn numbers(count: usize, threads: usize, make: Box<Make<usize>>) -> Stream<usize> {
        Stream::start(count, threads, 1, make).unwrap()
    }

    #[test]
    fn batches_come_in_order_whatever_their_time() {
        for threads in [1, 2, 5] {
            let slow_first = move |number: usize| {
                std::thread::sleep(Duration::from_millis(if number.is_multiple_of(threads) { 5 } else { 0 }));
                Ok(number)
            };
            let given: Vec<usize> = numbers(20, threads, Box::new(slow_first)).map(Result::unwrap).collect();
            assert_eq!(given, (0..20).collect::<Vec<_>>());
        }
        assert!(numbers(0, 3, Box::new(Ok)).next().is_none());
    }

    #[test]
    fn no_more_are_made_than_may_wait() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let mut stream = numbers(
            50,
            2,
            Box::new(move |number| {
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(number)
            }),
        );
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(made.load(Ordering::SeqCst), 3, "two threads and one ahead");
        assert_eq!(stream.next().unwrap().unwrap(), 0);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(made.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn an_error_comes_in_its_turn_and_ends_it() {
        let fails = |number| match number {
            3 => Err(OnlineError::Index { index: 3, length: 3 }),
            5 => panic!("never reached by the reader"),
            _ => Ok(number),
        };
        let mut stream = numbers(9, 3, Box::new(fails));
        assert_eq!(stream.by_ref().take(3).map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(matches!(stream.next(), Some(Err(OnlineError::Index { index: 3, .. }))));
        assert!(stream.next().is_none());
    }

    #[test]
    fn a_panic_is_an_error() {
        let mut stream = numbers(1, 1, Box::new(|_| panic!("off by {}", 1)));
        let message = stream.next().unwrap().unwrap_err().to_string();
        assert_eq!(message, "a batch could not be made: off by 1; this is a bug in motionmill");
    }

    #[test]
    fn dropping_ends_the_threads() {
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        let mut stream = numbers(
            1000,
            3,
            Box::new(move |number| {
                // What makes batches holds `held` as long as it is there.
                assert_eq!(*held, ());
                Ok(number)
            }),
        );
        let _ = stream.next();
        drop(stream);
        assert_eq!(Arc::strong_count(&alive), 1, "no thread holds what makes batches");
    }
}
