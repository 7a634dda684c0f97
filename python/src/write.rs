//! Sinks of a plan, written from Python.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::registry::SinkConfig;
use datasets::shards::Provenance;
use datasets::sink::{Exported, Start, Written};
use pyo3::prelude::*;
use schemas::tables::rejects::{self, Reject};

use crate::error::{Kind, detached, exception};
use crate::rows::{Given, batch_to_python};
use crate::value::{plan_value, read};

/// Rows written, rejects, notes.
type Done<'py> = (u64, Bound<'py, PyAny>, Vec<String>);

/// Writes `inputs`, the tables of a sink, as `value`, the right side of `write.KIND`, says; `force` replaces what is there.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
pub fn write<'py>(
    py: Python<'py>,
    kind: &str,
    value: &Bound<'py, PyAny>,
    inputs: Vec<Bound<'py, PyAny>>,
    force: bool,
) -> PyResult<Done<'py>> {
    let value = plan_value(value, kind)?.unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    let keyed = toml::Value::Table(toml::Table::from_iter([(kind.to_owned(), value)]));
    let config: SinkConfig = read(keyed, kind, 1)?;
    let takes = config.inputs();
    if inputs.len() != takes.len() {
        let message =
            format!("`{kind}` takes {} ({}), found {}", takes.len(), takes.join(", "), inputs.len());
        return Err(exception(Kind::Config, &message, None));
    }
    let inputs: Vec<Given> = inputs.iter().map(|table| Given::of(table)).collect::<PyResult<_>>()?;
    let schemas: Vec<SchemaRef> = inputs.iter().map(Given::schema).collect();
    let tables: Vec<Vec<RecordBatch>> = inputs.into_iter().map(Given::into_batches).collect();
    let (written, exported) = detached(py, || written(&config, &schemas, &tables, force))?;
    Ok((written.rows, batch_to_python(py, &rejects::to_batch(&exported.rejects))?, exported.notes))
}

fn written(
    config: &SinkConfig,
    schemas: &[SchemaRef],
    tables: &[Vec<RecordBatch>],
    force: bool,
) -> anyhow::Result<(Written, Exported)> {
    config.check(schemas)?;
    let provenance = Provenance {
        motionmill: env!("CARGO_PKG_VERSION").to_owned(),
        made_by: format!("motionmill.write.{}", config.kind()),
        ..Provenance::default()
    };
    let mut writer = match config.start(schemas, provenance, force)? {
        Start::Begun(writer) => writer,
        Start::Complete(_) => {
            anyhow::bail!("the target exists; replace it with `force=True`: `{}`", config.path().display())
        }
    };
    let batches =
        tables.iter().enumerate().flat_map(|(input, table)| table.iter().map(move |rows| (input, rows)));
    for (number, (input, batch)) in (0..).zip(batches) {
        writer.write(number, input, batch)?;
    }
    let exported = writer.close()?;
    Ok((writer.complete(&by_reason(&exported.rejects))?, exported))
}

fn by_reason(rejects: &[Reject]) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for reject in rejects {
        *reasons.entry(reject.reason.clone()).or_default() += reject.rows;
    }
    reasons
}
