//! Sheets of every table, drawn from rows made here.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use image::{Rgb, RgbImage};
use schemas::columns::with_column;
use schemas::skeleton::LSP14;
use schemas::tables::people::{self, Person, Pose};
use schemas::tables::{heatmaps, keypoints, points_array, samples};
use schemas::{Hinted, Visibility};

use super::*;

/// A person of whom twelve of fourteen joints are annotated.
pub(super) fn person(number: usize, image_path: String) -> Person {
    let mut pose = Pose::unknown(14);
    for joint in 0..12 {
        let visibility = if joint % 5 == 0 { Visibility::Occluded } else { Visibility::Visible };
        pose.set(joint, [30.0 + 4.0 * joint as f64, 20.0 + 30.0 * (joint % 3) as f64], visibility);
    }
    Person {
        sample_id: format!("lsp-im{number:04}-0"),
        dataset: "lsp".into(),
        split: "test".into(),
        image_path,
        person_index: Some(0),
        pose,
        source_file: "joints.mat".into(),
        source_record: format!("joints(:,:,{number})"),
        ..Person::default()
    }
}

/// Three people, the second of whom has no picture.
fn people_in(folder: &Path) -> RecordBatch {
    let picture = RgbImage::from_fn(120, 100, |x, y| Rgb([x as u8, y as u8, 90]));
    for file in ["a.png", "c.png"] {
        picture.save(folder.join(file)).unwrap();
    }
    let rows: Vec<Person> = ["a.png", "b.png", "c.png"]
        .iter()
        .enumerate()
        .map(|(n, file)| person(n, (*file).to_owned()))
        .collect();
    people::to_batch(&LSP14, &rows)
}

fn options(folder: &Path) -> SheetOptions {
    SheetOptions { tile_px: 128, image_root: Some(folder.to_owned()), ..SheetOptions::default() }
}

fn count(picture: &RgbImage, colour: [u8; 3]) -> usize {
    picture.pixels().filter(|pixel| pixel.0 == colour).count()
}

#[test]
fn people_are_drawn_in_the_colours_of_their_sides_and_a_missing_picture_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = contact_sheet(&people_in(folder.path()), &options(folder.path())).unwrap();
    assert_eq!(sheet.drawn, 2);
    let [reject] = &sheet.rejects[..] else { panic!("{:?}", sheet.rejects) };
    assert_eq!(reject.sample_id.as_deref(), Some("lsp-im0001-0"));
    assert!(reject.reason == "image not readable" && reject.detail.contains("b.png"), "{reject:?}");
    for colour in [LEFT, RIGHT] {
        assert!(count(&sheet.picture, colour) > 150);
    }
}

#[test]
fn the_same_rows_give_the_same_page_and_no_more_rows_than_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let batch = people_in(folder.path());
    let few = SheetOptions { rows: 1, ..options(folder.path()) };
    let draw = || contact_sheet(&batch, &few).unwrap();
    assert_eq!(draw().picture, draw().picture);
    assert_eq!(draw().drawn, 1);
    assert!(draw().picture.width() < contact_sheet(&batch, &options(folder.path())).unwrap().picture.width());
}

/// Two samples whose only map has its peak at map px (5, 3), stride 4.
fn samples_batch(folder: &Path) -> RecordBatch {
    let batch = people_in(folder).slice(0, 2);
    let pixels = vec![100_u8; 64 * 48 * 3];
    let images: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&pixels, &pixels]));
    let batch = with_column(&batch, samples::raw_image_field(64, 48), images).unwrap();
    let copies: ArrayRef = Arc::new(Int32Array::from(vec![0, 3]));
    let batch = with_column(&batch, Field::new(samples::COPY, DataType::Int32, false), copies).unwrap();
    let mut values = vec![0.0; 2 * 12 * 16];
    for sample in 0..2 {
        values[sample * 12 * 16 + 3 * 16 + 5] = 0.8;
    }
    let field = Field::new(samples::HEATMAPS, samples::maps_type(1, 12, 16), false);
    with_column(&batch, field, heatmaps::maps_array(values, 1, 12, 16)).unwrap()
}

#[test]
fn samples_show_their_maps_beside_them_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let batch = samples_batch(folder.path());
    let one = SheetOptions { rows: 1, columns: Some(1), ..options(folder.path()) };
    let page = contact_sheet(&batch, &one).unwrap().picture;
    // Map px 5 covers crop px 20 to 23, so its centre is crop px 21.5, doubled in the tile; 48 of 64 rows are the
    // picture, so it begins 16 tile px down.
    let tile_x = 14 + 128 + 2;
    let bright = |x: u32, y: u32| page.get_pixel(x, y).0.iter().map(|v| u32::from(*v)).sum::<u32>();
    let peak = (0..128)
        .flat_map(|y| (0..128).map(move |x| (x, y)))
        .filter(|(_, y)| (16..112).contains(y))
        .max_by_key(|(x, y)| bright(tile_x + x, 14 + y))
        .unwrap();
    assert!(peak.0.abs_diff(43) <= 1 && peak.1.abs_diff(16 + 27) <= 1, "{peak:?}");
}

#[test]
fn maps_of_a_prediction_lie_where_its_stride_says() {
    let folder = tempfile::tempdir().unwrap();
    let batch = samples_batch(folder.path());
    let number = |name: &str, value: f64, batch: RecordBatch| {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![value; 2]));
        with_column(&batch, Field::new(name, DataType::Float64, false), array).unwrap()
    };
    let batch = number(heatmaps::ORIGIN_IN_CROP, 10.0, number(heatmaps::STRIDE, 2.0, batch));
    let maps = tile::MapColumn::of(&batch).unwrap().unwrap();
    assert_eq!(maps.map_from_crop(&batch, 1, Some(64)).apply([20.0, 16.0]), [5.0, 3.0]);
}

#[test]
fn maps_without_a_crop_are_drawn_alone() {
    let folder = tempfile::tempdir().unwrap();
    let batch = samples_batch(folder.path());
    let kept: Vec<usize> =
        ["sample_id", "heatmaps"].iter().map(|name| batch.schema_ref().index_of(name).unwrap()).collect();
    let sheet = contact_sheet(&batch.project(&kept).unwrap(), &options(folder.path())).unwrap();
    assert_eq!((sheet.drawn, sheet.rejects.len()), (2, 0));
}

#[test]
fn predictions_are_drawn_over_the_person_they_belong_to() {
    let folder = tempfile::tempdir().unwrap();
    let people = people_in(folder.path());
    let ids = StringArray::from(vec!["lsp-im0002-0", "lsp-im0099-0"]);
    let mut points = vec![[60.0, 50.0]; 14];
    points[0] = [f64::NAN; 2];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids),
        Arc::new(StringArray::from(vec![None::<&str>; 2])),
        Arc::new(Int32Array::from(vec![2, 2])),
        points_array([&points[..], &points[..]], 14),
        schemas::tables::vector_array([None, None], 14),
        schemas::tables::vector_array([None, None], 14),
        Arc::new(StringArray::from(vec!["demo"; 2])),
    ];
    let predictions = RecordBatch::try_new(keypoints::schema(&LSP14), columns).unwrap();
    let large = SheetOptions { tile_px: 512, ..options(folder.path()) };
    let sheet = prediction_sheet(&predictions, &people, &large).unwrap();
    assert_eq!(sheet.drawn, 1);
    assert_eq!(sheet.rejects[0].reason, "person missing");
    assert!(count(&sheet.picture, [255; 3]) > 30, "the annotation is drawn in white");
}

#[test]
fn a_table_that_is_none_of_ours_is_refused_by_name_of_the_column() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let error = contact_sheet(&batch, &SheetOptions::default()).unwrap_err();
    assert!(matches!(error, ReportError::Schema(_)), "{error}");
}

#[test]
fn sizes_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (tile_px, rows) in [(0, 5), (100_000, 5), (128, 0)] {
        let bad = SheetOptions { tile_px, rows, ..options(folder.path()) };
        assert!(contact_sheet(&people_in(folder.path()), &bad).unwrap_err().hint().is_some());
    }
}
