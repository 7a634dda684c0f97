//! `motionmill demo`: both chains on synthetic people and logs, shown as the commands that do it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::Parser;
use datasets::synthetic::{self, Options, imu};

use super::terminal::tell;
use crate::cli::Cli;

/// The demo network and its card, made by `models/demo-pose/train.py`.
const NETWORK: &[u8] = include_bytes!("../../../models/demo-pose/demo_pose.onnx");
const CARD: &str = include_str!("../../../models/demo-pose/demo_pose.toml");
/// What it has to beat: the mean pose of its training samples, whatever the picture shows.
const MEAN_POSE: &[u8] = include_bytes!("../../../models/demo-pose/mean_pose.onnx");
const MEAN_POSE_CARD: &str = include_str!("../../../models/demo-pose/mean_pose.toml");

/// Seed of the demo's people; the network was trained on people of other seeds.
const SEED: u64 = 2026;

/// Runs the demo in `folder`, which is replaced.
pub(super) fn run(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.join(MARK).exists() {
        return Err(super::failure::Hint::error(
            format!("the folder exists and was not made by the demo: `{}`", folder.display()),
            "choose another with `--out`",
        ));
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot replace `{}`", folder.display()))?;
    }
    fs::create_dir_all(folder.join("network"))
        .with_context(|| format!("cannot write `{}`", folder.display()))?;
    let files: [(&str, &[u8]); 5] = [
        (MARK, b"Made by `motionmill demo`, which replaces this folder.\n"),
        ("network/demo_pose.onnx", NETWORK),
        ("network/demo_pose.toml", CARD.as_bytes()),
        ("network/mean_pose.onnx", MEAN_POSE),
        ("network/mean_pose.toml", MEAN_POSE_CARD.as_bytes()),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    draw_people(folder)?;
    write_logs(folder)?;
    for line in COMMANDS {
        let line = line.replace("MAP_COLUMNS", MAP_COLUMNS).replace("DEMO", &folder.display().to_string());
        tell(&format!("\n$ motionmill {line}"))?;
        let arguments = std::iter::once("motionmill").chain(line.split_whitespace());
        let cli = Cli::try_parse_from(arguments).context("a command of the demo is not valid")?;
        super::run(&cli.command)?;
    }
    let page = folder.join("report.html");
    Ok(tell(&format!("\nOpen {} in a browser, and look at the pictures beside it.", page.display()))?)
}

/// The file by which the demo knows its own folder.
const MARK: &str = "made-by-motionmill-demo";

/// What of a network's output is kept, so that the report can lay heatmaps over pictures: no pixels.
const MAP_COLUMNS: &str =
    "[\"sample_id\",\"split\",\"head\",\"heatmaps\",\"stride\",\"origin_in_crop\",\"crop_from_image\"]";

/// The demo, command by command.
const COMMANDS: [&str; 22] = [
    "ingest mpii --annotations DEMO/raw/mpii/annotations.mat --images DEMO/raw/mpii/images --out DEMO/people/mpii",
    "ingest lspet --annotations DEMO/raw/lspet/joints.mat --images DEMO/raw/lspet/images --out DEMO/people/lspet",
    "ingest lsp --annotations DEMO/raw/lsp/joints.mat --images DEMO/raw/lsp/images --out DEMO/people/lsp",
    "ingest flic --annotations DEMO/raw/flic/examples.mat --images DEMO/raw/flic/images --out DEMO/people/flic",
    "inspect DEMO/people/mpii",
    "run recipe:hourglass-mpii --set sources.people.read.table.path=DEMO/people/mpii \
     --set sinks.samples.write.parquet.path=DEMO/samples",
    "run recipe:predict --set sources.people.read.table={path=\"DEMO/people/mpii\",split=\"train\"} \
     --set stages.network.run.infer.model=DEMO/network/demo_pose.onnx \
     --set sinks.keypoints.write.parquet.path=DEMO/keypoints/mpii --set sinks.metrics.write.parquet.path=DEMO/metrics/mpii \
     --set stages.maps.inputs=[\"network\"] --set stages.maps.run.select.columns=MAP_COLUMNS \
     --set sinks.heatmaps.inputs=[\"maps\"] --set sinks.heatmaps.write.parquet.path=DEMO/heatmaps/mpii",
    "run recipe:predict --set sources.people.read.table={path=\"DEMO/people/lsp\",split=\"test\"} \
     --set stages.network.run.infer.model=DEMO/network/demo_pose.onnx \
     --set stages.score.run.evaluate.protocols=[\"lsp-pck\",\"lsp-pcp-strict\"] \
     --set sinks.keypoints.write.parquet.path=DEMO/keypoints/lsp --set sinks.metrics.write.parquet.path=DEMO/metrics/lsp \
     --set stages.maps.inputs=[\"network\"] --set stages.maps.run.select.columns=MAP_COLUMNS \
     --set sinks.heatmaps.inputs=[\"maps\"] --set sinks.heatmaps.write.parquet.path=DEMO/heatmaps/lsp",
    "run recipe:predict --set sources.people.read.table={path=\"DEMO/people/lsp\",split=\"test\"} \
     --set stages.network.run.infer.model=DEMO/network/mean_pose.onnx \
     --set stages.score.run.evaluate.protocols=[\"lsp-pck\",\"lsp-pcp-strict\"] \
     --set sinks.keypoints.write.parquet.path=DEMO/mean-pose/keypoints/lsp \
     --set sinks.metrics.write.parquet.path=DEMO/mean-pose/metrics/lsp",
    "evaluate pose --truth DEMO/people/mpii --split train --predictions DEMO/keypoints/mpii --protocol mpii-official \
     --protocol mpii-hrnet --protocol mpii-groups",
    "preview DEMO/people/mpii --split train --out DEMO/people.png",
    "preview DEMO/samples --out DEMO/samples.png",
    "preview DEMO/keypoints/mpii --people DEMO/people/mpii --out DEMO/predictions.png",
    "ingest hmog DEMO/raw/hmog --out DEMO/readings",
    "inspect DEMO/readings",
    "run recipe:hmog --set sources.logs.read.hmog.path=DEMO/raw/hmog \
     --set sinks.quality.write.parquet.path=DEMO/quality --set sinks.windows.write.parquet.path=DEMO/windows \
     --set sinks.normaliser.write.parquet.path=DEMO/normaliser",
    "run recipe:raw-features --set sources.readings.read.table.path=DEMO/readings \
     --set stages.background.run.fit_background.components=32 --set stages.projection.run.fit_projection.components=40 \
     --set sinks.trials.write.parquet.path=DEMO/trials --set sinks.metrics.write.parquet.path=DEMO/metrics/verification",
    "evaluate verification --trials DEMO/trials --plot DEMO/verification.png",
    "preview DEMO/readings --count 3 --out DEMO/readings.png",
    "preview DEMO/windows --split train --count 3 --out DEMO/windows.png",
    "preview DEMO/quality --out DEMO/quality.png",
    "report DEMO --against DEMO/mean-pose --out DEMO/report.html",
];

/// Writes synthetic phone logs in HMOG's layout, one zip per subject.
fn write_logs(folder: &Path) -> anyhow::Result<()> {
    let written = imu::write_hmog(&folder.join("raw/hmog"), &imu::ImuOptions::default(), SEED)?;
    let (subjects, sessions, readings) = (written.subjects.len(), written.sessions, written.readings);
    Ok(tell(&format!("wrote hmog: {subjects} subjects, {sessions} sessions, {readings} readings"))?)
}

/// Draws the synthetic data sets in their original formats.
fn draw_people(folder: &Path) -> anyhow::Result<()> {
    type Write = fn(&Path, &Options) -> Result<synthetic::Written, synthetic::SyntheticError>;
    let sets: [(&str, Write, usize, [u32; 2]); 4] = [
        ("mpii", synthetic::write_mpii, 120, [1280, 720]),
        ("lspet", synthetic::write_lspet, 80, [300, 300]),
        ("lsp", synthetic::write_lsp, 120, [300, 300]),
        ("flic", synthetic::write_flic, 60, [720, 480]),
    ];
    for (name, write, images, [width, height]) in sets {
        let written = write(&folder.join("raw").join(name), &Options { images, seed: SEED, width, height })?;
        let mebibytes = written.image_bytes as f64 / f64::from(1 << 20);
        let (images, people) = (written.images, written.people);
        tell(&format!("drew {name}: {images} images, {people} people, {mebibytes:.1} MiB"))?;
    }
    Ok(())
}
