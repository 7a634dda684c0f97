//! Boxes of a detector, joined to the pictures of three people.

use std::sync::OnceLock;

use arrow::array::RecordBatch;
use datasets::coco::BoxesConfig;
use datasets::registry::SourceConfig;

use super::coco;
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target { name: "boxes", seeds, words: coco::WORDS, run };

fn run(input: &[u8]) -> u64 {
    static PEOPLE: OnceLock<Vec<Vec<RecordBatch>>> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| vec![coco::people()]);
    let file = place::file("boxes.json", input);
    reading::rows(&SourceConfig::Boxes(BoxesConfig { file, category_id: 1, minimum_score: 0.1 }), people)
}

fn seeds() -> Vec<Vec<u8>> {
    let one = |image: u32, x: u32, score: &str| {
        format!(r#"{{"image_id":{image},"category_id":1,"bbox":[{x},20,40.5,100],"score":{score}}}"#)
    };
    vec![format!("[{},{},{}]", one(9, 50, "0.9"), one(9, 91, "0.8"), one(4, 1, "0.05")).into_bytes()]
}
