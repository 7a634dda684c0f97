//! What is lost is told: a command that keeps nothing fails and says why, a batch job may bound its rejects, and a reject
//! can be found again.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Done, motionmill};

/// Five people in five pictures; of the first `broken`, `keypoints` has a number too few.
fn coco(path: &Path, broken: usize) {
    let joints = schemas::skeleton::COCO17.joints;
    let person = |id: usize| -> Json {
        let mut points = [50, 40, 2].repeat(17);
        points[3] = 90;
        if id <= broken {
            points.pop();
        }
        json!({ "id": 7000 + id, "image_id": id, "category_id": 1, "bbox": [40, 30, 100, 160], "area": 9000.0, "iscrowd": 0,
                "keypoints": points })
    };
    let image =
        |id: usize| json!({ "id": id, "file_name": format!("{id}.jpg"), "width": 300, "height": 300 });
    let file = json!({
        "images": (1..=5).map(image).collect::<Vec<_>>(), "annotations": (1..=5).map(person).collect::<Vec<_>>(),
        "categories": [{ "id": 1, "name": "person", "keypoints": joints, "skeleton": [] }],
    });
    fs::write(path, file.to_string()).unwrap();
}

fn ingest(folder: &Path, broken: usize, more: &[&str]) -> Done {
    coco(&folder.join("train.json"), broken);
    let command =
        ["ingest", "coco", "--annotations", "train.json", "--images", "none", "--out", "people", "--force"];
    motionmill(folder, &[&command[..], more].concat())
}

fn refused(done: &Done, words: &[&str]) {
    assert_eq!(done.code, 1, "{}", done.text());
    for word in words {
        assert!(done.stderr.contains(word), "`{word}` is not in\n{}", done.text());
    }
}

fn plan(folder: &Path, text: &str) -> Done {
    fs::write(folder.join("plan.toml"), text).unwrap();
    motionmill(folder, &["run", "plan.toml", "--force"])
}

fn people(broken: usize) -> TempDir {
    let place = tempdir().unwrap();
    ingest(place.path(), broken, &[]).succeeded();
    place
}

#[test]
fn a_source_that_gives_nothing_fails_with_its_first_rejects() {
    let place = tempdir().unwrap();
    let folder = place.path();
    let lost = ingest(folder, 5, &[]);
    refused(&lost, &["nothing was kept", "`coco`", "5 in all", "5 x record of another shape"]);
    refused(&lost, &["train.json, annotations[0]: id 7001: `keypoints` has 50 numbers", "\nhint: "]);
    // The table and its rejects are there, and the same command says the same again.
    let again = motionmill(
        folder,
        &"ingest coco --annotations train.json --images none --out people".split(' ').collect::<Vec<_>>(),
    );
    refused(&again, &["nothing was kept", "annotations[0]"]);
    let inspected = motionmill(folder, &["inspect", "people-rejects"]).succeeded();
    assert!(
        inspected.stdout.contains("5 x record of another shape, the first: train.json"),
        "{}",
        inspected.text()
    );
    // An empty file.
    let empty = json!({ "images": [], "annotations": [],
        "categories": [{ "id": 1, "name": "person", "keypoints": schemas::skeleton::COCO17.joints }] });
    fs::write(folder.join("train.json"), empty.to_string()).unwrap();
    let command =
        ["ingest", "coco", "--annotations", "train.json", "--images", "none", "--out", "people", "--force"];
    refused(&motionmill(folder, &command), &["the source `coco` gives no rows"]);
}

#[test]
fn rejects_may_be_bounded_by_number_and_by_share() {
    let place = tempdir().unwrap();
    let folder = place.path();
    for (most, holds) in [("0", false), ("1", false), ("2", true), ("39.9%", false), ("40%", true)] {
        let done = ingest(folder, 2, &["--fail-on-rejects", most]);
        assert_eq!(done.code, i32::from(!holds), "{most}: {}", done.text());
        if !holds {
            refused(&done, &["2 of 5 rows were rejected, more than", "annotations[0]", "--fail-on-rejects"]);
        }
    }
    let inspected = motionmill(folder, &["inspect", "people"]).succeeded();
    assert!(inspected.stdout.contains("rejected on the way: 2 x record of another shape, the first: "));
    assert_eq!(ingest(folder, 0, &["--fail-on-rejects", "half"]).code, 2);
}

#[test]
fn a_stage_that_nothing_passes_fails_and_a_filter_that_leaves_some_does_not() {
    let place = people(0);
    let folder = place.path();
    let chain = |stages: &str, last: &str| {
        format!(
            "[sources.people]\nread.table = {{ path = \"people\" }}\n{stages}\n[sinks.out]\ninputs = [\"{last}\"]\n\
             write.parquet = {{ path = \"out\" }}\n"
        )
    };
    // The pictures are not there.
    let warp = "[stages.crop]\ninputs = [\"people\"]\nrun.crop = { size = [32, 32], frame = \"whole_image\" }\n\
                [stages.warp]\ninputs = [\"crop\"]\nrun.warp = {}\n";
    let lost = plan(folder, &chain(warp, "warp"));
    refused(&lost, &["no row passed `warp`, 5 were rejected there", "5 x image missing", "1.jpg"]);
    let filter = |condition: &str| {
        format!("[stages.kept]\ninputs = [\"people\"]\nrun.filter = {{ where = \"{condition}\" }}\n")
    };
    plan(folder, &chain(&filter("sample_id = 'coco-1-0'"), "kept")).succeeded();
    // What a filter leaves out is wanted; nothing at all is not.
    fs::write(folder.join("plan.toml"), chain(&filter("sample_id = 'coco-1-0'"), "kept")).unwrap();
    motionmill(folder, &["run", "plan.toml", "--force", "--fail-on-rejects", "0"]).succeeded();
    refused(&plan(folder, &chain(&filter("sample_id = 'x'"), "kept")), &["every row was filtered out"]);
}

#[test]
fn exports_and_scores_of_nothing_fail() {
    let place = people(0);
    let folder = place.path();
    let yolo = motionmill(folder, &["export", "yolo", "people", "--out", "yolo"]);
    refused(
        &yolo,
        &["the sink `yolo` could write none of 5 rows", "5 x image missing", "annotation 7001", "none/1.jpg"],
    );
    let points = [1, 2, 2].repeat(17);
    let found = json!([{ "image_id": 99, "category_id": 1, "keypoints": points, "score": 1 }]);
    fs::write(folder.join("found.json"), found.to_string()).unwrap();
    let joined =
        motionmill(folder, &["ingest", "coco-results", "found.json", "--people", "people", "--out", "found"]);
    refused(&joined, &["every record of `coco_results` was rejected", "found.json", "[0]"]);
}

#[test]
fn two_people_of_one_id_are_refused_by_it() {
    let place = people(0);
    let folder = place.path();
    let merged = plan(
        folder,
        "[sources.a]\nread.table = { path = \"people\" }\n[sources.b]\nread.table = { path = \"people\" }\n\
         [sinks.out]\ninputs = [\"a\", \"b\"]\nwrite.parquet = { path = \"both\" }\n",
    );
    refused(&merged, &["two people have the id `coco-1-0`", "--dataset"]);
    assert!(!folder.join("both/manifest.json").exists(), "no table of such rows");
}

#[test]
fn paths_of_a_plan_start_from_its_folder_and_those_of_the_command_line_do_not() {
    let place = people(0);
    let folder = place.path();
    fs::create_dir(folder.join("plans")).unwrap();
    fs::write(folder.join("plans/held.txt"), "2.jpg\n").unwrap();
    let text = "[sources.people]\nread.table = { path = \"../people\" }\n[stages.held]\ninputs = [\"people\"]\n\
                run.split.list = { split = \"held\", file = \"held.txt\", by = \"image\" }\n[sinks.out]\n\
                inputs = [\"held\"]\nwrite.parquet = { path = \"out\" }\n";
    fs::write(folder.join("plans/plan.toml"), text).unwrap();
    motionmill(folder, &["run", "plans/plan.toml"]).succeeded();
    assert!(folder.join("plans/out/manifest.json").exists());
    // From another folder, and by an absolute path: the same files.
    let absolute = folder.join("plans/plan.toml").display().to_string();
    for (from, name) in [(folder.join("plans"), "plan.toml"), (folder.join("people"), absolute.as_str())] {
        motionmill(&from, &["run", name, "--force"]).succeeded();
    }
    motionmill(folder, &["run", "plans/plan.toml", "--set", "sinks.out.write.parquet.path=here"]).succeeded();
    assert!(folder.join("here/manifest.json").exists());
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_refused_in_order() {
    use std::os::unix::ffi::OsStringExt;
    let place = tempdir().unwrap();
    coco(&place.path().join("train.json"), 0);
    let name = std::ffi::OsString::from_vec(b"\x8e\xca\x90\x5e".to_vec());
    fs::create_dir(place.path().join(&name)).unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_motionmill"))
        .args(["ingest", "coco", "--annotations", "train.json", "--out", "people", "--images"])
        .arg(&name)
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("UTF-8") && said.contains("hint:") && !said.contains("panicked"), "{said}");
}
