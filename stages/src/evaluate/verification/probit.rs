//! The inverse of the normal distribution function, the scale of a detection error trade-off plot.
//!
//! Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics
//! 37 (1988) 477-484, the routine PPND16, right to about one part in 10^16.

/// Half the width of the middle part, where the central fraction serves.
const MIDDLE: f64 = 0.425;
/// [`MIDDLE`] squared.
const MIDDLE_SQUARED: f64 = 0.180_625;
/// Where the near tail becomes the far tail, in units of the square root of minus the logarithm.
const FAR_TAIL: f64 = 5.0;
/// Offset of the near tail's variable.
const NEAR_OFFSET: f64 = 1.6;

/// Numerator and denominator of the middle part, lowest power first.
#[expect(clippy::excessive_precision, reason = "the digits are those of the source")]
const CENTRAL: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];
/// Those of the near tail.
#[expect(clippy::excessive_precision, reason = "the digits are those of the source")]
const NEAR: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];
/// Those of the far tail.
#[expect(clippy::excessive_precision, reason = "the digits are those of the source")]
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

/// The number that a standard normal variable stays below with probability `share`.
///
/// Minus and plus infinity for 0 and 1, NaN outside.
///
/// ```
/// use stages::evaluate::verification::probit;
/// assert!((probit(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
/// ```
pub fn probit(share: f64) -> f64 {
    let from_middle = share - 0.5;
    if from_middle.abs() <= MIDDLE {
        return from_middle * fraction(&CENTRAL, MIDDLE_SQUARED - from_middle * from_middle);
    }
    let tail = if from_middle < 0.0 { share } else { 1.0 - share };
    if tail == 0.0 {
        return f64::INFINITY.copysign(from_middle);
    }
    if tail.is_nan() || tail < 0.0 {
        return f64::NAN;
    }
    let depth = libm::sqrt(-libm::log(tail));
    let size = if depth <= FAR_TAIL {
        fraction(&NEAR, depth - NEAR_OFFSET)
    } else {
        fraction(&FAR, depth - FAR_TAIL)
    };
    size.copysign(from_middle)
}

/// One polynomial over another at `v`.
fn fraction([numerator, denominator]: &[[f64; 8]; 2], v: f64) -> f64 {
    let value = |powers: &[f64; 8]| powers.iter().rev().fold(0.0, |sum, factor| sum * v + factor);
    value(numerator) / value(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `scipy.special.ndtri(p)` of scipy 1.17.1, printed with `repr`.
    const SCIPY: [(f64, f64); 12] = [
        (1e-300, -37.047_096_299_361_2),
        (1e-20, -9.262_340_089_798_409),
        (1e-09, -5.997_807_015_007_686_5),
        (0.001, -3.090_232_306_167_813),
        (0.01, -2.326_347_874_040_840_8),
        (0.05, -1.644_853_626_951_472_9),
        (0.074, -1.446_632_067_158_978_5),
        (0.2, -0.841_621_233_572_914_2),
        (0.4, -0.253_347_103_135_799_7),
        (0.6, 0.253_347_103_135_799_7),
        (0.925, 1.439_531_470_938_456_3),
        (0.999, 3.090_232_306_167_813),
    ];

    #[test]
    fn numbers_are_those_of_scipy() {
        for (share, expected) in SCIPY {
            let found = probit(share);
            assert!((found - expected).abs() <= 4e-15 * expected.abs().max(1.0), "{share}: {found}");
        }
    }

    #[test]
    fn the_ends_are_infinite_and_beyond_them_is_nothing() {
        assert_eq!((probit(0.0), probit(1.0), probit(0.5)), (f64::NEG_INFINITY, f64::INFINITY, 0.0));
        assert!(probit(-0.1).is_nan() && probit(1.1).is_nan() && probit(f64::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn it_grows_and_is_odd(a in 1e-9..1.0_f64, b in 1e-9..1.0_f64) {
            prop_assume!(a < b);
            prop_assert!(probit(a) <= probit(b));
            prop_assert!((probit(a) + probit(1.0 - a)).abs() < 1e-6);
        }
    }
}
