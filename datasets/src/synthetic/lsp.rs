//! The generator in the formats of Leeds Sports Pose and its extended training set.
//!
//! The two differ in everything but the joints: LSP holds 3x14xN with 1 for *hidden* and a guess of every place;
//! the extended set holds 14x3xN with 1 for *annotated* and rubbish, mostly below zero, for the rest.

use std::path::Path;

use schemas::random::KeyedRandom;
use schemas::skeleton::{LSP14, MPII16};

use super::scene::{Actor, Framing, Scene};
use super::{Options, SyntheticError, Written, save, write_scenes};
use crate::matlab::Value;

/// How often a hidden joint of the extended set is annotated all the same.
const GUESSED_SHARE: f64 = 0.3;
/// How often a joint of the extended set that can be seen is not annotated.
const MISSED_SHARE: f64 = 0.03;
/// How often rubbish has a component below zero, as in the real file; the rest is (0, 0).
const NEGATIVE_SHARE: f64 = 0.993;

/// The 14 joints of somebody in LSP's order: place in 1-based px and whether it is seen.
fn joints(scene: &Scene) -> Vec<([f64; 2], bool)> {
    let Some(actor) = scene.actors.first() else { return Vec::new() };
    let of_mpii = LSP14.indices_in(&MPII16).into_iter().flatten();
    of_mpii.map(|joint| (actor.figure.joints[joint].map(|v| v + 1.0), actor.seen[joint])).collect()
}

/// Draws `options.images` images into `folder/images` and writes `folder/joints.mat`, 3x14xN.
///
/// The format does not say which images are for training: of the real 2,000 the first half is.
///
/// # Errors
/// When the sizes are out of range or a file cannot be written.
pub fn write_lsp(folder: &Path, options: &Options) -> Result<Written, SyntheticError> {
    let name = |number: usize| format!("im{:04}.jpg", number + 1);
    let (rows, tally) = write_scenes(folder, options, Framing::Close, name, |_, scene| {
        let columns = joints(scene).into_iter();
        columns.flat_map(|([x, y], seen)| [x, y, f64::from(u8::from(!seen))]).collect::<Vec<f64>>()
    })?;
    let count = rows.len();
    let array = Value::array(&[3, LSP14.len(), count], rows.concat());
    save(folder, options, tally, "joints.mat", "joints", &array)
}

/// Draws `options.images` images into `folder/images` and writes `folder/joints.mat`, 14x3xN. All are for training.
///
/// # Errors
/// When the sizes are out of range or a file cannot be written.
pub fn write_lspet(folder: &Path, options: &Options) -> Result<Written, SyntheticError> {
    let name = |number: usize| format!("im{:05}.jpg", number + 1);
    let (rows, tally) = write_scenes(folder, options, Framing::Close, name, |number, scene| {
        let mut random = KeyedRandom::new(options.seed, "synthetic lspet", &name(number), 0);
        let joints: Vec<[f64; 3]> = joints(scene)
            .into_iter()
            .map(|(point, seen)| {
                let share = if seen { 1.0 - MISSED_SHARE } else { GUESSED_SHARE };
                let annotated = Actor::within(point, scene.size, 0.0) && random.happens(share);
                let [x, y] = if annotated { point } else { rubbish(scene.size, &mut random) };
                [x, y, f64::from(u8::from(annotated))]
            })
            .collect();
        (0..3).flat_map(|part| joints.iter().map(move |joint| joint[part])).collect::<Vec<f64>>()
    })?;
    let count = rows.len();
    let array = Value::array(&[LSP14.len(), 3, count], rows.concat());
    save(folder, options, tally, "joints.mat", "joints", &array)
}

/// What stands in the place of a joint that is not annotated.
fn rubbish(size: [u32; 2], random: &mut KeyedRandom) -> [f64; 2] {
    if !random.happens(NEGATIVE_SHARE) {
        return [0.0, 0.0];
    }
    let below = -random.uniform(0.5, 60.0);
    let other = random.uniform(-40.0, f64::from(size[0].max(size[1])));
    if random.happens(0.5) { [below, other] } else { [other, below] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matlab;

    const OPTIONS: Options = Options { images: 30, seed: 9, width: 180, height: 160 };

    fn numbers(written: &Written) -> (Vec<usize>, Vec<f64>) {
        let variables = matlab::read(&written.annotations).unwrap();
        let joints = matlab::variable(&variables, "joints").unwrap();
        (joints.dims().to_vec(), joints.numbers().unwrap())
    }

    #[test]
    fn lsp_says_hidden_and_places_every_joint() {
        let folder = tempfile::tempdir().unwrap();
        let (dims, numbers) = numbers(&write_lsp(folder.path(), &OPTIONS).unwrap());
        assert_eq!(dims, [3, 14, 30]);
        let hidden = numbers.iter().skip(2).step_by(3).filter(|flag| **flag == 1.0).count();
        assert!(hidden > 10 && hidden < 14 * 30 / 2, "{hidden}");
        assert!(numbers.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn the_extended_set_says_annotated_and_holds_rubbish_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (dims, numbers) = numbers(&write_lspet(folder.path(), &OPTIONS).unwrap());
        assert_eq!(dims, [14, 3, 30]);
        let (mut known, mut below) = (0, 0);
        for person in numbers.chunks_exact(42) {
            for joint in 0..14 {
                let [x, y, flag] = [person[joint], person[14 + joint], person[28 + joint]];
                known += usize::from(flag == 1.0);
                below += usize::from(flag == 0.0 && (x < 0.0 || y < 0.0));
                assert!(flag == 0.0 || (x >= 0.5 && y >= 0.5), "annotated joints lie in the image");
            }
        }
        assert!(known + below >= 14 * 30 - 3 && below > 10 && known > 200, "{known} {below}");
    }

    #[test]
    fn pictures_can_be_read_and_are_no_larger_than_the_frame() {
        let folder = tempfile::tempdir().unwrap();
        let written = write_lsp(folder.path(), &OPTIONS).unwrap();
        let mut bytes = 0;
        for number in 1..=30 {
            let file = std::fs::read(written.images_folder.join(format!("im{number:04}.jpg"))).unwrap();
            let picture = turbojpeg::decompress(&file, turbojpeg::PixelFormat::RGB).unwrap();
            assert!(picture.width <= 180 && picture.height <= 160 && picture.width >= 64);
            bytes += file.len() as u64;
        }
        assert_eq!(bytes, written.image_bytes);
    }
}
