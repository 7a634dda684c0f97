//! `trials`: one row is one verification score: a client's model against a piece of a session.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::metadata;
use crate::columns::{SchemaError, booleans, integers, longs, numbers, strings};

/// Name of the table.
pub const NAME: &str = "trials";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The data set of the probe.
    pub dataset: String,
    /// The split of the probe: `validation`, `test`, or that of a cohort.
    pub split: String,
    /// The split of the client; another one than `split` where the trial only serves to normalise scores.
    pub client_split: String,
    /// The subject whose model is tried.
    pub client: String,
    /// The subject whose session it is.
    pub subject: String,
    /// The device of the session.
    pub device: String,
    /// The session.
    pub session: String,
    /// The sequence of the session, where scores are pooled by sequence.
    pub sequence: Option<i32>,
    /// Whether client and subject are one person.
    pub genuine: bool,
    /// The score: higher speaks for the client. A log-likelihood ratio per frame unless normalised.
    pub score: f64,
    /// How many frames were pooled into the score.
    pub frames: i64,
    /// `none`, `z`, `t` or `zt`.
    pub normalisation: String,
    /// The system that made the score.
    pub model: String,
}

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let fields = vec![
        text("dataset"),
        text("split"),
        text("client_split"),
        text("client"),
        text("subject"),
        text("device"),
        text("session"),
        field("sequence", DataType::Int32, true),
        field("genuine", DataType::Boolean, false),
        field("score", DataType::Float64, false),
        field("frames", DataType::Int64, false),
        text("normalisation"),
        text("model"),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The rows `trials` as a batch.
pub fn to_batch(trials: &[Trial]) -> RecordBatch {
    let text = |get: fn(&Trial) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(trials.iter().map(get)))
    };
    let columns = vec![
        text(|t| &t.dataset),
        text(|t| &t.split),
        text(|t| &t.client_split),
        text(|t| &t.client),
        text(|t| &t.subject),
        text(|t| &t.device),
        text(|t| &t.session),
        Arc::new(trials.iter().map(|t| t.sequence).collect::<Int32Array>()),
        Arc::new(trials.iter().map(|t| Some(t.genuine)).collect::<BooleanArray>()),
        Arc::new(Float64Array::from_iter_values(trials.iter().map(|t| t.score))),
        Arc::new(Int64Array::from_iter_values(trials.iter().map(|t| t.frames))),
        text(|t| &t.normalisation),
        text(|t| &t.model),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Trial>, SchemaError> {
    let text = |name: &str| strings(batch, name);
    let (dataset, split, client_split) = (text("dataset")?, text("split")?, text("client_split")?);
    let (client, subject, device) = (text("client")?, text("subject")?, text("device")?);
    let (session, normalisation, model) = (text("session")?, text("normalisation")?, text("model")?);
    let (sequence, genuine) = (integers(batch, "sequence")?, booleans(batch, "genuine")?);
    let (score, frames) = (numbers(batch, "score")?, longs(batch, "frames")?);
    let owned = |array: &StringArray, row: usize| array.value(row).to_owned();
    let row_at = |row| Trial {
        dataset: owned(dataset, row),
        split: owned(split, row),
        client_split: owned(client_split, row),
        client: owned(client, row),
        subject: owned(subject, row),
        device: owned(device, row),
        session: owned(session, row),
        sequence: sequence.is_valid(row).then(|| sequence.value(row)),
        genuine: genuine.value(row),
        score: score.value(row),
        frames: frames.value(row),
        normalisation: owned(normalisation, row),
        model: owned(model, row),
    };
    Ok((0..batch.num_rows()).map(row_at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let trial = Trial {
            dataset: "hmog".into(),
            split: "test".into(),
            client_split: "test".into(),
            client: "a".into(),
            subject: "b".into(),
            device: "phone".into(),
            session: "1".into(),
            sequence: None,
            genuine: false,
            score: -0.25,
            frames: 20,
            normalisation: "none".into(),
            model: "gmm".into(),
        };
        let trials = [trial.clone(), Trial { sequence: Some(3), genuine: true, ..trial }];
        assert_eq!(from_batch(&to_batch(&trials)).unwrap(), trials);
    }
}
