//! The stage on maps made by hand: whole samples, their heads and copies, and what is refused.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, Int32Array, StringArray};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field};
use datasets::pixels::encode_png;
use proptest::prelude::*;
use schemas::columns::{fixed_list, points, vectors_f64, with_column};
use schemas::skeleton::FLIC9;
use schemas::tables::{metadata, vector_array};

use super::*;
use crate::augment::search_scales::SCALES_KEY;
use crate::decode::{DecodeConfig, Rule};
use schemas::tables::MODEL_KEY;

const JOINTS: usize = 9;
const SIDE: usize = 12;

fn context() -> BuildContext {
    BuildContext { name: "merge".to_owned(), seed: 0, threads: 1, folder: ".".into() }
}

fn merge() -> MergeScales {
    MergeScalesConfig::default().build(&context())
}

/// One row of maps: sample, head, scale, crop, whether mirrored.
type Row = (&'static str, i32, i32, Affine, bool);

/// Maps of 12 x 12 px, stride 4, origin 1.5, in crops of 48 px, of images of 60 x 40 px.
fn table(rows: &[Row], maps: Vec<f32>, scales: usize) -> RecordBatch {
    let index = Field::new(SCALE_INDEX, DataType::Int32, false)
        .with_metadata([(SCALES_KEY.to_owned(), scales.to_string())].into());
    let mut fields = vec![
        Field::new("sample_id", DataType::Utf8, false),
        Field::new("image_size", fixed_list(DataType::Int32, 2), true),
        index,
        Field::new(samples::CROP_FROM_IMAGE, fixed_list(DataType::Float64, 6), false),
        Field::new(samples::FLIPPED, DataType::Boolean, false),
    ];
    fields.extend(heatmaps::fields(JOINTS, SIDE, SIDE));
    let mut metadata = metadata(heatmaps::NAME, Some(&FLIC9));
    metadata.insert(MODEL_KEY.to_owned(), "by-hand".to_owned());
    let size = Int32Array::from_iter_values(rows.iter().flat_map(|_| [60, 40]));
    let item = Arc::new(Field::new("item", DataType::Int32, true));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(FixedSizeListArray::new(item, 2, Arc::new(size), None)),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.2))),
        vector_array(rows.iter().map(|row| Some(&row.3.0[..])), 6),
        Arc::new(rows.iter().map(|row| Some(row.4)).collect::<BooleanArray>()),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.1))),
        heatmaps::maps_array(maps, JOINTS, SIDE, SIDE),
        Arc::new(Float64Array::from(vec![4.0; rows.len()])),
        Arc::new(Float64Array::from(vec![1.5; rows.len()])),
    ];
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), columns).unwrap()
}

/// A Gaussian about px (x, y) of the image in a crop, for each joint: joint j has it at (x + j, y) and height 1 / (j + 1).
fn gaussians(crop: &Affine, [x, y]: [f64; 2]) -> Vec<f32> {
    let value = |joint: usize, at: usize| {
        let center = crop.apply([x + joint as f64, y]);
        let place = |index: usize| 1.5 + 4.0 * index as f64;
        let (dx, dy) = (place(at % SIDE) - center[0], place(at / SIDE) - center[1]);
        (libm::exp(-(dx * dx + dy * dy) / 72.0) / (joint + 1) as f64) as f32
    };
    (0..JOINTS)
        .flat_map(|joint| (0..SIDE * SIDE).map(move |at| (joint, at)))
        .map(|(j, at)| value(j, at))
        .collect()
}

/// The crop about image px (30, 20) at `factor`.
fn crop(factor: f64) -> Affine {
    Affine::translation(24.0, 24.0) * Affine::scale(factor) * Affine::translation(-30.0, -20.0)
}

#[test]
fn scales_that_agree_find_the_px_and_heads_stay_apart() {
    let factors = [0.8, 1.0, 1.25];
    let (mut rows, mut maps) = (Vec::new(), Vec::new());
    for (sample, y) in [("a", 14.0), ("b", 25.0)] {
        for (index, factor) in factors.iter().enumerate() {
            for head in [1, 2] {
                rows.push((sample, head, index as i32, crop(*factor), false));
                maps.extend(gaussians(&crop(*factor), [18.0 + f64::from(head), y]));
            }
        }
    }
    let batch = table(&rows, maps, 3);
    let stage = merge();
    let outcome = stage.run(&batch).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.taken, outcome.rejects.len()), (4, Some(12), 0));
    assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    let ids: Vec<_> = strings(&outcome.rows, "sample_id").unwrap().iter().flatten().collect();
    assert_eq!(
        (ids, integers(&outcome.rows, "head").unwrap().values().to_vec()),
        (vec!["a", "a", "b", "b"], vec![1, 2, 1, 2])
    );
    let found = points(&outcome.rows, "keypoints").unwrap();
    for (row, y) in [(0, 14.0), (1, 14.0), (2, 25.0), (3, 25.0)] {
        for (joint, point) in found[row].iter().enumerate() {
            let x = 19.0 + (row % 2) as f64 + joint as f64;
            assert!(
                (point[0] - x).abs() <= 1.0 && (point[1] - y).abs() <= 1.0,
                "row {row}, joint {joint}: {point:?}"
            );
        }
    }
    // The mean height of the peaks, not their sum.
    let scores = vectors_f64(&outcome.rows, "score", JOINTS).unwrap();
    assert!(
        (scores.row(0).unwrap()[0] - 1.0).abs() < 0.05 && (scores.row(0).unwrap()[3] - 0.25).abs() < 0.02
    );
    let means = vectors_f64(&outcome.rows, "heatmap_mean", JOINTS).unwrap();
    let all = heatmaps::maps_values(column(&batch, "heatmaps").unwrap(), "heatmaps").unwrap();
    let mean = |row: usize| {
        all[row * JOINTS * 144..][..144].iter().map(|value| f64::from(*value)).sum::<f64>() / 144.0
    };
    let expected = (mean(0) + mean(2) + mean(4)) / 3.0;
    assert!((means.row(0).unwrap()[0] - expected).abs() < 1e-6);

    // In whatever order the rows come, the same is said of a sample.
    let backwards = arrow::array::UInt64Array::from_iter_values((0..12).rev());
    let turned = stage.run(&take_record_batch(&batch, &backwards).unwrap()).unwrap().rows;
    assert_eq!(points(&turned, "keypoints").unwrap()[3], found[0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn one_scale_of_a_crop_that_is_the_image_is_the_plain_rule(
        maps in proptest::collection::vec(-1.0f32..1.0, JOINTS * SIDE * SIDE), flipped in any::<bool>(),
    ) {
        let crop = if flipped { Affine::mirror(48.0) } else { Affine::IDENTITY };
        let batch = table(&[("a", 1, 0, crop, flipped)], maps, 1);
        let size = Int32Array::from(vec![48, 48]);
        let field = field(batch.schema_ref(), "image_size").unwrap().clone();
        let item = Arc::new(Field::new("item", DataType::Int32, true));
        let size = Arc::new(FixedSizeListArray::new(item, 2, Arc::new(size), None));
        let batch = with_column(&batch, field, size).unwrap();
        let decode = DecodeConfig { rule: Rule::Cpm, ..DecodeConfig::default() }.build(&context()).unwrap();
        prop_assert_eq!(merge().run(&batch).unwrap().rows, decode.run(&batch).unwrap().rows);
    }
}

#[test]
fn a_sample_that_lost_a_scale_is_rejected_and_the_others_go_on() {
    let turned = Affine::rotation(0.1);
    let rows = [
        ("a", 1, 0, crop(1.0), false),
        ("b", 1, 0, crop(1.0), false),
        ("b", 1, 1, crop(1.2), false),
        ("b", 1, 1, crop(1.2), false),
        ("c", 1, 0, crop(1.0), false),
        ("c", 1, 1, turned, false),
        ("d", 1, 7, crop(1.0), false),
        ("e", 1, 0, Affine::scale(0.0), false),
    ];
    let batch = table(&rows, vec![0.5; rows.len() * JOINTS * SIDE * SIDE], 2);
    let outcome = merge().run(&batch).unwrap();
    assert_eq!((outcome.rows.num_rows(), outcome.taken), (1, Some(2)));
    let told: Vec<(&str, &str)> = outcome
        .rejects
        .iter()
        .map(|reject| (reject.sample_id.as_deref().unwrap(), reject.reason.as_str()))
        .collect();
    let expected = [
        ("b", "repeated scale"),
        ("c", "rotated crop"),
        ("d", "unknown scale"),
        ("e", "singular transform"),
        ("a", "incomplete scales"),
        ("c", "incomplete scales"),
    ];
    assert_eq!(told, expected);
    assert_eq!(outcome.rejects[4].detail, "1 of 2 scales came, not 1");
    assert_eq!(outcome.taken.unwrap() + outcome.rejects.len(), rows.len());
}

#[test]
fn the_image_s_size_comes_from_the_table_the_file_or_the_crops() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), encode_png(&[0; 50 * 30 * 3], 50, 30).unwrap()).unwrap();
    // Ever higher towards the crop's last px, image px (53, 43).
    let maps = (0..JOINTS * SIDE * SIDE).map(|at| (at % SIDE + at / SIDE % SIDE) as f32).collect();
    let batch = table(&[("a", 1, 0, crop(1.0), false)], maps, 1);
    let far = |batch: &RecordBatch| {
        let config =
            MergeScalesConfig { images: Some(folder.path().to_owned()), ..MergeScalesConfig::default() };
        let outcome = config.build(&context()).run(batch).unwrap();
        points(&outcome.rows, "keypoints")
            .unwrap()
            .first()
            .map_or_else(|| Err(outcome.rejects[0].reason.clone()), |points| Ok(points[0]))
    };
    let [_, y] = far(&batch).unwrap();
    assert_eq!(y, 39.0, "the table's 40 rows end before the crop");
    let unsaid = {
        let keep: Vec<usize> = (0..batch.num_columns()).filter(|at| *at != 1).collect();
        batch.project(&keep).unwrap()
    };
    assert!(far(&unsaid).unwrap()[1] >= 41.0, "the crop itself is the bound");
    let path = |path: &str| {
        let column = Arc::new(StringArray::from(vec![path]));
        with_column(&unsaid, Field::new("image_path", DataType::Utf8, false), column).unwrap()
    };
    assert_eq!(far(&path("a.png")).unwrap(), [49.0, 29.0]);
    assert_eq!(far(&path("b.png")).unwrap_err(), "image missing");
}

#[test]
fn a_table_without_scales_is_refused() {
    let batch = table(&[("a", 1, 0, crop(1.0), false)], vec![0.0; JOINTS * SIDE * SIDE], 1);
    let without = batch.project(&[0, 1, 3, 4, 5, 6, 7, 8]).unwrap();
    let error = merge().output_schema(&without.schema()).unwrap_err().to_string();
    assert!(error.contains("`scale_index` is missing"), "{error}");
}
