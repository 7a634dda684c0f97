use proptest::prelude::*;

use super::super::heatmaps::tests::{context, floats, pose, warped};
use super::*;
use crate::stage::Stage;

/// As `RTMPose` is trained, for crops of another size.
const RTMPOSE: &str = "label.gaussian.sigma = [4.9, 5.66]";

fn encoded(plan: &str, batch: &RecordBatch) -> RecordBatch {
    let stage = toml::from_str::<EncodeSimccConfig>(plan).unwrap().build(&context());
    let out = stage.run(batch).unwrap().rows;
    assert_eq!(out.schema(), stage.output_schema(&batch.schema()).unwrap());
    out
}

/// The labels of joint `joint` along x and y, and its weight, for crops of 64 px.
fn of_joint(batch: &RecordBatch, joint: usize, bins: usize) -> (&[f32], &[f32], f32) {
    let [x, y] = [SIMCC_X, SIMCC_Y].map(|name| &floats(batch, name)[joint * bins..][..bins]);
    (x, y, floats(batch, SIMCC_WEIGHT)[joint])
}

/// Bin of the greatest value.
fn top(label: &[f32]) -> usize {
    (0..label.len()).max_by(|a, b| label[*a].total_cmp(&label[*b])).unwrap()
}

proptest! {
    #[test]
    fn the_place_comes_back_to_half_a_bin(x in 0.0..63.0f64, y in 0.0..63.0f64, ratio in 1..4) {
        let ratio = f64::from(ratio);
        let batch = warped(pose(&[(3, [x, y])]), vec![], 64);
        let bins = 64 * ratio as usize;
        for plan in [RTMPOSE, "label.one_hot = {}", "label.one_hot.smoothing = 0.1"] {
            let out = encoded(&format!("split_ratio = {ratio}\n{plan}"), &batch);
            let (along_x, along_y, weight) = of_joint(&out, 3, bins);
            let back = [along_x, along_y].map(|label| top(label) as f64 / ratio);
            prop_assert!((back[0] - x).abs() <= 0.5 / ratio + 1e-5 && (back[1] - y).abs() <= 0.5 / ratio + 1e-5);
            prop_assert_eq!(weight, 1.0);
        }
    }

    #[test]
    fn gaussians_are_the_density_at_each_bin(x in -30.0..90.0f64, y in -30.0..90.0f64) {
        // f32 as the crop's keypoints are.
        let [x, y] = [x, y].map(|value| f64::from(value as f32));
        let out = encoded(RTMPOSE, &warped(pose(&[(0, [x, y])]), vec![], 64));
        let (along_x, along_y, weight) = of_joint(&out, 0, 128);
        // Python rounds halves to even as numpy does; a joint counts until 3 sigma have left the 128 bins by one.
        let bin = [x, y].map(|value| (2.0 * value).round_ties_even());
        let counts = [4.9, 5.66].iter().zip(bin).all(|(sigma, bin)| bin - 3.0 * sigma < 128.0 && bin + 3.0 * sigma + 1.0 >= 0.0);
        prop_assert_eq!(weight, f32::from(u8::from(counts)));
        for ((label, bin), sigma) in [along_x, along_y].into_iter().zip(bin).zip([4.9, 5.66]) {
            for (at, value) in label.iter().enumerate() {
                let standard = (at as f64 - bin) / sigma;
                let density = (-0.5 * standard * standard).exp() / (sigma * (2.0 * std::f64::consts::PI).sqrt());
                let expected = if counts { density } else { 0.0 };
                prop_assert!((f64::from(*value) - expected).abs() < 1e-7);
            }
        }
    }
}

#[test]
fn values_by_hand() {
    let batch = warped(pose(&[(0, [10.25, 20.75]), (1, [63.4, 5.0]), (2, [-0.3, 63.9])]), vec![], 64);
    let out = encoded("label.gaussian = { sigma = [6, 6], normalise = false }", &batch);
    // 20.5 and 41.5 are halfway: to the even bins 20 and 42.
    let (x, y, weight) = of_joint(&out, 0, 128);
    assert_eq!((x[20], y[42], weight), (1.0, 1.0, 1.0));
    assert!((x[26] - (-0.5f32).exp()).abs() < 1e-7);
    let out = encoded(RTMPOSE, &batch);
    // Inside the crop, a label sums to 1.
    let sum: f32 = of_joint(&out, 0, 128).0.iter().sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    // One-hot, smoothed: 0.9 at the bin, 0.1 / 127 at each other; it sums to 1.
    let out = encoded("label.one_hot.smoothing = 0.1", &batch);
    let (x, y, _) = of_joint(&out, 1, 128);
    assert_eq!((x[127], y[10], y[11]), (0.9, 0.9, 0.1 / 127.0));
    // Bin -1 is outside.
    let (x, y, weight) = of_joint(&out, 2, 128);
    assert!(weight == 0.0 && x.iter().chain(y).all(|value| *value == 0.0));
    // A joint that is not annotated.
    let (x, y, weight) = of_joint(&out, 5, 128);
    assert!(weight == 0.0 && x.iter().chain(y).all(|value| *value == 0.0));
}

#[test]
fn a_plan_that_cannot_work_is_refused() {
    for (plan, expected) in [
        ("label.gaussian.sigma = 6", "expected an array of length 2"),
        ("label.gaussian.sigma = [6, 0]", "a spread must be from 0.01 to 16384 px, found `0`"),
        ("label.one_hot.smoothing = 1.5", "a probability must be from 0 to 1, found `1.5`"),
        (
            "split_ratio = 100\nlabel.one_hot = {}",
            "a number of bins per pixel must be from 0.01 to 16, found `100`",
        ),
        ("label.triangle = {}", "unknown variant `triangle`"),
    ] {
        let message = toml::from_str::<EncodeSimccConfig>(plan).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let stage = toml::from_str::<EncodeSimccConfig>(RTMPOSE).unwrap().build(&context());
    let people = schemas::tables::people::schema(&schemas::skeleton::CPM14);
    let error = stage.output_schema(&people).unwrap_err().to_string();
    assert_eq!(error, "`encode_simcc` takes keypoints in px of the crop, and they are in px of the image");
}
