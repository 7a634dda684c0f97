//! The `huggingface` key of Parquet metadata, so that `datasets.load_dataset` shows images and keeps shapes.

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Map, Value, json};

use crate::tables::samples::is_encoded_image;

/// Key of the file metadata under which Hugging Face `datasets` looks for features.
pub const KEY: &str = "huggingface";

/// The features of `schema` as Hugging Face `datasets` writes them.
///
/// An encoded image column becomes an `Image`; fixed-size lists keep their lengths.
pub fn features(schema: &Schema) -> String {
    let features: Map<String, Value> =
        schema.fields().iter().map(|field| (field.name().clone(), feature(field))).collect();
    json!({ "info": { "features": features } }).to_string()
}

fn feature(field: &Field) -> Value {
    if is_encoded_image(field) {
        return json!({ "_type": "Image" });
    }
    match field.data_type() {
        DataType::FixedSizeList(item, length) => {
            json!({ "feature": feature(item), "length": length, "_type": "List" })
        }
        DataType::List(item) | DataType::LargeList(item) => {
            json!({ "feature": feature(item), "_type": "List" })
        }
        DataType::Struct(members) => members
            .iter()
            .map(|member| (member.name().clone(), feature(member)))
            .collect::<Map<_, _>>()
            .into(),
        other => json!({ "dtype": value_name(other), "_type": "Value" }),
    }
}

fn value_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::LargeUtf8 => "large_string".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::points_type;
    use crate::tables::samples::encoded_image_field;

    #[test]
    fn features_are_spelt_as_the_reader_expects() {
        let keypoints = Field::new("keypoints", points_type(DataType::Float32, 16), false);
        let schema =
            Schema::new(vec![encoded_image_field(), keypoints, Field::new("copy", DataType::Int32, false)]);
        assert_eq!(
            features(&schema),
            r#"{"info":{"features":{"image":{"_type":"Image"},"keypoints":{"feature":{"feature":{"dtype":"float32","_type":"Value"},"length":2,"_type":"List"},"length":16,"_type":"List"},"copy":{"dtype":"int32","_type":"Value"}}}}"#
        );
    }
}
