//! Bad input: a clear error with file, record and hint, or a row in the rejects table; never a panic.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::{Done, motionmill};

/// The command must fail by the input's fault and say each of `words`.
fn refused(done: &Done, words: &[&str]) {
    assert_eq!(done.code, 1, "{}", done.text());
    for word in words {
        assert!(done.stderr.contains(word), "`{word}` is not said:\n{}", done.text());
    }
    assert!(!done.stderr.contains("panicked"), "{}", done.text());
}

fn ingest(folder: &Path, annotations: &str) -> Done {
    motionmill(
        folder,
        &["ingest", "lsp", "--annotations", annotations, "--images", "raw/images", "--out", "out"],
    )
}

fn samples(folder: &Path, more: &[&str]) -> Done {
    let base = [
        "run",
        "recipe:repose-lsp",
        "--set",
        "sources.people.read.table={path=\"people\"}",
        "--set",
        "sinks.samples.write.parquet.path=samples",
    ];
    motionmill(folder, &base.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn annotation_files_that_are_no_such_thing() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    refused(&ingest(folder, "absent.mat"), &["absent.mat", "No such file"]);
    let whole = fs::read(folder.join("raw/joints.mat")).unwrap();
    fs::write(folder.join("cut.mat"), &whole[..whole.len() / 2]).unwrap();
    refused(&ingest(folder, "cut.mat"), &["MATLAB", "cut.mat"]);
    fs::write(folder.join("text.mat"), "these are no joints").unwrap();
    refused(&ingest(folder, "text.mat"), &["text.mat"]);
    let swapped =
        ["ingest", "lspet", "--annotations", "raw/joints.mat", "--images", "raw/images", "--out", "out"];
    refused(&motionmill(folder, &swapped), &["joints", "lsp"]);
    assert!(
        !folder.join("out").exists() && !folder.join("out.partial").exists(),
        "nothing may be left behind"
    );
}

#[test]
fn pictures_that_cannot_be_used_are_rejected_one_by_one() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let images = folder.join("raw/images");
    fs::remove_file(images.join("im0001.jpg")).unwrap();
    let whole = fs::read(images.join("im0002.jpg")).unwrap();
    fs::write(images.join("im0002.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(images.join("im0003.jpg"), "no picture").unwrap();
    let done = samples(folder, &[]).succeeded();
    assert!(done.stderr.contains("rejected: 1 x image missing"), "{}", done.text());
    assert!(done.stderr.contains("rejected: 2 x image unreadable"), "{}", done.text());
    assert!(done.stderr.contains("wrote samples: 9 rows"), "{}", done.text());
    let inspected = motionmill(folder, &["inspect", "samples-rejects"]).succeeded().stdout;
    assert!(inspected.starts_with("table rejects: 3 rows"), "{inspected}");
    let capped =
        samples(folder, &["--force", "--set", "stages.warp.run.warp={border=0,max_megapixels=0.001}"]);
    refused(&capped, &["no row passed `warp`", "image too large, the first: "]);
}

#[test]
fn plans_with_mistakes_point_at_them() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let plan = |stage: &str| {
        let text = format!(
            "[sources.people]\nread.table = {{ path = \"people\" }}\n\n[stages.x]\ninputs = [\"people\"]\n{stage}\n\n\
             [sinks.out]\ninputs = [\"x\"]\nwrite.parquet = {{ path = \"out\" }}\n"
        );
        fs::write(folder.join("plan.toml"), text).unwrap();
        motionmill(folder, &["run", "plan.toml"])
    };
    refused(&plan("run.flipp = {}"), &["plan.toml", "line 6", "flipp", "map_skeleton"]);
    refused(&plan("run.flip = { probability = 1.5 }"), &["line 6", "from 0 to 1", "1.5"]);
    refused(&plan("run.flip = { chance = 0.5 }"), &["line 6", "chance", "probability"]);
    refused(&plan("run.flip = {}"), &["`people` -> `x`", "crop"]);
    refused(&plan("run.filter = { where = \"hight > 3\" }"), &["`people` -> `x`", "hight", "scale"]);
    refused(&plan("run.infer = { model = \"absent.onnx\" }"), &["`x`", "absent.onnx"]);
    refused(&plan("run.select = { columns = [\"sample_id\", \"sice\"] }"), &["`people` -> `x`", "sice"]);
    refused(&motionmill(folder, &["run", "recipe:cmp"]), &["`cmp`", "`cpm-mpii`"]);
    let looped = "[sources.s]\nread.table = { path = \"people\" }\n[stages.a]\ninputs = [\"b\"]\nrun.repeat = { copies = 2 }\n\
                  [stages.b]\ninputs = [\"a\"]\nrun.repeat = { copies = 2 }\n[sinks.o]\ninputs = [\"b\"]\nwrite.parquet = { path = \"o\" }\n";
    fs::write(folder.join("loop.toml"), looped).unwrap();
    refused(&motionmill(folder, &["plan", "loop.toml"]), &["`a`, `b`", "wait for each other"]);
    assert!(!folder.join("out").exists());
}

#[test]
fn a_network_that_does_not_fit_is_refused_before_a_row_flows() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let models = crate::support::workspace().join("models/demo-pose");
    fs::copy(models.join("demo_pose.onnx"), folder.join("net.onnx")).unwrap();
    let card = fs::read_to_string(models.join("demo_pose.toml")).unwrap();
    let run = |card: &str, size: &str| {
        fs::write(folder.join("net.toml"), card).unwrap();
        let crop = format!("stages.crop.run.crop.size={size}");
        let arguments = [
            "run",
            "recipe:predict",
            "--set",
            "sources.people.read.table.path=people",
            "--set",
            "stages.network.run.infer.model=net.onnx",
            "--set",
            &crop,
        ];
        motionmill(folder, &arguments)
    };
    refused(&run(&card, "[64, 64]"), &["`warp` -> `network`", "128", "64"]);
    refused(&run(&card.replace("lsp14", "mpii16"), "[128, 128]"), &["network", "16", "14"]);
    refused(&run(&card.replace("stage_2", "stage_3"), "[128, 128]"), &["stage_3", "stage_2"]);
    fs::write(folder.join("net.onnx"), "no network").unwrap();
    refused(&run(&card, "[128, 128]"), &["net.onnx"]);
}

#[test]
fn outputs_that_cannot_be_written_leave_nothing() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    fs::write(folder.join("file"), "a file").unwrap();
    let into_a_file = samples(folder, &["--set", "sinks.samples.write.parquet.path=file/samples"]);
    refused(&into_a_file, &["file/samples"]);
    samples(folder, &[]).succeeded();
    // Other work does not overwrite it.
    refused(&samples(folder, &["--set", "seed=9"]), &["exists", "--force"]);
    refused(&motionmill(folder, &["inspect", "raw"]), &["manifest.json"]);
}
