//! Parquet files of others, damaged in every way that one byte can be.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, encode_arrow_schema};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{ShardError, TableReader};

/// Forty rows of text with a dictionary, plain text, numbers and lists.
fn written(path: &Path) {
    let names: DictionaryArray<Int32Type> = (0..40).map(|row| ["a", "bb", "ccc"][row % 3]).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let numbers = Float32Array::from_iter_values((0..80_u8).map(f32::from));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(names)),
        ("text", Arc::new(StringArray::from_iter_values((0..40).map(|row| format!("row {row}"))))),
        ("number", Arc::new((0..40).map(|row| (row % 5 > 0).then_some(row)).collect::<Int64Array>())),
        ("pair", Arc::new(FixedSizeListArray::new(item, 2, Arc::new(numbers), None))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn rows(path: &Path) -> Result<usize, ShardError> {
    let table = TableReader::open(path, None)?;
    let read = table.batches(16).map(|batch| Ok(batch?.num_rows())).sum::<Result<usize, ShardError>>()?;
    for group in table.row_groups()? {
        table.read_row_group(&group, None)?;
    }
    Ok(read)
}

#[test]
fn a_changed_byte_is_an_error_that_names_the_file_or_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    written(&path);
    let sound = fs::read(&path).unwrap();
    assert_eq!(rows(&path).unwrap(), 40);
    let (mut refused, mut panicked) = (0, 0);
    for at in 0..sound.len() {
        for change in [0xFF, 0x80, 0x01] {
            let mut bytes = sound.clone();
            bytes[at] ^= change;
            fs::write(&path, &bytes).unwrap();
            match rows(&path) {
                Ok(read) => assert!(read <= 40, "byte {at} makes {read} rows"),
                Err(error) => {
                    let words = error.to_string();
                    assert!(words.contains("damaged.parquet"), "{words}");
                    refused += 1;
                    panicked += usize::from(words.contains("it cannot be decoded"));
                }
            }
        }
    }
    assert!(refused > sound.len() && panicked > 0, "{refused} refused, {panicked} by a panic");
}

#[test]
fn a_file_that_ends_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.parquet");
    written(&path);
    let sound = fs::read(&path).unwrap();
    for kept in (0..sound.len()).step_by(7) {
        fs::write(&path, &sound[..kept]).unwrap();
        assert!(rows(&path).unwrap_err().to_string().contains("short.parquet"));
    }
}

/// Three null lists, of which the file's Arrow schema says that each has `length` numbers.
fn null_lists(path: &Path, length: i32) {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let of = |data_type: DataType| Arc::new(Schema::new(vec![Field::new("map", data_type, true)]));
    let schema = of(DataType::List(item.clone()));
    let told = encode_arrow_schema(&of(DataType::FixedSizeList(item, length)));
    let told = vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), told)];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(told)).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new_with_options(file, schema.clone(), options).unwrap();
    let lists = new_null_array(schema.field(0).data_type(), 3);
    writer.write(&RecordBatch::try_new(schema, vec![lists]).unwrap()).unwrap();
    writer.close().unwrap();
}

#[test]
fn no_room_is_made_for_lists_that_the_file_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists.parquet");
    for length in [1, 4, 4096] {
        null_lists(&path, length);
        assert_eq!(rows(&path).unwrap(), 3, "null lists of {length}");
    }
    for length in [4 << 20, 1 << 30, i32::MAX] {
        null_lists(&path, length);
        let error = rows(&path).unwrap_err().to_string();
        assert!(
            error.contains(&format!("`map` has lists of {length} values and 3 values in all")),
            "{error}"
        );
    }
}
