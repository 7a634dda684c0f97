//! Whole commands as a user sees them: exit code, stdout, stderr.

use std::fmt::Write;
use std::path::Path;

use datasets::registry::{SinkConfig, SourceConfig};
use datasets::synthetic::{self, Options};
use tempfile::tempdir;

use crate::support::{assert_snapshot, motionmill, workspace};

/// A dozen synthetic LSP people below `folder`, read into `people`.
pub(crate) fn lsp_people(folder: &Path) {
    let options = Options { images: 12, seed: 5, width: 200, height: 200 };
    synthetic::write_lsp(&folder.join("raw"), &options).expect("the folder can be written");
    let arguments =
        ["ingest", "lsp", "--annotations", "raw/joints.mat", "--images", "raw/images", "--out", "people"];
    motionmill(folder, &arguments).succeeded();
}

/// `text` with the seconds column of a summary blanked, which differs from run to run.
fn without_times(text: &str) -> String {
    let is_seconds =
        |word: &str| word.split_once('.').is_some_and(|(a, b)| b.len() == 1 && a.parse::<u32>().is_ok());
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((rest, last)) if is_seconds(last) => format!("{} [seconds]", rest.trim_end()),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn help_of_every_command() {
    let folder = tempdir().unwrap();
    let mut text = String::new();
    let formats = |command: &str, kinds: &[(&str, &[&str])]| -> Vec<Vec<String>> {
        let of = |(kind, _): &(&str, &[&str])| vec![command.to_owned(), kind.replace('_', "-")];
        std::iter::once(vec![command.to_owned()]).chain(kinds.iter().map(of)).collect()
    };
    let others = [
        &["check"][..],
        &["plan"],
        &["run"],
        &["evaluate", "pose"],
        &["evaluate", "verification"],
        &["inspect"],
        &["preview"],
        &["report"],
        &["demo"],
    ];
    let mut commands = vec![Vec::new()];
    commands.extend(formats("ingest", SourceConfig::KINDS));
    commands.extend(formats("export", SinkConfig::KINDS));
    commands.extend(others.map(|words| words.iter().map(|word| (*word).to_owned()).collect()));
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let done = motionmill(folder.path(), &arguments).succeeded();
        let _ = write!(text, "$ motionmill {}\n{}\n", arguments.join(" "), done.stdout);
    }
    assert_snapshot("help", &text);
}

#[test]
fn ingest_inspect_and_plan() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let options = Options { images: 12, seed: 5, width: 200, height: 200 };
    synthetic::write_lsp(&folder.join("raw"), &options).unwrap();
    let ingest =
        ["ingest", "lsp", "--annotations", "raw/joints.mat", "--images", "raw/images", "--out", "people"];
    assert_snapshot("ingest_lsp", &without_times(&motionmill(folder, &ingest).text()));
    // The same work again finds its result there.
    assert_snapshot("ingest_lsp_again", &without_times(&motionmill(folder, &ingest).text()));
    let inspected = motionmill(folder, &["inspect", "people"]).succeeded().stdout;
    let stable: Vec<&str> = inspected
        .lines()
        .filter(|line| !line.contains("bytes") && !line.contains("  from ") && !line.contains("  plan "))
        .collect();
    assert_snapshot("inspect_people", &stable.join("\n"));
    let planned = motionmill(
        folder,
        &["plan", "recipe:hourglass-mpii", "--set", "sources.people.read.table.path=people"],
    );
    assert_snapshot("plan_hourglass", &planned.text());
}

#[test]
fn a_network_is_run_scored_and_drawn() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let model = format!(
        "stages.network.run.infer.model={}",
        workspace().join("models/demo-pose/demo_pose.onnx").display()
    );
    let run = [
        "run",
        "recipe:predict",
        "--set",
        "sources.people.read.table.path=people",
        "--set",
        &model,
        "--set",
        "stages.score.run.evaluate.protocols=[\"lsp-pck\"]",
    ];
    let done = motionmill(folder, &run).succeeded();
    assert!(done.stderr.contains("wrote keypoints: 24 rows"), "{}", done.text());
    let scored = [
        "evaluate",
        "pose",
        "--truth",
        "people",
        "--predictions",
        "keypoints",
        "--protocol",
        "lsp-pck",
        "--format",
        "json",
    ];
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&motionmill(folder, &scored).succeeded().stdout).unwrap();
    let total = |head: i64| {
        let row = rows.iter().find(|row| {
            row["head"] == head && row["group"] == "total" && row["threshold"].as_f64() == Some(0.2)
        });
        row.expect("a total")["value"].as_f64().expect("a number")
    };
    // A mean pose finds about a fifth of the joints; the network must have learnt far more than that.
    assert!(total(2) > 60.0, "{}", total(2));
    for (table, more) in [("people", &[][..]), ("keypoints", &["--people", "people"][..])] {
        let picture = format!("{table}.png");
        let arguments: Vec<&str> = ["preview", table, "--out", &picture, "--count", "4"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        motionmill(folder, &arguments).succeeded();
        let size = image_size(&folder.join(&picture));
        assert!(size.0 > 300 && size.1 > 200, "{size:?}");
    }
}

/// Width and height of a PNG, from its header.
fn image_size(path: &Path) -> (u32, u32) {
    let bytes = std::fs::read(path).expect("the picture is there");
    assert_eq!(&bytes[1..4], b"PNG");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}
