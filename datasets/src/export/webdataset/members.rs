//! Columns as members of a sample.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use serde_json::{Map, Value as Json};

/// Extension of the image file `bytes`, told by its first bytes.
pub(super) fn extension(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("jpg"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// Whether JSON holds values of `data_type`: text, numbers, truth values, lists and structs of them.
pub(super) fn is_json(data_type: &DataType) -> bool {
    match data_type {
        DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item) => {
            is_json(item.data_type())
        }
        DataType::Struct(members) => members.iter().all(|member| is_json(member.data_type())),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Boolean => true,
        other => other.is_integer() || other.is_floating(),
    }
}

/// Value `row` of `array`; `null` where it is null, not finite, or not [`is_json`].
pub(super) fn json_of(array: &dyn Array, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    let list = |values: &dyn Array| (0..values.len()).map(|index| json_of(values, index)).collect();
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float16 => array.as_primitive::<Float16Type>().value(row).to_f64().into(),
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row).as_ref()),
        DataType::List(_) => list(array.as_list::<i32>().value(row).as_ref()),
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row).as_ref()),
        DataType::Struct(members) => {
            let columns = members.iter().zip(array.as_struct().columns());
            let object =
                columns.map(|(member, column)| (member.name().clone(), json_of(column.as_ref(), row)));
            Json::Object(object.collect::<Map<_, _>>())
        }
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Float32Array;
    use schemas::tables::vector_array;

    #[test]
    fn values_keep_their_shape_and_what_is_not_finite_is_null() {
        let array = vector_array([Some(&[1.5, f64::NAN][..]), None], 2);
        assert_eq!(json_of(array.as_ref(), 0).to_string(), "[1.5,null]");
        assert_eq!(json_of(array.as_ref(), 1), Json::Null);
        assert!(is_json(array.data_type()) && !is_json(&DataType::Binary));
        // The very f32, read as f64.
        assert_eq!(json_of(&Float32Array::from(vec![0.1]), 0).to_string(), "0.10000000149011612");
    }

    #[test]
    fn formats_are_told_by_their_bytes() {
        assert_eq!(extension(&[0xFF, 0xD8, 0xFF, 0xE0]), Some("jpg"));
        assert_eq!(extension(b"\x89PNG\r\n"), Some("png"));
        assert_eq!(extension(b"RIFF....WEBPVP8 "), Some("webp"));
        assert_eq!(extension(b"BM"), None);
    }
}
