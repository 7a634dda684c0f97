//! States that go from window to window, on a network that sums up what it reads; and what is refused.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::concat_batches;
use proptest::prelude::*;
use schemas::columns::strings;
use schemas::tables::{embeddings, signals, windows};

use super::carry::{Turn, calls};
use super::tests::{build, models};
use super::{Embed, EmbedConfig};
use crate::stage::take_rows;
use crate::{Stage, StageError};

const SHAPE: [usize; 3] = [3, 4, 2];
const RATE_HZ: f64 = 50.0;
const PERIOD_NANOS: i64 = 20_000_000;
const HOP: usize = 4;

/// A window of a stretch: session, number in the stretch, first sample, and the number that it is full of.
type Part = (&'static str, i32, i64, f32);

fn windows_of(parts: &[Part], stride: Option<usize>) -> RecordBatch {
    let signals = signals::schema(&["a".to_owned(), "b".to_owned()], RATE_HZ);
    let mut schema = windows::schema(&signals, SHAPE[0], SHAPE[1], HOP).unwrap();
    schema.metadata.extend(stride.map(|stride| (windows::STRIDE_KEY.to_owned(), stride.to_string())));
    let length: usize = SHAPE.iter().product();
    let starts = || parts.iter().map(|part| part.2 * PERIOD_NANOS);
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            windows::WINDOW => {
                let numbers = parts.iter().flat_map(|part| std::iter::repeat_n(part.3, length));
                windows::window_array(numbers.collect(), SHAPE)
            }
            "sample_id" => Arc::new(StringArray::from_iter_values(
                parts.iter().map(|part| format!("{}-{}", part.0, part.1)),
            )),
            "session" => Arc::new(StringArray::from_iter_values(parts.iter().map(|part| part.0))),
            "start_nanos" => Arc::new(Int64Array::from_iter_values(starts())),
            "end_nanos" => {
                Arc::new(Int64Array::from_iter_values(starts().map(|start| start + 12 * PERIOD_NANOS)))
            }
            "sequence" => Arc::new(Int32Array::from_iter_values(parts.iter().map(|part| part.1))),
            "copy" | "segment" => Arc::new(Int32Array::from(vec![0; parts.len()])),
            "split" | "activity" | "source_file" => new_null_array(field.data_type(), parts.len()),
            _ => Arc::new(StringArray::from(vec!["x"; parts.len()])),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

/// Two sessions of three windows each; 12 samples from one to the next.
const SESSIONS: [Part; 6] = [
    ("s", 0, 0, 1.0),
    ("s", 1, 12, 2.0),
    ("s", 2, 24, 4.0),
    ("t", 0, 0, 10.0),
    ("t", 1, 12, 20.0),
    ("t", 2, 24, 40.0),
];

fn embed(carry: bool, change: impl FnOnce(&mut EmbedConfig)) -> Embed {
    build("sequence_states", |config| {
        config.carry_state = carry;
        change(config);
    })
    .unwrap()
}

/// The first of the two numbers of every embedding.
fn sums(embed: &Embed, batch: &RecordBatch) -> Vec<f32> {
    let rows = embed.run(batch).unwrap().rows;
    embeddings::values(&rows).unwrap().iter().step_by(2).copied().collect()
}

fn refused(batch: &RecordBatch) -> StageError {
    embed(true, |_| ()).run(batch).err().unwrap()
}

#[test]
fn states_go_from_window_to_window_of_a_session() {
    let batch = windows_of(&SESSIONS, Some(12));
    // A block of four samples of x sums to 4 x; three blocks a window.
    let carried =
        [4., 8., 12., 20., 28., 36., 52., 68., 84., 40., 80., 120., 200., 280., 360., 520., 680., 840.];
    let from_zero =
        [4., 8., 12., 8., 16., 24., 16., 32., 48., 40., 80., 120., 80., 160., 240., 160., 320., 480.];
    assert_eq!(sums(&embed(true, |_| ()), &batch), carried);
    assert_eq!(sums(&embed(false, |_| ()), &batch), from_zero);
    // Side by side in a call, one session in each of its rows, and one row too many: the same.
    for rows in [2, 3] {
        let several = embed(true, |config| config.engine.batch = std::num::NonZeroUsize::new(rows));
        assert_eq!(sums(&several, &batch), carried);
    }
    // Every state is carried: the second one counts blocks.
    let steps = embed(true, |config| config.output = Some("steps".into()));
    let rows = steps.run(&batch).unwrap().rows;
    assert_eq!(embeddings::values(&rows).unwrap(), [3., 6., 9., 3., 6., 9.]);
}

#[test]
fn the_order_of_rows_does_not_show() {
    let batch = windows_of(&SESSIONS, None);
    let mixed = take_rows(&batch, &[4, 2, 0, 3, 5, 1]).unwrap();
    let steps = embed(true, |config| config.output = Some("steps".into()));
    let rows = steps.run(&mixed).unwrap().rows;
    assert_eq!(embeddings::values(&rows).unwrap(), [6., 9., 3., 3., 9., 6.]);
    let ids: Vec<&str> = strings(&rows, "sample_id").unwrap().iter().flatten().collect();
    assert_eq!(ids, ["t-1", "s-2", "s-0", "t-0", "t-2", "s-1"]);
}

#[test]
fn behind_a_hole_the_state_begins_anew() {
    let steps = embed(true, |config| config.output = Some("steps".into()));
    let counted = |batch: &RecordBatch| embeddings::values(&steps.run(batch).unwrap().rows).unwrap().to_vec();
    // A window that a filter took away.
    let parts = [SESSIONS[0], SESSIONS[2], ("s", 3, 36, 1.0), SESSIONS[3]];
    assert_eq!(counted(&windows_of(&parts, None)), [3., 3., 6., 3.]);
    // A window that is rejected.
    let mut parts = SESSIONS;
    parts[1].3 = f32::NAN;
    let batch = windows_of(&parts, None);
    assert_eq!(counted(&batch), [3., 3., 3., 6., 9.]);
    assert_eq!(steps.run(&batch).unwrap().rejects.len(), 1);
}

#[test]
fn windows_that_overlap_or_leave_a_gap_are_refused() {
    // By the metadata, before a row flows.
    let half = windows_of(&SESSIONS[..1], Some(6));
    let error = embed(true, |_| ()).output_schema(&half.schema()).unwrap_err();
    assert!(error.to_string().contains("every 12 samples; they begin every 6 samples"), "{error}");
    assert!(error.hint().unwrap().contains("`stride_samples = 12`"));
    assert!(embed(false, |_| ()).output_schema(&half.schema()).is_ok());
    // By the rows, where the metadata says nothing.
    for (start, found) in
        [(6, "`s-1` begins 6 samples behind `s-0`"), (15, "`s-1` begins 15 samples behind `s-0`")]
    {
        let error = refused(&windows_of(&[SESSIONS[0], ("s", 1, start, 0.0)], None));
        assert!(error.to_string().contains(found), "{error}");
        assert!(error.hint().unwrap().contains("`stride_samples = 12`"));
    }
}

#[test]
fn a_part_of_a_session_is_refused() {
    let error = refused(&windows_of(&SESSIONS[1..], None));
    assert!(error.to_string().contains("window `s-1` is number 1 of its stretch"), "{error}");
    let twice = concat_batches(
        &windows_of(&SESSIONS, None).schema(),
        &[windows_of(&SESSIONS, None), windows_of(&SESSIONS[..1], None)],
    );
    let error = refused(&twice.unwrap());
    assert!(error.to_string().contains("`s-0` and `s-0` are the same part"), "{error}");
    let error = build("sequence", |config| config.carry_state = true).err().unwrap();
    assert!(error.to_string().contains("the card names no states"), "{error}");
}

#[test]
fn a_card_that_lies_about_states_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let card = std::fs::read_to_string(models().join("sequence_states.toml")).unwrap();
    let lie = |from: &str, to: &str| {
        assert!(card.contains(from), "{from}");
        let path = folder.path().join("lie.toml");
        std::fs::write(&path, card.replacen(from, to, 1)).unwrap();
        build("sequence_states", |config| config.card = Some(path)).err().unwrap().to_string()
    };
    let shape = lie("shape = [2]", "shape = [4]");
    assert!(
        shape.contains("input `sum_in`: the card expects float32 [?, 4], the network has float32 [?, 2]"),
        "{shape}"
    );
    assert!(
        lie("output = \"sum_out\"", "output = \"steps\"")
            .contains("`sum_in` to `steps`: a name is named twice")
    );
    assert!(lie("output = \"sum_out\"", "output = \"x\"").contains("names output `x`"));
    assert!(lie("input = \"sum_in\"", "input = \"window\"").contains("a name is named twice"));
    assert!(lie("shape = [2]", "shape = []").contains("the shape []"));
    let only_one = card.find("[[states]]\ninput = \"count_in\"").unwrap();
    assert!(lie(&card[only_one..], "").contains("an input `count_in` (float32"));
}

proptest! {
    #[test]
    fn every_window_has_its_turn_behind_the_one_before(
        lengths in prop::collection::vec(1_usize..6, 0..8), rows in 1_usize..5,
    ) {
        let mut next = 0..;
        let runs: Vec<Vec<usize>> = lengths.iter().map(|length| next.by_ref().take(*length).collect()).collect();
        let calls = calls(&runs, rows);
        let mut seen = Vec::new();
        let mut before = vec![None; rows];
        for call in &calls {
            prop_assert_eq!(call.len(), rows);
            for (slot, turn) in before.iter_mut().zip(call) {
                if let Some(Turn { row, first }) = turn {
                    // The state that stands in this row of the call is that of the window before, or none is needed.
                    prop_assert_eq!(*first, runs.iter().any(|run| run[0] == *row));
                    prop_assert!(*first || *slot == Some(row - 1));
                    seen.push(*row);
                }
                *slot = turn.map(|turn| turn.row);
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..lengths.iter().sum()).collect::<Vec<usize>>());
    }
}
