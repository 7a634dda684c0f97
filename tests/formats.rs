//! Sources and sinks in plans and as commands.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::motionmill;

fn plan(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn plan_reads_no_row() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    // Half a gigabyte that is no JSON, and the categories at its end.
    let mut file = File::create(folder.join("large.json")).unwrap();
    file.write_all(b"{\"images\": [oops").unwrap();
    file.seek(SeekFrom::Start(512 << 20)).unwrap();
    let several = r#"[{"id": 1, "name": "dog", "keypoints": ["head", "neck"]}, {"id": 2, "name": "cat", "keypoints": ["tail"]}]"#;
    file.write_all(format!(", \"categories\": {several}}}").as_bytes()).unwrap();
    let coco = "[sources.people]\nread.coco = { annotations = \"large.json\", images = \"images\" }\n\n\
                [sinks.people]\ninputs = [\"people\"]\nwrite.parquet = { path = \"out\" }\n";
    plan(folder, "unknown.toml", coco);
    let refused = motionmill(folder, &["plan", "unknown.toml"]);
    assert!(
        refused.code == 1 && refused.stderr.contains("`dog` (keypoints head, neck), `cat` (keypoints tail)"),
        "{}",
        refused.text()
    );
    let joints = schemas::skeleton::LSP14.joints;
    let known = format!(r#"[{{"id": 1, "name": "person", "keypoints": {joints:?}}}]}}"#);
    file.set_len(512 << 20).unwrap();
    file.seek(SeekFrom::Start(512 << 20)).unwrap();
    file.write_all(format!(", \"categories\": {known}").as_bytes()).unwrap();
    let planned = motionmill(folder, &["plan", "unknown.toml"]).succeeded();
    assert!(planned.stdout.contains("table people, skeleton lsp14"), "{}", planned.text());
    // The rows are read when the plan runs, and only then it shows that they are none.
    let run = motionmill(folder, &["run", "unknown.toml"]);
    assert!(run.code == 1 && run.stderr.contains("not a readable JSON file"), "{}", run.text());
    assert!(!folder.join("out").exists() && !folder.join("out.partial").exists());
    // A file that is not there is told at once.
    plan(folder, "absent.toml", &coco.replace("large.json", "absent.json"));
    let refused = motionmill(folder, &["plan", "absent.toml"]);
    assert!(refused.code == 1 && refused.stderr.contains("absent.json"), "{}", refused.text());
}

#[test]
fn formats_are_sources_and_sinks_of_one_plan() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    plan(
        folder,
        "out.toml",
        "[sources.people]\nread.table = { path = \"people\" }\n\n\
         [sinks.coco]\ninputs = [\"people\"]\nwrite.coco = { path = \"people.json\" }\n\n\
         [sinks.yolo]\ninputs = [\"people\"]\nwrite.yolo = { path = \"yolo\", link = true }\n\n\
         [sinks.arrow]\ninputs = [\"people\"]\nwrite.arrow = { path = \"people.arrow\" }\n",
    );
    let done = motionmill(folder, &["run", "out.toml"]).succeeded();
    for said in ["wrote people.json: 12 rows\n", "wrote yolo: 12 rows\n", "wrote people.arrow: 12 rows\n"] {
        assert!(done.stderr.contains(said), "{}", done.text());
    }
    let again = motionmill(folder, &["run", "out.toml"]).succeeded();
    assert!(again.stderr.contains("up to date people.json: 12 rows"), "{}", again.text());
    // What somebody changed is not taken for the result, and not replaced unasked.
    fs::write(folder.join("people.json"), "mine").unwrap();
    let refused = motionmill(folder, &["run", "out.toml"]);
    assert!(refused.code == 1 && refused.stderr.contains("--force"), "{}", refused.text());
    motionmill(folder, &["run", "out.toml", "--force"]).succeeded();
    for (source, file) in [("coco", "people.json"), ("yolo", "yolo/data.yaml")] {
        let images = ["--images", "raw/images"];
        let images = if source == "coco" { &images[..] } else { &[] };
        let back = format!("back-{source}");
        let ingest = [&["ingest", source, "--annotations", file, "--out", &back][..], images].concat();
        let done = motionmill(folder, &ingest).succeeded();
        assert!(done.stderr.contains("12 people"), "{}", done.text());
    }
}

#[test]
fn predictions_are_joined_to_people_by_a_plan() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    // The truth of the people who test, as COCO results and as an array.
    let people = folder.join("people");
    let truth =
        format!("[sources.people]\nread.table = {{ path = {:?}, split = \"test\" }}\n", people.display());
    let images = folder.join("raw/images");
    motionmill(folder, &["export", "coco", "people", "--split", "test", "--out", "truth.json"]).succeeded();
    let truth_file: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let results: Vec<serde_json::Value> = truth_file["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| serde_json::json!({ "image_id": one["image_id"], "category_id": 1, "keypoints": one["keypoints"] }))
        .collect();
    assert!(!results.is_empty() && images.is_dir());
    fs::write(folder.join("results.json"), serde_json::to_vec(&results).unwrap()).unwrap();
    let text = format!(
        "{truth}\n[sources.found]\ninputs = [\"people\"]\nread.coco_results = {{ file = \"results.json\" }}\n\n\
         [stages.score]\ninputs = [\"people\", \"found\"]\nrun.evaluate = {{ protocols = [\"lsp-pck\"], resamples = 0 }}\n\n\
         [sinks.metrics]\ninputs = [\"score\"]\nwrite.parquet = {{ path = \"metrics\" }}\n\n\
         [sinks.preds]\ninputs = [\"found\", \"people\"]\nwrite.preds = {{ path = \"preds.mat\" }}\n"
    );
    plan(folder, "join.toml", &text);
    let planned = motionmill(folder, &["plan", "join.toml"]).succeeded();
    assert!(planned.stdout.contains("people -> found  (source `coco_results`)"), "{}", planned.text());
    let done = motionmill(folder, &["run", "join.toml"]).succeeded();
    assert!(done.stderr.contains("wrote preds.mat: 6 rows"), "{}", done.text());
    // The array goes the same way back, as a command.
    let ingest = [
        "ingest",
        "predictions",
        "preds.mat",
        "--array",
        "preds",
        "--skeleton",
        "lsp14",
        "--first-pixel",
        "1",
    ];
    let more = ["--people", "people", "--split", "test", "--out", "keypoints"];
    motionmill(folder, &[&ingest[..], &more[..]].concat()).succeeded();
    let without_split =
        motionmill(folder, &[&ingest[..], &["--people", "people", "--out", "other"]].concat());
    assert!(without_split.code == 1 && without_split.stderr.contains("--split"), "{}", without_split.text());
    let scored = motionmill(
        folder,
        &[
            "evaluate",
            "pose",
            "--truth",
            "people",
            "--split",
            "test",
            "--predictions",
            "keypoints",
            "--protocol",
            "lsp-pck",
            "--resamples",
            "0",
        ],
    );
    assert!(scored.succeeded().stdout.contains("100.00"));
    let missing = text.replace("inputs = [\"people\"]\nread.coco_results", "read.coco_results");
    plan(folder, "missing.toml", &missing);
    let refused = motionmill(folder, &["plan", "missing.toml"]);
    assert!(
        refused.code == 1 && refused.stderr.contains("`found` takes 1 (people), found 0"),
        "{}",
        refused.text()
    );
}

#[test]
fn a_split_that_nobody_has_is_refused_and_only_predictions_may_lack_theirs() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    plan(
        folder,
        "found.toml",
        "[sources.people]\nread.table = { path = \"people\" }\n\n\
         [stages.found]\ninputs = [\"people\"]\nrun.select = { columns = [\"sample_id\", \"keypoints\"] }\n\n\
         [sinks.found]\ninputs = [\"found\"]\nwrite.parquet = { path = \"found\" }\n",
    );
    motionmill(folder, &["run", "found.toml"]).succeeded();
    let misspelt = motionmill(folder, &["export", "coco", "people", "--split", "tset", "--out", "a.json"]);
    assert!(misspelt.code == 1 && misspelt.stderr.contains("no split `tset`"), "{}", misspelt.text());
    let joined = ["export", "preds", "found", "--people", "people", "--out", "a.mat", "--split"];
    let misspelt = motionmill(folder, &[&joined[..], &["tset"]].concat());
    assert!(misspelt.code == 1 && misspelt.stderr.contains("no split `tset`"), "{}", misspelt.text());
    // The table of predictions has no splits: it is refused for what it is, not for its split.
    let other = motionmill(folder, &[&joined[..], &["test"]].concat());
    assert!(other.code == 1 && other.stderr.contains("must be `keypoints`"), "{}", other.text());
    // The earlier name of `--force`.
    let export = ["export", "coco", "people", "--out", "b.json", "--split"];
    motionmill(folder, &[&export[..], &["test"]].concat()).succeeded();
    let there = motionmill(folder, &[&export[..], &["train"]].concat());
    assert!(there.code == 1 && there.stderr.contains("--force"), "{}", there.text());
    motionmill(folder, &[&export[..], &["train", "--overwrite"]].concat()).succeeded();
}
