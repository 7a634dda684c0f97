//! What is absurd is refused with its value and its bound, and what is only large is done.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use datasets::shards::TableReader;
use schemas::tables::crowd::MOST_OTHERS;
use schemas::tables::people;
use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::{Done, motionmill};

/// A plan of the `stages`, one after the other, on the table `people`.
fn chain(folder: &Path, stages: &[String]) {
    let mut plan = "[sources.a]\nread.table = { path = \"people\" }\n".to_owned();
    let mut last = "a".to_owned();
    for (number, stage) in stages.iter().enumerate() {
        let _ = write!(plan, "[stages.s{number}]\ninputs = [\"{last}\"]\n{stage}\n");
        last = format!("s{number}");
    }
    let _ = write!(plan, "[sinks.z]\ninputs = [\"{last}\"]\nwrite.parquet = {{ path = \"z\" }}\n");
    fs::write(folder.join("plan.toml"), plan).unwrap();
}

fn refused(done: &Done, words: &[&str]) {
    assert_eq!(done.code, 1, "{}", done.text());
    for word in words {
        assert!(done.stderr.contains(word), "`{word}` is not said:\n{}", done.text());
    }
}

#[test]
fn values_without_measure_are_refused_with_their_range() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let crop = |width: u32| format!("run.crop = {{ size = [{width}, {width}], frame = \"whole_image\" }}");
    let maps = |style: &str| format!("run.encode_heatmaps = {{ stride = 4, style = {{ {style} }} }}");
    let warp = "run.warp = {}".to_owned();
    let cases: [(Vec<String>, &[&str]); 12] = [
        (vec![maps("patch = { sigma = 1e9 }")], &["1000000000", "from 0.01 to 300 px"]),
        (vec![maps("patch = { sigma = 2, radius = 1e6 }")], &["1000000", "from 1 to 1000 px"]),
        (vec![maps("gaussian = { sigma = 1e300 }")], &["`1e300`", "from 0.01 to 16384 px"]),
        (vec![maps("gaussian = { sigma = 1e-300 }")], &["`1e-300`", "from 0.01 to 16384 px"]),
        (vec!["run.resample = { rate_hz = 1e-9 }".into()], &["`1e-9`", "from 0.001 to 100000 Hz"]),
        (vec!["run.scale.log2_normal = { sigma = 1e300 }".into()], &["`1e300`", "from 1e-9 to 1e9"]),
        (vec!["run.shift = { max = inf }".into()], &["`inf`", "from 0 to 1e9"]),
        (vec!["run.repeat = { copies = 4e9 }".into()], &["4000000000", "from 1 to 1000000"]),
        (
            vec!["run.repeat = { copies = 1000000 }".into()],
            &["`s0`", "32,000,000 rows", "`runner.memory_mib` is 512"],
        ),
        (vec![crop(16384), warp.clone()], &["`s1`", "24,577 MiB", "`runner.memory_mib` is 512", "hint"]),
        (
            vec![crop(16384), "run.fit_spatial_model = { stride = 1 }".into()],
            &["`s1`", "the most is 1073741824", "raise `stride`"],
        ),
        (vec!["run.warp = { max_megapixels = 1e12 }".into()], &["from 1e-6 to 1000"]),
    ];
    for (stages, words) in cases {
        chain(folder, &stages);
        refused(&motionmill(folder, &["plan", "plan.toml"]), words);
        refused(&motionmill(folder, &["run", "plan.toml"]), words);
        assert!(!folder.join("z").exists(), "{stages:?}");
    }
}

#[test]
fn long_chains_and_long_conditions_are_only_work() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let all = motionmill(folder, &["inspect", "people"]).succeeded().stdout;
    let condition =
        |terms: usize| format!("run.filter = {{ where = \"{}\" }}", vec!["scale > 0"; terms].join(" and "));
    for stages in [vec!["run.filter = { where = \"true\" }".to_owned(); 1000], vec![condition(3000)]] {
        chain(folder, &stages);
        motionmill(folder, &["run", "plan.toml", "--force"]).succeeded();
        let rows = |text: &str| text.lines().find(|line| line.contains("rows")).map(str::to_owned);
        assert_eq!(rows(&motionmill(folder, &["inspect", "z"]).succeeded().stdout), rows(&all));
    }
    chain(folder, &[format!("run.filter = {{ where = \"{}\" }}", vec!["scale"; 3000].join(" + "))]);
    refused(&motionmill(folder, &["run", "plan.toml", "--force"]), &["levels deep; the most is 32"]);
    for threads in ["0", "513", "1000000000"] {
        let done = motionmill(folder, &["run", "plan.toml", "--threads", threads]);
        assert!(done.code != 0 && done.stderr.contains("a whole number from 1 to 512"), "{}", done.text());
    }
}

#[test]
fn a_crowd_costs_as_much_as_its_people() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let joints = schemas::skeleton::COCO17.joints;
    let person = |id: usize| {
        let points: Vec<f64> =
            joints.iter().flat_map(|_| [(id * 7 % 1999) as f64, (id % 13) as f64, 2.0]).collect();
        serde_json::json!({ "id": id, "image_id": 0, "category_id": 1, "keypoints": points, "bbox": [1, 1, 200, 200], "iscrowd": 0 })
    };
    let file = serde_json::json!({
        "images": [{ "id": 0, "file_name": "0.jpg", "width": 640, "height": 480 }],
        "annotations": (0..3000).map(person).collect::<Vec<_>>(),
        "categories": [{ "id": 1, "name": "person", "keypoints": joints, "skeleton": [] }],
    });
    fs::write(folder.join("crowd.json"), file.to_string()).unwrap();
    let arguments = ["ingest", "coco", "--annotations", "crowd.json", "--images", "none", "--out", "z"];
    motionmill(folder, &arguments).succeeded();
    let table = TableReader::open(&folder.join("z"), None).unwrap();
    let mut count = 0;
    for batch in table.batches(500) {
        for person in people::from_batch(&batch.unwrap()).unwrap() {
            count += 1;
            assert_eq!(person.others.len(), MOST_OTHERS);
        }
    }
    assert_eq!(count, 3000);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    assert!(std::process::Command::new("mkfifo").arg(folder.join("fifo")).status().unwrap().success());
    for arguments in [
        &["run", "fifo"][..],
        &["plan", "/dev/zero"],
        &["ingest", "coco", "--annotations", "fifo", "--images", "none", "--out", "z"],
        &["ingest", "lsp", "--annotations", "/dev/zero", "--images", "none", "--out", "z"],
        &["ingest", "hmog", "fifo", "--out", "z"],
    ] {
        let done = motionmill(folder, arguments);
        refused(&done, &["not a file"]);
    }
}
