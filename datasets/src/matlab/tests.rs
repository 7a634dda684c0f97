//! Reader and writer against files of scipy, against each other, and against damage.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::ReadError;

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn value_of(variables: &[(String, Value)], name: &str) -> Value {
    variables.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("`{name}` is there")).1.clone()
}

/// What `testdata/make_matlab.py` writes to `plain.mat` and `compressed.mat`.
fn expected() -> Vec<(&'static str, Value)> {
    let halves = |v: &[f64]| v.iter().map(|v| v + 0.5).collect::<Vec<f64>>();
    let cube: Vec<f64> = (0..24).map(|i| f64::from((i % 2) * 12 + (i / 2 % 3) * 4 + i / 6)).collect();
    let point = Value::structs(
        &[1, 2],
        &["x", "y", "is_visible"],
        [
            vec![Value::array(&[1, 1], vec![804_u16]), Value::scalar(711.25), Value::empty()],
            vec![
                Value::array(&[1, 1], vec![300_u16]),
                Value::array(&[1, 1], vec![-30_i16]),
                Value::text("0"),
            ],
        ],
    );
    let rect = Value::structs(
        &[1, 2],
        &["annopoints", "scale"],
        [
            vec![Value::record([("point", point)]), Value::scalar(4.718_487_89)],
            vec![Value::empty(), Value::array(&[1, 0], Vec::<f64>::new())],
        ],
    );
    let inner = Value::cell(&[1, 2], vec![Value::text("three"), Value::empty()]);
    vec![
        ("double", Value::array(&[2, 3], halves(&[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]))),
        ("single", Value::array(&[1, 2], vec![1.5_f32, -2.5])),
        ("int8", Value::array(&[1, 2], vec![-128_i8, 127])),
        ("uint8", Value::array(&[1, 3], vec![0_u8, 255, 7])),
        ("int16", Value::array(&[1, 1], vec![i16::MIN])),
        ("uint16", Value::array(&[1, 1], vec![u16::MAX])),
        ("int32", Value::array(&[1, 1], vec![i32::MIN])),
        ("uint32", Value::array(&[1, 1], vec![u32::MAX])),
        ("int64", Value::array(&[1, 1], vec![i64::MIN])),
        ("uint64", Value::array(&[1, 1], vec![u64::MAX])),
        ("logical", Value::Logical { dims: vec![1, 2], values: vec![true, false] }),
        ("cube", Value::array(&[2, 3, 4], cube)),
        ("nothing", Value::array(&[0, 3], Vec::<f64>::new())),
        ("text", Value::text("hourglass")),
        ("short", Value::text("hg")),
        ("accents", Value::text("Straße")),
        ("astral", Value::text("a😀b")),
        ("no_text", Value::text("")),
        ("rows", Value::Char { dims: vec![2, 2], units: "acbd".encode_utf16().collect() }),
        ("nested", Value::cell(&[1, 3], vec![Value::scalar(1.0), Value::text("two"), inner])),
        ("RELEASE", Value::record([("annorect", rect), ("version", Value::text("12"))])),
    ]
}

#[test]
fn files_of_scipy_are_read_as_written() {
    for file in ["plain.mat", "compressed.mat"] {
        let variables = read(&testdata(file)).unwrap();
        assert_eq!(variables.len(), expected().len());
        for (name, value) in expected() {
            assert_eq!(value_of(&variables, name), value, "`{name}` of {file}");
        }
    }
}

#[test]
fn the_other_byte_order_and_smaller_storage_are_read() {
    let variables = read(&testdata("big_endian.mat")).unwrap();
    assert_eq!(value_of(&variables, "stored_as_bytes"), Value::array(&[1, 3], vec![1.0, 2.0, 250.0]));
    assert_eq!(value_of(&variables, "stored_as_words"), Value::array(&[2, 1], vec![-30.0, 1024.0]));
    assert_eq!(value_of(&variables, "text"), Value::text("Hi"));
    let point = Value::record([("x", Value::scalar(300.0)), ("id", Value::scalar(1.25))]);
    assert_eq!(value_of(&variables, "point"), point);
}

#[test]
fn a_real_file_survives_writing() {
    let Some(path) = crate::testing::real_data("mpii/release_valid.mat") else { return };
    let variables = read(&path).unwrap();
    let borrowed: Vec<(&str, &Value)> =
        variables.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let written = to_bytes(&borrowed, Packing::Zlib).unwrap();
    assert!(from_bytes(&written).unwrap() == variables);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (file, what) in [("sparse.mat", "a sparse array"), ("complex.mat", "a complex array")] {
        let message = read(&testdata(file)).unwrap_err().to_string();
        assert!(message.contains(&format!("`odd`: {what}, which is not supported")), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.mat");
    let mut bytes = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec();
    bytes.resize(512, 0);
    bytes.extend(b"\x89HDF\r\n\x1a\n");
    std::fs::write(&path, bytes).unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { format: "HDF5", .. }), "{error}");
    std::fs::write(&path, b"\x89HDF\r\n\x1a\n and more").unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("a MATLAB v5 file, found an HDF5 file"));
    assert!(matches!(read(&folder.path().join("none.mat")), Err(ReadError::Io { .. })));
}

#[test]
fn an_array_cannot_claim_more_than_the_file_holds() {
    let value = Value::cell(&[1, 2], vec![Value::empty(), Value::empty()]);
    let mut bytes = to_bytes(&[("c", &value)], Packing::Plain).unwrap();
    // The sizes stand after the header (128), the tag (8), the flags (16) and their own tag (8).
    bytes[160..168].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0, 0]);
    let message = from_bytes(&bytes).unwrap_err();
    assert!(message.contains("members cannot stand in"), "{message}");
}

#[test]
fn nesting_is_bounded_in_both_directions() {
    let mut value = Value::scalar(1.0);
    for _ in 0..MAX_DEPTH {
        value = Value::cell(&[1, 1], vec![value]);
    }
    let bytes = to_bytes(&[("deep", &value)], Packing::Plain).unwrap();
    assert_eq!(from_bytes(&bytes).unwrap()[0].1, value);
    let deeper = Value::cell(&[1, 1], vec![value]);
    assert!(matches!(to_bytes(&[("deep", &deeper)], Packing::Plain), Err(WriteError::TooLarge)));
}

#[test]
fn structs_without_fields_cannot_be_without_number() {
    let bare = |count: usize| {
        let structs = Value::structs(&[1, count], &[], std::iter::empty());
        from_bytes(&to_bytes(&[("a", &structs)], Packing::Plain).unwrap())
    };
    assert_eq!(variable(&bare(300).unwrap(), "a").unwrap().rows().unwrap().len(), 300);
    let error = bare(1 << 30).unwrap_err();
    assert!(error.contains("1073741824 structs without fields"), "{error}");
}

#[test]
fn what_matlab_would_not_take_is_not_written() {
    let one = Value::scalar(1.0);
    for name in ["", "1st", "a b", "ä"] {
        assert!(matches!(to_bytes(&[(name, &one)], Packing::Plain), Err(WriteError::Name(_))));
    }
    let crooked = Value::array(&[2, 2], vec![1.0]);
    let error = to_bytes(&[("a", &crooked)], Packing::Zlib).unwrap_err();
    assert!(error.to_string().contains("double 2x2"), "{error}");
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..4, 2..4)
}

fn count(dims: &[usize]) -> usize {
    dims.iter().product()
}

fn leaf() -> impl Strategy<Value = Value> {
    fn filled<T: std::fmt::Debug + Clone + 'static>(
        element: impl Strategy<Value = T> + Clone + 'static,
        build: fn(Vec<usize>, Vec<T>) -> Value,
    ) -> BoxedStrategy<Value> {
        sizes()
            .prop_flat_map(move |dims| {
                let values = proptest::collection::vec(element.clone(), count(&dims));
                values.prop_map(move |values| build(dims.clone(), values))
            })
            .boxed()
    }
    prop_oneof![
        filled(-1e12..1e12_f64, |dims, v| Value::array(&dims, v)),
        filled(any::<u8>(), |dims, v| Value::array(&dims, v)),
        filled(any::<i16>(), |dims, v| Value::array(&dims, v)),
        filled(any::<u64>(), |dims, v| Value::array(&dims, v)),
        filled(any::<bool>(), |dims, values| Value::Logical { dims, values }),
        filled(any::<u16>(), |dims, units| Value::Char { dims, units }),
        "[ -~]{0,12}".prop_map(|text| Value::text(&text)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 6, |inner| {
        let cells = (sizes(), proptest::collection::vec(inner.clone(), 27))
            .prop_map(|(dims, values)| Value::cell(&dims, values[..count(&dims)].to_vec()));
        let structs =
            (sizes(), 0_usize..3, proptest::collection::vec(inner, 54)).prop_map(|(dims, fields, values)| {
                let names = ["x", "is_visible", "a_field_of_a_longer_name"];
                let fields = names[..fields].iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
                let values = values[..count(&dims) * fields.len()].to_vec();
                Value::Struct(Structs { dims, fields, values })
            });
        prop_oneof![cells, structs]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(value in value(), other in leaf(), plain in any::<bool>()) {
        let packing = if plain { Packing::Plain } else { Packing::Zlib };
        let bytes = to_bytes(&[("RELEASE", &value), ("b", &other)], packing).unwrap();
        let expected = vec![("RELEASE".to_owned(), value), ("b".to_owned(), other)];
        prop_assert_eq!(from_bytes(&bytes).unwrap(), expected);
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_or_lacks_variables(cut in 0.0..1.0_f64, plain in any::<bool>()) {
        let bytes = std::fs::read(testdata(if plain { "plain.mat" } else { "compressed.mat" })).unwrap();
        let end = (cut * bytes.len() as f64) as usize;
        if let Ok(variables) = from_bytes(&bytes[..end]) {
            prop_assert!(variables.len() < expected().len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damage_never_panics(
        file in prop_oneof![Just("plain.mat"), Just("big_endian.mat"), Just("compressed.mat")],
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = std::fs::read(testdata(file)).unwrap();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        // Whatever comes back is sound: as many values as the sizes say.
        if let Ok(variables) = from_bytes(&bytes) {
            for (_, value) in variables {
                if let Some(numbers) = value.as_f64s() {
                    prop_assert_eq!(numbers.len(), count(value.dims()));
                }
            }
        }
    }
}
