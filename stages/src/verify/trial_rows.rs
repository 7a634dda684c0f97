//! Trials with columns that distinguish the pieces of one session: stretch and frame, where scores are pooled that
//! finely.

use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemas::columns::{integers, schema_with, with_column};
use schemas::tables::trials::{self, Trial};

use crate::stage::StageError;

/// Trials that are handed on at a time.
pub const TRIALS_PER_BATCH: usize = 8192;
/// Column of the stretch of the session, where scores are pooled by sequence or frame.
pub const SEGMENT: &str = "segment";
/// Column of the frame of the sequence, where each frame has a score.
pub const FRAME: &str = "frame";

/// How finely scores are pooled: which of the columns [`SEGMENT`] and [`FRAME`] there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fine {
    /// Whether the table has [`SEGMENT`].
    pub segment: bool,
    /// Whether the table has [`FRAME`].
    pub frame: bool,
}

/// What is tried: a session, or a piece of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    /// The data set.
    pub dataset: String,
    /// The split.
    pub split: String,
    /// Whose it is.
    pub subject: String,
    /// The device.
    pub device: String,
    /// The session.
    pub session: String,
    /// The stretch, unless whole sessions are tried.
    pub segment: Option<i32>,
    /// The sequence, unless whole sessions are tried.
    pub sequence: Option<i32>,
    /// The frame, if each is tried.
    pub frame: Option<i32>,
}

impl PoolKey {
    /// It in words.
    pub fn words(&self) -> String {
        let piece =
            |name: &str, number: Option<i32>| number.map_or_else(String::new, |n| format!(", {name} {n}"));
        format!(
            "session `{}` of subject `{}`, device `{}`{}{}{}",
            self.session,
            self.subject,
            self.device,
            piece("segment", self.segment),
            piece("sequence", self.sequence),
            piece("frame", self.frame),
        )
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRow {
    /// The columns of every table of trials.
    pub trial: Trial,
    /// [`SEGMENT`].
    pub segment: Option<i32>,
    /// [`FRAME`].
    pub frame: Option<i32>,
}

impl TrialRow {
    /// Split and name of the client.
    pub fn client(&self) -> (String, String) {
        (self.trial.client_split.clone(), self.trial.client.clone())
    }

    /// What is tried.
    pub fn pool(&self) -> PoolKey {
        let trial = self.trial.clone();
        PoolKey {
            dataset: trial.dataset,
            split: trial.split,
            subject: trial.subject,
            device: trial.device,
            session: trial.session,
            segment: self.segment,
            sequence: trial.sequence,
            frame: self.frame,
        }
    }
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Int32, true)
}

/// The schema of trials that are pooled as finely as `fine` says.
pub fn schema(fine: Fine) -> SchemaRef {
    let mut schema: Schema = trials::schema().as_ref().clone();
    if fine.segment {
        schema = schema_with(&schema, number(SEGMENT));
    }
    if fine.frame {
        schema = schema_with(&schema, number(FRAME));
    }
    Arc::new(schema)
}

/// `rows` as a batch of [`schema`].
///
/// # Errors
/// Never, unless Arrow refuses to add a column.
pub fn to_batch(rows: Vec<TrialRow>, fine: Fine) -> Result<RecordBatch, StageError> {
    let segments: Int32Array = rows.iter().map(|row| row.segment).collect();
    let frames: Int32Array = rows.iter().map(|row| row.frame).collect();
    let trials: Vec<Trial> = rows.into_iter().map(|row| row.trial).collect();
    let mut batch = trials::to_batch(&trials);
    if fine.segment {
        batch = with_column(&batch, number(SEGMENT), Arc::new(segments))?;
    }
    if fine.frame {
        batch = with_column(&batch, number(FRAME), Arc::new(frames))?;
    }
    Ok(batch)
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn trial_rows(batch: &RecordBatch) -> Result<Vec<TrialRow>, StageError> {
    let optional = |name: &str| -> Result<Option<&Int32Array>, StageError> {
        let there = batch.schema_ref().index_of(name).is_ok();
        Ok(if there { Some(integers(batch, name)?) } else { None })
    };
    let (segments, frames) = (optional(SEGMENT)?, optional(FRAME)?);
    let at = |array: Option<&Int32Array>, row: usize| {
        array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
    };
    let trials = trials::from_batch(batch)?.into_iter().enumerate();
    Ok(trials
        .map(|(row, trial)| TrialRow { trial, segment: at(segments, row), frame: at(frames, row) })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back() {
        let trial = Trial {
            dataset: "hmog".into(),
            split: "test".into(),
            client_split: "test".into(),
            client: "a".into(),
            subject: "b".into(),
            device: "phone".into(),
            session: "1".into(),
            sequence: Some(2),
            genuine: false,
            score: 0.5,
            frames: 1,
            normalisation: "none".into(),
            model: "gmm".into(),
        };
        for (segment, frame) in [(false, false), (true, false), (true, true)] {
            let fine = Fine { segment, frame };
            let row =
                TrialRow { trial: trial.clone(), segment: segment.then_some(7), frame: frame.then_some(9) };
            let batch = to_batch(vec![row.clone()], fine).unwrap();
            assert_eq!((batch.schema(), trial_rows(&batch).unwrap()), (schema(fine), vec![row]));
        }
    }
}
