//! Tables that another program wrote again: pandas, polars, `DuckDB` and Spark drop the schema's metadata and choose other
//! types for the same values. They are read to the rows of the original, or refused with what mends them.
//!
//! Which table a file holds stands in its metadata, else follows from its columns, else from a table that it is said to be
//! like. Its known columns are brought to their types; a value that would change, or a null where there can be none, is an
//! error.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Array, ListArray, RecordBatch,
    StructArray, UInt32Array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Schema, SchemaRef};
use schemas::columns::{TABLE_KEY, skeleton_of};
use schemas::tables::{recognised, schema_of};

/// The schema of the rows that are read from a file of the schema `file`: each column of the table that it holds has that
/// table's type; the columns stay in their order. `like` is the schema of a table that it was made of, if that is known.
///
/// # Errors
/// What cannot be told, in words.
pub(super) fn adopted(file: &SchemaRef, like: Option<&Schema>) -> Result<SchemaRef, String> {
    let metadata = file.metadata();
    let known = match (like, metadata.get(TABLE_KEY)) {
        (Some(like), _) => Some(Arc::new(like.clone())),
        (None, Some(name)) => {
            schema_of(name, skeleton_of(file).ok())
        }
        (None, None) => match recognised(file) {
            None => None,
            Some(table) => Some(schema_of(table, None).ok_or_else(|| {
                format!("its columns are those of the table `{table}`, but nothing says which skeleton its joints are of")
            })?),
        },
    };
    let Some(known) = known else { return Ok(bare(file)) };
    if let Some(like) = like
        && let Some(absent) = like.fields().iter().find(|field| file.field_with_name(field.name()).is_err())
    {
        return Err(format!(
            "it has no column `{}`, which the table has that it is said to be like",
            absent.name()
        ));
    }
    let fields = file.fields().iter().map(|field| match known.field_with_name(field.name()) {
        Ok(known) => Arc::new(known.clone()),
        Err(_) => Arc::new(plain(field)),
    });
    // What the file itself says, such as a rate, stays.
    let mut metadata = metadata.clone();
    metadata.extend(known.metadata().clone());
    Ok(Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata)))
}

/// A file of no known table: its columns in the types that tables are made of.
fn bare(file: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = file.fields().iter().map(|field| plain(field)).collect();
    Arc::new(Schema::new_with_metadata(fields, file.metadata().clone()))
}

/// `field` with text, bytes and lists as tables have them.
fn plain(field: &Field) -> Field {
    let item = |item: &Field| Arc::new(plain(item).with_name("item"));
    let data_type = match field.data_type() {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::List(of) | DataType::LargeList(of) => DataType::List(item(of)),
        DataType::FixedSizeList(of, length) => DataType::FixedSizeList(item(of), *length),
        DataType::Struct(members) => DataType::Struct(members.iter().map(|member| plain(member)).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// The rows `batch`, whose first row is number `first` of its file, in the types of `schema`, whose columns are in the same
/// order.
///
/// # Errors
/// When a value would change, or is null where the table has none; in words.
pub(super) fn recast(batch: &RecordBatch, schema: &SchemaRef, first: u64) -> Result<RecordBatch, String> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let named = |detail: String| format!("column `{}` {detail}", field.name());
        let column = cast(column, field.data_type()).map_err(named)?;
        match (0..column.len()).find(|row| !field.is_nullable() && column.is_null(*row)) {
            Some(row) => {
                Err(named(format!("is null in row {}, where the table has a value", first + row as u64)))
            }
            None => Ok(column),
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| error.to_string())
}

/// `column` as `wanted`.
fn cast(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    match (column.data_type(), wanted) {
        (DataType::Null, wanted) => Ok(new_null_array(wanted, column.len())),
        (_, DataType::FixedSizeList(item, length)) => fixed_lists(column, item, *length),
        (_, DataType::List(item)) => lists(column, item),
        (DataType::Struct(_), DataType::Struct(members)) => {
            let found = column.as_struct();
            let member = |member: &Arc<Field>| match found.column_by_name(member.name()) {
                Some(values) => cast(values, member.data_type()),
                None if member.is_nullable() => Ok(new_null_array(member.data_type(), found.len())),
                None => Err(format!("has no member `{}`", member.name())),
            };
            let columns = members.iter().map(member).collect::<Result<Vec<_>, _>>()?;
            let cast = StructArray::try_new(members.clone(), columns, found.nulls().cloned());
            cast.map(|cast| Arc::new(cast) as ArrayRef).map_err(|error| error.to_string())
        }
        (found, wanted) if found.is_floating() && wanted.is_integer() => whole_numbers(column, wanted),
        _ => strictly(column, wanted),
    }
}

/// `column` as `wanted`, where no value changes.
fn strictly(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, wanted, &options)
        .map_err(|error| format!("holds {} instead of {wanted}: {error}", column.data_type()))
}

/// Whole numbers that were made floating, as data frames do where some are null: those are `NaN` then.
fn whole_numbers(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let numbers = strictly(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let numbers: Float64Array =
        numbers.iter().map(|number| number.filter(|number| !number.is_nan())).collect();
    if let Some(broken) = numbers.iter().flatten().find(|number| number.fract() != 0.0) {
        return Err(format!("holds {broken}, which is no whole number"));
    }
    strictly(&(Arc::new(numbers) as ArrayRef), wanted)
}

/// The values of a list column, and for each row its first value and how many it has.
fn values_of(column: &ArrayRef) -> Result<(ArrayRef, Vec<(usize, usize)>), String> {
    let of = |offsets: Vec<usize>| offsets.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
    match column.data_type() {
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            Ok((Arc::clone(list.values()), of(list.value_offsets().iter().map(|at| *at as usize).collect())))
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            Ok((Arc::clone(list.values()), of(list.value_offsets().iter().map(|at| *at as usize).collect())))
        }
        DataType::FixedSizeList(_, length) => {
            let (list, length) = (column.as_fixed_size_list(), *length as usize);
            let rows = (0..list.len()).map(|row| (list.value_offset(row) as usize, length)).collect();
            Ok((Arc::clone(list.values()), rows))
        }
        other => Err(format!("holds {other} instead of lists")),
    }
}

/// Lists of one length.
fn fixed_lists(column: &ArrayRef, item: &Arc<Field>, length: i32) -> Result<ArrayRef, String> {
    let (values, rows) = values_of(column)?;
    let wanted = length as usize;
    let mut places: Vec<Option<u32>> = Vec::with_capacity(rows.len() * wanted);
    for (row, (first, found)) in rows.into_iter().enumerate() {
        if column.is_null(row) {
            places.extend(std::iter::repeat_n(None, wanted));
        } else if found == wanted {
            places.extend((first..first + wanted).map(|place| u32::try_from(place).ok()));
        } else {
            return Err(format!("has a list of {found} in place of {wanted}"));
        }
    }
    let values = take(&values, &UInt32Array::from(places), None).map_err(|error| error.to_string())?;
    let values = without_nulls(cast(&values, item.data_type())?, column)?;
    let list = FixedSizeListArray::try_new(Arc::clone(item), length, values, column.nulls().cloned());
    list.map(|list| Arc::new(list) as ArrayRef).map_err(|error| error.to_string())
}

/// Lists of any length.
fn lists(column: &ArrayRef, item: &Arc<Field>) -> Result<ArrayRef, String> {
    let (values, rows) = values_of(column)?;
    let rows: Vec<(usize, usize)> = rows
        .into_iter()
        .enumerate()
        .map(|(row, place)| if column.is_null(row) { (place.0, 0) } else { place })
        .collect();
    let places = rows.iter().flat_map(|(first, length)| *first..first + length);
    let places: UInt32Array = places.map(|place| u32::try_from(place).ok()).collect();
    let values = take(&values, &places, None).map_err(|error| error.to_string())?;
    let values = cast(&values, item.data_type())?;
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|(_, length)| *length));
    let list = ListArray::try_new(Arc::clone(item), offsets, values, column.nulls().cloned());
    list.map(|list| Arc::new(list) as ArrayRef).map_err(|error| error.to_string())
}

/// The numbers of lists: a coordinate that is not there is `NaN` in tables. Other values of lists are never null; those of
/// rows that are null as a whole do not count.
fn without_nulls(values: ArrayRef, column: &ArrayRef) -> Result<ArrayRef, String> {
    if values.null_count() == 0 {
        return Ok(values);
    }
    Ok(match values.data_type() {
        DataType::Float64 => {
            let numbers = values.as_primitive::<Float64Type>().iter();
            Arc::new(Float64Array::from_iter_values(numbers.map(|number| number.unwrap_or(f64::NAN))))
        }
        DataType::Float32 => {
            let numbers = values.as_primitive::<Float32Type>().iter();
            Arc::new(Float32Array::from_iter_values(numbers.map(|number| number.unwrap_or(f32::NAN))))
        }
        _ if column.null_count() == 0 && !values.data_type().is_nested() => {
            return Err("has a list with a null".to_owned());
        }
        _ => values,
    })
}

#[cfg(test)]
#[path = "adopt_tests.rs"]
mod tests;
