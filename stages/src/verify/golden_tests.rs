//! Against scikit-learn and numpy; see `testdata/README.md`.

use std::collections::BTreeMap;

use schemas::tables::embeddings;
use schemas::tables::models::Projection;
use schemas::tables::trials::{self, Trial};

use super::blocks::FrameMatrix;
use super::em::{self, Options};
use super::fixtures::{Row, context, run, table};
use super::gaussians::Gaussians;
use super::reference::{close, log_likelihood, mixtures_close};
use super::{FitProjectionConfig, NormaliseScoresConfig, ProjectConfig};

type Golden = BTreeMap<String, BTreeMap<String, Vec<f64>>>;

fn golden() -> Golden {
    toml::from_str(include_str!("testdata/golden.toml")).unwrap()
}

#[test]
fn a_projection_is_that_of_scikit_learn() {
    let golden = golden();
    let expected = &golden["projection"];
    let rows: Vec<Row> = golden["frames"]["numbers"]
        .chunks(3)
        .enumerate()
        .map(|(at, frame)| Row {
            split: Some("train"),
            subject: format!("s{}", at % 4),
            session: "1".into(),
            role: None,
            sequence: 0,
            frame: at as i32,
            numbers: frame.iter().map(|x| *x as f32).collect(),
        })
        .collect();
    let input = vec![table(&rows)];
    let config: FitProjectionConfig = toml::from_str("components = 2").unwrap();
    let (fitted, _) = run(&config.build(&context("pca")).unwrap(), &[&input]).unwrap();
    let projection = &Projection::from_batch(&fitted[0]).unwrap()[0];
    for (name, found) in [
        ("mean", &projection.mean),
        ("directions", &projection.directions),
        ("variance", &projection.variance),
        ("total_variance", &vec![projection.total_variance]),
    ] {
        assert!(close(found, &expected[name], 1e-12), "{name}: {found:?}");
    }
    assert_eq!((projection.frames, projection.subjects.join(" ")), (60, "s0 s1 s2 s3".to_owned()));
    let stage = ProjectConfig {}.build(&context("project")).unwrap();
    let (rows, _) = run(&stage, &[&input, &fitted]).unwrap();
    let found: Vec<f64> = embeddings::values(&rows[0]).unwrap()[..10].iter().map(|y| f64::from(*y)).collect();
    assert!(close(&found, &expected["projected"], 1e-6));
}

#[test]
fn a_mixture_is_that_of_scikit_learn() {
    let golden = golden();
    let (frames, expected) = (&golden["frames"]["numbers"], &golden["mixture"]);
    let mixture = |prefix: &str| {
        let part = |name: &str| expected[&format!("{prefix}{name}")].clone();
        Gaussians::new(part("weights"), part("means"), part("variances")).unwrap()
    };
    let options = Options { iterations: 5, tolerance: 0.0, floor: vec![0.0; 3], regularisation: 1e-6 };
    let source = FrameMatrix { numbers: frames, dimensions: 3 };
    let fit = em::fit(&source, mixture("start_"), &options).unwrap();
    assert!(mixtures_close(&fit.gaussians, &mixture(""), 1e-10));
    assert!(close(&fit.log_likelihoods, &expected["log_likelihoods"], 1e-12));
    let logs: Vec<f64> =
        frames.chunks(3).take(10).map(|frame| log_likelihood(frame, &fit.gaussians)).collect();
    assert!(close(&logs, &expected["frame_log_likelihoods"], 1e-10));
}

/// Trials of 2 clients and 4 cohort clients on 3 probes and 5 cohort probes.
fn scores(golden: &BTreeMap<String, Vec<f64>>) -> Vec<Trial> {
    let mut all = Vec::new();
    for (name, clients, probes) in
        [("cohort_cohort", 4, 5), ("evaluation", 2, 3), ("client_cohort", 2, 5), ("cohort_probe", 4, 3)]
    {
        let split = |of_cohort: bool| if of_cohort { "train" } else { "test" };
        for (at, score) in golden[name].iter().enumerate() {
            let (client, probe) = (at / probes, at % probes);
            let (client_split, probe_split) = (split(clients == 4), split(probes == 5));
            let (client, subject) = (format!("{client_split}{client}"), format!("{probe_split}{probe}"));
            if client == subject && probe_split == "train" {
                continue;
            }
            all.push(Trial {
                dataset: "made-up".into(),
                split: probe_split.into(),
                client_split: client_split.into(),
                genuine: client == subject,
                client,
                subject,
                device: "phone".into(),
                session: "1".into(),
                sequence: None,
                score: *score,
                frames: 10,
                normalisation: "none".into(),
                model: "gmm-ubm".into(),
            });
        }
    }
    all
}

#[test]
fn normalised_scores_are_those_of_their_definitions() {
    let golden = &golden()["scores"];
    let input = vec![trials::to_batch(&scores(golden))];
    for kind in ["z", "t", "zt"] {
        let config: NormaliseScoresConfig = toml::from_str(&format!("kind = '{kind}'")).unwrap();
        let (rows, gathered) = run(&config.build(&context("norm")).unwrap(), &[&input]).unwrap();
        let found = trials::from_batch(&rows[0]).unwrap();
        assert!(found.iter().all(|trial| trial.normalisation == kind && trial.client_split == "test"));
        let numbers: Vec<f64> = found.iter().map(|trial| trial.score).collect();
        assert!(close(&numbers, &golden[kind], 1e-12), "{kind}: {numbers:?}");
        assert!(gathered.rejects.is_empty());
    }
}
