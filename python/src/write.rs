//! Sinks of a plan, written from Python.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::registry::SinkConfig;
use datasets::shards::{Claiming, Provenance, Rejected};
use datasets::sink::{Exported, Target, Written};
use pyo3::prelude::*;
use schemas::tables::rejects;

use crate::error::{Kind, detached, exception};
use crate::rows::{batch_to_python, tables_of};
use crate::value::config_of;

/// Rows written at a time: a target that is cut into shards is cut between pieces.
const PIECE_ROWS: usize = 1024;

/// Rows written, rejects, notes.
type Done<'py> = (u64, Bound<'py, PyAny>, Vec<String>);

/// Writes `inputs`, the tables of a sink, as `value`, the right side of `write.KIND`, says; `force` replaces what is there.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
pub(crate) fn write<'py>(
    py: Python<'py>,
    kind: &str,
    value: &Bound<'py, PyAny>,
    inputs: Vec<Bound<'py, PyAny>>,
    force: bool,
) -> PyResult<Done<'py>> {
    let config: SinkConfig = config_of(kind, value)?;
    let (schemas, tables) = tables_of(kind, config.inputs(), &inputs)?;
    let path = config.path();
    let empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.exists() && !empty && !force {
        let message = format!("the target exists: `{}`", path.display());
        let hint = "choose another place, or replace it with `force=True`";
        return Err(exception(Kind::File, &message, Some(hint)));
    }
    let (written, exported) = detached(py, || written(&config, &schemas, &tables))?;
    Ok((written.rows, batch_to_python(py, &rejects::to_batch(&exported.rejects))?, exported.notes))
}

/// Writes `tables` anew: rows in memory have no hash by which unfinished work of theirs could be told.
fn written(
    config: &SinkConfig,
    schemas: &[SchemaRef],
    tables: &[Vec<RecordBatch>],
) -> anyhow::Result<(Written, Exported)> {
    config.check(schemas)?;
    let provenance = Provenance {
        motionmill: env!("CARGO_PKG_VERSION").to_owned(),
        made_by: format!("motionmill.write.{}", config.kind()),
        ..Provenance::default()
    };
    let claiming = Claiming { force: true, ..Claiming::default() };
    let batches = tables
        .iter()
        .enumerate()
        .flat_map(|(input, table)| table.iter().flat_map(pieces).map(move |rows| (input, rows)));
    match config.claim(schemas, provenance, claiming)? {
        Target::Table(table) => {
            let mut unit = table.unit(0);
            for (_, rows) in batches {
                unit.write(&rows)?;
            }
            let manifest = table.complete(unit.finish()?, Rejected::default())?;
            table.release()?;
            let (rows, shards) = (manifest.rows, Some(manifest.shards.len()));
            Ok((Written { rows, shards }, Exported::default()))
        }
        Target::Whole(mut target) => {
            target.begin()?;
            for (input, rows) in batches {
                target.write(input, &rows)?;
            }
            let exported = target.close()?;
            let written = target.complete(&rejects::by_reason(&exported.rejects))?;
            target.release()?;
            Ok((written, exported))
        }
    }
}

/// `batch` in pieces of at most [`PIECE_ROWS`] rows, at least one.
fn pieces(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    let starts = (0..rows.max(1)).step_by(PIECE_ROWS);
    starts.map(move |start| batch.slice(start, PIECE_ROWS.min(rows - start)))
}
