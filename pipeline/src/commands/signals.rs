//! What a signal does to a command that runs a plan: it ends early, and says that the same command continues.
//!
//! While no plan runs, signals do what they do by default.

pub(super) use platform::watched;

#[cfg(unix)]
mod platform {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
    use std::time::Duration;
    use std::{io, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level;

    use super::super::failure::{Failure, Interrupted, MACHINE_AT_FAULT};
    use super::super::terminal::tell;

    /// How long a run may take to end by itself after a signal: what it has begun is complete or absent at any moment, so
    /// there is no harm in leaving then.
    const GRACE: Duration = Duration::from_millis(1500);

    /// The run in progress.
    struct Run {
        cancelled: Arc<AtomicBool>,
        signal: Option<i32>,
    }

    /// The run in progress, where there is one: a process runs one plan at a time.
    static RUN: Mutex<Option<Run>> = Mutex::new(None);

    fn current() -> MutexGuard<'static, Option<Run>> {
        RUN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `run`, which ends early once `cancelled` is set; SIGINT, SIGTERM and SIGHUP set it. A run that has not ended
    /// soon after is left where it is, and a second signal leaves at once: both end the process.
    pub(in super::super) fn watched<T>(
        cancelled: &Arc<AtomicBool>,
        run: impl FnOnce() -> T,
    ) -> (T, Option<Interrupted>) {
        static LISTENING: Once = Once::new();
        // Where the system refuses to listen, signals end the process as they do by default.
        LISTENING.call_once(|| drop(listen()));
        *current() = Some(Run { cancelled: Arc::clone(cancelled), signal: None });
        let done = run();
        let signal = current().take().and_then(|run| run.signal);
        (done, signal.map(interrupted))
    }

    fn interrupted(signal: i32) -> Interrupted {
        Interrupted { signal: low_level::signal_name(signal).unwrap_or("a signal"), left: None }
    }

    fn listen() -> io::Result<()> {
        let mut signals =
            Signals::new([SIGINT, SIGTERM].into_iter().chain((!ignored(SIGHUP)).then_some(SIGHUP)))?;
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(received))?;
        Ok(())
    }

    /// Whether whoever started the process wants it to live through `signal`, as `nohup` does. Linux tells in `/proc`;
    /// elsewhere the answer is no.
    fn ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    fn received(signal: i32) {
        let mut current = current();
        let Some(run) = current.as_mut() else {
            drop(current);
            let _ = low_level::emulate_default_handler(signal);
            return;
        };
        if let Some(first) = run.signal {
            leave(first);
        }
        run.signal = Some(signal);
        run.cancelled.store(true, Ordering::Relaxed);
        let of = Arc::clone(&run.cancelled);
        drop(current);
        thread::spawn(move || {
            thread::sleep(GRACE);
            // The lock is kept: the run cannot end while the process leaves.
            let current = self::current();
            if current.as_ref().is_some_and(|run| Arc::ptr_eq(&run.cancelled, &of)) {
                leave(signal);
            }
        });
    }

    /// Ends the process in the midst of a run.
    fn leave(signal: i32) -> ! {
        let _ = tell(&Failure::of(&interrupted(signal).into()).text);
        low_level::exit(MACHINE_AT_FAULT.into())
    }
}

#[cfg(not(unix))]
mod platform {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::super::failure::Interrupted;

    /// Does `run`; a signal ends the process as it does by default.
    pub(in super::super) fn watched<T>(
        _: &Arc<AtomicBool>,
        run: impl FnOnce() -> T,
    ) -> (T, Option<Interrupted>) {
        (run(), None)
    }
}
