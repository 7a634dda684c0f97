//! `window` as a stage.

use arrow::array::{Array, AsArray, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Float32Type};
use proptest::prelude::*;
use schemas::columns::{column, integers, longs, strings, with_column};
use schemas::tables::signals::{self, signals};
use schemas::tables::windows::{self, shape, values};
use std::sync::Arc;

use super::cut::*;
use super::fixtures::{Signal, context, cut, repeated, signals as table};
use crate::stage::{FanOut, Stage};

fn stage(plan: &str) -> Window {
    toml::from_str::<WindowConfig>(plan).unwrap().build(&context("window")).unwrap()
}

fn ids(rows: &RecordBatch) -> Vec<&str> {
    strings(rows, "sample_id").unwrap().iter().flatten().collect()
}

/// Where the numbers of `name` stand in memory.
fn address(batch: &RecordBatch, name: &str) -> *const f32 {
    let mut array = column(batch, name).unwrap().clone();
    while !matches!(array.data_type(), DataType::Float32) {
        array = match array.as_list_opt::<i32>() {
            Some(list) => list.values().clone(),
            None => array.as_fixed_size_list().values().clone(),
        };
    }
    array.as_primitive::<Float32Type>().values().as_ptr()
}

#[test]
fn the_defaults_are_twenty_half_overlapping_blocks_of_a_second() {
    let config: WindowConfig = toml::from_str("").unwrap();
    let cutting = config.cutting();
    assert_eq!((cutting.length(), cutting.stride_samples), (525, 250));
    let stride = |plan: &str| toml::from_str::<WindowConfig>(plan).unwrap().cutting().stride_samples;
    assert_eq!(stride("block_hop_samples = 50"), 500);
    assert_eq!(stride("blocks = 1"), 25);
    assert_eq!(stride("blocks = 1\nblock_hop_samples = 50"), 50);
    assert_eq!(stride("stride_samples = 7"), 7);
    assert!(toml::from_str::<WindowConfig>("block_hop_samples = 0").is_err());
    let large = toml::from_str::<WindowConfig>("blocks = 1000000\nblock_samples = 1000000").unwrap();
    assert!(large.build(&context("w")).is_err());
}

#[test]
fn rows_are_sequences_with_their_times() {
    let batch = table(&[Signal::waves("a", 800), Signal::waves("b", 524), Signal::waves("c", 525)]);
    let batch = with_column(&batch, Field::new("role", DataType::Int32, false), {
        Arc::new(Int32Array::from(vec![4, 5, 6]))
    })
    .unwrap();
    let stage = stage("");
    let outcome = stage.run(&batch).unwrap();
    let rows = &outcome.rows;
    assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    assert_eq!(shape(rows.schema_ref()).unwrap(), [20, 50, 6]);
    assert_eq!(rows.schema().metadata()[windows::HOP_KEY], "25");
    assert_eq!(ids(rows), ["a-00000", "a-00001", "c-00000"]);
    assert_eq!(integers(rows, "sequence").unwrap().values()[..], [0, 1, 0]);
    assert_eq!(
        longs(rows, "start_nanos").unwrap().values()[..],
        [1_000_000_000, 6_000_000_000, 1_000_000_000]
    );
    assert_eq!(longs(rows, "end_nanos").unwrap().values()[..2], [11_500_000_000, 16_500_000_000]);
    assert_eq!(integers(rows, "role").unwrap().values()[..], [4, 4, 6], "other columns come along");
    assert_eq!((outcome.taken, stage.fan_out()), (Some(2), FanOut::Varies));
    let reject = &outcome.rejects[0];
    assert_eq!((&reject.reason[..], reject.sample_id.as_deref()), ("shorter than a window", Some("b")));
    assert_eq!(reject.detail, "524 samples (10.48 s); a window takes 525 (10.5 s)");
    // Windows of windows are refused: there is no signal.
    assert!(stage.output_schema(&rows.schema()).is_err());
}

/// Windows are varied as signals are: a turn keeps lengths, and serves all blocks of a row.
#[test]
fn windows_can_be_varied() {
    let batch = stage("blocks = 3\nblock_samples = 4\nblock_hop_samples = 2\nstride_samples = 5")
        .run(&table(&[Signal::waves("a", 30)]))
        .unwrap()
        .rows;
    let turn: super::RotateFrameConfig = toml::from_str("uniform = {}").unwrap();
    let turned = turn.build(&context("turn")).run(&batch).unwrap().rows;
    let length = |vector: &[f32]| vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
    let (before, after) = (values(&batch).unwrap(), values(&turned).unwrap());
    assert_ne!(before, after);
    for (before, after) in before.chunks_exact(3).zip(after.chunks_exact(3)) {
        assert!((length(before) - length(after)).abs() < 1e-4);
    }
    // Samples 2 and 3 of a block are the first two of the next one, before and after.
    assert_eq!(after[2 * 6..4 * 6], after[4 * 6..6 * 6]);
    let parts: Vec<_> =
        cut(&batch, 2).iter().map(|part| turn.build(&context("turn")).run(part).unwrap().rows).collect();
    assert_eq!(arrow::compute::concat_batches(&turned.schema(), &parts).unwrap(), turned);
}

#[test]
fn windows_that_tile_the_signals_share_their_memory() {
    let plan = "blocks = 2\nblock_samples = 5\nblock_hop_samples = 5\nstride_samples = 10";
    let batch = table(&[Signal::waves("a", 20), Signal::waves("b", 30), Signal::waves("c", 17)]);
    let shared = stage(plan).run(&batch).unwrap().rows;
    assert_eq!(address(&shared, "window"), address(&batch, "signal"));
    assert_eq!((shared.num_rows(), values(&shared).unwrap()[0]), (6, signals(&batch).unwrap().row(0)[0]));
    // A slice shares the part that it shows.
    let part = stage(plan).run(&batch.slice(1, 2)).unwrap().rows;
    assert_eq!(address(&part, "window"), address(&batch, "signal").wrapping_add(20 * 6));
    // Samples left over between rows, or an overlap, need a copy.
    let uneven = table(&[Signal::waves("a", 21), Signal::waves("b", 30)]);
    let copied = stage(plan).run(&uneven).unwrap().rows;
    assert_ne!(address(&copied, "window"), address(&uneven, "signal"));
    assert_eq!(values(&copied.slice(2, 3)).unwrap(), signals(&uneven).unwrap().row(1));
}

#[test]
fn a_shift_is_drawn_for_each_row_and_copy_and_leaves_one_window() {
    let batch = repeated(&table(&[Signal::waves("a", 60), Signal::waves("b", 21), Signal::waves("c", 20)]));
    let shifts = |seed: u64, batch: &RecordBatch| -> Vec<i64> {
        let plan = "blocks = 3\nblock_samples = 10\nblock_hop_samples = 5\nstride_samples = 99\nstart_shift_samples = 30";
        let context = crate::stage::BuildContext { seed, ..context("window") };
        let stage = toml::from_str::<WindowConfig>(plan).unwrap().build(&context).unwrap();
        let rows = stage.run(batch).unwrap().rows;
        let starts = longs(&rows, "start_nanos").unwrap();
        starts.values().iter().map(|start| (start - 1_000_000_000) / 20_000_000).collect()
    };
    let drawn = shifts(7, &batch);
    assert_eq!(drawn.len(), 6, "no row loses its only window");
    assert!(drawn[..2].iter().all(|shift| (0..=30).contains(shift)) && drawn[0] != drawn[1], "{drawn:?}");
    assert!(drawn[2..4].iter().all(|shift| (0..=1).contains(shift)));
    assert_eq!(drawn[4..], [0, 0]);
    assert_ne!(drawn, shifts(8, &batch));
    let parts: Vec<i64> = cut(&batch, 1).iter().flat_map(|part| shifts(7, part)).collect();
    assert_eq!(parts, drawn);
    // Each number is drawn, the bound included.
    let many: Vec<Signal> = (0..400).map(|at| Signal::waves(&at.to_string(), 21 + 2)).collect();
    let mut found = shifts(7, &table(&many));
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [0, 1, 2, 3]);
}

proptest! {
    #[test]
    fn a_window_is_a_slice_of_its_signal(
        blocks in 1_usize..4, samples in 1_usize..6, hop in 1_usize..8, stride in 1_usize..20,
        lengths in prop::collection::vec(0_usize..50, 0..6), size in 1_usize..4,
    ) {
        let rows: Vec<Signal> =
            lengths.iter().enumerate().map(|(at, length)| Signal::waves(&at.to_string(), *length)).collect();
        let batch = table(&rows);
        let plan =
            format!("blocks = {blocks}\nblock_samples = {samples}\nblock_hop_samples = {hop}");
        let plan = format!("{plan}\nstride_samples = {stride}");
        let stage = stage(&plan);
        let outcome = stage.run(&batch).unwrap();
        prop_assert_eq!(outcome.taken.unwrap() + outcome.rejects.len(), batch.num_rows());
        let found = values(&outcome.rows).unwrap();
        let [t, b, c] = shape(outcome.rows.schema_ref()).unwrap();
        for row in 0..outcome.rows.num_rows() {
            let id = ids(&outcome.rows)[row];
            let signal = &rows[id.split('-').next().unwrap().parse::<usize>().unwrap()].values;
            let sequence = integers(&outcome.rows, "sequence").unwrap().value(row) as usize;
            for block in 0..t {
                let start = (sequence * stride + block * hop) * c;
                let at = (row * t + block) * b * c;
                prop_assert_eq!(&found[at..at + b * c], &signal[start..start + b * c]);
            }
        }
        let parts: Vec<_> = cut(&batch, size).iter().map(|part| stage.run(part).unwrap().rows).collect();
        let schema = stage.output_schema(&signals::schema(&signals::channels(batch.schema_ref()).unwrap(), 50.0));
        prop_assert_eq!(arrow::compute::concat_batches(&schema.unwrap(), &parts).unwrap(), outcome.rows);
    }
}
