//! Arrays as numpy's `.npy` files, version 1.0.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type};

/// The file begins with this, and its header's end is a multiple of it.
const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
const ALIGNMENT: usize = 64;

/// The shape of one row of nested lists of f32, outermost first.
pub(super) fn shape(data_type: &DataType) -> Option<Vec<usize>> {
    let DataType::FixedSizeList(item, length) = data_type else { return None };
    let mut shape = vec![*length as usize];
    match item.data_type() {
        DataType::Float32 => {}
        inner => shape.extend(self::shape(inner)?),
    }
    Some(shape)
}

/// The one row of `array`, nested lists of f32, as a file; `None` where it is null.
pub(super) fn file(array: &ArrayRef) -> Option<Vec<u8>> {
    let shape = shape(array.data_type())?;
    let mut inner = array;
    let first_null = array.is_null(0);
    while let Some(list) = inner.as_fixed_size_list_opt() {
        inner = list.values();
    }
    let values = inner.as_primitive_opt::<Float32Type>().filter(|_| !first_null)?.values();
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if sizes.len() == 1 { "," } else { "" };
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", sizes.join(", "));
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    let mut file = MAGIC.to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::tables::heatmaps::maps_array;

    #[test]
    fn the_header_is_aligned_and_the_values_are_of_the_row() {
        let maps = maps_array((0..24).map(|v| v as f32).collect(), 2, 2, 3);
        let file = file(&maps.slice(1, 1)).unwrap();
        assert_eq!(file.len(), 128 + 12 * 4);
        let text = String::from_utf8_lossy(&file[10..128]);
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }"), "{text}");
        assert!(text.ends_with(" \n"));
        assert_eq!(file[8..10], [118, 0]);
        assert_eq!(file[128..132], 12.0_f32.to_le_bytes());
    }

    #[test]
    fn one_axis_is_a_tuple_too() {
        let one = schemas::columns::fixed_list(DataType::Float32, 3);
        assert_eq!(shape(&one), Some(vec![3]));
        assert_eq!(shape(&schemas::columns::fixed_list(DataType::Float64, 3)), None);
    }
}
