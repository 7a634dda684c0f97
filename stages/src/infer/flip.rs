//! Averaging a network's outputs for a picture and for the mirrored picture (stacked hourglass,
//! `src/train.lua`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How mirrored outputs are laid over the plain ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlipRule {
    /// So that each px lies on its mirror image; a network whose grid does not allow it is refused.
    #[default]
    Exact,
    /// As the networks' toolkits do it: mirrored maps move one map px to the right, the first column staying as it is
    /// (`SHIFT_HEATMAP` of the high-resolution network's code, `shift_heatmap` of mmpose), and `SimCC` vectors are
    /// reversed as they are. Coordinates are mirrored exactly either way.
    Toolkit,
}

/// Rows are also run mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// How the two answers are laid over each other.
    pub rule: FlipRule,
}

/// Averages `kept` with `mirrored`, what the network gave for the mirrored picture; both `[K, h, w]`.
///
/// The lines of `mirrored` are reversed, and the map of a joint is that of its opposite, `mirrored_joints` `[K]`; with
/// `shift` they then move one px to the right.
///
/// # Panics
/// When the two do not have the same size.
pub fn average(
    kept: &mut [f32],
    mirrored: &[f32],
    mirrored_joints: &[usize],
    [height, width]: [usize; 2],
    shift: bool,
) {
    assert_eq!(kept.len(), mirrored.len(), "two answers of one network");
    let pixels = height * width;
    for (map, opposite) in kept.chunks_exact_mut(pixels).zip(mirrored_joints) {
        average_plane(map, &mirrored[opposite * pixels..][..pixels], width, shift, |value| value);
    }
}

/// Averages the map `kept` with `mirrored`, whose lines are reversed, each value through `seen`; as [`average`].
pub fn average_plane(
    kept: &mut [f32],
    mirrored: &[f32],
    width: usize,
    shift: bool,
    seen: impl Fn(f32) -> f32,
) {
    for (line, turned) in kept.chunks_exact_mut(width).zip(mirrored.chunks_exact(width)) {
        let turned = turned.iter().rev();
        let mean = |(value, other): (&mut f32, &f32)| *value = 0.5 * (*value + seen(*other));
        if shift {
            // The first column stays where it is, and is also the second one.
            let moved = turned.clone().take(1).chain(turned);
            line.iter_mut().zip(moved).for_each(mean);
        } else {
            line.iter_mut().zip(turned).for_each(mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::skeleton::FLIC9;

    use super::super::InferConfig;
    use super::super::tests::{context, image, maps, samples_of};
    use crate::Stage;

    const WIDTH: usize = 12;
    const JOINTS: usize = 9;

    fn run(model: &str, flip_average: bool, rows_a_call: Option<usize>, images: &[Vec<u8>]) -> Vec<f32> {
        let batch = rows_a_call.and_then(|rows| rows.try_into().ok());
        let mut config = InferConfig { flip_average, ..InferConfig::new(format!("{model}.onnx")) };
        config.engine.batch = batch;
        let outcome = config.build(&context(1)).unwrap().run(&samples_of(images, &FLIC9)).unwrap();
        maps(&outcome.rows).to_vec()
    }

    /// The picture seen in a mirror, one px at a time.
    fn seen_in_a_mirror(image: &[u8]) -> Vec<u8> {
        let at = |index: usize| (index / WIDTH) * WIDTH + (WIDTH - 1 - index % WIDTH);
        (0..image.len() / 3).flat_map(|index| image[3 * at(index)..][..3].to_vec()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn it_is_the_mean_of_both_answers_to_the_bit(
            seeds in proptest::collection::vec(0usize..256, 1..6),
            (model, rows_a_call) in prop_oneof![
                Just(("dense", Some(1))), Just(("dense", Some(4))), Just(("nchw", Some(3))), Just(("uint8", Some(2))),
                Just(("nhwc_fixed", None)),
            ],
        ) {
            let images: Vec<Vec<u8>> = seeds.iter().map(|seed| image(*seed)).collect();
            let mirrored: Vec<Vec<u8>> = images.iter().map(|image| seen_in_a_mirror(image)).collect();
            let found = run(model, true, rows_a_call, &images);
            let (plain, turned) =
                (run(model, false, rows_a_call, &images), run(model, false, rows_a_call, &mirrored));
            let (pixels, opposite) = (6 * 4, FLIC9.mirrored());
            for (at, value) in found.iter().enumerate() {
                let (map, x, y) = (at / pixels, at % 6, at % pixels / 6);
                let (row, joint) = (map / JOINTS, map % JOINTS);
                let counterpart = (row * JOINTS + opposite[joint]) * pixels + y * 6 + 5 - x;
                prop_assert_eq!(*value, 0.5 * (plain[at] + turned[counterpart]), "map {}, px ({}, {})", map, x, y);
            }
        }
    }

    #[test]
    fn toolkits_move_the_mirrored_map_by_one_px() {
        // The line 1 2 3 4 of the mirrored picture is 4 3 2 1 in the plain one, and 4 4 3 2 when it is moved.
        let mut kept = vec![0.0; 4];
        super::average(&mut kept, &[1.0, 2.0, 3.0, 4.0], &[0], [1, 4], true);
        assert_eq!(kept, [2.0, 2.0, 1.5, 1.0]);
    }

    #[test]
    fn what_is_symmetric_stays_as_it_is() {
        // The maps are the centre map, for every joint alike: its mirror image mirrored back is itself.
        let images: Vec<Vec<u8>> = (0..3).map(image).collect();
        assert_eq!(run("center", true, Some(2), &images), run("center", false, Some(2), &images));
        // An image that is its own mirror image, and the one joint of `flic9` that is its own counterpart.
        let half = image(5);
        let symmetric: Vec<u8> =
            std::iter::zip(&half, seen_in_a_mirror(&half)).map(|(a, b)| a.max(&b).to_owned()).collect();
        let opposite = FLIC9.mirrored();
        let middle = (0..JOINTS).find(|joint| opposite[*joint] == *joint).unwrap();
        let nose =
            |flip| run("uint8", flip, None, std::slice::from_ref(&symmetric))[middle * 24..][..24].to_vec();
        // A convolution adds the px of a window up in an order that is not its own mirror image.
        assert!(std::iter::zip(nose(true), nose(false)).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(nose(true).iter().any(|value| *value > 0.0));
    }

    #[test]
    fn maps_off_their_own_mirror_image_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let card = include_str!("../../testdata/models/dense.toml").replace("origin = 0.5", "origin = -0.5");
        let path = folder.path().join("off.toml");
        std::fs::write(&path, card).unwrap();
        let config = InferConfig { card: Some(path), ..InferConfig::new("dense.onnx") };
        config.build(&context(1)).unwrap();
        let error = InferConfig { flip_average: true, ..config }.build(&context(1)).err().unwrap();
        let message = error.to_string();
        assert!(
            message.contains("`origin` must be 0.5, found `-0.5`") && message.ends_with("off.toml`"),
            "{message}"
        );
        assert!(error.hint().unwrap().contains("leave `flip_average` out"));
    }
}
