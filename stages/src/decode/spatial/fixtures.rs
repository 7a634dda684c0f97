//! People, samples and predictions for the tests.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemas::columns::with_column;
use schemas::random::KeyedRandom;
use schemas::skeleton::FLIC9;
use schemas::tables::samples::crop_keypoints_field;
use schemas::tables::spatial_models::Displacements;
use schemas::tables::{heatmaps, metadata, samples, visibility_array};
use schemas::units::Positive;
use schemas::{Skeleton, Visibility};

use super::{Form, SpatialModelConfig};
use crate::augment::geometry;
use crate::decode::FitSpatialModelConfig;
use crate::decode::peak::peak_and_mean;
use crate::stage::{Aggregate, BuildContext, Gathered, StageError};

/// Width and height of the crops, px.
pub(super) const CROP: [u32; 2] = [96, 64];
/// Px of the crop per px of the maps.
pub(super) const STRIDE: u32 = 4;
/// `[h, w]` of the maps.
pub(super) const MAP: [usize; 2] = [16, 24];
pub(super) const PIXELS: usize = MAP[0] * MAP[1];
pub(super) const JOINTS: usize = 9;

/// The joints of `flic9`, seen from the torso, px of the crop.
pub(super) const BODY: [[f64; 2]; JOINTS] = [
    [7.0, -9.0],
    [13.0, 0.0],
    [15.0, 9.0],
    [-7.0, -9.0],
    [-13.0, 0.0],
    [-15.0, 9.0],
    [5.0, 9.0],
    [-5.0, 9.0],
    [0.0, -18.0],
];

pub(super) fn context() -> BuildContext {
    BuildContext { name: "s".to_owned(), seed: 0, threads: 1, folder: ".".into() }
}

/// A body about `torso`, its joints a little off.
pub(super) fn person(torso: [f64; 2], random: &mut KeyedRandom) -> Vec<[f64; 2]> {
    let mut off = || random.uniform(-1.5, 1.5);
    BODY.iter().map(|joint| [torso[0] + joint[0] + off(), torso[1] + joint[1] + off()]).collect()
}

pub(super) fn people(count: usize) -> Vec<Vec<[f64; 2]>> {
    let mut random = KeyedRandom::new(3, "people", "", 0);
    (0..count).map(|_| person([48.0 + random.uniform(-9.0, 9.0), 32.0], &mut random)).collect()
}

/// Which joints are annotated: those that are numbers.
pub(super) fn known(pose: &[[f64; 2]]) -> Vec<Visibility> {
    let code = |point: &[f64; 2]| Visibility::from_code(if point[0].is_nan() { 0 } else { 2 });
    pose.iter().map(code).collect()
}

pub(super) fn f32_points(poses: &[Vec<[f64; 2]>], joints: usize) -> ArrayRef {
    let numbers = poses.iter().flatten().flatten().map(|value| *value as f32);
    let mut array: ArrayRef = Arc::new(arrow::array::Float32Array::from_iter_values(numbers));
    for length in [2, joints as i32] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length, array, None));
    }
    array
}

pub(super) fn ids(rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("p{row}"))))
}

/// Samples behind `warp`: keypoints are px of the crop.
pub(super) fn samples_of(skeleton: &Skeleton, poses: &[Vec<[f64; 2]>], splits: &[&str]) -> RecordBatch {
    let (rows, joints) = (poses.len(), skeleton.len());
    let visibility = visibility_array(
        poses.iter().map(|pose| known(pose)).collect::<Vec<_>>().iter().map(Vec::as_slice),
        joints,
    );
    let crop_size =
        geometry::fields(CROP).into_iter().find(|field| field.name() == samples::CROP_SIZE).unwrap();
    let sizes = Int32Array::from(CROP.map(|side| side as i32).repeat(rows));
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    let fields = vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new("split", DataType::Utf8, true),
        crop_keypoints_field(joints),
        Field::new("visibility", visibility.data_type().clone(), false),
        crop_size,
    ];
    let columns: Vec<ArrayRef> = vec![
        ids(rows),
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| splits[row % splits.len()]))),
        f32_points(poses, joints),
        visibility,
        Arc::new(FixedSizeListArray::new(item, 2, Arc::new(sizes), None)),
    ];
    let schema = Schema::new_with_metadata(fields, metadata(samples::NAME, Some(skeleton)));
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

pub(super) fn collect(
    step: &dyn Aggregate,
    inputs: &[&Vec<RecordBatch>],
) -> Result<(Vec<RecordBatch>, Gathered), StageError> {
    let mut rows = Vec::new();
    let inputs: Vec<&dyn crate::stage::Rows> =
        inputs.iter().map(|input| *input as &dyn crate::stage::Rows).collect();
    let gathered = step.run(&inputs, "run", &mut |batch| {
        rows.push(batch);
        Ok(())
    })?;
    Ok((rows, gathered))
}

pub(super) fn fit(keys: &str, batch: &RecordBatch) -> Result<Vec<RecordBatch>, StageError> {
    let config: FitSpatialModelConfig = toml::from_str(&format!("stride = {STRIDE}\n{keys}")).unwrap();
    let step = config.build(&context());
    // As the runner does: only what is needed is kept.
    let kept = batch.project(&step.needed_columns(0, &batch.schema())?).unwrap();
    let (rows, _) = collect(&step, &[&vec![kept]])?;
    assert_eq!(rows[0].schema(), step.output_schema(&[batch.schema()])?);
    Ok(rows)
}

pub(super) fn pairs(model: &[RecordBatch]) -> Vec<Displacements> {
    model.iter().flat_map(|batch| Displacements::from_batch(batch).unwrap()).collect()
}

/// Peaks of spread 1.5 px of the map at places of the crop, each of its height, `[K, h, w]`: what a network gives.
pub(super) fn maps_of(peaks: &[Vec<([f64; 2], f64)>]) -> Vec<f32> {
    let value = |peaks: &[([f64; 2], f64)], at: usize| {
        let place = |index: usize| 1.5 + f64::from(STRIDE) * index as f64;
        let of = |(point, height): &([f64; 2], f64)| {
            let (dx, dy) = (place(at % MAP[1]) - point[0], place(at / MAP[1]) - point[1]);
            height * libm::exp(-(dx * dx + dy * dy) / (2.0 * 36.0))
        };
        peaks.iter().map(of).fold(0.0, f64::max) as f32
    };
    peaks.iter().flat_map(|peaks| (0..PIXELS).map(move |at| value(peaks, at))).collect()
}

/// Rows behind `infer`, with the keypoints of `poses`.
pub(super) fn predictions(poses: &[Vec<[f64; 2]>], maps: Vec<f32>, stride: f64) -> RecordBatch {
    let rows = poses.len();
    let samples = samples_of(&FLIC9, poses, &["test"]);
    let fields = heatmaps::fields(JOINTS, MAP[0], MAP[1]);
    let columns: [ArrayRef; 4] = [
        Arc::new(Int32Array::from(vec![1; rows])),
        heatmaps::maps_array(maps, JOINTS, MAP[0], MAP[1]),
        Arc::new(Float64Array::from(vec![stride; rows])),
        Arc::new(Float64Array::from(vec![1.5; rows])),
    ];
    let mut batch = samples;
    for (field, column) in fields.into_iter().zip(columns) {
        batch = with_column(&batch, field, column).unwrap();
    }
    let mut metadata = metadata(heatmaps::NAME, Some(&FLIC9));
    metadata.insert(schemas::tables::MODEL_KEY.to_owned(), "net".to_owned());
    let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()
}

pub(super) fn apply(
    form: Form,
    batches: &[RecordBatch],
    model: &[RecordBatch],
) -> Result<(Vec<RecordBatch>, Gathered), StageError> {
    // Low, so that the torso outweighs a network that is sure of another person.
    let bias = if form == Form::Energy { 0.01 } else { 0.001 };
    let bias = Some(Positive::constant(bias));
    let step = SpatialModelConfig { form, bias, ..SpatialModelConfig::default() }.build(&context())?;
    collect(&step, &[&batches.to_vec(), &model.to_vec()])
}

/// The highest px of every map, in px of the crop, `[N, K]`.
pub(super) fn highest(batch: &RecordBatch) -> Vec<Vec<[f64; 2]>> {
    let values = heatmaps::maps_values(batch.column_by_name("heatmaps").unwrap(), "heatmaps").unwrap();
    let place = |map: &[f32]| {
        let peak = peak_and_mean(map, MAP[1]).0.unwrap();
        [peak.x, peak.y].map(|at| 1.5 + f64::from(STRIDE) * at as f64)
    };
    values.chunks_exact(JOINTS * PIXELS).map(|row| row.chunks_exact(PIXELS).map(place).collect()).collect()
}

/// Px of the crop from the farthest joint of `found` to that of `truth`.
pub(super) fn worst(found: &[[f64; 2]], truth: &[[f64; 2]]) -> f64 {
    let distance = |(a, b): (&[f64; 2], &[f64; 2])| libm::hypot(a[0] - b[0], a[1] - b[1]);
    found.iter().zip(truth).map(distance).fold(0.0, f64::max)
}
