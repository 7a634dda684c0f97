//! The generator in the format of Frames Labeled in Cinema (`examples` struct).

use std::path::Path;

use schemas::random::KeyedRandom;

use super::body::{LEFT, RIGHT};
use super::scene::{Actor, Framing, Scene};
use super::{Options, SyntheticError, Written, save, write_scenes};
use crate::matlab::Value;

/// Columns of `coords`, of which only [`COLUMNS`] are ever finite.
const COORDINATES: usize = 29;
/// The finite columns, 1-based, and the joint in MPII order, where there is one; else eyes and nose.
const COLUMNS: [(usize, Joint); 11] = [
    (1, Joint::Body(13)),
    (2, Joint::Body(14)),
    (3, Joint::Body(15)),
    (4, Joint::Body(12)),
    (5, Joint::Body(11)),
    (6, Joint::Body(10)),
    (7, Joint::Body(3)),
    (10, Joint::Body(2)),
    (13, Joint::Eye(LEFT)),
    (14, Joint::Eye(RIGHT)),
    (17, Joint::Nose),
];

/// A point of the body that FLIC annotates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// MPII id.
    Body(usize),
    Eye(usize),
    Nose,
}

/// The movies that the frames claim to come from; as in the real set, train and test share them.
const MOVIES: [&str; 4] = ["a-drawn-tale", "capsules-2", "the-sketch", "twelve-angry-limbs"];
/// Height of the detector's torso box relative to the torso's diameter, as in the real set.
const BOX_TO_TORSO: f64 = 0.81;

const FIELDS: [&str; 9] = [
    "poselet_hit_idx",
    "moviename",
    "coords",
    "filepath",
    "imgdims",
    "currframe",
    "torsobox",
    "istrain",
    "istest",
];

/// Draws `options.images` images into `folder/images` and writes `folder/examples.mat`, one example a person; every
/// second image is a test image.
///
/// # Errors
/// When the sizes are out of range or a file cannot be written.
pub fn write_flic(folder: &Path, options: &Options) -> Result<Written, SyntheticError> {
    let name = |number: usize| format!("{}-{:08}.jpg", MOVIES[number % MOVIES.len()], 11 * number + 1);
    let (rows, tally) = write_scenes(folder, options, Framing::Bust, name, |number, scene| {
        let mut random = KeyedRandom::new(options.seed, "synthetic flic", &name(number), 0);
        scene.actors.iter().map(|actor| example(actor, scene, number, &name(number), &mut random)).collect()
    })?;
    let rows: Vec<Vec<Value>> = rows.into_iter().flat_map(|people: Vec<Vec<Value>>| people).collect();
    let examples = Value::structs(&[1, rows.len()], &FIELDS, rows);
    save(folder, options, tally, "examples.mat", "examples", &examples)
}

/// The fields of one person, in the order of [`FIELDS`].
fn example(actor: &Actor, scene: &Scene, number: usize, name: &str, random: &mut KeyedRandom) -> Vec<Value> {
    let figure = &actor.figure;
    let mut coordinates = vec![f64::NAN; 2 * COORDINATES];
    for (column, joint) in COLUMNS {
        let point = match joint {
            Joint::Body(id) => figure.joints[id],
            Joint::Eye(side) => figure.eyes[side],
            Joint::Nose => figure.nose,
        };
        coordinates[2 * (column - 1)] = point[0] + 1.0;
        coordinates[2 * (column - 1) + 1] = point[1] + 1.0;
    }
    let hits: Vec<u16> = (0..3 + random.index(20)).map(|_| random.index(150) as u16 + 1).collect();
    let train = number.is_multiple_of(2);
    let [width, height] = scene.size.map(f64::from);
    vec![
        Value::array(&[hits.len(), 1], hits),
        Value::text(MOVIES[number % MOVIES.len()]),
        Value::array(&[2, COORDINATES], coordinates),
        Value::text(name),
        Value::array(&[1, 3], vec![height, width, 3.0]),
        Value::scalar((11 * number + 1) as f64),
        Value::array(&[1, 4], torso_box(actor, random).to_vec()),
        Value::Logical { dims: vec![1, 1], values: vec![train] },
        Value::Logical { dims: vec![1, 1], values: vec![!train] },
    ]
}

/// A box about the trunk as a detector would give it: near, not exact. 1-based px.
fn torso_box(actor: &Actor, random: &mut KeyedRandom) -> [f32; 4] {
    let joints = &actor.figure.joints;
    let (shoulder, hip) = (joints[13], joints[2]);
    let torso = libm::hypot(shoulder[0] - hip[0], shoulder[1] - hip[1]);
    let (thorax, pelvis) = (joints[7], joints[6]);
    let center = [0, 1].map(|i| 0.55 * thorax[i] + 0.45 * pelvis[i] + 0.04 * torso * random.normal() + 1.0);
    let half_height = 0.5 * BOX_TO_TORSO * torso * random.uniform(0.9, 1.1);
    let half_width = half_height * 2.0 / 3.0;
    [
        (center[0] - half_width) as f32,
        (center[1] - half_height) as f32,
        (center[0] + half_width) as f32,
        (center[1] + half_height) as f32,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab;

    #[test]
    fn the_same_columns_are_finite_in_every_example_and_every_image_is_train_or_test() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { images: 120, seed: 2, width: 180, height: 120 };
        let written = write_flic(folder.path(), &options).unwrap();
        let variables = matlab::read(&written.annotations).unwrap();
        let examples = matlab::variable(&variables, "examples").unwrap();
        assert_eq!(examples.dims(), [1, written.people]);
        let mut backward = 0;
        for example in examples.rows().unwrap() {
            let coordinates = example.require("coords").unwrap().numbers().unwrap();
            let finite: Vec<usize> = (1..=29).filter(|c| coordinates[2 * (c - 1)].is_finite()).collect();
            assert_eq!(finite, [1, 2, 3, 4, 5, 6, 7, 10, 13, 14, 17]);
            backward += usize::from(coordinates[6] > coordinates[0]);
            let flag = |name: &str| example.require(name).unwrap().number().unwrap();
            assert_eq!(flag("istrain") + flag("istest"), 1.0);
            let path = example.require("filepath").unwrap().text().unwrap();
            assert!(written.images_folder.join(path).exists());
        }
        assert!(backward > 0 && backward < written.people / 6, "{backward} of {}", written.people);
    }
}
