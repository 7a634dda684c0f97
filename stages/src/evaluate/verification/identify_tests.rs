//! Class scores ranked as a step of a plan.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use schemas::random::KeyedRandom;
use schemas::tables::embeddings::{self, CLASSES_KEY};
use schemas::tables::metrics::Metric;

use super::fixtures;
use super::{IdentifyConfig, Rounding, top_share_accuracy};
use crate::stage::{BuildContext, Gathered, StageError};

/// Class scores of `subjects`, each with one frame a row of its list; sequences are two frames long.
fn table(classes: &[&str], subjects: &[&str], scores: &[f32]) -> RecordBatch {
    let rows = subjects.len();
    let input = Schema::empty();
    let mut schema = embeddings::schema(&input, classes.len(), "net");
    schema.metadata.insert(CLASSES_KEY.to_owned(), serde_json::to_string(classes).unwrap());
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "subject" => Arc::new(StringArray::from(subjects.to_vec())),
                "dataset" => text("made"),
                "split" => text("train"),
                "sequence" => Arc::new(Int32Array::from_iter_values((0..rows as i32).map(|row| row / 2))),
                "start_nanos" | "end_nanos" => Arc::new(Int64Array::from(vec![0; rows])),
                "copy" | "segment" | "frame" => Arc::new(Int32Array::from(vec![0; rows])),
                "embedding" => embeddings::embedding_array(scores.to_vec(), classes.len()),
                other => text(other),
            }
        })
        .collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn run(batches: &[RecordBatch], plan: &str) -> Result<(Vec<Metric>, Gathered), StageError> {
    let config: IdentifyConfig = toml::from_str(plan).unwrap();
    let context = BuildContext { name: "identify".into(), seed: 0, threads: 1, folder: ".".into() };
    fixtures::run(&config.build(&context)?, batches)
}

const CLASSES: [&str; 4] = ["a", "b", "c", "d"];

fn small() -> RecordBatch {
    // Ranks of the right class: 1, 2, 4, 1.
    let scores = [
        0.9, 0.1, 0.0, 0.0, //
        0.3, 0.5, 0.1, 0.1, //
        0.9, 0.1, 0.8, 0.2, //
        0.0, 1.0, 0.9, 0.0,
    ];
    table(&CLASSES, &["a", "a", "b", "b"], &scores)
}

#[test]
fn frames_and_sequences_are_ranked_each_their_way() {
    let (rows, gathered) = run(&[small()], "share = 0.5").unwrap();
    let read = |rows: &[Metric]| -> Vec<(String, f64, f64, i64)> {
        rows.iter().map(|m| (m.metric.clone(), m.threshold.unwrap(), m.value, m.count)).collect()
    };
    let expected = |top: f64, one: f64, count| {
        vec![
            ("top_share_accuracy".to_owned(), 2.0, top, count),
            ("top_1_accuracy".to_owned(), 1.0, one, count),
        ]
    };
    assert_eq!(read(&rows), expected(75.0, 50.0, 4));
    assert_eq!((rows[0].group.as_deref(), rows[0].model.as_str()), (Some("frame"), "net"));
    assert!(rows[0].ci_low.unwrap() <= 75.0 && rows[0].ci_high.unwrap() >= 75.0);
    assert_eq!(gathered.notes, ["the top 50 % of 4 classes are 2, rounded up"]);
    // Means: a 0.6 of 0.6, 0.3, ..; b 0.55 of 0.45, 0.55, 0.85, 0.1: ranks 1 and 2.
    let (rows, _) = run(&[small()], "share = 0.5\npool = 'sequence'").unwrap();
    assert_eq!(read(&rows), expected(100.0, 50.0, 2));
}

#[test]
fn batches_do_not_show_and_a_torn_sequence_is_refused() {
    let whole = small();
    let parts = [whole.slice(0, 1), whole.slice(1, 2), whole.slice(3, 1)];
    for plan in ["pool = 'frame'", "pool = 'sequence'"] {
        assert_eq!(run(std::slice::from_ref(&whole), plan).unwrap().0, run(&parts, plan).unwrap().0);
    }
    let torn = [whole.slice(0, 1), whole.slice(2, 2), whole.slice(1, 1)];
    let error = run(&torn, "pool = 'sequence'").unwrap_err();
    assert!(error.to_string().contains("stand apart") && error.hint().is_some(), "{error}");
}

#[test]
fn who_is_no_class_and_what_is_no_number_is_rejected() {
    let scores = [0.9, 0.1, 0.9, 0.1, 0.9, 0.1, f32::NAN, 0.1];
    let batch = table(&["a", "b"], &["x", "x", "a", "a"], &scores);
    let (rows, gathered) = run(&[batch.slice(0, 2), batch.slice(2, 2)], "").unwrap();
    assert_eq!(rows[0].count, 1);
    let found: Vec<(&str, u64)> =
        gathered.rejects.iter().map(|reject| (reject.reason.as_str(), reject.rows)).collect();
    assert_eq!(found, [("not among the classes", 2), ("score not finite", 1)]);
    let error = run(&[batch.slice(0, 2)], "").unwrap_err();
    assert!(error.to_string().contains("no class scores"), "{error}");
}

#[test]
fn embeddings_without_classes_are_refused() {
    let batch = small();
    let with = |classes: &str| {
        let mut schema = batch.schema().as_ref().clone();
        schema.metadata.insert(CLASSES_KEY.to_owned(), classes.to_owned());
        run(&[RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()], "")
            .unwrap_err()
            .to_string()
    };
    assert!(with("[\"a\"]").contains("1 classes and 4 scores"));
    assert!(with("[\"a\",\"b\",\"c\",\"a\"]").contains("only 3 of the 4"));
    assert!(with("nonsense").contains("not a list of subjects"));
    let mut schema = batch.schema().as_ref().clone();
    schema.metadata.remove(CLASSES_KEY);
    let error = run(&[RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()], "");
    assert!(error.unwrap_err().hint().is_some());
    assert!(run(&[batch], "share = 0").is_err());
    assert!(toml::from_str::<IdentifyConfig>("share = 1.5").is_err());
}

#[test]
fn the_step_and_the_plain_function_agree() {
    let names: Vec<String> = (0..60).map(|at| format!("s{at:02}")).collect();
    let classes: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut random = KeyedRandom::new(1, "test", "scores", 0);
    let truth: Vec<usize> = (0..300).map(|_| random.index(60)).collect();
    let mut scores = Vec::new();
    for class in &truth {
        scores.extend((0..60).map(|at| {
            let bonus = if at == *class { 1.5 } else { 0.0 };
            ((random.normal() + bonus) * 8.0).round() as f32
        }));
    }
    let subjects: Vec<&str> = truth.iter().map(|class| classes[*class]).collect();
    let wide: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
    let plain = top_share_accuracy(&wide, 60, &truth, 0.05, Rounding::Up).unwrap();
    let (rows, _) = run(&[table(&classes, &subjects, &scores)], "resamples = 0").unwrap();
    assert_eq!((rows[0].threshold, rows[0].ci_low), (Some(3.0), None));
    assert!((rows[0].value - 100.0 * plain.top_share).abs() < 1e-9 && plain.top_share > 0.2);
    assert!((rows[1].value - 100.0 * plain.top_one).abs() < 1e-9);
}
