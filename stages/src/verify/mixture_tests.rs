//! Expectation, maximisation, adaptation and ratios against plain loops, and their laws.

use proptest::prelude::*;

use super::blocks::{BLOCK_FRAMES, FrameMatrix, FrameSource as _};
use super::density::Densities;
use super::em::{self, Options};
use super::fixtures::{draws, with_threads};
use super::gaussians::Gaussians;
use super::map::{self, Adaptation};
use super::ratio::Background;
use super::reference::{self, close, iterate, log_likelihood, mixtures_close};
use super::responsibilities::Responsibilities;
use super::statistics::{Order, Statistics};

/// `count` frames about M places that lie `apart` spreads apart in each dimension, and a mixture of M near them.
fn heaps(count: usize, components: usize, dimensions: usize, apart: f64) -> (Vec<f64>, Gaussians) {
    let places: Vec<f64> = draws("places", components * dimensions).iter().map(|v| v * apart).collect();
    let noise = draws("noise", count * dimensions);
    let frames = noise.chunks(dimensions).enumerate().flat_map(|(at, noise)| {
        let place = &places[at % components * dimensions..];
        noise.iter().zip(place).map(|(n, p)| n + p).collect::<Vec<f64>>()
    });
    let means = places.iter().zip(draws("off", places.len())).map(|(p, off)| p + 0.3 * off).collect();
    let variances = draws("spread", places.len()).iter().map(|v| 0.5 + v.abs()).collect();
    let weights: Vec<f64> = (1..=components).map(|at| at as f64).collect();
    let sum: f64 = weights.iter().sum();
    let weights = weights.iter().map(|weight| weight / sum).collect();
    (frames.collect(), Gaussians::new(weights, means, variances).unwrap())
}

fn statistics(frames: &[f64], gaussians: &Gaussians, order: Order) -> (Statistics, Vec<f64>, bool) {
    let densities = Densities::new(gaussians);
    let source = FrameMatrix { numbers: frames, dimensions: gaussians.dimensions() };
    let (mut near, mut sums) = (Responsibilities::default(), Statistics::new(&densities, order));
    let (mut logs, mut dense) = (Vec::new(), false);
    for block in source.blocks() {
        near.for_each_slab(&densities, &block.unwrap(), |_, frames, near| {
            sums.add_slab(&densities, frames, near, &mut Vec::new());
            logs.extend_from_slice(&near.log_likelihoods);
            dense |= near.dense;
        });
    }
    (sums, logs, dense)
}

#[test]
fn expectation_is_that_of_plain_loops_whether_many_components_are_near_or_few() {
    for (apart, is_dense) in [(30.0, false), (0.3, true)] {
        // Enough of everything that the fast products are used.
        let (frames, gaussians) = heaps(300, 20, 17, apart);
        let (sums, logs, dense) = statistics(&frames, &gaussians, Order::Second);
        assert_eq!(dense, is_dense, "the test covers both ways");
        let expected: Vec<f64> = frames.chunks(17).map(|frame| log_likelihood(frame, &gaussians)).collect();
        assert!(close(&logs, &expected, 1e-12));
        let (counts, means, squares) = reference::sums(&frames, &gaussians, None);
        for (component, count) in counts.iter().enumerate() {
            let row = component * 17..(component + 1) * 17;
            assert!(close(&[sums.count(component)], &[*count], 1e-10));
            assert!(close(&sums.mean(component), &means[row.clone()], 1e-9));
            assert!(close(&sums.spread(component, &means[row.clone()]), &squares[row], 1e-8));
        }
        assert_eq!(sums.frames, 300);
        assert!(close(&[sums.log_likelihood], &[expected.iter().sum()], 1e-12));
    }
}

#[test]
fn frames_far_out_and_components_without_weight_change_nothing() {
    let (mut frames, gaussians) = heaps(40, 20, 17, 3.0);
    frames[5] = 1e9;
    frames[17 * 30] = -3e30;
    let mut weights = gaussians.weights().to_vec();
    weights[1] += weights[0];
    weights[0] = 0.0;
    let gaussians =
        Gaussians::new(weights, gaussians.means().to_vec(), gaussians.variances().to_vec()).unwrap();
    let (sums, logs, dense) = statistics(&frames, &gaussians, Order::First);
    let expected: Vec<f64> = frames.chunks(17).map(|frame| log_likelihood(frame, &gaussians)).collect();
    assert!(dense, "single precision does not reach so far");
    assert!(close(&logs, &expected, 1e-9));
    assert_eq!(sums.count(0), 0.0);
}

#[test]
fn iterations_are_those_of_plain_loops() {
    for (regularisation, floor) in [(0.0, 0.9), (1e-3, 0.0)] {
        let (frames, start) = heaps(400, 3, 4, 2.0);
        let floor = [floor, 0.1, 0.0, 0.0];
        let mut expected = start.clone();
        for _ in 0..4 {
            expected = iterate(&frames, &expected, &floor, regularisation);
        }
        let options = Options { iterations: 4, tolerance: 0.0, floor: floor.to_vec(), regularisation };
        let source = FrameMatrix { numbers: &frames, dimensions: 4 };
        let fit = em::fit(&source, start, &options).unwrap();
        assert!(mixtures_close(&fit.gaussians, &expected, 1e-9));
        let mean = frames.chunks(4).map(|frame| log_likelihood(frame, &expected)).sum::<f64>() / 400.0;
        assert!(close(&[fit.log_likelihoods[4]], &[mean], 1e-11));
        assert_eq!((fit.log_likelihoods.len(), fit.frames, fit.idle), (5, 400, 0));
        let (sum, frames) = em::log_likelihood(&source, &fit.gaussians).unwrap();
        assert_eq!(sum / frames as f64, fit.log_likelihoods[4]);
    }
}

#[test]
fn a_gain_below_the_tolerance_ends_it() {
    let (frames, start) = heaps(200, 3, 2, 4.0);
    let source = FrameMatrix { numbers: &frames, dimensions: 2 };
    let options = Options { iterations: 100, tolerance: 1e-2, floor: vec![1e-3; 2], regularisation: 0.0 };
    let fit = em::fit(&source, start, &options).unwrap();
    let gains: Vec<f64> = fit.log_likelihoods.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (last, before) = gains.split_last().unwrap();
    assert!(*last < 1e-2 && before.iter().all(|gain| *gain >= 1e-2) && gains.len() < 100, "{gains:?}");
}

#[test]
fn a_component_without_frames_keeps_its_place() {
    let frames = [0.0, 0.1, -0.1, 0.2];
    let start = Gaussians::new(vec![0.5, 0.5], vec![0.0, 1e4], vec![1.0, 1.0]).unwrap();
    let options = Options { iterations: 3, tolerance: 0.0, floor: vec![1e-3], regularisation: 0.0 };
    let fit = em::fit(&FrameMatrix { numbers: &frames, dimensions: 1 }, start, &options).unwrap();
    assert_eq!((fit.idle, fit.gaussians.weights()), (1, &[1.0, 0.0][..]));
    assert_eq!((fit.gaussians.means()[1], fit.gaussians.variances()[1]), (1e4, 1.0));
    assert!((fit.gaussians.means()[0] - 0.05).abs() < 1e-12);
}

#[test]
fn bits_do_not_depend_on_threads() {
    for apart in [0.2, 8.0] {
        let (frames, start) = heaps(BLOCK_FRAMES * 2 + 77, 17, 16, apart);
        let options = Options { iterations: 2, tolerance: 0.0, floor: vec![1e-3; 16], regularisation: 0.0 };
        let source = FrameMatrix { numbers: &frames, dimensions: 16 };
        let fits = [1, 2, 3]
            .map(|threads| with_threads(threads, || em::fit(&source, start.clone(), &options).unwrap()));
        assert_eq!(fits[0], fits[1]);
        assert_eq!(fits[0], fits[2]);
    }
}

fn adapted(frames: &[f64], background: &Gaussians, adaptation: Adaptation) -> Gaussians {
    map::adapt(background, &statistics(frames, background, adaptation.order()).0, adaptation).unwrap()
}

const MEANS: Adaptation = Adaptation { relevance: 4.0, means: true, weights: false, variances: false };
const ALL: Adaptation = Adaptation { relevance: 4.0, means: true, weights: true, variances: true };

#[test]
fn adaptation_is_that_of_the_paper() {
    let (frames, background) = heaps(120, 3, 4, 1.0);
    let frames: Vec<f64> = frames.iter().map(|x| x + 0.5).collect();
    let (counts, means, _) = reference::sums(&frames, &background, None);
    let zero = vec![0.0; 12];
    let (_, _, squares) = reference::sums(&frames, &background, Some(&zero));
    let share = |i: usize| counts[i] / (counts[i] + 4.0);
    let mixed = |at: usize, new: f64, old: f64| share(at / 4) * new + (1.0 - share(at / 4)) * old;
    let mean: Vec<f64> = (0..12).map(|at| mixed(at, means[at], background.means()[at])).collect();
    let old = |at: usize| background.variances()[at] + background.means()[at].powi(2);
    let variance: Vec<f64> = (0..12).map(|at| mixed(at, squares[at], old(at)) - mean[at].powi(2)).collect();
    let weight: Vec<f64> =
        (0..3).map(|i| share(i) * counts[i] / 120.0 + (1.0 - share(i)) * background.weights()[i]).collect();
    let sum: f64 = weight.iter().sum();
    let weight: Vec<f64> = weight.iter().map(|weight| weight / sum).collect();
    let all = adapted(&frames, &background, ALL);
    assert!(mixtures_close(&all, &Gaussians::new(weight, mean.clone(), variance).unwrap(), 1e-10));
    let only_means = adapted(&frames, &background, MEANS);
    assert!(close(only_means.means(), &mean, 1e-12));
    assert_eq!(only_means.weights(), background.weights());
    assert_eq!(only_means.variances(), background.variances());
}

#[test]
fn variances_alone_are_those_about_the_background_wherever_zero_lies() {
    let (frames, background) = heaps(60, 2, 3, 1.0);
    let variances = Adaptation { means: false, weights: false, ..ALL };
    let moved = |by: f64| {
        let means = background.means().iter().map(|mean| mean + by).collect();
        let background =
            Gaussians::new(background.weights().to_vec(), means, background.variances().to_vec()).unwrap();
        let frames: Vec<f64> = frames.iter().map(|x| x + by).collect();
        adapted(&frames, &background, variances).variances().to_vec()
    };
    assert!(close(&moved(0.0), &moved(500.0), 1e-9));
    let (counts, _, squares) = reference::sums(&frames, &background, Some(background.means()));
    let share = counts[0] / (counts[0] + 4.0);
    let expected = share * squares[0] + (1.0 - share) * background.variances()[0];
    assert!(close(&moved(0.0)[..1], &[expected], 1e-10));
}

#[test]
fn relevance_goes_from_the_background_to_the_client() {
    let (frames, background) = heaps(200, 3, 4, 5.0);
    let far = adapted(&frames, &background, Adaptation { relevance: 1e15, ..ALL });
    assert!(mixtures_close(&far, &background, 1e-10));
    let near = adapted(&frames, &background, Adaptation { relevance: 1e-12, ..ALL });
    let (counts, means, squares) = reference::sums(&frames, &background, None);
    let weights = counts.iter().map(|count| count / 200.0).collect();
    assert!(mixtures_close(&near, &Gaussians::new(weights, means, squares).unwrap(), 1e-9));
}

#[test]
fn ratios_are_differences_of_log_likelihoods() {
    for apart in [0.5, 20.0] {
        let (frames, background) = heaps(300, 20, 17, apart);
        let client = adapted(&frames[..17 * 60], &background, MEANS);
        let source = FrameMatrix { numbers: &frames, dimensions: 17 };
        let blocks: Vec<_> = source.blocks().collect::<Result<_, _>>().unwrap();
        let ratios = |best: usize, client: &Gaussians| {
            let background = Background::new(&background, best);
            background.ratios(client, &blocks, &background.baselines(&blocks)).concat()
        };
        let expected: Vec<f64> = frames
            .chunks(17)
            .map(|frame| log_likelihood(frame, &client) - log_likelihood(frame, &background))
            .collect();
        assert!(close(&ratios(0, &client), &expected, 1e-10));
        assert!(ratios(0, &background).iter().all(|ratio| *ratio == 0.0));
        assert_eq!(ratios(20, &client), ratios(0, &client), "all components are all components");
        // The best of the background model, for both.
        let best: Vec<f64> = frames
            .chunks(17)
            .map(|frame| {
                let logs = reference::log_densities(frame, &background);
                let mut order: Vec<usize> = (0..20).collect();
                order.sort_by(|&a, &b| logs[b].total_cmp(&logs[a]));
                let near = order
                    .into_iter()
                    .filter(|&at| logs[at] > logs.iter().fold(f64::MIN, |a, b| a.max(*b)) - 40.0);
                let kept: Vec<usize> = near.take(3).collect();
                let sum = |logs: Vec<f64>| kept.iter().map(|&at| logs[at].exp()).sum::<f64>().ln();
                sum(reference::log_densities(frame, &client)) - sum(logs)
            })
            .collect();
        assert!(close(&ratios(3, &client), &best, 1e-9));
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let (frames, start) = heaps(3, 4, 2, 1.0);
    let options = Options { iterations: 1, tolerance: 0.0, floor: vec![1e-3; 2], regularisation: 0.0 };
    let message = |source: &FrameMatrix<'_>, options: &Options| {
        em::fit(source, start.clone(), options).unwrap_err().to_string()
    };
    let few = FrameMatrix { numbers: &frames, dimensions: 2 };
    assert_eq!(message(&few, &options), "3 frames are too few for 4 components");
    let wide = FrameMatrix { numbers: &frames, dimensions: 3 };
    let three = Options { floor: vec![1e-3; 3], ..options.clone() };
    assert_eq!(message(&wide, &three), "the mixture is one over 2 numbers, the frames have 3");
    assert_eq!(message(&wide, &options), "2 variance floors for 3 dimensions");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_likelihood_never_falls(
        numbers in prop::collection::vec(-20.0_f64..20.0, 12..120),
        components in 1_usize..5,
        floor in 1e-3_f64..2.0,
    ) {
        let frames = &numbers[..numbers.len() / 2 * 2];
        let means: Vec<f64> = frames[..components * 2].to_vec();
        let start =
            Gaussians::new(vec![1.0 / components as f64; components], means, vec![50.0_f64.max(floor); components * 2])
                .unwrap();
        let options = Options { iterations: 15, tolerance: 0.0, floor: vec![floor; 2], regularisation: 0.0 };
        let fit = em::fit(&FrameMatrix { numbers: frames, dimensions: 2 }, start, &options).unwrap();
        for pair in fit.log_likelihoods.windows(2) {
            prop_assert!(pair[1] >= pair[0] - 1e-9 * pair[0].abs(), "{:?}", fit.log_likelihoods);
        }
        prop_assert!((fit.gaussians.weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(fit.gaussians.variances().iter().all(|variance| *variance >= floor));
    }
}
