//! Numbers straight from the bytes of a line: decimals as `f64`, stamps as nanoseconds.
//!
//! [`decimal`] gives bit for bit what [`str::parse`] gives: short numbers by one exact division (Clinger's fast path:
//! a whole number below 2^53 and a power of ten up to 10^22 are both exact in `f64`, so their quotient is rounded
//! once), all others by `fast_float2`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The unit in which a log counts time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Clock {
    /// Seconds, with a fraction or without.
    #[serde(rename = "s")]
    #[cfg_attr(feature = "clap", value(name = "s"))]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    #[cfg_attr(feature = "clap", value(name = "ms"))]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    #[cfg_attr(feature = "clap", value(name = "us"))]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    #[cfg_attr(feature = "clap", value(name = "ns"))]
    Nanoseconds,
}

impl Clock {
    /// Decimals from the unit down to nanoseconds.
    pub(super) const fn decimals(self) -> usize {
        match self {
            Self::Seconds => 9,
            Self::Milliseconds => 6,
            Self::Microseconds => 3,
            Self::Nanoseconds => 0,
        }
    }
}

/// Powers of ten that `f64` holds exactly.
pub(super) const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Powers of ten for the units of clocks.
pub(super) const WHOLE_POWERS: [i64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
/// The largest whole number up to which `f64` holds all.
pub(super) const EXACT_WHOLE: u64 = 1 << 53;
/// The most digits that surely fit into 64 bits.
const MOST_DIGITS: usize = 19;

/// The finite decimal number at the start of `text` and how many bytes it takes; `None` where there is none.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let negative = *text.first()? == b'-';
    let start = usize::from(negative);
    // A reading has few digits before its point: eight at a time would mostly fail.
    let (whole, point) = single_digits(text, start, 0);
    let (mantissa, end, fraction) = if text.get(point) == Some(&b'.') {
        let (mantissa, end) = digits(text, point + 1, whole);
        (mantissa, end, end - point - 1)
    } else {
        (whole, point, 0)
    };
    let count = point - start + fraction;
    let plain = count > 0 && count <= MOST_DIGITS && !matches!(text.get(end), Some(b'e' | b'E'));
    if plain && mantissa <= EXACT_WHOLE {
        // Through `i64`, which converts in one instruction; it fits.
        let value = mantissa as i64 as f64 / EXACT_POWERS[fraction];
        // The sign goes in without a branch, which would be mispredicted for every other reading.
        let value = f64::from_bits(value.to_bits() | u64::from(negative) << 63);
        return Some((value, end));
    }
    let (value, used) = fast_float2::parse_partial::<f64, _>(text).ok()?;
    (used > 0 && value.is_finite()).then_some((value, used))
}

/// Reads digits of `text` from `at` behind those of `value`, modulo 2^64, and gives the place behind the last.
#[inline]
fn digits(text: &[u8], at: usize, value: u64) -> (u64, usize) {
    let (mut value, mut at) = (value, at);
    while let Some(eight) = text.get(at..at + 8).and_then(|eight| eight_digits(eight.try_into().ok()?)) {
        value = value.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    single_digits(text, at, value)
}

/// As [`digits`], one by one.
#[inline]
fn single_digits(text: &[u8], at: usize, value: u64) -> (u64, usize) {
    let (mut value, mut at) = (value, at);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// The number of eight digits, by pairs in one word; `None` where one of them is none.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(text);
    let above = word.wrapping_add(0x4646_4646_4646_4646);
    let below = word.wrapping_sub(0x3030_3030_3030_3030);
    if (above | below) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = below.wrapping_mul(10).wrapping_add(below >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    Some(low.wrapping_add(high) >> 32)
}

/// The stamp at the start of `text`, in nanoseconds, and how many bytes it takes.
///
/// Whole numbers and plain fractions only; what is finer than a nanosecond is cut off. `None` for all else.
#[inline]
pub(super) fn stamp(text: &[u8], clock: Clock) -> Option<(i64, usize)> {
    let negative = *text.first()? == b'-';
    let start = usize::from(negative);
    let (whole, end) = digits(text, start, 0);
    if end == start || end - start > MOST_DIGITS || matches!(text.get(end), Some(b'.' | b'e' | b'E')) {
        return stamp_with_fraction(text, clock);
    }
    let nanos = i64::try_from(whole).ok()?.checked_mul(WHOLE_POWERS[clock.decimals()])?;
    Some((if negative { -nanos } else { nanos }, end))
}

/// As [`stamp`], of any decimal number: `1424696633.908`, `1.424696633908e12`.
#[cold]
fn stamp_with_fraction(text: &[u8], clock: Clock) -> Option<(i64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative || text.first() == Some(&b'+'));
    let (mut mantissa, mut exponent, mut count) = (0i128, clock.decimals() as i64, 0);
    let mut behind_point = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' if mantissa < i128::from(i64::MAX) * 1_000_000_000 => {
                mantissa = mantissa * 10 + i128::from(byte - b'0');
                exponent -= i64::from(behind_point);
                count += 1;
            }
            // Digits beyond all that matters only move the point.
            b'0'..=b'9' => exponent += i64::from(!behind_point),
            b'.' if !behind_point => behind_point = true,
            _ => break,
        }
        at += 1;
    }
    if count == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = matches!(text.get(at + 1), Some(b'-' | b'+'));
        let first = at + 1 + usize::from(sign);
        let (power, end) = digits(text, first, 0);
        if end == first || end - first > 4 {
            return None;
        }
        exponent += if text[at + 1] == b'-' { -(power as i64) } else { power as i64 };
        at = end;
    }
    let mut nanos = mantissa;
    for _ in 0..exponent.clamp(-60, 60).abs() {
        nanos = if exponent < 0 { nanos / 10 } else { nanos.checked_mul(10)? };
    }
    let nanos = i64::try_from(if negative { -nanos } else { nanos }).ok()?;
    Some((nanos, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole_decimal(text: &str) -> Option<f64> {
        decimal(text.as_bytes()).filter(|(_, used)| *used == text.len()).map(|(value, _)| value)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn decimals_are_those_of_the_standard_library(text in "-?[0-9]{0,12}(\\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})?") {
            let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(whole_decimal(&text).map(f64::to_bits), expected.map(f64::to_bits), "{}", text);
        }

        #[test]
        fn printed_numbers_come_back(value in proptest::num::f64::NORMAL, single in proptest::num::f32::NORMAL) {
            let text = value.to_string();
            prop_assert_eq!(whole_decimal(&text), Some(value));
            let text = single.to_string();
            prop_assert_eq!(whole_decimal(&text), Some(text.parse().unwrap()));
        }

        #[test]
        fn whole_stamps_are_exact(value in -9_223_372_036_854i64..9_223_372_036_854) {
            let text = format!("{value},");
            let expected = Some((value * 1_000_000, text.len() - 1));
            prop_assert_eq!(stamp(text.as_bytes(), Clock::Milliseconds), expected);
        }
    }

    #[test]
    fn a_number_ends_where_it_ends() {
        assert_eq!(decimal(b"-0.25,3"), Some((-0.25, 5)));
        assert_eq!(decimal(b"12345678901234567890.5,"), Some((12_345_678_901_234_567_890.5, 22)));
        assert_eq!(decimal(b"-0").map(|(value, _)| value.to_bits()), Some((-0.0_f64).to_bits()));
        for text in ["", "-", ".", "abc", "NaN", "inf", "-inf", "1e999", ",1"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn stamps_of_every_writing_are_nanoseconds() {
        let nanos = |text: &str, clock| {
            stamp(text.as_bytes(), clock).filter(|(_, used)| *used == text.len()).map(|(nanos, _)| nanos)
        };
        assert_eq!(nanos("1424696633908", Clock::Milliseconds), Some(1_424_696_633_908_000_000));
        assert_eq!(nanos("1424696631913248572", Clock::Nanoseconds), Some(1_424_696_631_913_248_572));
        assert_eq!(nanos("1424696633.908123456789", Clock::Seconds), Some(1_424_696_633_908_123_456));
        assert_eq!(nanos("1.424696633908E12", Clock::Milliseconds), Some(1_424_696_633_908_000_000));
        assert_eq!(nanos("-0.5", Clock::Seconds), Some(-500_000_000));
        assert_eq!(nanos("25e-1", Clock::Microseconds), Some(2_500));
        assert_eq!(nanos("9223372036854775807", Clock::Nanoseconds), Some(i64::MAX));
        for text in ["9223372036854775808", "1e30", "", "-", "x", "1e", "1e99999"] {
            assert_eq!(nanos(text, Clock::Nanoseconds), None, "{text}");
        }
        assert_eq!(nanos("9223372036855", Clock::Milliseconds), None);
    }
}
