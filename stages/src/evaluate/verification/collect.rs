//! From rows of `trials` to blocks that are scored separately: one per data set, system and normalisation.
//!
//! Names become numbers when read, so a trial takes 24 bytes whatever its names, and in the end the numbers
//! follow the order of the names, so the order of rows does not matter.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, RecordBatch};
use schemas::SchemaError;
use schemas::columns::{booleans, numbers, strings};
use schemas::tables::rejects::Reject;
use schemas::tables::trials::Trial;

use super::NAME;
use super::curve::{Scored, sort};

/// The columns of `trials` that scoring needs.
pub(super) const COLUMNS: [&str; 11] = [
    "dataset",
    "split",
    "client_split",
    "client",
    "subject",
    "device",
    "session",
    "genuine",
    "score",
    "normalisation",
    "model",
];

/// What scoring needs of one trial: fields as those of [`Trial`].
#[derive(Debug, Clone, Copy)]
pub(super) struct TrialRef<'a> {
    pub dataset: &'a str,
    pub split: &'a str,
    pub client_split: &'a str,
    pub client: &'a str,
    pub subject: &'a str,
    pub device: &'a str,
    pub session: &'a str,
    pub genuine: bool,
    pub score: f64,
    pub normalisation: &'a str,
    pub model: &'a str,
}

impl<'a> From<&'a Trial> for TrialRef<'a> {
    fn from(trial: &'a Trial) -> Self {
        Self {
            dataset: &trial.dataset,
            split: &trial.split,
            client_split: &trial.client_split,
            client: &trial.client,
            subject: &trial.subject,
            device: &trial.device,
            session: &trial.session,
            genuine: trial.genuine,
            score: trial.score,
            normalisation: &trial.normalisation,
            model: &trial.model,
        }
    }
}

/// Hands each trial of `batch` to `take`. A score that is null is NaN.
///
/// # Errors
/// When a column is missing or of another type, or `genuine` is null somewhere.
pub(super) fn each_trial(batch: &RecordBatch, mut take: impl FnMut(TrialRef<'_>)) -> Result<(), SchemaError> {
    let text = |name: &str| strings(batch, name);
    let (dataset, split, client_split) = (text("dataset")?, text("split")?, text("client_split")?);
    let (client, subject, device) = (text("client")?, text("subject")?, text("device")?);
    let (session, normalisation, model) = (text("session")?, text("normalisation")?, text("model")?);
    let (genuine, score) = (booleans(batch, "genuine")?, numbers(batch, "score")?);
    if let Some(row) = (0..batch.num_rows()).find(|&row| genuine.is_null(row)) {
        return Err(SchemaError::NullValue { column: "genuine".to_owned(), row });
    }
    for row in 0..batch.num_rows() {
        take(TrialRef {
            dataset: dataset.value(row),
            split: split.value(row),
            client_split: client_split.value(row),
            client: client.value(row),
            subject: subject.value(row),
            device: device.value(row),
            session: session.value(row),
            genuine: genuine.value(row),
            score: if score.is_valid(row) { score.value(row) } else { f64::NAN },
            normalisation: normalisation.value(row),
            model: model.value(row),
        });
    }
    Ok(())
}

/// Which of the two parts of a block a trial belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What is scored.
    Test,
    /// Where the threshold comes from.
    Validation,
}

/// Trials of one part of a block, ready to be scored.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// Names of the clients, ascending.
    pub clients: Vec<String>,
    /// For each session, the number of the client whose session it is; `None` where its subject is no client.
    pub owners: Vec<Option<u32>>,
    /// By score, as [`sort`] orders them.
    pub scored: Vec<Scored>,
    /// The splits of the probes, joined.
    pub split: String,
}

/// All trials of one data set, system and normalisation.
#[derive(Debug)]
pub(super) struct Block {
    /// The data set of the probes.
    pub dataset: String,
    /// The system.
    pub model: String,
    /// How the scores are normalised: `none`, `z`, `t` or `zt`.
    pub normalisation: String,
    /// What is scored.
    pub test: Trials,
    /// Where the threshold comes from; without trials where there are none.
    pub validation: Trials,
}

/// Gathers trials, row by row.
#[derive(Debug, Default)]
pub(super) struct Collector {
    blocks: Vec<([String; 3], [Numbered; 2])>,
    /// The block of the last trial: neighbours mostly share it.
    last: usize,
    rejects: Vec<Reject>,
    cohort: u64,
}

impl Collector {
    /// Takes in one trial. Trials across splits, which only serve to normalise scores, are counted and left out.
    pub(super) fn push(&mut self, part: Part, trial: &TrialRef<'_>) {
        if trial.split != trial.client_split {
            self.cohort += 1;
            return;
        }
        if !trial.score.is_finite() {
            self.rejects.push(not_finite(trial));
            return;
        }
        let key = [trial.dataset, trial.model, trial.normalisation];
        if self.blocks.get(self.last).is_none_or(|(other, _)| *other != key) {
            self.last = self.blocks.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
                self.blocks.push((key.map(str::to_owned), Default::default()));
                self.blocks.len() - 1
            });
        }
        self.blocks[self.last].1[part as usize].push(trial);
    }

    /// Whether `part` has a trial to score.
    pub(super) fn has(&self, part: Part) -> bool {
        self.blocks.iter().any(|(_, parts)| !parts[part as usize].scored.is_empty())
    }

    /// The blocks in the order of their names, the trials that cannot be scored, and how many trials across splits
    /// were left out.
    pub(super) fn finish(mut self) -> (Vec<Block>, Vec<Reject>, u64) {
        self.blocks.sort_by(|(a, _), (b, _)| a.cmp(b));
        let block = |([dataset, model, normalisation], [test, validation]): ([String; 3], [Numbered; 2])| {
            Block { dataset, model, normalisation, test: test.finish(), validation: validation.finish() }
        };
        (self.blocks.into_iter().map(block).collect(), self.rejects, self.cohort)
    }
}

fn not_finite(trial: &TrialRef<'_>) -> Reject {
    let TrialRef { score, client, subject, session, model, .. } = trial;
    Reject {
        stage: NAME.to_owned(),
        reason: "score not finite".to_owned(),
        detail: format!(
            "score `{score}` of client `{client}` and session `{session}` of `{subject}`, model `{model}`"
        ),
        ..Reject::default()
    }
}

/// Names by number, in the order in which they came.
#[derive(Debug, Default)]
struct Names {
    number: HashMap<String, u32>,
}

impl Names {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.number.get(name) {
            return *number;
        }
        let number = self.number.len() as u32;
        self.number.insert(name.to_owned(), number);
        number
    }

    /// The names in ascending order, and for each number its place among them.
    fn ranked(self) -> (Vec<String>, Vec<u32>) {
        let mut rank = vec![0; self.number.len()];
        let sorted: BTreeMap<String, u32> = self.number.into_iter().collect();
        for (place, number) in sorted.values().enumerate() {
            rank[*number as usize] = place as u32;
        }
        (sorted.into_keys().collect(), rank)
    }
}

/// Trials of one part whose names are numbers in the order in which they came.
#[derive(Debug, Default)]
struct Numbered {
    clients: Names,
    subjects: Names,
    devices: Names,
    sessions: Names,
    /// Subject, device and session to the number of the session.
    probes: HashMap<[u32; 3], u32>,
    scored: Vec<Scored>,
    splits: BTreeSet<String>,
}

impl Numbered {
    fn push(&mut self, trial: &TrialRef<'_>) {
        if !self.splits.contains(trial.split) {
            self.splits.insert(trial.split.to_owned());
        }
        let probe =
            [self.subjects.of(trial.subject), self.devices.of(trial.device), self.sessions.of(trial.session)];
        let next = self.probes.len() as u32;
        let session = *self.probes.entry(probe).or_insert(next);
        let client = self.clients.of(trial.client);
        self.scored.push(Scored { score: trial.score, genuine: trial.genuine, client, session });
    }

    fn finish(self) -> Trials {
        let ((clients, client_rank), (subjects, subject_rank)) =
            (self.clients.ranked(), self.subjects.ranked());
        let (device_rank, session_rank) = (self.devices.ranked().1, self.sessions.ranked().1);
        let ranked = |[subject, device, session]: [u32; 3]| {
            let at = |rank: &[u32], number: u32| rank[number as usize];
            [at(&subject_rank, subject), at(&device_rank, device), at(&session_rank, session)]
        };
        let probes: BTreeMap<[u32; 3], u32> =
            self.probes.into_iter().map(|(probe, number)| (ranked(probe), number)).collect();
        let mut place = vec![0; probes.len()];
        let mut owners = Vec::with_capacity(probes.len());
        for (at, ([subject, ..], number)) in probes.into_iter().enumerate() {
            place[number as usize] = at as u32;
            let name = &subjects[subject as usize];
            owners.push(clients.binary_search(name).ok().map(|client| client as u32));
        }
        let mut scored = self.scored;
        for trial in &mut scored {
            trial.client = client_rank[trial.client as usize];
            trial.session = place[trial.session as usize];
        }
        sort(&mut scored);
        let split = self.splits.into_iter().collect::<Vec<_>>().join("+");
        Trials { clients, owners, scored, split }
    }
}
