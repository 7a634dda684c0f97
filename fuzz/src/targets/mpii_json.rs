//! MPII annotations as JSON, of `HRNet` and of the pose machine.

use datasets::mpii::MpiiConfig;
use datasets::registry::SourceConfig;

use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "mpii_json",
    seeds,
    words: &[
        "\"image\":",
        "\"center\":",
        "\"scale\":",
        "\"joints\":",
        "\"joints_vis\":",
        "null",
        "1e999",
        "-1",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let annotations = place::file("valid.json", input);
    reading::rows(&SourceConfig::Mpii(MpiiConfig { annotations, images: "images".into(), subset: None }), &[])
}

fn seeds() -> Vec<Vec<u8>> {
    let joints = vec!["[1,2]"; 16].join(",");
    let flags = ["1"; 16].join(",");
    let full = format!(
        r#"[{{"image":"a.jpg","center":[10.5,20],"scale":1.5,"joints":[{joints}],"joints_vis":[{flags}]}}]"#
    );
    let bare = r#"[{"image":"a.jpg","center":[1,2],"scale":3},{"image":"a.jpg","center":[4,5],"scale":6}]"#;
    let triples = vec!["[1,2,1]"; 16].join(",");
    let machine = format!(
        r#"[{{"dataset":"MPI","img_paths":"a.jpg","objpos":[1,2],"joint_self":[{triples}],"joint_others":[[{triples}]],"people_index":1}}]"#
    );
    vec![full.into_bytes(), bare.into(), machine.into_bytes()]
}
