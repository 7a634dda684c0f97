//! The motion chain as a user runs it: logs to readings to windows to trials to error rates.

use std::collections::BTreeMap;
use std::path::Path;

use datasets::shards::TableReader;
use datasets::synthetic::imu::{ImuOptions, Packing, ShowsAs, write_hmog};
use datasets::testing::real_data;
use schemas::columns::{longs, strings};
use schemas::tables::trials::{self, Trial};
use schemas::tables::windows;
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{files, motionmill};

/// Synthetic logs of eight people in HMOG's layout, zipped, below `folder`; gives the path to read.
fn logs(folder: &Path, defects: bool) -> (String, Vec<datasets::synthetic::imu::Planted>) {
    let options = ImuOptions {
        subjects: 8,
        sessions: 4,
        seconds: 12.0,
        defects,
        packing: Packing::SubjectZips,
        ..ImuOptions::default()
    };
    let written = write_hmog(&folder.join("raw"), &options, 11).expect("the folder can be written");
    let path = written.path.strip_prefix(folder).expect("below the folder").display().to_string();
    (path, written.planted)
}

/// `run recipe:raw-features` on `readings`, made small.
fn raw_features(folder: &Path, more: &[&str]) -> String {
    let fixed = "run recipe:raw-features --set sources.readings.read.table.path=readings \
                 --set stages.background.run.fit_background.components=16 \
                 --set stages.projection.run.fit_projection.components=20 \
                 --set sinks.trials.write.parquet.path=trials --set sinks.metrics.write.parquet.path=metrics";
    let arguments: Vec<&str> = fixed.split_whitespace().chain(more.iter().copied()).collect();
    motionmill(folder, &arguments).succeeded().stderr
}

fn read_trials(folder: &Path) -> Vec<Trial> {
    let table = TableReader::open(folder, None).unwrap();
    table.batches(1000).flat_map(|batch| trials::from_batch(&batch.unwrap()).unwrap()).collect()
}

#[test]
fn every_planted_defect_is_reported() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (path, planted) = logs(folder, true);
    let told = motionmill(folder, &["ingest", "hmog", &path, "--out", "readings"]).succeeded().stderr;
    let rejects = TableReader::open(&folder.join("readings-rejects"), None).unwrap().read_all().unwrap();
    let rejects: Vec<(String, String)> = rejects
        .iter()
        .flat_map(|batch| {
            let text =
                |name: &str| strings(batch, name).unwrap().iter().map(|t| t.unwrap_or_default().to_owned());
            text("reason").zip(text("source_file")).collect::<Vec<_>>()
        })
        .collect();
    assert!(planted.len() > 10, "{planted:?}");
    for defect in &planted {
        match defect.shows_as {
            ShowsAs::Reject(reason) => assert!(
                rejects.iter().any(|(of, file)| of == reason && file.ends_with(&defect.file)),
                "{defect:?} is not among {rejects:#?}"
            ),
            ShowsAs::Note(words) => assert!(told.contains(words), "{defect:?} is not told: {told}"),
            ShowsAs::Readings => {}
        }
    }
    // Stamps that repeat, run backward or leave gaps are for the quality report and the resampler to tell.
    let plan = "[sources.readings]\nread.table.path = 'readings'\n\
                [stages.quality]\ninputs = ['readings']\nrun.quality = {}\n\
                [stages.signals]\ninputs = ['readings']\nrun.resample = {}\n\
                [stages.windows]\ninputs = ['signals']\nrun.window = {}\n\
                [sinks.quality]\ninputs = ['quality']\nwrite.parquet.path = 'quality'\n\
                [sinks.windows]\ninputs = ['windows']\nwrite.parquet.path = 'windows'\n";
    std::fs::write(folder.join("plan.toml"), plan).unwrap();
    let told = motionmill(folder, &["run", "plan.toml"]).succeeded().stderr;
    for reason in ["duplicate stamp", "backward stamp", "sensor missing", "shorter than a window"] {
        assert!(told.contains(reason), "{reason}: {told}");
    }
    let quality = TableReader::open(&folder.join("quality"), None).unwrap().read_all().unwrap();
    let sum = |name: &str| {
        quality.iter().map(|b| longs(b, name).unwrap().values().iter().sum::<i64>()).sum::<i64>()
    };
    assert!(sum("duplicate_stamps") > 0 && sum("backward_stamps") > 0 && sum("gaps") > 0);
}

#[test]
fn a_window_is_twenty_blocks_of_fifty_samples_half_overlapped() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (path, _) = logs(folder, false);
    let plan = format!(
        "[sources.logs]\nread.hmog.path = '{path}'\n[stages.signals]\ninputs = ['logs']\nrun.resample = {{}}\n\
         [stages.windows]\ninputs = ['signals']\nrun.window = {{}}\n\
         [sinks.windows]\ninputs = ['windows']\nwrite.parquet.path = 'windows'\n"
    );
    std::fs::write(folder.join("plan.toml"), plan).unwrap();
    motionmill(folder, &["run", "plan.toml"]).succeeded();
    let table = TableReader::open(&folder.join("windows"), None).unwrap();
    assert_eq!(windows::shape(table.schema()).unwrap(), [20, 50, 6]);
    let batch = &table.read_all().unwrap()[0];
    let span = longs(batch, "end_nanos").unwrap().value(0) - longs(batch, "start_nanos").unwrap().value(0);
    assert_eq!(span, 525 * 20_000_000, "525 samples of 20 ms");
    // Half of a block is the first half of the next.
    let window = &windows::values(batch).unwrap()[..20 * 50 * 6];
    for block in 0..19 {
        assert_eq!(window[block * 300 + 150..(block + 1) * 300], window[(block + 1) * 300..][..150]);
    }
}

#[test]
fn threads_do_not_show_in_trials_and_metrics() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (path, _) = logs(folder, false);
    motionmill(folder, &["ingest", "hmog", &path, "--out", "readings"]).succeeded();
    let made = |threads: &str| {
        raw_features(folder, &["--threads", threads, "--force"]);
        (files(&folder.join("trials")), files(&folder.join("metrics")))
    };
    let one = made("1");
    assert!(one == made("2") && one == made("5"), "the bytes differ by threads");
    let read = |threads: &str| {
        let arguments = ["ingest", "hmog", path.as_str(), "--out", threads];
        motionmill(folder, &arguments).succeeded();
        files(&folder.join(threads))
            .into_iter()
            .filter(|(name, _)| name.ends_with("parquet"))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(read("again"), read("and_again"));
}

/// `run recipe:abacus-dcwrnn` on `readings` with a network that can be computed by hand in place of a trained one.
fn abacus(folder: &Path, more: &[&str]) {
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stages/testdata/models/block_moments.onnx");
    let fixed = "run recipe:abacus-dcwrnn --force --set sources.readings.read.table.path=readings \
                 --set stages.projection.run.fit_projection.components=10 \
                 --set stages.background.run.fit_background.components=8 \
                 --set sinks.trials.write.parquet.path=trials --set sinks.metrics.write.parquet.path=metrics";
    let network = format!("stages.features.run.embed.model={}", network.display());
    let arguments = fixed.split_whitespace().chain(["--set", network.as_str()]).chain(more.iter().copied());
    motionmill(folder, &arguments.collect::<Vec<_>>()).succeeded();
}

#[test]
fn a_network_of_sequences_goes_through_the_recipe_of_project_abacus() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (path, _) = logs(folder, false);
    motionmill(folder, &["ingest", "hmog", &path, "--out", "readings"]).succeeded();
    let made = |threads: &str| {
        abacus(folder, &["--threads", threads]);
        (files(&folder.join("trials")), files(&folder.join("metrics")))
    };
    assert!(made("1") == made("2"), "the bytes differ by threads");
    let trials = read_trials(&folder.join("trials"));
    assert!(trials.iter().all(|t| t.score.is_finite() && t.normalisation == "zt"), "{trials:?}");
    // Four people are too few a cohort for normalised scores to mean much, so the scores themselves must tell people
    // apart: the generator's differ in gait and hold.
    abacus(folder, &["--set", "sinks.trials.inputs=[\"scores\"]"]);
    let trials = read_trials(&folder.join("trials"));
    let mean = |genuine: bool| {
        let tried =
            trials.iter().filter(|t| t.genuine == genuine && t.client_split == t.split && t.split != "train");
        let scores: Vec<f64> = tried.map(|t| t.score).collect();
        assert!(!scores.is_empty());
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    assert!(mean(true) > mean(false) + 10.0, "{} and {}", mean(true), mean(false));
}

#[test]
fn people_and_sessions_never_stand_on_both_sides() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (path, _) = logs(folder, false);
    motionmill(folder, &["ingest", "hmog", &path, "--out", "readings"]).succeeded();
    raw_features(folder, &[]);
    let trials = read_trials(&folder.join("trials"));
    let mut of: BTreeMap<&str, &str> = BTreeMap::new();
    for trial in &trials {
        assert_eq!(*of.entry(&trial.subject).or_insert(&trial.split), trial.split);
        assert_eq!(trial.genuine, trial.client == trial.subject);
    }
    // A plan that divides overlapping windows of one session is refused before a row flows.
    let plan = "[sources.readings]\nread.table.path = 'readings'\n\
                [stages.signals]\ninputs = ['readings']\nrun.resample = {}\n\
                [stages.windows]\ninputs = ['signals']\nrun.window = {}\n\
                [stages.split]\ninputs = ['windows']\n\
                run.split.hold_out = { split = 'test', share = 0.5, by = 'sample' }\n\
                [sinks.windows]\ninputs = ['split']\nwrite.parquet.path = 'windows'\n";
    std::fs::write(folder.join("leak.toml"), plan).unwrap();
    let refused = motionmill(folder, &["plan", "leak.toml"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("share readings") && refused.stderr.contains("hint: split by `subject`"));
}

#[test]
fn bad_logs_and_declarations_are_told_in_words() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("logs/a")).unwrap();
    std::fs::write(folder.join("logs/a/1.csv"), "t,x,y,z\n1,1,2,3\n2,1,oops,3\n3,NaN,2,3\n4,1,2\n5,1,2,3\n")
        .unwrap();
    std::fs::write(folder.join("logs/a/2.csv"), "").unwrap();
    let layout = "dataset = 'own'\n[[files]]\npattern = '{subject}/{session}.csv'\nclock = 'ms'\nstamp = 't'\n\
                  sensors = { accelerometer = ['x', 'y', 'z'] }\n";
    std::fs::write(folder.join("layout.toml"), layout).unwrap();
    let ingest = ["ingest", "logs", "logs", "--layout", "layout.toml", "--out", "readings"];
    let told = motionmill(folder, &ingest).succeeded().stderr;
    assert!(told.contains("wrote readings: 2 rows"), "{told}");
    for reason in ["not a number", "not finite", "missing column", "empty file"] {
        assert!(told.contains(&format!("rejected: 1 x {reason}")), "{reason}: {told}");
    }
    let rejects = TableReader::open(&folder.join("readings-rejects"), None).unwrap().read_all().unwrap();
    let records: Vec<&str> = strings(&rejects[0], "source_record").unwrap().iter().flatten().collect();
    assert!(records.contains(&"line 3"), "{records:?}");
    std::fs::write(folder.join("layout.toml"), layout.replace("clock = 'ms'", "clock = 'hours'")).unwrap();
    let wrong = motionmill(folder, &ingest);
    assert!(wrong.code == 1 && wrong.stderr.contains("hours"), "{}", wrong.text());
    let none = motionmill(folder, &["ingest", "hmog", "logs", "--out", "hmog"]);
    assert!(none.code == 1 && none.stderr.contains("HMOG must have folders"), "{}", none.text());
}

/// Shares of `scores` that satisfy `keep`.
fn share(scores: &[f64], keep: impl Fn(f64) -> bool) -> f64 {
    scores.iter().filter(|score| keep(**score)).count() as f64 / scores.len() as f64
}

/// The equal error rate by the definition: at each score as threshold FAR and FRR, and a straight line between the two
/// steps at which FRR overtakes FAR.
fn equal_error_rate(genuine: &[f64], impostor: &[f64]) -> f64 {
    let mut thresholds: Vec<f64> = genuine.iter().chain(impostor).copied().collect();
    thresholds.push(f64::INFINITY);
    thresholds.sort_by(f64::total_cmp);
    let rates = |at: f64| [share(impostor, |score| score >= at), share(genuine, |score| score < at)];
    let mut before = rates(f64::NEG_INFINITY);
    for threshold in thresholds {
        let now = rates(threshold);
        if now[1] >= now[0] {
            let (gap_before, gap_now) = (before[0] - before[1], now[0] - now[1]);
            let part = if gap_before == gap_now { 0.0 } else { gap_before / (gap_before - gap_now) };
            return before[0] + part * (now[0] - before[0]);
        }
        before = now;
    }
    unreachable!("at the highest threshold everyone is refused")
}

#[test]
fn real_logs_from_csv_to_error_rates() {
    let Some(data) = real_data("imu/sp-sw-har") else { return };
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let data = data.display().to_string();
    let told = motionmill(folder, &["ingest", "logs", &data, "--preset", "sp-sw-har", "--out", "readings"]);
    assert!(told.succeeded().stderr.contains("wrote readings: 334,676 rows"));
    raw_features(folder, &[]);
    let trials = read_trials(&folder.join("trials"));
    let of = |split: &str, genuine: bool| -> Vec<f64> {
        let kept = trials.iter().filter(|trial| trial.split == split && trial.genuine == genuine);
        kept.map(|trial| trial.score).collect()
    };
    let arguments =
        ["evaluate", "verification", "--trials", "trials", "--resamples", "0", "--format", "json"];
    let rows: Vec<Value> = serde_json::from_str(&motionmill(folder, &arguments).succeeded().stdout).unwrap();
    let value = |metric: &str| {
        let row = rows.iter().find(|row| row["metric"] == metric && row["group"] != "curve");
        row.unwrap_or_else(|| panic!("no `{metric}`"))["value"].as_f64().unwrap()
    };
    let (genuine, impostor) = (of("test", true), of("test", false));
    let expected = 100.0 * equal_error_rate(&genuine, &impostor);
    assert!((value("eer") - expected).abs() < 1e-6, "{} against {expected}", value("eer"));
    let threshold = value("threshold");
    let errors = [share(&impostor, |score| score >= threshold), share(&genuine, |score| score < threshold)];
    assert!((value("hter") - 50.0 * (errors[0] + errors[1])).abs() < 1e-6);
    let validation = 100.0 * equal_error_rate(&of("validation", true), &of("validation", false));
    assert!((value("eer_validation") - validation).abs() < 1e-6);
    assert!(value("eer") < 40.0, "people are told apart better than by chance");
}
