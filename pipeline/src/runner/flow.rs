//! The flow of rows: several units at once, batches of each in order.
//!
//! A thread takes the next batch of an open unit, carries it through every stage that it reaches, and hands it to the
//! unit. Whoever hands over the batch that is next in order writes it, and those that wait behind it. So a unit is
//! written by one thread at a time, as many units as are open are written at once, and no thread waits for another to
//! write.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use datasets::guarded::panic_text;
use datasets::imu::Loaded;
use datasets::source::{Chunk, Chunks, Load};

use super::budget::Budget;
use super::counts::Counts;
use super::outputs::{Outputs, UnitOutputs};
use super::record::UnitRecord;
use super::route::{Delivery, Route};
use super::units::{Sources, Unit, carries};
use super::{RunError, RunOptions};
use crate::graph::Graph;

/// The flow of the units of all sources.
pub(super) struct Flow<'a> {
    pub graph: &'a Graph,
    pub sources: &'a Sources,
    pub outputs: &'a Outputs<'a>,
    pub options: &'a RunOptions,
    /// Counts of all units, for the time that they take.
    pub totals: &'a Counts,
    /// How many units the whole run has.
    pub units: usize,
}

/// A unit at work.
struct OpenUnit<'a> {
    unit: &'a Unit,
    counts: Counts,
    arrivals: Mutex<Arrivals<'a>>,
}

/// Batches of a unit that were carried, and its shards.
struct Arrivals<'a> {
    waiting: BTreeMap<u64, Delivery>,
    /// Number of the batch that is written next.
    next: u64,
    /// How many batches there are, once that is known.
    total: Option<u64>,
    /// Absent while a thread writes.
    shards: Option<UnitOutputs<'a>>,
}

/// What the threads share.
struct Desk<'a> {
    waiting: VecDeque<&'a Unit>,
    open: Vec<Reading<'a>>,
    /// Units whose last batch is not written yet.
    unfinished: usize,
    budget: Budget,
    records: BTreeMap<u64, UnitRecord>,
    failure: Option<RunError>,
}

/// A unit of which there may be more to read.
struct Reading<'a> {
    unit: Arc<OpenUnit<'a>>,
    /// Absent while a thread reads.
    chunks: Option<Chunks>,
    /// Number of its next batch.
    next: u64,
    /// Batches that are carried or wait.
    in_flight: usize,
}

/// The next batch of a unit is to be read.
struct Turn<'a> {
    unit: Arc<OpenUnit<'a>>,
    chunks: Chunks,
    number: u64,
}

impl<'a> Flow<'a> {
    /// Does the units `todo` on the threads of `pool`.
    ///
    /// # Errors
    /// The first of any thread; units that are done by then stay done.
    pub(super) fn run(
        &self,
        pool: &rayon::ThreadPool,
        todo: Vec<&'a Unit>,
        budget: Budget,
    ) -> Result<BTreeMap<u64, UnitRecord>, RunError> {
        let desk = Mutex::new(Desk {
            waiting: todo.into(),
            open: Vec::new(),
            unfinished: 0,
            budget,
            records: BTreeMap::new(),
            failure: None,
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads {
                let builder = std::thread::Builder::new();
                let spawned = builder.spawn_scoped(scope, || self.work(pool, &desk, &changed));
                if let Err(error) = spawned {
                    let detail = error.to_string();
                    locked(&desk).failure.get_or_insert(RunError::Threads { detail });
                    changed.notify_all();
                    break;
                }
            }
        });
        let desk = desk.into_inner().unwrap_or_else(PoisonError::into_inner);
        desk.failure.map_or(Ok(desk.records), Err)
    }

    /// One thread: batch after batch, until there are none or another thread has failed.
    fn work(&self, pool: &rayon::ThreadPool, desk: &Mutex<Desk<'a>>, changed: &Condvar) {
        while let Some(turn) = self.next_turn(desk, changed) {
            // The stages' own parallel work stays in the pool, and this thread waits for it there.
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| self.batch(turn, desk, changed))));
            let failure = match outcome {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(panic) => {
                    let detail = panic_text(panic.as_ref()).unwrap_or("no message").to_owned();
                    RunError::Panicked { detail }
                }
            };
            locked(desk).failure.get_or_insert(failure);
            changed.notify_all();
        }
    }

    /// Waits until there is memory for one more batch, and gives the unit whose turn it is.
    fn next_turn(&self, desk: &Mutex<Desk<'a>>, changed: &Condvar) -> Option<Turn<'a>> {
        let mut desk = locked(desk);
        loop {
            if desk.failure.is_none()
                && let Err(cancelled) = self.options.check_cancelled()
            {
                desk.failure = Some(cancelled);
                changed.notify_all();
            }
            if desk.failure.is_some() || (desk.waiting.is_empty() && desk.open.is_empty()) {
                return None;
            }
            if desk.budget.fits()
                && let Some(turn) = self.turn(&mut desk)
            {
                desk.budget.enter();
                return Some(turn);
            }
            desk = changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The unit with the fewest batches in flight; a new one where all have some and one more may be open.
    fn turn(&self, desk: &mut Desk<'a>) -> Option<Turn<'a>> {
        let idle = |reading: &&mut Reading<'a>| reading.chunks.is_some();
        let fewest = desk.open.iter_mut().filter(idle).min_by_key(|reading| reading.in_flight);
        let busy = fewest.as_ref().is_none_or(|reading| reading.in_flight > 0);
        if busy && desk.budget.fits_unit(desk.unfinished) && !desk.waiting.is_empty() {
            let unit = desk.waiting.pop_front().expect("just seen");
            desk.unfinished += 1;
            let reading = self.open(unit);
            desk.open.push(reading);
            return desk.open.last_mut().and_then(take_turn);
        }
        fewest.and_then(take_turn)
    }

    fn open(&self, unit: &'a Unit) -> Reading<'a> {
        let source = &self.sources[&unit.node];
        let rows = unit.rows.clone().expect("only units of sources flow");
        let chunks = source.chunks_of(rows, self.graph.plan.runner.batch_rows.get() as usize);
        let shards = Some(self.outputs.unit(unit.number));
        let arrivals = Mutex::new(Arrivals { waiting: BTreeMap::new(), next: 0, total: None, shards });
        let unit = Arc::new(OpenUnit { unit, counts: Counts::new(self.graph), arrivals });
        Reading { unit, chunks: Some(chunks), next: 0, in_flight: 0 }
    }

    /// Reads, carries and hands over one batch.
    fn batch(&self, turn: Turn<'a>, desk: &Mutex<Desk<'a>>, changed: &Condvar) -> Result<(), RunError> {
        let Turn { unit, mut chunks, number } = turn;
        let failed = |error| self.graph.nodes[unit.unit.node].unreadable(error);
        let chunk = chunks.next().transpose().map_err(failed)?;
        {
            let mut desk = locked(desk);
            let place = desk.open.iter().position(|reading| Arc::ptr_eq(&reading.unit, &unit));
            let place = place.expect("a unit that is read is open");
            if chunk.is_some() {
                desk.open[place].chunks = Some(chunks);
            } else {
                desk.open.remove(place);
                desk.budget.leave();
            }
        }
        changed.notify_all();
        match chunk {
            None => locked(&unit.arrivals).total = Some(number),
            Some(Chunk { length, load }) => {
                let delivery = self.load_and_carry(&unit, load)?;
                self.options.progress.inc(length);
                locked(desk).budget.measured(delivery.bytes)?;
                locked(&unit.arrivals).waiting.insert(number, delivery);
            }
        }
        self.write_ready(&unit, desk, changed)
    }

    fn load_and_carry(&self, unit: &OpenUnit<'_>, load: Load) -> Result<Delivery, RunError> {
        let node = unit.unit.node;
        let Loaded { batches, rejects, notes } =
            load.now().map_err(|error| self.graph.nodes[node].unreadable(error))?;
        unit.counts.add_source(node, &rejects);
        let Self { graph, sources, options, .. } = *self;
        let route = Route { graph, sources, options, counts: &unit.counts };
        let mut delivery = route.carry(node, batches)?;
        let on_the_way = std::mem::replace(&mut delivery.rejects, rejects);
        delivery.rejects.extend(on_the_way);
        delivery.notes = notes;
        Ok(delivery)
    }

    /// Writes what is next in order, unless another thread does.
    fn write_ready(
        &self,
        unit: &Arc<OpenUnit<'a>>,
        desk: &Mutex<Desk<'a>>,
        changed: &Condvar,
    ) -> Result<(), RunError> {
        loop {
            let (ready, mut shards) = {
                let mut arrivals = locked(&unit.arrivals);
                let next = arrivals.next;
                let last = arrivals.total == Some(next);
                if !last && !arrivals.waiting.contains_key(&next) {
                    return Ok(());
                }
                let Some(shards) = arrivals.shards.take() else { return Ok(()) };
                (arrivals.waiting.remove(&next), shards)
            };
            let Some(delivery) = ready else { return self.close(unit, shards, desk, changed) };
            if unit.unit.first && locked(&unit.arrivals).next == 0 {
                self.begin_source(unit, &mut shards)?;
            }
            shards.write(delivery)?;
            {
                let mut desk = locked(desk);
                desk.budget.leave();
                desk.budget.measured_unit(shards.bytes())?;
                let reading = desk.open.iter_mut().find(|reading| Arc::ptr_eq(&reading.unit, unit));
                if let Some(reading) = reading {
                    reading.in_flight -= 1;
                }
            }
            changed.notify_all();
            let mut arrivals = locked(&unit.arrivals);
            arrivals.next += 1;
            arrivals.shards = Some(shards);
        }
    }

    /// Notes what the source found when it was opened, in the first of its units.
    fn begin_source(&self, unit: &OpenUnit<'_>, shards: &mut UnitOutputs<'_>) -> Result<(), RunError> {
        let source = &self.sources[&unit.unit.node];
        unit.counts.add_source(unit.unit.node, source.rejects());
        if !carries(self.graph, self.sources, unit.unit.node) {
            // Those that need all rows read them from the source.
            let rows = usize::try_from(source.length()).unwrap_or(usize::MAX);
            unit.counts.add_output(unit.unit.node, rows);
        }
        shards.note(source.counts());
        shards.note(source.notes().iter().cloned());
        shards.reject(source.rejects())
    }

    /// Ends the unit: its record makes it done.
    fn close(
        &self,
        unit: &OpenUnit<'a>,
        mut shards: UnitOutputs<'a>,
        desk: &Mutex<Desk<'a>>,
        changed: &Condvar,
    ) -> Result<(), RunError> {
        if unit.unit.first && locked(&unit.arrivals).next == 0 {
            self.begin_source(unit, &mut shards)?;
        }
        let record = shards.finish(&unit.counts, self.units)?;
        self.totals.add_busy(&unit.counts);
        let mut desk = locked(desk);
        desk.records.insert(unit.unit.number, record);
        desk.unfinished -= 1;
        desk.budget.unit_done();
        drop(desk);
        changed.notify_all();
        Ok(())
    }
}

/// The right to read the next batch.
fn take_turn<'a>(reading: &mut Reading<'a>) -> Option<Turn<'a>> {
    let chunks = reading.chunks.take()?;
    let number = reading.next;
    reading.next += 1;
    reading.in_flight += 1;
    Some(Turn { unit: Arc::clone(&reading.unit), chunks, number })
}

/// The lock; a thread that panicked has left what it holds consistent, and the run ends with its error.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
