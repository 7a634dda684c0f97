//! The stage on a tiny second network whose answer can be computed by hand; see `stages/testdata/make_models.py`.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use proptest::prelude::*;
use schemas::columns::{fixed_list, points, strings, vectors_f64};
use schemas::skeleton::{CPM14, FLIC9};
use schemas::tables::samples::raw_image_field;
use schemas::tables::{heatmaps, metadata, samples, vector_array};
use schemas::{Affine, Skeleton};

use super::{RefineConfig, RefineJoints};
use crate::{BuildContext, FanOut, Stage, StageError};
use schemas::tables::MODEL_KEY;

const JOINTS: usize = 9;
/// Coarse maps of 3 x 2 px, stride 4, origin 1.5, of crops of 12 x 8 px.
const COARSE: [usize; 2] = [3, 2];

fn context() -> BuildContext {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/models");
    BuildContext { name: "refine".to_owned(), seed: 0, threads: 1, folder }
}

fn build(rows_a_call: usize) -> RefineJoints {
    let mut config = RefineConfig::new("fine.onnx");
    config.engine.batch = rows_a_call.try_into().ok();
    config.build(&context()).unwrap()
}

/// A row: what the picture's first px says, the coarse px of every joint, the crop, whether it is mirrored.
struct Sample {
    target: [u8; 2],
    cells: [usize; JOINTS],
    crop: Affine,
    flipped: bool,
}

impl Sample {
    fn new(target: [u8; 2], cell: usize) -> Self {
        Self { target, cells: [cell; JOINTS], crop: Affine::IDENTITY, flipped: false }
    }

    /// The crop px that joint map `channel` must give: the px nearest to its target within 2 px of the rounded place.
    fn expected(&self, channel: usize) -> [f64; 2] {
        let cell = self.cells[channel];
        // 1.5 + 4 * px, a half upwards.
        let place = [2.0 + 4.0 * (cell % COARSE[0]) as f64, 2.0 + 4.0 * (cell / COARSE[0]) as f64];
        let target = [f64::from(self.target[0]) + channel as f64, f64::from(self.target[1])];
        [0, 1].map(|axis| target[axis].clamp(place[axis] - 2.0, place[axis] + 2.0))
    }
}

fn table_of(rows: &[Sample], skeleton: &Skeleton) -> RecordBatch {
    let (joints, cells) = (skeleton.len(), COARSE[0] * COARSE[1]);
    let mut fields = vec![
        Field::new("sample_id", DataType::Utf8, false),
        raw_image_field(12, 8),
        Field::new(samples::CROP_FROM_IMAGE, fixed_list(DataType::Float64, 6), false),
        Field::new(samples::FLIPPED, DataType::Boolean, false),
    ];
    fields.extend(heatmaps::fields(joints, COARSE[1], COARSE[0]));
    let mut metadata = metadata(heatmaps::NAME, Some(skeleton));
    metadata.insert(MODEL_KEY.to_owned(), "once".to_owned());
    let image = |row: &Sample| {
        let mut image = vec![200u8; 12 * 8 * 3];
        image[..2].copy_from_slice(&row.target);
        image
    };
    let height = |row: &Sample, joint: usize, cell: usize| {
        if row.cells[joint % JOINTS] == cell { 1.0 / (joint + 1) as f32 } else { 0.0 }
    };
    let maps = rows.iter().flat_map(|row| {
        (0..joints).flat_map(move |joint| (0..cells).map(move |cell| height(row, joint, cell)))
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values((0..rows.len()).map(|row| format!("flic-{row}")))),
        Arc::new(BinaryArray::from_iter_values(rows.iter().map(image))),
        vector_array(rows.iter().map(|row| Some(&row.crop.0[..])), 6),
        Arc::new(rows.iter().map(|row| Some(row.flipped)).collect::<BooleanArray>()),
        Arc::new(Int32Array::from(vec![3; rows.len()])),
        heatmaps::maps_array(maps.collect(), joints, COARSE[1], COARSE[0]),
        Arc::new(Float64Array::from(vec![4.0; rows.len()])),
        Arc::new(Float64Array::from(vec![1.5; rows.len()])),
    ];
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), columns).unwrap()
}

#[test]
fn joints_move_from_the_coarse_place_to_the_fine_one_and_back_into_the_image() {
    let half = Affine::translation(1.0, 2.0) * Affine::scale(0.5);
    let mirror = Affine::mirror(12.0) * half;
    let rows = [
        Sample::new([3, 3], 0),
        Sample { crop: half, cells: [0, 1, 2, 3, 4, 5, 0, 1, 2], ..Sample::new([1, 6], 0) },
        Sample { crop: mirror, flipped: true, cells: [0, 1, 2, 3, 4, 5, 0, 1, 2], ..Sample::new([1, 6], 0) },
    ];
    let (batch, stage) = (table_of(&rows, &FLIC9), build(2));
    let outcome = stage.run(&batch).unwrap();
    let made = &outcome.rows;
    assert_eq!(made.schema(), stage.output_schema(&batch.schema()).unwrap());
    assert_eq!((made.num_rows(), outcome.rejects.len(), stage.fan_out()), (3, 0, FanOut::Each(1)));
    assert_eq!(strings(made, "model").unwrap().value(2), "twice");
    assert_eq!(schemas::columns::integers(made, "head").unwrap().values(), &[3, 3, 3]);
    let (found, opposite) = (points(made, "keypoints").unwrap(), FLIC9.mirrored());
    let (scores, means) =
        (vectors_f64(made, "score", JOINTS).unwrap(), vectors_f64(made, "heatmap_mean", JOINTS).unwrap());
    for (at, row) in rows.iter().enumerate() {
        for joint in 0..JOINTS {
            let channel = if row.flipped { opposite[joint] } else { joint };
            let in_crop = row.crop.apply(found[at][joint]);
            let expected = row.expected(channel);
            assert!(
                (in_crop[0] - expected[0]).abs() < 1e-9 && (in_crop[1] - expected[1]).abs() < 1e-9,
                "row {at}, joint {joint}: {in_crop:?} for {expected:?}"
            );
            // The coarse peak's height, and the coarse map's mean.
            let height = f64::from(1.0 / (channel + 1) as f32);
            assert_eq!(scores.row(at).unwrap()[joint], height);
            assert!((means.row(at).unwrap()[joint] - height / 6.0).abs() < 1e-7);
        }
    }
    // Joint 0 of the first row, by hand: coarse (1.5, 1.5), so (2, 2), one px right and down to its target (3, 3).
    assert_eq!(found[0][0], [3.0, 3.0]);
    // Joint 5 wants (8, 3), which the window about (2, 2) does not reach.
    assert_eq!(found[0][5], [4.0, 3.0]);
}

#[test]
fn what_cannot_be_seen_is_nowhere_or_a_reject() {
    let rows = [Sample::new([3, 3], 0), Sample { crop: Affine::scale(0.0), ..Sample::new([3, 3], 0) }];
    let batch = table_of(&rows, &FLIC9);
    let mut maps =
        heatmaps::maps_values(batch.column_by_name("heatmaps").unwrap(), "heatmaps").unwrap().to_vec();
    maps[2 * 6..3 * 6].fill(f32::NAN);
    let maps = heatmaps::maps_array(maps, JOINTS, COARSE[1], COARSE[0]);
    let field = schemas::columns::field(batch.schema_ref(), "heatmaps").unwrap().clone();
    let batch = schemas::columns::with_column(&batch, field, maps).unwrap();
    let outcome = build(1).run(&batch).unwrap();
    let found = points(&outcome.rows, "keypoints").unwrap();
    assert!(found[0][2][0].is_nan() && found[0][1] == [4.0, 3.0]);
    assert!(vectors_f64(&outcome.rows, "score", JOINTS).unwrap().row(0).unwrap()[2].is_nan());
    assert_eq!((outcome.rows.num_rows(), outcome.rejects[0].reason.as_str()), (1, "singular transform"));

    let short: ArrayRef = Arc::new(BinaryArray::from_iter_values([&[0u8; 7][..], &[]]));
    let batch = schemas::columns::with_column(&batch, raw_image_field(12, 8), short).unwrap();
    let outcome = build(1).run(&batch).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.rejects.len()), (0, 2));
    assert_eq!(outcome.rejects[0].detail, "288 bytes of pixels are expected, found 7");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn batching_does_not_show(
        cells in proptest::collection::vec((0usize..6, 0u8..12), 1..9), rows_a_call in 1usize..5, cut in 0usize..9,
    ) {
        let rows: Vec<Sample> = cells.iter().map(|(cell, target)| Sample::new([*target, 3], *cell)).collect();
        let (batch, stage) = (table_of(&rows, &FLIC9), build(rows_a_call));
        let whole = stage.run(&batch).unwrap().rows;
        let cut = cut.min(rows.len());
        let parts = [batch.slice(0, cut), batch.slice(cut, rows.len() - cut)];
        let parts = parts.map(|part| stage.run(&part).unwrap().rows);
        prop_assert_eq!(concat_batches(&whole.schema(), &parts).unwrap(), whole);
    }
}

#[test]
fn what_does_not_fit_is_said_before_a_row_flows() {
    let stage = build(1);
    let refused = |batch: RecordBatch| {
        let error = stage.output_schema(&batch.schema()).unwrap_err();
        (error.to_string(), error.hint())
    };
    let batch = table_of(&[Sample::new([0, 0], 0)], &FLIC9);
    let (message, hint) = refused(batch.project(&[0, 2, 3, 4, 5, 6, 7]).unwrap());
    assert!(
        message.contains("the rows have none") && hint.unwrap().contains("keep_image = true"),
        "{message}"
    );
    let (message, _) = refused(table_of(&[Sample::new([0, 0], 0)], &CPM14));
    assert_eq!(message, "the network `twice` refines joints of `flic9`, the maps are of `cpm14`");
    let small =
        schemas::columns::with_column(&batch, raw_image_field(6, 8), batch.column(1).clone()).unwrap();
    assert!(refused(small).0.contains("expects images of 12 x 8 px, the samples are 6 x 8 px"));
}

/// What a card that differs from the network's own is told.
fn complaint(from: &str, to: &str) -> String {
    const CARD: &str = include_str!("../../../testdata/models/fine.toml");
    assert!(CARD.contains(from), "{from}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lie.toml");
    std::fs::write(&path, CARD.replacen(from, to, 1)).unwrap();
    let config = RefineConfig { card: Some(path), ..RefineConfig::new("fine.onnx") };
    let error: StageError = config.build(&context()).err().unwrap();
    let message = error.to_string();
    assert!(message.ends_with("lie.toml`"), "{message}");
    message
}

#[test]
fn a_card_that_lies_is_refused() {
    let says = |from: &str, to: &str, expected: &str| {
        let message = complaint(from, to);
        assert!(message.contains(expected), "{message}");
    };
    says("channels = 9", "channels = 8", "keeps 8 channels, but skeleton `flic9` has 9 joints");
    says(
        "skeleton = \"flic9\"",
        "skeleton = \"cpm14\"",
        "keeps 9 channels, but skeleton `cpm14` has 14 joints",
    );
    says("center = 2", "center = 5", "`center` 5 lies outside its maps of 5 x 5 px");
    says("center = 2", "center = nan", "give no place");
    says(
        "name = \"points\"",
        "name = \"places\"",
        "the card names input `places`, but the network has `image`, `points`",
    );
    says(
        "width = 12",
        "width = 16",
        "the card expects float32 [?, 3, 8, 16], the network has float32 [?, 3, 8, 12]",
    );
    says("nchw\"\nhead", "nhwc\"\nhead", "output `offsets`: the card expects float32 [?, ?, ?, 9]");
    says("kind = \"offsets\"", "kind = \"heatmaps\"", "unknown variant `heatmaps`");
    says("[points]\nname = \"points\"\n", "", "missing field `points`");
}
