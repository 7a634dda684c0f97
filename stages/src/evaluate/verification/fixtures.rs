//! Trials made up for tests, and a step that is run on batches.

use arrow::array::RecordBatch;
use schemas::random::KeyedRandom;
use schemas::tables::metrics::{self, Metric};
use schemas::tables::trials::Trial;

use crate::StageError;
use crate::stage::{Aggregate, Gathered, Rows};

/// Sessions a subject.
pub const SESSIONS: usize = 3;

/// Every one of `people` tried against every session of all, three sessions each. Scores are normal, genuine ones two
/// higher, with a level of its own for each client.
pub fn trials(split: &str, people: usize, seed: u64) -> Vec<Trial> {
    let mut rows = Vec::new();
    for client in 0..people {
        let mut random = KeyedRandom::new(seed, "fixture", split, client as i32);
        let level = random.normal();
        for subject in 0..people {
            for session in 0..SESSIONS {
                let genuine = client == subject;
                let score = level + random.normal() + if genuine { 2.0 } else { 0.0 };
                rows.push(Trial { score, genuine, ..trial(split, client, subject, session) });
            }
        }
    }
    rows
}

/// A trial of score 0 of an impostor.
pub fn trial(split: &str, client: usize, subject: usize, session: usize) -> Trial {
    Trial {
        dataset: "made".into(),
        split: split.into(),
        client_split: split.into(),
        client: format!("{split}-{client:02}"),
        subject: format!("{split}-{subject:02}"),
        device: "phone".into(),
        session: session.to_string(),
        sequence: None,
        genuine: false,
        score: 0.0,
        frames: 20,
        normalisation: "none".into(),
        model: "gmm".into(),
    }
}

/// The metrics that `step` gives for the columns of `batches` that it needs, and what else came of them.
pub fn run(step: &dyn Aggregate, batches: &[RecordBatch]) -> Result<(Vec<Metric>, Gathered), StageError> {
    let batches = batches.to_vec();
    let needed = step.needed_columns(0, &Rows::schema(&batches))?;
    let batches: Vec<RecordBatch> = batches.iter().map(|batch| batch.project(&needed).unwrap()).collect();
    let mut rows = Vec::new();
    let gathered = step.run(&[&batches], "hash", &mut |batch| {
        rows.extend(metrics::from_batch(&batch)?);
        Ok(())
    })?;
    Ok((rows, gathered))
}
