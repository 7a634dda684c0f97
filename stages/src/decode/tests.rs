//! The stage on maps made by hand and on Gaussians: laws, and the rules of the papers.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type};
use proptest::prelude::*;
use schemas::columns::{points, strings, vectors_f64};
use schemas::skeleton::FLIC9;
use schemas::tables::{keypoints, metadata, table_name, vector_array};

use super::*;
use schemas::tables::MODEL_KEY;

const JOINTS: usize = 9;

fn context() -> BuildContext {
    BuildContext { name: NAME.to_owned(), seed: 0, threads: 1, folder: ".".into() }
}

fn decode(rule: Rule, refine: Refine) -> Decode {
    DecodeConfig { rule, refine: Some(refine), ..DecodeConfig::default() }.build(&context()).unwrap()
}

/// Maps of `side` x `side` px, one row a transform.
fn table(maps: Vec<f32>, side: usize, place: [f64; 2], crops: &[(Affine, bool)]) -> RecordBatch {
    let rows = crops.len();
    let mut fields = vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new("source_file", DataType::Utf8, true),
        Field::new(samples::CROP_FROM_IMAGE, schemas::columns::fixed_list(DataType::Float64, 6), false),
        Field::new(samples::FLIPPED, DataType::Boolean, false),
    ];
    fields.extend(heatmaps::fields(JOINTS, side, side));
    let mut metadata = metadata(heatmaps::NAME, Some(&FLIC9));
    metadata.insert(MODEL_KEY.to_owned(), "by-hand".to_owned());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("flic-{row}")))),
        Arc::new(StringArray::from_iter_values((0..rows).map(|_| "examples.mat"))),
        vector_array(crops.iter().map(|(crop, _)| Some(&crop.0[..])), 6),
        Arc::new(crops.iter().map(|(_, flipped)| Some(*flipped)).collect::<BooleanArray>()),
        Arc::new(Int32Array::from(vec![1; rows])),
        heatmaps::maps_array(maps, JOINTS, side, side),
        Arc::new(Float64Array::from(vec![place[0]; rows])),
        Arc::new(Float64Array::from(vec![place[1]; rows])),
    ];
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), columns).unwrap()
}

/// A Gaussian of deviation 2 map px about each joint, `[K, side, side]`; joints in px of the crop.
fn encode(joints: &[[f64; 2]], side: usize, stride: f64, origin: f64) -> Vec<f32> {
    let value = |joint: &[f64; 2], at: usize| {
        let place = |index: usize| origin + stride * index as f64;
        let (dx, dy) = (place(at % side) - joint[0], place(at / side) - joint[1]);
        libm::exp(-(dx * dx + dy * dy) / (8.0 * stride * stride)) as f32
    };
    joints.iter().flat_map(|joint| (0..side * side).map(move |at| value(joint, at))).collect()
}

fn first_points(decode: &Decode, batch: &RecordBatch) -> Vec<[f64; 2]> {
    points(&decode.run(batch).unwrap().rows, "keypoints").unwrap().remove(0)
}

fn crop() -> impl Strategy<Value = Affine> {
    (0.2..4.0f64, -3.0..3.0f64, -300.0..300.0f64, -300.0..300.0f64).prop_map(|(scale, turn, dx, dy)| {
        Affine::scale(scale) * Affine::rotation(turn) * Affine::translation(dx, dy)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn decoding_what_was_encoded_gives_it_back(
        joints in proptest::collection::vec([8.0..118.0f64, 8.0..118.0f64], JOINTS),
        crop_from_image in crop(),
        origin in 0.0..3.0f64,
        flipped in any::<bool>(),
    ) {
        // Joints in the crop, as an unmirrored skeleton names them; a mirrored crop holds them under the others' names.
        let mirrored = FLIC9.mirrored();
        let crop_from_image =
            if flipped { Affine::mirror(128.0) * crop_from_image } else { crop_from_image };
        let image_from_crop = crop_from_image.inverse().unwrap();
        let named: Vec<[f64; 2]> = (0..JOINTS).map(|joint| joints[if flipped { mirrored[joint] } else { joint }]).collect();
        let batch = table(encode(&named, 32, 4.0, origin), 32, [4.0, origin], &[(crop_from_image, flipped)]);
        for (decode, within) in [
            (decode(Rule::Plain, Refine::None), 2.0),
            (decode(Rule::Plain, Refine::Quarter), 2.0),
            (decode(Rule::Plain, Refine::Parabola), 0.01),
        ] {
            for (joint, found) in first_points(&decode, &batch).into_iter().enumerate() {
                let found = crop_from_image.apply(found);
                let error = (found[0] - joints[joint][0]).abs().max((found[1] - joints[joint][1]).abs());
                prop_assert!(error <= within + 1e-4, "joint {joint}: {found:?} for {:?}", joints[joint]);
                let there = image_from_crop.apply(joints[joint]);
                prop_assert!(there.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn flipping_twice_is_the_identity(joints in proptest::collection::vec([8.0..118.0f64, 8.0..118.0f64], JOINTS)) {
        let maps = encode(&joints, 32, 4.0, 1.5);
        let mirrored = FLIC9.mirrored();
        // The maps that a perfect network gives on the mirrored crop: each map mirrored, the channels swapped.
        let map = |joint: usize| &maps[joint * 1024..][..1024];
        let flipped: Vec<f32> = (0..JOINTS)
            .flat_map(|joint| map(mirrored[joint]).chunks(32).flat_map(|row| row.iter().rev()))
            .copied()
            .collect();
        let plain = table(maps.clone(), 32, [4.0, 1.5], &[(Affine::IDENTITY, false)]);
        let turned = table(flipped, 32, [4.0, 1.5], &[(Affine::mirror(128.0), true)]);
        for refine in [Refine::None, Refine::Parabola] {
            let (a, b) = (first_points(&decode(Rule::Plain, refine), &plain), first_points(&decode(Rule::Plain, refine), &turned));
            for (a, b) in a.iter().zip(&b) {
                // Where two px tie, the first one differs between the two.
                let error = (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
                prop_assert!(error < if refine == Refine::None { 4.001 } else { 1e-3 }, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_pose_machines_way_is_within_a_px(
        joints in proptest::collection::vec([24.0..104.0f64, 24.0..104.0f64], JOINTS),
    ) {
        let batch = table(encode(&joints, 16, 8.0, 3.5), 16, [8.0, 3.5], &[(Affine::IDENTITY, false)]);
        let decode = DecodeConfig { rule: Rule::Cpm, ..DecodeConfig::default() }.build(&context()).unwrap();
        for (found, joint) in first_points(&decode, &batch).iter().zip(&joints) {
            let error = (found[0] - joint[0]).abs().max((found[1] - joint[1]).abs());
            prop_assert!(error <= 1.0 && found[0].fract() == 0.0, "{found:?} for {joint:?}");
        }
    }
}

/// One map with a single px of height `value` at (`x`, `y`) and half of it on the right; the others are 0.
fn spike(x: usize, y: usize, value: f32) -> Vec<f32> {
    let mut maps = vec![0.0; JOINTS * 64 * 64];
    maps[y * 64 + x] = value;
    maps[y * 64 + x + 1] = value / 2.0;
    maps
}

#[test]
fn the_hourglass_rule_is_the_original_s() {
    let hourglass = DecodeConfig { rule: Rule::Hourglass, truncate: true, ..DecodeConfig::default() };
    let hourglass = hourglass.build(&context()).unwrap();
    // The person's centre at image px (300, 200), height 320 px: crop = 0.8 * image + (-112, -32).
    let crop_from_image = Affine([0.8, 0.0, -112.0, 0.0, 0.8, -32.0]);
    let batch = table(spike(20, 30, 1.0), 64, [4.0, 1.5], &[(crop_from_image, false)]);
    let found = first_points(&hourglass, &batch);
    // 1-based map px (21.25, 31); + 0.5 - 1 = (20.75, 30.5); * 4 = crop px (83, 122); back in the image
    // ((83 + 112) / 0.8, (122 + 32) / 0.8) = (243.75, 192.5), truncated.
    assert_eq!(found[0], [243.0, 192.0]);
    // No positive px: 1-based (1, 1), so crop px (2, 2), so image px (142.5, 42.5).
    assert_eq!(found[1], [142.0, 42.0]);

    // Truncation goes towards zero, not down: crop px (2, 2) less 10 is -8.
    let left = table(spike(20, 30, 1.0), 64, [4.0, 1.5], &[(Affine::translation(10.3, 10.3), false)]);
    assert_eq!(first_points(&hourglass, &left)[1], [-8.0, -8.0]);
    // At the border, 1-based px 1 and 64, there is no quarter.
    let border = table(spike(0, 30, 1.0), 64, [4.0, 1.5], &[(Affine::IDENTITY, false)]);
    assert_eq!(first_points(&hourglass, &border)[0], [2.0, 122.0]);
}

#[test]
fn scores_means_and_provenance_come_along() {
    let batch = table(spike(20, 30, 0.75), 64, [4.0, 1.5], &[(Affine::IDENTITY, false)]);
    let decode = decode(Rule::Plain, Refine::Quarter);
    let rows = decode.run(&batch).unwrap().rows;
    assert_eq!(rows.schema(), decode.output_schema(&batch.schema()).unwrap());
    assert_eq!(table_name(&rows.schema()), Some(keypoints::NAME));
    assert_eq!(points(&rows, "keypoints").unwrap()[0][0], [1.5 + 4.0 * 20.25, 121.5]);
    assert_eq!(vectors_f64(&rows, "score", JOINTS).unwrap().row(0).unwrap()[..2], [0.75, 0.0]);
    let mean = vectors_f64(&rows, "heatmap_mean", JOINTS).unwrap().row(0).unwrap()[0];
    assert_eq!(mean, 0.75 * 1.5 / 4096.0);
    assert_eq!(strings(&rows, "model").unwrap().value(0), "by-hand");
    assert_eq!(strings(&rows, "source_file").unwrap().value(0), "examples.mat");
    assert!(rows.column_by_name("split").unwrap().is_null(0) && rows.column_by_name("heatmaps").is_none());
    let keeping = DecodeConfig { keep_heatmaps: true, ..DecodeConfig::default() }.build(&context()).unwrap();
    let kept = keeping.run(&batch).unwrap().rows;
    assert_eq!(kept.column_by_name("heatmaps"), batch.column_by_name("heatmaps"));
    assert_eq!(kept.column_by_name("stride").unwrap().as_primitive::<Float64Type>().value(0), 4.0);
}

#[test]
fn a_singular_transform_is_a_reject_and_a_map_without_numbers_says_nothing() {
    let mut maps = [spike(20, 30, 1.0), spike(8, 9, 1.0), spike(40, 41, 1.0)].concat();
    maps[2 * JOINTS * 4096..][..4096].fill(f32::NAN);
    let crops = [(Affine::scale(0.0), false), (Affine::IDENTITY, false), (Affine::IDENTITY, false)];
    let batch = table(maps, 64, [4.0, 1.5], &crops);
    let outcome = decode(Rule::Plain, Refine::None).run(&batch).unwrap();
    assert_eq!(outcome.rejects.len(), 1);
    assert_eq!(
        (outcome.rejects[0].reason.as_str(), outcome.rejects[0].sample_id.as_deref()),
        ("singular transform", Some("flic-0"))
    );
    assert_eq!(strings(&outcome.rows, "sample_id").unwrap().value(0), "flic-1");
    let found = points(&outcome.rows, "keypoints").unwrap();
    assert_eq!(found[0][0], [1.5 + 32.0, 1.5 + 36.0]);
    assert!(found[1][0].iter().all(|value| value.is_nan()) && found[1][1] == [1.5, 1.5]);
    // Rows of a slice are its own.
    let slice = decode(Rule::Plain, Refine::None).run(&batch.slice(1, 1)).unwrap();
    assert_eq!(slice.rows, outcome.rows.slice(0, 1));
}

#[test]
fn a_schema_that_cannot_be_decoded_names_the_column() {
    let batch = table(spike(1, 1, 1.0), 64, [4.0, 1.5], &[(Affine::IDENTITY, false)]);
    let decode = decode(Rule::Plain, Refine::None);
    let refused = |change: fn(&mut Vec<Arc<Field>>)| {
        let mut fields = batch.schema().fields().to_vec();
        change(&mut fields);
        let schema = Schema::new_with_metadata(fields, batch.schema().metadata().clone());
        decode.output_schema(&Arc::new(schema)).unwrap_err().to_string()
    };
    assert!(
        refused(|fields| fields.retain(|field| field.name() != "flipped")).contains("`flipped` is missing")
    );
    let other = refused(|fields| fields[5] = Arc::new(Field::new("heatmaps", DataType::Float32, false)));
    assert!(other.contains("must be maps [9, h, w] of Float32"), "{other}");
    let refine = Some(Refine::Quarter);
    assert!(DecodeConfig { rule: Rule::Cpm, refine, ..DecodeConfig::default() }.build(&context()).is_err());
}
