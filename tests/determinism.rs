//! Same plan, same seed: same bytes, whatever the threads, and after any interruption.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::{files, motionmill};

/// The command that makes samples by `recipe`, in batches and shards small enough that there are several.
fn arguments<'a>(recipe: &'a str, threads: &'a str) -> Vec<&'a str> {
    let fixed = "--set sources.people.read.table={path=\"people\"} --set runner.batch_rows=2 \
                 --set sinks.samples.write.parquet.path=samples --set sinks.samples.write.parquet.shard_mib=1";
    ["run", recipe, "--threads", threads].into_iter().chain(fixed.split_whitespace()).collect()
}

/// Samples of each paper's augmentation, made with `threads` threads.
fn samples(folder: &Path, recipe: &str, threads: &str) -> BTreeMap<String, Vec<u8>> {
    let mut arguments = arguments(recipe, threads);
    arguments.push("--force");
    motionmill(folder, &arguments).succeeded();
    files(&folder.join("samples"))
}

#[test]
fn threads_do_not_show_in_the_bytes() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    for recipe in ["recipe:cpm-lsp", "recipe:hourglass-mpii", "recipe:repose-lsp"] {
        let one = samples(folder, recipe, "1");
        assert!(one.len() > 3, "several shards and a manifest are needed to say anything");
        assert_eq!(one, samples(folder, recipe, "2"), "{recipe}");
        assert_eq!(one, samples(folder, recipe, "5"), "{recipe}");
    }
}

#[test]
fn a_killed_run_is_continued_to_the_same_bytes() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let whole = samples(folder, "recipe:hourglass-mpii", "2");
    std::fs::remove_dir_all(folder.join("samples")).unwrap();
    std::fs::remove_dir_all(folder.join("samples-rejects")).unwrap();
    let arguments = arguments("recipe:hourglass-mpii", "1");
    // Kill the command again and again, a little later each time, until it gets through.
    let mut kills = 0;
    for attempt in 1..200u64 {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_motionmill"))
            .args(&arguments)
            .current_dir(folder)
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the command starts");
        std::thread::sleep(std::time::Duration::from_millis(15 * attempt));
        if child.try_wait().expect("a child of ours").is_some() {
            break;
        }
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
        kills += 1;
        if folder.join("samples/manifest.json").exists() {
            motionmill(folder, &["verify", "samples"]).succeeded();
        }
    }
    assert!(kills > 0, "the command was never killed, so nothing was tested");
    motionmill(folder, &arguments).succeeded();
    assert_eq!(whole, files(&folder.join("samples")));
}
