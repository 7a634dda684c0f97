//! `PoseTrack` annotations.

use datasets::registry::SourceConfig;
use datasets::videos::PosetrackConfig;
use schemas::skeleton::POSETRACK17;

use super::coco::keypoints;
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "posetrack",
    seeds,
    words: &[
        "\"is_labeled\":",
        "\"vid_id\":",
        "\"track_id\":",
        "\"bbox_head\":",
        "\"ignore_regions_x\":",
        "null",
        "1e999",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let annotations = place::file("posetrack.json", input);
    let config = PosetrackConfig { annotations, images: "images".into(), split: None };
    reading::rows(&SourceConfig::Posetrack(config), &[])
}

fn seeds() -> Vec<Vec<u8>> {
    let names: Vec<String> = POSETRACK17.joints.iter().map(|joint| format!("\"{joint}\"")).collect();
    let image =
        |id: u32, more: &str| format!(r#"{{"id":{id},"file_name":"images/val/7_test/{id}.jpg"{more}}}"#);
    let images =
        [image(1, r#","is_labeled":true,"ignore_regions_x":[[1,2]]"#), image(2, r#","is_labeled":false"#)];
    let annotation = format!(
        r#"{{"id":5,"image_id":1,"category_id":1,"track_id":0,"bbox":[1,2,3,4],"bbox_head":[1,2,3,4],"keypoints":{}}}"#,
        keypoints(9, "1")
    );
    let file = format!(
        r#"{{"images":[{}],"annotations":[{annotation}],"categories":[{{"id":1,"name":"person","keypoints":[{}]}}]}}"#,
        images.join(","),
        names.join(",")
    );
    vec![file.into_bytes()]
}
