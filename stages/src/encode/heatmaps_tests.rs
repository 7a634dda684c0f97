use arrow::array::Float32Array;

use super::*;
use crate::augment::geometry::{Geometry, schema_with_geometry};
use crate::augment::{CropConfig, geometry};
use schemas::Affine;
use schemas::skeleton::CPM14;
use schemas::tables::heatmaps::maps_values;
use schemas::tables::people::{self, Person, others_arrays};
use schemas::tables::samples::{crop_keypoints_field, raw_image_field};
use schemas::tables::{in_space, samples::maps_shape};
use schemas::visibility::Visibility;

pub(in crate::encode) fn context() -> BuildContext {
    BuildContext { name: "encode_heatmaps".into(), seed: 1, threads: 1, folder: ".".into() }
}

pub(in crate::encode) fn pose(points: &[(usize, [f64; 2])]) -> Pose {
    let mut pose = Pose::unknown(14);
    for (joint, point) in points {
        pose.set(*joint, *point, Visibility::Occluded);
    }
    pose
}

/// One row, as `crop` and `warp` leave it, whose crop of `size` px is the image itself.
pub(in crate::encode) fn warped(own: Pose, others: Vec<Pose>, size: u32) -> RecordBatch {
    let center = f64::from(size) / 2.0;
    let person = Person {
        sample_id: "a".into(),
        dataset: "mpii".into(),
        split: "train".into(),
        image_path: "a.png".into(),
        person_index: Some(0),
        center: Some([center, center]),
        scale: Some(1.0),
        pose: own,
        others: others.iter().cloned().map(Arc::new).collect(),
        source_file: "a.mat".into(),
        source_record: "1".into(),
        ..Person::default()
    };
    let plan = format!("size = [{size}, {size}]\nframe.person.height = 200");
    let crop: CropConfig = toml::from_str(&plan).unwrap();
    let batch = crop
        .build(&context())
        .unwrap()
        .run(&people::to_batch(&CPM14, std::slice::from_ref(&person)))
        .unwrap()
        .rows;
    assert_eq!(geometry::read(&batch).unwrap()[0], Geometry::new(Affine::IDENTITY, [f64::from(size); 2]));
    let numbers: Vec<f32> = person.pose.keypoints.as_flattened().iter().map(|value| *value as f32).collect();
    let keypoints = listed(listed(Arc::new(Float32Array::from(numbers)), 2), 14);
    let batch = with_column(&batch, crop_keypoints_field(14), keypoints).unwrap();
    let (keypoints, _) = others_arrays(&[others], 14);
    let field = in_space(Field::new("other_keypoints", keypoints.data_type().clone(), false), "crop");
    with_column(&batch, field, keypoints).unwrap()
}

fn encoded(plan: &str, batch: &RecordBatch) -> RecordBatch {
    let stage = toml::from_str::<EncodeHeatmapsConfig>(plan).unwrap().build(&context());
    let out = stage.run(batch).unwrap().rows;
    assert_eq!(out.schema(), stage.output_schema(&batch.schema()).unwrap());
    out
}

pub(in crate::encode) fn floats<'a>(batch: &'a RecordBatch, name: &str) -> &'a [f32] {
    maps_values(batch.column_by_name(name).unwrap(), name).unwrap()
}

const CPM: &str = "stride = 8\nlabels = 'both'\nbackground = true\ncenter_map = {}\nstyle.gaussian.sigma = 7";

#[test]
fn pose_machine_labels_are_those_of_the_paper() {
    let own = pose(&[(0, [100.0, 60.0]), (4, [300.0, 10.0])]);
    let other = pose(&[(0, [110.0, 64.0]), (7, [20.0, 340.0])]);
    let out = encoded(CPM, &warped(own.clone(), vec![other.clone(), other.clone()], 368));
    let column = out.column_by_name(HEATMAPS).unwrap();
    assert_eq!(maps_shape(column.data_type()), Some([30, 46, 46]));
    let maps = floats(&out, HEATMAPS);
    let map = |channel: usize| &maps[channel * 46 * 46..][..46 * 46];
    // The definition, point by point: people add up, are clipped to 1, and end at an exponent of 4.6052.
    let value = |people: &[&Pose], joint: usize, at: usize| {
        let (x, y) = (3.5 + 8.0 * (at % 46) as f64, 3.5 + 8.0 * (at / 46) as f64);
        let parts = people.iter().filter_map(|pose| pose.joint(joint)).map(|point| {
            let exponent = f64::midpoint((x - point[0]).powi(2), (y - point[1]).powi(2)) / 7.0 / 7.0;
            if exponent > 4.6052 { 0.0 } else { (-exponent).exp() }
        });
        parts.sum::<f64>().min(1.0)
    };
    let everyone = [&own, &other, &other];
    for (first, people) in [(0, &everyone[..1]), (15, &everyone[..])] {
        for at in 0..46 * 46 {
            let mut most = 0.0f64;
            for joint in 0..14 {
                let expected = value(people, joint, at);
                assert!((f64::from(map(first + joint)[at]) - expected).abs() < 1e-5);
                most = most.max(expected);
            }
            assert!((f64::from(map(first + 14)[at]) - (1.0 - most)).abs() < 1e-5);
        }
    }
    assert!(map(15).contains(&1.0), "three people are clipped");
    assert!(map(7).iter().all(|value| *value == 0.0) && map(22).iter().any(|value| *value > 0.8));
    // The centre map: 1 at (184, 184), cut off 63.7 px away.
    let center = floats(&out, CENTER_MAP);
    assert_eq!(center.len(), 368 * 368);
    assert_eq!(center[184 * 368 + 184], 1.0);
    assert!((center[184 * 368 + 205] - (-0.5f32).exp()).abs() < 1e-6);
    assert!(center[184 * 368 + 184 + 63] > 0.0 && center[184 * 368 + 184 + 64] == 0.0);
}

#[test]
fn a_missing_joint_is_trained_on_or_masked() {
    let batch = warped(pose(&[(2, [40.0, 41.0]), (3, [-400.0, 0.0])]), vec![], 256);
    let zero =
        encoded("stride = 4\nstyle.patch = { sigma = 1.75, radius = 3, rounding = 'truncate' }", &batch);
    assert!(zero.column_by_name(HEATMAP_WEIGHT).is_none());
    assert_eq!(floats(&zero, HEATMAPS)[2 * 4096 + 10 * 64 + 10], 1.0);
    let masked = encoded("stride = 4\nmissing = 'mask'\nstyle.patch.sigma = 2", &batch);
    let mut weights = [0.0; 14];
    weights[2] = 1.0;
    assert_eq!(floats(&masked, HEATMAP_WEIGHT), weights);
    // int(41 / 4 + 0.5) = 10; the far joint leaves no trace.
    assert_eq!(floats(&masked, HEATMAPS).iter().filter(|value| **value == 1.0).count(), 1);
}

#[test]
fn repose_maps_have_the_size_of_the_crop() {
    let batch = warped(pose(&[(1, [64.0, 30.0])]), vec![], 128);
    let out = encoded("stride = 1\nmissing = 'mask'\nstyle.gaussian.sigma = 5", &batch);
    let maps = floats(&out, HEATMAPS);
    assert_eq!(maps.len(), 14 * 128 * 128);
    assert_eq!(maps[128 * 128 + 30 * 128 + 64], 1.0);
    assert!((maps[128 * 128 + 30 * 128 + 69] - (-0.5f32).exp()).abs() < 1e-7);
}

#[test]
fn a_plan_that_cannot_work_is_refused_before_a_row() {
    let build = |plan: &str| toml::from_str::<EncodeHeatmapsConfig>(plan).unwrap().build(&context());
    let batch = warped(pose(&[]), vec![], 368);
    let error = build("stride = 7\nstyle.patch.sigma = 2").output_schema(&batch.schema()).unwrap_err();
    assert_eq!(error.to_string(), "`stride` 7 does not divide the crop, 368 x 368 px");
    let people = Arc::new(schema_with_geometry(&people::schema(&CPM14), [368, 368]));
    let error = build("stride = 8\nstyle.patch.sigma = 2").output_schema(&people).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("put the stage `warp` before it"));
    assert!(
        toml::from_str::<EncodeHeatmapsConfig>("stride = 8\nstyle.patch = { sigma = 2, peak = 3 }").is_err()
    );
    // The pixels say the size as well as the geometry does.
    let pixels = schema_with(&batch.schema(), raw_image_field(64, 32));
    let out = build("stride = 4\nstyle.patch.sigma = 2").output_schema(&Arc::new(pixels)).unwrap();
    assert_eq!(maps_shape(out.field_with_name(HEATMAPS).unwrap().data_type()), Some([14, 8, 16]));
}

#[test]
fn unbiased_maps_are_drawn_about_the_fraction() {
    // 102 px of the crop: 25.5 px of a map by DARK, 102 * 63 / 255 = 25.2 by UDP.
    let batch = warped(pose(&[(2, [102.0, 40.0]), (3, [-400.0, 0.0])]), vec![], 256);
    let row = |style: &str| {
        let out = encoded(&format!("stride = 4\nmissing = 'mask'\nstyle.{style}.sigma = 2"), &batch);
        let mut weights = [0.0; 14];
        weights[2] = 1.0;
        assert_eq!(floats(&out, HEATMAP_WEIGHT), weights);
        let line = &floats(&out, HEATMAPS)[2 * 4096 + 10 * 64..][..64];
        [line[25], line[26]]
    };
    let [dark, beside] = row("dark");
    assert_eq!(dark, beside);
    assert!((dark - (-0.25f32 / 8.0).exp()).abs() < 1e-6);
    // 40 * 63 / 255 = 9.882 px down.
    let down = (10.0f64 - 40.0 * 63.0 / 255.0).powi(2);
    let [udp, beside] = row("udp");
    assert!((f64::from(udp) - (-(0.2f64.powi(2) + down) / 8.0).exp()).abs() < 1e-6);
    assert!((f64::from(beside) - (-(0.8f64.powi(2) + down) / 8.0).exp()).abs() < 1e-6);
}
