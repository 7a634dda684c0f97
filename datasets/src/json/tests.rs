use std::io::Write;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;

/// One field of each meaning.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(deserialize_with = "whole")]
    id: i64,
    #[serde(deserialize_with = "maybe_whole")]
    number: Option<i64>,
    #[serde(deserialize_with = "maybe_number")]
    area: Option<f64>,
    #[serde(deserialize_with = "flag")]
    crowd: bool,
    #[serde(deserialize_with = "maybe_size")]
    width: Option<i32>,
    #[serde(deserialize_with = "maybe_numbers::<_, 4>")]
    bbox: Option<[f64; 4]>,
    #[serde(deserialize_with = "numbers")]
    keypoints: Vec<f64>,
    #[serde(deserialize_with = "flags")]
    seen: Vec<bool>,
}

fn one(name: &str, value: &Json) -> Result<Fields, String> {
    record(&json!({ name: value }))
}

#[test]
fn a_value_has_one_meaning_in_every_spelling() {
    let of = |name, values: &[Json], expected: &dyn Fn() -> Fields| {
        for value in values {
            assert_eq!(one(name, value).as_ref(), Ok(&expected()), "{name}: {value}");
        }
    };
    let fields = Fields::default;
    of("id", &[json!(7), json!(7.0), json!("7"), json!(" 7 "), json!("7.0"), json!("007")], &|| Fields {
        id: 7,
        ..fields()
    });
    of("id", &[json!(i64::MAX), json!(i64::MAX.to_string())], &|| Fields { id: i64::MAX, ..fields() });
    of("number", &[json!(null), json!(""), json!("None"), json!("NaN"), json!([]), json!({})], &fields);
    of("number", &[json!(-3), json!("-3"), json!(-3.0)], &|| Fields { number: Some(-3), ..fields() });
    of("area", &[json!(700.5), json!("700.5"), json!("7.005e2")], &|| Fields {
        area: Some(700.5),
        ..fields()
    });
    of("area", &[json!(null), json!(""), json!([])], &fields);
    of(
        "crowd",
        &[json!(false), json!(0), json!(0.0), json!("0"), json!("False"), json!(null), json!("")],
        &fields,
    );
    of("crowd", &[json!(true), json!(1), json!(1.0), json!("1"), json!("TRUE")], &|| Fields {
        crowd: true,
        ..fields()
    });
    of("width", &[json!(0), json!(-1), json!(null), json!("")], &fields);
    of("width", &[json!(640), json!("640"), json!(640.0)], &|| Fields { width: Some(640), ..fields() });
    of("bbox", &[json!([]), json!(null), json!([null, null, null, null])], &fields);
    of("bbox", &[json!([1, 2.0, "3", "4.0"])], &|| Fields { bbox: Some([1.0, 2.0, 3.0, 4.0]), ..fields() });
    let points = || Fields { keypoints: vec![1.0, 2.0, 2.0, 3.0, 4.0, 1.0], ..fields() };
    of(
        "keypoints",
        &[json!([1, 2, 2, 3, 4, 1]), json!(["1", 2.0, "2", 3, 4, 1]), json!([[1, 2, 2], [3, 4, 1]])],
        &points,
    );
    of("keypoints", &[json!([]), json!(null), json!("")], &fields);
    of("seen", &[json!([true, 0, "1"]), json!([1.0, false, true])], &|| Fields {
        seen: vec![true, false, true],
        ..fields()
    });
    let absent = one("keypoints", &json!([null, 5])).unwrap().keypoints;
    assert!(absent[0].is_nan() && absent[1] == 5.0);
}

#[test]
fn what_would_be_a_guess_is_refused_with_field_and_value() {
    for (name, value, words) in [
        ("id", json!(3.7), "`id`: invalid value: floating point `3.7`, expected a whole number"),
        ("id", json!("3.7"), "`id`: invalid value: string \"3.7\", expected a whole number"),
        ("id", json!("seven"), "`id`: invalid value: string \"seven\""),
        ("id", json!(true), "`id`: invalid type: boolean `true`"),
        ("id", json!(null), "`id`: invalid type: null"),
        ("id", json!(1e300), "`id`: invalid value: floating point"),
        ("area", json!("1,5"), "`area`: invalid value: string \"1,5\", expected a number"),
        ("area", json!("1 000"), "`area`: "),
        ("area", json!("0x10"), "`area`: "),
        ("area", json!("inf"), "`area`: "),
        ("area", json!("1e999"), "`area`: "),
        ("crowd", json!(2), "`crowd`: invalid value: integer `2`, expected true, false, 0 or 1"),
        ("crowd", json!("maybe"), "`crowd`: "),
        ("width", json!(1e12), "`width`: "),
        ("bbox", json!([1, 2, 3]), "`bbox`: invalid length 3, expected 4 numbers"),
        ("bbox", json!([1, 2, 3, null]), "`bbox`: "),
        ("keypoints", json!([1, "left"]), "`keypoints[1]`: invalid value: string \"left\""),
        ("keypoints", json!("1 2 3"), "`keypoints`: "),
        ("keypoints", json!([[1, [2]]]), "`keypoints[0][1]`: "),
        ("seen", json!([1, 7]), "`seen`: "),
    ] {
        let error = one(name, &value).unwrap_err();
        assert!(error.starts_with(words), "{value}: {error}");
    }
}

#[test]
fn keys_are_numbers_or_names() {
    let key = |value: Json| record::<Key>(&value);
    assert_eq!(key(json!(9)), Ok(Key::Number(9)));
    assert_eq!(key(json!(9.0)), Ok(Key::Number(9)));
    assert_eq!(key(json!("9")), Ok(Key::Text("9".into())));
    assert_eq!(key(json!("a.jpg")), Ok(Key::Text("a.jpg".into())));
    assert!(key(json!(9.5)).is_err() && key(json!("")).is_err() && key(json!(true)).is_err());
}

fn through_file(bytes: &[u8]) -> Result<Json, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let text = read(file.path()).map_err(|error| error.to_string())?;
    parse(file.path(), "a file", &text).map_err(|error| error.to_string())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packing_and_marks_do_not_matter() {
    let text = r#"{"name": "ä \"NaN\" b", "list": [1, 2]}"#;
    let expected: Json = serde_json::from_str(text).unwrap();
    let wide = |swap: bool| {
        let units = std::iter::once(0xfeff_u16).chain(text.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let marked = [MARK, text.as_bytes()].concat();
    for bytes in [
        text.as_bytes().to_vec(),
        marked.clone(),
        gzip(text.as_bytes()),
        gzip(&marked),
        wide(false),
        wide(true),
    ] {
        assert!(is_json(&bytes));
        assert_eq!(through_file(&bytes).as_ref(), Ok(&expected));
    }
}

#[test]
fn numbers_that_json_does_not_have_are_null() {
    let found =
        through_file(br#"{"a": NaN, "b": [Infinity, -Infinity, 1], "c": "NaN, \" Infinity"}"#).unwrap();
    assert_eq!(found, json!({ "a": null, "b": [null, null, 1], "c": "NaN, \" Infinity" }));
    assert!(through_file(b"[nan]").unwrap_err().contains("not a readable JSON file"));
}

#[test]
fn another_format_is_named() {
    for (bytes, name) in [
        (&b"\x89PNG\r\n"[..], "a PNG picture"),
        (b"", "an empty file"),
        (b"x,y\n", "text"),
        (&gzip(b"\x93NUMPY"), "an array of numpy (.npy)"),
    ] {
        assert!(through_file(bytes).unwrap_err().contains(&format!("found {name}")));
    }
    let cut = gzip(br#"{"a": 1}"#);
    assert!(through_file(&cut[..cut.len() - 6]).unwrap_err().contains("not a readable gzip file"));
    let bomb = gzip(&vec![b' '; 24 << 20]);
    assert!(through_file(&bomb).unwrap_err().contains("unpacks to more than"));
}

proptest! {
    #[test]
    fn every_number_is_read_alike_from_number_and_text(number in -1e9..1e9_f64, whole in any::<i32>()) {
        prop_assert_eq!(one("area", &json!(number)), one("area", &json!(number.to_string())));
        prop_assert_eq!(one("id", &json!(whole)), one("id", &json!(f64::from(whole))));
        prop_assert_eq!(one("id", &json!(whole)), one("id", &json!(whole.to_string())));
    }

    #[test]
    fn nothing_panics(text in any::<Vec<u8>>()) {
        let _ = without_nan(&text);
        let _ = through_file(&text);
    }
}
