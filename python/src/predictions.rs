//! Published prediction arrays, joined to people by row.

use std::path::PathBuf;

use anyhow::Context;
use arrow::array::{Array, RecordBatch};
use datasets::predictions::{self, Options};
use pyo3::prelude::*;
use schemas::Skeleton;
use schemas::columns::strings;

use crate::error::detached;
use crate::rows::{Given, table_to_python};

/// Ids and splits of people, in order.
type People = (Vec<String>, Vec<Option<String>>);

/// Reads the array `array` of `file` as the table `keypoints` of `people`, row by row.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of the Python function")]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
pub fn read_predictions<'py>(
    py: Python<'py>,
    file: PathBuf,
    people: &Bound<'py, PyAny>,
    array: String,
    axes: String,
    skeleton: &str,
    first_pixel: f64,
    model: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let people = Given::of(people)?.into_batches();
    let batch = detached(py, || -> anyhow::Result<RecordBatch> {
        let skeleton = Skeleton::named(skeleton)?;
        let (ids, splits) = names(&people)?;
        let read = predictions::read(&file, &Options { array, axes, skeleton, first_pixel })?;
        predictions::to_batch(&ids, &splits, &read, skeleton, model)
            .with_context(|| format!("cannot join `{}` to the people", file.display()))
    })?;
    table_to_python(py, batch.schema(), vec![batch])
}

fn names(people: &[RecordBatch]) -> anyhow::Result<People> {
    let (mut ids, mut splits) = (Vec::new(), Vec::new());
    for batch in people {
        ids.extend(strings(batch, "sample_id")?.iter().map(|id| id.unwrap_or_default().to_owned()));
        let names = strings(batch, "split")?;
        splits.extend((0..names.len()).map(|row| names.is_valid(row).then(|| names.value(row).to_owned())));
    }
    Ok((ids, splits))
}
