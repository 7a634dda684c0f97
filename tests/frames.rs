//! Pictures that are stored turned: every step takes them in the frame of their annotations, or rejects them by their
//! orientation.

use std::fs;
use std::path::Path;

use datasets::pixels::{Limits, OrientationRule, Reduction, Turn, decode, encode_jpeg};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::support::{Done, motionmill};

/// The picture as viewers show it: 48 x 64 px, a red square about (36, 52).
const SHOWN: [u32; 2] = [48, 64];
const SPOT: [u32; 2] = [36, 52];

/// The stored pixel of (x, y) of the shown picture, and the stored size, for each EXIF orientation.
fn stored(orientation: u16, [x, y]: [u32; 2]) -> ([u32; 2], [u32; 2]) {
    let [width, height] = SHOWN;
    let (right, low) = (width - 1 - x, height - 1 - y);
    match orientation {
        2 => ([right, y], SHOWN),
        3 => ([right, low], SHOWN),
        4 => ([x, low], SHOWN),
        5 => ([y, x], [height, width]),
        6 => ([y, right], [height, width]),
        7 => ([low, right], [height, width]),
        8 => ([low, x], [height, width]),
        _ => ([x, y], SHOWN),
    }
}

/// A JPEG that is stored by `orientation` and says so.
fn picture(orientation: u16) -> Vec<u8> {
    let (_, [width, height]) = stored(orientation, [0, 0]);
    let mut rgb = vec![90; (width * height * 3) as usize];
    for y in SPOT[1] - 4..=SPOT[1] + 4 {
        for x in SPOT[0] - 4..=SPOT[0] + 4 {
            let ([column, row], _) = stored(orientation, [x, y]);
            let at = ((row * width + column) * 3) as usize;
            rgb[at..at + 3].copy_from_slice(&[255, 0, 0]);
        }
    }
    let jpeg = encode_jpeg(&rgb, width, height, 98).unwrap();
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend(orientation.to_be_bytes());
    exif.extend([0; 6]);
    let length = (2 + exif.len() as u16).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

/// A person whose nose is on `place` of a picture whose size is stated as `size`, in a table `people`.
fn people(orientation: u16, place: [u32; 2], size: [u32; 2]) -> TempDir {
    let folder = tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("images")).unwrap();
    fs::write(at.join("images/a.jpg"), picture(orientation)).unwrap();
    let mut points = [10, 10, 2].repeat(17);
    points[..3].copy_from_slice(&[place[0], place[1], 2]);
    points[3..6].copy_from_slice(&[20, 30, 2]);
    let file = json!({
        "images": [{ "id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1] }],
        "annotations": [{ "id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 30, 30], "keypoints": points }],
        "categories": [{ "id": 1, "name": "person", "keypoints": schemas::skeleton::COCO17.joints }],
    });
    fs::write(at.join("train.json"), file.to_string()).unwrap();
    let ingest = "ingest coco --annotations train.json --images images --out people";
    motionmill(at, &ingest.split(' ').collect::<Vec<_>>()).succeeded();
    folder
}

/// Cuts a sample with `rule`, and says whether its nose is red.
fn sample(folder: &Path, rule: &str) -> (Done, Option<bool>) {
    let plan = format!(
        "[sources.people]\nread.table = {{ path = \"people\" }}\n[stages.crop]\ninputs = [\"people\"]\n\
         run.crop = {{ size = [96, 96], frame = \"whole_image\", orientation = \"{rule}\" }}\n[stages.warp]\n\
         inputs = [\"crop\"]\nrun.warp = {{ orientation = \"{rule}\" }}\n[sinks.samples]\ninputs = [\"warp\"]\n\
         write.parquet = {{ path = \"samples\" }}\n"
    );
    fs::write(folder.join("plan.toml"), plan).unwrap();
    let done = motionmill(folder, &["run", "plan.toml", "--force"]);
    let table = datasets::shards::TableReader::open(&folder.join("samples"), None).unwrap();
    let rows = table.read_all().unwrap();
    let rows = rows.iter().find(|rows| rows.num_rows() > 0);
    let red = rows.map(|rows| {
        let nose = schemas::columns::points(rows, "keypoints").unwrap()[0][0];
        let image = rows.column_by_name("image").unwrap();
        let image = arrow::array::AsArray::as_binary::<i32>(image.as_ref()).value(0);
        let at = ((nose[1].round() * 96.0 + nose[0].round()) * 3.0) as usize;
        image[at] > 180 && image[at + 1] < 100
    });
    (done, red)
}

#[test]
fn the_stated_size_tells_the_frame_of_a_sample() {
    for orientation in 1..=8 {
        let (place, size) = stored(orientation, SPOT);
        // Annotated as shown, and as stored.
        for (frame, place, size) in [("turned by", SPOT, SHOWN), ("ignored", place, size)] {
            let folder = people(orientation, place, size);
            let (done, red) = sample(folder.path(), "stated");
            match orientation {
                1 => assert!(red == Some(true) && !done.stderr.contains("orientation"), "{}", done.text()),
                2..=4 => {
                    assert_eq!((done.code, red), (1, None), "{orientation}: {}", done.text());
                    assert!(
                        done.stderr.contains(&format!("EXIF orientation {orientation}")),
                        "{}",
                        done.text()
                    );
                }
                _ => {
                    assert_eq!(red, Some(true), "{orientation}, {frame}: {}", done.text());
                    assert!(
                        done.stderr.contains("EXIF orientation") && done.stderr.contains(frame),
                        "{}",
                        done.text()
                    );
                }
            }
        }
    }
}

#[test]
fn a_key_decides_where_nothing_tells() {
    for orientation in 2..=8 {
        let (place, size) = stored(orientation, SPOT);
        for (rule, place, size) in [("apply", SPOT, SHOWN), ("ignore", place, size)] {
            let folder = people(orientation, place, size);
            let (done, red) = sample(folder.path(), rule);
            assert_eq!(red, Some(true), "{orientation}, {rule}: {}", done.text());
        }
        let folder = people(orientation, SPOT, SHOWN);
        let (done, red) = sample(folder.path(), "refuse");
        assert_eq!((done.code, red), (1, None), "{}", done.text());
    }
}

#[test]
fn exports_agree_with_what_their_readers_see() {
    for orientation in [1, 5, 6, 7, 8] {
        let (place, size) = stored(orientation, SPOT);
        for (place, size) in [(SPOT, SHOWN), (place, size)] {
            let folder = people(orientation, place, size);
            let at = folder.path();
            motionmill(at, &["export", "coco", "people", "--out", "back.json"]).succeeded();
            let back: serde_json::Value =
                serde_json::from_slice(&fs::read(at.join("back.json")).unwrap()).unwrap();
            assert_eq!(back["images"][0]["width"], size[0], "{orientation}");
            motionmill(at, &["export", "yolo", "people", "--out", "yolo"]).succeeded();
            // A trainer turns the copy by its orientation, if it still has one.
            let copy = fs::read(at.join("yolo/images/train/a.jpg")).unwrap();
            let decoded = decode(&copy, &Limits::default(), Reduction::Whole).unwrap();
            let (width, height) = (decoded.width, decoded.height);
            let turn = OrientationRule::Apply.turn(Turn::of(&copy), [width, height], None).unwrap();
            let shown = turn.apply(decoded);
            assert_eq!([shown.width, shown.height], size, "{orientation}");
            let label = fs::read_to_string(at.join("yolo/labels/train/a.txt")).unwrap();
            let numbers: Vec<f64> = label.split_whitespace().map(|number| number.parse().unwrap()).collect();
            let [x, y] = [numbers[5] * f64::from(shown.width), numbers[6] * f64::from(shown.height)];
            let pixel = ((y.round() as u32 * shown.width + x.round() as u32) * 3) as usize;
            assert!(shown.rgb[pixel] > 180 && shown.rgb[pixel + 1] < 100, "{orientation}: ({x}, {y})");
            // The check of sizes has nothing to say.
            let checked = motionmill(at, &["check", "people", "--rule", "picture_size", "--fail-on", "any"]);
            assert_eq!(checked.code, 0, "{}", checked.text());
        }
    }
}
