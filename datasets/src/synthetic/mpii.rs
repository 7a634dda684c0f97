//! The generator in the format of MPII Human Pose (`RELEASE` struct, PROTOCOLS of the data set's release 1.2).
//!
//! It has the peculiarities of the real file: points in arbitrary order with absent ids missing, `is_visible` as a
//! number, as a character, empty (upper neck and head top) or absent; head rectangles of whole numbers from which
//! upper neck and head top are derived; coordinates below 1; people without joints; test images with nothing but
//! scale and place.

use std::path::Path;

use schemas::random::KeyedRandom;

use super::scene::{Actor, Framing, Scene};
use super::{Options, SyntheticError, Written, body, postures, save, write_scenes};
use crate::matlab::Value;

/// One image in so many is a test image without labels.
pub const TEST_PERIOD: usize = 4;
/// |head top - upper neck| relative to the diagonal of the head rectangle, as in the real file.
const HEAD_TO_DIAGONAL: f64 = 0.8;
/// Height over width of the head rectangle of an upright head: its height is then just |head top - upper neck|.
const HEAD_ASPECT: f64 = 4.0 / 3.0;
/// Joints farther outside the image than this are not annotated, px.
const OUTSIDE_MARGIN_PX: f64 = 8.0;
/// How often a joint is not annotated although it lies in the image.
const MISSING_SHARE: f64 = 0.01;
/// How often a visibility is written as a character (2,621 of 38,378 in the validation images).
const CHARACTER_SHARE: f64 = 0.07;
/// How often one of several people has no joints.
const UNLABELLED_SHARE: f64 = 0.08;
/// Number of videos that the frames claim to come from.
const VIDEOS: usize = 12;

/// What one image contributes to the annotation file.
struct Record {
    image: Value,
    people: Value,
    single: Value,
    activity: Vec<Value>,
    train: f64,
}

/// Draws `options.images` images into `folder/images` and writes `folder/annotations.mat`; one image in
/// [`TEST_PERIOD`] is a test image.
///
/// # Errors
/// When the sizes are out of range or a file cannot be written.
pub fn write_mpii(folder: &Path, options: &Options) -> Result<Written, SyntheticError> {
    let name = |number: usize| format!("{:09}.jpg", number + 1);
    let (records, tally) = write_scenes(folder, options, Framing::Wide, name, |number, scene| {
        let mut random = KeyedRandom::new(options.seed, "synthetic mpii", &name(number), 0);
        record(scene, &name(number), number % TEST_PERIOD == TEST_PERIOD - 1, &mut random)
    })?;
    let count = records.len();
    let train = Value::array(&[1, count], records.iter().map(|record| record.train).collect::<Vec<f64>>());
    let (mut images, mut single, mut activities) = (Vec::new(), Vec::new(), Vec::new());
    for (number, record) in records.into_iter().enumerate() {
        let (second, video) = (Value::scalar(number as f64), Value::scalar((number % VIDEOS + 1) as f64));
        images.push(vec![record.image, record.people, second, video]);
        single.push(record.single);
        activities.push(record.activity);
    }
    let videos = (0..VIDEOS).map(|video| Value::text(&format!("synthetic{video:02}"))).collect();
    let release = Value::record([
        ("annolist", Value::structs(&[1, count], &["image", "annorect", "frame_sec", "vididx"], images)),
        ("img_train", train),
        ("version", Value::text("12")),
        ("single_person", Value::cell(&[count, 1], single)),
        ("act", Value::structs(&[count, 1], &["act_name", "cat_name", "act_id"], activities)),
        ("video_list", Value::cell(&[1, VIDEOS], videos)),
    ]);
    save(folder, options, tally, "annotations.mat", "RELEASE", &release)
}

fn record(scene: &Scene, name: &str, test: bool, random: &mut KeyedRandom) -> Record {
    let several = scene.actors.len() > 1;
    let unlabelled = (several && random.happens(UNLABELLED_SHARE)).then(|| random.index(scene.actors.len()));
    let fields: &[&str] =
        if test { &["scale", "objpos"] } else { &["x1", "y1", "x2", "y2", "annopoints", "scale", "objpos"] };
    let people: Vec<Vec<Value>> = scene
        .actors
        .iter()
        .enumerate()
        .map(|(number, actor)| {
            let place =
                vec![Value::scalar(actor.figure.height * random.uniform(0.95, 1.05) / 200.0), center(actor)];
            if test {
                return place;
            }
            let labels = if unlabelled == Some(number) {
                vec![Value::empty(); 5]
            } else {
                labels(actor, scene, random)
            };
            labels.into_iter().chain(place).collect()
        })
        .collect();
    let alone: Vec<f64> =
        (0..scene.actors.len()).filter(|n| stands_alone(*n, &scene.actors)).map(|n| (n + 1) as f64).collect();
    let kind = scene.actors.last().map_or(0, |actor| actor.posture);
    let activity = postures::names().nth(kind).unwrap_or_default();
    let activity = if test {
        vec![Value::empty(), Value::empty(), Value::scalar(-1.0)]
    } else {
        vec![Value::text(activity), Value::text("synthetic"), Value::scalar((kind + 1) as f64)]
    };
    Record {
        image: Value::record([("name", Value::text(name))]),
        people: Value::structs(&[1, people.len()], fields, people),
        single: Value::array(&[alone.len(), 1], alone),
        activity,
        train: f64::from(u8::from(!test)),
    }
}

/// Whether the rectangle about person `number` meets nobody else's.
fn stands_alone(number: usize, actors: &[Actor]) -> bool {
    let own = actors[number].figure.bounds();
    let meets =
        |other: [f64; 4]| own[0] < other[2] && other[0] < own[2] && own[1] < other[3] && other[1] < own[3];
    (0..actors.len()).filter(|other| *other != number).all(|other| !meets(actors[other].figure.bounds()))
}

/// The rough centre of the person, whole px, 1-based.
fn center(actor: &Actor) -> Value {
    let [x1, y1, x2, y2] = actor.figure.bounds();
    let whole = |v: f64| Value::scalar(v.round() + 1.0);
    Value::record([("x", whole(f64::midpoint(x1, x2))), ("y", whole(f64::midpoint(y1, y2)))])
}

/// `x1`, `y1`, `x2`, `y2` and `annopoints` of a labelled person.
fn labels(actor: &Actor, scene: &Scene, random: &mut KeyedRandom) -> Vec<Value> {
    let (head, neck_and_top) = head(actor);
    let mut joints: Vec<usize> = (0..16)
        .filter(|joint| Actor::within(actor.figure.joints[*joint], scene.size, OUTSIDE_MARGIN_PX))
        .filter(|_| !random.happens(MISSING_SHARE))
        .collect();
    // The pelvis comes first in most records, the rest in any order.
    for last in (1..joints.len()).rev() {
        joints.swap(last, random.index(last + 1));
    }
    joints.sort_by_key(|joint| *joint != 6);
    // Where nothing is hidden, some records do not speak of visibility at all.
    let silent = joints.iter().all(|joint| actor.seen[*joint]) && random.happens(0.1);
    let points: Vec<Vec<Value>> = joints
        .iter()
        .map(|joint| {
            let [x, y] = match *joint {
                8 => neck_and_top[0],
                9 => neck_and_top[1],
                other => actor.figure.joints[other].map(|v| v.round() + 1.0),
            };
            let mut point = vec![Value::scalar(x), Value::scalar(y), Value::scalar(*joint as f64)];
            if !silent {
                point.push(visibility(*joint, actor.seen[*joint], random));
            }
            point
        })
        .collect();
    let fields: &[&str] = if silent { &["x", "y", "id"] } else { &["x", "y", "id", "is_visible"] };
    let points = Value::structs(&[1, points.len()], fields, points);
    let mut labels: Vec<Value> = head.into_iter().map(Value::scalar).collect();
    labels.push(Value::record([("point", points)]));
    labels
}

fn visibility(joint: usize, seen: bool, random: &mut KeyedRandom) -> Value {
    if matches!(joint, 8 | 9) {
        return Value::empty();
    }
    let code = u8::from(seen);
    if random.happens(CHARACTER_SHARE) {
        Value::text(&code.to_string())
    } else {
        Value::scalar(f64::from(code))
    }
}

/// The head rectangle `[x1, y1, x2, y2]` in whole 1-based px, and upper neck and head top derived from it: on the
/// head's axis through the rectangle's centre, [`HEAD_TO_DIAGONAL`] diagonals apart.
fn head(actor: &Actor) -> ([f64; 4], [[f64; 2]; 2]) {
    let [_, _, neck, top] = body::AXIS.map(|joint| actor.figure.joints[joint].map(|v| v + 1.0));
    let axis = [top[0] - neck[0], top[1] - neck[1]];
    let length = libm::hypot(axis[0], axis[1]);
    let (long, short) = (length, length / HEAD_ASPECT);
    let upright = libm::fabs(axis[1]) >= libm::fabs(axis[0]);
    let half = if upright { [short / 2.0, long / 2.0] } else { [long / 2.0, short / 2.0] };
    let middle = [f64::midpoint(neck[0], top[0]), f64::midpoint(neck[1], top[1])];
    let [x1, y1] = [0, 1].map(|i| (middle[i] - half[i]).round());
    let [x2, y2] = [0, 1].map(|i| (middle[i] + half[i]).round());
    let reach = 0.5 * HEAD_TO_DIAGONAL * libm::hypot(x2 - x1, y2 - y1);
    let center = [f64::midpoint(x1, x2), f64::midpoint(y1, y2)];
    let end = |way: f64| [0, 1].map(|i| center[i] + way * reach * axis[i] / length);
    ([x1, y1, x2, y2], [end(-1.0), end(1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab;
    use proptest::prelude::*;

    const OPTIONS: Options = Options { images: 24, seed: 5, width: 320, height: 180 };

    fn written() -> (tempfile::TempDir, Written, Value) {
        let folder = tempfile::tempdir().unwrap();
        let written = write_mpii(folder.path(), &OPTIONS).unwrap();
        let mut variables = matlab::read(&written.annotations).unwrap();
        assert_eq!(variables[0].0, "RELEASE");
        (folder, written, variables.remove(0).1)
    }

    #[test]
    fn the_file_has_the_fields_and_the_traps_of_the_real_one() {
        let (_folder, written, release) = written();
        assert_eq!(written.images, 24);
        let train = release.field(0, "img_train").unwrap().as_f64s().unwrap();
        assert_eq!(train.iter().filter(|flag| **flag == 0.0).count(), 24 / TEST_PERIOD);
        let list = release.field(0, "annolist").unwrap();
        let (mut numbers, mut texts, mut empties, mut people) = (0, 0, 0, 0);
        for (image, flag) in train.iter().enumerate() {
            let rects = list.field(image, "annorect").unwrap();
            people += rects.dims()[1];
            for rect in 0..rects.dims()[1] {
                assert!(rects.field(rect, "scale").unwrap().as_f64().unwrap() > 0.2);
                let points = rects.field(rect, "annopoints").and_then(|p| p.field(0, "point"));
                assert!(points.is_none() || *flag == 1.0, "a test image has no labels");
                let Some(points) = points else { continue };
                for point in 0..points.dims()[1] {
                    match points.field(point, "is_visible") {
                        Some(Value::Char { .. }) => texts += 1,
                        Some(value) if value.is_empty() => empties += 1,
                        Some(_) => numbers += 1,
                        None => {}
                    }
                }
            }
        }
        assert_eq!(people, written.people);
        assert!(numbers > 10 * texts && texts > 0 && empties > 10, "{numbers} {texts} {empties}");
    }

    #[test]
    fn the_same_options_give_the_same_files() {
        let (first, ..) = written();
        let (second, ..) = written();
        for file in ["annotations.mat", "images/000000001.jpg", "images/000000024.jpg"] {
            let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(file)).unwrap();
            assert!(read(&first) == read(&second), "{file}");
        }
    }

    proptest! {
        #[test]
        fn neck_and_top_are_eight_tenths_of_the_diagonal_apart(seed in any::<u64>()) {
            let scene = super::super::scene::draw(Framing::Wide, [64, 64], seed, "head");
            for actor in &scene.actors {
                let ([x1, y1, x2, y2], [neck, top]) = head(actor);
                let (diagonal, length) =
                    (libm::hypot(x2 - x1, y2 - y1), libm::hypot(neck[0] - top[0], neck[1] - top[1]));
                prop_assert!((length - HEAD_TO_DIAGONAL * diagonal).abs() < 1e-9);
                prop_assert!([x1, y1, x2, y2].iter().all(|v| v.fract() == 0.0));
                let drawn = actor.figure.joints[8];
                prop_assert!((neck[0] - 1.0 - drawn[0]).abs() < 1.6 && (neck[1] - 1.0 - drawn[1]).abs() < 1.6);
            }
        }
    }
}
