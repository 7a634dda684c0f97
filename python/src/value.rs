//! Keyword arguments as values of a plan.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::DeserializeOwned;

use crate::error::{Kind, exception};

/// `object` as the value that a plan would hold; `None`, where it is `None`: the key is not given.
///
/// Paths are text, tuples are lists, and numbers and arrays of `numpy` are what their `tolist` gives. `key` is the place
/// that errors name.
pub(crate) fn plan_value(object: &Bound<'_, PyAny>, key: &str) -> PyResult<Option<toml::Value>> {
    if object.is_none() {
        return Ok(None);
    }
    if object.is_instance_of::<PyBool>() {
        return Ok(Some(toml::Value::Boolean(object.extract()?)));
    }
    if object.is_instance_of::<PyInt>() {
        let integer: i64 = object.extract().map_err(|_| {
            let message = format!("`{key}` must be within 64 bits, found `{object}`");
            exception(Kind::Config, &message, None)
        })?;
        return Ok(Some(toml::Value::Integer(integer)));
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(Some(toml::Value::Float(number.extract()?)));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Some(toml::Value::String(text.to_string())));
    }
    if let Ok(table) = object.cast::<PyDict>() {
        return plan_table(table, key).map(|table| Some(toml::Value::Table(table)));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let items = object.try_iter()?.enumerate();
        let items = items.map(|(at, item)| plan_item(&item?, &format!("{key}[{at}]")));
        return Ok(Some(toml::Value::Array(items.collect::<PyResult<_>>()?)));
    }
    for method in ["__fspath__", "tolist"] {
        if object.hasattr(method)? {
            return plan_value(&object.call_method0(method)?, key);
        }
    }
    Err(no_value(object, key))
}

/// `keys` as a table of a plan, below `place`; keys of value `None` are left out.
pub(crate) fn plan_table(keys: &Bound<'_, PyDict>, place: &str) -> PyResult<toml::Table> {
    let mut table = toml::Table::new();
    for (key, object) in keys {
        let Ok(key) = key.cast::<PyString>() else { return Err(no_value(&key, place)) };
        let key = key.to_string();
        let path = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        if let Some(value) = plan_value(&object, &path)? {
            table.insert(key, value);
        }
    }
    Ok(table)
}

fn plan_item(object: &Bound<'_, PyAny>, key: &str) -> PyResult<toml::Value> {
    plan_value(object, key)?.ok_or_else(|| no_value(object, key))
}

fn no_value(object: &Bound<'_, PyAny>, key: &str) -> PyErr {
    let found = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let message = format!(
        "`{key}` must be text, a number, true or false, a list or a dictionary, found an object of type `{found}`"
    );
    exception(Kind::Config, &message, None)
}

/// Reads `value`, what a plan has to the right of `run.KIND =` and the like, as the stage, source or sink `kind`.
pub(crate) fn config_of<T: DeserializeOwned>(kind: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    // Without a value it is the name alone: an error of the plan says what is missing.
    let value = plan_value(value, kind)?.unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    let keyed = toml::Value::Table(toml::Table::from_iter([(kind.to_owned(), value)]));
    read(keyed, kind, 1)
}

/// Reads `value` as the plan reads it. The first step of the path to an error, `outer` of them, names what is read, not
/// a key.
pub(crate) fn read<T: DeserializeOwned>(value: toml::Value, what: &str, outer: usize) -> PyResult<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key: Vec<&str> = path.split('.').skip(outer).filter(|part| *part != "?").collect();
        let error = error.into_inner();
        let reason = error.message().trim_end();
        let message = match key.join(".").as_str() {
            "" => format!("`{what}`: {reason}"),
            key => format!("`{what}`: `{key}`: {reason}"),
        };
        exception(Kind::Config, &message, None)
    })
}
