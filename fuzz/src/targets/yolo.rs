//! YOLO-pose data sets: a `data.yaml` and the label file of one picture.

use datasets::pixels::encode_png;
use datasets::registry::SourceConfig;
use datasets::yolo::YoloConfig;

use crate::pieces::{joined, part};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "yolo",
    seeds,
    words: &[
        "kpt_shape: [17, 3]",
        "kpt_shape:",
        "flip_idx:",
        "kpt_names:",
        "names:",
        "train:",
        "val:",
        "test:",
        "path:",
        "- images",
        "nan",
        "inf",
        "1e308",
        "-1",
        "\t",
        "&a",
        "*a",
        "!!",
        "|",
        ">-",
        "{",
        "}",
        "[",
        "]",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let (yaml, label) = part(input);
    // A data set may lie anywhere, as its user says; an input must not go looking beyond its own folder.
    if yaml.contains(&b'/') || yaml.contains(&b'\\') || yaml.windows(2).any(|pair| pair == b"..") {
        return 0;
    }
    let picture = place::path("yolo/images/a.png");
    if !picture.is_file() {
        let png = encode_png(&[90; 64 * 48 * 3], 64, 48).expect("a picture");
        place::file("yolo/images/a.png", &png);
    }
    place::file("yolo/labels/a.txt", label);
    let annotations = place::file("yolo/data.yaml", yaml);
    reading::rows(&SourceConfig::Yolo(YoloConfig { annotations, ..YoloConfig::default() }), &[])
}

fn seeds() -> Vec<Vec<u8>> {
    let flipped = "flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]";
    let three = format!("train: images\nkpt_shape: [17, 3]\n{flipped}\nnames: [person]\n");
    let two = format!("path: .\nval: [images]\nkpt_shape: [17, 2]\n{flipped}\nnames:\n  0: person\n");
    let label = |joint: &str| format!("0 0.5 0.5 0.25 0.5 {}\n", [joint; 17].join(" "));
    let both = label("0.5 0.25 2") + &label("0 0 0");
    vec![joined(&[&three, &both]), joined(&[&two, &label("0.5 -0.1")]), joined(&[&three, ""])]
}
