//! Rows between Rust and Python, without a copy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi_stream::ArrowArrayStreamReader;
use arrow_pyarrow::{FromPyArrow, IntoPyArrow, Table, ToPyArrow};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

use crate::error::{Kind, detached, exception};

/// Rows that came from Python.
pub(crate) enum Given {
    /// One batch; the result is one batch too.
    Batch(RecordBatch),
    /// A table or a stream; the result is a table.
    Table(SchemaRef, Vec<RecordBatch>),
}

impl Given {
    /// The rows of `object`, which supports the Arrow `PyCapsule` interface.
    ///
    /// Strings and lists in layouts that polars and pandas prefer are converted to the plain ones of the tables;
    /// every other column is used without a copy.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.hasattr(intern!(py, "__arrow_c_array__"))? {
            let batch = RecordBatch::from_pyarrow_bound(object).map_err(|error| refused(object, &error))?;
            return Ok(Self::Batch(plain(&batch).map_err(|error| not_rows(&error))?));
        }
        if object.hasattr(intern!(py, "__arrow_c_stream__"))? {
            let reader = ArrowArrayStreamReader::from_pyarrow_bound(object);
            let mut reader = reader.map_err(|error| refused(object, &error))?;
            return detached(py, || {
                let schema = plain_schema(&reader.schema());
                let batches: Result<_, ArrowError> = reader.by_ref().map(|batch| plain(&batch?)).collect();
                batches.map(|batches| Self::Table(schema, batches))
            });
        }
        Err(no_rows(object, ""))
    }

    /// The schema of the rows.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Batch(batch) => batch.schema(),
            Self::Table(schema, _) => Arc::clone(schema),
        }
    }

    /// The rows as batches, at least one.
    pub(crate) fn into_batches(self) -> Vec<RecordBatch> {
        match self {
            Self::Batch(batch) => vec![batch],
            Self::Table(schema, batches) if batches.is_empty() => vec![RecordBatch::new_empty(schema)],
            Self::Table(_, batches) => batches,
        }
    }
}

/// Schemas and rows of `inputs`, the tables that `kind` takes, which are called `takes`.
pub(crate) fn tables_of(
    kind: &str,
    takes: &[&str],
    inputs: &[Bound<'_, PyAny>],
) -> PyResult<(Vec<SchemaRef>, Vec<Vec<RecordBatch>>)> {
    if inputs.len() != takes.len() {
        let (count, names) = (takes.len(), takes.join(", "));
        let message = format!("`{kind}` takes {count} tables ({names}), found {}", inputs.len());
        return Err(exception(Kind::Config, &message, None));
    }
    let inputs: Vec<Given> = inputs.iter().map(Given::of).collect::<PyResult<_>>()?;
    let schemas = inputs.iter().map(Given::schema).collect();
    Ok((schemas, inputs.into_iter().map(Given::into_batches).collect()))
}

/// The error of an object that is no rows, for the reason `why`.
fn no_rows(object: &Bound<'_, PyAny>, why: &str) -> PyErr {
    let found = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let message = format!(
        "rows must be a pyarrow.RecordBatch, a pyarrow.Table or another object of the Arrow PyCapsule interface, \
         found an object of type `{found}`{why}"
    );
    exception(Kind::Schema, &message, None)
}

/// The error of an object that speaks the interface but does not give rows; what it raised of its own stays.
fn refused(object: &Bound<'_, PyAny>, error: &PyErr) -> PyErr {
    let py = object.py();
    if error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py) {
        return no_rows(object, &format!(": {}", error.value(py)));
    }
    error.clone_ref(py)
}

fn not_rows(error: &ArrowError) -> PyErr {
    exception(Kind::Schema, &error.to_string(), None)
}

/// `batch` as a `pyarrow.RecordBatch` over the same memory.
pub(crate) fn batch_to_python<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyAny>> {
    batch.to_pyarrow(py)
}

/// `batches` as a `pyarrow.Table` over the same memory.
pub(crate) fn table_to_python(
    py: Python<'_>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> PyResult<Bound<'_, PyAny>> {
    // Batches may name the fields' nullability apart from the declared schema; the values are the same.
    let batches = batches.into_iter().map(|batch| with_schema(&batch, &schema)).collect::<Result<_, _>>();
    let table = batches.and_then(|batches| Table::try_new(batches, schema));
    table.map_err(|error| not_rows(&error))?.into_pyarrow(py)
}

fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
}

/// The schema of `object`: a `pyarrow.Schema`, or something that has one.
pub(crate) fn schema_of(object: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    let py = object.py();
    if object.hasattr(intern!(py, "__arrow_c_schema__"))? {
        return Ok(plain_schema(&Schema::from_pyarrow_bound(object)?));
    }
    if object.hasattr(intern!(py, "__arrow_c_stream__"))? {
        return Ok(plain_schema(&ArrowArrayStreamReader::from_pyarrow_bound(object)?.schema()));
    }
    let found = object.get_type().name()?;
    let message =
        format!("a schema must be a pyarrow.Schema or rows that have one, found an object of type `{found}`");
    Err(exception(Kind::Schema, &message, None))
}

/// `batch` with the layouts of the tables.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema_ref();
    if schema.fields().iter().all(|field| plain_type(field.data_type()).is_none()) {
        return Ok(batch.clone());
    }
    let columns: Result<Vec<ArrayRef>, ArrowError> = batch.columns().iter().map(plain_column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(plain_schema(schema), columns?, &options)
}

fn plain_column(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match plain_type(column.data_type()) {
        Some(plain) => cast(column, &plain),
        None => Ok(Arc::clone(column)),
    }
}

fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(plain_field).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn plain_field(field: &FieldRef) -> FieldRef {
    match plain_type(field.data_type()) {
        Some(plain) => Arc::new(Field::clone(field).with_data_type(plain)),
        None => Arc::clone(field),
    }
}

/// The layout that tables use for values of type `found`, where it is another.
fn plain_type(found: &DataType) -> Option<DataType> {
    let inner = |field: &FieldRef| plain_type(field.data_type()).map(|_| plain_field(field));
    match found {
        DataType::Utf8View | DataType::LargeUtf8 => Some(DataType::Utf8),
        DataType::BinaryView | DataType::LargeBinary => Some(DataType::Binary),
        DataType::Dictionary(key, value) => {
            let text = matches!(value.as_ref(), DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
            let plain = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            let is_plain = key.as_ref() == &DataType::Int32 && value.as_ref() == &DataType::Utf8;
            (text && !is_plain).then_some(plain)
        }
        DataType::LargeList(item) => Some(DataType::List(plain_field(item))),
        DataType::List(item) => inner(item).map(DataType::List),
        DataType::FixedSizeList(item, length) => {
            inner(item).map(|item| DataType::FixedSizeList(item, *length))
        }
        DataType::Struct(fields) if fields.iter().any(|field| inner(field).is_some()) => {
            Some(DataType::Struct(fields.iter().map(plain_field).collect()))
        }
        _ => None,
    }
}
