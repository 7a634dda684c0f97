//! `motionmill check` as a user runs it: tables of people in; a summary, a table and a gallery out.

use std::fs;
use std::path::Path;

use datasets::matlab::{self, Value};
use datasets::shards::TableReader;
use datasets::testing::real_data;
use schemas::tables::findings::{self, Finding};
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::commands::lsp_people;
use crate::support::{Done, files, motionmill};

fn check(folder: &Path, arguments: &[&str]) -> Done {
    let all: Vec<&str> = ["check"].into_iter().chain(arguments.iter().copied()).collect();
    motionmill(folder, &all)
}

/// Plants defects into the original files of `lsp_people` and reads them as the table `spoilt`.
///
/// Person 1 has exchanged hips, 2 a wrist far outside, 3 no head, and picture 5 is a copy of picture 4.
fn spoil(folder: &Path) {
    let variables = matlab::read(&folder.join("raw/joints.mat")).unwrap();
    let joints = matlab::variable(&variables, "joints").unwrap();
    let (dims, mut values) = (joints.dims().to_vec(), joints.numbers().unwrap());
    let at = |person: usize, joint: usize| person * 42 + joint * 3;
    for part in 0..2 {
        // Square hips and shoulders, so that exchanging the hips is a contradiction.
        values[at(1, 8) + part] = [60.0, 60.0][part];
        values[at(1, 9) + part] = [100.0, 60.0][part];
        values[at(1, 2) + part] = [95.0, 120.0][part];
        values[at(1, 3) + part] = [65.0, 120.0][part];
        values[at(2, 6) + part] = [460.0, 90.0][part];
        values[at(3, 13) + part] = values[at(3, 12) + part];
    }
    matlab::write(&folder.join("raw/joints.mat"), &[("joints", &Value::array(&dims, values))]).unwrap();
    fs::copy(folder.join("raw/images/im0004.jpg"), folder.join("raw/images/im0005.jpg")).unwrap();
    let ingest =
        ["ingest", "lsp", "--annotations", "raw/joints.mat", "--images", "raw/images", "--out", "spoilt"];
    motionmill(folder, &ingest).succeeded();
}

fn read(folder: &Path) -> Vec<Finding> {
    let batches = TableReader::open(folder, None).unwrap().read_all().unwrap();
    batches.iter().flat_map(|batch| findings::from_batch(batch).unwrap()).collect()
}

/// Rules and people of `findings`, sorted.
fn named(findings: &[Finding]) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.sample_id.as_deref().unwrap_or("")))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn planted_defects_are_found_written_and_drawn() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let clean = check(folder, &["people", "--fail-on", "any"]).succeeded();
    assert!(clean.stdout.starts_with("rule                findings    people"), "{}", clean.text());
    spoil(folder);
    let done =
        check(folder, &["spoilt", "--out", "findings", "--gallery", "g.html", "--set", "least_people=10"]);
    let done = done.succeeded();
    assert!(done.stderr.contains("wrote g.html: "), "{}", done.text());
    let found = read(&folder.join("findings"));
    let expected = [
        ("duplicate_picture", "lsp-im0005-0"),
        ("head_size", "lsp-im0004-0"),
        ("left_right", "lsp-im0002-0"),
        ("limb_length", "lsp-im0003-0"),
        ("out_of_image", "lsp-im0003-0"),
    ];
    let names = named(&found);
    for planted in expected {
        assert!(names.contains(&planted), "{planted:?} is not in {names:?}");
    }
    let is_wrist = |finding: &&Finding| {
        finding.rule == "out_of_image" && finding.joint.as_deref() == Some("right_wrist")
    };
    let wrist = found.iter().find(is_wrist).unwrap();
    assert_eq!((wrist.sample_id.as_deref(), wrist.unit.as_deref()), (Some("lsp-im0003-0"), Some("px")));
    assert_eq!(wrist.source_record.as_deref(), Some("joints(:,:,3)"));
    let page = fs::read_to_string(folder.join("g.html")).unwrap();
    assert!(page.contains("data:image/jpeg;base64,") && page.contains("lsp-im0005-0"));
    for address in ["http:", "https:", "@import"] {
        assert!(!page.contains(address), "the page loads `{address}`");
    }
    check(folder, &["spoilt", "--gallery", "g.png", "--show", "2"]).succeeded();
    assert_eq!(&fs::read(folder.join("g.png")).unwrap()[1..4], b"PNG");
}

#[test]
fn a_check_fails_only_where_it_is_asked_to() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    spoil(folder);
    let json = check(folder, &["spoilt", "--format", "json", "--rule", "out_of_image"]).succeeded();
    let summary: Vec<Json> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((summary.len(), &summary[0]["rule"]), (1, &Json::from("out_of_image")));
    assert_eq!(summary[0]["checked"].as_u64(), Some(12));
    let count = summary[0]["findings"].as_u64().expect("a count");
    let failed = check(folder, &["spoilt", "--rule", "out_of_image", "--fail-on", "out_of_image"]);
    assert_eq!(failed.code, 1);
    let said = format!("error: there are findings: `out_of_image` {count}\n");
    assert!(count > 0 && failed.stderr.contains(&said), "{}", failed.text());
    check(folder, &["spoilt", "--fail-on", "visibility"]).succeeded();
    let loose = ["spoilt", "--rule", "out_of_image", "--set", "margin_px=400", "--fail-on", "any"];
    check(folder, &loose).succeeded();
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let message = |arguments: &[&str]| {
        let done = check(folder, arguments);
        assert_ne!(done.code, 0, "{}", done.text());
        done.stderr
    };
    assert!(message(&["people", "--set", "limb_sigmas=3"]).contains("unknown field `limb_sigmas`"));
    assert!(message(&["people", "--set", "limb_sigma=-3"]).contains("must be from 1e-9 to 1e9, found `-3`"));
    assert!(message(&["people", "--rule", "leek"]).contains("`duplicate_picture`"));
    assert!(message(&["people", "--fail-on", "leek"]).contains("`duplicate_picture`"));
    assert!(message(&["people", "--gallery", "g.gif"]).contains("ends in `.html` or `.png`"));
    assert!(message(&["people-rejects"]).contains("`people-rejects`"));
    let other = "[sources.people]\nread.table = { path = \"people\" }\n[stages.other]\ninputs = [\"people\"]\n\
                 run.map_skeleton = { to = \"mpii16\" }\n[sinks.other]\ninputs = [\"other\"]\n\
                 write.parquet = { path = \"other\" }\n";
    fs::write(folder.join("other.toml"), other).unwrap();
    motionmill(folder, &["run", "other.toml"]).succeeded();
    let mixed = message(&["people", "other"]);
    assert!(
        mixed.contains("whose skeletons are `lsp14` and `mpii16`") && mixed.contains("`map_skeleton`"),
        "{mixed}"
    );
    assert!(message(&[]).contains("<PEOPLE>"));
}

#[test]
fn a_plan_checks_as_the_command_does_on_any_number_of_threads() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    spoil(folder);
    let plan = "seed = 1\n[sources.people]\nread.table = { path = 'spoilt' }\n[stages.check]\ninputs = ['people']\n\
                run.check = {}\n[sinks.findings]\ninputs = ['check']\nwrite.parquet = { path = 'OUT' }\n";
    for threads in ["1", "3"] {
        fs::write(folder.join("plan.toml"), plan.replace("OUT", &format!("of-{threads}"))).unwrap();
        motionmill(folder, &["run", "plan.toml", "--threads", threads]).succeeded();
    }
    let shards = |name: &str| {
        let mut all = files(&folder.join(name));
        all.retain(|file, _| file.ends_with(".parquet"));
        all
    };
    assert_eq!(shards("of-1"), shards("of-3"));
    check(folder, &["spoilt", "--out", "findings"]).succeeded();
    let sorted = |name: &str| {
        let mut all: Vec<String> =
            read(&folder.join(name)).iter().map(|finding| format!("{finding:?}")).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(sorted("of-1"), sorted("findings"));
}

#[test]
fn leaks_between_two_tables() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    lsp_people(folder);
    let lines = ["seed = 1", "[sources.people]", "read.table = { path = 'people' }"];
    let stage =
        "[stages.moved]\ninputs = ['people']\nrun.split.where = { split = 'test', condition = 'true' }";
    let sink = "[sinks.test]\ninputs = ['moved']\nwrite.parquet = { path = 'all-test' }";
    fs::write(folder.join("plan.toml"), format!("{}\n{stage}\n{sink}\n", lines.join("\n"))).unwrap();
    let moved = motionmill(folder, &["run", "plan.toml"]);
    assert_eq!(moved.code, 0, "{}", moved.text());
    let done = check(folder, &["people", "all-test", "--rule", "leak", "--fail-on", "leak"]);
    assert_eq!(done.code, 1, "{}", done.text());
    check(folder, &["people", "--rule", "leak", "--fail-on", "leak"]).succeeded();
}

#[test]
fn people_of_flic_who_were_annotated_twice() {
    let Some(annotations) = real_data("flic/examples.mat") else { return };
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let file = annotations.display().to_string();
    motionmill(folder, &["ingest", "flic", "--annotations", &file, "--images", "none", "--out", "flic"])
        .succeeded();
    let rules = ["--rule", "duplicate_person", "--rule", "leak"];
    let done = check(folder, &[&["flic", "--out", "findings"][..], &rules].concat()).succeeded();
    let found = read(&folder.join("findings"));
    let count = |rule: &str| found.iter().filter(|finding| finding.rule == rule).count();
    // Two image files stand in both splits; of the 451 file names that come twice, most show one person twice.
    assert_eq!((count("leak"), count("duplicate_person")), (2, 386), "{}", done.text());
}
