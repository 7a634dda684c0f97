//! The stages one after the other on made-up people: what they give, and that threads and batches do not show.

use arrow::array::RecordBatch;
use schemas::columns::strings;
use schemas::tables::models::{Mixture, Projection};
use schemas::tables::trials::Trial;
use schemas::tables::{embeddings, trials};

use super::fixtures::{Row, context, people, pieces, run, table, with_threads};
use super::gaussians::Gaussians;
use super::reference;
use super::trial_rows::trial_rows;
use super::{
    AdaptConfig, FitBackgroundConfig, FitProjectionConfig, NormaliseScoresConfig, ProjectConfig, ScoreConfig,
};
use crate::stage::{Gathered, StageError};

const PEOPLE: [(&str, &str); 7] = [
    ("train", "t1"),
    ("train", "t2"),
    ("train", "t3"),
    ("validation", "v1"),
    ("validation", "v2"),
    ("test", "x1"),
    ("test", "x2"),
];

type Tables = Vec<RecordBatch>;
type Given = Result<(Tables, Gathered), StageError>;

fn fit_background(plan: &str, input: &Tables) -> Given {
    run(&toml::from_str::<FitBackgroundConfig>(plan).unwrap().build(&context("ubm")).unwrap(), &[input])
}

fn adapt(plan: &str, inputs: &[&Tables]) -> Given {
    run(&toml::from_str::<AdaptConfig>(plan).unwrap().build(&context("adapt")).unwrap(), inputs)
}

fn score(plan: &str, inputs: &[&Tables]) -> Given {
    run(&toml::from_str::<ScoreConfig>(plan).unwrap().build(&context("score")).unwrap(), inputs)
}

fn project(inputs: &[&Tables]) -> Given {
    run(&ProjectConfig {}.build(&context("project")).unwrap(), inputs)
}

const BACKGROUND: &str = "components = 3\niterations = 4\nmax_frames = 300";

/// All tables of the chain for `input`.
fn chain(input: &Tables) -> [Tables; 6] {
    let pca: FitProjectionConfig = toml::from_str("components = 3").unwrap();
    let projection = run(&pca.build(&context("pca")).unwrap(), &[input]).unwrap().0;
    let frames = project(&[input, &projection]).unwrap().0;
    let background = fit_background(BACKGROUND, &frames).unwrap().0;
    let clients = adapt("cohort = 'train'", &[&frames, &background]).unwrap().0;
    let scores = score("cohort = 'train'", &[&frames, &clients, &background]).unwrap().0;
    let normalise: NormaliseScoresConfig = toml::from_str("kind = 'zt'").unwrap();
    let normalised = run(&normalise.build(&context("norm")).unwrap(), &[&scores]).unwrap().0;
    [projection, frames, background, clients, scores, normalised]
}

fn all_trials(tables: &Tables) -> Vec<Trial> {
    tables.iter().flat_map(|batch| trials::from_batch(batch).unwrap()).collect()
}

#[test]
fn neither_threads_nor_batches_show() {
    // 7 people x 2 sessions x 30 sequences x 10 frames: three blocks.
    let whole = table(&people(&PEOPLE, 30, 5));
    let one = with_threads(1, || chain(&vec![whole.clone()]));
    assert_eq!(one, with_threads(2, || chain(&pieces(&whole, &[1, 700, 0, 33]))));
    assert_eq!(one, with_threads(3, || chain(&pieces(&whole, &[2048]))));
    // Whatever was done to the scores, no client beats the one whose probe it is.
    for tables in &one[4..] {
        let trials = all_trials(tables);
        let evaluated =
            trials.iter().filter(|trial| trial.client_split == trial.split && trial.split != "train");
        let (genuine, impostors): (Vec<_>, Vec<_>) = evaluated.partition(|trial| trial.genuine);
        assert_eq!((genuine.len(), impostors.len()), (4, 4));
        for (best, other) in genuine.iter().flat_map(|best| impostors.iter().map(move |other| (best, other)))
        {
            assert!(best.subject != other.subject || best.score > other.score, "{best:?} {other:?}");
        }
    }
}

#[test]
fn frames_are_scored_in_row_order_however_many_are_read_at_a_time() {
    // 17 blocks of probes: more than are read at once on few threads, fewer than on many.
    let mut rows = people(&PEOPLE[5..], 1740, 2);
    rows.retain(|row| row.role == Some("probe") || row.sequence < 20);
    rows[400 + 30_000].numbers[0] = f32::NAN;
    let whole = table(&rows);
    let input = vec![whole.clone()];
    let background = fit_background(&format!("{BACKGROUND}\nsplit = 'test'"), &input).unwrap().0;
    let clients = adapt("allow_seen = true", &[&input, &background]).unwrap().0;
    let scored = |threads: usize, input: &Tables| {
        with_threads(threads, || score("pool = 'frame'", &[input, &clients, &background]).unwrap())
    };
    let (one, gathered) = scored(1, &input);
    assert_eq!(gathered.rejects.len(), 1);
    assert!(one.iter().map(RecordBatch::num_rows).sum::<usize>() == 2 * (2 * 17_400 - 1));
    assert!(one[0].num_rows() == one[1].num_rows());
    assert_eq!(one, scored(9, &pieces(&whole, &[5000, 1])).0);
    let keys: Vec<_> =
        one.iter().flat_map(|batch| trial_rows(batch).unwrap()).map(|row| row.pool()).collect();
    assert!(
        keys.iter().step_by(2).zip(keys.iter().skip(1).step_by(2)).all(|(first, second)| first == second)
    );
    assert!(keys.is_sorted(), "people and their sequences stand in order in this table");
}

#[test]
fn trials_are_those_of_the_protocol() {
    let input = vec![table(&people(&PEOPLE, 2, 3))];
    let [.., scores, normalised] = chain(&input);
    let names = |tables: &Tables| -> Vec<String> {
        all_trials(tables)
            .iter()
            .map(|t| {
                format!(
                    "{}:{}-{}:{}{}",
                    t.client_split,
                    t.client,
                    t.split,
                    t.subject,
                    if t.genuine { "!" } else { "" }
                )
            })
            .collect()
    };
    let found = names(&scores);
    // Test: 2 x 2 and 3 cohort clients x 2; the same for validation; train: 4 clients x 3 and 3 x 2 of the cohort.
    assert_eq!(found.len(), (4 + 6) * 2 + 12 + 6);
    assert_eq!(
        found[..5],
        ["test:x1-test:x1!", "test:x2-test:x1", "train:t1-test:x1", "train:t2-test:x1", "train:t3-test:x1"]
    );
    assert!(
        found.contains(&"validation:v1-train:t2".to_owned())
            && found.contains(&"train:t1-train:t2".to_owned())
    );
    assert!(
        !found.iter().any(|name| name.contains("train:t1-train:t1") || name.contains("test:x1-validation"))
    );
    let of_split = |split: &str, x: &str| {
        let name = |client: usize, subject: usize, mark: &str| {
            format!("{split}:{x}{client}-{split}:{x}{subject}{mark}")
        };
        [name(1, 1, "!"), name(2, 1, ""), name(1, 2, ""), name(2, 2, "!")]
    };
    assert_eq!(names(&normalised), [of_split("test", "x"), of_split("validation", "v")].concat());
    let first = &all_trials(&scores)[0];
    assert_eq!((first.frames, first.model.as_str(), first.sequence), (20, "made-up gmm-ubm", None));
}

#[test]
fn a_score_is_the_mean_ratio_of_its_pool() {
    let rows = people(&PEOPLE[3..], 3, 3);
    let input = vec![table(&rows)];
    let background = fit_background(&format!("{BACKGROUND}\nsplit = 'test'"), &input).unwrap().0;
    let clients = adapt("allow_seen = true", &[&input, &background]).unwrap().0;
    let models: Vec<Mixture> = clients.iter().flat_map(|batch| Mixture::from_batch(batch).unwrap()).collect();
    let names: Vec<&str> = models.iter().filter_map(|model| model.client.as_deref()).collect();
    assert_eq!(names, ["v1", "v2", "x1", "x2"]);
    assert_eq!((models[0].frames, models[0].subjects.len()), (30, 0));
    let mixture = Gaussians::try_from(&Mixture::from_batch(&background[0]).unwrap()[0]).unwrap();
    let ratio = |client: &str, row: &Row| {
        let model = models.iter().find(|model| model.client.as_deref() == Some(client)).unwrap();
        let frame: Vec<f64> = row.numbers.iter().map(|x| f64::from(*x)).collect();
        let client = Gaussians::try_from(model).unwrap();
        reference::log_likelihood(&frame, &client) - reference::log_likelihood(&frame, &mixture)
    };
    for (pool, frames, count) in [("session", 30, 8), ("sequence", 10, 24), ("frame", 1, 240)] {
        let (tables, _) = score(&format!("pool = '{pool}'"), &[&input, &clients, &background]).unwrap();
        let found: Vec<_> = tables.iter().flat_map(|batch| trial_rows(batch).unwrap()).collect();
        assert_eq!(found.len(), count);
        for row in &found {
            let of_pool: Vec<f64> = rows
                .iter()
                .filter(|frame| frame.subject == row.trial.subject && frame.role == Some("probe"))
                .filter(|frame| row.trial.sequence.is_none_or(|sequence| sequence == frame.sequence))
                .filter(|frame| row.frame.is_none_or(|number| number == frame.frame))
                .map(|frame| ratio(&row.trial.client, frame))
                .collect();
            assert_eq!((of_pool.len(), row.trial.frames), (frames, frames as i64));
            let expected = of_pool.iter().sum::<f64>() / frames as f64;
            assert!((row.trial.score - expected).abs() < 1e-9, "{} for {expected}", row.trial.score);
        }
        let fast = score(&format!("pool = '{pool}'\nfast_components = 3"), &[&input, &clients, &background])
            .unwrap();
        assert_eq!(fast.0, tables, "three of three components");
    }
}

#[test]
fn a_background_model_says_what_it_was_made_from() {
    let mut rows = people(&PEOPLE, 6, 3);
    rows[3].numbers[1] = f32::NAN;
    rows[5].numbers = vec![f32::INFINITY; 3];
    rows.last_mut().unwrap().numbers[0] = f32::NAN;
    let (tables, gathered) = fit_background(BACKGROUND, &vec![table(&rows)]).unwrap();
    let model = &Mixture::from_batch(&tables[0]).unwrap()[0];
    assert_eq!((model.frames, model.subjects.join(" ")), (3 * 120 - 2, "t1 t2 t3".to_owned()));
    assert_eq!((model.client.as_ref(), model.log_likelihoods.len()), (None, 5));
    assert!(model.log_likelihoods.windows(2).all(|pair| pair[1] >= pair[0]));
    let found: Vec<(&str, &str)> =
        gathered.rejects.iter().map(|reject| (reject.reason.as_str(), reject.detail.as_str())).collect();
    // The odd frame of another split is none of its business.
    assert_eq!(
        found,
        [("not finite", "1 of 3 numbers are not finite"), ("not finite", "3 of 3 numbers are not finite")]
    );
    assert_eq!(gathered.rejects[0].sample_id.as_deref(), Some("t1-a-0"));
    assert!(gathered.notes[0].starts_with("fitted on 358 frames of 3 subjects: "), "{}", gathered.notes[0]);
    // Another seed starts elsewhere, so the sample matters.
    let other = FitBackgroundConfig { ..toml::from_str(BACKGROUND).unwrap() };
    let stage = other.build(&crate::stage::BuildContext { seed: 8, ..context("ubm") }).unwrap();
    assert_ne!(run(&stage, &[&vec![table(&rows)]]).unwrap().0, tables);
}

#[test]
fn projecting_keeps_columns_and_rejects_what_is_not_finite() {
    let mut rows = people(&PEOPLE, 2, 4);
    let pca: FitProjectionConfig = toml::from_str("components = 2").unwrap();
    let stage = pca.build(&context("pca")).unwrap();
    let projection = run(&stage, &[&vec![table(&rows)]]).unwrap().0;
    rows[7].numbers[0] = f32::NAN;
    let (tables, gathered) = project(&[&vec![table(&rows)], &projection]).unwrap();
    let batch = &tables[0];
    assert_eq!((batch.num_rows(), embeddings::dimensions(batch.schema_ref()).unwrap()), (rows.len() - 1, 2));
    assert_eq!(strings(batch, "role").unwrap().value(0), "enrolment");
    assert_eq!((gathered.rejects.len(), gathered.rejects[0].reason.as_str()), (1, "not finite"));
    let model = &Projection::from_batch(&projection[0]).unwrap()[0];
    for (row, found) in rows.iter().take(7).zip(embeddings::values(batch).unwrap().chunks(2)) {
        for (direction, found) in model.directions.chunks(4).zip(found) {
            let centred = row.numbers.iter().zip(&model.mean).map(|(x, mean)| f64::from(*x) - mean);
            let expected: f64 = centred.zip(direction).map(|(x, d)| x * d).sum();
            assert!((f64::from(*found) - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn models_that_were_saved_score_the_same() {
    let input = vec![table(&people(&PEOPLE, 3, 3))];
    let background = fit_background(BACKGROUND, &input).unwrap().0;
    let clients = adapt("", &[&input, &background]).unwrap().0;
    let saved = |tables: &Tables| -> Tables {
        let models: Vec<Mixture> =
            tables.iter().flat_map(|batch| Mixture::from_batch(batch).unwrap()).collect();
        vec![Mixture::to_batch(&tables[0].schema(), &models)]
    };
    let first = score("", &[&input, &clients, &background]).unwrap().0;
    assert_eq!(first, score("", &[&input, &saved(&clients), &saved(&background)]).unwrap().0);
}
