//! `motionmill report` as a user runs it: tables of a run in, one page out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::{Done, motionmill, workspace};

/// Runs the demo network on synthetic LSP people below `folder`, into `run/`; `more` are further `--set` values.
fn predict(folder: &Path, run: &str, more: &[&str]) {
    let model = workspace().join("models/demo-pose/demo_pose.onnx");
    let mut sets = vec![
        "sources.people.read.table.path=people".to_owned(),
        format!("stages.network.run.infer.model={}", model.display()),
        "stages.score.run.evaluate.protocols=[\"lsp-pck\"]".to_owned(),
        format!("sinks.keypoints.write.parquet.path={run}/keypoints"),
        format!("sinks.metrics.write.parquet.path={run}/metrics"),
        "sinks.heatmaps.inputs=[\"network\"]".to_owned(),
        format!("sinks.heatmaps.write.parquet.path={run}/heatmaps"),
    ];
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    let arguments: Vec<&str> =
        ["run", "recipe:predict"].into_iter().chain(sets.iter().flat_map(|set| ["--set", set])).collect();
    motionmill(folder, &arguments).succeeded();
}

fn report(folder: &Path, arguments: &[&str]) -> Done {
    let all: Vec<&str> = ["report"].into_iter().chain(arguments.iter().copied()).collect();
    motionmill(folder, &all)
}

/// The page `report.html` of `folder`, after making sure that it is well-formed and loads nothing.
fn page(folder: &Path) -> String {
    let html = fs::read_to_string(folder.join("report.html")).expect("the page is there");
    assert_well_formed(&html);
    for address in ["http:", "https:", "@import", "url("] {
        assert!(!html.contains(address), "the page loads something by `{address}`");
    }
    for attribute in ["src=\"", "href=\""] {
        for value in html.split(attribute).skip(1) {
            assert!(value.starts_with("data:image") || value.starts_with('#'), "{attribute}{}", &value[..40]);
        }
    }
    html
}

/// Every tag is closed, in order; ids are unique and every link within the page has its target.
fn assert_well_formed(html: &str) {
    const EMPTY: [&str; 3] = ["meta", "img", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rest = html.strip_prefix("<!doctype html>").expect("an HTML file");
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let (tag, after) = rest.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes nothing");
        } else if !tag.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name);
        }
        if let Some(id) = tag.split_once(" id=\"").and_then(|(_, id)| id.split('"').next()) {
            *ids.entry(id).or_default() += 1;
        }
        if tag == "script" || tag == "style" {
            rest = &rest[rest.find(&format!("</{name}>")).expect("it ends")..];
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    assert!(ids.values().all(|count| *count == 1), "{ids:?}");
    for link in html.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap_or_default();
        assert!(ids.contains_key(target), "no target `{target}`");
    }
}

/// The text of the cells of the first row whose heading is `name`, after `caption`.
fn row(html: &str, caption: &str, name: &str) -> Vec<String> {
    let table = html.split(&format!("<caption>{caption}")).nth(1).expect("the table is there");
    let row = table.split(&format!(">{name}</th>")).nth(1).expect("the row is there");
    let row = row.split("</tr>").next().unwrap_or_default();
    let cell = |cell: &str| {
        let text = cell.split("</td>").next().unwrap_or_default();
        text.split('>').skip(1).map(|part| part.split('<').next().unwrap_or_default()).collect::<String>()
    };
    row.split("<td").skip(1).map(cell).collect()
}

#[test]
fn the_page_shows_the_numbers_of_the_metric_table_and_pictures_with_maps() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    predict(folder, "run", &[]);
    let told = report(folder, &["run", "--truth", "people", "--worst", "5"]).succeeded();
    assert!(told.stderr.contains("wrote report.html: 1 of poses, 0 of trials"), "{}", told.text());
    let html = page(folder);
    let scored = "evaluate pose --truth people --predictions run/keypoints --protocol lsp-pck --format json";
    let arguments: Vec<&str> = scored.split(' ').collect();
    let rows: Vec<Value> = serde_json::from_str(&motionmill(folder, &arguments).succeeded().stdout).unwrap();
    let value = |key: &str, name: &str, threshold: f64| {
        let row = rows.iter().find(|row| {
            row["head"] == 2
                && row["metric"] == "pck"
                && row[key] == name
                && row["threshold"].as_f64() == Some(threshold)
        });
        row.unwrap_or_else(|| panic!("no {name}"))["value"].as_f64().unwrap()
    };
    let caption = "PCK in percent";
    let groups = ["head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "upper_body", "total"];
    for (at, label) in [(0.2, "0.20"), (0.1, "0.10"), (0.05, "0.05")] {
        let cells = row(&html, caption, label);
        let expected: Vec<String> =
            groups.iter().map(|group| format!("{:.2}", value("group", group, at))).collect();
        assert_eq!(cells[..9], expected, "at {label}");
    }
    for joint in ["left_wrist", "right_ankle", "neck"] {
        let cells = row(&html, "Each joint", &joint.replace('_', " "));
        assert_eq!(cells[0], format!("{:.2}", value("joint", joint, 0.2)));
    }
    assert!(html.contains("were scored anew and agree"));
    // Good and jitter are what the protocol counts as right.
    let errors = row(&html, "Error types of each joint", "total");
    let number = |at: usize| errors[at].parse::<f64>().unwrap();
    assert!((number(0) + number(2) - value("group", "total", 0.2)).abs() < 0.011, "{errors:?}");
    // Prediction and heatmap side by side.
    assert_eq!(html.matches("<img ").count(), 5);
    assert!(html.contains("width=\"482\" height=\"240\""));
    assert!(html.contains("lsp-pcp-strict") && html.contains("libjpeg-turbo"));
    // The same tables make the same page.
    report(folder, &["run", "--truth", "people", "--worst", "5"]).succeeded();
    assert!(page(folder) == html);
}

#[test]
fn two_runs_are_compared_on_the_same_people() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    predict(folder, "one", &[]);
    // The second network sees its people too small.
    predict(folder, "two", &["stages.crop.run.crop.frame.person.height=55"]);
    report(folder, &["one", "--truth", "people", "--against", "two", "--worst", "0"]).succeeded();
    let html = page(folder);
    let total = row(&html, "Both predictions", "total pck at 0.2");
    let numbers: Vec<f64> = total[..3].iter().map(|cell| cell.parse().unwrap()).collect();
    assert!((numbers[0] - numbers[1] - numbers[2]).abs() < 0.011 && numbers[2] > 0.0, "{total:?}");
    assert!(total[3].contains(" to "), "{total:?}");
}

#[test]
fn what_does_not_belong_together_is_told_with_the_flag_that_decides() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    predict(folder, "run", &[]);
    let refused = |arguments: &[&str], words: &[&str]| {
        let done = report(folder, arguments);
        assert_eq!(done.code, 1, "{}", done.text());
        assert!(words.iter().all(|word| done.stderr.contains(word)), "{}", done.text());
        assert!(!folder.join("report.html").exists());
    };
    refused(&["nowhere"], &["no such folder: `nowhere`"]);
    refused(&["people"], &["nothing to report", "tables people", "--predictions DIR"]);
    refused(&["run"], &["no table `people`", "hint: name it: `--truth DIR`"]);
    refused(&["run", "--truth", "run/keypoints"], &["not `people`", "--truth"]);
    refused(&["run", "--truth", "people", "--worst", "9999"], &["--worst"]);
    // People that the predictions are not of.
    let options = datasets::synthetic::Options { images: 6, seed: 9, width: 200, height: 200 };
    datasets::synthetic::write_flic(&folder.join("flic"), &options).unwrap();
    let ingest = "ingest flic --annotations flic/examples.mat --images flic/images --out strangers";
    motionmill(folder, &ingest.split(' ').collect::<Vec<_>>()).succeeded();
    refused(&["run", "--truth", "strangers"], &["are of nobody in `strangers`", "--truth DIR"]);
    // A damaged shard is an error that names it, not a page of half the people.
    let shard = fs::read_dir(folder.join("run/keypoints")).unwrap().map(|entry| entry.unwrap().path());
    let shard = shard.into_iter().find(|path| path.extension().is_some_and(|end| end == "parquet")).unwrap();
    fs::write(&shard, b"PAR1").unwrap();
    refused(&["run", "--truth", "people"], &["the file is damaged"]);
}

#[test]
fn a_page_without_pictures_says_why() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    predict(folder, "run", &[]);
    fs::remove_dir_all(folder.join("raw/images")).unwrap();
    let told = report(folder, &["run", "--truth", "people", "--worst", "3"]).succeeded();
    assert_eq!(told.stderr.matches("not shown: ").count(), 3, "{}", told.text());
    let html = page(folder);
    assert_eq!(html.matches("class=\"missing\"").count(), 3);
    assert!(html.contains("no such image") && html.contains("picture not readable"));
}

#[test]
fn people_that_a_run_filtered_out_are_left_out_of_its_page_and_told() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let only_some = [
        "stages.persons.run.filter.where=sample_id < 'lsp-im0004'",
        "stages.score.inputs=[\"persons\",\"decode\"]",
    ];
    predict(folder, "run", &only_some);
    report(folder, &["run", "--truth", "people", "--worst", "2"]).succeeded();
    let html = page(folder);
    assert!(html.contains("3 of 6 people of people have no prediction"));
    assert!(html.contains("were scored anew and agree") && !html.contains("counted as wrong"));
    // Without that table, everybody counts, and only predicted people are looked at.
    fs::remove_dir_all(folder.join("run/metrics")).unwrap();
    report(folder, &["run", "--truth", "people", "--worst", "12"]).succeeded();
    let html = page(folder);
    assert!(html.contains("3 of 6 people have no prediction; counted as wrong"));
    assert_eq!(html.matches("<img ").count(), 3);
}
