//! Counting frames or sequences whose right class is on top.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::VerificationError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identification::rank;
use crate::stage::StageError;
use crate::unit_sum::{Add, UnitSum};

/// What is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ranked {
    /// Every frame by itself.
    #[default]
    Frame,
    /// Every sequence by the mean of its frames' scores, taken as they are.
    Sequence,
}

impl Ranked {
    /// The name in plans and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Sequence => "sequence",
        }
    }
}

/// Who and what a frame is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame<'a> {
    /// The data set.
    pub dataset: &'a str,
    /// The split, empty where there is none.
    pub split: &'a str,
    /// The person.
    pub subject: &'a str,
    /// Device and session.
    pub of: [&'a str; 2],
    /// Segment, sequence and copy.
    pub numbers: [i32; 3],
}

/// How many rows of one subject there are, and of how many the right class is on top.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hits {
    /// All rows.
    pub rows: u64,
    /// Those whose right class is in the top share.
    pub top_share: u64,
    /// Those whose right class is the highest.
    pub top_one: u64,
}

/// Counts frames or sequences by data set, split and subject.
pub(super) struct Tally<'a> {
    classes: HashMap<&'a str, usize>,
    counted: usize,
    pool: Ranked,
    tables: Tables,
    open: Option<Open>,
    /// Sequences that are closed.
    closed: HashSet<Key>,
}

/// Hits by data set and split, then by subject.
pub(super) type Tables = BTreeMap<[String; 2], BTreeMap<String, Hits>>;

type Key = ([String; 5], [i32; 3]);

/// The sequence whose frames are coming.
struct Open {
    key: Key,
    class: usize,
    sums: UnitSum<Sums>,
}

/// Sums of the scores of each class, `[classes]`.
#[derive(Debug)]
struct Sums(Vec<f64>);

impl Add for Sums {
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }
}

impl Open {
    fn add(&mut self, unit: u64, scores: &[f32]) {
        let sums = &mut self.sums.open(unit, || Sums(vec![0.0; scores.len()])).0;
        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(*score));
    }
}

impl<'a> Tally<'a> {
    /// Counts rows whose right class is among the `counted` highest of `classes`.
    pub(super) fn new(classes: &'a [String], counted: usize, pool: Ranked) -> Self {
        let classes = classes.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        Self { classes, counted, pool, tables: BTreeMap::new(), open: None, closed: HashSet::new() }
    }

    /// The class of `subject`, if it has one.
    pub(super) fn class_of(&self, subject: &str) -> Option<usize> {
        self.classes.get(subject).copied()
    }

    /// Counts a frame of class `class` and its `scores`, `[classes]`, of unit number `unit`.
    ///
    /// # Errors
    /// When frames of one sequence are pooled and are not consecutive.
    pub(super) fn push(
        &mut self,
        unit: u64,
        frame: &Frame<'_>,
        class: usize,
        scores: &[f32],
    ) -> Result<(), StageError> {
        if self.pool == Ranked::Frame {
            self.count([frame.dataset, frame.split, frame.subject], rank(scores, class));
            return Ok(());
        }
        let Frame { dataset, split, subject, of: [device, session], numbers } = *frame;
        let names = [dataset, split, subject, device, session];
        if let Some(open) = &mut self.open
            && open.key.0 == names
            && open.key.1 == numbers
        {
            open.add(unit, scores);
            return Ok(());
        }
        self.close();
        let key = (names.map(str::to_owned), numbers);
        if self.closed.contains(&key) {
            let (session, subject) = (session.to_owned(), subject.to_owned());
            return Err(VerificationError::Apart { sequence: numbers[1], session, subject }.into());
        }
        let mut open = Open { key, class, sums: UnitSum::default() };
        open.add(unit, scores);
        self.open = Some(open);
        Ok(())
    }

    /// Ranks the open sequence; a sum of scores ranks as their mean does.
    fn close(&mut self) {
        if let Some(Open { key, class, sums }) = self.open.take() {
            let [dataset, split, subject, ..] = &key.0;
            if let Some(Sums(sums)) = sums.total() {
                self.count([dataset, split, subject], rank(&sums, class));
            }
            self.closed.insert(key);
        }
    }

    fn count(&mut self, [dataset, split, subject]: [&str; 3], rank: usize) {
        let table = self.tables.entry([dataset.to_owned(), split.to_owned()]).or_default();
        let hits = table.entry(subject.to_owned()).or_default();
        hits.rows += 1;
        hits.top_share += u64::from(rank <= self.counted);
        hits.top_one += u64::from(rank == 1);
    }

    /// The counts by data set and split, then by subject.
    pub(super) fn finish(mut self) -> Tables {
        self.close();
        self.tables
    }
}
