use super::*;
use crate::augment::CropConfig;
use crate::augment::laws::{context, person};
use arrow::array::{Array, AsArray};
use datasets::pixels::{encode_jpeg, encode_png};
use schemas::columns::{integers, points, visibilities};
use schemas::skeleton::MPII16;
use schemas::tables::people::{self, Person};
use schemas::tables::samples::IMAGE;
use schemas::visibility::Visibility;

/// A picture `[480, 640, 3]` whose red level is x / 4 and whose green level is y / 4.
fn picture() -> Vec<u8> {
    (0..480u32).flat_map(|y| (0..640u32).flat_map(move |x| [(x / 4) as u8, (y / 4) as u8, 50])).collect()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), encode_png(&picture(), 640, 480).unwrap()).unwrap();
    std::fs::write(folder.path().join("a.jpg"), encode_jpeg(&picture(), 640, 480, 98).unwrap()).unwrap();
    std::fs::write(folder.path().join("broken.jpg"), &encode_jpeg(&picture(), 640, 480, 90).unwrap()[..3000])
        .unwrap();
    folder
}

/// Rows cropped to 64 x 64 px, `magnification` px for one of the image.
fn cropped(people: &[Person], magnification: f64) -> RecordBatch {
    let plan = format!("size = [64, 64]\nframe.person.height = {}", 200.0 * magnification);
    let crop: CropConfig = toml::from_str(&plan).unwrap();
    crop.build(&context("crop", 1)).unwrap().run(&people::to_batch(&MPII16, people)).unwrap().rows
}

fn warp(folder: &tempfile::TempDir, plan: &str) -> Warp {
    let mut context = context("warp", 1);
    context.folder = folder.path().to_owned();
    toml::from_str::<WarpConfig>(plan).unwrap().build(&context)
}

fn level(batch: &RecordBatch, row: usize, x: usize, y: usize) -> [u8; 3] {
    let crop = batch.column_by_name(IMAGE).unwrap().as_binary::<i32>().value(row);
    assert_eq!(crop.len(), 64 * 64 * 3);
    crop[(y * 64 + x) * 3..][..3].try_into().unwrap()
}

#[test]
fn pixels_and_keypoints_move_together() {
    let folder = folder();
    let batch = cropped(&[person("a", [300.0, 200.0], 1.0)], 1.0);
    let stage = warp(&folder, "border = 128");
    let out = stage.run(&batch).unwrap();
    assert_eq!(out.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
    // Crop (32, 32) is image (300, 200).
    assert_eq!(level(&out.rows, 0, 32, 32), [75, 50, 50]);
    assert_eq!(level(&out.rows, 0, 0, 63), [67, 57, 50]);
    let keypoints = points(&out.rows, "keypoints").unwrap();
    assert_eq!((keypoints[0][0], keypoints[0][10]), ([32.0, 32.0], [52.0, 2.0]));
    assert!(keypoints[0][5][0].is_nan());
    let others = people::read_others(&out.rows, 16).unwrap();
    assert_eq!(others[0][0].keypoints[10], [52.0, 2.0]);
    assert_eq!(integers(&out.rows, DECODE_REDUCTION).unwrap().value(0), 1);
}

#[test]
fn a_mirrored_crop_swaps_left_and_right() {
    let folder = folder();
    let batch = cropped(&[person("a", [300.0, 200.0], 1.0)], 1.0);
    let always: crate::augment::FlipConfig = toml::from_str("probability = 1").unwrap();
    let flipped = always.build(&context("flip", 1)).run(&batch).unwrap().rows;
    let out = warp(&folder, "").run(&flipped).unwrap().rows;
    assert_eq!(level(&out, 0, 31, 32), [75, 50, 50]);
    let keypoints = points(&out, "keypoints").unwrap();
    // The right ankle (0) is now the left one (5), the occluded right wrist (10) the left one (15).
    assert_eq!((keypoints[0][5], keypoints[0][15]), ([31.0, 32.0], [11.0, 2.0]));
    assert!(keypoints[0][0][0].is_nan());
    let visibility = visibilities(&out, "visibility", 16).unwrap();
    assert_eq!((visibility[0][15], visibility[0][10]), (Visibility::Occluded, Visibility::NotAnnotated));
    let others = people::read_others(&out, 16).unwrap();
    assert_eq!(others[0][0].keypoints[15], [11.0, 2.0]);
    assert_eq!(others[0][0].visibility[15], Visibility::Occluded);
}

#[test]
fn a_shrunk_image_keeps_its_place() {
    let folder = folder();
    let mut people = vec![person("a", [320.0, 240.0], 1.0), person("b", [320.0, 240.0], 1.0)];
    people[1].image_path = "a.jpg".into();
    let batch = cropped(&people, 0.2);
    for (plan, reductions) in [("", [1, 1]), ("scaled_decoding = true", [1, 4])] {
        let out = warp(&folder, plan).run(&batch).unwrap().rows;
        assert_eq!(integers(&out, DECODE_REDUCTION).unwrap().values(), &reductions);
        for row in 0..2 {
            for (x, y) in [(32, 32), (10, 40), (50, 20)] {
                // Crop (x, y) is image (320 + 5 (x - 32), 240 + 5 (y - 32)); a level is a quarter of that.
                let expected = [320.0 + 5.0 * (f64::from(x) - 32.0), 240.0 + 5.0 * (f64::from(y) - 32.0)];
                let found = level(&out, row, x as usize, y as usize);
                for axis in 0..2 {
                    let off = f64::from(found[axis]) - (expected[axis] / 4.0 - 0.375);
                    assert!(off.abs() < 1.6, "{plan}: row {row}, ({x}, {y}), axis {axis}: off by {off}");
                }
            }
        }
    }
}

#[test]
fn rows_that_share_an_image_come_out_as_alone() {
    let folder = folder();
    let mut people: Vec<Person> =
        (0..5).map(|at| person(&format!("p{at}"), [100.0 * f64::from(at), 200.0], 1.0)).collect();
    people[2].image_path = "a.jpg".into();
    let batch = cropped(&people, 0.4);
    let stage = warp(&folder, "scaled_decoding = true");
    let together = stage.run(&batch).unwrap().rows;
    for row in 0..5 {
        assert_eq!(together.slice(row, 1), stage.run(&batch.slice(row, 1)).unwrap().rows);
    }
}

#[test]
fn bad_images_and_maps_are_rejected_and_the_others_go_on() {
    let folder = folder();
    let mut people: Vec<Person> = ["missing.png", "a.png", "broken.jpg", "a.jpg"]
        .into_iter()
        .enumerate()
        .map(|(at, path)| Person {
            image_path: path.into(),
            ..person(&format!("p{at}"), [300.0, 200.0], 1.0)
        })
        .collect();
    people[3].image_path = "a.jpg".into();
    let batch = cropped(&people, 1.0);
    let out = warp(&folder, "").run(&batch).unwrap();
    assert_eq!(out.rows.num_rows(), 2);
    assert_eq!(level(&out.rows, 0, 32, 32), [75, 50, 50]);
    let reasons: Vec<&str> = out.rejects.iter().map(|reject| &reject.reason[..]).collect();
    assert_eq!(reasons, ["image missing", "image unreadable"]);
    let small = warp(&folder, "max_megapixels = 0.3").run(&batch).unwrap();
    // The header is read first, so the broken file is too large before it is unreadable.
    assert_eq!(small.rejects.iter().filter(|reject| reject.reason == "image too large").count(), 3);
    assert_eq!(small.rejects.len() + small.rows.num_rows(), 4);

    // A map that has no way back.
    let mut geometry = geometry::read(&batch).unwrap();
    geometry[1].crop_from_image = schemas::Affine::scale(f64::NAN);
    let bent = geometry::write(&batch, &geometry, [64, 64]).unwrap();
    let out = warp(&folder, "").run(&bent).unwrap();
    assert!(out.rejects.iter().any(|reject| reject.reason == "unusable transform"));
    assert_eq!((out.rows.num_rows(), out.rows.column(0).len()), (1, 1));
}

#[test]
fn colours_are_applied_after_sampling() {
    let folder = folder();
    let batch = cropped(&[person("a", [300.0, 200.0], 1.0)], 1.0);
    let mut geometry = geometry::read(&batch).unwrap();
    geometry[0].colour_matrix[0] = 2.0;
    geometry[0].colour_matrix[11] = 7.0;
    let batch = geometry::write(&batch, &geometry, [64, 64]).unwrap();
    assert_eq!(level(&warp(&folder, "").run(&batch).unwrap().rows, 0, 32, 32), [150, 50, 57]);
}
