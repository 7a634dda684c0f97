//! Which windows a state goes through, and in which calls they run.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use schemas::columns::{integers, longs, strings};
use schemas::tables::windows;

use crate::StageError;
use crate::network::NetworkError;

/// What makes windows parts of one stretch, by the columns that hold text.
const STRETCH: [&str; 4] = ["dataset", "subject", "device", "session"];

/// Checks that windows of `input`, if their metadata says how they are cut, begin every `advance` samples.
///
/// # Errors
/// When they overlap, or leave samples out.
pub(super) fn check_cutting(input: &Schema, advance: f64) -> Result<(), StageError> {
    match windows::stride_samples(input) {
        Some(found) if found != advance => {
            Err(NetworkError::Cutting { advance, found: format!("they begin every {found} samples") }.into())
        }
        _ => Ok(()),
    }
}

/// The windows `kept` of `batch`, run by run: in a run each window goes on where the one before ended.
///
/// A run begins with a stretch, and behind a window that is not there or not kept. `advance` is in samples of
/// `period_nanos`.
///
/// # Errors
/// When the first windows of a stretch are not in the batch, a window comes twice, or windows overlap or leave a gap.
pub(super) fn stretches(
    batch: &RecordBatch,
    kept: &[usize],
    advance: f64,
    period_nanos: f64,
) -> Result<Vec<Vec<usize>>, StageError> {
    let texts = STRETCH.map(|name| strings(batch, name));
    let [dataset, subject, device, session] = texts;
    let texts = [dataset?, subject?, device?, session?];
    let (segments, copies) = (integers(batch, "segment")?, integers(batch, "copy")?);
    let (sequences, starts) = (integers(batch, "sequence")?, longs(batch, "start_nanos")?);
    let ids = strings(batch, "sample_id")?;

    let mut stretches: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    for row in 0..batch.num_rows() {
        let key = (texts.map(|column| column.value(row)), segments.value(row), copies.value(row));
        let at = *known.entry(key).or_insert_with(|| {
            stretches.push(Vec::new());
            stretches.len() - 1
        });
        stretches[at].push(row);
    }
    let mut serves = vec![false; batch.num_rows()];
    for row in kept {
        serves[*row] = true;
    }

    let mut runs: Vec<Vec<usize>> = Vec::new();
    for mut stretch in stretches {
        stretch.sort_by_key(|row| sequences.value(*row));
        let first = stretch[0];
        if sequences.value(first) != 0 {
            let (window, number) = (ids.value(first).to_owned(), sequences.value(first));
            return Err(NetworkError::NotFirst { window, number }.into());
        }
        let mut before: Option<usize> = None;
        for row in stretch {
            let follows = before.is_some_and(|before| sequences.value(row) == sequences.value(before) + 1);
            if let Some(before) = before {
                if sequences.value(row) == sequences.value(before) {
                    let (first, second) = (ids.value(before).to_owned(), ids.value(row).to_owned());
                    return Err(NetworkError::SameWindow { first, second }.into());
                }
                let samples = (starts.value(row) - starts.value(before)) as f64 / period_nanos;
                if follows && (samples - advance).abs() > 0.5 {
                    let (from, to) = (ids.value(before), ids.value(row));
                    let found = format!("`{to}` begins {} samples behind `{from}`", libm::round(samples));
                    return Err(NetworkError::Cutting { advance, found }.into());
                }
            }
            match runs.last_mut() {
                _ if !serves[row] => {}
                Some(run) if follows && before == run.last().copied() => run.push(row),
                _ => runs.push(vec![row]),
            }
            before = Some(row);
        }
    }
    Ok(runs)
}

/// One row of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// The window.
    pub row: usize,
    /// Whether it is the first of its run.
    pub first: bool,
}

/// The calls, of `rows` rows each, that take the windows of `runs` one after the other, each run in a row of its own
/// until it ends; `None` where a row stays blank.
pub(super) fn calls(runs: &[Vec<usize>], rows: usize) -> Vec<Vec<Option<Turn>>> {
    let mut waiting = runs.iter();
    // What is left of the run in each row of a call.
    let mut slots: Vec<&[usize]> = vec![&[]; rows];
    let mut calls = Vec::new();
    loop {
        let mut call = Vec::with_capacity(rows);
        for slot in &mut slots {
            let first = slot.is_empty();
            if first {
                *slot = waiting.next().map_or(&[], Vec::as_slice);
            }
            call.push(slot.split_off_first().map(|row| Turn { row: *row, first }));
        }
        if call.iter().all(Option::is_none) {
            return calls;
        }
        calls.push(call);
    }
}
