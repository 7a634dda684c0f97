//! The round of messages against its formula, and by hand.

use proptest::prelude::*;
use schemas::random::KeyedRandom;

use super::*;

const ENERGY: Combine = Combine::Energy { beta: 1.0, epsilon: 0.01 };

/// The formula of `combine`, word for word, in logarithms and without a transform: `[K, h, w]`, up to a factor a map.
fn by_definition(
    [height, width]: [usize; 2],
    [joints, evidence]: [usize; 2],
    kernels: &[Vec<f64>],
    (combine, bias): (Combine, f64),
    maps: &[f32],
) -> Vec<f64> {
    let pixels = height * width;
    let softplus = |x: f64, beta: f64| (1.0 + (beta * x).exp()).ln() / beta;
    let given = |v: usize, at: usize| {
        let map = &maps[v * pixels..][..pixels];
        let value = f64::from(map[at]);
        match combine {
            Combine::Energy { epsilon, .. } => value.max(epsilon),
            Combine::Probability => {
                let sum: f64 = map.iter().map(|value| f64::from(*value).max(0.0)).sum();
                if sum > 0.0 { value.max(0.0) / sum } else { 0.0 }
            }
        }
    };
    let share = |a: usize, v: usize, from: usize, to: usize| {
        let row = to / width + height - 1 - from / width;
        let column = to % width + width - 1 - from % width;
        let share = kernels[a * evidence + v][row * (2 * width - 1) + column];
        match combine {
            Combine::Energy { beta, .. } => softplus(share.ln(), beta),
            Combine::Probability => share,
        }
    };
    let mut out = Vec::new();
    for a in 0..joints {
        for to in 0..pixels {
            let mut log = 0.0;
            for v in 0..evidence {
                let message: f64 = if v == a {
                    given(v, to)
                } else {
                    (0..pixels).map(|from| share(a, v, from, to) * given(v, from)).sum()
                };
                log += (message + if v == a { OWN_BIAS } else { bias }).ln();
            }
            out.push(log.exp());
        }
    }
    out
}

fn close(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() <= 1e-6 * expected.abs() + 1e-12
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_round_is_its_formula(
        map in [1_usize..6, 1_usize..6], joints in 1_usize..4, torso in any::<bool>(), seed in any::<u64>(),
        beta in 0.5..5.0f64, energy in any::<bool>(),
    ) {
        let mut random = KeyedRandom::new(seed, "messages", "", 0);
        let evidence = joints + usize::from(torso);
        let (pixels, size) = (map[0] * map[1], (2 * map[0] - 1) * (2 * map[1] - 1));
        let mut kernel = || (0..size).map(|_| (random.unit() - 0.4).max(0.0) / 9.0).collect::<Vec<f64>>();
        let kernels: Vec<Vec<f64>> = (0..joints * evidence).map(|_| kernel()).collect();
        let maps: Vec<f32> = (0..evidence * pixels).map(|_| (random.unit() - 0.3) as f32).collect();
        let combine = if energy { Combine::Energy { beta, epsilon: 0.01 } } else { Combine::Probability };

        let messages = Messages::new(map, [joints, evidence], &kernels, combine, 1e-3);
        let (own, torso) = maps.split_at(joints * pixels);
        let mut out = vec![f32::NAN; joints * pixels];
        messages.pass(own, (!torso.is_empty()).then_some(torso), &mut messages.room(), &mut out);

        let expected = by_definition(map, [joints, evidence], &kernels, (combine, 1e-3), &maps);
        for (found, expected) in out.chunks_exact(pixels).zip(expected.chunks_exact(pixels)) {
            let peak = expected.iter().fold(0.0_f64, |most, value| most.max(*value));
            let factor = match combine {
                Combine::Energy { .. } => peak.powf(1.0 / evidence as f64) / peak,
                Combine::Probability => 1.0 / expected.iter().sum::<f64>(),
            };
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!(close(*found, expected * factor), "{found} {expected} {factor}");
            }
        }
    }
}

/// Two joints on maps of 5 x 4 px, a single px of each is 1; A lies 2 to the left of and 1 above B, and B, so the model
/// says, 1 to the right of A.
fn two_joints(combine: Combine, bias: f64) -> Vec<f32> {
    let (height, width) = (4, 5);
    let kernel = |dx: usize, dy: usize| {
        let mut kernel = vec![0.0; 7 * 9];
        kernel[(dy + 3 - 10) * 9 + (dx + 4 - 10)] = 1.0;
        kernel
    };
    let kernels = [Vec::new(), kernel(10 - 2, 10 - 1), kernel(10 + 1, 10), Vec::new()];
    let mut maps = vec![0.0; 2 * height * width];
    maps[width + 1] = 1.0;
    maps[height * width + 2 * width + 3] = 1.0;
    let messages = Messages::new([height, width], [2, 2], &kernels, combine, bias);
    let mut out = vec![f32::NAN; maps.len()];
    messages.pass(&maps, None, &mut messages.room(), &mut out);
    out
}

#[test]
fn probabilities_by_hand() {
    let out = two_joints(Combine::Probability, 0.1);
    let (a, b) = out.split_at(20);
    // At (1, 1), A's own map and B's message agree: 1 x 1.1; elsewhere what is added to either is left.
    let (both, none) = ((1.0 + OWN_BIAS) * 1.1, OWN_BIAS * 0.1);
    let sum = both + 19.0 * none;
    assert!(close(a[5 + 1], both / sum) && close(a[0], none / sum), "{a:?}");
    // B's map says (3, 2) and A's message (2, 1).
    let (own, told) = ((1.0 + OWN_BIAS) * 0.1, OWN_BIAS * 1.1);
    let sum = own + told + 18.0 * none;
    assert!(close(b[10 + 3], own / sum) && close(b[5 + 2], told / sum) && close(b[19], none / sum), "{b:?}");
}

#[test]
fn energies_by_hand() {
    let out = two_joints(ENERGY, 0.1);
    let a = &out[..20];
    // SoftPlus(ln 1) = ln 2. B's energy is 1 at (3, 2) and 0.01 elsewhere; what comes from outside the map is 0.
    let ln_2 = std::f64::consts::LN_2;
    let peak = (1.0 + OWN_BIAS) * (ln_2 + 0.1);
    assert!(close(a[5 + 1], peak.sqrt()), "{a:?}");
    let relative = |at: usize, expected: f64| close(a[at], expected / peak * peak.sqrt());
    assert!(relative(0, (0.01 + OWN_BIAS) * (0.01 * ln_2 + 0.1)), "{a:?}");
    assert!(relative(4, (0.01 + OWN_BIAS) * 0.1), "{a:?}");
}

#[test]
fn maps_without_a_positive_number_leave_the_word_to_the_others() {
    let one = vec![1.0, 0.0, 0.0, 0.0, 0.0];
    let kernels = [Vec::new(), one.clone(), one, Vec::new()];
    let messages = Messages::new([1, 3], [2, 2], &kernels, Combine::Probability, 0.5);
    let mut out = vec![f32::NAN; 6];
    messages.pass(&[-1.0, -2.0, 0.0, 0.0, 0.0, 3.0], None, &mut messages.room(), &mut out);
    // The second map says 2 px to the left of its px 2; the first says nothing.
    assert!(close(out[0], 1.5 / 2.5) && close(out[1], 0.5 / 2.5), "{out:?}");
    // Its own map, where nothing speaks against it.
    assert!(close(out[5], (1.0 + OWN_BIAS) / (1.0 + 3.0 * OWN_BIAS)), "{out:?}");
}

#[test]
fn products_of_many_small_factors_stay_in_range() {
    let (joints, pixels) = (17, 9);
    let kernels = vec![vec![0.0; 25]; joints * (joints + 1)];
    for combine in [ENERGY, Combine::Probability] {
        let messages = Messages::new([3, 3], [joints, joints + 1], &kernels, combine, 1e-12);
        let mut maps = vec![1e-30; (joints + 1) * pixels];
        maps[4] = 1.0;
        let (own, torso) = maps.split_at(joints * pixels);
        let mut out = vec![f32::NAN; joints * pixels];
        messages.pass(own, Some(torso), &mut messages.room(), &mut out);
        assert!(out.iter().all(|value| value.is_finite() && *value >= 0.0), "{out:?}");
        assert!(out[4] > 0.0 && out[4] > out[3], "{out:?}");
    }
}

#[test]
fn the_larger_the_bias_the_less_the_others_say() {
    // The first map has its peak at px 0, the second one says px 2.
    let kernels = [Vec::new(), vec![0.0, 0.0, 0.0, 0.0, 1.0], vec![0.0; 5], Vec::new()];
    let highest = |combine, bias| {
        let messages = Messages::new([1, 3], [2, 2], &kernels, combine, bias);
        let mut out = vec![f32::NAN; 6];
        messages.pass(&[1.0, 0.1, 0.5, 1.0, 0.0, 0.0], None, &mut messages.room(), &mut out);
        (0..3).max_by(|a, b| out[*a].total_cmp(&out[*b]))
    };
    for combine in [ENERGY, Combine::Probability] {
        assert_eq!(
            [0.01, 0.5, 5.0, 1e6].map(|bias| highest(combine, bias)),
            [2, 2, 0, 0].map(Some),
            "{combine:?}"
        );
    }
}
