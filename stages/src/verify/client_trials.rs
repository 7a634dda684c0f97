//! Clients tried on the probes of one split.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use schemas::tables::trials::Trial;

use super::blocks::next_group;
use super::fitted::Client;
use super::frames::Frames;
use super::pools::{Pool, Pools};
use super::ratio::Background;
use super::trial_rows::{TRIALS_PER_BATCH, TrialRow, to_batch};
use crate::stage::{Gathered, Give, Rows, StageError};

/// Sums of one client's log-likelihood ratios, in the order of [`UnitSum`](crate::unit_sum::UnitSum): that would keep two
/// sums of every pool, but only pools of the unit that is coming need both.
#[derive(Debug, Clone, Default)]
struct PoolSums {
    /// By place of the pool, of the units that are complete.
    totals: Vec<f64>,
    unit: u64,
    /// By place of the pool, of this unit.
    open: HashMap<usize, f64>,
}

impl PoolSums {
    /// Adds `ratio`, of a frame of unit number `unit`, to the pool at `place`.
    fn add(&mut self, unit: u64, place: usize, ratio: f64) {
        if self.unit != unit {
            self.close();
            self.unit = unit;
        }
        *self.open.entry(place).or_default() += ratio;
    }

    fn close(&mut self) {
        self.open.drain().for_each(|(place, sum)| self.totals[place] += sum);
    }
}

/// What is the same for all splits.
pub(super) struct Scorer<'a> {
    /// Who rejects.
    pub stage: &'a str,
    /// What clients are compared with.
    pub background: Background,
    /// D.
    pub dimensions: usize,
    /// What one score is of.
    pub pool: Pool,
    /// The split of the cohort.
    pub cohort: Option<&'a str>,
    /// Name of the system.
    pub model: String,
}

impl Scorer<'_> {
    /// Tries the clients `tried` on all probes of `split`, pool by pool.
    ///
    /// # Errors
    /// When reading or `give` fails.
    pub(super) fn score(
        &self,
        rows: &dyn Rows,
        split: String,
        tried: Vec<&Client>,
        give: &mut Give<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), StageError> {
        let splits = [split];
        // Shared by whoever reads and whoever counts, which take turns.
        let found = Mutex::new(Pools::new(self.pool));
        let pools = || found.lock().unwrap_or_else(PoisonError::into_inner);
        let pick = |batch: &_| pools().pick(batch, &splits);
        let mut frames = Frames::new(rows, self.dimensions, self.stage, Box::new(pick));
        let mut sums: Vec<PoolSums> = vec![PoolSums::default(); tried.len()];
        let mut trials = Trials { scorer: self, tried, waiting: Vec::new(), give, genuine: 0, impostors: 0 };
        loop {
            let group = next_group(&mut frames)?;
            if group.is_empty() {
                break;
            }
            let baselines = self.background.baselines(&group);
            let mut pools = pools();
            let forgotten = pools.forgotten;
            let places = || {
                let tags = group.iter().flat_map(|block| block.tags.iter().map(|tag| (block.unit, *tag)));
                tags.map(|(unit, tag)| (unit, (tag - forgotten) as usize))
            };
            places().for_each(|(_, place)| pools.frames[place] += 1);
            let count = pools.keys.len();
            sums.par_iter_mut().zip(&trials.tried).for_each(|(sums, client)| {
                sums.totals.resize(count, 0.0);
                let ratios = self.background.ratios(&client.gaussians, &group, &baselines);
                // One by one in row order, so that the sum of a unit does not depend on blocks.
                let ratios = ratios.iter().flatten();
                places().zip(ratios).for_each(|((unit, place), ratio)| sums.add(unit, place, *ratio));
            });
            if self.pool == Pool::Frame {
                sums.iter_mut().for_each(PoolSums::close);
                trials.add_all(&pools, &sums)?;
                pools.forget();
                for sums in &mut sums {
                    sums.totals.clear();
                }
            }
        }
        gathered.rejects.append(&mut frames.rejects);
        drop(frames);
        sums.iter_mut().for_each(PoolSums::close);
        trials.add_all(&pools(), &sums)?;
        trials.flush()?;
        let clients = trials.tried.iter().filter(|client| client.split == splits[0]).count();
        gathered.notes.push(format!(
            "split `{}`: {clients} clients, {} genuine and {} impostor trials",
            splits[0], trials.genuine, trials.impostors
        ));
        Ok(())
    }

    fn of_cohort(&self, split: &str) -> bool {
        self.cohort == Some(split)
    }
}

/// Trials on their way.
struct Trials<'a, 'g> {
    scorer: &'a Scorer<'a>,
    tried: Vec<&'a Client>,
    waiting: Vec<TrialRow>,
    give: &'a mut Give<'g>,
    genuine: u64,
    impostors: u64,
}

impl Trials<'_, '_> {
    /// The trials of all clients on all pools that have frames.
    fn add_all(&mut self, pools: &Pools, sums: &[PoolSums]) -> Result<(), StageError> {
        pools.in_order().into_iter().try_for_each(|place| self.add(pools, place, sums))
    }

    fn add(&mut self, pools: &Pools, place: usize, sums: &[PoolSums]) -> Result<(), StageError> {
        let (key, frames, scorer) = (&pools.keys[place], pools.frames[place], self.scorer);
        for (at, sums) in sums.iter().enumerate() {
            let client = self.tried[at];
            let genuine = client.name == key.subject;
            // A cohort is one of impostors.
            if genuine && (scorer.of_cohort(&client.split) || scorer.of_cohort(&key.split)) {
                continue;
            }
            if genuine {
                self.genuine += 1;
            } else {
                self.impostors += 1;
            }
            let trial = Trial {
                dataset: key.dataset.clone(),
                split: key.split.clone(),
                client_split: client.split.clone(),
                client: client.name.clone(),
                subject: key.subject.clone(),
                device: key.device.clone(),
                session: key.session.clone(),
                sequence: key.sequence,
                genuine,
                score: sums.totals[place] / frames as f64,
                frames,
                normalisation: "none".to_owned(),
                model: scorer.model.clone(),
            };
            self.waiting.push(TrialRow { trial, segment: key.segment, frame: key.frame });
            if self.waiting.len() == TRIALS_PER_BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StageError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.waiting);
        (self.give)(to_batch(rows, self.scorer.pool.fine())?)
    }
}
