//! `metrics`: one row is one number.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::heatmaps::HEAD;
use super::metadata;
use crate::columns::{SchemaError, integers, longs, numbers, strings};

/// Name of the table.
pub const NAME: &str = "metrics";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name of the protocol, such as `mpii-official`.
    pub protocol: String,
    /// Data set of the truth.
    pub dataset: String,
    /// Split of the truth, `all` where it was not narrowed.
    pub split: String,
    /// What was measured: `pckh`, `pck`, `pcp`, `auc`, ...
    pub metric: String,
    /// The joint or stick, where the number is of one.
    pub joint: Option<String>,
    /// The group of joints, where the number is of one.
    pub group: Option<String>,
    /// The threshold, in the protocol's unit.
    pub threshold: Option<f64>,
    /// The number; percent where the metric is a rate.
    pub value: f64,
    /// How many annotated joints (or sticks, or people) it rests on.
    pub count: i64,
    /// Lower end of the 95 % bootstrap interval over people.
    pub ci_low: Option<f64>,
    /// Upper end of the 95 % bootstrap interval over people.
    pub ci_high: Option<f64>,
    /// The network or prediction file.
    pub model: String,
    /// Output head of the network, from 1.
    pub head: Option<i32>,
    /// Hash of the run that made it.
    pub run: String,
}

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    let fields = vec![
        field("protocol", DataType::Utf8, false),
        field("dataset", DataType::Utf8, false),
        field("split", DataType::Utf8, false),
        field("metric", DataType::Utf8, false),
        field("joint", DataType::Utf8, true),
        field("group", DataType::Utf8, true),
        field("threshold", DataType::Float64, true),
        field("value", DataType::Float64, false),
        field("count", DataType::Int64, false),
        field("ci_low", DataType::Float64, true),
        field("ci_high", DataType::Float64, true),
        field("model", DataType::Utf8, false),
        field(HEAD, DataType::Int32, true),
        field("run", DataType::Utf8, false),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata(NAME, None)))
}

/// The rows `metrics` as a batch.
pub fn to_batch(metrics: &[Metric]) -> RecordBatch {
    let text = |get: fn(&Metric) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(metrics.iter().map(get)))
    };
    let optional = |get: fn(&Metric) -> Option<&str>| -> ArrayRef {
        Arc::new(metrics.iter().map(get).collect::<StringArray>())
    };
    let number = |get: fn(&Metric) -> Option<f64>| -> ArrayRef {
        Arc::new(metrics.iter().map(get).collect::<Float64Array>())
    };
    let columns = vec![
        text(|m| &m.protocol),
        text(|m| &m.dataset),
        text(|m| &m.split),
        text(|m| &m.metric),
        optional(|m| m.joint.as_deref()),
        optional(|m| m.group.as_deref()),
        number(|m| m.threshold),
        number(|m| Some(m.value)),
        Arc::new(metrics.iter().map(|m| m.count).collect::<Int64Array>()),
        number(|m| m.ci_low),
        number(|m| m.ci_high),
        text(|m| &m.model),
        Arc::new(metrics.iter().map(|m| m.head).collect::<Int32Array>()),
        text(|m| &m.run),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns follow the schema")
}

/// The rows of `batch`.
///
/// # Errors
/// When a column is absent or of another type.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Metric>, SchemaError> {
    use arrow::array::Array;
    let text = |name: &str| strings(batch, name);
    let optional = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
    let number = |array: &Float64Array, row| array.is_valid(row).then(|| array.value(row));
    let (protocol, dataset, split, metric) =
        (text("protocol")?, text("dataset")?, text("split")?, text("metric")?);
    let (joint, group, model, run) = (text("joint")?, text("group")?, text("model")?, text("run")?);
    let (threshold, value) = (numbers(batch, "threshold")?, numbers(batch, "value")?);
    let (low, high) = (numbers(batch, "ci_low")?, numbers(batch, "ci_high")?);
    let (count, head) = (longs(batch, "count")?, integers(batch, HEAD)?);
    let row_at = |row| Metric {
        protocol: protocol.value(row).to_owned(),
        dataset: dataset.value(row).to_owned(),
        split: split.value(row).to_owned(),
        metric: metric.value(row).to_owned(),
        joint: optional(joint, row),
        group: optional(group, row),
        threshold: number(threshold, row),
        value: value.value(row),
        count: count.value(row),
        ci_low: number(low, row),
        ci_high: number(high, row),
        model: model.value(row).to_owned(),
        head: head.is_valid(row).then(|| head.value(row)),
        run: run.value(row).to_owned(),
    };
    Ok((0..batch.num_rows()).map(row_at).collect())
}
