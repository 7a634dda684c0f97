//! How a table is laid out in Parquet.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use schemas::huggingface;

/// Zstandard level: 3 is its own default, the knee of speed against size.
const ZSTD_LEVEL: i32 = 3;

/// Properties for `schema`: zstd, dictionaries for text only, pictures stored without further compression, and
/// the features of Hugging Face `datasets` in the file metadata.
pub(super) fn writer_properties(schema: &Schema) -> WriterProperties {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("a level of zstd"));
    let features = KeyValue::new(huggingface::KEY.to_owned(), huggingface::features(schema));
    let mut builder = WriterProperties::builder()
        .set_compression(zstd)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by(format!("motionmill {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![features]));
    for field in schema.fields() {
        match field.data_type() {
            DataType::Utf8 => {
                let path = ColumnPath::from(field.name().as_str());
                builder = builder.set_column_dictionary_enabled(path, true);
            }
            DataType::Struct(members) if schemas::tables::samples::is_encoded_image(field) => {
                let path = ColumnPath::new(vec![field.name().clone(), members[0].name().clone()]);
                builder = builder.set_column_compression(path, Compression::UNCOMPRESSED);
            }
            _ => {}
        }
    }
    builder.build()
}

/// `schema` as it is stored: with the features of Hugging Face `datasets` among its metadata.
pub(super) fn stored_schema(schema: &Schema) -> SchemaRef {
    let mut metadata = schema.metadata().clone();
    metadata.insert(huggingface::KEY.to_owned(), huggingface::features(schema));
    Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata))
}

/// `schema` as it flows: without what only stands in files.
pub(super) fn flowing_schema(schema: &Schema) -> SchemaRef {
    let metadata: HashMap<String, String> = schema
        .metadata()
        .iter()
        .filter(|(key, _)| key.as_str() != huggingface::KEY)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let fields: Vec<Arc<Field>> = schema.fields().to_vec();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}
