//! A run as a set of units: in shares, at once, killed and damaged. The bytes are those of one undisturbed run, or the
//! command says what is wrong; what others made stays.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use datasets::synthetic::{self, Options};
use tempfile::{TempDir, tempdir};

use crate::support::{Done, files, motionmill};

/// Forty people, two of them without a picture, in ten units; a table, an aggregate, an export and rejects come out.
const PLAN: &str = r#"seed = 7
rejects = "o/rejects"
[runner]
batch_rows = 2
unit_batches = 2
[sources.people]
read.table = { path = "people" }
[stages.held]
inputs = ["people"]
run.split.hold_out = { split = "val", share = 0.3, by = "image" }
[stages.crop]
inputs = ["held"]
run.crop = { size = [48, 48], frame = { keypoints = { margin = 1.3 } } }
[stages.rotate]
inputs = ["crop"]
run.rotate.uniform = { max_degrees = 30 }
[stages.warp]
inputs = ["rotate"]
run.warp = { border = 128 }
[stages.look]
inputs = ["held"]
run.check = { rules = ["visibility", "few_joints", "limb_length", "duplicate_person"] }
[sinks.samples]
inputs = ["warp"]
write.parquet = { path = "o/samples", shard_mib = 1 }
[sinks.findings]
inputs = ["look"]
write.parquet = { path = "o/findings" }
[sinks.coco]
inputs = ["held"]
write.coco = { path = "o/people.json" }
"#;

type Bytes = BTreeMap<String, Vec<u8>>;

/// A folder with the plan and its people.
fn workplace() -> TempDir {
    let place = tempdir().unwrap();
    let folder = place.path();
    let options = Options { images: 40, seed: 5, width: 96, height: 96 };
    synthetic::write_lsp(&folder.join("raw"), &options).unwrap();
    let ingest = "ingest lsp --annotations raw/joints.mat --images raw/images --out people";
    let ingest: Vec<&str> = ingest.split(' ').collect();
    motionmill(folder, &ingest).succeeded();
    for number in [9, 30] {
        fs::remove_file(folder.join(format!("raw/images/im{number:04}.jpg"))).unwrap();
    }
    fs::write(folder.join("plan.toml"), PLAN).unwrap();
    place
}

fn run(folder: &Path, more: &[&str]) -> Done {
    motionmill(folder, &[&["run", "plan.toml"], more].concat())
}

/// The outputs of one undisturbed run; they are moved out of the way.
fn undisturbed(folder: &Path) -> Bytes {
    run(folder, &["--threads", "1"]).succeeded();
    let whole = files(&folder.join("o"));
    let shards = |table: &str| whole.keys().filter(|name| name.starts_with(table)).count();
    assert!(shards("samples/") > 10 && shards("rejects/") > 2, "too few shards to say anything");
    fs::remove_dir_all(folder.join("o")).unwrap();
    whole
}

/// Says which files differ, without their bytes.
fn assert_same(found: &Path, whole: &Bytes, when: &str) {
    let found = files(found);
    let names = found.keys().chain(whole.keys());
    let other: Vec<&String> = names.filter(|name| found.get(*name) != whole.get(*name)).collect();
    assert!(other.is_empty(), "{when}: {other:?}");
}

fn begin(folder: &Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_motionmill"))
        .args(["run", "plan.toml"])
        .args(more)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

/// Runs that end by themselves, all at once.
fn at_once(folder: &Path, shares: &[String]) {
    let children: Vec<Child> =
        shares.iter().map(|share| begin(folder, &["--threads", "1", "--shard", share])).collect();
    for child in children {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn arrays_of_any_size_make_the_same_bytes() {
    let place = workplace();
    let folder = place.path();
    let whole = undisturbed(folder);
    for of in [1, 3, 16] {
        let shares: Vec<String> = (1..=of).rev().map(|number| format!("{number}/{of}")).collect();
        let (first, rest) = shares.split_at(of / 2);
        // Two of them are killed on the way, the second a little later, and sent again with the others.
        for (share, milliseconds) in shares.iter().zip([30, 90]) {
            let mut child = begin(folder, &["--threads", "1", "--shard", share]);
            std::thread::sleep(Duration::from_millis(milliseconds));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for some in first.chunks(4) {
            at_once(folder, some);
        }
        // Nothing is a table before all of it is there.
        let early = motionmill(folder, &["merge", "plan.toml"]);
        assert!(early.code == 2 && early.stderr.contains("units are not done"), "{}", early.text());
        assert!(!folder.join("o/samples/manifest.json").exists());
        for some in rest.chunks(4) {
            at_once(folder, some);
        }
        motionmill(folder, &["merge", "plan.toml"]).succeeded();
        assert_same(&folder.join("o"), &whole, &format!("{of} shares"));
        // A share that is sent again finds everything done, and so does the merge.
        run(folder, &["--shard", &shares[0]]).succeeded();
        motionmill(folder, &["merge", "plan.toml"]).succeeded();
        assert_same(&folder.join("o"), &whole, "again");
        fs::remove_dir_all(folder.join("o")).unwrap();
    }
}

#[test]
fn a_share_of_another_plan_is_refused() {
    let place = workplace();
    let folder = place.path();
    run(folder, &["--shard", "1/2"]).succeeded();
    let foreign = run(folder, &["--shard", "2/2", "--set", "seed=8"]);
    assert_ne!(foreign.code, 0, "{}", foreign.text());
    let foreign = motionmill(folder, &["merge", "plan.toml", "--set", "seed=8"]);
    assert_ne!(foreign.code, 0, "{}", foreign.text());
    let none = run(folder, &["--shard", "3/2"]);
    assert!(none.code == 1 && none.stderr.contains("`3/64`"), "{}", none.text());
    run(folder, &["--shard", "2/2"]).succeeded();
    motionmill(folder, &["merge", "plan.toml"]).succeeded();
}

type Damage = fn(&Path);

/// Ways to spoil a file.
const DAMAGES: [(&str, Damage); 5] = [
    ("flipped", |path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(path, bytes).unwrap();
    }),
    ("cut short", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 3]).unwrap();
    }),
    ("emptied", |path| fs::write(path, "").unwrap()),
    ("deleted", |path| fs::remove_file(path).unwrap()),
    ("longer", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, [&bytes[..], b"x"].concat()).unwrap();
    }),
];

/// All files below `folder` whose name ends with one of `endings`.
fn ending(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let names = files(folder).into_keys();
    names.filter(|name| endings.iter().any(|end| name.ends_with(end))).map(|name| folder.join(name)).collect()
}

#[test]
fn what_a_run_takes_over_is_checked() {
    let place = workplace();
    let folder = place.path();
    let whole = undisturbed(folder);
    run(folder, &["--shard", "1/2"]).succeeded();
    let begun = folder.join("begun");
    let copy = |from: &Path, to: &Path| {
        let _ = fs::remove_dir_all(to);
        for (name, bytes) in files(from) {
            let file = to.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    };
    let there = folder.join("o");
    copy(&there, &begun);
    // Shards, waiting rows, records and marks.
    let all = ending(&there, &[".parquet", ".json"]);
    assert!(all.len() > 20, "{all:?}");
    for (number, path) in all.iter().enumerate() {
        let (how, damage) = DAMAGES[number % DAMAGES.len()];
        copy(&begun, &there);
        damage(path);
        let done = run(folder, &["--threads", "2"]);
        if done.code == 0 {
            assert_same(&there, &whole, &format!("{} {how}", path.display()));
        } else {
            // Without its mark, what is there is nobody's, and stays.
            assert!(path.ends_with("mark.json"), "{} {how}: {}", path.display(), done.text());
        }
    }
}

#[test]
fn damage_in_finished_tables_is_noticed() {
    let place = workplace();
    let folder = place.path();
    run(folder, &[]).succeeded();
    let verify = || motionmill(folder, &["verify", "o/samples", "o/findings", "o/rejects", "o/people.json"]);
    verify().succeeded();
    let all = ending(&folder.join("o"), &[".parquet", ".json"]);
    for (number, path) in all.iter().enumerate() {
        let whole = fs::read(path).unwrap();
        let (how, damage) = DAMAGES[number % DAMAGES.len()];
        damage(path);
        let found = verify();
        let table = if path.ends_with("people.json") { path.as_path() } else { path.parent().unwrap() };
        let name = table.strip_prefix(folder).unwrap().display().to_string();
        assert!(found.code != 0 && found.stderr.contains(&name), "{name} {how}: {}", found.text());
        // The same work again does not call it up to date.
        let again = run(folder, &[]);
        assert!(again.code != 0, "{} {how}: {}", path.display(), again.text());
        fs::write(path, whole).unwrap();
    }
    verify().succeeded();
}

#[test]
fn of_two_runs_at_once_one_is_refused() {
    let place = workplace();
    let folder = place.path();
    let whole = undisturbed(folder);
    let mut refusals = 0;
    for pause in [0, 0, 5, 20, 60, 120] {
        let first = begin(folder, &["--threads", "1"]);
        std::thread::sleep(Duration::from_millis(pause));
        let second = begin(folder, &["--threads", "1"]);
        let ended = [first, second].map(|child| child.wait_with_output().unwrap());
        let refused: Vec<_> = ended.iter().filter(|done| !done.status.success()).collect();
        assert!(refused.len() < 2, "one of them must get through");
        for done in refused {
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(told.contains("process"), "{told}");
            assert_eq!(done.status.code(), Some(2), "it may succeed later: {told}");
            refusals += 1;
        }
        assert_same(&folder.join("o"), &whole, "two at once");
        fs::remove_dir_all(folder.join("o")).unwrap();
    }
    assert!(refusals > 0, "they never met, so nothing was tested");
}

#[test]
fn what_others_made_stays() {
    let place = workplace();
    let folder = place.path();
    fs::create_dir_all(folder.join("o/samples")).unwrap();
    fs::write(folder.join("o/samples/notes.txt"), "mine").unwrap();
    for more in [&[][..], &["--force"]] {
        let refused = run(folder, more);
        assert!(refused.code == 1 && refused.stderr.contains("o/samples"), "{}", refused.text());
        let names: Vec<String> = files(&folder.join("o")).into_keys().collect();
        assert_eq!(names, ["samples/notes.txt"]);
    }
    for path in ["people", "people/x", ".", "./people/../people", "raw/../o/findings"] {
        let set = format!("sinks.samples.write.parquet.path={path}");
        let refused = run(folder, &["--force", "--set", &set]);
        assert!(refused.code == 1 && refused.stderr.contains("inside"), "{path}: {}", refused.text());
    }
    assert!(folder.join("people/manifest.json").exists() && !folder.join("o/rejects").exists());
}

#[test]
fn force_keeps_the_old_table_until_the_new_one_is_whole() {
    let place = workplace();
    let folder = place.path();
    run(folder, &[]).succeeded();
    let old = files(&folder.join("o"));
    let other = ["--set", "seed=8", "--threads", "1"];
    let mut kept = 0;
    for attempt in 0..60 {
        let mut child = begin(folder, &[&other[..], &["--force"]].concat());
        std::thread::sleep(Duration::from_millis(40 + 10 * attempt));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        if ended {
            break;
        }
        // Whatever is a table is one of the two, whole.
        let manifest = folder.join("o/samples/manifest.json");
        if fs::read(&manifest).unwrap() == old["samples/manifest.json"] {
            kept += 1;
            motionmill(folder, &["verify", "o/samples"]).succeeded();
        }
    }
    assert!(kept > 0, "the run was never killed, so nothing was tested");
    run(folder, &[&other[..], &["--force"]].concat()).succeeded();
    let forced = files(&folder.join("o"));
    fs::remove_dir_all(folder.join("o")).unwrap();
    run(folder, &other).succeeded();
    assert_same(&folder.join("o"), &forced, "forced onto another");
}

/// Whether this process was started to live through SIGHUP, as by `nohup`, and its children with it.
fn ignores_hup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[test]
fn a_signal_ends_a_run_and_the_next_goes_on() {
    let place = workplace();
    let folder = place.path();
    let whole = undisturbed(folder);
    let signals: &[&str] = if ignores_hup() { &["TERM", "INT"] } else { &["TERM", "INT", "HUP"] };
    for signal in signals {
        // A signal that comes before the run has begun ends the process as it does by default, so later and later.
        let met = (1..40).any(|attempt| {
            let child = begin(folder, &["--threads", "1"]);
            std::thread::sleep(Duration::from_millis(30 * attempt));
            Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
            let done = child.wait_with_output().unwrap();
            if done.status.success() {
                fs::remove_dir_all(folder.join("o")).unwrap();
            }
            let told = String::from_utf8_lossy(&done.stderr);
            let ended = done.status.code() == Some(2);
            assert!(!ended || told.contains(&format!("SIG{signal}")), "{told}");
            ended
        });
        assert!(met, "SIG{signal} never met the run, so nothing was tested");
    }
    run(folder, &[]).succeeded();
    assert_same(&folder.join("o"), &whole, "after signals");
}
