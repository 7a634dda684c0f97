//! COCO results, joined to three people of two images.

use std::sync::OnceLock;

use arrow::array::RecordBatch;
use datasets::coco::{CocoResultsConfig, Unmatched};
use datasets::registry::SourceConfig;

use super::coco::{self, keypoints};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target { name: "coco_results", seeds, words: coco::WORDS, run };

fn run(input: &[u8]) -> u64 {
    static PEOPLE: OnceLock<Vec<Vec<RecordBatch>>> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| vec![coco::people()]);
    let file = place::file("results.json", input);
    reading::rows(
        &SourceConfig::CocoResults(CocoResultsConfig {
            file,
            category_id: None,
            model: None,
            unmatched: Unmatched::Keep,
        }),
        people,
    )
}

fn seeds() -> Vec<Vec<u8>> {
    let one = |image: u32, x: u32, score: &str| {
        let keypoints = keypoints(x, "0.5");
        format!(r#"{{"image_id":{image},"category_id":1,"keypoints":{keypoints},"score":{score}}}"#)
    };
    vec![format!("[{},{},{}]", one(9, 50, "0.9"), one(9, 91, "0.8"), one(4, 1, "0.1")).into_bytes()]
}
