//! One array in every format, and what is refused with a way out.

use std::io::Write;
use std::path::Path;

use half::f16;
use schemas::Hinted;
use schemas::skeleton::{FLIC11, MPII16};
use serde_json::json;

use super::*;

fn options(axes: &str) -> Options {
    Options { array: String::new(), axes: axes.into(), skeleton: &MPII16, first_pixel: 1.0 }
}

/// Coordinate `c` of joint `j` of person `n`: a number that every type holds.
fn number(n: usize, j: usize, c: usize) -> f64 {
    (n * 51 + j * 3 + c) as f64
}

/// `[2, 16, coordinates]`, the last index fastest.
fn flat(coordinates: usize) -> Vec<f64> {
    (0..2).flat_map(|n| (0..16).flat_map(move |j| (0..coordinates).map(move |c| number(n, j, c)))).collect()
}

fn expected(coordinates: usize) -> Predictions {
    let point = |n, j| [number(n, j, 0) - 1.0, number(n, j, 1) - 1.0];
    let scores = |n| (0..16).map(|j| number(n, j, 2)).collect();
    Predictions {
        keypoints: (0..2).map(|n| (0..16).map(|j| point(n, j)).collect()).collect(),
        score: (coordinates == 3).then(|| (0..2).map(scores).collect()),
    }
}

/// The bytes of a `.npy` of the type `descr`, which is written as it stands.
fn npy(version: u8, descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    match version {
        1 => file.extend((header.len() as u16).to_le_bytes()),
        _ => file.extend((header.len() as u32).to_le_bytes()),
    }
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn npz(arrays: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read_bytes(bytes: &[u8], options: &Options) -> Result<Predictions, ReadError> {
    // The name says nothing of the format.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    read(file.path(), options)
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn every_type_of_number_of_numpy_is_read() {
    macro_rules! bytes {
        ($type:ty, $order:ident) => {
            flat(3).iter().flat_map(|value| (*value as $type).$order()).collect::<Vec<u8>>()
        };
    }
    let half = |big: bool| {
        let half = |value: &f64| f16::from_f64(*value);
        let bytes =
            move |value: &f64| if big { half(value).to_be_bytes() } else { half(value).to_le_bytes() };
        flat(3).iter().flat_map(bytes).collect::<Vec<u8>>()
    };
    for (descr, data) in [
        ("'<f8'", doubles(&flat(3))),
        ("'>f8'", bytes!(f64, to_be_bytes)),
        ("'<f4'", bytes!(f32, to_le_bytes)),
        ("'<f2'", half(false)),
        ("'>f2'", half(true)),
        ("'<i8'", bytes!(i64, to_le_bytes)),
        ("'>i8'", bytes!(i64, to_be_bytes)),
        ("'<u8'", bytes!(u64, to_le_bytes)),
        ("'<i4'", bytes!(i32, to_le_bytes)),
        ("'<u4'", bytes!(u32, to_le_bytes)),
        ("'<i2'", bytes!(i16, to_le_bytes)),
        ("'<u2'", bytes!(u16, to_le_bytes)),
        ("'|i1'", bytes!(i8, to_le_bytes)),
        ("'|u1'", bytes!(u8, to_le_bytes)),
    ] {
        for version in [1, 2, 3] {
            let file = npy(version, descr, false, "(2, 16, 3)", &data);
            assert_eq!(read_bytes(&file, &options("njc")).unwrap(), expected(3), "{descr} {version}");
        }
    }
}

#[test]
fn one_array_is_the_same_in_every_format_and_shape() {
    let (two, three) = (doubles(&flat(2)), doubles(&flat(3)));
    let wide = |coordinates: usize| -> Vec<Vec<f64>> {
        flat(coordinates).chunks(16 * coordinates).map(<[f64]>::to_vec).collect()
    };
    let nested = |coordinates: usize| {
        json!(
            wide(coordinates)
                .iter()
                .map(|row| row.chunks(coordinates).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        )
    };
    // All x, then all y, of a person.
    let planar: Vec<f64> =
        (0..2).flat_map(|n| (0..2).flat_map(move |c| (0..16).map(move |j| number(n, j, c)))).collect();
    // Fortran's order: people run fastest.
    let fortran: Vec<f64> =
        (0..2).flat_map(|c| (0..16).flat_map(move |j| (0..2).map(move |n| number(n, j, c)))).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(nested(3).to_string().as_bytes()).unwrap();
    let array = npy(1, "'<f8'", false, "(2, 16, 2)", &two);
    let mat = |dims: &[usize], values: &[f64]| {
        let value = Value::array(dims, values.to_vec());
        matlab::to_bytes(&[("preds", &value)], matlab::Packing::Zlib).unwrap()
    };
    let rows_of_mat: Vec<f64> = (0..32).flat_map(|at| [wide(2)[0][at], wide(2)[1][at]]).collect();
    for (name, bytes, axes, coordinates) in [
        ("npy", array.clone(), "njc", 2),
        ("npy, scores", npy(1, "'<f8'", false, "(2, 16, 3)", &three), "njc", 3),
        ("npy of Fortran", npy(1, "'<f8'", true, "(2, 16, 2)", &doubles(&fortran)), "njc", 2),
        ("npy, [N, 2K]", npy(1, "'<f8'", false, "(2, 32)", &two), "njc", 2),
        ("npy, [N, 3K]", npy(1, "'<f8'", false, "(2L, 48L)", &three), "njc", 3),
        ("npy, [N, 2K], planar", npy(1, "'<f8'", false, "(2, 32)", &doubles(&planar)), "ncj", 2),
        ("npz", npz(&[("preds.npy", &array)]), "njc", 2),
        ("json", nested(2).to_string().into_bytes(), "njc", 2),
        ("json, flat", json!(wide(3)).to_string().into_bytes(), "njc", 3),
        ("json, named", json!({ "preds": nested(2), "model": "x" }).to_string().into_bytes(), "njc", 2),
        ("json, packed", gzip.finish().unwrap(), "njc", 3),
        ("mat", mat(&[2, 16, 2], &fortran), "njc", 2),
        ("mat, [N, 2K]", mat(&[2, 32], &rows_of_mat), "njc", 2),
        ("mat, [2K, N]", mat(&[32, 2], &flat(2)), "jcn", 2),
    ] {
        assert_eq!(read_bytes(&bytes, &options(axes)).unwrap(), expected(coordinates), "{name}");
    }
}

#[test]
fn one_person_needs_no_axis() {
    let one = doubles(&flat(2)[..32]);
    let first = &expected(2).keypoints[0];
    for shape in ["(1, 16, 2)", "(16, 2)", "(1, 32)"] {
        let read = read_bytes(&npy(1, "'<f8'", false, shape, &one), &options("njc")).unwrap();
        assert_eq!(read.keypoints, std::slice::from_ref(first), "{shape}");
    }
}

#[test]
fn null_is_no_place() {
    let mut people = json!(vec![vec![[1.0, 2.0]; 16]]);
    people[0][3][1] = serde_json::Value::Null;
    let read = read_bytes(people.to_string().as_bytes(), &options("njc")).unwrap();
    assert!(read.keypoints[0][3][1].is_nan());
}

#[test]
fn packed_and_short_floats_of_hdf5_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/packed.h5");
    for array in ["lzf", "lzf_shuffled", "half", "half_big_endian", "plain"] {
        let options =
            Options { array: array.into(), axes: "njc".into(), skeleton: &FLIC11, first_pixel: 0.0 };
        let read = read(&path, &options).unwrap();
        assert_eq!((read.keypoints.len(), read.keypoints[39][10]), (40, [9.0, 3.0]), "{array}");
    }
    let options = Options { array: "ragged".into(), axes: "njc".into(), skeleton: &FLIC11, first_pixel: 0.0 };
    let error = read(&path, &options).unwrap_err();
    assert!(
        error.to_string().contains("must hold numbers, found lists or strings of their own lengths"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("numpy.save(\"ragged.npy\""));
}

#[test]
fn what_is_not_read_names_its_format_and_a_way_out() {
    let array = npy(1, "'<f8'", false, "(2, 16, 2)", &doubles(&flat(2)));
    let cells = Value::cell(&[1, 2], vec![Value::scalar(1.0), Value::scalar(2.0)]);
    let cells = matlab::to_bytes(&[("preds", &cells)], matlab::Packing::Zlib).unwrap();
    for (bytes, found, way_out) in [
        (
            npy(1, "'|O'", false, "(2,)", b"\x80\x04."),
            "an array of Python objects (dtype object)",
            "numpy.stack(list(numpy.load(",
        ),
        (npy(1, "'<c16'", false, "(1,)", &[0; 16]), "the type <c16", ".astype(float)"),
        (
            npy(1, "[('x', '<f8'), ('y', '<f8')]", false, "(1,)", &[0; 16]),
            "the type [('x', '<f8'), ('y', '<f8')]",
            "",
        ),
        (b"\x80\x04\x95\x10".to_vec(), "found a pickle of Python", "numpy.stack(pickle.load("),
        (npz(&[("archive/data.pkl", b"x")]), "found a file of PyTorch", "torch.load("),
        (npz(&[("a.npy", &array), ("b.npy", &array)]), "found `a`, `b`", "--array NAME"),
        (npz(&[("a.txt", b"x")]), "no arrays at all", ""),
        (cells, "found cell 1x2", "cat(3, preds{:})"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "found a PNG picture", ""),
        (b"x,y\n1,2\n".to_vec(), "found text", ""),
        (
            json!([{ "image_id": 1 }]).to_string().into_bytes(),
            "detections, not an array",
            "ingest coco-results",
        ),
        (json!([[1, 2], [3]]).to_string().into_bytes(), "1 items in [1], where others have 2", ""),
        (json!([[1, "2,5"]]).to_string().into_bytes(), "[0][1]: invalid value: string \"2,5\"", ""),
        (npy(1, "'<f8'", false, "(2, 16, 2)", &[0; 8]), "it ends before its last number", ""),
        (
            npy(1, "'<f8'", false, "(16, 2, 2)", &doubles(&flat(2))),
            "found sizes [16, 2, 2]",
            "`--axes jnc` or `--axes jcn`",
        ),
        (Vec::new(), "found an empty file", ""),
    ] {
        let error = read_bytes(&bytes, &options("njc")).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert!(error.hint().unwrap_or_default().contains(way_out), "{:?}", error.hint());
    }
}

#[test]
fn the_name_of_an_array_is_needed_only_where_there_are_several() {
    let array = npy(1, "'<f8'", false, "(2, 16, 2)", &doubles(&flat(2)));
    let archive = npz(&[("a.npy", &array), ("b.npy", &array)]);
    let named = Options { array: "b".into(), ..options("njc") };
    assert_eq!(read_bytes(&archive, &named).unwrap(), expected(2));
    let other = Options { array: "c".into(), ..options("njc") };
    assert!(
        read_bytes(&archive, &other).unwrap_err().to_string().contains("an array called `c`, found `a`, `b`")
    );
}

proptest::proptest! {
    #[test]
    fn damage_never_panics(
        kind in 0..3_usize,
        damage in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 1..8),
    ) {
        let array = npy(1, "'<f8'", false, "(2, 16, 2)", &doubles(&flat(2)));
        let mut bytes = match kind {
            0 => array,
            1 => npz(&[("preds.npy", &array)]),
            _ => json!([[[1, 2]]]).to_string().into_bytes(),
        };
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read_bytes(&bytes, &options("njc"));
    }
}
