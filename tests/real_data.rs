//! What the real files must give; each test skips where the data is not there.

use datasets::testing::real_data;
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Done, files, motionmill, workspace};

/// Ingests a real data set into `people` below a fresh folder.
fn ingest(folder: &std::path::Path, format: &str, annotations: &str, more: &[&str]) -> Option<Done> {
    let annotations = real_data(annotations)?.display().to_string();
    let images = real_data(".")?.join(format).join("images").display().to_string();
    let mut arguments =
        vec!["ingest", format, "--annotations", &annotations, "--images", &images, "--out", "people"];
    arguments.extend(more);
    Some(motionmill(folder, &arguments).succeeded())
}

#[test]
fn readers_count_what_the_files_hold() {
    let cases: [(&str, &str, &str, &[&str]); 4] = [
        (
            "mpii",
            "mpii/release_valid.mat",
            "2,769 images, 5,039 people, 2,958 of them labelled, 44,240 annotated joints",
            &[],
        ),
        (
            "lsp",
            "lsp/joints.mat",
            "2,000 images, 2,000 people, 2,000 of them labelled",
            &["split test: 1,000 rows"],
        ),
        ("lspet", "lspet/joints.mat", "10,000 images, 10,000 people, 10,000 of them labelled", &[]),
        (
            "flic",
            "flic/examples.mat",
            "5,003 people, 5,003 of them labelled",
            &["split train: 3,987 rows", "split test: 1,016 rows"],
        ),
    ];
    for (format, annotations, counts, splits) in cases {
        let folder = tempdir().unwrap();
        let Some(done) = ingest(folder.path(), format, annotations, &[]) else { return };
        assert!(done.stderr.contains(counts), "{}", done.text());
        let inspected = motionmill(folder.path(), &["inspect", "people"]).succeeded().stdout;
        for split in splits {
            assert!(inspected.contains(split), "{inspected}");
        }
    }
}

/// The published figures of the hourglass's released validation predictions, PROTOCOLS 6.3, to the last digit.
#[test]
fn published_predictions_give_the_published_figures() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let Some(subset) = real_data("mpii/valid.h5") else { return };
    let subset = subset.display().to_string();
    ingest(folder, "mpii", "mpii/release_valid.mat", &["--subset", &subset])
        .expect("the files stand together");
    let array = real_data("mpii/predictions/hg_preds_valid-example.h5").expect("the files stand together");
    let array = array.display().to_string();
    let arguments = [
        "ingest",
        "predictions",
        &array,
        "--array",
        "preds",
        "--axes",
        "njc",
        "--skeleton",
        "mpii16",
        "--first-pixel",
        "1",
        "--people",
        "people",
        "--out",
        "keypoints",
    ];
    motionmill(folder, &arguments).succeeded();
    let score = |protocol: &str| -> Vec<Value> {
        let arguments = [
            "evaluate",
            "pose",
            "--truth",
            "people",
            "--predictions",
            "keypoints",
            "--protocol",
            protocol,
            "--resamples",
            "0",
            "--format",
            "json",
        ];
        serde_json::from_str(&motionmill(folder, &arguments).succeeded().stdout).expect("a list of metrics")
    };
    let group = |rows: &[Value], group: &str| -> f64 {
        let row = rows.iter().find(|row| {
            row["metric"] == "pckh" && row["group"] == group && row["threshold"].as_f64() == Some(0.5)
        });
        row.unwrap_or_else(|| panic!("no row of `{group}`"))["value"].as_f64().expect("a number")
    };
    let official = score("mpii-official");
    let expected = [
        ("head", "94.9", 1),
        ("shoulder", "92.24", 2),
        ("elbow", "84.49", 2),
        ("wrist", "77.92", 2),
        ("hip", "83.00", 2),
        ("knee", "78.02", 2),
        ("ankle", "72.89", 2),
        ("upper_body", "84.9", 1),
        ("total", "83.93", 2),
    ];
    for (name, value, digits) in expected {
        assert_eq!(format!("{:.digits$}", group(&official, name)), value, "{name}");
    }
    let auc = official.iter().find(|row| row["metric"] == "auc" && row["group"] == "total").expect("an AUC");
    assert_eq!(format!("{:.1}", auc["value"].as_f64().unwrap()), "51.9");
    for protocol in ["mpii-hrnet", "mpii-mmpose"] {
        let rows = score(protocol);
        assert_eq!(format!("{:.2}", group(&rows, "head")), "93.69", "{protocol}");
        assert_eq!(format!("{:.2}", group(&rows, "total")), "83.93", "{protocol}");
    }
    let rows = score("mpii-pytorch-pose");
    assert_eq!(format!("{:.2}", group(&rows, "total")), "83.35");
    // The plain mean of the seven groups, from the same published columns.
    let mean = (94.9 + 92.24 + 84.49 + 77.92 + 83.00 + 78.02 + 72.89) / 7.0;
    assert!((group(&score("mpii-groups"), "total") - mean).abs() < 0.02);
}

/// A hundred real pictures through the real network, with one thread and with two: the same bytes.
#[test]
fn real_pictures_through_the_real_network() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let Some(model) = real_data("models/cpm_mobile.onnx") else { return };
    let Some(_) = ingest(folder, "lspet", "lspet/joints.mat", &[]) else { return };
    let card = workspace().join("models/cpm-mobile/cpm_mobile.toml");
    let plan = include_str!("plans/lspet_cpm_mobile.toml")
        .replace("MODEL", &model.display().to_string())
        .replace("CARD", &card.display().to_string());
    std::fs::write(folder.join("plan.toml"), plan).unwrap();
    for threads in ["1", "2"] {
        let out = format!("sinks.keypoints.write.parquet.path=\"t{threads}/keypoints\"");
        let metrics = format!("sinks.metrics.write.parquet.path=\"t{threads}/metrics\"");
        // Rows past the first hundred are rejected by the plan; the paths are the only difference.
        motionmill(folder, &["run", "plan.toml", "--threads", threads, "--set", &out, "--set", &metrics])
            .succeeded();
    }
    let table = |name: &str| -> Vec<(String, Vec<u8>)> {
        let shards = files(&folder.join(name)).into_iter().filter(|(name, _)| name.ends_with(".parquet"));
        shards.collect()
    };
    assert_eq!(table("t1/keypoints"), table("t2/keypoints"));
}
