//! `embed` on tiny networks whose numbers can be computed by hand; they are skipped where there is no ONNX Runtime.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array};
use schemas::columns::{integers, longs, strings};
use schemas::tables::{embeddings, signals, table_name, windows};

use super::{Embed, EmbedConfig};
use crate::{BuildContext, FanOut, Stage, StageError};

const SHAPE: [usize; 3] = [3, 4, 2];
const RATE_HZ: f64 = 50.0;
const HOP: usize = 2;

pub(super) fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/models")
}

pub(super) fn build(name: &str, change: impl FnOnce(&mut EmbedConfig)) -> Result<Embed, StageError> {
    let mut config = EmbedConfig::new(models().join(format!("{name}.onnx")));
    change(&mut config);
    let context = BuildContext { name: "embed".into(), seed: 0, threads: 2, folder: PathBuf::new() };
    config.build(&context)
}

/// `rows` windows of the numbers 0, 1, 2, ..., at `rate_hz`.
fn windows_of(rows: usize, rate_hz: f64) -> RecordBatch {
    let signals = signals::schema(&["a".to_owned(), "b".to_owned()], rate_hz);
    let schema = Arc::new(windows::schema(&signals, SHAPE[0], SHAPE[1], HOP).unwrap());
    let length: usize = SHAPE.iter().product();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            windows::WINDOW => windows::window_array((0..rows * length).map(|n| n as f32).collect(), SHAPE),
            "sample_id" => Arc::new((0..rows).map(|row| Some(format!("w{row}"))).collect::<StringArray>()),
            "start_nanos" => Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| row * 1000))),
            "end_nanos" => Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| row * 1000 + 7))),
            "copy" | "segment" | "sequence" => Arc::new(Int32Array::from(vec![0; rows])),
            "split" | "activity" | "source_file" => new_null_array(field.data_type(), rows),
            _ => Arc::new(StringArray::from(vec!["x"; rows])),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

#[test]
fn each_block_has_its_embedding() {
    let embed = build("sequence", |_| ()).unwrap();
    let batch = windows_of(3, RATE_HZ);
    assert_eq!(embed.fan_out(), FanOut::Each(3));
    let outcome = embed.run(&batch).unwrap();
    let rows = outcome.rows;
    assert_eq!((rows.num_rows(), outcome.rejects.len()), (9, 0));
    assert_eq!(rows.schema(), embed.output_schema(&batch.schema()).unwrap());
    assert_eq!(table_name(&rows.schema()), Some(embeddings::NAME));
    // A block of eight numbers from n on, two channels: the means are n + 3 and n + 4.
    let expected: Vec<f32> =
        (0..9).flat_map(|block| [block as f32 * 8.0 + 3.0, block as f32 * 8.0 + 4.0]).collect();
    assert_eq!(embeddings::values(&rows).unwrap(), expected);
    assert_eq!(integers(&rows, "frame").unwrap().values()[3..6], [0, 1, 2]);
    assert_eq!(strings(&rows, "sample_id").unwrap().value(4), "w1");
    // 20 ms a sample, a hop of two samples, blocks of four.
    assert_eq!(longs(&rows, "start_nanos").unwrap().values()[3..6], [1000, 40_001_000, 80_001_000]);
    assert_eq!(longs(&rows, "end_nanos").unwrap().value(5), 160_001_000);
}

#[test]
fn one_embedding_a_window_where_the_output_is_one() {
    let embed = build("sequence", |config| config.output = Some("scores".into())).unwrap();
    let rows = embed.run(&windows_of(2, RATE_HZ)).unwrap().rows;
    assert_eq!(embeddings::values(&rows).unwrap(), [11.0, 12.0, 35.0, 36.0]);
    assert_eq!(longs(&rows, "end_nanos").unwrap().values().as_ref(), [7, 1007]);
    assert_eq!(integers(&rows, "frame").unwrap().values().as_ref(), [2, 2]);
    assert_eq!(rows.schema().metadata()[embeddings::CLASSES_KEY], r#"["s01","s02"]"#);
}

#[test]
fn fixed_rows_are_filled_up_and_only_the_last_step_is_kept() {
    let embed = build("sequence_flat", |_| ()).unwrap();
    // The sum of a whole window of 24 numbers from n on is 24 n + 276.
    let rows = embed.run(&windows_of(3, RATE_HZ)).unwrap().rows;
    assert_eq!(embeddings::values(&rows).unwrap(), [276.0, 852.0, 1428.0]);
    let error =
        build("sequence_flat", |config| config.engine.batch = std::num::NonZeroUsize::new(3)).err().unwrap();
    assert!(error.to_string().contains("takes 2 rows per call"), "{error}");
}

#[test]
fn windows_that_the_network_was_not_made_for_are_refused() {
    let embed = build("sequence", |_| ()).unwrap();
    let error = embed.output_schema(&windows_of(1, 100.0).schema()).unwrap_err();
    assert!(error.to_string().contains("signals of 50 Hz, found 100 Hz"), "{error}");
    let signals = signals::schema(&["a".to_owned(), "c".to_owned()], RATE_HZ);
    let other = |blocks| Arc::new(windows::schema(&signals, blocks, 4, 2).unwrap());
    let error = embed.output_schema(&other(3)).unwrap_err();
    assert!(error.to_string().contains("reads the channels a, b; found a, c"), "{error}");
    let error = embed.output_schema(&other(5)).unwrap_err();
    assert!(error.hint().unwrap().contains("`blocks = 3`"), "{error}");
    let unknown = build("sequence", |config| config.output = Some("none".into())).err().unwrap();
    assert!(unknown.hint().unwrap().contains("`features`, `scores`"), "{unknown}");
}

#[test]
fn a_card_that_lies_about_shapes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let card = std::fs::read_to_string(models().join("sequence.toml")).unwrap();
    let lie = |from: &str, to: &str| {
        assert!(card.contains(from), "{from}");
        let path = folder.path().join("lie.toml");
        std::fs::write(&path, card.replacen(from, to, 1)).unwrap();
        build("sequence", |config| config.card = Some(path)).err().unwrap().to_string()
    };
    let blocks = lie("blocks = 3", "blocks = 4");
    assert!(
        blocks.contains("expects float32 [?, 4, 4, 2], the network has float32 [?, 3, 4, 2]"),
        "{blocks}"
    );
    assert!(lie("frames = \"each\"", "frames = \"one\"").contains("expects float32 [?, 2]"));
    assert!(lie("name = \"window\"", "name = \"x\"").contains("names input `x`"));
}

#[test]
fn a_window_that_is_not_finite_is_rejected() {
    let embed = build("sequence", |_| ()).unwrap();
    let batch = windows_of(3, RATE_HZ);
    let mut numbers = windows::values(&batch).unwrap().to_vec();
    numbers[30] = f32::NAN;
    let index = batch.schema().index_of(windows::WINDOW).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[index] = windows::window_array(numbers, SHAPE);
    let outcome = embed.run(&RecordBatch::try_new(batch.schema(), columns).unwrap()).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (6, 1));
    assert_eq!(outcome.rejects[0].sample_id.as_deref(), Some("w1"));
    let none = embed.run(&batch.slice(0, 0)).unwrap();
    assert_eq!(none.rows.num_rows(), 0);
}
