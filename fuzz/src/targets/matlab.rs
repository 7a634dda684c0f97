//! MAT v5 files, and what MPII, LSP, LSPET, FLIC, Penn Action and JHMDB keep in them.

use std::io::Write;
use std::path::PathBuf;

use datasets::flic::FlicConfig;
use datasets::lsp::LspConfig;
use datasets::lspet::LspetConfig;
use datasets::matlab::{self, Packing, Value};
use datasets::mpii::MpiiConfig;
use datasets::registry::SourceConfig;
use datasets::videos::{JhmdbConfig, PennActionConfig};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "matlab",
    seeds,
    words: &[
        "RELEASE",
        "annolist",
        "annorect",
        "annopoints",
        "point",
        "is_visible",
        "img_train",
        "image",
        "name",
        "objpos",
        "scale",
        "vididx",
        "video_list",
        "single_person",
        "act",
        "act_name",
        "pos_gt_src",
        "jnt_missing",
        "headboxes_src",
        "joints",
        "examples",
        "filepath",
        "coords",
        "torsobox",
        "imgdims",
        "istrain",
        "istest",
        "visibility",
        "bbox",
        "dimensions",
        "pos_img",
        "viewpoint",
    ],
    run,
};

/// Bytes of the header of a file.
const HEADER_BYTES: usize = 128;
/// The type of an element that is compressed.
const COMPRESSED: u32 = 15;
/// How many ways of reading there are.
const READERS: usize = 7;

/// What stands for a file: the rest of an input as it is, elements that get a header, or elements that get a header
/// and are compressed.
pub(crate) fn packed(packing: usize, rest: &[u8]) -> Vec<u8> {
    if packing.is_multiple_of(3) {
        return rest.to_vec();
    }
    let mut file = vec![b' '; HEADER_BYTES - 4];
    file.extend([0, 1, b'I', b'M']);
    let mut left = rest;
    while packing % 3 == 2
        && let Some((head, after)) = left.split_at_checked(8)
    {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let end = length.min(after.len());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(head).and_then(|()| zlib.write_all(&after[..end])).expect("memory takes everything");
        let zipped = zlib.finish().expect("memory takes everything");
        file.extend(COMPRESSED.to_le_bytes());
        file.extend(u32::try_from(zipped.len()).expect("a short element").to_le_bytes());
        file.extend(zipped);
        left = &after[end..];
    }
    file.extend(left);
    file
}

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let bytes = packed(mode / READERS, rest);
    let images = PathBuf::from("images");
    let file = || place::file("annotations.mat", &bytes);
    let source = match mode % READERS {
        0 => return variables(&bytes),
        1 => SourceConfig::Mpii(MpiiConfig { annotations: file(), images, subset: None }),
        2 => SourceConfig::Lsp(LspConfig { annotations: file(), images }),
        3 => SourceConfig::Lspet(LspetConfig { annotations: file(), images }),
        4 => SourceConfig::Flic(FlicConfig { annotations: file(), images, ..FlicConfig::default() }),
        5 => SourceConfig::PennAction(PennActionConfig { annotations: file(), images }),
        _ => SourceConfig::Jhmdb(JhmdbConfig { annotations: file(), images, splits: None, division: 1 }),
    };
    reading::rows(&source, &[])
}

/// Every variable; what can be written is read back.
fn variables(bytes: &[u8]) -> u64 {
    let Ok(variables) = matlab::from_bytes(bytes) else { return 0 };
    for (name, value) in &variables {
        value.to_json();
        value.shape();
        if let Ok(written) = matlab::to_bytes(&[(name, value)], Packing::Plain) {
            let read = matlab::from_bytes(&written).expect("what was written can be read");
            assert_eq!(read[0].1.dims(), value.dims());
        }
    }
    matlab::listed(&variables);
    variables.len() as u64
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let frame = |value: f64| Value::array(&[1, 13], vec![value; 13]);
    let (place, seen) = (frame(7.0), frame(1.0));
    let video = [
        ("x", &place),
        ("y", &place),
        ("visibility", &seen),
        ("bbox", &Value::array(&[1, 4], vec![1.0, 2.0, 8.0, 9.0])),
    ];
    seeds.push(with_mode(5, &matlab::to_bytes(&video, Packing::Plain).expect("a sound value")));
    for (reader, name, value) in values() {
        let file = matlab::to_bytes(&[(name, &value)], Packing::Plain).expect("a sound value");
        let elements = &file[HEADER_BYTES..];
        let zipped = matlab::to_bytes(&[(name, &value)], Packing::Zlib).expect("a sound value");
        seeds.push(with_mode(reader, &zipped));
        seeds.push(with_mode(READERS + reader, elements));
        seeds.push(with_mode(2 * READERS + reader, elements));
    }
    seeds
}

/// A small value of each shape, with the way to read it.
fn values() -> Vec<(usize, &'static str, Value)> {
    let point = |x: f64, id: f64, seen: Value| {
        vec![Value::scalar(x), Value::scalar(x + 5.0), Value::scalar(id), seen]
    };
    let points = vec![point(10.0, 6.0, Value::scalar(1.0)), point(20.0, 9.0, Value::text("0"))];
    let points = Value::structs(&[1, 2], &["x", "y", "id", "is_visible"], points);
    let center = Value::record([("x", Value::scalar(15.0)), ("y", Value::scalar(20.0))]);
    let rect = Value::record([
        ("x1", Value::scalar(1.0)),
        ("y1", Value::scalar(2.0)),
        ("x2", Value::scalar(9.0)),
        ("y2", Value::scalar(8.0)),
        ("annopoints", Value::record([("point", points)])),
        ("scale", Value::scalar(1.5)),
        ("objpos", center),
    ]);
    let image = Value::record([
        ("image", Value::record([("name", Value::text("a.jpg"))])),
        ("annorect", rect),
        ("vididx", Value::scalar(1.0)),
    ]);
    let act = Value::record([("act_name", Value::text("bowling")), ("act_id", Value::scalar(3.0))]);
    let release = Value::record([
        ("annolist", image),
        ("img_train", Value::scalar(1.0)),
        ("single_person", Value::cell(&[1, 1], vec![Value::scalar(1.0)])),
        ("act", act),
        ("video_list", Value::cell(&[1, 1], vec![Value::text("v")])),
    ]);
    let example = Value::record([
        ("filepath", Value::text("a.jpg")),
        ("coords", Value::array(&[2, 29], vec![7.0; 58])),
        ("imgdims", Value::array(&[1, 3], vec![480_u16, 720, 3])),
        ("torsobox", Value::array(&[1, 4], vec![1.0, 2.0, 3.0, 4.0])),
        ("istrain", Value::Logical { dims: vec![1, 1], values: vec![true] }),
        ("istest", Value::Logical { dims: vec![1, 1], values: vec![false] }),
    ]);
    let mixed = Value::record([
        ("text", Value::text("\u{e4}bc")),
        ("bytes", Value::array(&[1, 2], vec![1_u8, 2])),
        ("cells", Value::cell(&[2, 1], vec![Value::empty(), Value::scalar(0.5)])),
    ]);
    vec![
        (0, "mixed", mixed),
        (1, "RELEASE", release),
        (2, "joints", Value::array(&[3, 14], vec![1.0; 42])),
        (3, "joints", Value::array(&[14, 3], vec![1.0; 42])),
        (4, "examples", example),
        (6, "pos_img", Value::array(&[2, 15, 2], vec![7.0; 60])),
    ]
}
