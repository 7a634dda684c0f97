use super::*;
use proptest::prelude::*;

/// Levels without pattern, the same every time.
fn noise(width: usize, height: usize) -> Vec<u8> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..width * height * 3).map(|_| next()).collect()
}

fn sampled(path: Path, source: Source, map: &Affine, border: u8, [w, h]: [usize; 2]) -> Vec<u8> {
    let mut crop = vec![7; w * h * 3];
    sample(path, source, map, border, w, &mut crop);
    crop
}

/// The definition, in `f64`: what fixed point may differ from by its rounding alone.
fn exact(source: Source, map: &Affine, border: u8, [w, h]: [usize; 2]) -> Vec<f64> {
    let mut crop = Vec::new();
    for row in 0..h {
        for column in 0..w {
            let [u, v] = map.apply([column as f64, row as f64]);
            let (x, y) = (u.floor(), v.floor());
            let (right, lower) = (u - x, v - y);
            for channel in 0..3 {
                let at =
                    |dx: i64, dy: i64| f64::from(source.level(x as i64 + dx, y as i64 + dy, channel, border));
                let above = at(0, 0) * (1.0 - right) + at(1, 0) * right;
                let below = at(0, 1) * (1.0 - right) + at(1, 1) * right;
                crop.push(above * (1.0 - lower) + below * lower);
            }
        }
    }
    crop
}

fn similarity() -> impl Strategy<Value = Affine> {
    (0.05..8.0f64, -3.2..3.2f64, -90.0..90.0f64, -90.0..90.0f64, any::<bool>()).prop_map(
        |(factor, radians, dx, dy, mirrored)| {
            let flip = if mirrored { Affine::mirror(40.0) } else { Affine::IDENTITY };
            Affine::translation(dx, dy) * Affine::rotation(radians) * Affine::scale(factor) * flip
        },
    )
}

/// Any six numbers: huge, tiny, not a number, infinite.
fn anything() -> impl Strategy<Value = Affine> {
    let number = prop_oneof![
        any::<f64>(),
        -1e6..1e6f64,
        -2.0..2.0f64,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        Just(-1e300),
        Just(1e-300),
    ];
    proptest::array::uniform6(number).prop_map(Affine)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn both_paths_give_the_same_bytes(
        map in prop_oneof![similarity(), anything()],
        (width, height) in (1..90usize, 1..70usize),
        size in proptest::array::uniform2(1..70usize),
        border in any::<u8>(),
    ) {
        let rgb = noise(width, height);
        let source = Source { rgb: &rgb, width, height };
        let scalar = sampled(Path::Scalar, source, &map, border, size);
        prop_assert!(scalar == sampled(Path::detect(), source, &map, border, size));
    }

    #[test]
    fn fixed_point_is_near_the_definition(map in similarity(), border in any::<u8>()) {
        let rgb = noise(61, 47);
        let source = Source { rgb: &rgb, width: 61, height: 47 };
        let found = sampled(Path::Scalar, source, &map, border, [40, 33]);
        // A weight is off by at most 1/256 and 1/4096 for the steps of a block: 255 * 2 * 0.0042 + 0.5.
        for (level, expected) in found.iter().zip(exact(source, &map, border, [40, 33])) {
            prop_assert!((f64::from(*level) - expected).abs() < 2.7, "{level} for {expected}");
        }
    }
}

#[test]
fn the_identity_changes_nothing() {
    let rgb = noise(50, 20);
    let source = Source { rgb: &rgb, width: 50, height: 20 };
    assert!(sampled(Path::detect(), source, &Affine::IDENTITY, 9, [50, 20]) == rgb);
}

#[test]
fn outside_lies_the_border() {
    let rgb = noise(8, 8);
    let source = Source { rgb: &rgb, width: 8, height: 8 };
    for map in [Affine::translation(1e30, 0.0), Affine::translation(-9.0, 0.0), Affine::translation(0.0, 8.0)]
    {
        assert!(sampled(Path::detect(), source, &map, 128, [8, 8]).iter().all(|level| *level == 128));
    }
    // Half a pixel outside, levels are half border.
    let edge = sampled(Path::Scalar, source, &Affine::translation(-0.5, 0.0), 0, [1, 1]);
    assert!(std::iter::zip(&edge, &rgb).all(|(level, source)| *level == source.div_ceil(2)));
}

#[test]
fn images_too_wide_for_the_vectors_are_sampled_all_the_same() {
    let rgb = noise(40_000, 2);
    let source = Source { rgb: &rgb, width: 40_000, height: 2 };
    let map = Affine::translation(39_900.0, 0.0);
    assert!(sampled(Path::detect(), source, &map, 0, [16, 1])[..] == rgb[39_900 * 3..39_916 * 3]);
}
