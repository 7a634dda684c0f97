//! Properties that hold for all augmenting stages.

use schemas::Affine;
use schemas::skeleton::MPII16;
use schemas::tables::people::{self, Person, Pose};
use schemas::visibility::Visibility;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use proptest::prelude::*;

use super::geometry::{self, Geometry};
use super::{ColourConfig, CropConfig, FlipConfig, RotateConfig, ScaleConfig, ShiftConfig};
use crate::stage::{BuildContext, Stage};

pub(super) fn context(name: &str, seed: u64) -> BuildContext {
    BuildContext { name: name.to_owned(), seed, threads: 1, folder: PathBuf::from(".") }
}

pub(super) fn person(id: &str, center: [f64; 2], scale: f64) -> Person {
    let mut pose = Pose::unknown(16);
    pose.set(0, center, Visibility::Visible);
    pose.set(10, [center[0] + 20.0, center[1] - 30.0], Visibility::Occluded);
    Person {
        sample_id: id.to_owned(),
        dataset: "mpii".into(),
        split: "train".into(),
        image_path: "a.png".into(),
        image_size: Some([640, 480]),
        person_index: Some(0),
        center: Some(center),
        scale: Some(scale),
        pose: pose.clone(),
        others: vec![std::sync::Arc::new(pose)],
        source_file: "a.mat".into(),
        source_record: "1".into(),
        ..Person::default()
    }
}

fn crowd() -> RecordBatch {
    let people: Vec<Person> = (0..12)
        .map(|at| person(&format!("mpii-{at}"), [50.0 * f64::from(at), 200.0], 1.0 + 0.1 * f64::from(at)))
        .collect();
    people::to_batch(&MPII16, &people)
}

/// Crop and all five augmenting stages, hourglass style.
fn chain(seed: u64) -> Vec<Box<dyn Stage>> {
    let crop: CropConfig =
        toml::from_str("size = [256, 256]\nframe.person = { height = 204.8, shift_down = 0.075 }").unwrap();
    let scale: ScaleConfig = toml::from_str("log2_normal = {}").unwrap();
    let rotate: RotateConfig = toml::from_str("uniform = { max_degrees = 40 }").unwrap();
    let shift: ShiftConfig = toml::from_str("max = 10").unwrap();
    let flip: FlipConfig = toml::from_str("").unwrap();
    let colour: ColourConfig = toml::from_str("gain = { min = 0.6, max = 1.4 }").unwrap();
    vec![
        Box::new(crop.build(&context("crop", seed)).unwrap()),
        Box::new(scale.build(&context("scale", seed)).unwrap()),
        Box::new(rotate.build(&context("rotate", seed))),
        Box::new(shift.build(&context("shift", seed))),
        Box::new(flip.build(&context("flip", seed))),
        Box::new(colour.build(&context("colour", seed)).unwrap()),
    ]
}

fn run(stages: &[Box<dyn Stage>], batch: &RecordBatch) -> RecordBatch {
    stages.iter().fold(batch.clone(), |batch, stage| {
        let expected = stage.output_schema(&batch.schema()).unwrap();
        let outcome = stage.run(&batch).unwrap();
        assert!(outcome.rejects.is_empty());
        assert_eq!(outcome.rows.schema(), expected);
        outcome.rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn draws_do_not_depend_on_slicing_or_order(seed in any::<u64>(), cut in 1..11usize) {
        let (batch, chain) = (crowd(), chain(seed));
        let whole = run(&chain, &batch);
        let first = run(&chain, &batch.slice(0, cut));
        let rest = run(&chain, &batch.slice(cut, 12 - cut));
        prop_assert_eq!(whole.slice(0, cut), first);
        prop_assert_eq!(whole.slice(cut, 12 - cut), rest);
        let order: Vec<usize> = (0..12).rev().collect();
        let reversed = run(&chain, &crate::stage::take_rows(&batch, &order).unwrap());
        prop_assert_eq!(crate::stage::take_rows(&whole, &order).unwrap(), reversed);
    }

    #[test]
    fn what_is_noted_explains_the_map(seed in any::<u64>()) {
        let batch = run(&chain(seed), &crowd());
        for (row, drawn) in geometry::read(&batch).unwrap().iter().enumerate() {
            let s = 1.0 + 0.1 * row as f64;
            let (cx, cy, h) = (50.0 * row as f64, 200.0 + 15.0 * s, 200.0 * s * 1.25);
            // Hourglass, section by section: crop, zoom and turn about (R / 2, R / 2), move, mirror.
            let crop = Affine([256.0 / h, 0.0, 256.0 * (0.5 - cx / h), 0.0, 256.0 / h, 256.0 * (0.5 - cy / h)]);
            let turned = (Affine::rotation(drawn.rotation_radians) * Affine::scale(drawn.scale_factor)).about([128.0; 2]);
            let moved = Affine::translation(drawn.shift_in_crop[0], drawn.shift_in_crop[1]);
            let mirror = if drawn.flipped { Affine::mirror(256.0) } else { Affine::IDENTITY };
            let expected = mirror * moved * turned * crop;
            for (found, expected) in drawn.crop_from_image.0.iter().zip(expected.0) {
                prop_assert!((found - expected).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_pose_machine_formulas_come_out(
        cx in 0.0..640.0f64, cy in 0.0..480.0f64, scale in 0.5..6.0f64, m in 0.7..1.3f64, radians in -0.7..0.7f64,
        x in 0.0..640.0f64, y in 0.0..480.0f64,
    ) {
        // Scale all points, turn about the resized image's centre, move objpos to 184, mirror: x -> w - 1 - x.
        let s = 41.0 / 35.0 / scale * m;
        let turned = |x: f64, y: f64| {
            let (dx, dy) = (s * x - s * 320.0, s * y - s * 240.0);
            [radians.cos() * dx - radians.sin() * dy, radians.sin() * dx + radians.cos() * dy]
        };
        let (point, objpos) = (turned(x, y), turned(cx, cy));
        let expected = [367.0 - (point[0] - objpos[0] + 184.0), point[1] - objpos[1] + 184.0];

        let frame = Affine::translation(184.0, 184.0) * Affine::scale(41.0 / 35.0 / scale) * Affine::translation(-cx, -cy);
        let mut composed = Geometry::new(frame, [368.0; 2]);
        composed.then(Affine::scale(m).about(composed.crop_center()));
        composed.then(Affine::rotation(radians).about(composed.crop_center()));
        composed.then(Affine::mirror(368.0));
        let found = composed.crop_from_image.apply([x, y]);
        prop_assert!((found[0] - expected[0]).abs() < 1e-6 && (found[1] - expected[1]).abs() < 1e-6);
    }
}

#[test]
fn another_seed_draws_anew() {
    let batch = crowd();
    assert_ne!(run(&chain(1), &batch), run(&chain(2), &batch));
}

#[test]
fn a_row_without_a_person_or_scale_is_rejected_with_its_reason() {
    let mut people =
        vec![person("a", [1.0, 2.0], 1.0), person("b", [1.0, 2.0], 1.0), person("c", [1.0, 2.0], 1.0)];
    people[0].person_index = None;
    people[2].scale = None;
    let batch = people::to_batch(&MPII16, &people);
    let outcome = chain(1)[0].run(&batch).unwrap();
    assert_eq!(outcome.rows.num_rows(), 1);
    let reasons: Vec<_> =
        outcome.rejects.iter().map(|r| (r.sample_id.as_deref().unwrap(), &r.reason[..])).collect();
    assert_eq!(reasons, [("a", "no person"), ("c", "no scale")]);
}

#[test]
fn geometry_cannot_change_after_the_pixels() {
    let cropped = run(&chain(1)[..1], &crowd());
    let warp: super::WarpConfig = toml::from_str("").unwrap();
    let warped = warp.build(&context("warp", 1)).output_schema(&cropped.schema()).unwrap();
    let error = chain(1)[4].output_schema(&warped).unwrap_err();
    assert_eq!(error.to_string(), "the pixels were already sampled, so the geometry can no longer change");
    assert_eq!(error.hint().as_deref(), Some("put this stage before `warp`"));
}
