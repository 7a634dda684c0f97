//! Sums over units: made apart and added afterwards, they have the bits of those over all rows.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::density::Densities;
use super::em::expectation;
use super::fixtures::{context, draws, people, run_on, table, with_threads};
use super::frames::{Frames, Selection};
use super::gaussians::Gaussians;
use super::moments::{Moments, Scatter, moments};
use super::statistics::{Order, Statistics};
use super::{AdaptConfig, FitBackgroundConfig, FitProjectionConfig, NormaliseScoresConfig, ScoreConfig};
use crate::stage::Rows;
use crate::unit_sum::UnitSum;
use crate::unit_sum::tests::InUnits;

const PEOPLE: [(&str, &str); 5] =
    [("train", "t1"), ("train", "t2"), ("train", "t3"), ("test", "x1"), ("test", "x2")];
/// Units of more and of fewer rows than a block has, and an empty one; sessions and sequences span their borders.
const UNITS: [usize; 6] = [2500, 1, 0, 777, 2048, 333];

fn embeddings() -> RecordBatch {
    table(&people(&PEOPLE, 80, 4))
}

fn moments_of(rows: &dyn Rows) -> Moments {
    let pick = |batch: &RecordBatch| Ok(vec![Some(0); batch.num_rows()]);
    moments(Frames::new(rows, 4, "test", Box::new(pick)), 4, Scatter::Full, |_| ()).unwrap()
}

fn statistics_of(rows: &dyn Rows, order: Option<Order>) -> Statistics {
    let means = draws("means", 12);
    let mixture = Gaussians::new(vec![0.2, 0.3, 0.5], means, vec![1.5; 12]).unwrap();
    let splits = ["train", "test"].map(str::to_owned);
    let source = Selection { rows, dimensions: 4, stage: "test", splits: &splits };
    expectation(&source, &Densities::new(&mixture), order).unwrap()
}

#[test]
fn moments_and_statistics_of_units_add_up_to_those_of_all() {
    let units = InUnits::cut(&embeddings(), &UNITS, 400);
    let (mut moments, mut logs, mut statistics) =
        (UnitSum::default(), UnitSum::default(), UnitSum::default());
    for (number, unit) in (0_u64..).zip(units.0.iter().filter(|unit| !unit.is_empty())) {
        moments.add(number, moments_of(unit));
        logs.add(number, statistics_of(unit, None));
        statistics.add(number, statistics_of(unit, Some(Order::Second)));
    }
    let (moments, logs, statistics) = (moments.total(), logs.total(), statistics.total());
    for threads in [1, 3] {
        let all = with_threads(threads, || {
            let logs = statistics_of(&units, None);
            (moments_of(&units), logs, statistics_of(&units, Some(Order::Second)))
        });
        assert_eq!(
            (Some(&all.0), Some(&all.1), Some(&all.2)),
            (moments.as_ref(), logs.as_ref(), statistics.as_ref())
        );
    }
    // As one unit the blocks lie elsewhere, which shows in the last bits.
    let whole = vec![embeddings()];
    assert_ne!(Some(moments_of(&whole)), moments);
}

/// What each step over all rows makes of `rows`.
fn steps(rows: &dyn Rows) -> Vec<Vec<RecordBatch>> {
    let projection: FitProjectionConfig = toml::from_str("components = 2").unwrap();
    let projection = run_on(&projection.build(&context("pca")).unwrap(), &[rows]).unwrap().0;
    let background: FitBackgroundConfig =
        toml::from_str("components = 3\niterations = 3\nmax_frames = 90").unwrap();
    let background = run_on(&background.build(&context("ubm")).unwrap(), &[rows]).unwrap().0;
    let adapt: AdaptConfig = toml::from_str("splits = ['test']\ncohort = 'train'").unwrap();
    let clients = run_on(&adapt.build(&context("adapt")).unwrap(), &[rows, &background]).unwrap().0;
    let score: ScoreConfig = toml::from_str("cohort = 'train'\npool = 'sequence'").unwrap();
    let scores = run_on(&score.build(&context("score")).unwrap(), &[rows, &clients, &background]).unwrap().0;
    vec![projection, background, clients, scores]
}

#[test]
fn units_alone_decide_the_bits() {
    let embeddings = embeddings();
    let one = with_threads(1, || steps(&InUnits::cut(&embeddings, &UNITS, 10_000)));
    for (threads, size) in [(1, 1), (3, 333), (4, 2048)] {
        let other = with_threads(threads, || steps(&InUnits::cut(&embeddings, &UNITS, size)));
        assert!(one == other, "{threads} threads, batches of {size} rows");
    }
    let others = steps(&InUnits::cut(&embeddings, &[100; 5], 10_000));
    assert!(one[2] != others[2], "clients are sums of units");
}

#[test]
fn normalised_scores_follow_from_units_alone() {
    let scores = steps(&vec![embeddings()]).remove(3);
    let scores = concat_batches(&scores[0].schema(), &scores).unwrap();
    let config: NormaliseScoresConfig = toml::from_str("kind = 'zt'").unwrap();
    let stage = config.build(&context("norm")).unwrap();
    let normalised = |size| run_on(&stage, &[&InUnits::cut(&scores, &[50, 7, 200], size)]).unwrap().0;
    let one = normalised(1);
    assert!(one.iter().map(RecordBatch::num_rows).sum::<usize>() > 100);
    assert_eq!(one, normalised(10_000));
}
