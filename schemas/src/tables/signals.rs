//! `signals`: one row is one gapless stretch of one session, all sensors on one clock at one rate.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListArray, RecordBatch, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Float32Type, Int32Type, Schema, SchemaRef};

use super::{in_unit, metadata};
use crate::columns::{SchemaError, column, fixed_list, wrong_type};

/// Name of the table.
pub const NAME: &str = "signals";
/// Column of the samples: `[length, C]` f32, one list per row.
pub const SIGNAL: &str = "signal";
/// Column of the parts of a signal, [`Parts`]; `resample` writes it, other tables of signals may lack it.
pub const PARTS: &str = "parts";
/// Metadata key of the channels' names, separated by commas.
pub const CHANNELS_KEY: &str = "motionmill.channels";
/// Metadata key of the sampling rate in Hz.
pub const RATE_KEY: &str = "motionmill.rate_hz";

/// The unprocessed channels of both sensors: m/s² and rad/s.
pub const RAW_CHANNELS: [&str; 6] =
    ["accelerometer_x", "accelerometer_y", "accelerometer_z", "gyroscope_x", "gyroscope_y", "gyroscope_z"];

/// The columns that name a stretch of a session; `windows` and `embeddings` begin with them too.
pub fn identity_fields() -> Vec<Field> {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    vec![
        text("sample_id", false),
        Field::new("copy", DataType::Int32, false),
        text("dataset", false),
        text("split", true),
        text("subject", false),
        text("device", false),
        text("session", false),
        Field::new("segment", DataType::Int32, false),
        text("activity", true),
        text("source_file", true),
        in_unit(Field::new("start_nanos", DataType::Int64, false), "ns"),
    ]
}

/// The schema of signals of these `channels` at `rate_hz`.
pub fn schema(channels: &[String], rate_hz: f64) -> SchemaRef {
    let mut fields = identity_fields();
    fields.push(Field::new(SIGNAL, signal_type(channels.len()), false));
    let mut metadata = metadata(NAME, None);
    metadata.insert(CHANNELS_KEY.to_owned(), channels.join(","));
    metadata.insert(RATE_KEY.to_owned(), rate_hz.to_string());
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// The type of a signal of `channels` channels.
pub fn signal_type(channels: usize) -> DataType {
    DataType::List(Arc::new(Field::new("item", fixed_list(DataType::Float32, channels), true)))
}

/// The names of the channels of a signal or window column.
///
/// # Errors
/// When the metadata does not say.
pub fn channels(schema: &Schema) -> Result<Vec<String>, SchemaError> {
    let names = schema.metadata().get(CHANNELS_KEY).ok_or(SchemaError::NoMetadata { key: CHANNELS_KEY })?;
    Ok(names.split(',').map(str::to_owned).collect())
}

/// The sampling rate in Hz.
///
/// # Errors
/// When the metadata does not say.
pub fn rate_hz(schema: &Schema) -> Result<f64, SchemaError> {
    let text = schema.metadata().get(RATE_KEY);
    let rate = text.and_then(|text| text.parse::<f64>().ok()).filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or(SchemaError::NoMetadata { key: RATE_KEY })
}

/// The signals of a batch.
#[derive(Debug, Clone)]
pub struct Signals<'a> {
    list: &'a ListArray,
    values: &'a [f32],
    channels: usize,
}

impl<'a> Signals<'a> {
    /// The samples of `row`, `[length, C]`, time-major.
    pub fn row(&self, row: usize) -> &'a [f32] {
        let offsets = self.list.value_offsets();
        &self.values[offsets[row] as usize * self.channels..offsets[row + 1] as usize * self.channels]
    }

    /// Channels of a sample.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// The column [`SIGNAL`] of `batch`.
///
/// # Errors
/// When it is absent or of another type.
pub fn signals(batch: &RecordBatch) -> Result<Signals<'_>, SchemaError> {
    let array = column(batch, SIGNAL)?;
    let wrong = || wrong_type(SIGNAL, "a list of [C] Float32", array.data_type());
    let list: &ListArray = array.as_list_opt::<i32>().ok_or_else(wrong)?;
    let samples = list.values().as_fixed_size_list_opt().ok_or_else(wrong)?;
    let values = samples.values().as_primitive_opt::<Float32Type>().ok_or_else(wrong)?;
    Ok(Signals { list, values: values.values(), channels: samples.value_length() as usize })
}

/// Signals, `[length, C]` each, as a column of C = `channels`.
pub fn signal_array(rows: Vec<Vec<f32>>, channels: usize) -> ListArray {
    use arrow::array::{FixedSizeListArray, Float32Array};
    let lengths: Vec<usize> = rows.iter().map(|row| row.len() / channels).collect();
    let mut rows = rows.into_iter();
    let mut values = rows.next().unwrap_or_default();
    rows.for_each(|row| values.extend_from_slice(&row));
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let samples = FixedSizeListArray::new(item, channels as i32, Arc::new(Float32Array::from(values)), None);
    let sample = Arc::new(Field::new("item", samples.data_type().clone(), true));
    ListArray::new(sample, OffsetBuffer::from_lengths(lengths), Arc::new(samples), None)
}

/// The type of the column [`PARTS`].
pub fn parts_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(part_fields()), false)))
}

fn part_fields() -> Fields {
    let first = Field::new("first_sample", DataType::Int32, false);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![first, text("activity"), text("source_file")])
}

/// One part of a signal: from which sample on the person does what, and from which file the readings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its first sample; it reaches up to that of the next part, the last one to the end.
    pub first_sample: usize,
    /// What the person does, where it is known.
    pub activity: Option<&'a str>,
    /// The file.
    pub source_file: Option<&'a str>,
}

/// The column [`PARTS`] of a batch.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    list: &'a ListArray,
    first_sample: &'a Int32Array,
    activity: &'a StringArray,
    source_file: &'a StringArray,
}

impl<'a> Parts<'a> {
    /// The parts of the signal in `row`, in order.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Part<'a>> + Clone {
        let offsets = self.list.value_offsets();
        let (first, activity, file) = (self.first_sample, self.activity, self.source_file);
        (offsets[row] as usize..offsets[row + 1] as usize).map(move |at| Part {
            first_sample: usize::try_from(first.value(at)).unwrap_or(0),
            activity: activity.is_valid(at).then(|| activity.value(at)),
            source_file: file.is_valid(at).then(|| file.value(at)),
        })
    }
}

/// The column [`PARTS`] of `batch`, if it has one.
///
/// # Errors
/// When it is of another type.
pub fn parts(batch: &RecordBatch) -> Result<Option<Parts<'_>>, SchemaError> {
    let Some(array) = batch.column_by_name(PARTS) else { return Ok(None) };
    let wrong = || wrong_type(PARTS, "a list of first_sample, activity and source_file", array.data_type());
    let list: &ListArray = array.as_list_opt::<i32>().ok_or_else(wrong)?;
    let part = list.values().as_struct_opt().ok_or_else(wrong)?;
    let column = |name: &str| part.column_by_name(name).ok_or_else(wrong);
    let text = |name: &str| column(name).and_then(|array| array.as_string_opt::<i32>().ok_or_else(wrong));
    let first_sample = column("first_sample")?.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?;
    Ok(Some(Parts { list, first_sample, activity: text("activity")?, source_file: text("source_file")? }))
}

/// The column [`PARTS`], being filled signal by signal.
#[derive(Debug, Default)]
pub struct PartsColumn {
    first_sample: Vec<i32>,
    activity: StringBuilder,
    source_file: StringBuilder,
    lengths: Vec<usize>,
}

impl PartsColumn {
    /// Appends the parts of the next signal.
    pub fn push(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            self.first_sample.push(i32::try_from(part.first_sample).unwrap_or(i32::MAX));
            self.activity.append_option(part.activity);
            self.source_file.append_option(part.source_file);
        }
        self.lengths.push(parts.len());
    }

    /// The column.
    pub fn finish(mut self) -> ListArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(self.first_sample)),
            Arc::new(self.activity.finish()),
            Arc::new(self.source_file.finish()),
        ];
        let item = Arc::new(Field::new("item", DataType::Struct(part_fields()), false));
        let parts = StructArray::new(part_fields(), columns, None);
        ListArray::new(item, OffsetBuffer::from_lengths(self.lengths), Arc::new(parts), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let array = signal_array(vec![vec![1.0, 2.0, 3.0, 4.0], vec![], vec![5.0, 6.0]], 2);
        let field = Field::new(SIGNAL, array.data_type().clone(), false);
        assert_eq!(array.data_type(), &signal_type(2));
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(array)]).unwrap();
        let (whole, part) = (batch.clone(), batch.slice(2, 1));
        assert_eq!(signals(&whole).unwrap().row(0), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(signals(&whole).unwrap().row(1), [0.0; 0]);
        assert_eq!(signals(&part).unwrap().row(0), [5.0, 6.0]);
    }

    #[test]
    fn parts_come_back() {
        let part = |first_sample, activity| Part { first_sample, activity, source_file: Some("a.csv") };
        let rows = [vec![part(0, Some("walk")), part(7, None)], vec![], vec![part(0, Some("sit"))]];
        let mut column = PartsColumn::default();
        for parts in &rows {
            column.push(parts);
        }
        let array = column.finish();
        assert_eq!(array.data_type(), &parts_type());
        let field = Field::new(PARTS, parts_type(), false);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(array)]).unwrap();
        let slice = batch.slice(1, 2);
        for (batch, rows) in [(&batch, &rows[..]), (&slice, &rows[1..])] {
            let found = parts(batch).unwrap().unwrap();
            for (row, expected) in rows.iter().enumerate() {
                assert_eq!(&found.row(row).collect::<Vec<_>>(), expected);
            }
        }
        let without = RecordBatch::new_empty(schema(&["x".to_owned()], 50.0));
        assert!(parts(&without).unwrap().is_none());
    }

    #[test]
    fn rate_and_channels_stand_in_the_metadata() {
        let schema = schema(&RAW_CHANNELS.map(str::to_owned), 50.0);
        assert_eq!(rate_hz(&schema).unwrap(), 50.0);
        assert_eq!(channels(&schema).unwrap(), RAW_CHANNELS);
        assert!(rate_hz(&Schema::empty()).is_err());
    }
}
