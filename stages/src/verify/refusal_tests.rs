//! What the stages refuse, and in which words.

use arrow::array::RecordBatch;
use schemas::columns::with_column;
use schemas::tables::trials::{self, Trial};

use super::fixtures::{context, people, run, table};
use super::*;
use crate::stage::{Aggregate, StageError};

const PEOPLE: [(&str, &str); 4] = [("train", "t1"), ("train", "t2"), ("test", "x1"), ("test", "x2")];

type Tables = Vec<RecordBatch>;

fn words(error: &StageError) -> (String, String) {
    (error.to_string(), error.hint().unwrap_or_default())
}

fn refused(stage: &dyn Aggregate, inputs: &[&Tables]) -> (String, String) {
    words(&run(stage, inputs).unwrap_err())
}

fn background(plan: &str) -> Result<FitBackground, StageError> {
    toml::from_str::<FitBackgroundConfig>(plan).unwrap().build(&context("ubm"))
}

fn adapt(plan: &str) -> Adapt {
    toml::from_str::<AdaptConfig>(plan).unwrap().build(&context("adapt")).unwrap()
}

fn score(plan: &str) -> Score {
    toml::from_str::<ScoreConfig>(plan).unwrap().build(&context("score")).unwrap()
}

/// Frames, background model and clients.
fn models() -> [Tables; 3] {
    let frames = vec![table(&people(&PEOPLE, 2, 3))];
    let model = run(&background("components = 2\niterations = 2").unwrap(), &[&frames]).unwrap().0;
    let clients = run(&adapt(""), &[&frames, &model]).unwrap().0;
    [frames, model, clients]
}

#[test]
fn a_projection_needs_dimensions_and_frames() {
    let stage = |components: u32| {
        let config: FitProjectionConfig = toml::from_str(&format!("components = {components}")).unwrap();
        config.build(&context("pca")).unwrap()
    };
    let (message, hint) = refused(&stage(4), &[&vec![table(&people(&PEOPLE, 1, 3))]]);
    assert_eq!(message, "`pca` is to keep 4 components of embeddings of 3 numbers");
    assert_eq!(hint, "set `components` to at most 3");
    let few = vec![table(&people(&PEOPLE, 1, 3)[..3])];
    let (message, hint) = refused(&stage(3), &[&few]);
    assert_eq!(message, "split `train` has 3 frames with finite numbers, which is too few for 3 components");
    assert_eq!(hint, "set `components` to at most 2, or check `split`");
    assert!(toml::from_str::<FitProjectionConfig>("component = 4").is_err(), "unknown key");
}

#[test]
fn projections_must_fit_the_embeddings() {
    let frames = |dimensions| vec![table(&people(&PEOPLE, 1, dimensions))];
    let pca: FitProjectionConfig = toml::from_str("components = 2").unwrap();
    let projection = run(&pca.build(&context("pca")).unwrap(), &[&frames(3)]).unwrap().0;
    let stage = ProjectConfig {}.build(&context("project")).unwrap();
    let (message, _) = refused(&stage, &[&frames(4), &projection]);
    assert_eq!(message, "the embeddings have 4 numbers, the projection is one of 3");
    let twice = vec![projection[0].clone(), projection[0].clone()];
    assert_eq!(refused(&stage, &[&frames(3), &twice]).0, "there must be one projection, found 2");
}

#[test]
fn a_background_needs_frames_and_spread() {
    let frames = vec![table(&people(&PEOPLE, 1, 3))];
    let (message, hint) = refused(&background("components = 41").unwrap(), &[&frames]);
    assert_eq!(message, "40 frames are too few for 41 components");
    assert!(hint.contains("`components`"));
    let nobody = background("components = 2\nsplit = 'dev'").unwrap();
    assert_eq!(refused(&nobody, &[&frames]).0, "0 frames are too few for 2 components");
    let mut rows = people(&PEOPLE, 1, 3);
    for row in &mut rows {
        row.numbers[1] = 4.0;
    }
    let (message, hint) = refused(&background("components = 2").unwrap(), &[&vec![table(&rows)]]);
    assert_eq!(message, "number 1 of the embedding is the same in all frames of split `train`");
    assert!(hint.contains("`regularisation`"));
    let held =
        background("components = 2\niterations = 3\nvariance_floor = 0\nregularisation = 1e-6").unwrap();
    assert!(run(&held, &[&vec![table(&rows)]]).is_ok());
    let both = words(&background("variance_floor = 0").unwrap_err());
    assert_eq!(both.1, "set `variance_floor = 0.01`");
    let few = words(&background("max_frames = 100").unwrap_err());
    assert_eq!(few.0, "`ubm`: `max_frames = 100` is below `components = 256`");
}

#[test]
fn clients_that_the_background_has_seen_are_a_leak() {
    let [frames, model, _] = models();
    let (message, hint) = refused(&adapt("splits = ['train', 'test']"), &[&frames, &model]);
    assert_eq!(message, "the background model was fitted on 2 of the clients, among them `t1`");
    assert!(hint.contains("`allow_seen = true`") && hint.contains("`cohort`"));
    let (rows, gathered) = run(&adapt("splits = ['train']\nallow_seen = true"), &[&frames, &model]).unwrap();
    assert_eq!((rows[0].num_rows(), gathered.notes[0].as_str()), (2, message.as_str()));
    assert!(run(&adapt("cohort = 'train'"), &[&frames, &model]).is_ok());
}

#[test]
fn enrolment_must_be_there() {
    let [frames, model, _] = models();
    let (message, _) = refused(&adapt("splits = ['dev', 'eval']"), &[&frames, &model]);
    assert_eq!(message, "no frame of role `enrolment` in the splits `dev`, `eval`");
    let without = vec![frames[0].project(&(0..frames[0].num_columns() - 1).collect::<Vec<_>>()).unwrap()];
    let (message, _) = refused(&adapt(""), &[&without, &model]);
    assert!(message.starts_with("column `role` is missing"), "{message}");
    assert!(toml::from_str::<AdaptConfig>("relevance = 0").is_err());
    let nothing = toml::from_str::<AdaptConfig>("parameters = []").unwrap().build(&context("adapt"));
    assert_eq!(words(&nothing.unwrap_err()).0, "`adapt` adapts nothing");
    // A client of whom nothing is finite is none, and is spoken of.
    let mut rows = people(&PEOPLE, 1, 3);
    rows.iter_mut().filter(|row| row.subject == "x2").for_each(|row| row.numbers[0] = f32::NAN);
    let (clients, gathered) = run(&adapt(""), &[&vec![table(&rows)], &model]).unwrap();
    assert_eq!((clients[0].num_rows(), gathered.rejects.len()), (1, 10));
    assert_eq!(gathered.notes[0], "`x2` of split `test` has no frame to adapt with and is not a client");
}

#[test]
fn a_session_serves_once() {
    let [_, model, clients] = models();
    let mut rows = people(&PEOPLE, 2, 3);
    rows.iter_mut()
        .filter(|row| row.subject == "x1" && row.sequence == 1)
        .for_each(|row| row.session = "a".into());
    let (message, hint) = refused(&score(""), &[&vec![table(&rows)], &clients, &model]);
    assert_eq!(
        message,
        "1 sessions serve both for enrolment and as probes, among them `a` of subject `x1`, device `phone`"
    );
    assert_eq!(hint, "assign roles by whole sessions");
}

#[test]
fn scoring_needs_what_belongs_together() {
    let [frames, model, clients] = models();
    let (message, hint) = refused(&score("cohort = 'train'"), &[&frames, &clients, &model]);
    assert_eq!(message, "`score`: the cohort `train` has no clients");
    assert!(hint.contains("`adapt`"));
    assert_eq!(
        refused(&score("cohort = 'test'"), &[&frames, &clients, &model]).0,
        "`score` has no clients but those of a cohort"
    );
    assert_eq!(
        refused(&score(""), &[&frames, &clients, &clients]).0,
        "there must be one background model, found 2"
    );
    let first = vec![clients[0].slice(0, 1)];
    assert_eq!(
        refused(&score(""), &[&frames, &clients, &first]).0,
        "the background model is that of client `x1`"
    );
    let twice = vec![clients[0].clone(), clients[0].clone()];
    assert_eq!(
        refused(&score(""), &[&frames, &twice, &model]).0,
        "client `x1` of split `test` has two models"
    );
    let enrolled: Vec<_> = people(&PEOPLE, 2, 3).into_iter().filter(|row| row.session == "a").collect();
    let (message, _) = refused(&score(""), &[&vec![table(&enrolled)], &clients, &model]);
    assert_eq!(message, "`score`: split `test` has no row of role `probe`");
    let wide = vec![table(&people(&PEOPLE, 2, 4))];
    let (message, _) = refused(&score(""), &[&wide, &clients, &model]);
    assert_eq!(message, "the background model is one over 3 numbers, the embeddings have 4");
}

fn trial(client: &str, client_split: &str, subject: &str, split: &str, score: f64) -> Trial {
    Trial {
        dataset: "made-up".into(),
        split: split.into(),
        client_split: client_split.into(),
        client: client.into(),
        subject: subject.into(),
        device: "phone".into(),
        session: "1".into(),
        sequence: None,
        genuine: client == subject,
        score,
        frames: 1,
        normalisation: "none".into(),
        model: "gmm-ubm".into(),
    }
}

#[test]
fn cohorts_must_have_a_spread() {
    let rows = vec![
        trial("x1", "test", "x1", "test", 3.0),
        trial("x2", "test", "x1", "test", 1.0),
        trial("x1", "test", "t1", "train", 0.5),
        trial("x1", "test", "t2", "train", 1.5),
        trial("x2", "test", "t1", "train", 0.5),
        trial("t1", "train", "x1", "test", 0.25),
        trial("t2", "train", "x1", "test", 0.25),
    ];
    let stage = |kind: &str| {
        let config: NormaliseScoresConfig = toml::from_str(&format!("kind = '{kind}'")).unwrap();
        config.build(&context("norm")).unwrap()
    };
    let input = vec![trials::to_batch(&rows)];
    let (given, gathered) = run(&stage("z"), &[&input]).unwrap();
    let found = &trials::from_batch(&given[0]).unwrap();
    // (3 - 1) / sqrt(0.5).
    assert!(found.len() == 1 && (found[0].score - 2.0 * 2.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(gathered.rejects[0].reason, "cohort too small");
    assert_eq!(gathered.rejects[0].detail, "client `x2` of split `test` has 1 cohort scores, 2 are needed");
    let (given, gathered) = run(&stage("t"), &[&input]).unwrap();
    assert!(given.is_empty() && gathered.rejects.len() == 2);
    let expected = "session `1` of subject `x1`, device `phone` has 2 cohort scores, all equal or not finite";
    assert_eq!(gathered.rejects[0].detail, expected);
    let (message, hint) = refused(&stage("zt"), &[&vec![trials::to_batch(&rows[..2])]]);
    assert_eq!(message, "`norm`: no trial has sessions of the cohort `train`");
    assert!(hint.contains("`cohort = \"train\"` in `score`"), "{hint}");
    // What is normalised already is not normalised again.
    let normalised = Trial { normalisation: "z".into(), ..rows[0].clone() };
    let (message, _) = refused(&stage("z"), &[&vec![trials::to_batch(&[normalised])]]);
    assert_eq!(message, "`norm`: scores are normalised by `z` already");
    // Columns of others stay.
    let field = arrow::datatypes::Field::new("note", arrow::datatypes::DataType::Utf8, false);
    let notes = std::sync::Arc::new(arrow::array::StringArray::from(vec!["n"; rows.len()]));
    let wide = vec![with_column(&input[0], field, notes).unwrap()];
    assert!(run(&stage("z"), &[&wide]).unwrap().0[0].column_by_name("note").is_some());
}
