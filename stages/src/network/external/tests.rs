//! Models of a few bytes, written by hand, and the networks of the tests.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that holds bytes: a text or a message.
fn part(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// A field that holds a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn entry(key: &str, value: &str) -> Vec<u8> {
    part(13, &[part(1, key.as_bytes()), part(2, value.as_bytes())].concat())
}

/// A tensor in the file `location`.
pub(crate) fn external(location: &str) -> Vec<u8> {
    [number(1, 3), entry("offset", "16"), entry("location", location), entry("length", "12"), number(14, 1)]
        .concat()
}

/// A model with initializers, one after the other.
pub(crate) fn with_initializers(tensors: &[Vec<u8>]) -> Vec<u8> {
    let tensors: Vec<u8> = tensors.iter().flat_map(|tensor| part(5, tensor)).collect();
    [number(1, 10), part(2, b"by hand"), part(7, &tensors)].concat()
}

fn found(model: &[u8]) -> Result<Vec<String>, Failure> {
    locations(Cursor::new(model), model.len() as u64).map(|found| found.into_iter().collect())
}

fn refused(model: &[u8]) -> &'static str {
    match found(model) {
        Err(Failure::Content(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn initializers_name_their_files_once() {
    let inside = [part(8, b"a"), part(9, &[7; 300])].concat();
    let model = with_initializers(&[external("b.bin"), inside, external("a.bin"), external("b.bin")]);
    assert_eq!(found(&model).unwrap(), ["a.bin", "b.bin"]);
    assert!(found(&with_initializers(&[])).unwrap().is_empty());
    assert!(found(b"").unwrap().is_empty());
}

#[test]
fn entries_of_a_tensor_that_is_inside_do_not_count() {
    let inside = [entry("location", "a.bin"), number(14, 0)].concat();
    assert!(found(&with_initializers(&[inside])).unwrap().is_empty());
}

#[test]
fn tensors_of_nodes_functions_and_training_are_found() {
    let branch = part(6, &part(5, &external("branch.bin")));
    let branches = part(11, &part(5, &external("branches.bin")));
    let constant = part(5, &external("constant.bin"));
    let constants = part(10, &external("constants.bin"));
    let sparse = part(22, &part(1, &external("values.bin")));
    let sparses = part(23, &part(2, &external("indices.bin")));
    let attributes = [branch, branches, constant, constants, sparse, sparses].concat();
    let node = part(1, &part(5, &attributes));
    let initializer = part(15, &part(1, &external("sparse.bin")));
    let function = part(25, &part(7, &part(5, &part(5, &external("function.bin")))));
    let training = part(20, &part(2, &part(5, &external("training.bin"))));
    let model = [part(7, &[node, initializer].concat()), function, training].concat();
    let expected = [
        "branch.bin",
        "branches.bin",
        "constant.bin",
        "constants.bin",
        "function.bin",
        "indices.bin",
        "sparse.bin",
        "training.bin",
        "values.bin",
    ];
    assert_eq!(found(&model).unwrap(), expected);
}

#[test]
fn fields_of_every_kind_are_passed_over() {
    let fixed = [vec![9 << 3 | 1], vec![0xff; 8], vec![10 << 3 | 5], vec![0xff; 4]].concat();
    let model = [fixed, with_initializers(&[external("a.bin")])].concat();
    assert_eq!(found(&model).unwrap(), ["a.bin"]);
}

#[test]
fn what_is_no_model_says_why() {
    let whole = with_initializers(&[external("a.bin")]);
    assert_eq!(refused(&whole[..whole.len() - 1]), "a part of it is longer than the whole");
    assert_eq!(refused(&[0x80]), "it ends within a message");
    assert_eq!(refused(&[0xff; 11]), "it has a number of more than ten bytes");
    assert_eq!(refused(&[7 << 3 | 3]), "it has a field of no known type");
    assert_eq!(refused(&with_initializers(&[number(14, 1)])), "an external tensor has no location");
    let long = [part(13, &part(2, &vec![b'a'; 70_000])), number(14, 1)].concat();
    assert_eq!(refused(&with_initializers(&[long])), "an entry of `external_data` is not made of two texts");
    let nested = (0..200).fold(Vec::new(), |graph, _| part(1, &part(5, &part(6, &graph))));
    assert_eq!(refused(&part(7, &nested)), "its messages are nested too deeply");
}

proptest! {
    #[test]
    fn damage_is_an_answer_and_no_panic(at in 0_usize..200, value in any::<u8>(), length in 0_usize..200) {
        let mut model = with_initializers(&[external("a.bin"), external("b.bin")]);
        let (at, length) = (at % model.len(), length % model.len() + 1);
        model[at] = value;
        if let Err(Failure::System(error)) = found(&model[..length]) {
            panic!("{error}");
        }
    }
}

#[test]
fn files_lie_beside_the_model_or_below() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("net.onnx");
    let written = |location: &str| {
        std::fs::write(&model, with_initializers(&[external(location)])).unwrap();
        weights(&model)
    };
    assert_eq!(written("net.onnx.data").unwrap(), [folder.path().join("net.onnx.data")]);
    assert_eq!(written("./parts/1.bin").unwrap(), [folder.path().join("parts/1.bin")]);
    for location in ["../a.bin", "parts/../../a.bin", "/a.bin", "", "."] {
        let error = written(location).unwrap_err().to_string();
        assert!(error.contains(&format!("weights in `{location}`, outside its folder")), "{error}");
    }
    std::fs::write(&model, b"PK\x03\x04").unwrap();
    let error = weights(&model).unwrap_err().to_string();
    assert!(error.starts_with("the network is no ONNX model: "), "{error}");
    std::fs::write(&model, b"\x14\0\0\0ORTM\xff").unwrap();
    assert!(weights(&model).unwrap().is_empty());
    assert!(weights(&folder.path().join("missing.onnx")).is_err());
}

#[test]
fn networks_that_torch_and_onnx_wrote_are_read_to_their_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models");
    let mut models = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "onnx") {
            assert_eq!(weights(&path).unwrap(), Vec::<PathBuf>::new(), "{}", path.display());
            models += 1;
        }
    }
    assert!(models >= 5, "{models}");
}
