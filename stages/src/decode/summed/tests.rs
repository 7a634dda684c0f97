//! The search against a plain definition in `f64`, and against looking at every px.

use proptest::prelude::*;
use schemas::Affine;

use super::*;

/// Keys's cubic kernel of slope -1/2, written out.
fn kernel(distance: f64) -> f64 {
    let d = distance.abs();
    match d {
        d if d <= 1.0 => 1.5 * d * d * d - 2.5 * d * d + 1.0,
        d if d < 2.0 => -0.5 * d * d * d + 2.5 * d * d - 4.0 * d + 2.0,
        _ => 0.0,
    }
}

/// The map read at `place`, in `f64`, borders reflected.
fn read(map: &[f32], grid: &MapGrid, place: [f64; 2]) -> f64 {
    let cell = |at: i64, size: usize| {
        let size = size as i64;
        let at = at.rem_euclid(2 * size);
        (if at < size { at } else { 2 * size - 1 - at }) as usize
    };
    let around = |value: f64| value.floor() as i64 - 1..=value.floor() as i64 + 2;
    let mut sum = 0.0;
    for y in around(place[1]) {
        for x in around(place[0]) {
            let weight = kernel(place[0] - x as f64) * kernel(place[1] - y as f64);
            sum += weight * f64::from(map[cell(y, grid.height) * grid.width + cell(x, grid.width)]);
        }
    }
    sum
}

/// The definition: the sum at every px of the image, `None` where no crop covers it.
fn sums(size: [usize; 2], grid: &MapGrid, crops: &[Affine], maps: &[Vec<f32>]) -> Vec<Option<f64>> {
    let sides = [grid.width, grid.height].map(|cells| (cells as f64 * grid.stride).round() - 0.5);
    let value = |at: usize| {
        let pixel = [(at % size[0]) as f64, (at / size[0]) as f64];
        let seen = std::iter::zip(crops, maps).filter_map(|(crop, map)| {
            let point = crop.apply(pixel);
            let inside = std::iter::zip(point, sides).all(|(value, side)| (-0.5..side).contains(&value));
            inside.then(|| read(map, grid, point.map(|value| (value - grid.origin) / grid.stride)))
        });
        seen.fold(None, |sum: Option<f64>, value| Some(sum.unwrap_or(0.0) + value))
    };
    (0..size[0] * size[1]).map(value).collect()
}

/// Looking at every px: nothing is ever passed over.
fn all_looked_at(size: [usize; 2], maps: &Maps<'_>) -> Option<Highest> {
    let mut all = Sums::default();
    all.read(maps, 0..size[0], 0..size[1]);
    all.highest(None).filter(|best| best.sum.is_finite())
}

fn crop() -> impl Strategy<Value = Affine> {
    (0.2..2.5f64, any::<bool>(), -30.0..30.0f64, -30.0..30.0f64).prop_map(|(scale, mirrored, dx, dy)| {
        let crop = Affine::translation(dx, dy) * Affine::scale(scale);
        if mirrored { Affine::mirror(40.0) * crop } else { crop }
    })
}

/// Maps as networks give them: a bump.
fn bump(width: usize, height: usize) -> impl Strategy<Value = Vec<f32>> {
    (-2.0..width as f64 + 2.0, -2.0..height as f64 + 2.0, 0.6..4.0f64).prop_map(move |(x, y, sigma)| {
        let away = |at: usize| ((at % width) as f64 - x).powi(2) + ((at / width) as f64 - y).powi(2);
        (0..width * height).map(|at| (-away(at) / (2.0 * sigma * sigma)).exp() as f32).collect()
    })
}

/// Maps with few levels, so that sums are tied, or with a peak; some cells may hold no number.
fn map(cells: usize) -> impl Strategy<Value = Vec<f32>> {
    prop_oneof![
        proptest::collection::vec(-2i8..3, cells).prop_map(|all| all.into_iter().map(f32::from).collect()),
        proptest::collection::vec(-1.0f32..1.0, cells),
        (0..cells, -0.1f32..0.1).prop_map(move |(peak, floor)| {
            (0..cells).map(|at| if at == peak { 1.0 } else { floor }).collect()
        }),
        (
            proptest::collection::vec(-1.0f32..1.0, cells),
            0..cells,
            prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(3e38)]
        )
            .prop_map(|(mut all, at, odd)| {
                all[at] = odd;
                all
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn passing_over_px_does_not_show(
        crops in proptest::collection::vec(crop(), 1..5),
        all in proptest::collection::vec(prop_oneof![map(8 * 10), bump(10, 8)], 4),
        size in [1usize..160, 1usize..140],
        origin in -0.5..4.0f64,
    ) {
        let grid = MapGrid { height: 8, width: 10, stride: 4.0, origin };
        let views: Vec<View> = crops.iter().map(|crop| View::new(size, crop, &grid)).collect();
        let maps: Vec<(&View, &[f32])> = views.iter().zip(all.iter().map(Vec::as_slice)).collect();
        let mut search = Search::new(size);
        let found = search.highest(&maps);
        prop_assert_eq!(found, all_looked_at(size, &maps));
        prop_assert_eq!(found, search.highest(&maps), "a search leaves nothing behind");
    }

    #[test]
    fn the_highest_px_is_that_of_the_definition(
        crops in proptest::collection::vec(crop(), 1..5),
        all in proptest::collection::vec(proptest::collection::vec(-1.0f32..1.0, 7 * 9), 4),
        size in [1usize..50, 1usize..60],
        origin in -0.5..4.0f64,
    ) {
        let grid = MapGrid { height: 7, width: 9, stride: 4.0, origin };
        let views: Vec<View> = crops.iter().map(|crop| View::new(size, crop, &grid)).collect();
        let maps: Vec<(&View, &[f32])> = views.iter().zip(all.iter().map(Vec::as_slice)).collect();
        let expected = sums(size, &grid, &crops, &all);
        let highest = expected.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        match Search::new(size).highest(&maps) {
            None => prop_assert!(highest == f64::NEG_INFINITY),
            Some(found) => {
                let there = expected[found.y * size[0] + found.x].unwrap();
                prop_assert!((there - found.sum).abs() < 1e-5, "{there} for {found:?}");
                prop_assert!(there > highest - 1e-5, "{highest} is higher than {found:?}");
            }
        }
    }
}

#[test]
fn the_first_px_wins_a_tie_and_uncovered_px_do_not_count() {
    let grid = MapGrid { height: 4, width: 4, stride: 4.0, origin: 1.5 };
    let crop = Affine::translation(-40.0, -20.0);
    let view = View::new([100, 80], &crop, &grid);
    let flat = vec![-1.0; 16];
    let found = Search::new([100, 80]).highest(&[(&view, &flat)]).unwrap();
    assert_eq!((found.x, found.y), (40, 20));
    assert!((found.sum + 1.0).abs() < 1e-6);
    // A crop beside the image covers nothing.
    let beside = View::new([30, 80], &crop, &grid);
    assert_eq!(Search::new([30, 80]).highest(&[(&beside, &flat)]), None);
}
