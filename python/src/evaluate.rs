//! Trials scored as the command line scores them. Poses are scored by the stage `evaluate`.

use arrow::array::RecordBatch;
use pipeline::commands::{BOOTSTRAP_SEED, scored_and_validation};
use pyo3::prelude::*;
use schemas::tables::metrics;
use schemas::tables::rejects::{self, Reject};
use schemas::tables::trials::{self, Trial};
use stages::StageError;
use stages::evaluate::verification::{EerMethod, VerificationOptions, evaluate_verification};

use crate::error::detached;
use crate::rows::{Given, batch_to_python, table_to_python};
use crate::value::{plan_value, read};

/// Metrics, rejects, notes.
type Scored<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vec<String>);

/// Scores `trials` with the threshold of `validation`, or of their own validation split.
#[pyfunction]
pub fn score_trials<'py>(
    py: Python<'py>,
    trials: &Bound<'py, PyAny>,
    validation: Option<&Bound<'py, PyAny>>,
    split: &str,
    validation_split: &str,
    eer: &Bound<'py, PyAny>,
    resamples: u32,
) -> PyResult<Scored<'py>> {
    let all = Given::of(trials)?.into_batches();
    let others = validation.map(Given::of).transpose()?.map(Given::into_batches);
    let eer: EerMethod = match plan_value(eer, "eer")? {
        Some(name) => read(name, "eer", 0)?,
        None => EerMethod::default(),
    };
    let (scored, left_out, notes) =
        detached(py, || -> anyhow::Result<(RecordBatch, Vec<Reject>, Vec<String>)> {
            let all = rows_of(&all)?;
            let others = others.as_deref().map(rows_of).transpose()?;
            let (scored, validation) =
                scored_and_validation(&all, others.as_deref(), split, validation_split);
            let options = VerificationOptions {
                eer,
                resamples,
                seed: BOOTSTRAP_SEED,
                ..VerificationOptions::default()
            };
            let evaluation =
                evaluate_verification(&scored, validation.as_deref(), &options).map_err(StageError::from)?;
            Ok((metrics::to_batch(&evaluation.metrics), evaluation.rejects, evaluation.notes))
        })?;
    let table = table_to_python(py, scored.schema(), vec![scored])?;
    Ok((table, batch_to_python(py, &rejects::to_batch(&left_out))?, notes))
}

fn rows_of(batches: &[RecordBatch]) -> anyhow::Result<Vec<Trial>> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(trials::from_batch(batch)?);
    }
    Ok(all)
}
