//! The stage on tiny networks whose outputs can be computed by hand; see `stages/testdata/make_models.py`.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Schema};
use proptest::prelude::*;
use schemas::skeleton::{FLIC9, MPII16};
use schemas::tables::samples::{CROP_FROM_IMAGE, raw_image_field};
use schemas::tables::{heatmaps, in_space, metadata, points_array, samples, table_name, vector_array};
use schemas::{Affine, Skeleton, columns};

use super::{Infer, InferConfig};
use crate::network::{EngineConfig, Provider};
use crate::{BuildContext, FanOut, Stage, StageError};

const PIXELS: usize = 12 * 8;

pub(super) fn context(threads: usize) -> BuildContext {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/models");
    BuildContext { name: "infer".to_owned(), seed: 0, threads, folder }
}

fn with_engine(mut config: InferConfig, change: impl FnOnce(&mut EngineConfig)) -> InferConfig {
    change(&mut config.engine);
    config
}

fn build(model: &str) -> Result<Infer, StageError> {
    InferConfig::new(format!("{model}.onnx")).build(&context(1))
}

/// Samples of 12 x 8 px, person `i` at image px (2 i, 0), crop = image + (1, 2).
pub(super) fn samples_of(images: &[Vec<u8>], skeleton: &Skeleton) -> RecordBatch {
    let shift = Affine::translation(1.0, 2.0).0;
    let centers: Vec<[f64; 2]> = (0..images.len()).map(|i| [2.0 * i as f64, 0.0]).collect();
    let joints = vec![[1.0, 2.0]; skeleton.len()];
    let points = points_array(images.iter().map(|_| &joints[..]), skeleton.len());
    let fields = vec![
        Field::new("sample_id", DataType::Utf8, false),
        raw_image_field(12, 8),
        in_space(Field::new("center", columns::fixed_list(DataType::Float64, 2), true), "image"),
        Field::new(CROP_FROM_IMAGE, columns::fixed_list(DataType::Float64, 6), false),
        Field::new("keypoints", points.data_type().clone(), false),
        Field::new("heatmap_weight", DataType::Int32, false),
    ];
    let ids = (0..images.len()).map(|i| format!("flic-{i}"));
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(ids)),
        Arc::new(BinaryArray::from_iter_values(images)),
        vector_array(centers.iter().map(|center| Some(&center[..])), 2),
        vector_array(images.iter().map(|_| Some(&shift[..])), 6),
        points,
        Arc::new(Int32Array::from(vec![1; images.len()])),
    ];
    let schema = Schema::new_with_metadata(fields, metadata(samples::NAME, Some(skeleton)));
    RecordBatch::try_new(Arc::new(schema), arrays).unwrap()
}

/// An image whose level at (x, y, channel) is `seed + 7 x + 3 y + 50 channel`, wrapped.
pub(super) fn image(seed: usize) -> Vec<u8> {
    (0..PIXELS * 3).map(|at| (seed + 7 * (at / 3 % 12) + 3 * (at / 36) + 50 * (at % 3)) as u8).collect()
}

/// Mean of the 2 x 2 px of map px (`x`, `y`) in channel `channel` of `image`, with `value` of each level.
fn mean(image: &[u8], channel: usize, x: usize, y: usize, value: impl Fn(f64) -> f64) -> f64 {
    let level = |dx, dy| value(f64::from(image[((2 * y + dy) * 12 + 2 * x + dx) * 3 + channel]));
    (level(0, 0) + level(1, 0) + level(0, 1) + level(1, 1)) / 4.0
}

pub(super) fn maps(batch: &RecordBatch) -> &[f32] {
    heatmaps::maps_values(batch.column_by_name("heatmaps").unwrap(), "heatmaps").unwrap()
}

#[test]
fn two_heads_make_two_rows_a_sample_and_the_background_goes() {
    let images: Vec<Vec<u8>> = (0..3).map(image).collect();
    let infer = build("nchw").unwrap();
    let outcome = infer.run(&samples_of(&images, &FLIC9)).unwrap();
    let rows = &outcome.rows;
    assert_eq!((rows.num_rows(), infer.fan_out(), outcome.rejects.len()), (6, FanOut::Each(2), 0));
    assert_eq!(rows.schema(), infer.output_schema(&samples_of(&images, &FLIC9).schema()).unwrap());
    assert_eq!(table_name(&rows.schema()), Some("heatmaps"));
    assert_eq!(rows.schema().metadata()[heatmaps::MODEL_KEY], "nchw");
    let stages = rows.column_by_name("head").unwrap().as_primitive::<Int32Type>();
    assert_eq!(stages.values().as_ref(), [1, 2, 1, 2, 1, 2]);
    assert_eq!(columns::strings(rows, "sample_id").unwrap().value(3), "flic-1");
    // Stage 1 drops channel 3, stage 2 channel 9 and holds twice the value: channel c is (c + 1) times the mean.
    for (row, image) in [(0, 0), (1, 0), (4, 2), (5, 2)] {
        for joint in 0..9 {
            let channel = if row % 2 == 0 && joint >= 3 { joint + 1 } else { joint };
            let times = (channel + 1) as f64 * if row % 2 == 0 { 1.0 } else { 2.0 };
            for (x, y) in [(0, 0), (5, 3), (2, 1)] {
                let found = f64::from(maps(rows)[(row * 9 + joint) * 24 + y * 6 + x]);
                let expected = times * mean(&images[image], 0, x, y, |level| level);
                assert!((found - expected).abs() < 1e-2, "row {row}, joint {joint}: {found} {expected}");
            }
        }
    }
    assert_eq!(rows.column_by_name("stride").unwrap().as_primitive::<Float64Type>().value(0), 2.0);
    assert_eq!(rows.column_by_name("origin_in_crop").unwrap().as_primitive::<Float64Type>().value(0), 0.5);
}

#[test]
fn a_network_of_one_row_a_call_runs_row_by_row_in_bgr_with_mean_and_std() {
    let images: Vec<Vec<u8>> = (0..3).map(|i| image(40 * i)).collect();
    let outcome = build("nhwc_fixed").unwrap().run(&samples_of(&images, &FLIC9)).unwrap();
    for (row, image) in images.iter().enumerate() {
        // Channel 2 of a BGR image is red, whose mean and std come last: (level - 30) / 2.
        let expected = 4.0 * mean(image, 0, 5, 2, |level| (level - 30.0) / 2.0);
        let found = f64::from(maps(&outcome.rows)[(row * 9 + 3) * 24 + 2 * 6 + 5]);
        assert!((found - expected).abs() < 1e-2, "{found} {expected}");
    }
}

#[test]
fn bytes_go_in_as_they_are() {
    let images = vec![image(9)];
    let outcome = build("uint8").unwrap().run(&samples_of(&images, &FLIC9)).unwrap();
    let expected = 2.0 * mean(&images[0], 2, 1, 1, |level| level / 255.0);
    let found = f64::from(maps(&outcome.rows)[24 + 6 + 1]);
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn the_centre_map_is_where_the_person_is() {
    let images: Vec<Vec<u8>> = (0..3).map(image).collect();
    let outcome = build("center").unwrap().run(&samples_of(&images, &FLIC9)).unwrap();
    for row in 0..3 {
        let map = &maps(&outcome.rows)[row * 9 * PIXELS..][..PIXELS];
        let peak = (0..PIXELS).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
        assert_eq!((peak % 12, peak / 12), (2 * row + 1, 2), "person at image px ({}, 0)", 2 * row);
        assert_eq!(map[peak], 1.0);
    }
}

#[test]
fn the_centre_map_is_where_the_crop_was_framed() {
    let batch = samples_of(&[image(0), image(1)], &FLIC9);
    let framed = [[7.0, 3.0], [f64::NAN, 3.0]];
    let field = Field::new("crop_center", columns::fixed_list(DataType::Float64, 2), false);
    let column = vector_array(framed.iter().map(|center| Some(&center[..])), 2);
    let batch = columns::with_column(&batch, field, column).unwrap();
    let outcome = build("center").unwrap().run(&batch).unwrap();
    assert_eq!(maps(&outcome.rows)[5 * 12 + 8], 1.0, "image px (7, 3) is crop px (8, 5)");
    assert_eq!((outcome.rows.num_rows(), &outcome.rejects[0].reason[..]), (1, "no centre"));
}

#[test]
fn rows_that_cannot_run_are_rejects_and_the_others_stay_in_order() {
    let images = vec![image(1), vec![0; 7], image(2), Vec::new()];
    let infer = build("nchw").unwrap();
    let outcome = infer.run(&samples_of(&images, &FLIC9)).unwrap();
    assert_eq!(outcome.rows.num_rows(), (4 - outcome.rejects.len()) * 2);
    let rejected: Vec<_> =
        outcome.rejects.iter().map(|reject| reject.sample_id.as_deref().unwrap()).collect();
    assert_eq!(rejected, ["flic-1", "flic-3"]);
    assert_eq!(outcome.rejects[0].reason, "image size");
    assert_eq!(outcome.rejects[0].detail, "288 bytes of pixels are expected, found 7");
    assert_eq!(columns::strings(&outcome.rows, "sample_id").unwrap().value(2), "flic-2");
    let nothing = infer.run(&samples_of(&[], &FLIC9)).unwrap();
    assert_eq!(nothing.rows.num_rows(), 0);
}

#[test]
fn pixels_and_targets_stay_behind_and_annotations_where_the_skeleton_differs() {
    let names = |keep_image: bool, skeleton: &Skeleton| -> Vec<String> {
        let config = InferConfig { keep_image, ..InferConfig::new("nhwc_fixed.onnx") };
        let outcome = config.build(&context(1)).unwrap().run(&samples_of(&[image(0)], skeleton)).unwrap();
        outcome.rows.schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    let maps = ["head", "heatmaps", "stride", "origin_in_crop"];
    let carried = ["sample_id", "center", "crop_from_image"];
    assert_eq!(names(false, &MPII16), [&carried[..], &maps[..]].concat());
    assert_eq!(names(false, &FLIC9), [&carried[..], &["keypoints"], &maps[..]].concat());
    assert!(names(true, &FLIC9).contains(&"image".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However rows come in batches, and whichever place they have in a call, their maps have the same bits.
    #[test]
    fn batching_does_not_show(
        seeds in proptest::collection::vec(0usize..256, 1..20),
        cut in 0usize..20,
        rows_a_call in 1usize..7,
        dense in any::<bool>(),
    ) {
        let batch = rows_a_call.try_into().ok();
        let model = if dense { "dense.onnx" } else { "nchw.onnx" };
        let infer = with_engine(InferConfig::new(model), |engine| engine.batch = batch).build(&context(1)).unwrap();
        let images: Vec<Vec<u8>> = seeds.iter().map(|seed| image(*seed)).collect();
        let whole = samples_of(&images, &FLIC9);
        let cut = cut.min(images.len());
        let at_once = infer.run(&whole).unwrap().rows;
        let parts = [whole.slice(0, cut), whole.slice(cut, images.len() - cut)];
        let parts = parts.map(|part| infer.run(&part).unwrap().rows);
        prop_assert_eq!(concat_batches(&at_once.schema(), &parts).unwrap(), at_once);
    }
}

#[test]
fn many_threads_share_few_sessions() {
    let config = with_engine(InferConfig::new("nchw.onnx"), |engine| engine.sessions = 2.try_into().ok());
    let infer = config.build(&context(8)).unwrap();
    let batch = samples_of(&(0..16).map(image).collect::<Vec<_>>(), &FLIC9);
    let expected = infer.run(&batch).unwrap().rows;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(infer.run(&batch).unwrap().rows, expected));
        }
    });
    assert!(infer.describe().contains("`nchw` on cpu: 2 session(s), 1 row(s) per call, ONNX Runtime"));
}

#[test]
fn what_does_not_fit_is_said_before_a_row_flows() {
    let infer = build("nchw").unwrap();
    let small = Schema::new(vec![Field::new("sample_id", DataType::Utf8, false), raw_image_field(6, 8)]);
    let error = infer.output_schema(&Arc::new(small)).unwrap_err();
    assert_eq!(error.to_string(), "the network `nchw` expects images of 12 x 8 px, the samples are 6 x 8 px");
    let unread = Schema::new(vec![Field::new("sample_id", DataType::Utf8, false)]);
    assert!(infer.output_schema(&Arc::new(unread)).unwrap_err().to_string().contains("`image` is missing"));

    let refused = |config: InferConfig| config.build(&context(1)).err().unwrap().to_string();
    let wrong_card = InferConfig { card: Some("uint8.toml".into()), ..InferConfig::new("nhwc_fixed.onnx") };
    let message = refused(wrong_card);
    assert!(
        message.contains("expects uint8 [?, 8, 12, 3], the network has float32 [1, 8, 12, 3]"),
        "{message}"
    );
    assert!(message.ends_with("uint8.toml`"), "{message}");
    let message =
        refused(with_engine(InferConfig::new("nhwc_fixed.onnx"), |engine| engine.batch = 4.try_into().ok()));
    assert!(message.contains("takes 1 rows per call"), "{message}");
    assert!(refused(InferConfig::new("absent.onnx")).contains("cannot read the network"));
    let no_card = |engine: &mut EngineConfig| {
        *engine = EngineConfig { devices: vec![], provider: Provider::Cuda, ..EngineConfig::default() }
    };
    assert!(refused(with_engine(InferConfig::new("nchw.onnx"), no_card)).contains("`devices` is empty"));
}
