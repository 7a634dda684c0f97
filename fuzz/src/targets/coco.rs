//! COCO annotations.

use arrow::array::RecordBatch;
use datasets::coco::CocoConfig;
use datasets::registry::SourceConfig;
use schemas::skeleton::COCO17;

use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target { name: "coco", seeds, words: WORDS, run };

/// Keys and values of COCO files.
pub(crate) const WORDS: &[&str] = &[
    "\"images\":",
    "\"annotations\":",
    "\"categories\":",
    "\"id\":",
    "\"image_id\":",
    "\"category_id\":",
    "\"file_name\":",
    "\"width\":",
    "\"height\":",
    "\"keypoints\":",
    "\"bbox\":",
    "\"area\":",
    "\"iscrowd\":",
    "\"name\":",
    "\"score\":",
    "\"sample_id\":",
    "\"motionmill\":",
    "\"segmentation\":",
    "\"person_index\":",
    "null",
    "1e308",
    "-9223372036854775808",
    "9223372036854775807",
    "\\ud800",
    "[[[[",
    "{\"",
];

fn source(input: &[u8]) -> SourceConfig {
    let annotations = place::file("person_keypoints_val2017.json", input);
    SourceConfig::Coco(CocoConfig { annotations, images: "images".into(), ..CocoConfig::default() })
}

fn run(input: &[u8]) -> u64 {
    reading::rows(&source(input), &[])
}

/// The rows of the first seed.
pub(crate) fn people() -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    reading::each_batch(&source(&seeds()[0]), &[], &mut |batch| batches.push(batch.clone()));
    assert!(!batches.is_empty(), "the seed has people");
    batches
}

/// `[x, y, flag]` of the nose and of an ankle, and nothing of the other joints.
pub(crate) fn keypoints(x: u32, flag: &str) -> String {
    let zeros = ["0,0,0"; 14].join(",");
    format!("[{x},20,{flag},{zeros},{},60,{flag},0,0,0]", x + 4)
}

fn seeds() -> Vec<Vec<u8>> {
    let names: Vec<String> = COCO17.joints.iter().map(|joint| format!("\"{joint}\"")).collect();
    let categories =
        format!(r#""categories":[{{"id":1,"name":"person","keypoints":[{}]}}]"#, names.join(","));
    let annotation = |id: u32, image: u32, x: u32, more: &str| {
        format!(
            r#"{{"id":{id},"image_id":{image},"category_id":1,"bbox":[{x},10,20,60],"area":700.5,"keypoints":{}{more}}}"#,
            keypoints(x, "2")
        )
    };
    let images =
        r#""images":[{"id":9,"file_name":"9.jpg","width":640,"height":480},{"id":4,"file_name":"4.jpg"}]"#;
    let annotations =
        [annotation(1, 9, 50, ""), annotation(2, 9, 90, ""), annotation(3, 4, 7, r#","iscrowd":0"#)]
            .join(",");
    let kept = annotation(
        1,
        9,
        50,
        r#","motionmill":{"sample_id":"a-1","person_index":3,"scale":2.5,"center":[1,2]}"#,
    );
    vec![
        format!(r#"{{{images},"annotations":[{annotations}],{categories}}}"#).into_bytes(),
        format!(r#"{{{categories},{images},"annotations":[{kept}]}}"#).into_bytes(),
    ]
}
